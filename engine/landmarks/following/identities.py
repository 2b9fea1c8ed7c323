# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is who: detections become tracks by place, size and the colors of clothes.

The detection owns the identity. A crop that follows its own landmarks slides on to whoever stands in front; where it
has got to only helps to find the person's next detection, and never says who that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ...resuming.state_reader import StateReader
from ..observations import KEYPOINT_COUNT, Detections
from .clothes import COLORS, REGIONS, learned
from .likeness import SEEN, box_overlap, covered_share, keypoint_similarity, sizes
from .matching import View, assign, moved

LONGEST_GAP_S = 1.5
"""A person who was not detected for longer is forgotten."""

LONGEST_HIDDEN_S = 5.0
"""The same of a person who was lost behind, or in the arms of, somebody who is still there."""

HITS_OF_A_PERSON = 3
"""Sightings, believed by the landmarks too, after which somebody new gets an identity."""

_UNBELIEVED_GAP_S = 0.4
"""Somebody without an identity is forgotten after this long."""

_SAME_SIMILARITY, _SAME_OVERLAP = 0.4, 0.65
"""Nobody new begins on a detection as similar to, or overlapping as much with, somebody who is seen."""

_TWIN_SIMILARITY, _TWIN_TOLERANCE, _TWIN_LOOKS = 0.6, 1.5, 2
"""Two tracks as alike as this in this many looks follow one person: the younger one ends."""

_KNOWN_FOR_LONG = 8
"""Sightings from which the younger one is a person all the same."""

_VELOCITY_RATE = 0.4
"""Of what a new sighting says of the velocity, against what was known."""

_LEAST_COMMON = 4
"""Keypoints seen in two sightings that say how the person moved."""

_MOST_SPEED = 4.0
"""Sizes of a person a second: somebody who falls has 4 after two meters."""

_CLOTHES_RATE = 0.1
"""The same of the colors of clothes."""

_CLEAR_OVERLAP = 0.15
"""Colors are learned from sightings of which others cover no more than this."""

_MEETING = 0.3
"""Share of a lost person's predicted box within a seen one's from which it is uncertain which of the two is seen."""


@dataclass(frozen=True)
class Track:
    """What is known of one person, from detections alone."""

    key: int
    """Names the track from its first sighting on; keys are never reused."""
    track_id: int
    """The person's number for everybody else; -1 before it has one."""
    hits: int
    """Sightings that were believed."""
    doubts: int
    """Sightings in a row that were not believed."""
    looks: int
    """All sightings."""
    twin_looks: int
    missed: int
    """Looks in a row that did not find the person."""
    partner: int
    """Key of the track that was lost where this one is, -1: which of the two this is, is uncertain until they part."""
    seen_s: float
    score: float
    keypoint_px: np.ndarray
    """(17, 2)"""
    keypoint_score: np.ndarray
    """(17,)"""
    box_px: np.ndarray
    """(4,)"""
    velocity: np.ndarray
    """(2,) pixels a second."""
    clothes: np.ndarray
    """(REGIONS, COLORS) float32"""

    @property
    def is_seen(self) -> bool:
        """Whether the last look found the person."""
        return self.missed == 0

    @property
    def has_identity(self) -> bool:
        return self.track_id >= 0

    def box_at(self, time_s: float) -> np.ndarray:
        """(4,) where the person would be if he or she went on straight."""
        return self.box_px + np.tile(moved(self.velocity, time_s - self.seen_s), 2)

    @property
    def view(self) -> View:
        """What it is compared by."""
        return View(self.keypoint_px, self.keypoint_score, self.box_px, self.clothes)


_ARRAYS: dict[str, tuple[Any, tuple[int, ...]]] = {
    **dict.fromkeys(("key", "track_id", "hits", "doubts", "looks", "twin_looks", "missed", "partner"), (np.int64, ())),
    **dict.fromkeys(("seen_s", "score"), (np.float64, ())),
    "keypoint_px": (np.float64, (KEYPOINT_COUNT, 2)),
    "keypoint_score": (np.float64, (KEYPOINT_COUNT,)),
    "box_px": (np.float64, (4,)),
    "velocity": (np.float64, (2,)),
    "clothes": (np.float32, (REGIONS, COLORS)),
}
"""Type and shape of each of a track's values."""


