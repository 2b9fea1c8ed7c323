# SPDX-License-Identifier: GPL-3.0-or-later
"""The focal length of a clip and how sure it is: given, from the file's tags, or from people and what cameras have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...contract.errors import UserError
from ...contract.known_facts import FULL_FRAME_MM
from ...resuming.state_reader import StateReader
from ..observations import FollowedPeople
from .focal_evidence import LOG_GRID, Blocks, Rows, look_at

GIVEN, TAGS, PEOPLE, PRIOR = "given", "tags", "people", "prior"
"""Where a focal length may come from."""

_GIVEN_LOG_SIGMA = 0.01
_TAGS_LOG_SIGMA = 0.08
"""Tags are rounded to millimetres, and electronic stabilisation cuts off a border that they know nothing of."""

PRIOR_SHARE, PRIOR_LOG_SIGMA = 0.85, 0.25
"""What phones and cameras have, as a share of the long side: mostly the main lens of a phone (0.7 to 0.9 in video),
seldom its wide or its long one (0.4, 1.5 and more), cameras from 0.7 to 1.5."""

_PERSPECTIVE_SEEN = 0.87
"""The networks' metres follow the picture a little: perspective within a body looks weaker than it is, and the focal
length longer, by one over this."""

_PERSON_LOG_SIGMA, _COMMON_LOG_SIGMA = 0.20, 0.10
"""What perspective is off by for one person whatever the number of frames, and for all people together."""

_TOLD_LOG_SIGMA = 0.9
"""People count as the source where they make the answer surer than this times the prior's spread."""

_GREATEST_STEP_PER_S = 0.05
"""While a clip streams the value creeps: so much of its logarithm a second, so that nobody's distance jumps."""

LEAST_MM, MOST_MM = 5.0, 1000.0


@dataclass(frozen=True)
class FocalEstimate:
    """A focal length, constant over a clip."""

    focal_px: float
    """Pixels of the footage."""
    log_sigma: float
    """Standard error of its logarithm: 0.1 is a tenth more or less."""
    source: str
    """`given`, `tags`, `people` or `prior`."""


def focal_from_mm(millimetres: float, size: tuple[int, int], source: str = GIVEN) -> FocalEstimate:
    """Of a focal length for a 36 mm wide sensor along the picture's long side; `source` is `given` or `tags`.

    Raises UserError (``bad-setting``).
    """
    if not LEAST_MM <= millimetres <= MOST_MM:
        raise UserError(
            "bad-setting",
            "The focal length is {millimetres} mm.",
            "Use 5 to 1000 millimeters (for a sensor 36 mm wide), or leave it empty.",
            millimetres=millimetres,
        )
    sigma = _GIVEN_LOG_SIGMA if source == GIVEN else _TAGS_LOG_SIGMA
    return FocalEstimate(millimetres / FULL_FRAME_MM * max(size), sigma, source)


def given_focal(focal_px: float) -> FocalEstimate:
    """Of a focal length that somebody knows, footage pixels."""
    return FocalEstimate(focal_px, _GIVEN_LOG_SIGMA, GIVEN)


def prior_focal(size: tuple[int, int]) -> FocalEstimate:
    """What is assumed as long as nothing is known."""
    return FocalEstimate(PRIOR_SHARE * max(size), PRIOR_LOG_SIGMA, PRIOR)


def focal_from_people(blocks: Blocks, size: tuple[int, int]) -> FocalEstimate:
    """The prior with all that people say: its mean and spread over `LOG_GRID`."""
    cost = 0.5 * ((LOG_GRID - np.log(PRIOR_SHARE)) / PRIOR_LOG_SIGMA) ** 2
    cost = cost + _perspective_cost(blocks)
    share = np.exp(-(cost - cost.min()))
    share /= share.sum()
    mean = float(share @ LOG_GRID)
    sigma = float(np.sqrt(share @ (LOG_GRID - mean) ** 2))
    source = PEOPLE if sigma < _TOLD_LOG_SIGMA * PRIOR_LOG_SIGMA else PRIOR
    return FocalEstimate(float(np.exp(mean)) * max(size), sigma, source)


