# SPDX-License-Identifier: GPL-3.0-or-later
"""The skeleton that the engine, the take and Blender share: the 55 joints of SMPL-X, in SMPL-X order.

Sides are the person's own: in the rest pose (a T seen from the front, y up, facing +z) the left arm points to +x.
"""

from __future__ import annotations

import numpy as np

JOINT_COUNT = 55
"""Joints of the SMPL-X skeleton."""

BODY_JOINT_COUNT = 22
"""Pelvis and the 21 body joints; they are the first joints, as in SMPL."""

HAND_JOINT_COUNT = 15
"""Joints of one hand: five fingers of three joints, the wrist not counted."""

HUMAN3R_ROTATION_COUNT = 53
"""Rotations that Human3R predicts for a person: everything except the two eyes."""

PELVIS, LEFT_HIP, RIGHT_HIP, SPINE1, LEFT_KNEE, RIGHT_KNEE, SPINE2, LEFT_ANKLE, RIGHT_ANKLE, SPINE3 = range(10)
LEFT_FOOT, RIGHT_FOOT, NECK, LEFT_COLLAR, RIGHT_COLLAR, HEAD, LEFT_SHOULDER, RIGHT_SHOULDER = range(10, 18)
LEFT_ELBOW, RIGHT_ELBOW, LEFT_WRIST, RIGHT_WRIST, JAW, LEFT_EYE, RIGHT_EYE = range(18, 25)

BODY = slice(1, 22)
LEFT_HAND = slice(25, 40)
RIGHT_HAND = slice(40, 55)

_FINGERS = ("index", "middle", "pinky", "ring", "thumb")


def _hand_names(side: str) -> tuple[str, ...]:
    return tuple(f"{side}_{finger}{segment}" for finger in _FINGERS for segment in (1, 2, 3))


JOINT_NAMES: tuple[str, ...] = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "jaw", "left_eye", "right_eye",
    *_hand_names("left"), *_hand_names("right"),
)  # fmt: skip
"""Names in SMPL-X order (the eyes without the `_smplhf` suffix that some tools add)."""


def _hand_parents(wrist: int, first: int) -> tuple[int, ...]:
    return tuple(
        wrist if segment == 0 else first + 3 * finger + segment - 1 for finger in range(5) for segment in range(3)
    )


PARENTS: tuple[int, ...] = (
    -1, PELVIS, PELVIS, PELVIS, LEFT_HIP, RIGHT_HIP, SPINE1, LEFT_KNEE, RIGHT_KNEE, SPINE2, LEFT_ANKLE, RIGHT_ANKLE,
    SPINE3, SPINE3, SPINE3, NECK, LEFT_COLLAR, RIGHT_COLLAR, LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_ELBOW, RIGHT_ELBOW,
    HEAD, HEAD, HEAD, *_hand_parents(LEFT_WRIST, 25), *_hand_parents(RIGHT_WRIST, 40),
)  # fmt: skip
"""Index of each joint's parent; -1 for the pelvis. A parent always comes before its children."""

JOINT_INDEX: dict[str, int] = {name: index for index, name in enumerate(JOINT_NAMES)}


def _mirrored() -> tuple[int, ...]:
    swap = {"left_": "right_", "right_": "left_"}
    names = (next((swap[side] + n[len(side) :] for side in swap if n.startswith(side)), n) for n in JOINT_NAMES)
    return tuple(JOINT_INDEX[name] for name in names)


MIRRORED: tuple[int, ...] = _mirrored()
"""Index of the joint on the other side of the body; a joint of the middle is its own mirror."""

HUMAN3R_TO_JOINT: tuple[int, ...] = (*range(22), *range(25, 55), JAW)
"""Joint of each of Human3R's 53 rotations: root, 21 body joints, 15 left hand, 15 right hand, jaw."""


def generations(joint_count: int) -> list[tuple[list[int], list[int]]]:
    """The first so many joints but the root, with their parents, by their distance from the root: those of one distance
    can be computed together."""
    depth = [0] * joint_count
    for joint in range(1, joint_count):
        depth[joint] = depth[PARENTS[joint]] + 1
    members = [[joint for joint in range(joint_count) if depth[joint] == far] for far in range(1, max(depth) + 1)]
    return [(joints, [PARENTS[joint] for joint in joints]) for joints in members]


def rotations_from_human3r(rotations: np.ndarray) -> np.ndarray:
    """Put Human3R's 53 rotations into the order of the 55 joints; the eyes, not predicted, do not rotate.

    `rotations` is (..., 53, 3, 3), matrices relative to the parent joint, root first; returns (..., 55, 3, 3) of the
    same dtype. Raises ValueError for any other shape.
    """
    rotations = np.asarray(rotations)
    if rotations.shape[-3:] != (HUMAN3R_ROTATION_COUNT, 3, 3):
        raise ValueError(f"expected (..., {HUMAN3R_ROTATION_COUNT}, 3, 3), got {rotations.shape}")
    result = np.empty((*rotations.shape[:-3], JOINT_COUNT, 3, 3), dtype=rotations.dtype)
    result[..., LEFT_EYE : RIGHT_EYE + 1, :, :] = np.eye(3, dtype=rotations.dtype)
    result[..., list(HUMAN3R_TO_JOINT), :, :] = rotations
    return result
