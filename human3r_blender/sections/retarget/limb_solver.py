# SPDX-License-Identifier: GPL-3.0-or-later
"""Two bones that reach for a point: arms and legs of any proportions, for all frames at once. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....engine.contract.rotations import unit
from ...blender.vectors import shortest_rotation, turned

_STRAIGHTEST = 0.9998
"""Share of its length that a limb is stretched to at most, so that the joint keeps a side to bend to; but a limb that
is straighter may stay so."""
_PLAIN = 0.05
"""From this distance on, in lengths of the limb, that the middle joint is off the line between the ends (a bend of 11
degrees), it shows by itself where it goes when the limb has to bend further; below, anatomy tells more and more."""
_TRACE = 1e-6
"""How much anatomy counts at any bend, in lengths of the limb: it decides for limbs that are perfectly straight."""


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
    where the middle joint points to by nature. A limb whose ends are where they should be stays as it is. What is out
    of reach is pointed at.
    """
    first, second = np.linalg.norm(upper, axis=-1), np.linalg.norm(lower, axis=-1)
    line = unit(way)
    least, most = np.abs(first - second) + 1e-6 * first, farthest(upper, lower)
    distance = np.clip(np.linalg.norm(way, axis=-1), least, most)
    along = (first**2 - second**2 + distance**2) / (2 * distance)
    aside = np.sqrt(np.maximum(first**2 - along**2, 0))
    carried = turned(shortest_rotation(upper + lower, way), _square(upper, unit(upper + lower)))
    side = unit(_square(_bent_to(carried, aside, first + second, anatomy), line))
    new_upper = along[:, None] * line + aside[:, None] * side
    return Solved(new_upper, distance[:, None] * line - new_upper)


def farthest(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """(...) how far the end of a limb with the bones (..., 3) may be from its beginning."""
    length = np.linalg.norm(upper, axis=-1) + np.linalg.norm(lower, axis=-1)
    return np.maximum(_STRAIGHTEST * length, np.linalg.norm(upper + lower, axis=-1))


def _bent_to(carried: np.ndarray, aside: np.ndarray, length: np.ndarray, anatomy: np.ndarray) -> np.ndarray:
    """(T, 3) towards where the middle joint goes: as far as it is off the line now (`carried`, (T, 3)) in that
    direction, and what is lacking to (T,) `aside` by the plane it is bent in, or by anatomy where that is not plain.
    """
    off = np.linalg.norm(carried, axis=-1)
    plain = np.clip(off / (_PLAIN * length), 0, 1)[:, None]
    further = unit(plain * unit(carried) + (1 - plain) * anatomy)
    lacking = np.maximum(aside - off, 0)[:, None]
    return carried + lacking * further + _TRACE * length[:, None] * anatomy


def bent_side(upper: np.ndarray, lower: np.ndarray, anatomy: np.ndarray) -> np.ndarray:
    """(T, 3) unit vectors that the middle joint points to; straight limbs point where `anatomy` says."""
    line, length = unit(upper + lower), np.linalg.norm(upper, axis=-1) + np.linalg.norm(lower, axis=-1)
    return unit(_square(_square(upper, line) + _TRACE * length[:, None] * anatomy, line))


def _square(vectors: np.ndarray, line: np.ndarray) -> np.ndarray:
    """What of (T, 3) vectors is square to (T, 3) unit vectors."""
    return vectors - np.sum(vectors * line, axis=-1, keepdims=True) * line


def sink_to_reach(
    starts: np.ndarray,
    goals: np.ndarray,
    reaches: np.ndarray,
    down: np.ndarray,
    most: float,
) -> np.ndarray:
    """(T,) how far to move the starts of some limbs along the unit vector `down` (3,) so that all reach their goals.

    `starts` and `goals` (T, L, 3), `reaches` (T, L) how far each may be from its goal. At most `most`, and 0 where no
    sinking helps.
    """
    way = starts - goals
    height = -np.sum(way * down, axis=-1)
    beyond = np.sum(way**2, axis=-1) - reaches**2
    root = np.sqrt(np.maximum(height**2 - beyond, 0))
    sink = np.where((beyond > 0) & (height > 0), height - root, 0)
    return np.clip(sink.max(axis=-1), 0, most)
