# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real camera adds: exposure that drifts, colour casts, vignetting, defocus, motion blur, noise."""

from __future__ import annotations

import functools
import math

import torch

from .behaviour import wobble
from .dice import Dice
from .settings import ClipSettings

_NOISE = 1 << 18


def develop(
    dice: Dice, settings: ClipSettings, linear: torch.Tensor, flow_px: torch.Tensor, time_s: torch.Tensor, frames: slice
) -> torch.Tensor:
    """Pictures (B, t, H, W, 3) in 0..1 to uint8, those of `frames` of the clip.

    `flow_px` (B, T, 2) is how far the picture's middle moves per frame of the footage; `time_s` (B, T).
    """
    strength = settings.effects
    picture = linear * _exposure(dice, settings, time_s)[:, frames, None, None]
    if strength > 0:
        blurry = dice.uniform("motion blur", 0.0, 0.5) * strength
        picture = _smear(picture, flow_px[:, frames] * blurry[:, None, None])
        picture = _soften(picture, strength * 0.28 * dice.uniform("defocus", 0.0, 1.0) ** 2)
        picture = picture * _vignette(picture, strength * dice.uniform("vignette", 0.0, 0.35))
        picture = picture + _noise(dice, picture.shape, frames) * _grain(dice, picture, strength)
    return (picture * 255.0).round().clamp(0.0, 255.0).to(torch.uint8)


def _exposure(dice: Dice, settings: ClipSettings, time_s: torch.Tensor) -> torch.Tensor:
    """(B, T, 3) factors: the clip's brightness and colour cast, and how the light changes."""
    strength = settings.effects
    gain = 1.0 + (0.08 + 0.3 * strength) * dice.uniform("gain", -1.0, 1.0)
    cast = 1.0 + 0.12 * strength * dice.uniform("cast", -1.0, 1.0, 3)
    change = 1.0 + 0.45 * settings.light_change * wobble(dice, "light", time_s, 0.05, 0.5)
    return gain[:, None, None] * cast[:, None] * change[..., None]


def _smear(picture: torch.Tensor, shift_px: torch.Tensor) -> torch.Tensor:
    """Average along (B, t, 2) pixels of motion, three samples."""
    clips, frames, height, width, _ = picture.shape
    shift = shift_px.clamp(-0.015 * width, 0.015 * width).reshape(-1, 1, 1, 2)
    image = picture.reshape(-1, height, width, 3).permute(0, 3, 1, 2)
    y, x = torch.meshgrid(
        torch.arange(height, device=image.device), torch.arange(width, device=image.device), indexing="ij"
    )
    grid = torch.stack([x, y], dim=-1).float()
    size = torch.tensor([width, height], device=image.device)
    total = image
    for part in (-0.5, 0.5):
        sample = (grid + part * shift + 0.5) / size * 2.0 - 1.0
        total = total + torch.nn.functional.grid_sample(image, sample, padding_mode="border", align_corners=False)
    return (total / 3.0).permute(0, 2, 3, 1).reshape(clips, frames, height, width, 3)


def _soften(picture: torch.Tensor, side: torch.Tensor) -> torch.Tensor:
    """Blur with the kernel (side, 1 - 2 side, side) both ways; `side` (B,)."""
    side = side[:, None, None, None, None]
    for axis in (2, 3):
        length = picture.shape[axis]
        first, last = picture.narrow(axis, 0, 1), picture.narrow(axis, length - 1, 1)
        before = torch.cat([first, picture.narrow(axis, 0, length - 1)], dim=axis)
        after = torch.cat([picture.narrow(axis, 1, length - 1), last], dim=axis)
        picture = picture + side * (before + after - 2.0 * picture)
    return picture


def _vignette(picture: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
    height, width = picture.shape[2:4]
    y = torch.linspace(-1.0, 1.0, height, device=picture.device)[:, None]
    x = torch.linspace(-1.0, 1.0, width, device=picture.device)
    return 1.0 - strength[:, None, None, None, None] * (0.5 * (x * x + y * y))[..., None]


def _grain(dice: Dice, picture: torch.Tensor, strength: float) -> torch.Tensor:
    """Standard deviation of the noise: a constant part and one that grows with the root of the light."""
    read, shot = (strength * dice.uniform(name, 0.0, most)[:, None, None, None, None] for name, most in
                  (("read noise", 0.02), ("shot noise", 0.035)))  # fmt: skip
    return read + shot * picture.clamp_min(0.0).sqrt()


def _noise(dice: Dice, shape: torch.Size, frames: slice) -> torch.Tensor:
    """Normal noise from a fixed strip, begun at a random place for each frame: cheap, and deterministic everywhere."""
    begin = dice.integer("noise", 0, _NOISE - 1, frames.stop)[:, frames]
    stride = 2 * dice.integer("noise stride", 0, 63, frames.stop)[:, frames] + 1
    index = torch.arange(math.prod(shape[2:]), device=begin.device)
    index = (begin[..., None] + stride[..., None] * index) % _NOISE
    return _strip(begin.device).index_select(0, index.flatten()).reshape(shape)


@functools.cache
def _strip(device: torch.device) -> torch.Tensor:
    return Dice(torch.tensor(4_711)).normal("strip", _NOISE).to(device)
