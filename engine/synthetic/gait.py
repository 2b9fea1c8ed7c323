# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps on a floor: a path within a disc and feet that stay where they were put down.

The floor plane is (x, z), y is up; heading h faces (sin h, cos h). The gait phase counts steps: the left foot swings
between phase 2k and 2k + 1, the right one between 2k + 1 and 2k + 2, and both are down at whole numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from .behaviour import Script, smoothstep

_DOUBLE = 0.12
"""Part of a step, at either end, with both feet on the floor."""
_LIFT_M = 0.07
_STANDING_STEPS = 4
"""Steps on the spot after the last: the curve through the steps looks that far ahead."""
_HEEL_UP = 0.85
"""How far the heel turns up about the ball of the foot before it leaves the floor, radians, at full stride."""


@dataclass(frozen=True)
class Feet:
    """Both feet (left, right) of N people at T times."""

    ball: torch.Tensor
    """(N, T, 2, 3) where the ball is, y = 0 on the floor."""
    heading: torch.Tensor
    """(N, T, 2) direction of the toes."""
    pitch: torch.Tensor
    """(N, T, 2) heel-up angle about the ball."""
    planted: torch.Tensor
    """(N, T, 2) bool: the ball does not move."""


class Path:
    """Where N people are at each whole step, within a disc around their home."""

    def __init__(
        self, script: Script, home: torch.Tensor, radius: torch.Tensor, start: torch.Tensor, heading: torch.Tensor
    ) -> None:
        """Walk the script: `home` (N, 2) and `radius` (N,) of the disc, `start` (N, 2) in it, first `heading` (N,).

        Near the rim people turn back; a step that would leave the disc is made on the spot.
        """
        done = script.steps.cumsum(1)
        total = int(done[:, -1].max()) + _STANDING_STEPS
        position, places, headings = start, [start], [heading]
        for step in range(total):
            segment = (done <= step).sum(1, keepdim=True).clamp_max(done.shape[1] - 1)
            # Whoever has no steps left stands, however long others walk on.
            left = step < done[:, -1]
            stride, veer, sidle = (
                left * row.gather(1, segment)[:, 0] for row in (script.stride, script.veer, script.sidle)
            )
            outward = position - home
            away = outward.norm(dim=-1)
            homeward = torch.atan2(-outward[:, 0], -outward[:, 1]) - sidle
            error = torch.remainder(homeward - heading + math.pi, 2.0 * math.pi) - math.pi
            returning = (away > 0.55 * radius) & (stride > 0)
            heading = heading + torch.where(returning, error.clamp(-0.6, 0.6), veer)
            course = heading + sidle
            there = position + stride[:, None] * torch.stack([torch.sin(course), torch.cos(course)], dim=-1)
            inside = ((there - home).norm(dim=-1) <= radius)[:, None]
            position = torch.where(inside, there, position)
            places.append(position)
            headings.append(heading)
        self._knots = torch.cat([torch.stack(places, 1), torch.stack(headings, 1)[..., None]], dim=-1)

    def at(self, phase: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, Q) phases to places (N, Q, 2) and headings (N, Q), on a smooth curve (Catmull and Rom) by the steps."""
        last = self._knots.shape[1] - 1
        phase = phase.clamp(0.0, float(last))
        index = phase.floor().clamp_max(max(last - 1, 0))
        u = (phase - index)[..., None]
        person = torch.arange(len(phase), device=phase.device)[:, None]
        p0, p1, p2, p3 = (self._knots[person, (index.long() + k).clamp(0, last)] for k in (-1, 0, 1, 2))
        enter, leave = 0.5 * (p2 - p0), 0.5 * (p3 - p1)
        rise = p2 - p1
        value = p1 + u * (enter + u * (3 * rise - 2 * enter - leave + u * (enter + leave - 2 * rise)))
        return value[..., :2], value[..., 2]


def feet_at(
    path: Path,
    phase: torch.Tensor,
    rate: torch.Tensor,
    stance: torch.Tensor,
    splay: torch.Tensor,
    forefoot: torch.Tensor,
) -> Feet:
    """Feet at (N, T) phases and step rates.

    `stance` (N,) is the distance of each ankle from the middle, `splay` (N,) how far the toes turn out, `forefoot`
    (N, 2, 3) the way from ankle to ball at rest (only x and z are used).
    """
    balls, headings, pitches, planted = [], [], [], []
    for foot, side in ((0, 1.0), (1, -1.0)):
        cycle = ((phase - foot) / 2.0).floor()
        local = phase - foot - 2.0 * cycle
        u = ((local - _DOUBLE) / (1.0 - 2.0 * _DOUBLE)).clamp(0.0, 1.0)
        # A foot is put down where the body will be in the middle of its stance.
        before = _planted(path, foot + 2.0 * cycle - 0.5, side, stance, splay, forefoot[:, foot])
        after = _planted(path, foot + 2.0 * cycle + 1.5, side, stance, splay, forefoot[:, foot])
        ease = u * u * u * (u * (6.0 * u - 15.0) + 10.0)
        swing = torch.lerp(before, after, ease[..., None])
        effort = (rate / 1.5).clamp(0.0, 1.0)
        height = _LIFT_M * torch.sin(math.pi * u) ** 2
        # The heel comes up at the end of the stance, which wraps around the cycle, and goes down during the swing.
        rising = smoothstep((torch.where(local > 1.0, local - 2.0, local) + 0.4) / (0.4 + _DOUBLE))
        falling = 1.0 - smoothstep(u / 0.8)
        moved = ((after - before)[..., :2].norm(dim=-1) / 1.2).clamp(0.0, 1.0)
        pitch = _HEEL_UP * torch.where(local > 1.0, rising, rising * falling) * effort * (0.3 + 0.7 * moved)
        balls.append(torch.stack([swing[..., 0], height, swing[..., 1]], dim=-1))
        headings.append(swing[..., 2])
        pitches.append(pitch)
        planted.append((u <= 0.0) | (u >= 1.0))
    return Feet(torch.stack(balls, 2), torch.stack(headings, 2), torch.stack(pitches, 2), torch.stack(planted, 2))


def _planted(
    path: Path, phase: torch.Tensor, side: float, stance: torch.Tensor, splay: torch.Tensor, forefoot: torch.Tensor
) -> torch.Tensor:
    """(N, T, 3): x and z of the ball and heading of the foot that stands while the body passes `phase`."""
    place, heading = path.at(phase)
    left = torch.stack([torch.cos(heading), -torch.sin(heading)], dim=-1)
    ankle = place + side * stance[:, None, None] * left
    toes = heading + side * splay[:, None]
    x, z = forefoot[:, None, 0], forefoot[:, None, 2]
    cosine, sine = torch.cos(toes), torch.sin(toes)
    ball = ankle + torch.stack([cosine * x + sine * z, cosine * z - sine * x], dim=-1)
    return torch.cat([ball, toes[..., None]], dim=-1)
