# SPDX-License-Identifier: GPL-3.0-or-later
"""The shapes that were predicted frame by frame, kept on a person's raw Action: people who are merged or split get the
median of their own frames, as they would have at the import.
"""

from __future__ import annotations

import bpy
import numpy as np

from ...engine.contract.body_model import BETA_COUNT
from ..blender import tags

BETAS = "human3r_betas"
"""On a raw Action: for every picture with the person its scene frame and the ten betas, one after the other."""

_SAME_FRAME = 0.01
"""Keys have 32 bits."""


def write(action: bpy.types.Action, frames: np.ndarray, betas: np.ndarray) -> None:
    """Keep (T, 10) betas of (T,) scene frames."""
    action[BETAS] = np.column_stack([frames, betas]).astype(np.float64).ravel().tolist()


def read(action: bpy.types.Action, frames: np.ndarray, constant: np.ndarray) -> np.ndarray:
    """(T, 10) betas of (T,) scene frames; the (10,) constant shape where nothing is known of a frame."""
    found = np.tile(np.asarray(constant, dtype=np.float64), (len(frames), 1))
    kept = tags.numbers(action, BETAS, 1 + BETA_COUNT)
    if len(kept):
        row = np.searchsorted(kept[:, 0], frames - _SAME_FRAME).clip(max=len(kept) - 1)
        known = np.abs(kept[row, 0] - frames) <= _SAME_FRAME
        found[known] = kept[row[known], 1:]
    return found


def count(action: bpy.types.Action) -> int:
    """How many pictures are kept; cheap, for it reads none of them."""
    held = action.get(BETAS)
    return len(held) // (1 + BETA_COUNT) if hasattr(held, "to_list") else 0
