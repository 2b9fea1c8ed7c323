# SPDX-License-Identifier: GPL-3.0-or-later
"""What people do and when: a script of segments (walk, stand, turn, crouch, sit, wave, reach ...) for each person.

N people; a script has S segments of a person's own length. Everything that a segment fixes is a row of numbers, and
`blend` moves smoothly from one row to the next, so that any of it can be asked for at any time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from .dice import Dice

_BLEND_S = 0.7
_SHORTEST_S, _LONGEST_S = 1.7, 3.2

HANG, WAVE, REACH, HIP, FOLD, ANY = range(6)


@dataclass(frozen=True)
class Script:
    """What N people do in S segments. Angles in radians, lengths in metres unless said otherwise."""

    length_s: torch.Tensor
    """(N,) seconds of a segment."""
    begun_s: torch.Tensor
    """(N,) seconds of the first segment that are over at time 0."""
    steps: torch.Tensor
    """(N, S) steps taken, int64; 0 for standing."""
    stride: torch.Tensor
    """(N, S) metres per step."""
    veer: torch.Tensor
    """(N, S) turn per step."""
    sidle: torch.Tensor
    """(N, S) angle between where a person goes and where it faces."""
    crouch: torch.Tensor
    """(N, S) 0 upright to 1 deep."""
    sit: torch.Tensor
    """(N, S) 0 standing to 1 sitting."""
    lean: torch.Tensor
    """(N, S, 3) pitch, yaw, roll of the trunk."""
    look: torch.Tensor
    """(N, S, 2) pitch and yaw of the head."""
    arm: torch.Tensor
    """(N, S, 2, 3) where left and right hand are, in arm lengths from the shoulder; x points away from the body."""
    elbow: torch.Tensor
    """(N, S, 2, 3) direction in which the elbows point, x away from the body."""
    swing: torch.Tensor
    """(N, S, 2) 1 where the arm swings with the gait, 0 where it is busy."""
    wave: torch.Tensor
    """(N, S, 2) amplitude of waving, in arm lengths."""
    curl: torch.Tensor
    """(N, S, 2) bend of each finger joint."""

    def blend(self, values: torch.Tensor, time_s: torch.Tensor) -> torch.Tensor:
        """(N, S, ...) rows and (N, T) times to (N, T, ...): a segment's row, moving to the next in its last 0.7 s."""
        clock = time_s + self.begun_s[:, None]
        index = (clock / self.length_s[:, None]).floor()
        into = clock - index * self.length_s[:, None]
        weight = smoothstep((into - (self.length_s[:, None] - _BLEND_S)) / _BLEND_S)
        index = index.long().clamp(0, values.shape[1] - 2)
        person = torch.arange(len(values), device=values.device)[:, None]
        weight = weight.reshape(*weight.shape, *(1,) * (values.dim() - 2))
        return torch.lerp(values[person, index], values[person, index + 1], weight)

    def phase(self, time_s: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, T) times to the gait phase in steps and its rate in steps per second, both (N, T).

        A monotone cubic through a whole number of steps at each segment's end: whoever stands has both feet down.
        """
        clock = time_s + self.begun_s[:, None]
        length = self.length_s[:, None]
        index = (clock / length).floor().long().clamp(0, self.steps.shape[1] - 2)
        u = clock / length - index
        steps = self.steps.float()
        rate = steps / length
        before = torch.cat([rate[:, :1], rate[:, :-1]], dim=1)
        slope = torch.where((rate > 0) & (before > 0), 0.5 * (rate + before), 0.0)
        start = steps.cumsum(1) - steps
        first, rise = start.gather(1, index), steps.gather(1, index)
        enter, leave = slope.gather(1, index) * length, slope.gather(1, index + 1) * length
        phase = first + u * (enter + u * (3 * rise - 2 * enter - leave + u * (enter + leave - 2 * rise)))
        speed = enter + u * (2 * (3 * rise - 2 * enter - leave) + 3 * u * (enter + leave - 2 * rise))
        return phase, speed / length


def write_script(dice: Dice, seconds: float, walking: float, sitter: torch.Tensor) -> Script:
    """Draw the script of N people (`dice` of shape (N,)) that lasts at least `seconds`.

    `walking` is the share of segments with steps; `sitter` (N,) bool marks people who sit and rise on the spot.
    """
    count = math.ceil(seconds / _SHORTEST_S) + 3
    length = dice.uniform("segment", _SHORTEST_S, _LONGEST_S)
    walks = dice.chance("walks", walking, count) & ~sitter[:, None]
    beside = torch.zeros_like(walks)
    beside[:, 1:] |= ~walks[:, :-1]
    beside[:, :-1] |= ~walks[:, 1:]
    # Starting and stopping within a segment leaves time for fewer steps at the same peak rate.
    pace = dice.uniform("pace", 1.5, 2.1, count) * torch.where(beside, 0.65, 1.0)
    steps = (pace * length[:, None]).round().clamp_min(2).long() * walks
    in_place = dice.chance("turns in place", 0.15, count)
    sideways = dice.chance("sidles", 0.12, count)
    veer_limit = torch.where(in_place, 0.7, 0.3)
    crouches = dice.chance("crouches", 0.14, count) & ~sitter[:, None]
    crouch = torch.where(crouches, dice.uniform("crouch", 0.3, 1.0, count) * torch.where(walks, 0.3, 1.0), 0.0)
    sit = (sitter[:, None] & dice.chance("sits", 0.75, count)).float()
    pitch = dice.uniform("lean pitch", -0.06, 0.22, count) + 0.5 * crouch + 0.12 * sit
    lean = torch.stack(
        [pitch, dice.uniform("lean yaw", -0.35, 0.35, count), dice.uniform("lean roll", -0.14, 0.14, count)], dim=-1
    )
    look = torch.stack([dice.uniform("look pitch", -0.3, 0.4, count), dice.uniform("look yaw", -0.9, 0.9, count)], -1)
    arm, elbow, pose = _arms(dice, count)
    straight = (pose == HANG) & (sit[..., None] < 0.5)
    return Script(
        length_s=length, begun_s=length * dice.uniform("begun", 0.0, 1.0), steps=steps,
        stride=torch.where(in_place, 0.0, dice.uniform("stride", 0.3, 0.68, count)),
        veer=veer_limit * dice.uniform("veer", -1.0, 1.0, count),
        sidle=torch.where(sideways, dice.uniform("sidle", -math.pi, math.pi, count), 0.0),
        crouch=crouch, sit=sit, lean=lean, look=look, arm=arm, elbow=elbow, swing=straight.float(),
        wave=(pose == WAVE) * dice.uniform("wave", 0.1, 0.3, count, 2),
        curl=dice.uniform("curl", 0.05, 0.6, count, 2) + 0.6 * dice.chance("fist", 0.1, count, 2).float(),
    )  # fmt: skip


def _arms(dice: Dice, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Hand positions (N, S, 2, 3), elbow directions (N, S, 2, 3) and which pose it is (N, S, 2)."""
    pose = dice.choice("arms", (0.38, 0.12, 0.16, 0.08, 0.1, 0.16), count, 2)
    azimuth = dice.uniform("reach azimuth", -0.5, 1.1, count, 2)
    height = dice.uniform("reach height", -0.6, 0.9, count, 2)
    extent = dice.uniform("reach extent", 0.75, 0.97, count, 2)
    reaching = _direction(azimuth, height) * extent[..., None]
    anywhere = _direction(
        dice.uniform("any azimuth", -0.6, 1.9, count, 2), dice.uniform("any height", -1.3, 1.25, count, 2)
    ) * dice.uniform("any extent", 0.5, 0.97, count, 2, 1)
    jitter = dice.uniform("arm jitter", -0.06, 0.06, count, 2, 3)

    def fixed(x: float, y: float, z: float) -> torch.Tensor:
        return torch.tensor([x, y, z], device=pose.device) + jitter

    hands = torch.stack(
        [fixed(0.22, -0.93, 0.02), fixed(0.5, 0.45, 0.25), reaching, fixed(0.1, -0.72, 0.08), fixed(-0.22, -0.3, 0.5),
         anywhere], dim=3,
    )  # fmt: skip
    elbows = torch.tensor(
        [
            [0.3, 0.0, -1.0],
            [0.6, -1.0, -0.1],
            [0.5, -1.0, -0.3],
            [0.8, 0.2, -0.8],
            [0.6, -1.0, -0.3],
            [0.5, -0.8, -0.5],
        ],
        device=pose.device,
    )
    pick = pose[..., None, None].expand(*pose.shape, 1, 3)
    return hands.gather(3, pick)[:, :, :, 0], elbows[pose], pose


