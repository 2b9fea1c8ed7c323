# SPDX-License-Identifier: GPL-3.0-or-later
"""Pinhole cameras in torch: pixels with the centre of the top-left one at (0, 0), square, OpenCV axes."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def principal_point(height: int, width: int) -> tuple[int, int]:
    """The (x, y) in pixels that the model takes for the optical axis: (W // 2, H // 2)."""
    return width // 2, height // 2


def focal_from_field_of_view(degrees: float, size: int) -> float:
    """Focal length in pixels at which ``size`` pixels span the field of view."""
    return 0.5 * size / math.tan(math.radians(degrees) / 2)


def weiszfeld_focal(points: Tensor, center: tuple[int, int], iterations: int = 10) -> Tensor:
    """Focal length that best explains a point map: argmin_f sum |p - f (x/z, y/z)| by Weiszfeld's iterations.

    ``points`` is (H, W, 3) in the camera frame, ``center`` the principal point (x, y) in pixels; all pixels count the
    same. Returns a scalar in pixels, which is meaningless (even negative or NaN) when no pinhole explains the points.
    Paper section 3.1.
    """
    height, width = points.shape[:2]
    rows = torch.arange(height, device=points.device, dtype=points.dtype) - center[1]
    columns = torch.arange(width, device=points.device, dtype=points.dtype) - center[0]
    pixels = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
    slopes = (points[..., :2] / points[..., 2:]).nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
    slope_pixel, slope_slope = (slopes * pixels).sum(dim=-1), (slopes * slopes).sum(dim=-1)
    focal = slope_pixel.mean() / slope_slope.mean()
    for _ in range(iterations):
        weight = (pixels - focal * slopes).norm(dim=-1).clamp(min=1e-8).reciprocal()
        focal = (weight * slope_pixel).mean() / (weight * slope_slope).mean()
    return focal
