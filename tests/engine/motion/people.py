# SPDX-License-Identifier: GPL-3.0-or-later
"""True and noisy motions to try clean-up on, and what is measured of them."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.rotations import (
    axis_angle_to_quaternion,
    matrix_to_quaternion,
    quaternion_multiply,
    quaternion_to_axis_angle,
)
from engine.contract.skeleton import (
    BODY_JOINT_COUNT,
    HEAD,
    LEFT_SHOULDER,
    LEFT_WRIST,
    PELVIS,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
)
from engine.evaluation.alignment import fit_similarity
from engine.evaluation.global_motion import jitter_10m_per_s3, w_mpjpe_mm, wa_mpjpe_mm
from engine.motion.body_motion import BodyMotion
from engine.motion.contacts import CONTACT_JOINTS
from engine.synthetic.dice import Dice
from engine.synthetic.motion import Cast, move
from engine.synthetic.people import draw_betas
from engine.synthetic.surface import BodySurface

UP = np.array([0.0, -1.0, 0.0])
"""Away from the floor in the synthetic world."""

STILL_M_PER_S = 0.03


@cache
def body() -> BodyModel:
    return BodyModel.load(default_body_path())


@cache
def walkers(count: int = 6, seconds: float = 6.0, rate: float = 30.0) -> tuple[BodyMotion, ...]:
    """People who walk, stand, turn, wave, and one who sits."""
    dice = Dice(torch.arange(count))
    cast = Cast(
        dice,
        draw_betas(dice, 1.0),
        dice.uniform("home", -3.0, 3.0, 2),
        dice.uniform("radius", 0.5, 1.5),
        torch.arange(count) % 4 == 3,
        torch.ones(count),
    )
    time_s = torch.arange(0.0, seconds, 1.0 / rate).expand(count, -1)
    moved = move(cast, BodySurface(body(), cell=0.05), time_s, walking=0.7)
    motions = []
    for person in range(count):
        rest = body().rest_joints(cast.betas[person].numpy())
        quaternions = matrix_to_quaternion(moved.rotations[person].double().numpy())
        pelvis = moved.translation[person].double().numpy() + rest[PELVIS]
        motions.append(BodyMotion.make(time_s[person].double().numpy(), quaternions, pelvis, rest))
    return tuple(motions)


def noisy(motion: BodyMotion, seed: int) -> BodyMotion:
    """What a per-frame network makes of it: white noise and slow drifts, most of it along the view."""
    random, count = np.random.default_rng(seed), len(motion)
    turns = 1.5 * random.normal(size=(count, 55, 3)) + 2.5 * _drift(random, (count, 55, 3), 0.96)
    rotations = quaternion_multiply(motion.rotations, axis_angle_to_quaternion(np.deg2rad(turns)))
    shifts = random.normal(size=(count, 3)) * (0.006, 0.006, 0.012)
    shifts += _drift(random, (count, 3), 0.98) * (0.02, 0.02, 0.05)
    return BodyMotion.make(motion.time_s, rotations, motion.pelvis + shifts, motion.rest_joints)


def noisy_from_head(motion: BodyMotion, seed: int) -> BodyMotion:
    """The same noise in a body that hangs from its head, as the network predicts it: all joints from there on down to
    the feet add up.
    """
    same = noisy(motion, seed)
    shift = same.pelvis - motion.pelvis
    back = motion.joints()[:, HEAD] - same.joints()[:, HEAD]
    return BodyMotion.make(same.time_s, same.rotations, same.pelvis + back + shift, same.rest_joints)


def _drift(random: np.random.Generator, shape: tuple[int, ...], memory: float) -> np.ndarray:
    steps = random.normal(size=shape)
    values = np.empty(shape)
    values[0] = steps[0]
    for frame in range(1, len(steps)):
        values[frame] = memory * values[frame - 1] + np.sqrt(1 - memory**2) * steps[frame]
    return values


def clapper(rate: float, seconds: float = 4.0) -> BodyMotion:
    """Arms that clap five times a second between the first and the third second; hands go 20 cm and more each way."""
    time_s = np.arange(0, seconds, 1 / rate)
    rotations = np.zeros((len(time_s), 55, 4))
    rotations[..., 0] = 1
    clap = np.where((time_s > 1) & (time_s < 3), np.sin(2 * np.pi * 5 * time_s), 0.0) * np.deg2rad(20)
    for joint, side in ((LEFT_SHOULDER, -1), (RIGHT_SHOULDER, 1)):
        turn = np.zeros((len(time_s), 3))
        turn[:, 1] = side * (np.deg2rad(60) + clap)
        rotations[:, joint] = axis_angle_to_quaternion(turn)
    rest = body().rest_joints(np.zeros(10))
    return BodyMotion.make(time_s, rotations, np.tile(rest[PELVIS], (len(time_s), 1)), rest)


def waver(rate: float, hz: float, seconds: float = 4.0) -> BodyMotion:
    """An arm that swings by 20 degrees each way, so many times a second."""
    time_s = np.arange(0, seconds, 1 / rate)
    rotations = np.zeros((len(time_s), 55, 4))
    rotations[..., 0] = 1
    swing = np.deg2rad(20) * np.sin(2 * np.pi * hz * time_s)
    rotations[:, LEFT_SHOULDER] = axis_angle_to_quaternion(np.outer(swing, [0.0, 1.0, 0.0]))
    rest = body().rest_joints(np.zeros(10))
    return BodyMotion.make(time_s, rotations, np.tile(rest[PELVIS], (len(time_s), 1)), rest)


def swing_of(motion: BodyMotion, hz: float) -> complex:
    """Amplitude in radians and phase of the arm's swing, without the first second."""
    angle = quaternion_to_axis_angle(motion.rotations[:, LEFT_SHOULDER])[:, 1]
    late = motion.time_s > 1
    phase = 2 * np.pi * hz * motion.time_s[late]
    waves = np.stack([np.cos(phase), np.sin(phase), np.ones_like(phase)], axis=-1)
    cosine, sine, _ = np.linalg.lstsq(waves, angle[late], rcond=None)[0]
    return complex(cosine, -sine)


