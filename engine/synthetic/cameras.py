# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the camera stands, how it moves, and where people's homes are so that it sees them.

World frame: x right, y DOWN, z forward, floor at y = 0. The camera starts over the world's origin. B clips, T times,
P people.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from .behaviour import wobble
from .dice import Dice
from .settings import CAMERAS, ClipSettings

_CANDIDATES = 16
_ELBOW_ROOM_M = 0.6
"""What is left free between two people's discs: hands and feet reach out of them."""
_CLEARANCE_M = 0.8
"""Nearest that the camera comes to anybody's disc."""
_TORSO_M = 0.95
"""Height at which the camera aims."""
_JUMP_RANGE_M = 1.3


@dataclass(frozen=True)
class View:
    """The camera's beginning: what does not change in a clip."""

    start: torch.Tensor
    """(B, 3) first position."""
    yaw: torch.Tensor
    """(B,) first direction; 0 looks along +z, positive turns towards +x."""
    focal_px: torch.Tensor
    """(B,) focal length in pixels."""
    tangent: torch.Tensor
    """(B,) tangent of half the angle of view from left to right."""


def first_view(dice: Dice, settings: ClipSettings) -> View:
    """Draw the first view of B clips (`dice` of shape (B,))."""
    low, high = (math.radians(angle) for angle in settings.field_of_view_deg)
    width, height = settings.size
    focal = 0.5 * max(width, height) / torch.tan(0.5 * dice.uniform("field of view", low, high))
    start = torch.stack([torch.zeros_like(focal), -dice.uniform("height", 1.15, 1.75), torch.zeros_like(focal)], dim=-1)
    return View(start, dice.uniform("yaw", -math.pi, math.pi), focal, 0.5 * width / focal)


