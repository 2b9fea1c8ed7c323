# SPDX-License-Identifier: GPL-3.0-or-later
"""What a training batch holds: B clips of T frames with everything that is true about them.

Camera axes are OpenCV's, lengths metres. N is the number of places for people; ``exists`` says which are taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from ..model.prediction import TeacherPrompts
from ..model.prior_image import position_to_square


@dataclass(frozen=True)
class Truth:
    """B clips of T frames."""

    images: Tensor
    """(B, T, 3, H, W) RGB in [-1, 1]."""
    depth: Tensor
    """(B, T, H, W) z in the camera frame; 0 where there is none (sky)."""
    focal_px: Tensor
    """(B, T) focal length; the principal point is (W // 2, H // 2)."""
    world_from_camera: Tensor
    """(B, T, 4, 4) camera poses."""
    instance: Tensor
    """(B, T, H, W) int64: 0 for no person, else 1 + the person's place."""
    exists: Tensor
    """(B, T, N) bool: a person whose head is in the picture and can be seen."""
    rotations: Tensor
    """(B, T, N, 55, 3, 3) relative to the parents; the root's in the camera frame."""
    betas: Tensor
    """(B, T, N, 10)."""
    expression: Tensor
    """(B, T, N, 10)."""
    joints: Tensor
    """(B, T, N, 55, 3) in the camera frame."""
    head_px: Tensor
    """(B, T, N, 2) head joint (x, y) on the image."""
    part: Tensor | None
    """(B, T, H, W) int64: 0 for no person, else 1 + the body part; None where nobody labelled the pictures."""
    canonical: Tensor | None
    """(B, T, H, W, 3) where the seen point is on the mean body at rest, metres; 0 for no person; None as `part`."""

    @property
    def frames(self) -> int:
        return self.images.shape[1]

    def clips(self, index: Tensor) -> Truth:
        """The clips with these indices."""
        return self._mapped(lambda value: value[index])

    def as_single_frames(self) -> Truth:
        """B clips of T frames as B * T clips of one."""
        return self._mapped(lambda value: value.flatten(0, 1)[:, None])

    def to(self, device: torch.device | str) -> Truth:
        return self._mapped(lambda value: value.to(device))

    def _mapped(self, change: Callable[[Tensor], Tensor]) -> Truth:
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        changed: dict[str, Any] = {name: None if value is None else change(value) for name, value in values.items()}
        return Truth(**changed)

    def camera_from_first(self) -> Tensor:
        """(B, T, 4, 4) camera poses relative to each clip's first camera: what the network's world is."""
        return torch.linalg.inv(self.world_from_camera[:, :1]) @ self.world_from_camera

    def points(self) -> Tensor:
        """(B, T, H, W, 3) camera-frame points of the depth maps."""
        return unproject(self.depth, self.focal_px)

    def prompts(self, frame: int, taught: Tensor) -> TeacherPrompts:
        """Where the prompts of a frame sit."""
        return TeacherPrompts(self.head_px[:, frame], taught[:, frame])


def unproject(depth: Tensor, focal_px: Tensor) -> Tensor:
    """(..., H, W) depth and (...) focal lengths to (..., H, W, 3) points; pixel centres are whole numbers."""
    height, width = depth.shape[-2:]
    v, u = torch.meshgrid(
        torch.arange(height, device=depth.device) - height // 2,
        torch.arange(width, device=depth.device) - width // 2,
        indexing="ij",
    )
    scaled = depth / focal_px[..., None, None]
    return torch.stack((u * scaled, v * scaled, depth), dim=-1)


def join(parts: list[Truth]) -> Truth:
    """Several batches as one, with places for as many people as the fullest has. All of them have labels, or none."""
    places = max(part.exists.shape[2] for part in parts)
    joined: dict[str, Any] = {}
    for item in fields(Truth):
        values = [getattr(part, item.name) for part in parts]
        if item.name in _OF_PEOPLE:
            values = [_with_places(value, places) for value in values]
        joined[item.name] = None if values[0] is None else torch.cat(values)
    return Truth(**joined)


_OF_PEOPLE = ("exists", "rotations", "betas", "expression", "joints", "head_px")


def _with_places(value: Tensor, places: int) -> Tensor:
    """(B, T, N, ...) with empty places added at N's end."""
    if value.shape[2] == places:
        return value
    return torch.cat((value, value.new_zeros(*value.shape[:2], places - value.shape[2], *value.shape[3:])), dim=2)


def taught_people(truth: Truth, resolution: int, patch: int) -> Tensor:
    """(B, T, N) bool: people that get a prompt. Of several heads in one prior patch only the nearest does."""
    height, width = truth.images.shape[-2:]
    square = position_to_square(truth.head_px, resolution, height, width)
    cells = (square / patch).floor().long().clamp(0, resolution // patch - 1)
    cell = cells[..., 1] * (resolution // patch) + cells[..., 0]
    distance = truth.joints[..., 15, 2]
    same = (cell[..., :, None] == cell[..., None, :]) & truth.exists[..., None, :]
    nearer = distance[..., None, :] < distance[..., :, None]
    return truth.exists & ~(same & nearer).any(dim=-1)
