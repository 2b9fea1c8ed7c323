# SPDX-License-Identifier: GPL-3.0-or-later
"""From lattice to skin: every lattice point is placed near its part, then the mesh is relaxed on the surface."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .field import FINGERS, TOES, Anatomy
from .head import pinned, place_head, sliding
from .lattice import (
    ARM_START,
    FINGER_CELLS,
    FINGER_ROWS,
    FOOT_LENGTH,
    FOOT_LOW,
    HEAD_DEPTH,
    HEAD_HALF,
    HEAD_LOW,
    HEAD_ROWS,
    LEG_ROWS,
    PALM_END,
    PARTS,
    THUMB_ROWS,
    TOE_CELLS,
    TOE_ROWS,
    TOES_START,
    TORSO_ROWS,
    WRIST_END,
    Lattice,
)
from .surface import Loft, project

_DIGITS = (*FINGERS, *TOES)
_THUMB_ROOT = WRIST_END + 2.5
_WEB = 0.017
"""From a finger's first joint to where it leaves the palm, metres."""


def fitted_vertices(lattice: Lattice, anatomy: Anatomy) -> np.ndarray:
    """(N, 3) vertices on the skin, exactly symmetric: placed, smoothed, drawn to the surface, evened out on it."""
    scale = anatomy.proportions.head_scale
    left = np.nonzero(lattice.points[:, 0] >= 0)[0]
    points = lattice.points[left]
    right, middle = lattice.points[:, 0] < 0, points[:, 0] == 0
    fixed, places = pinned(points, scale)
    directions, digit_of = sliding(points), _digit_of_vertices(lattice)[left]
    freedom = _freedom(points) * np.where(digit_of < 0, 1.0, 0.2)[:, None]
    average = neighbour_average(lattice.quads, len(lattice.points))[left]
    positions = place(lattice, anatomy)
    for relaxation in (*(1.0,) * 4, *(0.5,) * 20, 0.0):
        moved = positions[left]
        moved += relaxation * freedom * (average @ positions - moved)
        if relaxation < 1:
            moved = _project_parts(moved, directions, anatomy, digit_of, 1 if relaxation else 4)
        moved[fixed] = places[fixed]
        moved[middle, 0] = 0.0
        positions[left] = moved
        positions[right] = positions[lattice.mirror[right]] * np.array([-1.0, 1.0, 1.0])
    return positions


def _freedom(points: np.ndarray) -> np.ndarray:
    """(N, 1) how far the relaxation may carry a vertex: the face keeps the rows and columns it was given."""
    i, j, k = points[:, 0], points[:, 1] - HEAD_LOW, points[:, 2]
    face = (k >= HEAD_DEPTH) & (j > 0) & (j < HEAD_ROWS)
    inner = face & (i < HEAD_HALF - 1) & (j > 1) & (j < HEAD_ROWS - 1)
    return np.where(inner, 0.05, np.where(face, 0.4, 1.0))[:, None]


def _project_parts(
    positions: np.ndarray, directions: np.ndarray, anatomy: Anatomy, digit_of: np.ndarray, iterations: int
) -> np.ndarray:
    result = positions.copy()
    for number, solid in enumerate([anatomy.body, *(anatomy.digits[digit] for digit in _DIGITS)], start=-1):
        members = digit_of == number
        result[members] = project(solid, positions[members], directions[members], iterations)
    return result


def neighbour_average(polygons: np.ndarray, n: int) -> sparse.csr_matrix:
    """(n, n) rows that average the neighbours along the edges of (P, corners) polygons."""
    edges = np.stack([polygons, np.roll(polygons, -1, axis=1)], axis=-1).reshape(-1, 2)
    edges = np.unique(np.sort(edges, axis=1), axis=0)
    both = np.concatenate([edges, edges[:, ::-1]])
    matrix = sparse.csr_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(n, n))
    return sparse.diags(1.0 / np.asarray(matrix.sum(axis=1)).ravel()) @ matrix


