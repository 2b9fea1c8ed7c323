# SPDX-License-Identifier: GPL-3.0-or-later
"""The mannequin's head: its solids, and where the lattice's columns and rows run over the face.

The face is laid out by hand: rows of quads follow brow, lids, nose and lips; the lids close round the eyeballs and the
lips open into a mouth, so that eyes can look about and the jaw can drop. Written for the template's head; `scale`
grows it about the head joint.
"""

from __future__ import annotations

import numpy as np

from .lattice import EAR_CELLS, EYE_CELLS, HEAD_DEPTH, HEAD_HALF, HEAD_LOW, HEAD_ROWS, MOUTH_CELLS, NOSE_CELLS
from .surface import Ellipsoid, HalfSpace, Loft, Melted, Piece

HEAD_JOINT = np.array([0.0, 0.262, -0.016])
EYE = np.array([0.0315, 0.3235, 0.0665])
"""Centre of the left eyeball."""
EYE_RADIUS = 0.0130
_LID_RADIUS = 0.0142
MOUTH_HEIGHT = 0.2565
"""Where the lips meet."""

_FACE = np.array(
    [
        # y, front, half width
        (0.212, 0.074, 0.020), (0.222, 0.085, 0.032), (0.232, 0.0875, 0.039), (0.243, 0.085, 0.045),
        (0.256, 0.0875, 0.050), (0.270, 0.0875, 0.0545), (0.285, 0.085, 0.0585), (0.300, 0.0825, 0.0625),
        (0.320, 0.0800, 0.0645), (0.340, 0.0830, 0.0640), (0.360, 0.0790, 0.0600), (0.378, 0.0690, 0.0500),
        (0.400, 0.0500, 0.0350),
    ]
)  # fmt: skip

_NOSE = np.array(
    [
        # y, ridge, half width
        (0.336, 0.0840, 0.0060), (0.326, 0.0870, 0.0068), (0.315, 0.0955, 0.0080), (0.303, 0.1055, 0.0095),
        (0.294, 0.1120, 0.0115), (0.287, 0.1110, 0.0115), (0.2815, 0.1050, 0.0085),
    ]
)  # fmt: skip

# Where the columns (from the middle outwards) and the rows of the front of the head's block run, metres.
_COLUMN_X = np.array([0, 0.0062, 0.0118, 0.0176, 0.0232, 0.0288, 0.0344, 0.0402, 0.0462, 0.0525, 0.0585, 0.0635])
_ROW_Y = np.array(
    [0.219, 0.226, 0.233, 0.2385, 0.2430, 0.2475, 0.2520, MOUTH_HEIGHT, MOUTH_HEIGHT, 0.2608, 0.2650, 0.2695, 0.2750,
     0.2810, 0.2870, 0.2935, 0.3000, 0.3065, 0.3125, 0.3185, 0.3235, 0.3290, 0.3345, 0.3405, 0.3475, 0.3555, 0.3640,
     0.3730, 0.3820]
)  # fmt: skip


def scaled(points: np.ndarray, scale: float) -> np.ndarray:
    """Places on the template's head to places on a head `scale` times its size."""
    return HEAD_JOINT + scale * (points - HEAD_JOINT)


