# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands that rest stay where they rest: the wrist gets one place and one direction, the elbow does the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..contract.rotations import axis_angle_to_matrix, continuous_quaternions
from ..contract.skeleton import LEFT_WRIST
from .body_motion import BodyMotion, joined
from .contacts import runs
from .foot_locking import LockSettings, held, is_change, moves_to_median, turns_to_mean
from .limb_solver import ARM, solve_limbs


def lock_hands(motion: BodyMotion, resting: np.ndarray, settings: LockSettings | None = None) -> BodyMotion:
    """The motion with resting hands held still; `resting` (T, 2) bool, left and right. Other frames than those of
    contacts and of the fading beside them stay the same.
    """
    settings = settings or LockSettings()
    if not resting.any():
        return motion
    return joined([_lock_stretch(motion.part(frames), resting[frames], settings) for frames in motion.stretches()])


def _lock_stretch(motion: BodyMotion, resting: np.ndarray, settings: LockSettings) -> BodyMotion:
    transforms = motion.transforms()
    wrists = transforms[:, [LEFT_WRIST, LEFT_WRIST + 1]]
    hands, wanted = wrists[..., :3, :3].copy(), wrists[..., :3, 3].copy()
    changed = np.zeros(resting.shape, dtype=bool)
    for side in range(2):
        found = runs(resting[:, side])
        turn = held(turns_to_mean(hands[:, side], found), found, motion.time_s, settings.blend_s)
        move = held(moves_to_median(wanted[:, side], found), found, motion.time_s, settings.blend_s)
        hands[:, side], wanted[:, side] = axis_angle_to_matrix(turn) @ hands[:, side], wanted[:, side] + move
        changed[:, side] = is_change(turn) | is_change(move)
    solved = solve_limbs(transforms, motion.rest_joints, ARM, wanted, hands)
    result = motion.rotations.copy()
    for place, joint in enumerate(ARM.joints):
        for side in range(2):
            result[changed[:, side], joint + side] = solved[changed[:, side], place, side]
    return replace(motion, rotations=continuous_quaternions(result))
