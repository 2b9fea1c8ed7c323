# SPDX-License-Identifier: GPL-3.0-or-later
"""Smoothing without lag that follows fast motion, limb by limb.

Every limb is smoothed twice, with a long and with a short window. What the short one sees and the long one does not is
either motion or noise: where, in one of the limb's joints, it is much stronger than noise would be, it is motion and
is kept in the whole limb; elsewhere the long window's answer stands. The noise is read off the samples' fourth
differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..contract import skeleton
from ..contract.rotations import continuous_quaternions
from .body_motion import BodyMotion, joined
from .local_fit import LocalFit

LIMBS: dict[str, tuple[int, ...]] = {
    "trunk": (skeleton.PELVIS, skeleton.SPINE1, skeleton.SPINE2, skeleton.SPINE3),
    "head": (skeleton.NECK, skeleton.HEAD),
    "left arm": (skeleton.LEFT_COLLAR, skeleton.LEFT_SHOULDER, skeleton.LEFT_ELBOW, skeleton.LEFT_WRIST),
    "right arm": (skeleton.RIGHT_COLLAR, skeleton.RIGHT_SHOULDER, skeleton.RIGHT_ELBOW, skeleton.RIGHT_WRIST),
    "left leg": (skeleton.LEFT_HIP, skeleton.LEFT_KNEE, skeleton.LEFT_ANKLE, skeleton.LEFT_FOOT),
    "right leg": (skeleton.RIGHT_HIP, skeleton.RIGHT_KNEE, skeleton.RIGHT_ANKLE, skeleton.RIGHT_FOOT),
    "left hand": tuple(range(25, 40)),
    "right hand": tuple(range(40, 55)),
    "face": (skeleton.JAW, skeleton.LEFT_EYE, skeleton.RIGHT_EYE),
}
"""Joints that are smoothed alike. All 55 are in exactly one limb."""

_FAST_HALF_WIDTH_S = 0.065
"""Keeps 97 percent of a 5 Hz movement at any frame rate."""

_SLOW_HALF_WIDTH_S = 0.36
"""Half width of the long window at full strength."""

_MOTION_RATIO = (3.0, 7.0)
"""Band power over that of the expected noise: up to the first nothing of the band is kept, from the second on
all. Real noise is not white, and more of it lies in the band than fourth differences tell."""

_FOURTH_DIFFERENCE_GAIN = 70.0
"""Variance of the fourth difference of white unit noise."""


def smooth(motion: BodyMotion, strength: float = 0.5) -> BodyMotion:
    """The motion with its noise reduced; `strength` 0 (nothing) to 1. Gaps are not smoothed across."""
    if strength <= 0 or len(motion) < 2:
        return motion
    noise = _Noise.of(motion)
    return joined([_smooth_stretch(motion.part(frames), strength, noise) for frames in motion.stretches()])


@dataclass(frozen=True)
class _Noise:
    """Variances, of the whole motion: a short stretch with nothing but fast motion in it would take that for noise."""

    rotations: np.ndarray
    """(55,)"""
    pelvis: np.ndarray
    """(1,)"""

    @classmethod
    def of(cls, motion: BodyMotion) -> _Noise:
        stretches = motion.stretches()
        return cls(
            white_noise([motion.rotations[frames] for frames in stretches]),
            white_noise([motion.pelvis[frames, None] for frames in stretches]),
        )


def _smooth_stretch(motion: BodyMotion, strength: float, noise: _Noise) -> BodyMotion:
    slow_s = _FAST_HALF_WIDTH_S + strength * (_SLOW_HALF_WIDTH_S - _FAST_HALF_WIDTH_S)
    fast, slow = LocalFit(motion.time_s, _FAST_HALF_WIDTH_S), LocalFit(motion.time_s, slow_s)
    rotations = np.empty_like(motion.rotations)
    for limb in LIMBS.values():
        joints = list(limb)
        rotations[:, joints] = _adaptive(motion.rotations[:, joints], noise.rotations[joints], fast, slow)
    rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
    pelvis = _adaptive(motion.pelvis[:, None], noise.pelvis, fast, slow)[:, 0]
    return replace(motion, rotations=continuous_quaternions(rotations), pelvis=pelvis)


def _adaptive(values: np.ndarray, noise: np.ndarray, fast: LocalFit, slow: LocalFit) -> np.ndarray:
    """(T, J, C) samples of one limb's joints, smoothed by as much as their (J,) noise asks for."""
    quick, calm = fast.apply(values), slow.apply(values)
    band = quick - calm
    expected = noise * fast.noise_gain(slow)[:, None]
    power = slow.apply((band**2).sum(axis=-1)).clip(min=0)
    ratio = (power / np.maximum(expected, 1e-20)).max(axis=1)
    low, high = _MOTION_RATIO
    rise = ((ratio - low) / (high - low)).clip(0, 1)
    keep = rise**2 * (3 - 2 * rise)
    return calm + fast.apply(keep)[:, None, None] * band


def white_noise(stretches: Sequence[np.ndarray]) -> np.ndarray:
    """(J,) variance of the noise in stretches of (T, J, C) samples, one or more, summed over C: what changes faster
    than any limb moves. 0 where no stretch has five frames."""
    power = np.concatenate([(np.diff(values, n=4, axis=0) ** 2).sum(axis=-1) for values in stretches])
    return np.median(power, axis=0) / _FOURTH_DIFFERENCE_GAIN if len(power) else np.zeros(power.shape[1])
