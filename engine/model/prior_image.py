# SPDX-License-Identifier: GPL-3.0-or-later
"""Between the CUT3R image and the padded square that the human-prior encoder sees.

The way there truncates sizes of the square, the way back recomputes the padding at the picture's own size; the two can
differ by up to a pixel. Both are kept as the released weights were trained with them.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .config import PATCH_SIZE

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def pad_to_square(image: Tensor, resolution: int) -> Tensor:
    """Scale (B, C, H, W) to fit a ``resolution`` square, centred, with -1 around it."""
    height, width = image.shape[-2:]
    scale = min(resolution / height, resolution / width)
    rows, columns = int(height * scale), int(width * scale)
    scaled = functional.interpolate(image, size=(rows, columns), mode="bilinear", align_corners=False)
    top, left = (resolution - rows) // 2, (resolution - columns) // 2
    return functional.pad(scaled, (left, resolution - columns - left, top, resolution - rows - top), value=-1.0)


def prior_image(image: Tensor, resolution: int) -> Tensor:
    """The human-prior image of a (B, 3, H, W) CUT3R image in [-1, 1]: (B, 3, R, R) under ImageNet normalisation."""
    mean, std = (torch.tensor(values, device=image.device).view(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return ((pad_to_square(image.float(), resolution) + 1) / 2 - mean) / std


def _padding(height: int, width: int) -> tuple[int, int]:
    """Left and top padding of a picture in its enclosing square, at its own size."""
    longest = max(height, width)
    return (longest - width) // 2, (longest - height) // 2


def crop_from_square(square: Tensor, height: int, width: int) -> Tensor:
    """(B, R, R) values on the padded square to (B, H, W) on the CUT3R image: the nearest one, then the centre."""
    left, top = _padding(height, width)
    # The product is taken in float32 on purpose: where it should be whole, its rounding decides which pixel is nearest.
    scale = torch.tensor(float(square.shape[-1]), device=square.device) / max(height, width)
    rows, columns = (
        (torch.arange(first, first + size, dtype=torch.float32, device=square.device) * scale).floor().long()
        for first, size in ((top, height), (left, width))
    )
    return square[:, rows[:, None], columns]


def position_from_square(position: Tensor, resolution: int, height: int, width: int) -> Tensor:
    """(..., 2) positions (x, y) on the padded square to positions on the CUT3R image, clamped to it."""
    padding = torch.tensor(_padding(height, width), device=position.device)
    last = torch.tensor((width - 1, height - 1), dtype=position.dtype, device=position.device)
    return (position * (max(height, width) / resolution) - padding).clamp(min=torch.zeros_like(last), max=last)


def position_to_square(position: Tensor, resolution: int, height: int, width: int) -> Tensor:
    """(..., 2) positions (x, y) on the CUT3R image to positions on the padded square."""
    padding = torch.tensor(_padding(height, width), device=position.device)
    return (position + padding) * (resolution / max(height, width))


def image_patch(position: Tensor) -> Tensor:
    """(..., 2) positions (x, y) on the CUT3R image to int64 (row, column) of the patches that hold them."""
    return (position / PATCH_SIZE).floor().long().flip(-1)