def _perspective_cost(blocks: Blocks) -> np.ndarray:
    """(G,) minus log likelihood by perspective within bodies. Each person is wrong in his own way, and all in one."""
    cost = np.zeros(len(LOG_GRID))
    for track in np.unique(blocks.track_id):
        own = blocks.track_id == track
        typical = blocks.cost[own] / blocks.rows[own][:, None]
        cost += _blurred(typical.sum(axis=0), _PERSON_LOG_SIGMA)
    cost = _blurred(cost, _COMMON_LOG_SIGMA)
    return np.interp(LOG_GRID - np.log(_PERSPECTIVE_SEEN), LOG_GRID, cost)


def _blurred(cost: np.ndarray, log_sigma: float) -> np.ndarray:
    """(G,) minus log of the likelihood, spread out over the logarithm of the focal length."""
    kernel = np.exp(-0.5 * ((LOG_GRID[:, None] - LOG_GRID) / log_sigma) ** 2)
    kernel /= kernel.sum(axis=1, keepdims=True)
    return -np.log(kernel @ np.exp(-(cost - cost.min())) + 1e-300)


class FocalEstimator:
    """The focal length while a clip streams; with a told one (given, tags) it is that and looks at nobody.

    Its state is replaced and never changed: a copy goes its own way.
    """

    def __init__(self, size: tuple[int, int], told: FocalEstimate | None = None) -> None:
        self._size, self._told = size, told
        self._blocks = Blocks.empty()
        self._current = told or prior_focal(size)
        self._time_s = 0.0

    @property
    def current(self) -> FocalEstimate:
        """What this frame is to be seen with."""
        return self._current

    def update(self, people: FollowedPeople, time_s: float) -> FocalEstimate:
        """Look at the people of a frame; returns the new current."""
        if self._told is None and len(people):
            fresh = look_at(rows_of(people, time_s), self._blocks, self._size)
            if len(fresh):
                self._blocks = self._blocks.plus(fresh)
                self._current = self._crept(focal_from_people(self._blocks, self._size), time_s - self._time_s)
                self._time_s = time_s
        return self._current

    def final(self) -> FocalEstimate:
        """The one value of the whole clip."""
        return self._told or focal_from_people(self._blocks, self._size)

    def _crept(self, aim: FocalEstimate, seconds: float) -> FocalEstimate:
        step = np.log(aim.focal_px / self._current.focal_px)
        most = _GREATEST_STEP_PER_S * max(seconds, 0.0)
        focal = self._current.focal_px * float(np.exp(np.clip(step, -most, most)))
        return FocalEstimate(focal, aim.log_sigma, aim.source)

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on elsewhere, as plain arrays."""
        current = np.array([self._current.focal_px, self._current.log_sigma, self._time_s])
        source = np.array((GIVEN, TAGS, PEOPLE, PRIOR).index(self._current.source))
        return {"current": current, "source": source, **self._blocks.export_state()}

    def restore_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from :meth:`export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        state = StateReader("the focal length", arrays)
        focal, sigma, time_s = state.array("current", np.float64, 3).tolist()
        source = state.count("source")
        state.require(focal > 0 and sigma > 0 and source < 4, "current is no focal length")
        self._blocks = Blocks.restored(state)
        self._current = FocalEstimate(focal, sigma, (GIVEN, TAGS, PEOPLE, PRIOR)[source])
        self._time_s = time_s


def rows_of(people: FollowedPeople, time_s: float) -> Rows:
    """The people of one frame."""
    seen = people.landmarks
    times = np.full(len(people), time_s)
    return Rows(times, people.track_id, seen.point_px, seen.world, seen.visibility, people.inside)