def clap_reach(motion: BodyMotion) -> float:
    """Amplitude of the 5 Hz part of the distance between the wrists, metres."""
    joints = motion.joints()
    middle = (motion.time_s > 1.1) & (motion.time_s < 2.9)
    apart = np.linalg.norm(joints[:, LEFT_WRIST] - joints[:, RIGHT_WRIST], axis=-1)[middle]
    phase = 2 * np.pi * 5 * motion.time_s[middle]
    waves = np.stack([np.sin(phase), np.cos(phase), np.ones_like(phase)], axis=-1)
    return float(np.hypot(*np.linalg.lstsq(waves, apart, rcond=None)[0][:2]))


def figures(motion: BodyMotion, truth: BodyMotion) -> dict[str, float]:
    """Sliding (mm a frame of what truly stands), jitter (10 m/s3), and position errors (mm)."""
    found, true = motion.joints()[:, :BODY_JOINT_COUNT], truth.joints()[:, :BODY_JOINT_COUNT]
    feet = list(CONTACT_JOINTS)
    still = np.linalg.norm(np.diff(true[:, feet], axis=0), axis=-1) < STILL_M_PER_S * truth.step_s
    steps = np.linalg.norm(np.diff(found[:, feet], axis=0), axis=-1)
    fitted = [fit_similarity(a, b).apply(a) - b for a, b in zip(found[::5], true[::5], strict=True)]
    return {
        "sliding": 1000 * steps[still].sum() / max(still.sum(), 1),
        "jitter": jitter_10m_per_s3(found, 1 / truth.step_s).mean(),
        "mpjpe": 1000 * np.linalg.norm(found - found[:, :1] - true + true[:, :1], axis=-1).mean(),
        "pa_mpjpe": 1000 * np.linalg.norm(fitted, axis=-1).mean(),
        "w_mpjpe": w_mpjpe_mm(found, true).mean(), "wa_mpjpe": wa_mpjpe_mm(found, true).mean(),
        "world": 1000 * np.linalg.norm(found - true, axis=-1).mean(),
    }  # fmt: skip


def mean_figures(motions: list[BodyMotion], truths: tuple[BodyMotion, ...]) -> dict[str, float]:
    rows = [figures(motion, truth) for motion, truth in zip(motions, truths, strict=True)]
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
