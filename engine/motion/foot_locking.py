# SPDX-License-Identifier: GPL-3.0-or-later
"""Feet that stand stay where they stand: a contact gets one place, the hips follow a little, the knees do the rest."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from ..contract.rotations import (
    axis_angle_to_matrix,
    continuous_quaternions,
    matrix_to_axis_angle,
    matrix_to_quaternion,
    quaternion_to_matrix,
)
from ..contract.skeleton import LEFT_ANKLE, LEFT_FOOT, LEFT_HIP
from .body_motion import BodyMotion, joined
from .contacts import runs
from .limb_solver import LEG, solve_limbs
from .local_fit import LocalFit

_MOVED = 1e-9


@dataclass(frozen=True)
class LockSettings:
    """How feet are held."""

    blend_s: float = 0.35
    """Time before and after a contact in which a free foot takes over its correction; shorter swings share theirs."""
    hip_limit_m: float = 0.08
    """How far the hips may be moved for the feet's sake."""
    hip_window_s: float = 0.3
    """Half width of the fit that keeps the hips' correction smooth."""


def lock_feet(motion: BodyMotion, planted: np.ndarray, settings: LockSettings | None = None) -> BodyMotion:
    """The motion with planted feet held still; `planted` (T, 4) as of :func:`.contacts.find_contacts`."""
    settings = settings or LockSettings()
    if not planted.any():
        return motion
    return joined([_lock_stretch(motion.part(frames), planted[frames], settings) for frames in motion.stretches()])


def _lock_stretch(motion: BodyMotion, planted: np.ndarray, settings: LockSettings) -> BodyMotion:
    if not planted.any():
        return motion
    transforms = motion.transforms()
    ankle, ball = ([joint, joint + 1] for joint in (LEFT_ANKLE, LEFT_FOOT))
    rotations, places = transforms[:, ankle, :3, :3], transforms[..., :3, 3][:, ball]
    feet, wanted = np.empty_like(rotations), np.empty_like(places)
    changed = np.zeros((len(motion), 2), dtype=bool)
    for side in range(2):
        flat, standing = (runs(planted[:, point]) for point in (side, side + 2))
        turn = held(turns_to_mean(rotations[:, side], flat), flat, motion.time_s, settings.blend_s)
        feet[:, side] = axis_angle_to_matrix(turn) @ rotations[:, side]
        move = held(moves_to_median(places[:, side], standing), standing, motion.time_s, settings.blend_s)
        changed[:, side] = is_change(turn) | is_change(move)
        wanted_ball = places[:, side] + move
        foot_bone = motion.rest_joints[ball[side]] - motion.rest_joints[ankle[side]]
        wanted[:, side] = wanted_ball - feet[:, side] @ foot_bone
    shift = _hip_shift(transforms, wanted, planted[:, 2:], motion, settings)
    transforms[..., :3, 3] += shift[:, None]
    solved = solve_limbs(transforms, motion.rest_joints, LEG, wanted, feet)
    changed |= is_change(shift)[:, None]
    result = motion.rotations.copy()
    for place, joint in enumerate(LEG.joints):
        for side in range(2):  # a leg that nothing is asked of stays as straight as it is
            result[changed[:, side], joint + side] = solved[changed[:, side], place, side]
    return replace(motion, rotations=continuous_quaternions(result), pelvis=motion.pelvis + shift)


def is_change(corrections: np.ndarray) -> np.ndarray:
    """(T,) bool, whether (T, 3) turns or moves are more than rounding."""
    changed: np.ndarray = np.abs(corrections).max(axis=1) > _MOVED
    return changed


def turns_to_mean(rotations: np.ndarray, runs: list[slice]) -> np.ndarray:
    """(T, 3) rotation vectors that turn (T, 3, 3) rotations into the mean of their run; zero outside of runs."""
    turns = np.zeros((len(rotations), 3))
    for run in runs:
        quaternions = continuous_quaternions(matrix_to_quaternion(rotations[run]))
        mean = quaternion_to_matrix(quaternions.mean(axis=0))
        turns[run] = matrix_to_axis_angle(mean @ rotations[run].swapaxes(-1, -2))
    return turns


def moves_to_median(places: np.ndarray, runs: list[slice]) -> np.ndarray:
    """(T, 3) the ways from (T, 3) places to the middle one of their run; zero outside of runs."""
    moves = np.zeros_like(places)
    for run in runs:
        moves[run] = np.median(places[run], axis=0) - places[run]
    return moves


def held(corrections: np.ndarray, runs: list[slice], time_s: np.ndarray, blend_s: float) -> np.ndarray:
    """(T, 3) corrections, known inside of the runs, carried on between them: from one to the next, or fading out."""
    result = corrections.copy()
    ends = [slice(0, 0), *runs, slice(len(time_s), len(time_s))]
    for before, after in itertools.pairwise(ends):
        free = slice(before.stop, after.start)
        if free.stop <= free.start:
            continue
        first = time_s[before.stop - 1] if before.stop else time_s[0] - blend_s
        last = time_s[after.start] if after.start < len(time_s) else time_s[-1] + blend_s
        width = min(blend_s, last - first)
        if before.stop:
            result[free] += _fade((time_s[free] - first) / width)[:, None] * corrections[before.stop - 1]
        if after.start < len(time_s):
            result[free] += _fade((last - time_s[free]) / width)[:, None] * corrections[after.start]
    return result


def _fade(share: np.ndarray) -> np.ndarray:
    """From 1 at 0 to 0 at 1, with level ends."""
    share = share.clip(0, 1)
    return 1 - share**2 * (3 - 2 * share)


def _hip_shift(
    transforms: np.ndarray, wanted: np.ndarray, standing: np.ndarray, motion: BodyMotion, settings: LockSettings
) -> np.ndarray:
    """(T, 3) how the hips follow what the standing feet ask for, and come near where a leg would be too short."""
    fit = LocalFit(motion.time_s, settings.hip_window_s)
    weight = fit.apply(standing.astype(np.float64)).clip(0, 1) + 0.05
    weight /= weight.sum(axis=1, keepdims=True)
    asked = wanted - transforms[..., :3, 3][:, [LEFT_ANKLE, LEFT_ANKLE + 1]]
    shift = fit.apply((weight[..., None] * asked).sum(axis=1))
    rest = motion.rest_joints
    chain = LEG.joints
    length = sum(np.linalg.norm(rest[low] - rest[high]) for high, low in itertools.pairwise(chain))
    for _ in range(2):
        way = wanted - (transforms[..., :3, 3][:, [LEFT_HIP, LEFT_HIP + 1]] + shift[:, None])
        reach = np.linalg.norm(way, axis=-1)
        missing = np.maximum(reach - 0.999 * length, 0) * standing
        shift = shift + fit.apply((way / reach[..., None] * missing[..., None]).sum(axis=1))
    size = np.linalg.norm(shift, axis=-1, keepdims=True)
    return shift * np.minimum(1, settings.hip_limit_m / np.maximum(size, 1e-9))
