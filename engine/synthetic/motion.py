# SPDX-License-Identifier: GPL-3.0-or-later
"""Plausible motion as SMPL-X parameters, for any times, with feet that stay where they stand.

Pelvis and feet come from the gait, the legs follow by inverse kinematics; hands go where the script says. Inside, the
stage frame has y up and the floor at y = 0; what is returned is in the WORLD of the clips: x right, y DOWN, z forward
(OpenCV axes), floor at y = 0. A person with heading 0 looks along -z, towards a camera that looks along +z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from ..contract.skeleton import (
    HEAD,
    JAW,
    JOINT_COUNT,
    LEFT_ANKLE,
    LEFT_COLLAR,
    LEFT_ELBOW,
    LEFT_EYE,
    LEFT_FOOT,
    LEFT_HAND,
    LEFT_HIP,
    LEFT_KNEE,
    LEFT_SHOULDER,
    LEFT_WRIST,
    NECK,
    PELVIS,
    RIGHT_EYE,
    RIGHT_HAND,
    SPINE1,
    SPINE2,
    SPINE3,
)  # fmt: skip
from .behaviour import Script, smoothstep, wobble, write_script
from .dice import Dice
from .gait import Feet, Path, feet_at
from .limbs import X, Y, Z, apply, euler, reach, turn_about
from .surface import BodySurface, forward_kinematics

WORLD_FROM_STAGE = (1.0, -1.0, -1.0)
"""Diagonal of the half turn about x that takes the stage frame (y up) to the world (y down) and back."""

_REACH = 0.998
"""Share of the legs' length that standing and walking use: nobody locks the knees."""
_SPREAD = torch.tensor([1.0, -1.0])


@dataclass(frozen=True)
class Cast:
    """N people before they move."""

    dice: Dice
    """Shape (N,)."""
    betas: torch.Tensor
    """(N, 10)."""
    home: torch.Tensor
    """(N, 2) world x and z of the middle of the disc in which a person stays."""
    radius: torch.Tensor
    """(N,) metres; feet and hands reach farther than the pelvis, which stays inside."""
    sitter: torch.Tensor
    """(N,) bool."""
    energy: torch.Tensor
    """(N,) factor on the speed of everything."""


@dataclass(frozen=True)
class Motion:
    """SMPL-X parameters of N people at T times, in the world frame."""

    rotations: torch.Tensor
    """(N, T, 55, 3, 3) relative to the parents; the root's turns the body's rest frame into the world's axes."""
    translation: torch.Tensor
    """(N, T, 3) SMPL-X's `transl`."""
    expression: torch.Tensor
    """(N, T, 10)."""
    joints: torch.Tensor
    """(N, T, 55, 3)."""
    planted: torch.Tensor
    """(N, T, 2) bool, left and right: the ball of the foot (joints 10, 11) stands still."""
    seat: torch.Tensor
    """(N, 4) world x, z, heading and height of what a sitter sits on; height 0 for all others."""


def move(cast: Cast, body: BodySurface, time_s: torch.Tensor, walking: float) -> Motion:
    """Motion of the cast at (N, T) seconds, from 0 on. `walking` is the share of time on the move."""
    expression = _expressions(cast.dice, time_s)
    # Expressions move no joint of the skeleton by more than the jaw's rounding; the gait uses the neutral face.
    rest = body.rest_joints(cast.betas)
    floor = body.floor_height(cast.betas)
    clock = time_s * cast.energy[:, None]
    script = write_script(cast.dice.fork("script"), float(clock.max()), walking, cast.sitter)
    heading = cast.dice.uniform("heading", -math.pi, math.pi)
    start = cast.radius * cast.dice.uniform("start distance", 0.0, 1.0).sqrt() * (~cast.sitter)
    angle = cast.dice.uniform("start angle", -math.pi, math.pi)
    home = cast.home * torch.tensor([1.0, -1.0], device=cast.home.device)
    where = home + start[:, None] * torch.stack([torch.sin(angle), torch.cos(angle)], dim=-1)
    path = Path(script, home, cast.radius, where, heading)
    phase, rate = script.phase(clock)
    feet = feet_at(path, phase, rate, *_stance(cast.dice, rest))
    place, course = path.at(phase)

    rotations = torch.eye(3, device=place.device).repeat(*time_s.shape, JOINT_COUNT, 1, 1)
    seat_height = rest[:, LEFT_KNEE, 1] - floor
    pelvis = _trunk(rotations, script, cast.dice, clock, phase, rate, course)
    position = _pelvis_position(rest, floor, feet, script, clock, phase, rate, place, course, pelvis, seat_height)
    _legs(rotations, rest, floor, feet, pelvis, position)
    _arms(rotations, rest, script, cast.dice, clock, phase, rate)
    _head_and_hands(rotations, script, cast.dice, clock)

    flip = torch.tensor(WORLD_FROM_STAGE, device=place.device)
    rotations[:, :, PELVIS] = flip[:, None] * rotations[:, :, PELVIS]
    exact_rest = body.rest_joints(
        cast.betas[:, None].expand(-1, time_s.shape[1], -1).flatten(0, 1), expression.flatten(0, 1)
    )
    exact_rest = exact_rest.reshape(*time_s.shape, JOINT_COUNT, 3)
    translation = flip * position - exact_rest[:, :, PELVIS]
    joints = forward_kinematics(rotations, exact_rest)[1] + translation[:, :, None]
    seat = torch.stack(
        [*(flip[[0, 2]] * _seat_place(rest, where, heading)).unbind(-1), heading, seat_height - 0.06], dim=-1
    )
    return Motion(
        rotations, translation, expression, joints, feet.planted, torch.where(cast.sitter[:, None], seat, 0.0)
    )


