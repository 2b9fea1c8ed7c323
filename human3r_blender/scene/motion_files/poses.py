# SPDX-License-Identifier: GPL-3.0-or-later
"""The poses of a table, whole or in parts, as SMPL-X's 55 joints: which bodies they are of, and what is left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....engine.contract.rotations import matrix_to_axis_angle
from ....engine.contract.sentences import Sentence
from ....engine.contract.skeleton import (
    BODY,
    BODY_JOINT_COUNT,
    HAND_JOINT_COUNT,
    HUMAN3R_ROTATION_COUNT,
    HUMAN3R_TO_JOINT,
    JAW,
    JOINT_COUNT,
    LEFT_EYE,
    LEFT_HAND,
    RIGHT_EYE,
    RIGHT_HAND,
)
from .tables import Table

WHOLE = ("poses", "pose", "full_pose", "fullpose", "pose_world", "pred_rotmat", "rotmat", "thetas", "pred_pose")
HUMAN3R_WHOLE = ("rotvec", "smpl_rotvec")
ROOT = ("root_orient", "global_orient", "root_pose")
BODY_PARTS = ("pose_body", "body_pose")

SMPL_JOINTS = BODY_JOINT_COUNT + 2
SMPLH_JOINTS = BODY_JOINT_COUNT + 2 * HAND_JOINT_COUNT

_SKEWED = 0.05
"""How far a matrix may be from a rotation, which networks are not held to exactly."""

_EVERY_HAND = slice(LEFT_HAND.start, RIGHT_HAND.stop)
_ORDERS: dict[int, tuple[str, list[int]]] = {
    JOINT_COUNT: ("smplx", list(range(JOINT_COUNT))),
    SMPLH_JOINTS: ("smplh", [*range(BODY_JOINT_COUNT), *range(JOINT_COUNT)[_EVERY_HAND]]),
    SMPL_JOINTS: ("smpl", list(range(BODY_JOINT_COUNT))),
    BODY_JOINT_COUNT: ("", list(range(BODY_JOINT_COUNT))),
    BODY_JOINT_COUNT - 1: ("", list(range(1, BODY_JOINT_COUNT))),
}
"""Family and joints of poses with so many joints. SMPL's last two are its hands, which have no fingers."""

_PARTS = (
    (("pose_hand", "hand_pose"), _EVERY_HAND),
    (("left_hand_pose", "pose_lhand", "lhand_pose"), LEFT_HAND),
    (("right_hand_pose", "pose_rhand", "rhand_pose"), RIGHT_HAND),
    (("pose_jaw", "jaw_pose"), slice(JAW, JAW + 1)),
    (("pose_eye",), slice(LEFT_EYE, RIGHT_EYE + 1)),
    (("leye_pose", "left_eye_pose"), slice(LEFT_EYE, LEFT_EYE + 1)),
    (("reye_pose", "right_eye_pose"), slice(RIGHT_EYE, RIGHT_EYE + 1)),
)

MAKERS = ("surface_model_type", "model", "model_type", "body_model")
"""What says which body the poses are of."""

NAMES = (*MAKERS, *WHOLE, *HUMAN3R_WHOLE, *ROOT, *BODY_PARTS, *(name for names, _ in _PARTS for name in names))

_SMPL_NOTE = (
    "The motion was made for SMPL: body poses are used, but not the shape, because SMPL's shape numbers mean something "
    "else, and not the two joints of its hands. The person may stand slightly too low or too high."
)
_SMPLH_NOTE = (
    "The motion was made for SMPL-H: body and finger poses are used, but not the shape, because SMPL-H's shape numbers "
    "mean something else. The person may stand slightly too low or too high."
)


class NoPoses(Exception):
    """The table has no poses, or none that can be used. Its text completes "it has ..."."""


@dataclass(frozen=True)
class FoundPoses:
    """Poses as SMPL-X's joints."""

    joints: np.ndarray
    """(T, 55, 3) axis-angle; not finite where the file's numbers are not."""
    family: str
    """``smplx``, ``smplh`` or ``smpl``."""
    notes: tuple[str, ...]


def has_poses(table: Table) -> bool:
    """Whether there is anything that looks like poses."""
    return table.name((*WHOLE, *HUMAN3R_WHOLE, *BODY_PARTS)) is not None


def find_poses(table: Table) -> FoundPoses:
    """The poses of a table. Raises NoPoses."""
    name = table.name((*WHOLE, *HUMAN3R_WHOLE))
    joints, family, notes = _whole(table, name) if name is not None else _in_parts(table)
    family = family or _declared_family(table)
    said = {"smpl": _SMPL_NOTE, "smplh": _SMPLH_NOTE}.get(family)
    return FoundPoses(joints, family, (*((Sentence(said),) if said else ()), *notes))


