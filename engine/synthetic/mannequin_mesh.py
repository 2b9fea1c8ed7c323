# SPDX-License-Identifier: GPL-3.0-or-later
"""From lattice to skin: every lattice point is placed near its part, then the mesh is relaxed on the surface."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .mannequin_anatomy import HEAD_JOINT
from .mannequin_field import FINGERS, Anatomy
from .mannequin_lattice import (
    ANKLE_ROWS,
    ARM_START,
    FINGER_CELLS,
    FINGER_ROWS,
    FOOT_LENGTH,
    HEAD_HALF,
    HEAD_LOW,
    HEAD_ROWS,
    LEG_ROWS,
    PALM_END,
    PARTS,
    THUMB_ROWS,
    TORSO_ROWS,
    WRIST_END,
    Lattice,
)
from .mannequin_surface import Field, project

_THUMB_ROOT = WRIST_END + 2.5


def fitted_vertices(lattice: Lattice, anatomy: Anatomy) -> np.ndarray:
    """(N, 3) vertices on the skin, exactly symmetric: placed, smoothed, drawn to the surface, evened out on it."""
    positions = place(lattice, anatomy)
    average = neighbour_average(lattice.quads, len(lattice.points))
    finger_of = _finger_of_vertices(lattice)
    middle = lattice.points[:, 0] == 0
    for _ in range(4):
        positions = 0.5 * (positions + average @ positions)
    for relaxation in (0.5,) * 25 + (0.0,):
        positions = positions + relaxation * (average @ positions - positions)
        positions[middle, 0] = 0.0
        positions = _project_parts(positions, anatomy, finger_of, 1 if relaxation else 5)
    positions[middle, 0] = 0.0
    right = lattice.points[:, 0] < 0
    positions[right] = positions[lattice.mirror[right]] * np.array([-1.0, 1.0, 1.0])
    return positions


def _project_parts(positions: np.ndarray, anatomy: Anatomy, finger_of: np.ndarray, iterations: int) -> np.ndarray:
    fields: list[Field] = [anatomy.body, *(anatomy.fingers[finger] for finger in FINGERS)]
    result = positions.copy()
    for number, field in enumerate(fields, start=-1):
        members = finger_of == number
        result[members] = project(field, positions[members], iterations)
    return result


def neighbour_average(polygons: np.ndarray, n: int) -> sparse.csr_matrix:
    """(n, n) rows that average the neighbours along the edges of (P, corners) polygons."""
    edges = np.stack([polygons, np.roll(polygons, -1, axis=1)], axis=-1).reshape(-1, 2)
    edges = np.unique(np.sort(edges, axis=1), axis=0)
    both = np.concatenate([edges, edges[:, ::-1]])
    matrix = sparse.csr_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(n, n))
    return sparse.diags(1.0 / np.asarray(matrix.sum(axis=1)).ravel()) @ matrix


def _finger_of_vertices(lattice: Lattice) -> np.ndarray:
    """(N,) number in FINGERS of vertices that touch only that finger, -1 for all others."""
    result = np.full(len(lattice.points), -1)
    for number, finger in enumerate(FINGERS):
        result[lattice.quads[lattice.quad_part == PARTS.index(finger)].ravel()] = number
    others = ~np.isin(lattice.quad_part, [PARTS.index(finger) for finger in FINGERS])
    result[lattice.quads[others].ravel()] = -1
    return result


def place(lattice: Lattice, anatomy: Anatomy) -> np.ndarray:
    """(N, 3) first positions: the mean over the parts that meet at each lattice point."""
    points = lattice.points.astype(np.float64)
    side = np.sign(points[:, :1])
    points[:, 0] = np.abs(points[:, 0])
    total, count = np.zeros_like(points), np.zeros((len(points), 1))
    for number, part in enumerate(PARTS):
        corners = lattice.quads[lattice.quad_part == number].ravel()
        members, quads = np.unique(corners, return_counts=True)
        total[members] += quads[:, None] * _place_part(part, points[members], anatomy)
        count[members] += quads[:, None]
    positions = total / count
    positions[:, 0] *= np.where(side[:, 0] == 0, 0.0, side[:, 0])
    return positions


def _place_part(part: str, points: np.ndarray, anatomy: Anatomy) -> np.ndarray:
    """Lattice points (N, 3) of the left or middle, onto the part's first guess of a surface."""
    i, j, k = points.T
    joints = anatomy.joints
    if part == "head":
        return _place_head(points, anatomy.head_scale)
    if part == "torso":
        t = np.interp(j, [0, 22, TORSO_ROWS], [-0.475, 0.040, 0.165])
        return _on_loft(anatomy, part, t, (k - 3.5) / 3.5, i / 7)
    if part == "neck":
        t = np.interp(j, [TORSO_ROWS, HEAD_LOW], [0.160, 0.215])
        return _on_loft(anatomy, part, t, (k - 3.5) / 2.5, i / 3)
    if part == "leg":
        knee, ankle = -joints["left_knee"][1], -joints["left_ankle"][1]
        t = np.interp(-j, [0, 18, LEG_ROWS], [0.47, knee, ankle + 0.005])
        return _on_loft(anatomy, part, t, (i - 4) / 3, (k - 3.5) / 3.5)
    if part == "foot":
        t = np.interp(k, [0, 7, FOOT_LENGTH], [-0.085, 0.020, 0.172])
        return _on_loft(anatomy, part, t, (i - 4) / 3, (j + LEG_ROWS + ANKLE_ROWS / 2) / (ANKLE_ROWS / 2))
    wrist = joints["left_wrist"][0]
    if part == "arm":
        shoulder, elbow = joints["left_shoulder"][0], joints["left_elbow"][0]
        t = np.interp(i, [ARM_START, 20.5, WRIST_END], [shoulder - 0.02, elbow, wrist + 0.002])
        narrow = np.where(i >= WRIST_END - 2, 2.5, 3.0)
        return _on_loft(anatomy, part, t, (j - 25) / narrow, (k - 3.5) / 2.5)
    if part == "palm":
        knuckle = joints["left_middle1"][0]
        t = np.interp(i, [WRIST_END, PALM_END], [wrist + 0.006, knuckle + 0.014])
        half = np.where(i <= WRIST_END, 4.5, 5.5)
        return _on_loft(anatomy, part, t, j - 25, np.clip((k - 3.5) / half, -1, 1))
    loft = anatomy.lofts[part]
    if part == "thumb":
        t = np.interp(k, [9, 9 + THUMB_ROWS], [0.022, loft.end])
        return loft.point(t, j - 25, (_THUMB_ROOT - i) / 1.5)
    rows = FINGER_ROWS[part]
    t = np.interp(i, [PALM_END, PALM_END + rows], [0.017, loft.end])
    return loft.point(t, *_disc(j - 25, k - FINGER_CELLS[part] - 1))


