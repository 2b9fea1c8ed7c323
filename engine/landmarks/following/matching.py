# SPDX-License-Identifier: GPL-3.0-or-later
"""Which detection is which followed person's: costs, and the cheapest assignment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.optimize import linear_sum_assignment

from .clothes import difference
from .likeness import SEEN, box_overlap, common_area, keypoint_similarity, sizes

_IMPOSSIBLE = 9.0
"""Cost of a pair that cannot be: more than all others together."""

_DEAREST = 1.2
"""Pairs of higher cost are none."""

_STEP_S = 0.12
"""Time between two looks for which the tolerances were measured; longer gaps widen them."""

_TOLERANCE, _TOLERANCE_A_STEP, _WIDENING_STEPS = 2.0, 0.7, 8.0
"""Of the similarity of keypoints, how much wider with each step of a gap, and until when."""

_STRAIGHT_STEPS, _SLOWING = 3.0, 0.9
"""People go on as they went for so many steps; then the prediction slows down to this share in each."""

_UNKNOWN_CLOTHES = 0.35
"""Difference of clothes that are not known: as far as two views of one person often are."""

_LEAST_SIMILARITY, _LEAST_OVERLAP = 0.15, 0.3
"""Of the predicted and the seen person, for somebody seen in the last look: one of the two is needed."""

_OTHER_CLOTHES, _SURE_SIMILARITY = 0.75, 0.5
"""Clothes so different are somebody else's, unless the place is as sure as this."""

_LOST_GROWTH, _LOST_CLOTHES = float(np.log(1.7)), 0.5
"""Most by which the size, and the clothes, of somebody lost may differ when found again."""

_ALONE_GAP_S = 0.5
"""Within this, and with nobody else near, whoever is found where somebody was lost is the same, whatever the clothes:
in a somersault before the sun they looked different by 0.5 to 0.9 from one sighting to the next."""

_ALONE_CLOTHES = 0.65
"""As `_LOST_CLOTHES`, with nobody else near: a woman who walked out of the sun looked different by 0.6."""

_ALONE_GROWTH = float(np.log(2.2))
"""Most by which the size may differ then: a box changes with every somersault."""

_NO_IDENTITY = 0.3
"""What a pair costs more if the track has no identity yet: those who have one come first."""

_CLOTHES_DECIDE = 2.0
"""How much more clothes weigh after two people were seen as one."""

_LOST_REACH, _LOST_SPEED = 0.6, 1.2
"""How far away somebody lost may be found again: in sizes of the person, and sizes a second of the gap."""

_LONGEST_WAY_S = 1.5
"""Whoever is lost for longer was hidden, and comes out again near by."""

_BLIND_GAP_S, _BLIND_SIMILARITY = 0.7, 0.4
"""Without known clothes, somebody lost is found again by place alone: soon, and nearly there."""


@dataclass(frozen=True)
class View:
    """What people are compared by."""

    keypoint_px: np.ndarray
    """(17, 2)"""
    keypoint_score: np.ndarray
    """(17,)"""
    box_px: np.ndarray
    """(4,)"""
    clothes: np.ndarray
    """(REGIONS, COLORS)"""


class Followed(Protocol):
    """What of a track decides which detection is its own."""

    @property
    def key(self) -> int: ...
    @property
    def has_identity(self) -> bool: ...
    @property
    def view(self) -> View: ...
    @property
    def velocity(self) -> np.ndarray: ...
    @property
    def seen_s(self) -> float: ...
    @property
    def missed(self) -> int: ...
    @property
    def partner(self) -> int: ...


@dataclass(frozen=True)
class _Pair:
    """A track and a detection, and what decides whether they are one."""

    known: View
    view: View
    gap_s: float
    unlike: float | None
    """How different the clothes are, None where that is not known."""
    is_alone: bool
    """Whether nobody else could be meant."""

    @property
    def growth(self) -> float:
        """Logarithm of the ratio of the two sizes, 0 or more."""
        return abs(float(np.log(sizes(self.view.box_px) / sizes(self.known.box_px))))

    @property
    def worn(self) -> float:
        """How different the clothes are, or commonly are."""
        return _UNKNOWN_CLOTHES if self.unlike is None else self.unlike

    def similarity(self, place: np.ndarray) -> float:
        """Of the detection and the track's keypoints (17, 2) at a place, 0..1; wider after a gap."""
        size = float(np.sqrt(sizes(self.known.box_px) * sizes(self.view.box_px)))
        steps = min(max(self.gap_s / _STEP_S - 1.0, 0.0), _WIDENING_STEPS)
        scores = self.known.keypoint_score, self.view.keypoint_score
        tolerance = _TOLERANCE + _TOLERANCE_A_STEP * steps
        return keypoint_similarity(place, scores[0], self.view.keypoint_px, scores[1], size, tolerance)

    def distance(self, place: np.ndarray) -> float:
        """Of the two in sizes of the person: of the keypoints that both have seen, or of the boxes' middles."""
        both = (self.known.keypoint_score > SEEN) & (self.view.keypoint_score > SEEN)
        if both.sum() >= 3:
            away = (self.view.keypoint_px[both] - place[both]).mean(axis=0)
        else:
            away = (self.view.box_px - self.known.box_px).reshape(2, 2).mean(axis=0)
        return float(np.linalg.norm(away) / sizes(self.view.box_px))