def _digit_of_vertices(lattice: Lattice) -> np.ndarray:
    """(N,) number in _DIGITS of vertices that touch only that digit, -1 for all others."""
    result = np.full(len(lattice.points), -1)
    for number, digit in enumerate(_DIGITS):
        result[lattice.quads[lattice.quad_part == PARTS.index(digit)].ravel()] = number
    others = ~np.isin(lattice.quad_part, [PARTS.index(digit) for digit in _DIGITS])
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
        return place_head(points, anatomy.proportions.head_scale)
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
        t = np.interp(k, [0, 7, FOOT_LENGTH], [-0.085, 0.020, 0.095])
        t = t + np.maximum(k - FOOT_LENGTH, 0) / (TOES_START - FOOT_LENGTH) * (_toe_web(i) - 0.095)
        rear = (k < FOOT_LENGTH) | (j > FOOT_LOW + 2)
        # The forefoot is wider by four columns: where it begins they lie together on the outer edge.
        spread = np.clip((k - FOOT_LENGTH) / (TOES_START - FOOT_LENGTH), 0, 1)
        start = np.interp(i, [1, 7, 11], [-1, 0.9, 1])
        t = t + np.where(rear, 0, (1 - spread) * 0.003 * np.maximum(i - 7, 0))
        x = np.where(rear, (i - 4) / 3, start + spread * ((i - 6) / 5 - start))
        y = np.where(rear, (j - FOOT_LOW) / 2 - 1, j - FOOT_LOW - 1)
        return _on_loft(anatomy, part, t, np.clip(x, -1, 1), np.clip(y, -1, 1))
    wrist = joints["left_wrist"][0]
    if part == "arm":
        shoulder, elbow = joints["left_shoulder"][0], joints["left_elbow"][0]
        t = np.interp(i, [ARM_START, 20.5, WRIST_END], [shoulder - 0.02, elbow, wrist + 0.002])
        narrow = np.where(i >= WRIST_END - 2, 2.5, 3.0)
        return _on_loft(anatomy, part, t, (j - 25) / narrow, (k - 3.5) / 2.5)
    if part == "palm":
        order = sorted(FINGER_CELLS, key=FINGER_CELLS.__getitem__)
        webs = [joints[f"left_{finger}1"][0] + _WEB for finger in order]
        web = np.interp(k, [FINGER_CELLS[finger] + 1 for finger in order], webs)
        t = wrist + 0.006 + (i - WRIST_END) / (PALM_END - WRIST_END) * (web - wrist - 0.006)
        half = np.where(i <= WRIST_END, 4.5, 5.5)
        return _on_loft(anatomy, part, t, j - 25, np.clip((k - 3.5) / half, -1, 1))
    loft = anatomy.lofts[part]
    if part in TOES:
        (inner, outer), end = TOE_CELLS[part], TOES_START + TOE_ROWS[part]
        x, y = (i - 0.5 * (inner + outer)) / (0.5 * (outer - inner)), j - FOOT_LOW - 1
        web = _toe_web(i)
        t = web + (k - TOES_START) / (end - TOES_START) * (loft.end - web)
        return loft.point(t + _tip(x, y, k == end, loft), *_disc(x, y))
    if part == "thumb":
        t = np.interp(k, [9, 9 + THUMB_ROWS], [0.022, loft.end])
        x, y = j - 25, (_THUMB_ROOT - i) / 1.5
        return loft.point(t + _tip(x, y, k == 9 + THUMB_ROWS, loft), *_disc(x, y))
    rows = FINGER_ROWS[part]
    x, y = j - 25, k - FINGER_CELLS[part] - 1
    t = np.interp(i, [PALM_END, PALM_END + rows], [_WEB, loft.end])
    return loft.point(t + _tip(x, y, i == PALM_END + rows, loft), *_disc(x, y))


def _toe_web(i: np.ndarray) -> np.ndarray:
    """Where the toes part, z in metres, from the big toe (i = 1) outwards."""
    return 0.134 - 0.0014 * i


def _on_loft(anatomy: Anatomy, part: str, t: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return anatomy.lofts[part].point(t, *_disc(x, y))


def _tip(x: np.ndarray, y: np.ndarray, is_end: np.ndarray, loft: Loft) -> np.ndarray:
    """How far the middle of the end of a finger stands out."""
    return np.where(is_end, loft.cap * (1 - np.maximum(np.abs(x), np.abs(y))), 0.0)


def _disc(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The square [-1, 1]^2 to the unit disc, rim to rim."""
    return x * np.sqrt(1 - 0.5 * np.minimum(y * y, 1)), y * np.sqrt(1 - 0.5 * np.minimum(x * x, 1))
