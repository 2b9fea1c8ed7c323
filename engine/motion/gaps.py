# SPDX-License-Identifier: GPL-3.0-or-later
"""Short gaps in a motion are bridged by curves that leave and arrive with the speed of the frames beside them."""

from __future__ import annotations

import itertools

import numpy as np

from ..contract.rotations import axis_angle_to_quaternion, quaternion_multiply
from .body_motion import BodyMotion, joined
from .curves import hermite, turn_between

LIMIT_S = 1.0
"""Longer gaps stay: nobody knows what happened in them."""

_SPEED_WINDOW_S = 0.12
"""Time beside the gap over which its speed is measured."""

_LEAST_FRAMES = 2


def fill_gaps(motion: BodyMotion, limit_s: float = LIMIT_S) -> BodyMotion:
    """The motion with frames at its own rate in every gap of at most `limit_s` seconds between two stretches.

    Positions and, joint by joint, rotations follow cubic Hermite curves; rotations in the tangent space of the frame
    before the gap.
    """
    stretches = [motion.part(frames) for frames in motion.stretches()]
    parts = stretches[:1]
    for before, after in itertools.pairwise(stretches):
        length = after.time_s[0] - before.time_s[-1]
        if length <= limit_s:
            missing = round(length / motion.step_s) - 1
            share = np.arange(1, missing + 1) / (missing + 1)
            parts.append(_bridge(before, after, share))
        parts.append(after)
    return joined(parts)


def _bridge(before: BodyMotion, after: BodyMotion, share: np.ndarray) -> BodyMotion:
    start, end = before.time_s[-1], after.time_s[0]
    length = end - start
    leaving, arriving = _edge(before, last=True), _edge(after, last=False)
    way = turn_between(before.rotations[-1], after.rotations[0])
    turn = hermite(share[:, None, None], np.zeros_like(way), leaving[0] * length, way, arriving[0] * length)
    rotations = quaternion_multiply(before.rotations[-1], axis_angle_to_quaternion(turn))
    pelvis = hermite(share[:, None], before.pelvis[-1], leaving[1] * length, after.pelvis[0], arriving[1] * length)
    return BodyMotion(start + share * length, rotations, pelvis, before.rest_joints)


def _edge(motion: BodyMotion, last: bool) -> tuple[np.ndarray, np.ndarray]:
    """(55, 3) turning and (3,) moving per second at one end of a stretch; zero where it is a single frame."""
    near = np.flatnonzero(np.abs(motion.time_s - motion.time_s[-1 if last else 0]) <= _SPEED_WINDOW_S)
    first, second = near[0], near[-1]
    if len(near) < _LEAST_FRAMES:
        return np.zeros((motion.rotations.shape[1], 3)), np.zeros(3)
    seconds = motion.time_s[second] - motion.time_s[first]
    return (turn_between(motion.rotations[first], motion.rotations[second]) / seconds,
            (motion.pelvis[second] - motion.pelvis[first]) / seconds)
