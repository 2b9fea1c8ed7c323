# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes into and comes out of one step of the model.

Letters in shapes: B pictures of a batch, H x W pixels of the CUT3R image (multiples of 16), R the edge of the square
human-prior image, S = R / 14 patches along it, D the decoder's width, n people of the whole batch together.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class StepOptions:
    """How a step runs; none of it changes a weight."""

    ttt3r: bool = True
    """Whether the state moves by the TTT3R gate (paper section 3.2); off: the new state replaces the old one."""
    detection_threshold: float = 0.3
    """Least score of a head patch, in 0..1. Not used with teacher-forced prompts."""
    training_heads: bool = False
    """Whether the world point map and the colour head are computed too (they exist in a model built for training)."""


@dataclass(frozen=True)
class TeacherPrompts:
    """Where training puts the prompts: at the true heads instead of the detected ones, padded to one number N."""

    head_px: Tensor
    """(B, N, 2) float, true head positions (x, y) on the CUT3R image; any value where ``valid`` is false."""
    valid: Tensor
    """(B, N) bool: which entries are people. The others enter the decoder as the learnt masked prompt at (-1, -1)."""


@dataclass(frozen=True)
class SceneState:
    """All that the model carries from one frame to the next."""

    tokens: Tensor
    """(B, state tokens, D) persistent state of the scene."""
    memory: Tensor
    """(B, slots, 2 D) pose memory."""
    is_first: bool
    """True before the first frame after a start or a reset: the learnt pose token is used and the gate is 1."""


@dataclass(frozen=True)
class People:
    """The n people of a batch, ordered by picture and then row by row of their head patches."""

    batch_index: Tensor
    """(n,) int64, the picture of each person."""
    score: Tensor
    """(n,) detection score in 0..1."""
    prior_patch: Tensor
    """(n, 2) int64, (row, column) of the head's patch in the human-prior image."""
    head_square_px: Tensor
    """(n, 2) head position (x, y) in the R x R human-prior image, which may lie in its padding."""
    head_px: Tensor
    """(n, 2) head position (x, y) on the CUT3R image, clamped to it."""
    image_patch: Tensor
    """(n, 2) int64, (row, column) of the CUT3R patch that holds the head: the prompt's position."""
    prompt: Tensor
    """(n, D) the prompt before the decoder."""
    token: Tensor
    """(n, D) the prompt after the decoder and its norm: what identifies a person (paper section 3.2)."""
    rotations: Tensor
    """(n, 53, 3, 3) rotation matrices: root in the camera frame, 21 body, 15 left hand, 15 right hand, jaw."""
    betas: Tensor
    """(n, 10) SMPL-X shape."""
    expression: Tensor
    """(n, 10) SMPL-X expression."""
    head_point: Tensor
    """(n, 3) SMPL-X head joint in the camera frame, metres."""

    def __len__(self) -> int:
        return len(self.score)

    def select(self, keep: Tensor) -> People:
        """The people for which the (n,) bool ``keep`` holds."""
        return People(**{name: value[keep] for name, value in vars(self).items()})


@dataclass(frozen=True)
class FramePrediction:
    """What one step says about its frame(s), in the model's own frames."""

    points_self: Tensor
    """(B, H, W, 3) point of each pixel in the camera frame (OpenCV axes), metres."""
    confidence: Tensor
    """(B, H, W) confidence of the points, 1 and upwards."""
    camera_pose: Tensor
    """(B, 7) pose of the camera in the world of its chunk: translation in metres, then the quaternion wxyz, w >= 0."""
    mask: Tensor
    """(B, H, W) probability that a pixel shows a person."""
    mask_square: Tensor
    """(B, R, R) the same on the human-prior image, padding included."""
    scores: Tensor
    """(B, S, S) head score of each prior patch, before the non-maximum suppression."""
    people: People
    """The people in the picture(s); empty when there are none."""
    gate: Tensor
    """(B, state tokens) TTT3R gate in 0..1, whether or not it was applied."""
    points_world: Tensor | None = None
    """(B, H, W, 3) point of each pixel in the world of the chunk; only with ``StepOptions.training_heads``."""
    confidence_world: Tensor | None = None
    """(B, H, W) confidence of the world points; only with ``StepOptions.training_heads``."""
    color: Tensor | None = None
    """(B, H, W, 3) reconstructed colour in [-1, 1]; only with ``StepOptions.training_heads``."""


def drop_nonfinite(prediction: FramePrediction) -> FramePrediction:
    """Remove what is not finite: such people are left out, such points become 0 with confidence 0.

    The camera pose is left as it is; :class:`.rollout.ChunkedRollout` decides about frames without a usable one.
    """
    people = prediction.people
    finite = torch.ones_like(people.score, dtype=torch.bool)
    for value in (
        people.score,
        people.head_px,
        people.token,
        people.rotations,
        people.betas,
        people.expression,
        people.head_point,
    ):
        finite &= value.isfinite().flatten(1).all(dim=1) if value.dim() > 1 else value.isfinite()
    if not finite.all():
        people = people.select(finite)
    usable = prediction.points_self.isfinite().all(dim=-1) & prediction.confidence.isfinite()
    points, confidence = prediction.points_self, prediction.confidence
    if not usable.all():
        points = torch.where(usable[..., None], points, 0.0)
        confidence = torch.where(usable, confidence, 0.0)
    changed = dict(vars(prediction))
    changed.update(people=people, points_self=points, confidence=confidence, mask=prediction.mask.nan_to_num(0.0))
    return FramePrediction(**changed)
