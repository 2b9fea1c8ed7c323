# SPDX-License-Identifier: GPL-3.0-or-later
"""Where hands are looked for, what the networks see there, and which of it is believed.

The body's landmarks say roughly where a hand is; one network finds it there, another its 21 points. A hand that was
used in the frame before is looked for where its points were, without the first network. All hands of a frame go through
each network together. Hands that are too small, hidden or out of the frame cost nothing.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, fields, replace
from enum import IntEnum

import numpy as np

from ..networks import crops
from ..networks.network_runs import run
from ..networks.networks import Networks
from ..observations import Crops, FollowedPeople, _People
from .followed_crops import FollowedCrops
from .hand_fit import span_of
from .hand_pauses import HandPauses
from .hand_skeleton import LEFT, RIGHT

_ELBOWS, _WRISTS, _LITTLE, _INDEX = ([13, 14], [15, 16], [17, 18], [19, 20])
"""BlazePose's landmarks of an arm, left and right."""

_WRIST_VISIBLE = 0.5
_CROP_SIZE, _HAND_SIZE = 256, 224
"""Pixels that the two networks take."""

_HAND_OF_FOREARM = 0.55
"""A fist's length as a share of the forearm: what a hand is at least, if the fingers' landmarks lie on the wrist."""

_BOX = (0.795, 0.496)
_ROUGH_SIDE, _ROUGH_SHIFT, _FINE_SHIFT = 2.7, 0.1, 0.1
"""The box of a hand from its length and width, and how far the crop reaches beyond it: as MediaPipe's networks were
trained (the holistic graph)."""

_LEAST_CROP_PX = 4.0

_PALM = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]
_NEXT_SIDE, _NEXT_SHIFT = 2.0, 0.1
"""The crop of the next frame from the box of these points: as MediaPipe's network was trained (hand tracking)."""

_MAYBE_A_HAND = 0.3
"""Hands of which the network is surer than this, but not sure enough, are looked at again round their points: one in
seven of all hands that are used is found that way."""


@dataclass(frozen=True)
class HandSettings:
    """Which hands are looked at, and which are believed."""

    least_hand_px: float = 14.0
    """Hands whose body landmarks span less are not looked at."""
    least_span_px: float = 20.0
    """Hands whose 21 points span less are not believed: errors grow from 6 to 13 % of the span below it."""
    least_presence: float = 0.8
    least_inside: int = 17
    """Points of 21 that have to lie in the frame: presence alone stays high when its edge cuts the fingers off."""
    farthest_wrist: float = 0.6
    """How far the hand's wrist may be from the body's, in spans of the hand."""
    least_apart: float = 0.3
    """Two hands whose points are nearer than this on average, in spans, are one hand found twice."""
    greatest_cost: float = 120.0
    """Of the fit: above it, the points are no hand that a person could have."""


class Refusal(IntEnum):
    """Why a hand is not used."""

    NONE = 0
    NOT_LOOKED_AT = 1
    SMALL = 2
    PRESENCE = 3
    OTHER_SIDE = 4
    CUT_OFF = 5
    ELSEWHERE = 6
    COINCIDES = 7
    COST = 8


@dataclass(frozen=True)
class HandLandmarks(_People):
    """Hands that were looked at; one row a hand."""

    person: np.ndarray
    """(h,) row of the person."""
    side: np.ndarray
    """(h,) LEFT or RIGHT."""
    body_wrist_px: np.ndarray
    """(h, 2) the wrist by the body's landmarks."""
    point_px: np.ndarray
    """(h, 21, 2)"""
    world: np.ndarray
    """(h, 21, 3) metres, in a camera that looks along the ray through the crop's centre, the crop's turn undone."""
    presence: np.ndarray
    """(h,) 0..1: that a hand is in the crop."""
    right: np.ndarray
    """(h,) 0..1: that it is a right hand."""
    crop: Crops

    def with_rows(self, rows: np.ndarray, other: HandLandmarks) -> HandLandmarks:
        """A copy with some rows replaced."""
        merged = copy.deepcopy(self)
        for item in fields(HandLandmarks):
            if item.name != "crop":
                getattr(merged, item.name)[rows] = getattr(other, item.name)
        for item in fields(Crops):
            getattr(merged.crop, item.name)[rows] = getattr(other.crop, item.name)
        return merged


