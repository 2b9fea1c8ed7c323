# SPDX-License-Identifier: GPL-3.0-or-later
"""A convolutional human-prior encoder for small models: learns from little where a ViT needs large-scale pretraining.

It stands where the DINOv2 encoder stands (paper section 3.2, Human Prior) and gives the same patch tokens. Besides, it
keeps a fine feature map, from which :class:`PersonReader` reads a window around each head, so that a person's prior
token has seen the whole body. The released models have neither.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..contract.skeleton import BODY_JOINT_COUNT
from .blocks import layer_norm
from .config import Human3RConfig
from .precision import in_float32

STRIDE = 16
"""Pixels along the edge of a patch of this encoder."""

FINE_STRIDE = 4
"""Pixels along the edge of a cell of the fine feature map."""

READ_JOINTS: tuple[int, ...] = (*range(BODY_JOINT_COUNT), 25, 31, 40, 46)
"""Joints that the reader places directly: the body's 22 and the first index and pinky joint of both hands."""

YAW_BINS = 12
"""Bins of the body's heading about the camera's vertical axis."""

_WIDTHS = (24, 48, 96, 192)
_FINE_WIDTH = 64
_WINDOW_M = (-0.9, -0.35, 0.9, 1.65)
"""Left, top, right, bottom of the window that is read, metres from the head at the head's scale."""
_WINDOW_CELLS = (16, 12)
_FREQUENCIES = 4
_REFERENCE_SCALE = 64.0
"""Pixels per metre of the human-prior image at which the log scale is 0."""


def _conv(taken: int, given: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(taken, given, 3, stride, 1, bias=False), nn.BatchNorm2d(given), nn.ReLU())


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _conv(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.second(self.first(x)))


class ConvolutionalPrior(nn.Module):
    """Residual convolutions at strides 2 to 16, and a feature pyramid back to stride 4."""

    def __init__(self, config: Human3RConfig) -> None:
        super().__init__()
        a, b, c, d = _WIDTHS
        self.stem = _conv(3, a, 2)
        self.stage4 = nn.Sequential(_conv(a, b, 2), _Residual(b))
        self.stage8 = nn.Sequential(_conv(b, c, 2), _Residual(c), _Residual(c))
        self.stage16 = nn.Sequential(_conv(c, d, 2), _Residual(d), _Residual(d))
        self.lateral = nn.ModuleList(nn.Conv2d(width, _FINE_WIDTH, 1) for width in (b, c, d))
        self.smooth = _conv(_FINE_WIDTH, _FINE_WIDTH)
        self.deep = nn.Conv2d(d, config.prior_width, 1)
        self.detail = nn.Conv2d(_FINE_WIDTH, config.prior_width, STRIDE // FINE_STRIDE, STRIDE // FINE_STRIDE)
        self.norm = layer_norm(config.prior_width)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, R, R) image under ImageNet normalisation to (B, S * S, width) tokens and fine (B, 64, R/4, R/4)."""
        level4 = self.stage4(self.stem(image))
        level8 = self.stage8(level4)
        level16 = self.stage16(level8)
        fine = self.lateral[2](level16)
        for lateral, level in ((self.lateral[1], level8), (self.lateral[0], level4)):
            fine = lateral(level) + functional.interpolate(fine, scale_factor=2, mode="nearest")
        fine = self.smooth(fine)
        tokens = self.deep(level16) + self.detail(fine)
        return self.norm(tokens.flatten(2).transpose(1, 2).float()), fine


class PersonReading(NamedTuple):
    """What the reader finds out about n people before the decoder."""

    token: Tensor
    """(n, prior width) the person's prior token."""
    log_scale: Tensor
    """(n,) natural logarithm of the pixels per metre at the head, over a reference of 64."""
    joints: Tensor
    """(n, 26, 3) READ_JOINTS relative to the head joint, metres, camera axes."""
    yaw_logits: Tensor
    """(n, 12) heading of the body in bins."""


