# SPDX-License-Identifier: GPL-3.0-or-later
"""Short gaps in a motion are bridged by curves that leave and arrive with the speed of the frames beside them."""

from __future__ import annotations

import itertools

import numpy as np

from ..contract.rotations import axis_angle_to_quaternion, quaternion_multiply
from .body_motion import BodyMotion, joined
from .curves import hermite, turn_between
from .resampling import resample

LIMIT_S = 1.0
"""Longer gaps stay: nobody knows what happened in them."""

_SPEED_WINDOW_S = 0.12
"""Time beside the gap over which its speed is measured."""

_LEAST_FRAMES = 2

_ON_THE_FRAME = 0.1
"""Typical steps. A picture this near to a frame of the motion is that frame's."""

_ROUNDING_S = 1e-6


def fill_gaps(motion: BodyMotion, limit_s: float = LIMIT_S, pictures_s: np.ndarray | None = None) -> BodyMotion:
    """The motion with more frames in every gap of at most `limit_s` seconds; those that it has stay as they are.

    With the (N,) rising times of all pictures each that lies in a gap gets a frame, even where only one is missing;
    without, the gaps between two stretches are filled at the motion's own rate. Positions and, joint by joint,
    rotations follow cubic Hermite curves; rotations in the tangent space of the frame before the gap.
    """
    missing = None if pictures_s is None else _missing(motion, limit_s, pictures_s)
    stretches = [motion.part(frames) for frames in motion.stretches()]
    added = []
    for before, after in itertools.pairwise(stretches):
        start, end = before.time_s[-1], after.time_s[0]
        if missing is not None:
            added.append(_bridge(before, after, _inside(missing, start, end)))
        elif end - start <= limit_s + _ROUNDING_S:
            count = round((end - start) / motion.step_s) - 1
            added.append(_bridge(before, after, np.linspace(start, end, count + 2)[1:-1]))
    if missing is not None:
        added += [resample(part, _inside(missing, part.time_s[0], part.time_s[-1])) for part in stretches]
    return joined(stretches + added)


def _missing(motion: BodyMotion, limit_s: float, pictures_s: np.ndarray) -> np.ndarray:
    """Times of the pictures that lie between two frames which are at most `limit_s` apart."""
    after = np.searchsorted(motion.time_s, pictures_s).clip(1, max(len(motion) - 1, 1))
    start, end = motion.time_s[after - 1], motion.time_s[after.clip(max=len(motion) - 1)]
    margin = _ON_THE_FRAME * motion.step_s
    inside = (pictures_s > start + margin) & (pictures_s < end - margin)
    return np.asarray(pictures_s[inside & (end - start <= limit_s + _ROUNDING_S)])


def _inside(times_s: np.ndarray, start: float, end: float) -> np.ndarray:
    return times_s[(times_s > start) & (times_s < end)]


def _bridge(before: BodyMotion, after: BodyMotion, time_s: np.ndarray) -> BodyMotion:
    """Frames at times between two stretches."""
    start, end = before.time_s[-1], after.time_s[0]
    length = end - start
    share = (time_s - start) / length
    leaving, arriving = _edge(before, last=True), _edge(after, last=False)
    way = turn_between(before.rotations[-1], after.rotations[0])
    turn = hermite(share[:, None, None], np.zeros_like(way), leaving[0] * length, way, arriving[0] * length)
    rotations = quaternion_multiply(before.rotations[-1], axis_angle_to_quaternion(turn))
    pelvis = hermite(share[:, None], before.pelvis[-1], leaving[1] * length, after.pelvis[0], arriving[1] * length)
    return BodyMotion(time_s, rotations, pelvis, before.rest_joints)


def _edge(motion: BodyMotion, last: bool) -> tuple[np.ndarray, np.ndarray]:
    """(55, 3) turning and (3,) moving per second at one end of a stretch; zero where it is a single frame."""
    near = np.flatnonzero(np.abs(motion.time_s - motion.time_s[-1 if last else 0]) <= _SPEED_WINDOW_S)
    first, second = near[0], near[-1]
    if len(near) < _LEAST_FRAMES:
        return np.zeros((motion.rotations.shape[1], 3)), np.zeros(3)
    seconds = motion.time_s[second] - motion.time_s[first]
    return (
        turn_between(motion.rotations[first], motion.rotations[second]) / seconds,
        (motion.pelvis[second] - motion.pelvis[first]) / seconds,
    )
