# SPDX-License-Identifier: GPL-3.0-or-later
"""Left and right over a whole track: frames in which the landmarks have them exchanged, all of them or a pair of limbs.

A single picture in profile, or of somebody small from behind, hardly tells them apart; a track does, since no two legs
change places from one frame to the next. Torso, arms and legs are exchanged or not in every frame, and those of the
track are chosen together: so that joints go on as they went, and as the detector saw them where it was asked.
T rows of one track; G = 3 groups.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..following.sides import EXCHANGED
from ..observations import LANDMARK_COUNT
from .clip_observations import ClipObservations

TORSO, ARMS, LEGS = range(3)

_JOINTS = (np.array([11, 12, 23, 24]), np.array([13, 14, 15, 16]), np.array([25, 26, 27, 28]))
"""Landmarks whose ways tell of each group's sides. Those of the face lie too close to each other."""

_GROUP_OF = np.array([TORSO] * 13 + [ARMS] * 10 + [TORSO] * 2 + [LEGS] * 8 + [TORSO] * 6)
"""(39,) which group each landmark belongs to."""

_METRES = 1.2
"""A person's size in the picture (the root of his extent's area) is about so many metres of body."""

_DEPTH_SHARE = 0.5
"""What the depths of the torso's landmarks count of what the picture counts."""

_NOISE = 0.05
"""Of a landmark, in sizes of the person."""

_ACCELERATION = 12.0
"""Of arms and legs against the trunk, sizes a second squared: a step's."""

_WRONG_PER_S = (4.0, 3.0, 3.0)
"""What a second costs in which a group is exchanged, limbs against the torso, of somebody seen from the side: about as
much as one joint that jumps. So a stretch is exchanged where both of its ends say so, even if it is long."""

_WRONG_IN_FRONT = 5.0
"""So many times as much where the whole breadth of the shoulders is seen: there the networks are seldom wrong."""

_SIDE_VIEW, _FRONT_VIEW = 0.3, 0.7
"""Breadth of the shoulders in lengths of the torso, in the picture."""

_CHANGE = (4.0, 3.0, 3.0)
"""What its beginning and its end cost. Where two joints lie on each other, nothing else tells."""

_OPINION = 6.0
"""What it costs to contradict the detector where it is sure of four keypoints."""

_OPINION_S = 0.1
"""Opinions nearer to each other than this repeat themselves."""

_HIDDEN = 0.3
"""Weight of a hidden joint: it moves along as well."""

_LOCAL_ROWS = 7
"""A person's size is the median of so many rows."""

_STATES = np.array(list(np.ndindex(2, 2, 2)), dtype=bool)
"""(8, G) what is exchanged in each state."""

_AGAINST_TORSO = _STATES ^ (_STATES[:, [TORSO]] & np.array([False, True, True]))


def with_sides_of_tracks(seen: ClipObservations) -> tuple[ClipObservations, np.ndarray]:
    """The rows with left and right as their whole tracks have them, and what was exchanged: (N, G) bool."""
    states = np.zeros((len(seen), len(_JOINTS)), bool)
    for track in np.unique(seen.track_id):
        rows = np.flatnonzero(seen.track_id == track)
        states[rows] = sides_of_track(seen.select(rows))
    return exchanged(seen, states), states


def exchanged(seen: ClipObservations, states: np.ndarray) -> ClipObservations:
    """The rows after exchanges (N, G).

    If the torso is exchanged, what was near is far, since back and front have the same outline. Limbs exchanged alone
    keep their depths: those follow shoulders and hips.
    """
    rows, own = np.arange(len(seen))[:, None], np.arange(LANDMARK_COUNT)
    source = np.where(states[:, _GROUP_OF], EXCHANGED, own)
    turned = states[:, [TORSO]]
    world = seen.world[rows, source].copy()
    world[..., 2] = np.where(turned, -1, 1) * seen.world[..., 2][rows, np.where(turned, EXCHANGED, own)]
    return replace(
        seen,
        point_px=seen.point_px[rows, source],
        world=world,
        visibility=seen.visibility[rows, source],
        inside=seen.inside[rows, source],
        sides=seen.sides * np.where(states, -1, 1),
    )


def sides_of_track(track: ClipObservations) -> np.ndarray:
    """(T, G) bool: where each group is to be exchanged."""
    if len(track) < 3:
        return np.zeros((len(track), len(_JOINTS)), bool)
    return _cheapest(_costs_of_rows(track), _costs_of_ways(track))


def _costs_of_rows(track: ClipObservations) -> np.ndarray:
    """(T, 8) of each row's states: that the networks were wrong there, and that the detector said otherwise."""
    share = (np.gradient(track.time_s).clip(0.0, 0.1) * _trust_in_networks(track))[:, None]
    opinion = _OPINION * _weight_of_opinions(track)[:, None] * track.sides
    denied = np.where(_STATES, np.maximum(opinion, 0)[:, None], np.maximum(-opinion, 0)[:, None]).sum(axis=-1)
    return share * (_AGAINST_TORSO @ np.array(_WRONG_PER_S)) + denied


