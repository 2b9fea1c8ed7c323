# SPDX-License-Identifier: GPL-3.0-or-later
"""Two bones that reach for a point: arms and legs of any proportions, for all frames at once. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...blender.vectors import shortest_rotation, turned, unit

_STRAIGHTEST = 0.9998
"""Share of its length that a limb is stretched to at most, so that the joint keeps a side to bend to."""
_ANATOMY = 0.05
"""How much the side that the joint bends to by nature counts, in lengths of the limb; it decides for straight limbs."""
_TRACE = 1e-6
"""The same where a bend is only to be seen: nothing, unless the limb is perfectly straight."""


@dataclass(frozen=True)
class Solved:
    """T frames of a limb that reaches for its goal."""

    upper: np.ndarray
    """(T, 3) from the first joint to the middle one."""
    lower: np.ndarray
    """(T, 3) from the middle joint to the last."""


def reach(upper: np.ndarray, lower: np.ndarray, way: np.ndarray, anatomy: np.ndarray) -> Solved:
    """Bend a limb so that its end is `way` from its beginning, in the plane that it is bent in.

    `upper` and `lower` (T, 3) are the two bones as they are, `way` (T, 3) is wanted, `anatomy` (T, 3) unit vectors say
    where the middle joint points to by nature. What is out of reach is pointed at.
    """
    first, second = np.linalg.norm(upper, axis=-1), np.linalg.norm(lower, axis=-1)
    line = unit(way)
    side = unit(_square(turned(shortest_rotation(upper + lower, way), _bend(upper, lower, anatomy, _ANATOMY)), line))
    distance = np.clip(
        np.linalg.norm(way, axis=-1), np.abs(first - second) + 1e-6 * first, _STRAIGHTEST * (first + second)
    )
    along = (first**2 - second**2 + distance**2) / (2 * distance)
    aside = np.sqrt(np.maximum(first**2 - along**2, 0))
    new_upper = along[:, None] * line + aside[:, None] * side
    return Solved(new_upper, distance[:, None] * line - new_upper)


def bent_side(upper: np.ndarray, lower: np.ndarray, anatomy: np.ndarray) -> np.ndarray:
    """(T, 3) unit vectors that the middle joint points to; straight limbs point where `anatomy` says."""
    return unit(_square(_bend(upper, lower, anatomy, _TRACE), unit(upper + lower)))


def _bend(upper: np.ndarray, lower: np.ndarray, anatomy: np.ndarray, share: float) -> np.ndarray:
    """(T, 3) from the line between the ends to the middle joint, and some of the anatomy."""
    length = np.linalg.norm(upper, axis=-1, keepdims=True) + np.linalg.norm(lower, axis=-1, keepdims=True)
    return _square(upper, unit(upper + lower)) + share * length * anatomy


def _square(vectors: np.ndarray, line: np.ndarray) -> np.ndarray:
    """What of (T, 3) vectors is square to (T, 3) unit vectors."""
    return vectors - np.sum(vectors * line, axis=-1, keepdims=True) * line


def sink_to_reach(
    starts: np.ndarray,
    goals: np.ndarray,
    lengths: np.ndarray,
    down: np.ndarray,
    most: float,
) -> np.ndarray:
    """(T,) how far to move the starts of some limbs along the unit vector `down` (3,) so that all reach their goals.

    `starts` and `goals` (T, L, 3), `lengths` (L,). At most `most`, and 0 where no sinking helps.
    """
    way = starts - goals
    height = -np.sum(way * down, axis=-1)
    beyond = np.sum(way**2, axis=-1) - (_STRAIGHTEST * lengths) ** 2
    root = np.sqrt(np.maximum(height**2 - beyond, 0))
    sink = np.where((beyond > 0) & (height > 0), height - root, 0)
    return np.clip(sink.max(axis=-1), 0, most)
