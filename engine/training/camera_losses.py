# SPDX-License-Identifier: GPL-3.0-or-later
"""Losses on the camera's pose."""

from __future__ import annotations

import torch
from torch import Tensor


def quaternion_from_matrix(rotation: Tensor) -> Tensor:
    """(..., 3, 3) rotations to (..., 4) unit quaternions wxyz with w >= 0."""
    m = rotation
    diagonal = m.diagonal(dim1=-2, dim2=-1)
    x, y, z = diagonal.unbind(-1)
    # Four times the outer product of the quaternion with itself: its largest row is the quaternion up to its length.
    squares = torch.stack((1 + x + y + z, 1 + x - y - z, 1 - x + y - z, 1 - x - y + z), dim=-1)
    wx, wy, wz = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    xy, xz, yz = m[..., 0, 1] + m[..., 1, 0], m[..., 0, 2] + m[..., 2, 0], m[..., 1, 2] + m[..., 2, 1]
    rows = torch.stack((
        torch.stack((squares[..., 0], wx, wy, wz), dim=-1), torch.stack((wx, squares[..., 1], xy, xz), dim=-1),
        torch.stack((wy, xy, squares[..., 2], yz), dim=-1), torch.stack((wz, xz, yz, squares[..., 3]), dim=-1),
    ), dim=-2)  # fmt: skip
    best = squares.argmax(dim=-1)[..., None, None].expand(*squares.shape[:-1], 1, 4)
    quaternion = torch.nn.functional.normalize(rows.gather(-2, best)[..., 0, :], dim=-1)
    return torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)


def camera_losses(pose: Tensor, truth: Tensor, scale: Tensor | None = None) -> dict[str, Tensor]:
    """Means of |t - t*| and |q - q*| of (B, T, 7) poses against (B, T, 4, 4) matrices.

    ``scale`` (B,) divides the translations as it does the points (paper); without it they count in metres.
    """
    unit = 1.0 if scale is None else scale[:, None]
    translation = (pose[..., :3] - truth[..., :3, 3]).norm(dim=-1) / unit
    rotation = (pose[..., 3:] - quaternion_from_matrix(truth[..., :3, :3])).norm(dim=-1)
    return {"translation": translation.mean(), "rotation": rotation.mean()}