def _stance(dice: Dice, rest: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    half_hips = 0.5 * (rest[:, LEFT_HIP, 0] - rest[:, LEFT_HIP + 1, 0])
    stance = half_hips + dice.uniform("stance", -0.005, 0.05)
    forefoot = rest[:, LEFT_FOOT : LEFT_FOOT + 2] - rest[:, LEFT_ANKLE : LEFT_ANKLE + 2]
    return stance, dice.uniform("splay", 0.02, 0.25), forefoot


def _trunk(
    rotations: torch.Tensor, script: Script, dice: Dice, clock: torch.Tensor, phase: torch.Tensor,
    rate: torch.Tensor, course: torch.Tensor,
) -> torch.Tensor:  # fmt: skip
    """Turn pelvis and spine; returns the pelvis' rotation in the stage frame (N, T, 3, 3)."""
    effort = (rate / 1.5).clamp(0.0, 1.0)
    twist = dice.uniform("hip twist", 0.06, 0.14)[:, None] * effort * torch.cos(math.pi * phase)
    roll = 0.05 * effort * torch.sin(math.pi * phase)
    lean = script.blend(script.lean, clock) + 0.04 * wobble(dice, "trunk", clock, 0.1, 0.5, 3)
    pelvis = euler(0.4 * lean[..., 0], course + twist, roll)
    rotations[:, :, PELVIS] = pelvis
    spine = euler(0.3 * lean[..., 0], (lean[..., 1] - 1.7 * twist) / 3.0, (lean[..., 2] - roll) / 3.0)
    for joint in (SPINE1, SPINE2, SPINE3):
        rotations[:, :, joint] = spine
    return pelvis


def _pelvis_position(
    rest: torch.Tensor, floor: torch.Tensor, feet: Feet, script: Script, clock: torch.Tensor, phase: torch.Tensor,
    rate: torch.Tensor, place: torch.Tensor, course: torch.Tensor, pelvis: torch.Tensor, seat_height: torch.Tensor,
) -> torch.Tensor:  # fmt: skip
    """(N, T, 3) where the pelvis joint is: over the path, as high as both legs can reach, lower to crouch or sit."""
    crouch, sit = script.blend(script.crouch, clock), script.blend(script.sit, clock)
    sit = smoothstep(sit)
    thigh = (rest[:, LEFT_KNEE] - rest[:, LEFT_HIP]).norm(dim=-1)[:, None]
    forward = torch.stack([torch.sin(course), torch.cos(course)], dim=-1)
    left = torch.stack([torch.cos(course), -torch.sin(course)], dim=-1)
    back = 0.95 * thigh * sit + 0.12 * crouch
    # The weight goes over the standing foot: the right one while the left swings.
    sway = -0.02 * (rate / 1.5).clamp(0.0, 1.0) * torch.sin(math.pi * phase)
    place = place - back[..., None] * forward + sway[..., None] * left

    ankles = _ankles(rest, floor, feet)
    hips = apply(pelvis[:, :, None], (rest[:, LEFT_HIP : LEFT_HIP + 2] - rest[:, PELVIS : PELVIS + 1])[:, None])
    legs = _leg_length(rest)
    away = (ankles - hips)[..., [0, 2]] - place[:, :, None]
    squared = (_REACH * legs) ** 2 - (away * away).sum(-1)
    highest = ankles[..., 1] - hips[..., 1] + torch.sqrt(torch.maximum(squared, (0.35 * legs) ** 2))
    softness = 0.015
    highest = -softness * torch.logsumexp(-highest / softness, dim=-1)
    lowered = highest - 0.42 * crouch * legs.mean(-1)
    seated = (seat_height + 0.07)[:, None]
    height = torch.minimum(torch.lerp(lowered, seated.expand_as(lowered), sit), highest)
    return torch.stack([place[..., 0], height, place[..., 1]], dim=-1)


def _leg_length(rest: torch.Tensor) -> torch.Tensor:
    """(N, 1, 2) from hip to ankle with a straight knee."""
    thigh = (rest[:, LEFT_KNEE : LEFT_KNEE + 2] - rest[:, LEFT_HIP : LEFT_HIP + 2]).norm(dim=-1)
    shank = (rest[:, LEFT_ANKLE : LEFT_ANKLE + 2] - rest[:, LEFT_KNEE : LEFT_KNEE + 2]).norm(dim=-1)
    return (thigh + shank)[:, None]


def _foot_rotation(feet: Feet) -> torch.Tensor:
    return turn_about(Y, feet.heading) @ turn_about(X, feet.pitch)


def _ankles(rest: torch.Tensor, floor: torch.Tensor, feet: Feet) -> torch.Tensor:
    """(N, T, 2, 3) ankles over the feet, which turn about their balls."""
    ball_rest = rest[:, LEFT_FOOT : LEFT_FOOT + 2]
    raised = (ball_rest[:, :, 1] - floor[:, None])[:, None]
    ball = feet.ball + torch.nn.functional.pad(raised[..., None], (1, 1))
    heel = (rest[:, LEFT_ANKLE : LEFT_ANKLE + 2] - ball_rest)[:, None]
    return ball + apply(_foot_rotation(feet), heel)


def _legs(
    rotations: torch.Tensor, rest: torch.Tensor, floor: torch.Tensor, feet: Feet, pelvis: torch.Tensor,
    position: torch.Tensor,
) -> None:  # fmt: skip
    ankles = _ankles(rest, floor, feet)
    feet_world = _foot_rotation(feet)
    hinge = torch.tensor([1.0, 0.0, 0.0], device=rest.device)
    for side in range(2):
        hip, knee, ankle, ball = (joint + side for joint in (LEFT_HIP, LEFT_KNEE, LEFT_ANKLE, LEFT_FOOT))
        offset = (rest[:, hip] - rest[:, PELVIS])[:, None]
        target = apply(pelvis.transpose(-1, -2), ankles[:, :, side] - position) - offset
        toes = apply(pelvis.transpose(-1, -2), turn_about(Y, feet.heading[:, :, side])[..., 2])
        pole = torch.nn.functional.normalize(toes, dim=-1) + torch.tensor([0.0, 0.0, 0.7], device=rest.device)
        upper, lower = (rest[:, knee] - rest[:, hip])[:, None], (rest[:, ankle] - rest[:, knee])[:, None]
        rotations[:, :, hip], rotations[:, :, knee] = reach(upper, lower, hinge, target, pole)
        shank = pelvis @ rotations[:, :, hip] @ rotations[:, :, knee]
        rotations[:, :, ankle] = shank.transpose(-1, -2) @ feet_world[:, :, side]
        rotations[:, :, ball] = turn_about(X, -feet.pitch[:, :, side])


def _arms(
    rotations: torch.Tensor, rest: torch.Tensor, script: Script, dice: Dice, clock: torch.Tensor, phase: torch.Tensor,
    rate: torch.Tensor,
) -> None:  # fmt: skip
    target, elbow = script.blend(script.arm, clock), script.blend(script.elbow, clock)
    swing, wave = script.blend(script.swing, clock), script.blend(script.wave, clock)
    effort = (rate / 1.5).clamp(0.0, 1.0) * dice.uniform("arm swing", 0.25, 0.65)[:, None]
    beat = torch.sin(2.0 * math.pi * dice.uniform("wave rate", 1.0, 1.8)[:, None] * clock)
    drift = 0.05 * wobble(dice, "arms", clock, 0.1, 0.6, 2, 3)
    shrug = 0.08 * wobble(dice, "collars", clock, 0.1, 0.4, 2, 2)
    sides = _SPREAD.to(rest.device)
    for side in range(2):
        collar, shoulder, low, wrist = (j + side for j in (LEFT_COLLAR, LEFT_SHOULDER, LEFT_ELBOW, LEFT_WRIST))
        outwards = torch.stack([sides[side], torch.ones_like(sides[0]), torch.ones_like(sides[0])])
        # The left arm goes back while the left foot is in front.
        forward = sides[side] * torch.cos(math.pi * phase) * effort * swing[:, :, side]
        hand = target[:, :, side] + drift[:, :, side]
        hand = hand + torch.stack([wave[:, :, side] * beat, 0.1 * forward.abs(), 0.85 * forward], dim=-1)
        extent = hand.norm(dim=-1, keepdim=True)
        hand = hand * (extent.clamp(0.35, 0.985) / extent.clamp_min(1e-6))
        upper, lower = (rest[:, low] - rest[:, shoulder])[:, None], (rest[:, wrist] - rest[:, low])[:, None]
        length = upper.norm(dim=-1, keepdim=True) + lower.norm(dim=-1, keepdim=True)
        hinge = torch.stack([torch.zeros_like(sides[0]), -sides[side], torch.zeros_like(sides[0])])
        bends = reach(upper, lower, hinge, hand * outwards * length, elbow[:, :, side] * outwards)
        rotations[:, :, shoulder], rotations[:, :, low] = bends
        rotations[:, :, collar] = turn_about(Y, shrug[:, :, side, 0]) @ turn_about(Z, shrug[:, :, side, 1])


def _head_and_hands(rotations: torch.Tensor, script: Script, dice: Dice, clock: torch.Tensor) -> None:
    look = script.blend(script.look, clock) + 0.08 * wobble(dice, "head", clock, 0.1, 0.5, 2)
    tilt = 0.12 * wobble(dice, "tilt", clock, 0.05, 0.3)
    rotations[:, :, NECK] = euler(0.4 * look[..., 0], 0.4 * look[..., 1], 0.5 * tilt)
    rotations[:, :, HEAD] = euler(0.6 * look[..., 0], 0.6 * look[..., 1], 0.5 * tilt)
    gaze = 0.15 * wobble(dice, "gaze", clock, 0.2, 0.8, 2)
    rotations[:, :, LEFT_EYE] = rotations[:, :, RIGHT_EYE] = euler(gaze[..., 0], gaze[..., 1], torch.zeros_like(tilt))
    talks = dice.chance("talks", 0.4).float()[:, None]
    rotations[:, :, JAW] = turn_about(X, 0.2 * talks * wobble(dice, "jaw", clock, 1.0, 3.0).clamp_min(0.0))
    curl = script.blend(script.curl, clock)
    wrist = 0.25 * wobble(dice, "wrists", clock, 0.1, 0.6, 2, 3)
    for side, hand in enumerate((LEFT_HAND, RIGHT_HAND)):
        sign = 1.0 if side == 0 else -1.0
        rotations[:, :, LEFT_WRIST + side] = euler(*wrist[:, :, side].unbind(-1))
        fingers = turn_about(Z, -sign * curl[:, :, side])
        rotations[:, :, hand.start : hand.stop - 3] = fingers[:, :, None]
        rotations[:, :, hand.stop - 3 : hand.stop] = turn_about(Y, sign * 0.5 * curl[:, :, side])[:, :, None]


def _expressions(dice: Dice, time_s: torch.Tensor) -> torch.Tensor:
    return 1.2 * wobble(dice, "expression", time_s, 0.1, 0.5, 10)


def _seat_place(rest: torch.Tensor, where: torch.Tensor, heading: torch.Tensor) -> torch.Tensor:
    """(N, 2) stage x and z of the middle of the seat: under the pelvis of who sits at `where`."""
    thigh = (rest[:, LEFT_KNEE] - rest[:, LEFT_HIP]).norm(dim=-1)
    return where - (0.95 * thigh)[:, None] * torch.stack([torch.sin(heading), torch.cos(heading)], dim=-1)
