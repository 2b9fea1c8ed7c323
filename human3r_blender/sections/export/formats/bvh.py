# SPDX-License-Identifier: GPL-3.0-or-later
"""BVH: y up, facing +z at rest, centimetres and degrees, joints called as in SMPL-X, the motion on `pelvis`.

Written here, because Blender's exporter gives either every joint a position or none but the topmost bone, which is not
the one that moves, and rounds the frame time to a microsecond: at 29.97 that is a tenth of a frame over 10,000.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .....engine.contract.rotations import quaternion_to_matrix
from .....engine.contract.skeleton import JOINT_NAMES, PARENTS, PELVIS
from .....engine.motion.body_motion import BodyMotion
from ....blender.coordinates import BODY_TO_ROOT
from ..file_format import Format, Request
from ..motion import PersonMotion

_CENTIMETRES = 100.0
_TIP = 5.0
"""Centimetres from the last joint of a chain to its end."""
_ROTATION = "Zrotation Xrotation Yrotation"


def write(path: Path, people: Sequence[PersonMotion], request: Request) -> None:
    """Write a person."""
    (person,) = people
    names = [request.style.bones.get(name, name) for name in JOINT_NAMES]
    with open(path, "w", encoding="ascii", newline="\n") as file:
        file.write("HIERARCHY\n")
        file.writelines(f"{line}\n" for line in _joint(PELVIS, _CENTIMETRES * person.motion.rest_joints, names, 0))
        file.write(f"MOTION\nFrames: {len(person.motion)}\nFrame Time: {float(1 / request.when.rate):.12f}\n")
        np.savetxt(file, channels(person.motion), fmt="%.6f")


def channels(motion: BodyMotion) -> np.ndarray:
    """(T, 3 + 55 x 3) numbers of each frame: the pelvis's place, and the angles in the order of the hierarchy."""
    to_y_up = BODY_TO_ROOT.T
    matrices = quaternion_to_matrix(motion.rotations)
    matrices[:, PELVIS] = to_y_up @ matrices[:, PELVIS]
    angles = euler_zxy(matrices[:, _order(PELVIS)])
    place = _CENTIMETRES * motion.pelvis @ to_y_up.T
    return np.concatenate([place, np.rad2deg(angles).reshape(len(motion), -1)], axis=1)


def euler_zxy(matrices: np.ndarray) -> np.ndarray:
    """(T, ..., 3) angles z, x, y in radians of (T, ..., 3, 3) rotations R = Rz Rx Ry, continuous over T.

    Of the two triples that make a rotation, each frame takes the one nearer to the frame before.
    """
    m = matrices
    x = np.arctan2(m[..., 2, 1], np.hypot(m[..., 2, 0], m[..., 2, 2]))
    locked = np.abs(m[..., 2, 1]) > 1 - 1e-12  # then only the sum of z and y is known
    z = np.where(locked, np.arctan2(m[..., 1, 0], m[..., 0, 0]), np.arctan2(-m[..., 0, 1], m[..., 1, 1]))
    y = np.where(locked, 0.0, np.arctan2(-m[..., 2, 0], m[..., 2, 2]))
    first = np.stack([z, x, y], axis=-1)
    second = np.stack([z + np.pi, np.pi - x, y + np.pi], axis=-1)
    angles = first.copy()
    for row in range(1, len(angles)):
        choices = [_near(triple[row], angles[row - 1]) for triple in (first, second)]
        way = [np.abs(choice - angles[row - 1]).sum(axis=-1, keepdims=True) for choice in choices]
        angles[row] = np.where(way[0] <= way[1], *choices)
    return angles


def _near(angles: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The same angles, whole turns nearer to others."""
    return angles - 2 * np.pi * np.round((angles - before) / (2 * np.pi))


def _children(joint: int) -> list[int]:
    return [child for child, parent in enumerate(PARENTS) if parent == joint]


def _order(joint: int) -> list[int]:
    """The joints from one on down, in the order of the hierarchy."""
    return [joint, *(below for child in _children(joint) for below in _order(child))]


def _joint(joint: int, rest: np.ndarray, names: Sequence[str], depth: int) -> list[str]:
    """The lines of a joint and all below it; (55, 3) rest joints in centimetres, called by the 55 `names`."""
    indent = "\t" * depth
    # The pelvis's channels say where it is, so that its offset is nothing to add to.
    offset = rest[joint] - rest[PARENTS[joint]] if depth else np.zeros(3)
    lines = [
        f"{'JOINT' if depth else 'ROOT'} {names[joint]}",
        "{",
        f"\t{_offset(offset)}",
        f"\tCHANNELS 3 {_ROTATION}" if depth else f"\tCHANNELS 6 Xposition Yposition Zposition {_ROTATION}",
    ]
    lines = [indent + line for line in lines]
    for child in _children(joint):
        lines += _joint(child, rest, names, depth + 1)
    if not _children(joint):
        along = rest[joint] - rest[PARENTS[joint]]
        tip = _offset(_TIP * along / max(float(np.linalg.norm(along)), 1e-6))
        lines += [indent + line for line in ("\tEnd Site", "\t{", f"\t\t{tip}", "\t}")]
    return [*lines, f"{indent}}}"]


def _offset(values: np.ndarray) -> str:
    return "OFFSET " + " ".join(f"{value:.6f}" for value in values)


FORMAT = Format(
    "bvh",
    2,
    "BVH",
    "Skeleton and motion only, in centimeters, one file per person",
    write,
    one_person=True,
    people_only=True,
    is_numbers=True,
)