def candidates(people: FollowedPeople, settings: HandSettings) -> tuple[np.ndarray, np.ndarray]:
    """(h,) rows of people and (h,) sides of the hands worth a look: the wrist visible, in the frame, large enough."""
    point = people.landmarks.point_px
    wrist = point[:, _WRISTS]
    reach = 2.0 * np.linalg.norm(wrist - 0.5 * (point[:, _LITTLE] + point[:, _INDEX]), axis=-1)
    forearm = np.linalg.norm(wrist - point[:, _ELBOWS], axis=-1)
    large = np.maximum(reach, _HAND_OF_FOREARM * forearm) >= settings.least_hand_px
    visible = (people.landmarks.visibility[:, _WRISTS] > _WRIST_VISIBLE) & people.inside[:, _WRISTS]
    person, side = np.nonzero(large & visible)
    return person, side


def rough_crops(point_px: np.ndarray, side: np.ndarray) -> Crops:
    """Crops round the hands of (h, 39, 2) body landmarks, with the fingers up."""
    rows = np.arange(len(side))
    wrist, little, index = (point_px[rows, np.array(pair)[side]] for pair in (_WRISTS, _LITTLE, _INDEX))
    middle = (2.0 * index + little) / 3.0
    box = _BOX[0] * _length(middle - wrist) + _BOX[1] * _length(index - little)
    return _shifted(middle, middle - wrist, _ROUGH_SHIFT * box, _ROUGH_SIDE * box)


def fine_crops(centre_px: np.ndarray, below_px: np.ndarray) -> Crops:
    """Crops from (h, 2) the middle of a hand and (h, 2) a point below it, as the first network says."""
    side = 2.0 * _length(centre_px - below_px)
    return _shifted(centre_px, centre_px - below_px, _FINE_SHIFT * side, side)


def _shifted(centre: np.ndarray, upward: np.ndarray, shift: np.ndarray, side: np.ndarray) -> Crops:
    angle = np.arctan2(upward[:, 0], -upward[:, 1])
    up = np.stack([np.sin(angle), -np.cos(angle)], axis=-1)
    return Crops(centre + up * shift[:, None], np.maximum(side, _LEAST_CROP_PX), angle)


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors, axis=-1)


def next_crops(point_px: np.ndarray) -> Crops:
    """Crops for the next frame round (h, 21, 2) points, the fingers up."""
    middle = 0.25 * (point_px[:, 6] + point_px[:, 14]) + 0.5 * point_px[:, 10]
    upward = middle - point_px[:, 0]
    angle = np.arctan2(upward[:, 0], -upward[:, 1])
    across = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    down = np.stack([-np.sin(angle), np.cos(angle)], axis=-1)
    box = np.stack([(point_px[:, _PALM] * axis[:, None]).sum(-1) for axis in (across, down)], axis=-1)
    low, high = box.min(axis=1), box.max(axis=1)
    size, centre = high - low, 0.5 * (low + high)
    centre = centre[:, :1] * across + centre[:, 1:] * down
    return _shifted(centre, -down, _NEXT_SHIFT * size[:, 1], _NEXT_SIDE * size.max(axis=1))


def followed_hands(hands: HandLandmarks, people: FollowedPeople) -> FollowedCrops:
    """Where to look for hands in the next frame."""
    return FollowedCrops(people.track_id[hands.person], hands.side, hands.body_wrist_px, next_crops(hands.point_px))


def perhaps(hands: HandLandmarks) -> np.ndarray:
    """(h,) bool: the network is not sure that it is none."""
    return hands.presence > _MAYBE_A_HAND


def look_at_hands(
    networks: Networks,
    rgb: np.ndarray,
    people: FollowedPeople,
    before: FollowedCrops,
    settings: HandSettings,
    pauses: HandPauses,
) -> HandLandmarks:
    """Landmarks of the hands of (H, W, 3) uint8 worth a look; `before` says where hands were a frame ago."""
    person, side = candidates(people, settings)
    worth = ~pauses.resting(people, person, side)
    person, side = person[worth], side[worth]
    point = people.landmarks.point_px[person]
    wrist = point[np.arange(len(side)), np.array(_WRISTS)[side]]
    hands = _unseen(person, side, wrist)
    known = before.rows_of(people.track_id[person], side)

    def look(rows: np.ndarray, where: Crops) -> None:
        nonlocal hands
        if len(rows):
            hands = hands.with_rows(rows, _points(networks, rgb, hands.select(rows), where))

    followed = np.nonzero(known >= 0)[0]
    look(followed, before.gone_along(known[followed], wrist[followed]))
    lost = refusals(hands, rgb.shape[1], rgb.shape[0], settings) != Refusal.NONE
    fresh = np.nonzero(lost)[0]
    if len(fresh):
        look(fresh, _found_crops(networks, rgb, rough_crops(point[fresh], side[fresh])))
    doubtful = lost & perhaps(hands) & (hands.presence <= settings.least_presence)
    again = np.nonzero(doubtful & (span_of(hands.point_px) >= settings.least_span_px))[0]
    look(again, next_crops(hands.point_px[again]))
    return hands


