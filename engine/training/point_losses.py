# SPDX-License-Identifier: GPL-3.0-or-later
"""Losses on point maps: Euclidean distance weighted by confidence, in units of the scene's size."""

from __future__ import annotations

import torch
from torch import Tensor

CONFIDENCE_PRICE = 0.2
SKY_DISTANCE = 2.0
"""Distance that sky pixels count with, so that their confidence falls."""


def scene_scale(points: Tensor, valid: Tensor, confidence: Tensor) -> Tensor:
    """(B,) one length per clip that points and translations are divided by: the mean distance of the true points.

    ``points`` (B, ..., 3), ``valid`` and ``confidence`` (B, ...); weighted by the detached log confidence.
    """
    weight = confidence.detach().log().clamp(min=1e-3) * valid
    total = weight.flatten(1).sum(dim=1).clamp(min=1e-6)
    return ((points.norm(dim=-1) * weight).flatten(1).sum(dim=1) / total).clamp(min=1e-3)


def point_loss(points: Tensor, confidence: Tensor, truth: Tensor, valid: Tensor, scale: Tensor) -> Tensor:
    """Mean of c * d - 0.2 * log c over all pixels; ``points``, ``truth`` (B, ..., 3), ``scale`` (B,) metres.

    Pixels that are not ``valid`` are sky: they count with a constant distance.
    """
    unit = scale.reshape(-1, *(1,) * (confidence.dim() - 1))
    distance = (points - truth).norm(dim=-1) / unit
    distance = torch.where(valid, distance, SKY_DISTANCE)
    return (confidence * distance - CONFIDENCE_PRICE * confidence.log()).mean()


def log_depth_loss(points: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Mean absolute error of the logarithm of z; helps near surfaces, which few metres decide about."""
    error = (points[..., 2].clamp(min=0.05).log() - truth[..., 2].clamp(min=0.05).log()).abs()
    return (error * valid).sum() / valid.sum().clamp(min=1)


def ray_loss(points: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Mean absolute error of x / z and y / z: the directions from which the focal length is read."""
    found, wanted = (p[..., :2] / p[..., 2:].clamp(min=0.05) for p in (points, truth))
    return ((found - wanted).abs().sum(dim=-1) * valid).sum() / valid.sum().clamp(min=1)