def _on_loft(anatomy: Anatomy, part: str, t: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return anatomy.lofts[part].point(t, *_disc(x, y))


def _disc(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The square [-1, 1]^2 to the unit disc, rim to rim."""
    return x * np.sqrt(1 - 0.5 * np.minimum(y * y, 1)), y * np.sqrt(1 - 0.5 * np.minimum(x * x, 1))


def _place_head(points: np.ndarray, scale: float) -> np.ndarray:
    """The block of the head blown up to an egg about the skull's centre."""
    x = points[:, 0] / HEAD_HALF
    y = (points[:, 1] - HEAD_LOW) / HEAD_ROWS * 2 - 1
    z = (points[:, 2] + 4) / 15 * 2 - 1
    ball = np.stack(
        [
            x * np.sqrt(np.maximum(1 - y * y / 2 - z * z / 2 + y * y * z * z / 3, 0)),
            y * np.sqrt(np.maximum(1 - z * z / 2 - x * x / 2 + z * z * x * x / 3, 0)),
            z * np.sqrt(np.maximum(1 - x * x / 2 - y * y / 2 + x * x * y * y / 3, 0)),
        ],
        axis=-1,
    )
    center = np.array([0.0, 0.318, -0.004])
    return HEAD_JOINT + scale * (center + ball * np.array([0.074, 0.110, 0.094]) - HEAD_JOINT)
