# SPDX-License-Identifier: GPL-3.0-or-later
"""Where patches of one frame lie in another, and the losses that teach it: without them poses never find it out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..model.config import PATCH_SIZE
from .truth import unproject


@dataclass(frozen=True)
class Matches:
    """Of each of the N patch centres of a source frame: where it is seen in a target frame."""

    position_px: Tensor
    """(B, N, 2) (x, y) in the target picture, also outside of it."""
    patch: Tensor
    """(B, N) int64, row-major patch of the target; meaningless where not visible."""
    visible: Tensor
    """(B, N) bool: inside the target picture, hidden by nothing, and not on a person, who may have moved."""
    center_px: Tensor
    """(N, 2) the patch centres themselves."""


def patch_matches(
    depth: Tensor, instance: Tensor, focal_px: Tensor, poses: Tensor, target_depth: Tensor, target_poses: Tensor
) -> Matches:
    """Follow patch centres by true depth and poses.

    ``depth``, ``instance``, ``target_depth`` (B, H, W); ``focal_px`` (B,); ``poses`` (B, 4, 4) world from camera.
    """
    height, width = depth.shape[-2:]
    half = PATCH_SIZE // 2
    points = unproject(depth, focal_px)[:, half::PATCH_SIZE, half::PATCH_SIZE].flatten(1, 2)
    static = instance[:, half::PATCH_SIZE, half::PATCH_SIZE].flatten(1) == 0
    v, u = torch.meshgrid(torch.arange(half, height, PATCH_SIZE), torch.arange(half, width, PATCH_SIZE), indexing="ij")
    motion = torch.linalg.inv(target_poses) @ poses
    moved = points @ motion[:, :3, :3].transpose(1, 2) + motion[:, None, :3, 3]
    z = moved[..., 2].clamp(min=0.05)
    center = torch.tensor((width // 2, height // 2), device=depth.device)
    pixel = moved[..., :2] / z[..., None] * focal_px[:, None, None] + center
    column, row = pixel.round().long().unbind(-1)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height) & (moved[..., 2] > 0.1)
    column, row = column.clamp(0, width - 1), row.clamp(0, height - 1)
    seen = target_depth[torch.arange(len(depth), device=depth.device)[:, None], row, column]
    visible = inside & static & ((seen - z).abs() < 0.06 * z + 0.05) & (points[..., 2] > 0)
    patch = (row // PATCH_SIZE) * (width // PATCH_SIZE) + column // PATCH_SIZE
    return Matches(pixel, patch, visible, torch.stack((u, v), dim=-1).flatten(0, 1).to(depth))


def matching_loss(source: Tensor, target: Tensor, matches: Matches, temperature: float = 0.07) -> tuple[Tensor, Tensor]:
    """InfoNCE of (B, N, C) source patches among the (B, N, C) of the target; also the share of right answers."""
    similarity = functional.normalize(source.float(), dim=-1) @ functional.normalize(target.float(), dim=-1).mT
    logits = similarity[matches.visible] / temperature
    wanted = matches.patch[matches.visible]
    if not len(wanted):
        return similarity.sum() * 0, similarity.new_zeros(())
    return functional.cross_entropy(logits, wanted), (logits.argmax(dim=-1) == wanted).float().mean()
