# SPDX-License-Identifier: GPL-3.0-or-later
"""The 39 landmarks of people in crops, flat and in metres, with a mask: BlazePose GHUM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from .crops import cut, to_footage, turns
from .networks import Networks
from .observations import LANDMARK_COUNT, BodyLandmarks, Crops

SIZE = 256
"""Pixels of a crop's side."""

_BATCH = 8
"""Crops that run at once, which bounds the memory of a crowd."""


@dataclass(frozen=True)
class BodyLandmarker:
    """Finds the landmarks of people."""

    networks: Networks

    def __call__(self, rgb: np.ndarray, crops: Crops) -> BodyLandmarks:
        """The landmarks of the person in each crop of a frame (h, w, 3) uint8, whether there is one or not."""
        pictures = torch.from_numpy(cut(rgb, crops, SIZE))
        parts = [self._run(part) for part in pictures.split(_BATCH)] if len(crops) else [_nothing()]
        found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        values = found["landmarks"].reshape(-1, LANDMARK_COUNT, 5)
        world = found["world"].reshape(-1, LANDMARK_COUNT, 3)
        return BodyLandmarks(
            presence=found["presence"][:, 0],
            point_px=to_footage(crops, SIZE, values[..., :2]),
            visibility=values[..., 3],
            world=_upright(world, crops),
            crop=crops,
            mask=found["mask"][:, 0],
        )

    def _run(self, pictures: torch.Tensor) -> dict[str, np.ndarray]:
        outputs = self.networks.body(pictures.to(self.networks.device))
        outputs["mask"] = outputs["mask"].sigmoid()
        found = {name: value.cpu().numpy() for name, value in outputs.items()}
        visible = found["landmarks"][:, 3::5]
        found["landmarks"][:, 3::5] = 1 / (1 + np.exp(-np.clip(visible, -60, 60)))
        return found


def _upright(world: np.ndarray, crops: Crops) -> np.ndarray:
    """Landmarks (n, 39, 3) with the turn of their crops undone."""
    flat = np.einsum("nij,npj->npi", turns(crops), world[..., :2])
    return np.concatenate([flat, world[..., 2:]], -1)


def _nothing() -> dict[str, np.ndarray]:
    shapes = {
        "landmarks": (5 * LANDMARK_COUNT,),
        "presence": (1,),
        "mask": (1, SIZE, SIZE),
        "world": (3 * LANDMARK_COUNT,),
    }
    return {name: np.zeros((0, *shape), np.float32) for name, shape in shapes.items()}
