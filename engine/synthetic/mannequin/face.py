# SPDX-License-Identifier: GPL-3.0-or-later
"""The mannequin's face: ten expressions as displacement fields, and the 51 landmarks of the face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .head import lid_closing, lips
from .lattice import HEAD_LOW

EXPRESSIONS = (
    "smile", "brows_up", "brows_down", "lips_pucker", "mouth_corners_down", "cheeks_puffed", "nose_wrinkled",
    "lips_parted", "eyes_closed", "chin_raised",
)  # fmt: skip
"""What the ten expression coefficients do; amplitudes are meant for coefficients of about 1, up to 2 or 3."""


@dataclass(frozen=True)
class Pull:
    """Skin near a point is displaced, on both sides of the face."""

    center: tuple[float, float, float]
    """Where, metres (left side)."""
    reach: float
    """Distance at which the pull has fallen to 1/e, metres."""
    offset: tuple[float, float, float]
    """By how much, metres per unit of the coefficient."""
    lip: int = 0
    """1 moves nothing above the line of the lips, -1 nothing below it."""


_CORNER = (0.0235, 0.2565, 0.080)
_BROW_IN, _BROW_OUT = (0.014, 0.346, 0.086), (0.040, 0.348, 0.072)
_CHEEK = (0.042, 0.280, 0.066)
_UPPER, _LOWER = (0.008, 0.262, 0.095), (0.009, 0.251, 0.093)

PULLS: dict[str, tuple[Pull, ...]] = {
    "smile": (Pull(_CORNER, 0.014, (0.005, 0.0050, -0.003)), Pull(_CHEEK, 0.016, (0.001, 0.003, 0.002))),
    "brows_up": (Pull(_BROW_IN, 0.014, (0, 0.0045, 0)), Pull(_BROW_OUT, 0.014, (0, 0.0045, 0))),
    "brows_down": (Pull(_BROW_IN, 0.012, (-0.002, -0.004, 0.001)), Pull(_BROW_OUT, 0.012, (-0.001, -0.002, 0))),
    "lips_pucker": (
        Pull(_CORNER, 0.012, (-0.006, 0, 0.003)),
        Pull(_UPPER, 0.012, (-0.001, 0, 0.004), lip=-1),
        Pull(_LOWER, 0.012, (-0.001, 0, 0.004), lip=1),
    ),
    "mouth_corners_down": (Pull(_CORNER, 0.013, (0.001, -0.005, -0.001)),),
    "cheeks_puffed": (Pull((0.042, 0.264, 0.060), 0.020, (0.005, 0, 0.003)),),
    "nose_wrinkled": (
        Pull((0.013, 0.292, 0.094), 0.011, (0.001, 0.003, 0)),
        Pull(_UPPER, 0.012, (0, 0.0025, 0.001), lip=-1),
    ),
    "lips_parted": (Pull(_UPPER, 0.012, (0, 0.0015, 0.0005), lip=-1), Pull(_LOWER, 0.015, (0, -0.002, 0.0005), lip=1)),
    "eyes_closed": (),
    "chin_raised": (
        Pull((0.0, 0.226, 0.086), 0.016, (0, 0.003, 0.001)),
        Pull(_LOWER, 0.014, (0, 0.002, 0.0015), lip=1),
        Pull(_UPPER, 0.014, (0, 0.002, 0.001), lip=-1),
    ),
}


def expression_directions(vertices: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N, 3, 10) metres per unit of each expression, for the vertices (N, 3) at the lattice points (N, 3)."""
    result = np.zeros((*vertices.shape, len(EXPRESSIONS)))
    side = lips(points)
    for number, name in enumerate(EXPRESSIONS):
        for pull in PULLS[name]:
            for mirrored in ([1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]):
                gap = np.linalg.norm(vertices - np.array(pull.center) * mirrored, axis=1)
                strength = np.exp(-((gap / pull.reach) ** 2))
                strength[(strength < 0.02) | (points[:, 1] < HEAD_LOW) | (side * pull.lip < 0)] = 0.0
                result[:, :, number] += strength[:, None] * np.array(pull.offset) * mirrored
    sign = np.where(points[:, :1] < 0, -1.0, 1.0) * [1, 0, 0] + [0, 1, 1]
    result[:, :, EXPRESSIONS.index("eyes_closed")] = 0.5 * lid_closing(points) * sign
    return result


def _mirrored_row(points: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Points of the person's right side, and then their mirror images back to front."""
    return [*points, *((-x, y, z) for x, y, z in reversed(points))]


LANDMARKS = np.array(
    [
        # brows, from the person's right to the left
        *_mirrored_row([(-0.052, 0.340, 0.06), (-0.044, 0.347, 0.07), (-0.034, 0.350, 0.08), (-0.024, 0.349, 0.08),
                        (-0.013, 0.345, 0.09)]),
        # nose: bridge from top to tip, then the nostrils
        (0, 0.325, 0.10), (0, 0.314, 0.10), (0, 0.303, 0.11), (0, 0.293, 0.12),
        (-0.013, 0.283, 0.10), (-0.007, 0.281, 0.11), (0, 0.280, 0.11), (0.007, 0.281, 0.11), (0.013, 0.283, 0.10),
        # eyes, each clockwise as seen by the viewer from its left corner
        (-0.045, 0.323, 0.07), (-0.037, 0.328, 0.08), (-0.027, 0.328, 0.08), (-0.018, 0.322, 0.08),
        (-0.027, 0.318, 0.08), (-0.037, 0.318, 0.08),
        (0.018, 0.322, 0.08), (0.027, 0.328, 0.08), (0.037, 0.328, 0.08), (0.045, 0.323, 0.07),
        (0.037, 0.318, 0.08), (0.027, 0.318, 0.08),
        # mouth: outer rim from the person's right corner over the top and back below, then the inner rim
        (-0.025, 0.257, 0.08), (-0.016, 0.263, 0.09), (-0.006, 0.267, 0.10), (0, 0.266, 0.10), (0.006, 0.267, 0.10),
        (0.016, 0.263, 0.09), (0.025, 0.257, 0.08), (0.016, 0.248, 0.09), (0.007, 0.244, 0.09), (0, 0.243, 0.09),
        (-0.007, 0.244, 0.09), (-0.016, 0.248, 0.09),
        (-0.021, 0.257, 0.08), (-0.008, 0.258, 0.09), (0, 0.258, 0.09), (0.008, 0.258, 0.09), (0.021, 0.257, 0.08),
        (0.008, 0.255, 0.09), (0, 0.255, 0.09), (-0.008, 0.255, 0.09),
    ]
)  # fmt: skip
"""(51, 3) approximate places of the landmarks 17 to 67 of the 68-point scheme; the nearest skin is taken."""