def settle(dice: Dice, view: View, settings: ClipSettings) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Homes (B, P, 2) as x and z, radii (B, P) and who takes part (B, P) bool; discs keep clear of each other."""
    slots = settings.people[1]
    count = dice.integer("people", *settings.people)
    roaming = dice.uniform("roaming", *settings.roaming_m, slots)
    nearest, farthest = settings.distance_m
    roaming = roaming.clamp_max(0.5 * (farthest - nearest))
    aside = dice.uniform("aside", -0.75, 0.75, slots, _CANDIDATES)
    edge = dice.chance("at the edge", settings.entering, slots)[..., None]
    aside = torch.where(edge, torch.sign(aside) * (0.85 + 0.4 * aside.abs()), aside)
    share = dice.uniform("depth", 0.0, 1.0, slots, _CANDIDATES)
    depth = torch.lerp(nearest + roaming, farthest - roaming, 0.0)[..., None] * (1.0 - share)
    depth = depth + (farthest - roaming)[..., None] * share
    forward = torch.stack([torch.sin(view.yaw), torch.cos(view.yaw)], dim=-1)[:, None, None]
    right = torch.stack([torch.cos(view.yaw), -torch.sin(view.yaw)], dim=-1)[:, None, None]
    sideways = depth * aside * view.tangent[:, None, None]
    candidates = depth[..., None] * forward + sideways[..., None] * right
    homes: list[torch.Tensor] = []
    for slot in range(slots):
        options = candidates[:, slot]
        if not homes:
            homes.append(options[:, 0])
            continue
        gap = torch.cdist(options, torch.stack(homes, 1)).amin(-1)
        # The first candidate with room to walk, else the loneliest.
        good = (gap > 2.0 * settings.roaming_m[1] + _ELBOW_ROOM_M).float() * (
            100.0 - torch.arange(_CANDIDATES, device=gap.device)
        )
        homes.append(options.gather(1, (gap + good).argmax(-1)[:, None, None].expand(-1, 1, 2))[:, 0])
    present = torch.arange(slots, device=count.device) < count[:, None]
    home = torch.stack(homes, 1) if homes else torch.zeros(len(count), 0, 2, device=count.device)
    apart = torch.cdist(home, home) + 1e3 * torch.eye(slots, device=home.device)
    room = 0.5 * (apart.amin(-1) - _ELBOW_ROOM_M) if slots > 1 else roaming
    # Where even standing people would touch, the later one stays away.
    crowded = ((apart < _ELBOW_ROOM_M) & torch.ones_like(apart, dtype=torch.bool).tril(-1)).any(-1)
    return home, torch.minimum(roaming, room.clamp_min(0.0)), present & ~crowded


def travel(
    dice: Dice, view: View, settings: ClipSettings, time_s: torch.Tensor, home: torch.Tensor, radius: torch.Tensor,
    present: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    """Positions (B, T, 3) and rotations world-from-camera (B, T, 3, 3) at (B, T) seconds.

    Where a moving camera would come too near to somebody, it stays where it started (in jumps the caller leaves that
    person out).
    """
    kind = dice.choice("camera", settings.camera_weights)
    aim = _aim(dice, view, home, present)
    motion = settings.camera_motion
    sway = wobble(dice, "sway", time_s, 0.04, 0.22, 3)
    reach_m = torch.tensor([0.55, 0.18, 0.4], device=sway.device) * motion
    shake = 0.006 * motion * wobble(dice, "shake", time_s, 0.8, 3.0, 3)
    drift = sway * reach_m * dice.uniform("drift", 0.35, 1.0)[:, None, None]
    # All paths begin at the start: the world of a clip is later told from the first camera.
    drift = drift - drift[:, :1]
    sweep = motion * dice.uniform("sweep", 0.25, 0.6)[:, None] * wobble(dice, "orbit", time_s, 0.05, 0.15)
    orbit = _orbit(view.start, aim, sweep - sweep[:, :1]) + 0.4 * drift
    ahead = torch.nn.functional.normalize(aim - view.start, dim=-1) * torch.tensor([1.0, 0.1, 1.0], device=aim.device)
    push = motion * wobble(dice, "dolly", time_s, 0.04, 0.12)
    dolly = 0.7 * (push - push[:, :1])[..., None] * ahead[:, None] + 0.5 * drift
    still = torch.zeros_like(drift)
    paths = torch.stack(
        [still, drift + shake, orbit + shake, dolly + shake, _jumps(dice, view, time_s.shape[1])[0], still], dim=1
    )
    offset = paths.gather(1, kind[:, None, None, None].expand(-1, 1, *drift.shape[1:]))[:, 0]
    position = view.start[:, None] + offset
    fixed, jumping, panning = (kind == CAMERAS.index(name) for name in ("fixed", "jumps", "pan"))
    near = _too_near(position, home, radius, present) & ~jumping
    position = torch.where(near[:, None, None], view.start[:, None], position)
    position[..., 1] = position[..., 1].clamp(-2.1, -0.5)
    still_kind = (fixed | near | panning)[:, None]

    forward = torch.nn.functional.normalize(aim[:, None] - position, dim=-1)
    turn = torch.tensor([0.05, 0.09, 0.035], device=sway.device) * motion
    angles = turn * wobble(dice, "turn", time_s, 0.05, 0.3, 3) + 0.004 * motion * wobble(
        dice, "tremble", time_s, 1.0, 4.0, 3
    )
    angles = torch.where(still_kind[..., None], angles[:, :1], angles)
    pitch = torch.asin(forward[..., 1].clamp(-1.0, 1.0)) + angles[..., 0]
    yaw = torch.atan2(forward[..., 0], forward[..., 2]) + angles[..., 1]
    jump_angles = _jumps(dice, view, time_s.shape[1])[1]
    yaw = torch.where(jumping[:, None], view.yaw[:, None] + jump_angles[..., 0], yaw)
    pitch = torch.where(jumping[:, None], 0.08 + jump_angles[..., 1], pitch)
    pan_angles = torch.where(panning[:, None, None], _pan(dice, time_s), 0.0)
    yaw, pitch = yaw + pan_angles[..., 0], pitch + pan_angles[..., 1]
    return position, _rotation(pitch, yaw, angles[..., 2])


def too_near(position: torch.Tensor, home: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
    """(B, P) bool: whose disc the camera's (B, T, 3) path comes closer to than it may."""
    if home.shape[1] == 0:
        return torch.zeros(home.shape[:2], dtype=torch.bool, device=home.device)
    distance = torch.cdist(position[..., [0, 2]], home).amin(1)
    return distance < radius + _CLEARANCE_M


