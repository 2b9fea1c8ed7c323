# SPDX-License-Identifier: GPL-3.0-or-later
"""People of a take fitted again as they are, without bending them, when the clip's focal length turns out another.

Under another focal length the same pixels mean another distance and slightly other directions. Every person moves as
one piece until the body's joints are where they were seen. It needs nothing of the model that found them.
"""

from __future__ import annotations

import numpy as np

from ..contract.body_model import BodyModel
from ..contract.messages import FinalFrame, Frame
from ..contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from ..contract.skeleton import BODY_JOINT_COUNT, PELVIS

_STEPS = 6
_NEAREST_M = 0.1
"""Nearer joints are seen from nowhere: such people are moved back and not turned."""
_JOINT_PX = 0.005
"""How well joints are known, as a share of the focal length ..."""
_TURN = 0.1
"""... and a body's direction, radians: what little is told by joints that are nearly in one line changes nothing."""


def refitted(frame: Frame, world_from_camera: np.ndarray, focal_px: float, body_model: BodyModel) -> FinalFrame:
    """A frame's people under another focal length (footage pixels), and its camera in a new place (4, 4)."""
    turns = axis_angle_to_matrix(np.asarray(frame.pose_axis_angle, np.float64))
    translation = np.asarray(frame.translation, np.float64).copy()
    head_point = np.asarray(frame.head_point, np.float64).copy()
    pose = np.array(frame.pose_axis_angle)
    if focal_px != frame.focal_px and len(translation):
        joints = body_model.posed_joints(
            turns, np.asarray(frame.betas, np.float64), np.asarray(frame.expression, np.float64), translation
        )
        for person, body in enumerate(joints):
            turn, pelvis = moved_body(body[:BODY_JOINT_COUNT], frame.focal_px, focal_px)
            pose[person, PELVIS] = matrix_to_axis_angle(turn @ turns[person, PELVIS])
            translation[person] += pelvis - body[PELVIS]
            head_point[person] = turn @ (head_point[person] - body[PELVIS]) + pelvis
    # Copies, for what a record says are views of all of it, people's masks included.
    return FinalFrame(
        index=frame.index,
        focal_px=focal_px,
        world_from_camera=world_from_camera,
        principal_point_px=frame.principal_point_px.copy(),
        track_id=frame.track_id.copy(),
        pose_axis_angle=pose,
        betas=frame.betas.copy(),
        expression=frame.expression.copy(),
        translation=translation,
        head_point=head_point,
    )


def moved_body(joints: np.ndarray, focal_before: float, focal: float) -> tuple[np.ndarray, np.ndarray]:
    """How (J, 3) joints move as one piece, the first of them being the pelvis, to be seen where they were before under
    another focal length: a (3, 3) turn about the pelvis, and the pelvis' (3,) new place."""
    pelvis = joints[0] * (1.0, 1.0, focal / focal_before)
    turn, limbs = np.eye(3), joints - joints[0]
    if joints[:, 2].min() < _NEAREST_M:
        return turn, pelvis
    seen = joints[:, :2] / joints[:, 2:] * focal_before / focal
    turned_by = np.zeros(3)
    for _ in range(_STEPS):
        arms = limbs @ turn.T
        places = arms + pelvis
        depth = np.maximum(places[:, 2], _NEAREST_M)
        plain = places[:, :2] / depth[:, None]
        by_place = np.zeros((len(joints), 2, 3))
        by_place[:, 0, 0] = by_place[:, 1, 1] = 1 / depth
        by_place[:, :, 2] = -plain / depth[:, None]
        slopes = np.concatenate([np.cross(arms[:, None], by_place), by_place], axis=2).reshape(-1, 6) / _JOINT_PX
        matrix = slopes.T @ slopes
        right = -slopes.T @ ((plain - seen) / _JOINT_PX).reshape(-1)
        matrix[range(3), range(3)] += _TURN**-2
        right[:3] -= turned_by / _TURN**2
        step = np.linalg.solve(matrix, right)
        turn = axis_angle_to_matrix(step[:3]) @ turn
        turned_by = matrix_to_axis_angle(turn)
        pelvis = pelvis + step[3:]
    return turn, pelvis
