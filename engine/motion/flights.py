# SPDX-License-Identifier: GPL-3.0-or-later
"""Where somebody flies: his centre of mass falls freely, and nothing but gravity moves him.

A flight is found by the path of the centre of mass across the line of sight, where it is metric; along it nothing is
asked. T frames of one person, world metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.rotations import unit
from ..contract.skeleton import BODY_JOINT_COUNT

GRAVITY = 9.81

_SEGMENTS = (
    # share of the body's mass, joints whose middle its centre is: de Leva 1996, sexes averaged
    (0.068, (15,)), (0.160, (9, 12)), (0.150, (3, 6)), (0.118, (0, 1, 2)),
    (0.026, (16, 18)), (0.026, (17, 19)), (0.015, (18, 20)), (0.015, (19, 21)), (0.006, (20,)), (0.006, (21,)),
    (0.145, (1, 4)), (0.145, (2, 5)), (0.046, (4, 7)), (0.046, (5, 8)), (0.014, (7, 10)), (0.014, (8, 11)),
)  # fmt: skip

_WINDOW_S = 0.27
_LEAST_SAMPLES = 5
_LEAST_FLIGHT_S = 0.3
"""Shorter ones (a running step) change nothing and are hard to tell."""

_FALL = (0.65, 1.45)
"""What a window falls with, in gravities: sizes of people are wrong, and short windows noisy."""
_WHOLE_FALL = (0.75, 1.3)
"""And a whole flight."""
_SIDEWAYS = 0.4
"""Gravities that a window may seem to accelerate sideways."""
_RESIDUAL_M = 0.05
"""Root mean square of what a parabola leaves of the centre of mass's path."""
_END_RESIDUAL_M = 0.06

_SYSTEMATIC, _SYSTEMATIC_AT_S = 0.04, 0.77
"""Log error of gravity in a flight of so many seconds, from a centre of mass made of joints while the body tucks and
stretches, and from frames at the ends in which a foot still stands. It grows with the square of shortness: hops of
0.4 s were off by 0.17."""


@dataclass(frozen=True)
class Flight:
    """Frames from `first` until before `last` of one track, in which nothing touches the person."""

    first: int
    last: int
    gravity: float
    """m/s2 that the person seems to fall with; 9.81 if he has the right size."""
    log_sigma: float
    """Standard error of its logarithm, and so of the person's size told by it."""


@dataclass(frozen=True)
class Sight:
    """Directions across the lines of sight: (T, 3) each, world."""

    fall: np.ndarray
    """That in which gravity pulls as far as it is seen."""
    side: np.ndarray
    share: np.ndarray
    """(T,) how much of gravity is seen: 1 for level lines of sight."""


def centre_of_mass(joints: np.ndarray) -> np.ndarray:
    """(..., 3) of (..., 22 or more, 3) joints."""
    weight = np.zeros(BODY_JOINT_COUNT)
    for mass, members in _SEGMENTS:
        weight[list(members)] += mass / len(members)
    return np.einsum("j,...jk->...k", weight / weight.sum(), joints[..., :BODY_JOINT_COUNT, :])


def sight_of(rays: np.ndarray, down: np.ndarray) -> Sight:
    """Of (T, 3) lines of sight and the unit vector down, world."""
    ray = unit(rays)
    seen = down - (ray @ down)[:, None] * ray
    fall = unit(seen)
    return Sight(fall, np.cross(ray, fall), np.linalg.norm(seen, axis=-1))


def find_flights(time_s: np.ndarray, centre: np.ndarray, sight: Sight) -> list[Flight]:
    """The flights on the (T, 3) path of a centre of mass."""
    inside = np.zeros(len(time_s), dtype=bool)
    for first in range(len(time_s)):
        last = max(int(np.searchsorted(time_s, time_s[first] + _WINDOW_S, side="right")), first + _LEAST_SAMPLES)
        if last <= len(time_s) and time_s[last - 1] - time_s[first] < 2 * _WINDOW_S:
            inside[first:last] |= _falls(time_s, centre, sight, first, last)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(int)))
    found = [_whole(time_s, centre, sight, int(first), int(last)) for first, last in edges.reshape(-1, 2)]
    return [flight for flight in found if flight is not None]


def _falls(time_s: np.ndarray, centre: np.ndarray, sight: Sight, first: int, last: int) -> bool:
    fall, side, residual = _parabola(time_s, centre, sight, first, last)
    return _FALL[0] < fall < _FALL[1] and abs(side) < _SIDEWAYS and float(np.sqrt((residual**2).mean())) < _RESIDUAL_M


def _whole(time_s: np.ndarray, centre: np.ndarray, sight: Sight, first: int, last: int) -> Flight | None:
    """The flight within some frames whose windows fall: its ends are cut until they lie on the parabola."""
    while last - first >= _LEAST_SAMPLES and time_s[last - 1] - time_s[first] >= _LEAST_FLIGHT_S:
        fall, _, residual = _parabola(time_s, centre, sight, first, last)
        worst_first, worst_last = float(residual[0]), float(residual[-1])
        if max(worst_first, worst_last) < _END_RESIDUAL_M:
            seconds = float(time_s[last - 1] - time_s[first])
            spread = float(np.sqrt((residual**2).mean())) * np.sqrt(720 / (last - first)) / (seconds**2 * GRAVITY)
            sigma = float(np.hypot(spread, _SYSTEMATIC * (_SYSTEMATIC_AT_S / seconds) ** 2))
            believable = _WHOLE_FALL[0] < fall < _WHOLE_FALL[1]
            return Flight(first, last, fall * GRAVITY, sigma) if believable else None
        first, last = (first + 1, last) if worst_first > worst_last else (first, last - 1)
    return None


def _parabola(
    time_s: np.ndarray, centre: np.ndarray, sight: Sight, first: int, last: int
) -> tuple[float, float, np.ndarray]:
    """Accelerations down and sideways in gravities, and (n,) distances from the parabola, across the line of sight."""
    times = time_s[first:last] - time_s[first:last].mean()
    path = centre[first:last] - centre[first:last].mean(axis=0)
    # One pair of directions for the window: turning ones would bend the path.
    middle = (first + last) // 2
    seen = path @ np.stack([sight.fall[middle], sight.side[middle]], axis=-1)
    rows = np.stack([np.ones(len(times)), times, 0.5 * times**2], axis=-1)
    solution, *_ = np.linalg.lstsq(rows, seen, rcond=None)
    off = np.linalg.norm(seen - rows @ solution, axis=-1)
    scale = GRAVITY * float(sight.share[middle])
    return float(solution[2, 0]) / max(scale, 1e-6), float(solution[2, 1]) / GRAVITY, off
