# SPDX-License-Identifier: GPL-3.0-or-later
"""The people of a take as motions in its world, each with the camera that saw them; and such motions back in frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ..contract.body_model import BodyModel
from ..contract.errors import UserError
from ..contract.messages import Frame
from ..contract.rotations import (
    axis_angle_to_matrix,
    axis_angle_to_quaternion,
    matrix_to_axis_angle,
    matrix_to_quaternion,
    quaternion_to_axis_angle,
    quaternion_to_matrix,
)
from ..contract.skeleton import HEAD, PELVIS
from .body_motion import BodyMotion


@dataclass(frozen=True)
class PersonOfTake:
    """One person, with the one shape that everything downstream gives him: the median over his frames."""

    track_id: int
    places: np.ndarray
    """(T,) which of the frames that were read show him."""
    motion: BodyMotion
    """In the take's world; T frames."""
    cameras: np.ndarray
    """(T, 4, 4) world from camera of these frames."""
    betas: np.ndarray
    """(10,)"""
    expression: np.ndarray
    """(T, 10)"""


@dataclass(frozen=True)
class PersonInFrame:
    """A person in one frame; fields as those of `messages.Frame`, in that frame's camera frame."""

    track_id: int
    pose_axis_angle: np.ndarray
    betas: np.ndarray
    expression: np.ndarray
    translation: np.ndarray
    head_point: np.ndarray


@dataclass
class _Rows:
    """What the frames with one person say of him."""

    places: list[int] = field(default_factory=list)
    poses: list[np.ndarray] = field(default_factory=list)
    betas: list[np.ndarray] = field(default_factory=list)
    expressions: list[np.ndarray] = field(default_factory=list)
    heads: list[np.ndarray] = field(default_factory=list)


def people_of_take(frames: Iterable[Frame], body: BodyModel) -> list[PersonOfTake]:
    """Everybody in some frames of a take, in order of their numbers; memory holds no masks and points.

    `body` is the one that the take was made with. Raises UserError (``take-damaged``) where time does not go on from
    frame to frame, or somebody is in one of them twice.
    """
    rows: dict[int, _Rows] = {}
    times, cameras = [], []
    for place, frame in enumerate(frames):
        times.append(frame.time_s)
        cameras.append(frame.world_from_camera.copy())
        for row, track in enumerate(frame.track_id):
            own = rows.setdefault(int(track), _Rows())
            own.places.append(place)
            # Copies, because these are views into the bytes of the whole message, mask and all.
            own.poses.append(frame.pose_axis_angle[row].copy())
            own.betas.append(frame.betas[row].copy())
            own.expressions.append(frame.expression[row].copy())
            own.heads.append(frame.head_point[row].copy())
    if not rows:
        return []
    time_s, poses = np.array(times), np.stack(cameras)
    for track, own in rows.items():
        _refuse_disorder(track, own.places, time_s)
    return [_person(track, own, time_s, poses, body) for track, own in sorted(rows.items())]


def _refuse_disorder(person: int, places: list[int], time_s: np.ndarray) -> None:
    if not ((np.diff(time_s) > 0).all() and (np.diff(places) > 0).all()):
        raise UserError(
            "take-damaged",
            "The frames of the take are not in order of time, or person {person} is in one of them twice.",
            "Capture the footage again.",
            person=person,
        )


def _person(track: int, rows: _Rows, time_s: np.ndarray, cameras: np.ndarray, body: BodyModel) -> PersonOfTake:
    places = np.array(rows.places)
    betas, expression = np.median(np.stack(rows.betas), axis=0).astype(np.float32), np.stack(rows.expressions)
    seen = cameras[places]
    motion = motion_in_world(np.stack(rows.poses), expression, np.stack(rows.heads), betas, seen, time_s[places], body)
    return PersonOfTake(track, places, motion, seen, betas, expression)


def motion_in_world(
    poses: np.ndarray,
    expression: np.ndarray,
    heads: np.ndarray,
    betas: np.ndarray,
    cameras: np.ndarray,
    time_s: np.ndarray,
    body: BodyModel,
) -> BodyMotion:
    """A person who hangs from where his head was seen: (T, 55, 3) poses, (T, 10), (T, 3) heads,
    camera frame; (T, 4, 4) cameras."""
    turns = axis_angle_to_matrix(poses)
    pelvis = body.pelvis_from_head(turns, betas, expression, heads)
    rotations = axis_angle_to_quaternion(poses)
    rotations[:, PELVIS] = matrix_to_quaternion(cameras[:, :3, :3] @ turns[:, PELVIS])
    placed = (cameras[:, :3, :3] @ pelvis[..., None])[..., 0] + cameras[:, :3, 3]
    return BodyMotion.make(time_s, rotations, placed, body.rest_joints(betas))


def person_in_frame(
    track_id: int, motion: BodyMotion, row: int, betas: np.ndarray, expression: np.ndarray, camera: np.ndarray,
    body: BodyModel,
) -> PersonInFrame:  # fmt: skip
    """One frame of a motion in the take's world, as the camera (4, 4) that stands there sees it."""
    seen = motion_in_frames(motion.part(slice(row, row + 1)), betas, expression[None], camera[None], body)
    pose, translation, head = (values[0] for values in seen)
    return PersonInFrame(track_id, pose, betas, expression, translation, head)


def motion_in_frames(
    motion: BodyMotion, betas: np.ndarray, expression: np.ndarray, cameras: np.ndarray, body: BodyModel
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A motion in the take's world as the cameras (T, 4, 4) see it, the inverse of :func:`motion_in_world`: (T, 55, 3)
    poses, (T, 3) translations and (T, 3) heads, each in its camera's frame; `expression` is (T, 10).
    """
    turns = np.swapaxes(cameras[:, :3, :3], -1, -2)
    poses = quaternion_to_axis_angle(motion.rotations)
    poses[:, PELVIS] = matrix_to_axis_angle(turns @ quaternion_to_matrix(motion.rotations[:, PELVIS]))
    pelvis = (turns @ (motion.pelvis - cameras[:, :3, 3])[..., None])[..., 0]
    translation = pelvis - body.rest_joints(betas, expression)[:, PELVIS]
    heads = body.posed_joints(axis_angle_to_matrix(poses), betas, expression, translation)[:, HEAD]
    return poses, translation, heads
