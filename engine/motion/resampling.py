# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion at other times: by time, never by counting frames, so that it plays at its true speed at every rate.

Rates are exact fractions: 29.97 is 30000 / 1001, and the time of frame 10,000 is as true as that of frame 1.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from ..contract.rotations import axis_angle_to_quaternion, quaternion_multiply
from .body_motion import BodyMotion
from .curves import hermite, turn_between

_WHOLE = 1e-3
_NTSC = 5e-3
"""Frames per second that a written rate may lie from what is meant: people write 29.97, and 23.98 for 23.976."""

_NTSC_FAMILY = 6
"""The whole rates that have an NTSC sibling (24, 30, 48, 60, 120) are multiples of this."""

_LARGEST_DENOMINATOR = 1000
_ON_THE_FRAME = 1e-6
"""Frames. What lies this near to a frame is on it: times of files are rounded."""


def exact_rate(frame_rate: float) -> Fraction:
    """The rate that a number of frames per second means: 30 is 30, 29.97 is 30000 / 1001, 12.5 is 25 / 2.

    Raises ValueError where it is no rate.
    """
    if not (math.isfinite(frame_rate) and frame_rate > 0):
        raise ValueError(f"{frame_rate} is no frame rate")
    whole = round(frame_rate)
    if whole and abs(frame_rate - whole) <= _WHOLE:
        return Fraction(whole)
    ntsc = Fraction(round(frame_rate * 1.001) * 1000, 1001)
    if ntsc and round(frame_rate * 1.001) % _NTSC_FAMILY == 0 and abs(frame_rate - ntsc) <= _NTSC:
        return ntsc
    return Fraction(frame_rate).limit_denominator(_LARGEST_DENOMINATOR) or Fraction(frame_rate)


def frame_times(count: int, rate: Fraction) -> np.ndarray:
    """(count,) times in seconds of the frames 0, 1, 2, ... at a rate, each rounded once."""
    return np.arange(count, dtype=np.int64) * rate.denominator / rate.numerator


def frame_count(duration_s: float | Fraction, rate: Fraction) -> int:
    """How many frames at a rate lie in a stretch of time, its first and its last moment included."""
    return math.floor(float(duration_s * rate) + _ON_THE_FRAME) + 1


def resample(motion: BodyMotion, time_s: np.ndarray) -> BodyMotion:
    """The motion at other (T,) rising times; outside its own it holds its first or its last frame.

    Between two frames positions and, joint by joint, rotations follow the cubic that has at both the speed measured
    over the frames beside them. At the motion's own times it is the motion itself.
    """
    time_s = np.asarray(time_s, dtype=np.float64)
    if len(motion) < 2:
        rows = np.zeros(len(time_s), dtype=np.int64)
        return BodyMotion.make(time_s, motion.rotations[rows], motion.pelvis[rows], motion.rest_joints)
    steps = np.diff(motion.time_s)
    asked = np.clip(time_s, motion.time_s[0], motion.time_s[-1])
    left = np.clip(np.searchsorted(motion.time_s, asked, side="right") - 1, 0, len(steps) - 1)
    length = steps[left]
    share = (asked - motion.time_s[left]) / length

    def between(start: np.ndarray, moves: np.ndarray) -> np.ndarray:
        """Values after (T - 1, ...) moves from each frame to the next, from `start` on."""
        wide = (slice(None),) + (None,) * (moves.ndim - 1)
        speed = _speeds(moves / steps[wide], steps)
        return hermite(
            share[wide], start, speed[left] * length[wide], start + moves[left], speed[left + 1] * length[wide]
        )

    pelvis = between(motion.pelvis[left], np.diff(motion.pelvis, axis=0))
    turns = turn_between(motion.rotations[:-1], motion.rotations[1:])
    turn = between(np.zeros((1, *turns.shape[1:])), turns)
    rotations = quaternion_multiply(motion.rotations[left], axis_angle_to_quaternion(turn))
    return BodyMotion.make(time_s, rotations, pelvis, motion.rest_joints)


def _speeds(slopes: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """(T, ...) speeds at the frames, of the parabola through each and its neighbours, from the slopes between them."""
    wide = (slice(None),) + (None,) * (slopes.ndim - 1)
    before, after = steps[:-1][wide], steps[1:][wide]
    middle = (slopes[:-1] * after + slopes[1:] * before) / (before + after)
    return np.concatenate([slopes[:1], middle, slopes[-1:]])