def _declared_family(table: Table) -> str:
    said = (
        table.text("surface_model_type", "model", "model_type", "body_model").lower().replace("-", "").replace("_", "")
    )
    return said if said in ("smpl", "smplh") else "smplx"


def _whole(table: Table, name: str) -> tuple[np.ndarray, str, tuple[str, ...]]:
    given = table.numbers(name)
    if given is None:
        raise NoPoses("poses that are no numbers")
    turns = axis_angles(given)
    if turns is None or not len(turns):
        raise NoPoses(f"poses of shape {given.shape}" if given.size else "no frames")
    count = turns.shape[1]
    if count == HUMAN3R_ROTATION_COUNT and name in HUMAN3R_WHOLE:
        family, order = "smplx", list(HUMAN3R_TO_JOINT)
    elif count in _ORDERS:
        family, order = _ORDERS[count]
    else:
        raise NoPoses(f"poses of {given.size // len(given)} numbers per frame")
    joints = np.zeros((len(turns), JOINT_COUNT, 3))
    joints[:, order] = turns[:, : len(order)]
    return joints, family, ()


def _in_parts(table: Table) -> tuple[np.ndarray, str, tuple[str, ...]]:
    body = table.numbers(*BODY_PARTS)
    turns = None if body is None else axis_angles(body)
    if turns is None or not len(turns):
        raise NoPoses("no poses" if body is None else f"a body pose of shape {body.shape}")
    if turns.shape[1] not in (BODY_JOINT_COUNT - 1, SMPL_JOINTS - 1):
        raise NoPoses(f"a body pose of {3 * turns.shape[1]} numbers per frame")
    family = "smpl" if turns.shape[1] == SMPL_JOINTS - 1 else ""
    joints = np.zeros((len(turns), JOINT_COUNT, 3))
    joints[:, BODY] = turns[:, : BODY_JOINT_COUNT - 1]
    root = table.numbers(*ROOT)
    if root is not None:
        placed = fitting(axis_angles(root), len(turns), 1)
        if placed is None:
            raise NoPoses(f"a root orientation of shape {root.shape} for {len(turns)} frames")
        joints[:, :1] = placed
    return joints, family, _other_parts(table, joints)


def _other_parts(table: Table, joints: np.ndarray) -> tuple[str, ...]:
    """Put hands, jaw and eyes into the (T, 55, 3) joints; returns what is to be said."""
    left_out = []
    for names, place in _PARTS:
        given = table.numbers(*names)
        if given is None:
            continue
        placed = fitting(axis_angles(given), len(joints), place.stop - place.start)
        if placed is None or not np.isfinite(placed).all():
            left_out.append(table.name(names))
        else:
            joints[:, place] = placed
    if not left_out:
        return ()
    said = "These parts of the poses have an unknown form and were left out: {names}."
    return (Sentence(said, names=", ".join(map(str, left_out))),)


def fitting(turns: np.ndarray | None, frames: int, joints: int) -> np.ndarray | None:
    """(frames, joints, 3) of turns with as many joints, one for all frames or one for each; None of others."""
    if turns is None or turns.shape[1] != joints or len(turns) not in (1, frames):
        return None
    return np.broadcast_to(turns, (frames, joints, 3))


def axis_angles(given: np.ndarray) -> np.ndarray | None:
    """(T, J, 3) axis-angle vectors of rotations in any form: (T, 3 J), (T, J, 3), (T, J, 3, 3), with axes of length 1
    anywhere; (3 J,) is one frame. None for other numbers."""
    if given.ndim == 1:
        given = given[None]
    if not given.size:
        return None
    frames, width = len(given), given.size // len(given)
    is_matrix = given.ndim >= 3 and given.shape[-2:] == (3, 3)
    if is_matrix or (width % 9 == 0 and width // 9 in _ORDERS):  # no family has three times another's joints
        return _from_matrices(given.reshape(frames, -1, 3, 3))
    return given.reshape(frames, -1, 3) if width % 3 == 0 else None


def _from_matrices(matrices: np.ndarray) -> np.ndarray:
    """(T, J, 3) of (T, J, 3, 3); not finite where a matrix is no rotation."""
    with np.errstate(all="ignore"):
        turns = matrix_to_axis_angle(matrices)
        product = matrices @ np.swapaxes(matrices, -1, -2)
        is_rotation = (np.abs(product - np.eye(3)) < _SKEWED).all(axis=(-1, -2)) & (np.linalg.det(matrices) > 0)
    return np.where(is_rotation[..., None], turns, np.nan)