def assign(
    tracks: Sequence[Followed], views: Sequence[View], time_s: float, carried: Mapping[int, np.ndarray]
) -> list[tuple[int, int]]:
    """Pairs of a track's row and a detection's. ``carried``: keypoints by track's key, where landmarks have them."""
    if not tracks or not views:
        return []
    fronts = {track.partner: track.view.keypoint_px for track in tracks if track.partner >= 0}
    boxes = [track.view.box_px + np.tile(moved(track.velocity, time_s - track.seen_s), 2) for track in tracks]
    costs = np.full((len(tracks), len(views)), _IMPOSSIBLE)
    for row, track in enumerate(tracks):
        for column, view in enumerate(views):
            rivals = [box for place, box in enumerate(boxes) if place != row and tracks[place].has_identity]
            doubles = [other.box_px for place, other in enumerate(views) if place != column]
            alone = not any(common_area(view.box_px, box) for box in rivals) and not any(
                common_area(boxes[row], box) for box in doubles
            )
            unlike = difference(track.view.clothes, view.clothes)
            pair = _Pair(track.view, view, time_s - track.seen_s, unlike, alone)
            costs[row, column] = _cost(track, pair, carried.get(track.key), fronts.get(track.key))
    rows, columns = linear_sum_assignment(costs)
    good = costs[rows, columns] <= _DEAREST
    return list(zip(rows[good].tolist(), columns[good].tolist(), strict=True))


def _cost(track: Followed, pair: _Pair, carried: np.ndarray | None, front: np.ndarray | None) -> float:
    """The least of what is possible: seen on where it went, or where the landmarks followed; found again, or found
    where somebody is behind whom it was lost (``front``, keypoints)."""
    place = pair.known.keypoint_px + moved(track.velocity, pair.gap_s)
    options = [_cost_of_seen(pair, where) for where in ([place] if not track.missed else [])]
    if carried is not None:
        options.append(_cost_of_seen(pair, carried))
    if track.partner >= 0:  # it may be the other one who is seen: the clothes decide when they part
        doubt = _CLOTHES_DECIDE * max((pair.unlike or 0.0) - _UNKNOWN_CLOTHES, 0.0)
        options = [cost + doubt for cost in options]
    if track.missed or track.partner >= 0 or pair.is_alone:
        options.append(_cost_of_lost(pair, place))
    if track.missed and front is not None:
        options.append(_cost_of_lost(pair, front))
    return min(options) + (0.0 if track.has_identity else _NO_IDENTITY)


def _cost_of_seen(pair: _Pair, place: np.ndarray) -> float:
    """Of somebody who was there in the last look, or whom the landmarks have not let go of since."""
    similar = pair.similarity(place)
    if similar < _LEAST_SIMILARITY and box_overlap(pair.known.box_px, pair.view.box_px) < _LEAST_OVERLAP:
        return _IMPOSSIBLE
    if pair.worn > _OTHER_CLOTHES and similar < _SURE_SIMILARITY and not pair.is_alone:
        return _IMPOSSIBLE
    return (1 - similar) + 0.6 * (pair.worn - _UNKNOWN_CLOTHES) + 0.3 * pair.growth


def _cost_of_lost(pair: _Pair, place: np.ndarray) -> float:
    """Of somebody whom the last look did not find: clothes count more and the place less."""
    if pair.distance(place) > _LOST_REACH + _LOST_SPEED * min(pair.gap_s, _LONGEST_WAY_S):
        return _IMPOSSIBLE
    similar = pair.similarity(place)
    if pair.is_alone and pair.gap_s <= _ALONE_GAP_S:  # light and pose change clothes more than people change places
        return 0.35 + 0.5 * (1 - similar) + 0.3 * pair.growth if pair.growth <= _ALONE_GROWTH else _IMPOSSIBLE
    if pair.growth > _LOST_GROWTH:
        return _IMPOSSIBLE
    if pair.unlike is None and (pair.gap_s > _BLIND_GAP_S or similar < _BLIND_SIMILARITY):
        return _IMPOSSIBLE
    if pair.worn > (_ALONE_CLOTHES if pair.is_alone else _LOST_CLOTHES):
        return _IMPOSSIBLE
    return 0.35 + 0.5 * (1 - similar) + 1.2 * (pair.worn - 0.2) + 0.5 * pair.growth


def moved(velocity: np.ndarray, gap_s: float) -> np.ndarray:
    """(2,) pixels by which somebody has gone on after a gap."""
    steps = gap_s / _STEP_S
    return velocity * min(steps, _STRAIGHT_STEPS) * _STEP_S * _SLOWING ** max(steps - _STRAIGHT_STEPS, 0.0)
