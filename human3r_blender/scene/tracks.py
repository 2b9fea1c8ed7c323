# SPDX-License-Identifier: GPL-3.0-or-later
"""What a take says about each person, collected frame by frame and turned into keys. Numpy only.

A person keeps one shape over the take although the network predicts one per frame. The head point does not depend on
the shape, so the pelvis is placed from it with the constant shape: pelvis = head - R (j_head - j_pelvis), joints of the
posed body (SMPL-X's expression moves these joints slightly, and is counted in, as in the `smplx` package).
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

import numpy as np

from ...engine.contract import rotations
from ...engine.contract.body_model import HEAD_LINE, BodyModel
from ...engine.contract.messages import FinalFrame, Frame
from ...engine.contract.sentences import Sentence
from ...engine.contract.skeleton import PELVIS
from ..blender import coordinates
from ..person.presence import Presence


@dataclass
class Track(Presence):
    """One person's rows, one for every picture that shows the person; `frames` and the lists here are parallel."""

    id: int
    indices: list[int] = field(default_factory=list)
    """Each row's number in the take (:attr:`Frame.index`), ascending."""
    poses: list[np.ndarray] = field(default_factory=list)
    """(55, 3) axis-angle; joint 0 in the camera frame."""
    betas: list[np.ndarray] = field(default_factory=list)
    """(10,) as predicted."""
    expressions: list[np.ndarray] = field(default_factory=list)
    """(10,)"""
    head_points: list[np.ndarray] = field(default_factory=list)
    """(3,) meters, camera frame."""
    cameras: list[np.ndarray] = field(default_factory=list)
    """(4, 4) world from camera."""
    is_final: bool = False
    """Whether rows were replaced by what a pass over the whole clip found."""

    def replace(self, final: FinalFrame, person: int) -> None:
        """Take over what the final pass says of this person, who is its row `person`; nothing where the row is new."""
        row = bisect_left(self.indices, final.index)
        if row < len(self.indices) and self.indices[row] == final.index:
            self.poses[row] = final.pose_axis_angle[person].copy()
            self.betas[row] = final.betas[person].copy()
            self.expressions[row] = final.expression[person].copy()
            self.head_points[row] = final.head_point[person].copy()
            self.cameras[row] = final.world_from_camera.copy()
            self.is_final = True

    def typical_betas(self) -> np.ndarray:
        """(10,) the shape of the whole take: the median, which single bad frames do not move."""
        return np.median(np.stack(self.betas), axis=0).astype(np.float32)

    def rotation_keys(self, rows: slice, previous: np.ndarray | None) -> np.ndarray:
        """(T, 55, 4) bone quaternions wxyz of some rows, without sign flips.

        `previous`, (55, 4), are those of the row before.
        """
        poses = np.stack(self.poses[rows])
        quaternions = rotations.axis_angle_to_quaternion(poses)
        root = rotations.axis_angle_to_matrix(poses[:, PELVIS])
        world = coordinates.root_rotation_to_body(np.stack(self.cameras[rows]), root)
        quaternions[:, PELVIS] = rotations.matrix_to_quaternion(world)
        return rotations.continuous_quaternions(quaternions, previous)

    def pelvis_keys(self, rows: slice, body: BodyModel, betas: np.ndarray) -> np.ndarray:
        """(T, 3) locations of the pelvis bone in some rows, meters from its rest position."""
        poses = np.stack(self.poses[rows])
        turns = np.zeros((*poses.shape, 3))
        turns[:, HEAD_LINE] = rotations.axis_angle_to_matrix(poses[:, HEAD_LINE])
        pelvis = body.pelvis_from_head(turns, betas, np.stack(self.expressions[rows]), np.stack(self.head_points[rows]))
        placed = coordinates.camera_points_to_body(np.stack(self.cameras[rows]), pelvis)
        return placed - body.rest_joints(betas)[PELVIS]


class Tracks:
    """All people of a take by track id, in the order of their appearance."""

    def __init__(self, absence_frames: float, most: int) -> None:
        """`absence_frames`: scene frames without a detection after which a person counts as gone. People beyond the
        first `most` are counted, and left out.
        """
        self.by_id: dict[int, Track] = {}
        self._most, self._left_out = most, set[int]()
        self._absence_frames = absence_frames
        self._first_frame: float | None = None

    def add(self, frame: Frame, scene_frame: float) -> None:
        """Take in the people of one picture, shown at `scene_frame`."""
        if self._first_frame is None:
            self._first_frame = scene_frame
        seen = {int(track_id) for track_id in frame.track_id}
        for row, track_id in enumerate(frame.track_id):
            if int(track_id) in self.by_id or len(self.by_id) < self._most:
                self._add_row(self._track(int(track_id), scene_frame), frame, row, scene_frame)
            else:
                self._left_out.add(int(track_id))
        for track in self.by_id.values():
            if track.id not in seen:
                track.miss(scene_frame, self._absence_frames)

    def replace(self, final: FinalFrame) -> None:
        """Take over what the final pass says of the people of one picture."""
        for row, track_id in enumerate(final.track_id):
            if int(track_id) in self.by_id:
                self.by_id[int(track_id)].replace(final, row)

    @property
    def left_out(self) -> int:
        """How many people were left out."""
        return len(self._left_out)

    @property
    def note(self) -> Sentence | None:
        """What is to be said about people who were left out."""
        if not self._left_out:
            return None
        return Sentence(
            "There are {count} people in the take, of whom the first {most} were brought in. To have more, raise Most "
            "People and import the take again.",
            count=len(self.by_id) + len(self._left_out),
            most=self._most,
        )

    def finish(self) -> None:
        """Hide for good who was not there in the last picture."""
        for track in self.by_id.values():
            track.finish()

    def _track(self, track_id: int, scene_frame: float) -> Track:
        track = self.by_id.get(track_id)
        if track is None:
            track = self.by_id[track_id] = Track(track_id)
            if self._first_frame is not None:
                track.begin(self._first_frame, scene_frame)
        return track

    def _add_row(self, track: Track, frame: Frame, row: int, scene_frame: float) -> None:
        track.see(scene_frame)
        track.indices.append(frame.index)
        # Copies, because these may be views into the bytes of the whole message, mask and all.
        track.poses.append(frame.pose_axis_angle[row].copy())
        track.betas.append(frame.betas[row].copy())
        track.expressions.append(frame.expression[row].copy())
        track.head_points.append(frame.head_point[row].copy())
        track.cameras.append(frame.world_from_camera.copy())