def _too_near(position: torch.Tensor, home: torch.Tensor, radius: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    return (too_near(position, home, radius) & present).any(-1)


def _aim(dice: Dice, view: View, home: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """(B, 3) what the camera looks at: beside the middle of the people, or straight on where there are none."""
    forward = torch.stack([torch.sin(view.yaw), torch.zeros_like(view.yaw), torch.cos(view.yaw)], dim=-1)
    ahead = view.start + 4.0 * forward
    weight = present.float()[..., None]
    middle = (home * weight).sum(1) / weight.sum(1).clamp_min(1.0)
    somebody = present.any(-1)[:, None]
    distance = (middle - view.start[:, [0, 2]]).norm(dim=-1, keepdim=True)
    flat = torch.where(somebody, middle, ahead[:, [0, 2]])
    across = torch.stack([torch.cos(view.yaw), -torch.sin(view.yaw)], dim=-1)
    flat = flat + across * distance * view.tangent[:, None] * dice.uniform("off centre", -0.3, 0.3)[:, None]
    height = -_TORSO_M + dice.uniform("aim height", -0.25, 0.2)
    return torch.stack([flat[:, 0], height, flat[:, 1]], dim=-1)


def _orbit(start: torch.Tensor, centre: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
    """(B, T, 3) offsets from `start` of a turn by (B, T) radians about the upright axis through `centre`."""
    x, z = ((start - centre)[:, None, axis] for axis in (0, 2))
    cosine, sine = torch.cos(angle), torch.sin(angle)
    return torch.stack([cosine * x + sine * z - x, torch.zeros_like(angle), cosine * z - sine * x - z], dim=-1)


def _jumps(dice: Dice, view: View, frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Offsets (B, T, 3) and turns (B, T, 2) in yaw and pitch: 0.2 to 0.5 m and 5 to 15 degrees from frame to frame."""
    dice = dice.fork("jumps")
    length = dice.uniform("length", 0.2, 0.5, frames)
    course = dice.uniform("course", -math.pi, math.pi, frames)
    climb = dice.uniform("climb", -0.35, 0.35, frames)
    turn = torch.deg2rad(dice.uniform("turn", 5.0, 15.0, frames)) * torch.where(
        dice.chance("left", 0.5, frames), 1.0, -1.0
    )
    nod = torch.deg2rad(dice.uniform("nod", -4.0, 4.0, frames))
    offset, angles = torch.zeros_like(view.start), torch.zeros(len(view.yaw), 2, device=length.device)
    offsets, turns = [offset], [angles]
    for frame in range(1, frames):
        step = torch.stack([torch.sin(course[:, frame]), climb[:, frame], torch.cos(course[:, frame])], dim=-1)
        step = length[:, frame, None] * torch.nn.functional.normalize(step, dim=-1)
        # Turn back at the edge of the range instead of leaving it.
        step = torch.where((offset + step)[:, [0, 2]].norm(dim=-1, keepdim=True) > _JUMP_RANGE_M, -step, step)
        lift = torch.where((offset + step)[:, 1].abs() > 0.4, -step[:, 1], step[:, 1])
        offset = offset + torch.stack([step[:, 0], lift, step[:, 2]], dim=-1)
        change = torch.stack([turn[:, frame], nod[:, frame]], dim=-1)
        limit = torch.tensor([0.6, 0.2], device=change.device)
        change = torch.where((angles + change).abs() > limit, -change, change)
        angles = angles + change
        offsets.append(offset)
        turns.append(angles)
    return torch.stack(offsets, 1), torch.stack(turns, 1)


def _pan(dice: Dice, time_s: torch.Tensor) -> torch.Tensor:
    """Turns (B, T, 2) in yaw and pitch, as on a tripod: 15 to 40 degrees from the first frame to the last, half of them
    on either side of what the camera aims at, beginning and ending gently."""
    dice = dice.fork("pan")
    wide = torch.deg2rad(dice.uniform("wide", 15.0, 40.0)) * torch.where(dice.chance("left", 0.5), 1.0, -1.0)
    high = torch.deg2rad(dice.uniform("high", -3.0, 3.0))
    first, last = time_s[:, :1], time_s[:, -1:]
    share = (time_s - first) / (last - first).clamp_min(1e-6)
    gentle = share * share * (3.0 - 2.0 * share)
    share = torch.lerp(share, gentle, 0.5) - 0.5
    return share[..., None] * torch.stack([wide, high], dim=-1)[:, None]


def _rotation(pitch: torch.Tensor, yaw: torch.Tensor, roll: torch.Tensor) -> torch.Tensor:
    """World from camera (..., 3, 3): yaw turns right (towards +x), pitch looks down (towards +y), then roll."""
    forward = torch.stack(
        [torch.cos(pitch) * torch.sin(yaw), torch.sin(pitch), torch.cos(pitch) * torch.cos(yaw)], dim=-1
    )
    level = torch.stack([torch.cos(yaw), torch.zeros_like(yaw), -torch.sin(yaw)], dim=-1)
    down = torch.cross(forward, level, dim=-1)
    cosine, sine = torch.cos(roll)[..., None], torch.sin(roll)[..., None]
    right = cosine * level + sine * down
    return torch.stack([right, torch.cross(forward, right, dim=-1), forward], dim=-1)