def _trust_in_networks(track: ClipObservations) -> np.ndarray:
    """(T,) how much more they are to be trusted than with somebody seen from the side."""
    left, right, left_hip, right_hip = track.point_px[:, _JOINTS[TORSO]].swapaxes(0, 1)
    breadth = np.linalg.norm(left - right, axis=-1)
    length = np.linalg.norm(left + right - left_hip - right_hip, axis=-1) / 2
    share = (breadth / np.maximum(length, 1.0) - _SIDE_VIEW) / (_FRONT_VIEW - _SIDE_VIEW)
    return 1.0 + (_WRONG_IN_FRONT - 1.0) * share.clip(0.0, 1.0)


def _weight_of_opinions(track: ClipObservations) -> np.ndarray:
    """(T,) how much of each opinion is new."""
    asked = np.flatnonzero(track.sides.any(axis=-1))
    weight = np.zeros(len(track))
    weight[asked] = (np.diff(track.time_s[asked], prepend=-np.inf) / _OPINION_S).clip(0.0, 1.0)
    return weight


def _costs_of_ways(track: ClipObservations) -> np.ndarray:
    """(T - 2, 8, 8, 8) of the states of three rows in a row: that joints do not go on as they went."""
    costs = np.zeros((len(track) - 2, 8, 8, 8))
    for group in (TORSO, ARMS, LEGS):
        bit = _STATES[:, group].astype(int)
        costs += _costs_of_group(track, group)[:, bit][:, :, bit][:, :, :, bit]
    return costs


def _costs_of_group(track: ClipObservations, group: int) -> np.ndarray:
    """(T - 2, 2, 2, 2) of three rows in a row, each as it is or exchanged.

    The logarithm makes a jump of any size cost hardly more than one that is plain to see.
    """
    points, weight = _places(track, group)
    other = [1, 0, 3, 2]
    both = np.stack([points, points[:, other] * (1, 1, -1)])
    weights = np.stack([weight, weight[:, other]])
    steps = np.diff(track.time_s)
    ratio = (steps[1:] / np.maximum(steps[:-1], 1e-6)).clip(0.2, 3.0)[:, None, None]
    sigma = _NOISE * (1 + ratio) + _ACCELERATION * (steps[1:] * (steps[:-1] + steps[1:]) / 2)[:, None, None]
    costs = np.empty((len(points) - 2, 2, 2, 2))
    for first, second, third in np.ndindex(2, 2, 2):
        before, now, after = both[first, :-2], both[second, 1:-1], both[third, 2:]
        away = (((after - now) - ratio * (now - before)) / sigma) ** 2
        trust = np.minimum(np.minimum(weights[first, :-2], weights[second, 1:-1]), weights[third, 2:])
        costs[:, first, second, third] = (trust * np.log1p(away.sum(axis=-1))).sum(axis=-1)
    return costs


def _places(track: ClipObservations, group: int) -> tuple[np.ndarray, np.ndarray]:
    """(T, 4, 3) joints against the middle of the trunk in sizes of the person, and (T, 4) how far to believe them."""
    joints, trunk = _JOINTS[group], _JOINTS[TORSO]
    extent = np.sqrt(np.ptp(track.point_px[:, 11:29].astype(np.float64), axis=1).prod(axis=-1) + 1.0)
    reach = _LOCAL_ROWS // 2
    around = np.lib.stride_tricks.sliding_window_view(np.pad(extent, reach, mode="edge"), _LOCAL_ROWS)
    size = np.median(around, axis=-1)[:, None, None]
    flat = (track.point_px[:, joints] - track.point_px[:, trunk].mean(axis=1, keepdims=True)) / size
    depth = (track.world[:, joints, 2:] - track.world[:, trunk, 2:].mean(axis=1, keepdims=True)) / _METRES
    # Limbs exchanged alone keep their depths, so those tell nothing.
    share = _DEPTH_SHARE if group == TORSO else 0.0
    seen = track.visibility[:, joints] * track.inside[:, joints]
    return np.concatenate([flat, share * depth], axis=-1), _HIDDEN + (1 - _HIDDEN) * seen


def _cheapest(of_rows: np.ndarray, of_ways: np.ndarray) -> np.ndarray:
    """(T, G) the states of all rows whose costs are the least together: dynamic programming over pairs of rows."""
    differs = _AGAINST_TORSO[:, None] != _AGAINST_TORSO
    change = differs @ np.array(_CHANGE)
    best = of_rows[0][:, None] + of_rows[1] + change
    came_from = []
    for ways, row in zip(of_ways, of_rows[2:], strict=True):
        on = best[:, :, None] + ways
        came_from.append(on.argmin(axis=0))
        best = on.min(axis=0) + change + row
    before, now = divmod(int(best.argmin()), len(_STATES))
    states = [now, before]
    for origins in reversed(came_from):
        now, before = before, int(origins[before, now])
        states.append(before)
    return _STATES[states[::-1]]
