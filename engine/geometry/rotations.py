# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations in torch. Quaternions are wxyz, matrices rotate column vectors."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def rotation_from_6d(columns: Tensor) -> Tensor:
    """Gram-Schmidt on the two columns of (..., 3, 2): the (..., 3, 3) rotation whose first column points along them."""
    first, second = columns.unbind(-1)
    x = functional.normalize(first, dim=-1)
    y = functional.normalize(second - (x * second).sum(dim=-1, keepdim=True) * x, dim=-1)
    return torch.stack((x, y, torch.linalg.cross(x, y)), dim=-1)


def quaternion_to_matrix(quaternion: Tensor) -> Tensor:
    """(..., 4) unit quaternions wxyz to (..., 3, 3) rotation matrices."""
    w, x, y, z = quaternion.unbind(-1)
    elements = (
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    )  # fmt: skip
    return torch.stack(elements, dim=-1).unflatten(-1, (3, 3))
