# SPDX-License-Identifier: GPL-3.0-or-later
"""A network on cut-outs of a frame, from numpy to numpy."""

from __future__ import annotations

import numpy as np
import torch

from ..observations import Crops
from . import crops
from .graph import Graph


def run(
    network: Graph, device: torch.device, rgb: np.ndarray, where: Crops, size: int, mirror: bool = False
) -> dict[str, np.ndarray]:
    """What a network says, float64 by name, of all crops of (H, W, 3) uint8 at once, mirrored or not."""
    cut = np.asarray(crops.cut(rgb, where, size))
    cut = cut[:, :, ::-1] if mirror else cut
    given = network(torch.from_numpy(np.ascontiguousarray(cut)).to(device))
    return {name: value.double().cpu().numpy() for name, value in given.items()}


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """0..1"""
    return 1.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0)))
