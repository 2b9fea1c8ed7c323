# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network said about one frame, as plain numbers: all that later stages need, and nothing of other frames.

A frame's place in the clip comes after this: who somebody is, which focal length is believed, where the camera is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..model.rollout import RolloutFrame
from ..video.picture import PictureMap
from .intrinsics import focal_of

PERSON_PIXEL = 0.5
"""Least probability of a pixel that shows a person."""


@dataclass(frozen=True)
class NetworkFrame:
    """n people; H x W pixels of the network's picture; D the width of a token. Everything finite but `focal`."""

    replayed: np.ndarray | None
    """(m, D) float32 tokens of the people in the frame before, seen once more; None where no chunk begins."""
    motion: np.ndarray | None
    """(4, 4) float64 pose of the camera in its chunk; None where the frame was passed over and the camera stays."""
    focal: float
    """As :func:`.intrinsics.focal_of` says."""
    token: np.ndarray
    """(n, D) float32; this and the next five as in :class:`~..model.prediction.People`."""
    score: np.ndarray
    """(n,) float32."""
    head_px: np.ndarray
    """(n, 2) float32."""
    rotations: np.ndarray
    """(n, 53, 3, 3) float32."""
    betas: np.ndarray
    """(n, 10) float32."""
    expression: np.ndarray
    """(n, 10) float32."""
    head_point: np.ndarray
    """(n, 3) float32, on the rays of the footage's pixels, metres; its depth is of the frame's own focal length."""
    people_mask: np.ndarray
    """(H, W) bool."""
    points: np.ndarray
    """(H, W, 3) float32, as `head_point`."""
    confidence: np.ndarray
    """(H, W) float32."""


def network_frame(passes: Sequence[RolloutFrame], picture_map: PictureMap) -> NetworkFrame:
    """The numbers of one frame from its passes: a replay where one was due, then the frame itself."""
    *replays, passed = passes
    assert passed.emitted, "a rollout's last pass is the frame itself"
    prediction, people = passed.prediction, passed.prediction.people
    return NetworkFrame(
        replayed=replays[0].prediction.people.token.float().cpu().numpy() if replays else None,
        motion=passed.motion,
        focal=focal_of(prediction.points_self[0]),
        token=people.token.float().cpu().numpy(),
        score=people.score.float().cpu().numpy(),
        head_px=people.head_px.float().cpu().numpy(),
        rotations=people.rotations.float().cpu().numpy(),
        betas=people.betas.float().cpu().numpy(),
        expression=people.expression.float().cpu().numpy(),
        head_point=picture_map.onto_footage_rays(people.head_point.float().cpu().numpy()),
        people_mask=(prediction.mask[0] > PERSON_PIXEL).cpu().numpy(),
        points=picture_map.onto_footage_rays(prediction.points_self[0].float().cpu().numpy()),
        confidence=prediction.confidence[0].float().cpu().numpy(),
    )
