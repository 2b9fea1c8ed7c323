# SPDX-License-Identifier: GPL-3.0-or-later
"""The points of a body that people note by eye, on SMPL-X bodies as a take has them."""

from __future__ import annotations

import numpy as np

from ...contract.body_model import BodyModel, joint_transforms
from ...contract.messages import Frame
from ...contract.rotations import axis_angle_to_matrix
from ...contract.skeleton import HEAD, JOINT_INDEX

_SIDES = {"l": "left", "r": "right"}

LIMBS = tuple(f"{side}_{part}" for part in ("shoulder", "elbow", "wrist", "knee", "ankle") for side in _SIDES)
"""What the main figures are over: their place can be seen. Hips are guessed under clothes, and a skull's centre is."""

HIPS = ("l_hip", "r_hip")

POINT_NAMES = (*LIMBS, *HIPS, "neck", "head")
"""`head` is the centre of the skull, at the height of the ears."""

_JOINTS = [
    JOINT_INDEX[f"{_SIDES[name[0]]}{name[1:]}" if name[1] == "_" else name] for name in POINT_NAMES if name != "head"
]

_EARS = (6, 616)
"""SMPL-X vertices at the left and at the right ear; half-way between them is the skull's centre."""

_NEAREST_M = 0.05
"""Points nearer than this, or behind the camera, are projected as if they lay here."""

INDEX = {name: index for index, name in enumerate(POINT_NAMES)}


def body_points(frame: Frame, body: BodyModel) -> np.ndarray:
    """(people, points, 3) in the order of `POINT_NAMES`, camera frame, metres."""
    rotations = axis_angle_to_matrix(frame.pose_axis_angle)
    rest = body.rest_joints(frame.betas, frame.expression)
    transforms = joint_transforms(rotations, rest)
    skull = body.rest_vertices(frame.betas, frame.expression)[:, list(_EARS)].mean(axis=1) - rest[:, HEAD]
    turned = (transforms[:, HEAD, :3, :3] @ skull[..., None])[..., 0] + transforms[:, HEAD, :3, 3]
    points = np.concatenate([transforms[..., :3, 3][:, _JOINTS], turned[:, None]], axis=1)
    return points + np.asarray(frame.translation, dtype=np.float64)[:, None]


def project(points: np.ndarray, frame: Frame) -> np.ndarray:
    """(..., 3) in the camera frame to (..., 2) footage pixels, by the frame's own camera."""
    return frame.focal_px * points[..., :2] / np.maximum(points[..., 2:], _NEAREST_M) + frame.principal_point_px