class Identities:
    """Gives detections their tracks. All state is replaced, so a shallow copy goes its own way."""

    def __init__(self, detection_threshold: float = 0.18) -> None:
        self._threshold = detection_threshold
        self.tracks: tuple[Track, ...] = ()
        self._next_key = 0
        self._next_id = 0

    def update(
        self,
        people: Detections,
        clothes: np.ndarray,
        time_s: float,
        carried: Mapping[int, np.ndarray] | None = None,
    ) -> np.ndarray:
        """One look's detections -> (n,) int64 key of each one's track, -1 for those of nobody.

        ``clothes`` is (n, REGIONS, COLORS). ``carried`` has, by the key of a track, where the landmarks have followed
        the person to since the last look: (17, 2) pixels.
        """
        views = [
            View(*values)
            for values in zip(people.keypoint_px, people.keypoint_score, people.box_px, clothes, strict=True)
        ]
        pairs = assign(self.tracks, views, time_s, carried or {})
        seen = {row: self._sighted(self.tracks[row], people, views, column, time_s) for row, column in pairs}
        tracks = [seen.get(row) or replace(track, missed=track.missed + 1) for row, track in enumerate(self.tracks)]
        keys = np.full(len(people), -1)
        for row, column in pairs:
            keys[column] = self.tracks[row].key
        for column in np.flatnonzero((keys < 0) & (people.score >= self._threshold)).tolist():
            if not any(track.is_seen and _same(track.view, views[column]) for track in tracks):
                tracks.append(self._new(people, views[column], column, time_s))
                keys[column] = tracks[-1].key
        self.tracks = _without_twins(_with_partners(tracks, time_s))
        keys[~np.isin(keys, [track.key for track in self.tracks if track.is_seen])] = -1
        self.forget(time_s)
        return keys

    def judge(self, believed: Mapping[int, bool], sure: frozenset[int] = frozenset()) -> None:
        """Say of the tracks seen last (by key) whether the landmarks agree; ``sure`` ones need no more sightings."""
        tracks = []
        for track in self.tracks:
            if track.key in believed:
                hit = believed[track.key]
                track = replace(track, hits=track.hits + hit, doubts=0 if hit else track.doubts + 1)
                if hit and not track.has_identity and (track.hits >= HITS_OF_A_PERSON or track.key in sure):
                    track = replace(track, track_id=self._next_id)
                    self._next_id += 1
            tracks.append(track)
        self.tracks = tuple(tracks)

    def forget(self, time_s: float) -> None:
        """Let go of people who have not been seen for too long."""
        kept, hidden = [], {track.partner for track in self.tracks}
        for track in self.tracks:
            longest = LONGEST_GAP_S if track.has_identity else _UNBELIEVED_GAP_S
            longest = LONGEST_HIDDEN_S if track.key in hidden else longest
            if track.is_seen or time_s - track.seen_s <= longest + 1e-6:
                kept.append(track)
        self.tracks = tuple(kept)

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on elsewhere, as plain arrays."""
        arrays = {
            name: np.array([getattr(track, name) for track in self.tracks], dtype).reshape(-1, *shape)
            for name, (dtype, shape) in _ARRAYS.items()
        }
        return {**arrays, "counters": np.array([self._next_key, self._next_id], np.int64)}

    def restore_state(self, state: StateReader) -> None:
        """Go on from :meth:`export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        arrays: dict[str, np.ndarray] = {
            name: state.array(name, dtype, "tracks", *shape) for name, (dtype, shape) in _ARRAYS.items()
        }
        self._next_key, self._next_id = state.counts("counters", 2)
        keys, ids = arrays["key"], arrays["track_id"]
        given = ids[ids >= 0]
        state.require(bool(((keys >= 0) & (keys < self._next_key)).all()), "keys are not those that were given")
        state.require(bool(((ids >= -1) & (ids < self._next_id)).all()), "ids are not those that were given")
        state.require(
            len(np.unique(keys)) == len(keys) and len(np.unique(given)) == len(given), "a track is there twice"
        )
        names = [item.name for item in fields(Track)]
        self.tracks = tuple(Track(**{name: _plain(arrays[name][row]) for name in names}) for row in range(len(keys)))

    def _new(self, people: Detections, view: View, column: int, time_s: float) -> Track:
        key, self._next_key = self._next_key, self._next_key + 1
        return Track(
            key=key, track_id=-1, hits=0, doubts=0, looks=1, twin_looks=0, missed=0, partner=-1, seen_s=time_s,
            score=float(people.score[column]), keypoint_px=view.keypoint_px, keypoint_score=view.keypoint_score,
            box_px=view.box_px, velocity=np.zeros(2), clothes=view.clothes,
        )  # fmt: skip

    @staticmethod
    def _sighted(track: Track, people: Detections, views: list[View], column: int, time_s: float) -> Track:
        """The track after this detection of it."""
        view = views[column]
        others = [other.box_px for row, other in enumerate(views) if row != column]
        is_clear = track.partner < 0 and all(covered_share(view.box_px, box) <= _CLEAR_OVERLAP for box in others)
        return replace(
            track,
            missed=0,
            looks=track.looks + 1,
            seen_s=time_s,
            score=float(people.score[column]),
            velocity=_velocity(track, view, time_s),
            clothes=learned(track.clothes, view.clothes, _CLOTHES_RATE) if is_clear else track.clothes,
            keypoint_px=view.keypoint_px,
            keypoint_score=view.keypoint_score,
            box_px=view.box_px,
        )


def _plain(value: Any) -> Any:
    """A number out of an array as Python's own."""
    return value if isinstance(value, np.ndarray) else value.item()


def _velocity(track: Track, view: View, time_s: float) -> np.ndarray:
    """(2,) pixels a second after this sighting.

    The mean of the keypoints does not move when left and right are mistaken for each other.
    """
    passed = time_s - track.seen_s
    both = (track.keypoint_score > SEEN) & (view.keypoint_score > SEEN)
    if both.sum() < _LEAST_COMMON or passed <= 0:
        return track.velocity
    now = (view.keypoint_px[both] - track.keypoint_px[both]).mean(axis=0) / passed
    most = _MOST_SPEED * float(sizes(view.box_px))
    now = now * min(1.0, most / max(float(np.linalg.norm(now)), 1e-9))
    return (1 - _VELOCITY_RATE) * track.velocity + _VELOCITY_RATE * now


def _similarity(first: View, second: View, tolerance: float) -> float:
    size = float(np.sqrt(sizes(first.box_px) * sizes(second.box_px)))
    return keypoint_similarity(
        first.keypoint_px, first.keypoint_score, second.keypoint_px, second.keypoint_score, size, tolerance
    )


def _same(first: View, second: View) -> bool:
    return (
        _similarity(first, second, 2.0) > _SAME_SIMILARITY or box_overlap(first.box_px, second.box_px) > _SAME_OVERLAP
    )


def _with_partners(tracks: list[Track], time_s: float) -> list[Track]:
    """Note who was lost in front of or behind whom, and let go of it when they have parted."""
    by_key = {track.key: track for track in tracks}
    noted = []
    for track in tracks:
        partner = by_key.get(track.partner)
        if partner is None or partner.is_seen:
            track = replace(track, partner=-1)
        if track.partner < 0 and track.is_seen and track.has_identity:
            met = [other.key for other in tracks if _was_lost_at(other, track, time_s)]
            track = replace(track, partner=met[0] if met else -1)
        noted.append(track)
    return noted


def _was_lost_at(lost: Track, seen: Track, time_s: float) -> bool:
    """Whether the person was lost in this look, and where the other one is seen."""
    if lost.missed != 1 or not lost.has_identity:
        return False
    return covered_share(lost.box_at(time_s), seen.box_px) > _MEETING


def _without_twins(tracks: list[Track]) -> tuple[Track, ...]:
    """End the younger of two tracks that have followed one person for a while.

    If it is known for long, it was another person, who is hidden now by this one.
    """
    looks: dict[int, int] = {track.key: 0 for track in tracks}
    hidden: dict[int, int] = {}
    for row, track in enumerate(tracks):
        for other in tracks[:row]:
            both = track.is_seen and other.is_seen
            if both and _similarity(track.view, other.view, _TWIN_TOLERANCE) > _TWIN_SIMILARITY:
                younger, elder = sorted((track, other), key=lambda one: (one.hits, -one.key))
                looks[younger.key] = younger.twin_looks + 1
                if younger.hits >= _KNOWN_FOR_LONG and looks[younger.key] >= _TWIN_LOOKS:
                    hidden[younger.key], looks[younger.key] = elder.key, 0
    counted = [replace(track, twin_looks=looks[track.key]) for track in tracks]
    behind = {elder: younger for younger, elder in hidden.items()}
    counted = [replace(track, missed=1) if track.key in hidden else track for track in counted]
    counted = [replace(track, partner=behind[track.key]) if track.key in behind else track for track in counted]
    return tuple(track for track in counted if track.twin_looks < _TWIN_LOOKS)
