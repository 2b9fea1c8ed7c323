# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera that only turns: rotations from corners, and the focal length that the turn tells.

Corners are (n, 2) centered pixels, rotations (3, 3) turn column vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np

from ..stages.turning import Turn, turn_between
from .observations import Observations, Seen

TURNING_PX = 0.6
"""Mean over the frames of the median distance of corners from where the turn puts them: less is only a turn.
Pans from a tripod have .14 to .27, moving cameras 1 and more."""

_LEAST_COMMON = 6
_LEAST_SURVIVORS, _LEAST_SURVIVING = 0.35, 12
"""Share and number of a reference's corners below which the frame before becomes the next reference."""

_OLDEST = 60
"""Frames after which a reference is too old: corners that are followed from frame to frame drift."""

_MOST_SAMPLES = 40
"""Pairs of frames that the focal length is looked for with."""
_SAMPLE_PX = 60.0
"""Median motion between the frames of a pair, about."""
_LEAST_TURN_DEG = 3.0
"""Turns of less say nothing about the focal length."""
_WIDEST = np.log(2.2)
"""The focal length is looked for up to this factor away from what is known."""
_GRID = 23
_SECTIONS = 10
_CORNER_SIGMA_PX = 0.25
_SLICE = 256
"""Frames between two yields."""


def turn_of(before: np.ndarray, after: np.ndarray, focal: float) -> Turn:
    """The turn between two pictures, from common corners."""
    return turn_between(before, after, np.diag((focal, focal, 1.0)))


@dataclass(frozen=True)
class Turns:
    """The rotations of N frames."""

    world_from_camera: np.ndarray
    """(N, 3, 3); the first is the identity."""
    residual_px: float
    """Mean over the frames of the median distance of corners from where the turn puts them."""


def turns(seen: Observations, focal: float) -> Generator[None, None, Turns]:
    """Rotations of all frames, each against a frame as far back as enough corners are seen. Yields now and then."""
    found = [np.eye(3)]
    residuals: list[float] = []
    reference_pose, reference, since = np.eye(3), seen.frame(0), 0
    last = reference
    for index in range(1, len(seen)):
        now = seen.frame(index)
        before, after = reference.common(now)
        few = len(before) < max(_LEAST_SURVIVING, _LEAST_SURVIVORS * len(reference.track))
        if (few or index - since > _OLDEST) and len(last.track):
            reference_pose, reference, since = found[-1], last, index - 1
            before, after = reference.common(now)
        if len(before) < _LEAST_COMMON:
            found.append(found[-1])
        else:
            turn = turn_of(before, after, focal)
            residuals.append(float(np.median(turn.off_px)))
            found.append(reference_pose @ turn.second_from_first.T)
        if len(now.track):
            last = now
        if index % 16 == 0:
            yield
    return Turns(np.array(found), float(np.mean(residuals)) if residuals else 0.0)


@dataclass(frozen=True)
class TurnFocal:
    """What a turning camera tells about its focal length."""

    focal: float
    """Centered pixels; where the residual is least."""
    relative_sigma: float
    """Infinite where the turn is too small to tell."""


def focal_from_turns(pairs: Sequence[tuple[np.ndarray, np.ndarray]], focal: float) -> Generator[None, None, TurnFocal]:
    """The focal length under which common corners (n, 2), (n, 2) of pairs of frames agree best with a turn, looked for
    about `focal`; and how narrow that minimum is. Yields now and then."""
    if not pairs:
        return TurnFocal(focal, np.inf)
    logs = np.linspace(-_WIDEST, _WIDEST, _GRID)
    costs = []
    for log in logs:
        costs.append(_cost(pairs, focal * np.exp(log)))
        yield
    best = int(np.argmin(costs))
    if best in (0, _GRID - 1):
        return TurnFocal(focal, np.inf)
    log = yield from _golden(lambda log: _cost(pairs, focal * np.exp(log)), logs[best - 1], logs[best + 1])
    least = _cost(pairs, focal * np.exp(log))
    # The curvature of half the cost is the inverse variance; corners of a pair share errors, so few of them count.
    step = 0.08
    around = [_cost(pairs, focal * np.exp(log + sign * step)) for sign in (-1, 1)]
    curvature = (sum(around) - 2 * least) / step**2
    sigma = 1 / np.sqrt(curvature) if curvature > 0 else np.inf
    largest = max(_turn_deg(pair, focal) for pair in pairs)
    return TurnFocal(float(focal * np.exp(log)), float(sigma) if largest >= _LEAST_TURN_DEG else np.inf)


class _Sample:
    """Pairs of a clip of any length, at most twice as many as are wanted: of more, every second one is forgotten."""

    def __init__(self) -> None:
        self._kept: list[tuple[np.ndarray, np.ndarray]] = []
        self._count, self._every = 0, 1

    def add(self, pair: tuple[np.ndarray, np.ndarray]) -> None:
        if self._count % self._every == 0:
            self._kept.append(pair)
        self._count += 1
        if len(self._kept) > 2 * _MOST_SAMPLES:
            self._kept, self._every = self._kept[::2], 2 * self._every

    def spread(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """As many as are wanted, over the whole clip."""
        return self._kept[:: max(1, -(-len(self._kept) // _MOST_SAMPLES))]


def pairs_for_focal(seen: Observations) -> Generator[None, None, list[tuple[np.ndarray, np.ndarray]]]:
    """Common corners of pairs of frames that lie far apart and still share many. Yields now and then."""
    pairs = _Sample()
    reference: Seen | None = None
    candidate: tuple[np.ndarray, np.ndarray] | None = None
    for index in range(len(seen)):
        now = seen.frame(index)
        if index % _SLICE == 0:
            yield
        if reference is None:
            reference = now if len(now.track) else None
            continue
        before, after = reference.common(now)
        if len(before) < max(_LEAST_SURVIVING, _LEAST_SURVIVORS * len(reference.track)):
            if candidate is not None:
                pairs.add(candidate)
            reference, candidate = now, None
            continue
        motion = float(np.median(np.linalg.norm(after - before, axis=1)))
        if motion > _SAMPLE_PX / 4:
            candidate = (before, after)
        if motion > _SAMPLE_PX:
            pairs.add((before, after))
            reference, candidate = now, None
    if candidate is not None:
        pairs.add(candidate)
    return pairs.spread()


def _cost(pairs: Sequence[tuple[np.ndarray, np.ndarray]], focal: float) -> float:
    """Sum of squared median distances, in sigmas of a corner: each pair counts like a few corners."""
    medians = [float(np.median(turn_of(before, after, focal).off_px)) for before, after in pairs]
    return float(np.sum(np.square(medians)) / _CORNER_SIGMA_PX**2)


def _turn_deg(pair: tuple[np.ndarray, np.ndarray], focal: float) -> float:
    rotation = turn_of(*pair, focal).second_from_first
    return float(np.degrees(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1))))


def _golden(cost: Callable[[float], float], low: float, high: float) -> Generator[None, None, float]:
    ratio = (np.sqrt(5) - 1) / 2
    inner, outer = high - ratio * (high - low), low + ratio * (high - low)
    at_inner, at_outer = cost(inner), cost(outer)
    for _ in range(_SECTIONS):
        yield
        if at_inner < at_outer:
            high, outer, at_outer = outer, inner, at_inner
            inner = high - ratio * (high - low)
            at_inner = cost(inner)
        else:
            low, inner, at_inner = inner, outer, at_outer
            outer = low + ratio * (high - low)
            at_outer = cost(outer)
    return (low + high) / 2
