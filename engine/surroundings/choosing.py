# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frames of a clip its surroundings are made of: spread over its path, with others that see parallax."""

from __future__ import annotations

import numpy as np

FEWEST_REFERENCES, MOST_REFERENCES = 8, 12
_REFERENCE_EVERY = 0.15
"""A reference is added for so much of the path, in shares of the typical depth, and as much of a turn in radians."""

PARALLAX_DEG = (1.0, 2.0, 3.5)
"""Angles under which the typical depth sees the way to the partners of a reference, on either side."""

_LEAST_PARALLAX_DEG = 0.5
"""A camera that nowhere goes so far as the first of them: the farthest frame will do with so much."""

_ALONG_AXIS = 0.4
"""What a way along the line of sight counts against one across: it shifts only what is off the middle."""

_REACH = 120
"""Frames to either side in which partners are looked for: the path is less sure over a longer time."""

_MOST_TURN_DEG = 25.0
"""Pictures that are turned more look too different for flow."""


def spread(steps: np.ndarray, most: int) -> list[int]:
    """At most `most` of N indices, first and last among them, such that the N - 1 steps between them are shared out
    evenly; where nothing changes, evenly in time."""
    count = len(steps) + 1
    if count <= most:
        return list(range(count))
    along = np.concatenate([[0.0], np.cumsum(steps + 1e-3 * steps.sum() / count + 1e-9)])
    return sorted({int(np.abs(along - goal).argmin()) for goal in np.linspace(0.0, along[-1], most)})


def turns(poses: np.ndarray) -> np.ndarray:
    """(N - 1,) angles between neighbors of (N, 4, 4) poses, radians."""
    between = np.einsum("nji,njk->nik", poses[:-1, :3, :3], poses[1:, :3, :3])
    return _angle(between)


def in_time_and_turn(poses: np.ndarray, most: int) -> list[int]:
    """At most so many frames of a camera on the spot, spread half over its time and half over its turns; and those that
    look farthest to any side."""
    turned = turns(poses)
    steps = np.full(len(turned), 1.0 / max(len(turned), 1))
    if turned.sum() < 1e-6:
        return spread(steps, most)
    looks = poses[:, :3, 2]
    return sorted({*spread(steps + turned / turned.sum(), most), *looks.argmin(axis=0), *looks.argmax(axis=0)})


def references(poses: np.ndarray, depth: float) -> list[int]:
    """Frames whose views together show what a moving camera saw; `depth` is the typical one, meters."""
    steps = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=-1) / depth + turns(poses)
    wanted = round(steps.sum() / _REFERENCE_EVERY)
    return spread(steps, min(max(wanted, FEWEST_REFERENCES), MOST_REFERENCES))


def partners(reference: int, poses: np.ndarray, depth: float) -> list[int]:
    """Up to three frames on either side of a reference from which `depth` meters are seen under other angles."""
    pose = poses[reference]
    found: list[int] = []
    for side in (range(reference - 1, reference - 1 - _REACH, -1), range(reference + 1, reference + 1 + _REACH)):
        near = np.array([index for index in side if 0 <= index < len(poses)], np.int64)
        turned = np.degrees(_angle(pose[:3, :3].T @ poses[near, :3, :3]))
        near = near[: int(np.argmax(turned > _MOST_TURN_DEG))] if (turned > _MOST_TURN_DEG).any() else near
        way = (poses[near, :3, 3] - pose[:3, 3]) @ pose[:3, :3]
        angle = np.degrees(np.arctan(np.linalg.norm(way * (1.0, 1.0, _ALONG_AXIS), axis=-1) / depth))
        reached = [int(np.argmax(angle >= least)) for least in PARALLAX_DEG if (angle >= least).any()]
        if not reached and angle.max(initial=0.0) >= _LEAST_PARALLAX_DEG:
            reached = [int(angle.argmax())]
        found += near[sorted(set(reached))].tolist()
    return found


def _angle(rotation: np.ndarray) -> np.ndarray:
    """Angles of (..., 3, 3) rotations, radians."""
    trace = np.trace(rotation, axis1=-2, axis2=-1)
    return np.asarray(np.arccos(((trace - 1.0) / 2.0).clip(-1.0, 1.0)))