def _found_crops(networks: Networks, rgb: np.ndarray, rough: Crops) -> Crops:
    """Crops of hands that a network finds in rough ones."""
    found = run(networks.hand_crop, networks.device, rgb, rough, _CROP_SIZE)["crop"].reshape(-1, 2, 2)
    found = crops.to_footage(rough, _CROP_SIZE, found)
    return fine_crops(found[:, 0], found[:, 1])


def _points(networks: Networks, rgb: np.ndarray, hands: HandLandmarks, where: Crops) -> HandLandmarks:
    """The hands, looked at in crops."""
    seen = run(networks.hand, networks.device, rgb, where, _HAND_SIZE)
    flat = seen["landmarks"].reshape(-1, 21, 3)[..., :2]
    return replace(
        hands, point_px=crops.to_footage(where, _HAND_SIZE, flat),
        world=upright(seen["world"].reshape(-1, 21, 3), where.angle),
        presence=seen["presence"][:, 0], right=seen["right"][:, 0], crop=where,
    )  # fmt: skip


def upright(points: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """(h, k, 3) points in turned crops to the same in the footage's directions."""
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x, y, z = np.moveaxis(points, -1, 0)
    return np.stack([cosine * x - sine * y, sine * x + cosine * y, z], axis=-1)


def _unseen(person: np.ndarray, side: np.ndarray, wrist_px: np.ndarray) -> HandLandmarks:
    """Hands that nobody has looked at."""
    count = len(side)
    return HandLandmarks(
        person, side, wrist_px, np.zeros((count, 21, 2)), np.zeros((count, 21, 3)), np.zeros(count), np.zeros(count),
        Crops(np.zeros((count, 2)), np.zeros(count), np.zeros(count)),
    )  # fmt: skip


def refusals(hands: HandLandmarks, width: int, height: int, settings: HandSettings) -> np.ndarray:
    """(h,) `Refusal` of each hand in a frame of this size, before any fit."""
    span = span_of(hands.point_px)
    inside = ((hands.point_px >= 0) & (hands.point_px <= (width - 1, height - 1))).all(-1).sum(-1)
    away = _length(hands.point_px[:, 0] - hands.body_wrist_px) / np.maximum(span, 1e-9)
    reasons = {
        Refusal.SMALL: span < settings.least_span_px,
        Refusal.PRESENCE: hands.presence <= settings.least_presence,
        Refusal.OTHER_SIDE: (hands.right > 0.5) != (hands.side == RIGHT),
        Refusal.CUT_OFF: inside < settings.least_inside,
        Refusal.ELSEWHERE: away >= settings.farthest_wrist,
    }
    refused = np.select(list(reasons.values()), list(reasons), Refusal.NONE)
    return np.where(_found_twice(hands, refused == Refusal.NONE, settings), Refusal.COINCIDES, refused)


def _found_twice(hands: HandLandmarks, usable: np.ndarray, settings: HandSettings) -> np.ndarray:
    """(h,) usable hands that lie on a better one: less sure of their side, or farther from their body's wrist."""
    span = span_of(hands.point_px)
    doubt = np.abs(hands.right - (hands.side != LEFT)) + _length(
        hands.point_px[:, 0] - hands.body_wrist_px
    ) / np.maximum(span, 1e-9)
    apart = _length(hands.point_px[:, None] - hands.point_px[None]).mean(-1)
    near = apart < settings.least_apart * np.minimum(span[:, None], span[None])
    order = np.lexsort((np.arange(len(doubt)), doubt)).argsort()
    return usable & (near & usable[None] & (order[None] < order[:, None])).any(axis=1)
