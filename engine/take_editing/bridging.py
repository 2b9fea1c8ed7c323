# SPDX-License-Identifier: GPL-3.0-or-later
"""People in pictures that missed them: rows for gaps up to a limit, made as `engine/motion/gaps.py` says.

The motion that is bridged is that of the pelvis in the world, with the one shape that the person has in the whole take
(the median), which the new rows carry: so they do not change it.
"""

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
from ..motion.body_motion import BodyMotion
from ..motion.gaps import fill_gaps
from .roll import Roll

BRIDGED_SCORE = 0.0
"""Detection score of people who were not detected."""


@dataclass(frozen=True)
class Bridge:
    """One person in one picture that missed the person; fields as those of `Frame`, in that picture's camera frame."""

    track_id: int
    pose_axis_angle: np.ndarray
    betas: np.ndarray
    expression: np.ndarray
    translation: np.ndarray
    head_point: np.ndarray


@dataclass
class _Rows:
    """What the pictures with one person say of the person."""

    pictures: list[int] = field(default_factory=list)
    poses: list[np.ndarray] = field(default_factory=list)
    betas: list[np.ndarray] = field(default_factory=list)
    expressions: list[np.ndarray] = field(default_factory=list)
    heads: list[np.ndarray] = field(default_factory=list)


def bridges(frames: Iterable[Frame], roll: Roll, limit_s: float, body: BodyModel) -> dict[int, list[Bridge]]:
    """For pictures by their place in the take: who is added to them, of all people after the edits of the roll.

    `frames` are the take's, in order; `body` is the one that the take was made with. Raises UserError
    (``take-damaged``) where time does not go on from picture to picture.
    """
    people: dict[int, _Rows] = {}
    cameras = []
    for picture, frame in enumerate(frames):
        cameras.append(frame.world_from_camera.copy())
        first = roll.starts[picture]
        for row in range(len(frame.track_id)):
            if roll.kept[first + row]:
                rows = people.setdefault(int(roll.track[first + row]), _Rows())
                rows.pictures.append(picture)
                # Copies, because these are views into the bytes of the whole message, mask and all.
                rows.poses.append(frame.pose_axis_angle[row].copy())
                rows.betas.append(frame.betas[row].copy())
                rows.expressions.append(frame.expression[row].copy())
                rows.heads.append(frame.head_point[row].copy())
    found: dict[int, list[Bridge]] = {}
    for person, rows in sorted(people.items()):
        for picture, bridge in _bridges_of(person, rows, np.stack(cameras), roll.time_s, limit_s, body):
            found.setdefault(picture, []).append(bridge)
    return found


def _bridges_of(
    person: int, rows: _Rows, cameras: np.ndarray, time_s: np.ndarray, limit_s: float, body: BodyModel
) -> list[tuple[int, Bridge]]:
    if not ((np.diff(time_s) > 0).all() and (np.diff(rows.pictures) > 0).all()):
        raise UserError(
            "take-damaged",
            "The frames of the take are not in order of time, or person {person} is in one of them twice.",
            "Do not fill gaps in this take, or capture the footage again.",
            person=person,
        )
    betas = np.median(np.stack(rows.betas), axis=0).astype(np.float32)
    expressions, at = np.stack(rows.expressions), time_s[rows.pictures]
    motion = _motion_in_world(rows, cameras[rows.pictures], at, betas, body)
    filled = fill_gaps(motion, limit_s, time_s)
    made = []
    for row in np.flatnonzero(~np.isin(filled.time_s, at)):
        picture = int(np.searchsorted(time_s, filled.time_s[row]))
        camera = cameras[picture]
        pose = quaternion_to_axis_angle(filled.rotations[row])
        pose[PELVIS] = matrix_to_axis_angle(camera[:3, :3].T @ quaternion_to_matrix(filled.rotations[row, PELVIS]))
        expression = np.array([np.interp(time_s[picture], at, values) for values in expressions.T])
        pelvis = camera[:3, :3].T @ (filled.pelvis[row] - camera[:3, 3])
        translation = pelvis - body.rest_joints(betas, expression)[PELVIS]
        head = body.posed_joints(axis_angle_to_matrix(pose), betas, expression, translation)[HEAD]
        made.append((picture, Bridge(person, pose, betas, expression, translation, head)))
    return made


def _motion_in_world(
    rows: _Rows, cameras: np.ndarray, time_s: np.ndarray, betas: np.ndarray, body: BodyModel
) -> BodyMotion:
    poses = np.stack(rows.poses)
    turns = axis_angle_to_matrix(poses)
    pelvis = body.pelvis_from_head(turns, betas, np.stack(rows.expressions), np.stack(rows.heads))
    rotations = axis_angle_to_quaternion(poses)
    rotations[:, PELVIS] = matrix_to_quaternion(cameras[:, :3, :3] @ turns[:, PELVIS])
    placed = (cameras[:, :3, :3] @ pelvis[..., None])[..., 0] + cameras[:, :3, 3]
    return BodyMotion.make(time_s, rotations, placed, body.rest_joints(betas))