def head_solid(scale: float) -> Melted:
    """Skull and face, without neck and ears."""

    def lump(center: tuple[float, float, float], radii: tuple[float, float, float], blend: float,
             tilt: tuple[float, float, float] = (0, 0, 0), carve: bool = False) -> Piece:  # fmt: skip
        solid = Ellipsoid(scaled(np.array(center), scale), tuple(scale * r for r in radii), tilt)
        return Piece(solid, blend * scale, carve)

    def column(rows: np.ndarray, middle: float, back: float, exponent: float, cap: float, blend: float) -> Piece:
        """Rows of (y, front, half width), upright."""
        rows = scale * rows[np.argsort(rows[:, 0])]
        middle, back = middle * scale, back * scale
        stations = [(y, middle, 0.0, front - middle, back, half, half) for y, front, half in rows]
        loft = Loft(scaled(np.zeros(3), scale), (0, 1, 0), (0, 0, 1), stations, cap * scale, exponent)
        return Piece(loft, blend * scale)

    pieces = [
        lump((0, 0.345, -0.013), (0.0745, 0.085, 0.0945), 0.02),
        column(_FACE, 0.02, 0.055, 2.2, 0.012, 0.035),
        Piece(HalfSpace(scaled(np.array([0.0, 0.2145, 0.075]), scale), (0.0, -1.0, -0.36)), 0.018, carve=True),
        lump((0, 0.231, 0.077), (0.020, 0.014, 0.016), 0.016),
        lump((0.044, 0.298, 0.054), (0.020, 0.015, 0.022), 0.024),
        lump((0.027, 0.3445, 0.0775), (0.022, 0.007, 0.010), 0.016, (0, 0, 4)),
        lump((0.031, 0.325, 0.098), (0.019, 0.0135, 0.0195), 0.014, carve=True),
        lump(tuple(EYE), (_LID_RADIUS + 0.0004,) * 3, 0.006),
        column(_NOSE, 0.075, 0.02, 2.0, 0.006, 0.010),
        lump((0.0115, 0.2885, 0.0955), (0.0062, 0.0070, 0.0100), 0.006),
        lump((0, 0.2638, 0.0670), (0.0290, 0.0080, 0.0285), 0.007),
        lump((0.006, 0.2622, 0.0890), (0.013, 0.0046, 0.0078), 0.006, (0, 0, -8)),
        lump((0, 0.2496, 0.0680), (0.0270, 0.0068, 0.0282), 0.007),
        lump((0, 0.2566, 0.1010), (0.0235, 0.0009, 0.0090), 0.004, carve=True),
    ]
    return Melted(pieces, reach=0.16 * scale)


def place_head(points: np.ndarray, scale: float) -> np.ndarray:
    """First positions (N, 3) of the lattice points (N, 3) of the head's block, left and middle."""
    i, j, k = points[:, 0], points[:, 1] - HEAD_LOW, points[:, 2]
    result = _ball(i / HEAD_HALF, 2 * j / HEAD_ROWS - 1, (k + 4) / 7.5 - 1)
    height = np.interp(j, np.arange(HEAD_ROWS + 1), _ROW_Y)
    forward = np.clip((k - 1) / (HEAD_DEPTH - 1), 0, 1)[:, None] ** 1.5
    front = _front(i, height)
    result = result + forward * np.where(k[:, None] >= HEAD_DEPTH, front - result, [0, 1, 0] * (front - result))
    nose = k > HEAD_DEPTH
    result[nose] = _nose(i[nose], height[nose], k[nose])
    lips = _inside(MOUTH_CELLS, i, j, k)
    result[lips] = _mouth(i[lips], j[lips], k[lips])
    return scaled(result, scale)