class PersonReader(nn.Module):
    """Reads the fine features in a window around each head, as large as the person appears, into the person's token."""

    def __init__(self, config: Human3RConfig) -> None:
        super().__init__()
        width, (rows, columns) = config.prior_width, _WINDOW_CELLS
        self.scale = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))
        self.window = nn.Sequential(_conv(_FINE_WIDTH, 64), _conv(64, 96, 2), _conv(96, 128, 2))
        self.summary = nn.Sequential(nn.Linear(128 * (rows // 4) * (columns // 4) + width, 384), nn.ReLU())
        self.joints = nn.Linear(384, 3 * len(READ_JOINTS))
        self.yaw = nn.Linear(384, YAW_BINS)
        hints = 384 + 3 * len(READ_JOINTS) + YAW_BINS + 4 * _FREQUENCIES + 3
        self.project = nn.Sequential(nn.Linear(hints, 384), nn.ReLU(), nn.Linear(384, width))
        self.norm = layer_norm(width)

    @in_float32
    def forward(self, token: Tensor, fine: Tensor, batch_index: Tensor, head_square_px: Tensor) -> PersonReading:
        """Read n people: (n, width) head patch tokens, (B, 64, R/4, R/4) features, (n,) pictures, (n, 2) heads (x, y).

        While training, head and scale are shaken, so that the reading bears the errors of detection.
        """
        log_scale = self.scale(token).float().squeeze(-1)
        center, used_scale = head_square_px.detach().float(), log_scale.detach().clamp(-2.5, 2.5)
        if self.training:
            center = center + 1.5 * torch.randn_like(center)
            used_scale = used_scale + 0.1 * torch.randn_like(used_scale)
        cells = self._sample(fine, batch_index, center, used_scale.exp() * _REFERENCE_SCALE)
        summary = self.summary(torch.cat((self.window(cells).flatten(1), token), dim=-1))
        joints, yaw = self.joints(summary).float(), self.yaw(summary).float()
        place = center / (fine.shape[-1] * FINE_STRIDE) * 2 - 1
        waves = place[:, None] * math.pi * 2.0 ** torch.arange(-1, _FREQUENCIES - 1, device=place.device)[:, None]
        hints = (joints, yaw.softmax(-1), waves.sin().flatten(1), waves.cos().flatten(1), place, used_scale[:, None])
        token = self.norm(token + self.project(torch.cat((summary.float(), *hints), dim=-1)))
        return PersonReading(token, log_scale, joints.unflatten(-1, (-1, 3)), yaw)

    def _sample(self, fine: Tensor, batch_index: Tensor, center: Tensor, scale: Tensor) -> Tensor:
        """(n, 64, 16, 12) fine features in the windows of n people, zero outside the picture."""
        rows, columns = _WINDOW_CELLS
        left, top, right, bottom = _WINDOW_M
        x = torch.linspace(left, right, columns, device=fine.device)
        y = torch.linspace(top, bottom, rows, device=fine.device)
        window = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
        edge = fine.shape[-1] * FINE_STRIDE
        places = (center[:, None, None] + window * scale[:, None, None, None]) / edge * 2 - 1
        # Sampling picture by picture would copy the features; per person they are gathered once.
        return functional.grid_sample(fine[batch_index].float(), places, align_corners=False)


class ConvolutionalBackbone(nn.Module):
    """Encoder and reader under the name that checkpoints give the prior; see :class:`.dinov2.Backbone`."""

    def __init__(self, config: Human3RConfig) -> None:
        super().__init__()
        self.encoder = ConvolutionalPrior(config)
        self.reader = PersonReader(config)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, R, R) image under ImageNet normalisation to (B, S * S, width) tokens and fine (B, 64, R/4, R/4)."""
        return self.encoder(image)

    def person_token(self, token: Tensor, fine: Tensor | None, batch_index: Tensor, head_square_px: Tensor) -> Tensor:
        """(n, width) tokens of the head patches to tokens that have seen the whole person."""
        if fine is None or not len(token):
            return token
        return self.reader(token, fine, batch_index, head_square_px).token
