# SPDX-License-Identifier: GPL-3.0-or-later
"""How closely the detector looks at a frame, and which of its detections may be somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...contract.declaring import bad_setting
from ..observations import Crops, Detections
from .carrying import Carried
from .identities import Track
from .likeness import box_overlap
from .tiles import Detector, detect_on_tiles, detect_round, merge, tiles_of


@dataclass(frozen=True)
class Quality:
    """How closely the detector looks."""

    long_side: int
    """Pixels of the frame's longer side as the detector sees it."""
    period: int
    """It looks at every so many frames, while all is well."""
    tries: int
    """So often it looks for somebody missing, in each frame."""
    tile_side: int
    """Pixels of a tile's edge as it sees it."""
    tile_period: int
    """In every so many looks it looks at one of the frame's tiles too, in turn; in a capture's first look at all."""
    sides_period: int
    """In every so many frames it is asked about the sides of those who are seen from the side."""


QUALITIES: Mapping[str, Quality] = {
    "preview": Quality(320, 3, 1, 256, 3, 6),
    "standard": Quality(384, 2, 2, 256, 2, 3),
    "best": Quality(512, 2, 3, 320, 1, 2),
}


@dataclass(frozen=True)
class FollowingSettings:
    """How people are found and followed."""

    quality: str = "standard"
    """One of QUALITIES."""
    detection_threshold: float = 0.18
    """Score from which a detection may be somebody."""
    least_height: float = 0.1
    """People whose larger side is less than this share of the frame's height are left out."""

    def __post_init__(self) -> None:
        if self.quality not in QUALITIES:
            raise bad_setting(self, "quality", f"Use one of {', '.join(QUALITIES)}.")
        if not 0 < self.detection_threshold < 1:
            raise bad_setting(self, "detection_threshold", "Use a value between 0 and 1.")
        if not 0 <= self.least_height < 1:
            raise bad_setting(self, "least_height", "Use a value from 0 to less than 1.")


_STILL_FOLLOWED = 0.7
"""Of the least height and the threshold, for somebody who is followed: nobody flickers at a limit."""

_SECOND_LOOKS = 2
"""Most people missing in a frame for whom the detector looks again, for the time it takes."""

_FOUND_OVERLAP = 0.3
"""Of a detection's box with somebody's last one, from which he or she is not missing."""

_TRIES = ((1.6, 0.0), (2.4, 0.0), (1.6, np.pi), (1.6, 0.0), (2.0, np.pi / 2), (2.0, -np.pi / 2))
"""How the squares lie in which the detector looks for somebody missing, one after the other: edge in larger edges of
the last box, and turn. The detector finds best who fills the picture and is upright in it: a man of half a frame's
height, gray before a gray sky, was found in 15 % of the frames at 320 pixels, and in 80 % in such squares."""

_ROOM_ROUND_CROP = 1.3
"""Edge of the first square, in edges of the crop of the last frame's landmarks."""


def look(
    detector: Detector,
    rgb: np.ndarray,
    settings: FollowingSettings,
    tracks: Sequence[Track],
    carried: Carried,
    time_s: float,
    looks: int,
) -> Detections:
    """The people in a frame, (H, W, 3) uint8, who may be somebody, each once; `looks` were before this one."""
    quality = QUALITIES[settings.quality]
    tiles = _tiles_due(quality, tiles_of(rgb.shape[1], rgb.shape[0]), looks)
    people = merge(detector(rgb, quality.long_side), detect_on_tiles(detector, rgb, tiles, quality.tile_side))
    missing = _missing(tracks, people.select(people.score >= settings.detection_threshold))
    for track in missing:
        for crop in _round(track, carried, quality.tries, time_s):
            people = merge(people, [detect_round(detector, rgb, crop)])
    return people.select(_is_worth_following(people, rgb.shape[0], settings, tracks))


def _tiles_due(quality: Quality, tiles: np.ndarray, looks: int) -> np.ndarray:
    """Those of the frame's tiles that a look takes in: small people are found there, and each tile costs a look."""
    if not looks or not len(tiles):
        return tiles
    turn, rest = divmod(looks, quality.tile_period)
    return tiles[[turn % len(tiles)]] if rest == 0 else tiles[:0]


def _missing(tracks: Sequence[Track], people: Detections) -> list[Track]:
    """Those who were followed last and are not detected."""
    missing = [
        track
        for track in tracks
        if track.has_identity and all(box_overlap(track.box_px, box) < _FOUND_OVERLAP for box in people.box_px)
    ]
    return sorted(missing, key=lambda track: -track.seen_s)[:_SECOND_LOOKS]


def _round(track: Track, carried: Carried, tries: int, time_s: float) -> list[Crops]:
    """Where somebody missing may be (n = 1 each): where the landmarks have followed, then straight on."""
    box, row = track.box_at(time_s), carried.row_of(track.key)
    middle, edge = box.reshape(2, 2).mean(axis=0), (box[2:] - box[:2]).max()
    crops = []
    for place in range(track.missed * tries, (track.missed + 1) * tries):
        room, angle = _TRIES[place % len(_TRIES)]
        crops.append(Crops(middle[None], np.array([edge * room]), np.array([angle])))
    if row >= 0:
        crop = carried.crop.select(np.array([row]))
        crops[0] = replace(crop, side_px=crop.side_px * _ROOM_ROUND_CROP)
    return crops


def _is_worth_following(
    people: Detections, frame_height: int, settings: FollowingSettings, tracks: Sequence[Track]
) -> np.ndarray:
    """(n,) bool: good and large enough; lower limits hold for somebody followed."""
    known = [track.box_px for track in tracks if track.has_identity]
    near = [any(box_overlap(box, other) > _FOUND_OVERLAP for other in known) for box in people.box_px]
    share = np.where(np.array(near, bool), _STILL_FOLLOWED, 1.0)
    edge = (people.box_px[:, 2:] - people.box_px[:, :2]).max(axis=1, initial=0.0)
    return (people.score >= share * settings.detection_threshold) & (
        edge >= share * settings.least_height * frame_height
    )
