# SPDX-License-Identifier: GPL-3.0-or-later
"""When heels and balls of the feet stand on the floor.

Each of the four points is either planted or free. Being planted costs more the faster and the higher the point is,
being free costs a constant, and changing between them costs as well; the cheapest sequence is found exactly (Viterbi).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.skeleton import LEFT_ANKLE, LEFT_FOOT, RIGHT_ANKLE, RIGHT_FOOT
from .body_motion import BodyMotion
from .local_fit import LocalFit

CONTACT_JOINTS = (LEFT_ANKLE, RIGHT_ANKLE, LEFT_FOOT, RIGHT_FOOT)
"""Left heel, right heel, left ball, right ball: the joints above them."""

_TOGETHER = 256
"""Frames whose surroundings are looked at together."""


@dataclass(frozen=True)
class ContactSettings:
    """What counts as standing."""

    speed_m_per_s: tuple[float, float] = (0.15, 0.8)
    """A point that moves this fast at floor height is as likely planted as free. Within these bounds it is twice the
    speed that the slowest of the four points typically shows: what noise moves a standing foot by."""
    height_m: float = 0.1
    """A resting point that is so far above its lowest place nearby is as likely planted as free."""
    change_cost: float = 4.0
    """What beginning or ending a contact costs, in units of the constant cost of being free."""
    place_m: float = 0.15
    """A contact has one place: one whose two parts are farther apart than this has a step between them."""
    window_s: float = 0.15
    """Half width of the fit whose slope is the speed."""
    floor_window_s: float = 2.5
    """Half of the time in which the lowest place is looked for: floors that the camera's drift tilts are followed."""


def find_contacts(motion: BodyMotion, up: np.ndarray, settings: ContactSettings | None = None) -> np.ndarray:
    """(T, 4) bool, whether each of `CONTACT_JOINTS` is planted; `up` (3,) is the unit vector away from the floor."""
    settings = settings or ContactSettings()
    planted = np.zeros((len(motion), len(CONTACT_JOINTS)), dtype=bool)
    positions = motion.joints()[:, list(CONTACT_JOINTS)]
    for frames in motion.stretches():
        points, time_s = positions[frames], motion.time_s[frames]
        if len(time_s) < 3:
            continue
        smooth = LocalFit(time_s, settings.window_s).apply(points)
        speed = np.linalg.norm(np.gradient(smooth, time_s, axis=0), axis=-1)
        height = smooth @ np.asarray(up, dtype=np.float64)
        above = height - lowest_near(height, time_s, settings.floor_window_s)
        limit = speed_limit(speed, settings)
        found = cheapest_sequences((speed / limit) ** 2 + (above / settings.height_m) ** 2, motion, settings)
        # A heel that stands has the ball beside it on the floor, or within a moment of it; unless the foot turns on it.
        found[:, 2:] |= found[:, :2]
        for point in range(len(CONTACT_JOINTS)):
            for run in runs(found[:, point]):
                _free_steps(found[:, point], smooth[:, point], run, settings.place_m)
        found[:, :2] &= found[:, 2:]
        planted[frames] = found
    return planted


def speed_limit(speed: np.ndarray, settings: ContactSettings) -> float:
    """The speed, m/s, at which one of (T, n) points counts half as resting: what noise moves a resting one by."""
    return float(np.clip(2 * np.median(speed.min(axis=1)), *settings.speed_m_per_s))


def cheapest_sequences(cost: np.ndarray, motion: BodyMotion, settings: ContactSettings) -> np.ndarray:
    """(T, n) bool: when n points rest, from what resting costs them, where being free costs 1."""
    # Costs count per time, so that the answer does not depend on the frame rate.
    share = motion.step_s * 30
    return _cheapest(share * cost, share, settings.change_cost)


def runs(planted: np.ndarray) -> list[slice]:
    """The stretches in which a (T,) condition holds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], planted, [False]]).astype(np.int8)))
    return [slice(first, last) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def _free_steps(planted: np.ndarray, points: np.ndarray, run: slice, place_m: float) -> None:
    """Set (T,) free, within a run of contact, where (T, 3) points go from one place to another."""
    places, count = points[run], run.stop - run.start
    if count < 2:
        return
    # The two parts whose means explain the run best, by the sums of squares that they explain.
    before = np.arange(1, count)[:, None]
    first = np.cumsum(places, axis=0)[:-1] / before
    second = (places.sum(axis=0) - first * before) / (count - before)
    cut = int((before[:, 0] * (count - before[:, 0]) * ((second - first) ** 2).sum(axis=-1)).argmax())
    way = second[cut] - first[cut]
    if np.linalg.norm(way) < place_m:
        return
    share = (places - first[cut]) @ way / (way @ way)
    low, high = cut, cut + 2
    while low > 0 and share[low - 1] > 0.2:
        low -= 1
    while high < count and share[high] < 0.8:
        high += 1
    planted[run.start + low : run.start + high] = False
    _free_steps(planted, points, slice(run.start, run.start + low), place_m)
    _free_steps(planted, points, slice(run.start + high, run.stop), place_m)


def lowest_near(height: np.ndarray, time_s: np.ndarray, window_s: float) -> np.ndarray:
    """(T, 4) a low percentile of (T, 4) heights in the time around each frame."""
    first = np.searchsorted(time_s, time_s - window_s)
    sizes = np.searchsorted(time_s, time_s + window_s, side="right") - first
    lowest = np.empty_like(height)
    for size in np.unique(sizes).tolist():  # windows of as many frames are taken together
        windows = np.lib.stride_tricks.sliding_window_view(height, size, axis=0)
        alike = np.flatnonzero(sizes == size)
        for rows in np.array_split(alike, -(-len(alike) // _TOGETHER)):
            lowest[rows] = np.percentile(windows[first[rows]], 10, axis=-1)
    return lowest


def _cheapest(planted_cost: np.ndarray, free_cost: float, change_cost: float) -> np.ndarray:
    """(T, N) bool, the cheapest sequence of each of N points for the (T, N) costs of being planted."""
    count, points = planted_cost.shape
    free, planted = np.full(points, free_cost), planted_cost[0]
    came_from_planted = np.zeros((count, 2, points), dtype=bool)
    for frame in range(1, count):
        came_from_planted[frame] = planted + change_cost < free, planted < free + change_cost
        free, planted = (
            np.minimum(free, planted + change_cost) + free_cost,
            np.minimum(free + change_cost, planted) + planted_cost[frame],
        )
    state = np.empty((count, points), dtype=bool)
    state[-1] = planted < free
    for frame in range(count - 1, 0, -1):
        state[frame - 1] = np.where(state[frame], came_from_planted[frame, 1], came_from_planted[frame, 0])
    return state
