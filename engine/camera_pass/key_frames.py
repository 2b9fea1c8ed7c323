# SPDX-License-Identifier: GPL-3.0-or-later
"""The frames that are adjusted together, and what they see: a new one wherever the picture has changed enough."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np

from .bundle import Sightings
from .observations import Observations, Seen

MOTION_PX = 12.0
"""Median motion of the corners since the last key frame that makes the next one."""
LEAST_SURVIVORS = 0.5
"""Share of the last key frame's corners; when fewer are left, it is time for the next one."""

LEAST_SIGHTINGS = 3
"""Key frames that have to see a corner for it to become a point."""

_SLICE = 256
"""Frames between two yields."""

MOST_POINTS = 1600
"""Points of one adjustment; those that are seen for longest are taken."""


def choose_key_frames(seen: Observations) -> Generator[None, None, list[int]]:
    """Indices of the key frames, the first and the last frame with corners among them. Yields now and then."""
    keys: list[int] = []
    last: Seen | None = None
    last_with_corners = 0
    for index in range(len(seen)):
        now = seen.frame(index)
        if index % _SLICE == 0:
            yield
        if not len(now.track):
            continue
        last_with_corners = index
        if last is not None:
            before, after = last.common(now)
            enough = len(before) >= LEAST_SURVIVORS * len(last.track)
            if enough and np.median(np.linalg.norm(after - before, axis=1)) <= MOTION_PX:
                continue
        keys.append(index)
        last = now
    if keys and keys[-1] != last_with_corners:
        keys.append(last_with_corners)
    return keys


def sightings_of(seen: Observations, keys: Sequence[int]) -> tuple[Sightings, np.ndarray]:
    """What some frames see of the points that enough of them see, and the points' (N,) track numbers.

    Points are numbered in the order of the frames that see them first.
    """
    frames = [seen.frame(key) for key in keys]
    track = np.concatenate([frame.track for frame in frames])
    camera = np.repeat(np.arange(len(frames)), [len(frame.track) for frame in frames])
    pixel = np.concatenate([frame.pixel for frame in frames])
    tracks, first, inverse, count = np.unique(track, return_index=True, return_inverse=True, return_counts=True)
    wanted = np.flatnonzero(count >= LEAST_SIGHTINGS)
    if len(wanted) > MOST_POINTS:
        wanted = wanted[np.argsort(-count[wanted], kind="stable")[:MOST_POINTS]]
    wanted = wanted[np.argsort(camera[first[wanted]], kind="stable")]
    number = np.full(len(tracks), -1)
    number[wanted] = np.arange(len(wanted))
    point = number[inverse]
    order = np.flatnonzero(point >= 0)
    order = order[np.lexsort((camera[order], point[order]))]
    return Sightings(camera[order], point[order], pixel[order]), tracks[wanted]