def _ball(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The cube [-1, 1]^3 blown up to an egg about the skull's centre."""
    x, y, z = (np.clip(value, -1, 1) for value in (x, y, z))
    ball = [
        x * np.sqrt(1 - y * y / 2 - z * z / 2 + y * y * z * z / 3),
        y * np.sqrt(1 - z * z / 2 - x * x / 2 + z * z * x * x / 3),
        z * np.sqrt(1 - x * x / 2 - y * y / 2 + x * x * y * y / 3),
    ]
    return np.array([0.0, 0.318, -0.004]) + np.stack(ball, axis=-1) * np.array([0.074, 0.110, 0.094])


def _front(i: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The front of the face: columns narrower where the face is."""
    half = np.interp(y, _FACE[:, 0], _FACE[:, 2])
    x = np.interp(i, np.arange(HEAD_HALF + 1), _COLUMN_X)
    x = x * (1 - (1 - np.minimum(half / 0.066, 1)) * (i / HEAD_HALF) ** 2)
    depth = np.interp(y, _FACE[:, 0], _FACE[:, 1]) - 0.02
    return np.stack([x, y, 0.02 + depth * np.sqrt(np.clip(1 - (x / half) ** 2, 0.1, 1))], axis=-1)


def _nose(i: np.ndarray, y: np.ndarray, k: np.ndarray) -> np.ndarray:
    order = np.argsort(_NOSE[:, 0])
    ridge, half = (np.interp(y, _NOSE[order, 0], _NOSE[order, n]) for n in (1, 2))
    rise = np.where(np.abs(i) >= NOSE_CELLS[0][1], 0.25 + 0.25 * (k - HEAD_DEPTH), 1.0)
    return np.stack([i / 2 * half, y, 0.085 + rise * (ridge - 0.085)], axis=-1)


def _ear(out: np.ndarray, j: np.ndarray, k: np.ndarray) -> np.ndarray:
    """A shell that stands off the head to the back: rim, hollow and lobe."""
    (_, (low, high), (back, front)) = EAR_CELLS
    up, backward = np.array([0.05, 0.975, -0.20]), np.array([0.40, -0.10, -0.90])
    outward = np.cross(up, backward) * -1.0
    y, z = 2 * (j - low) / (high - low) - 1, 1 - 2 * (k - back) / (front - back)
    radius = np.maximum(np.abs(y), np.abs(z))
    y, z = y * np.sqrt(1 - 0.5 * z * z), z * np.sqrt(1 - 0.5 * y * y)
    width = 0.0155 * np.interp(y, [-1.0, -0.6, 0.3, 1.0], [1.1, 0.80, 1.0, 1.0])
    shrink = np.where(out > 1, 1.0, 0.90)
    bowl = np.where(radius > 0.9, 0.0025, np.where(y < -0.55, 0.0015, -0.0035))
    depth = np.where(out > 1, bowl, -0.0045) * np.interp(z, [-1.0, -0.4], [0.2, 1.0])
    offset = (0.029 * y * shrink)[:, None] * up + (width * z * shrink)[:, None] * backward + depth[:, None] * outward
    return np.array([0.0785, 0.3135, -0.0150]) + offset - np.maximum(-0.2 - y, 0)[:, None] * [0.006, 0, 0]


def pinned(points: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Lattice points that must not move, left and middle: lids, eye sockets, mouth and ears.

    `points` (N, 3) with i >= 0; returns which (N,) and where (N, 3; elsewhere undefined).
    """
    i, j, k = points[:, 0], points[:, 1] - HEAD_LOW, points[:, 2]
    eye = _inside(EYE_CELLS, i, j, k)
    mouth = _inside(MOUTH_CELLS, i, j, k) & (k < HEAD_DEPTH)
    ear = _inside(EAR_CELLS, i, j, k) & (i > HEAD_HALF)
    places = np.zeros_like(points, dtype=np.float64)
    places[eye] = _socket(i[eye], j[eye], k[eye])
    places[mouth] = _mouth(i[mouth], j[mouth], k[mouth])
    places[ear] = _ear(i[ear] - HEAD_HALF, j[ear], k[ear])
    return eye | mouth | ear, scaled(places, scale)


def sliding(points: np.ndarray) -> np.ndarray:
    """(N, 3) directions along which lattice points (N, 3; i >= 0) of the face may move, zero where they are free.

    Rows of the face stay level, and its columns stay where they were put: skin only moves to and fro.
    """
    i, j, k = points[:, 0], points[:, 1] - HEAD_LOW, points[:, 2]
    face = (k >= HEAD_DEPTH) & (j > 0) & (j < HEAD_ROWS) & (i < HEAD_HALF - 1) & (k == HEAD_DEPTH)
    x = _COLUMN_X[np.clip(i, 0, HEAD_HALF).astype(int)]
    direction = np.stack([0.9 * x, np.zeros_like(x), np.full_like(x, 0.09)], axis=-1)
    return np.where(face[:, None], direction / np.linalg.norm(direction, axis=1, keepdims=True), 0.0)


def _inside(cells: tuple[tuple[int, int], ...], *coordinates: np.ndarray) -> np.ndarray:
    tests = [(value >= low) & (value <= high) for (low, high), value in zip(cells, coordinates, strict=True)]
    return np.logical_and.reduce(tests)


def _socket(i: np.ndarray, j: np.ndarray, k: np.ndarray) -> np.ndarray:
    """The rim of the lids is an almond on the eyeball; behind it the socket wraps round the back of the eye."""
    (left, right), (low, high), (back, _) = EYE_CELLS
    p, q = 2 * (i - left) / (right - left) - 1, 2 * (j - low) / (high - low) - 1
    x = 0.0142 * np.sin(1.35 * p) / np.sin(1.35)
    opening = np.sqrt(np.clip(1.02 - p * p, 0, 1))
    y = np.where(q > 0, 0.0052, 0.0040) * q * opening + 0.0008 * p - 0.0004
    z = np.sqrt(np.maximum(_LID_RADIUS**2 - x * x - y * y, 0.0)) + 0.006 * np.maximum(-p, 0) ** 3
    rim = np.stack([x, y, z], axis=-1)
    radius, angle = np.maximum(np.abs(p), np.abs(q)), np.arctan2(q, p)
    polar = np.where(k == back, np.pi - radius * np.radians(70), np.radians(78))
    ball = np.stack([np.sin(polar) * np.cos(angle), np.sin(polar) * np.sin(angle), np.cos(polar)], axis=-1)
    return EYE + np.where((k >= HEAD_DEPTH)[:, None], rim, (EYE_RADIUS + 0.0012) * ball)


def _mouth(i: np.ndarray, j: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Lips that touch, and a flat space behind them that opens with the jaw."""
    (_, right), (_, high), (back, front) = MOUTH_CELLS
    inward = (front - k) / (front - back)
    side = np.where(j == high, 1.0, -1.0)
    x = np.interp(i, np.arange(HEAD_HALF + 1), _COLUMN_X) * (1 + 0.10 * inward * (1 - inward) - 0.1 * inward)
    bow = (i / right) ** 2
    lips = 0.0952 - 0.0105 * bow**1.5
    y = MOUTH_HEIGHT - 0.0006 * bow + side * (0.0002 + 0.004 * np.minimum(2 * inward, 1) * (1 - 0.8 * bow))
    return np.stack([x, y, lips - 0.034 * inward], axis=-1)


def lips(points: np.ndarray) -> np.ndarray:
    """(N,) +1 for lattice points of the lower lip and the floor of the mouth, -1 for the upper, 0 elsewhere."""
    i, j, k = np.abs(points[:, 0]), points[:, 1] - HEAD_LOW, points[:, 2]
    (_, right), (low, high), (back, _) = MOUTH_CELLS
    mouth = (i < right) & (k >= back) & (k <= HEAD_DEPTH)
    return np.where(mouth & (j >= low - 2) & (j <= low), 1, np.where(mouth & (j >= high) & (j <= high + 2), -1, 0))


def lid_closing(points: np.ndarray) -> np.ndarray:
    """(N, 3) from open to closed lids, for lattice points: the upper lid comes down to the lower one."""
    (left, right), (low, high), _ = EYE_CELLS
    i, j, k = np.abs(points[:, 0]), points[:, 1] - HEAD_LOW, points[:, 2]
    rows = {high: 0.92, high + 1: 0.45, high + 2: 0.12, low: -0.08}
    result = np.zeros(points.shape)
    for row, share in rows.items():
        lid = (i > left) & (i < right) & (k == HEAD_DEPTH) & (j == row)
        ends = [_socket(i[lid], np.full(lid.sum(), end), k[lid]) for end in (high, low)]
        result[lid] = share * (ends[1] - ends[0])
    return result