def _direction(azimuth: torch.Tensor, height: torch.Tensor) -> torch.Tensor:
    """Unit vectors, azimuth from straight ahead (z) outwards (x), height upwards (y)."""
    flat = torch.cos(height)
    return torch.stack([flat * torch.sin(azimuth), torch.sin(height), flat * torch.cos(azimuth)], dim=-1)


def smoothstep(u: torch.Tensor) -> torch.Tensor:
    """0 below 0, 1 above 1, with level ends."""
    u = u.clamp(0.0, 1.0)
    return u * u * (3.0 - 2.0 * u)


def wobble(
    dice: Dice, name: str, time_s: torch.Tensor, slowest_hz: float, fastest_hz: float, *shape: int
) -> torch.Tensor:
    """Smooth noise within -1..1: three sines. `time_s` is (*seeds, T); returns (*seeds, T, *shape)."""
    dice = dice.fork(name)
    frequency = dice.uniform("frequency", slowest_hz, fastest_hz, *shape, 3)
    phase = dice.uniform("phase", 0.0, 2.0 * math.pi, *shape, 3)
    weight = dice.uniform("weight", 0.2, 1.0, *shape, 3)
    weight = weight / weight.sum(-1, keepdim=True)
    axis = dice.seeds.dim()
    time_s = time_s.reshape(*time_s.shape, *(1,) * (len(shape) + 1))
    angle = 2.0 * math.pi * frequency.unsqueeze(axis) * time_s + phase.unsqueeze(axis)
    return (weight.unsqueeze(axis) * torch.sin(angle)).sum(-1)
