# SPDX-License-Identifier: GPL-3.0-or-later
"""People: where heads are, which pixels are people, the prompts for the decoder, and the bodies read from them.

Paper section 3.2, equation 3. Letters in shapes as in :mod:`.prediction`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..contract.skeleton import HUMAN3R_ROTATION_COUNT
from ..geometry.rotations import rotation_from_6d
from .camera_head import metric_vector
from .config import MLP_RATIO, Human3RConfig
from .precision import in_float32

BETA_COUNT = 10
EXPRESSION_COUNT = 10
_POSE_WIDTH = 6 * HUMAN3R_ROTATION_COUNT
_SCORE_MARGIN = 1e-6


def squeezed_sigmoid(raw: Tensor) -> Tensor:
    """Sigmoid kept a millionth away from 0 and from 1, so that its logarithm stays finite."""
    return raw.float().sigmoid() * (1 - 2 * _SCORE_MARGIN) + _SCORE_MARGIN


def suppress_neighbours(scores: Tensor) -> Tensor:
    """Zero every (B, S, S) score that a score in its 3 x 3 neighbourhood exceeds; equal neighbours both stay."""
    highest = functional.max_pool2d(scores[:, None], 3, stride=1, padding=1)[:, 0]
    return scores * (scores == highest)


def detect_heads(scores: Tensor, threshold: float) -> Tensor:
    """(n, 3) int64 (picture, row, column) of the local maxima of (B, S, S) scores from the threshold up."""
    return (suppress_neighbours(scores) >= threshold).nonzero()


class _Layers(nn.Module):
    def __init__(self, width: int, hidden: int, out: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, out))


class HumanMlp(nn.Module):
    """Linear, GELU, Linear under the names that checkpoints give them, ``mlp.layers.0`` and ``mlp.layers.2``."""

    def __init__(self, width: int, hidden: int, out: int) -> None:
        super().__init__()
        self.mlp = _Layers(width, hidden, out)

    def forward(self, x: Tensor) -> Tensor:
        return self.mlp.layers(x)


def _patch_mlp(width: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, out))


class HumanHead(nn.Module):
    """Everything that is about people."""

    init_body_pose: Tensor
    init_betas: Tensor
    init_expression: Tensor

    def __init__(self, config: Human3RConfig, for_inference: bool) -> None:
        super().__init__()
        prior, decoder = config.prior_width, config.decoder_width
        self.patch_size = config.prior_patch_size
        self.register_buffer("init_body_pose", torch.zeros(1, _POSE_WIDTH))
        self.register_buffer("init_betas", torch.zeros(1, BETA_COUNT))
        if not for_inference:
            self.register_buffer("init_betas_kid", torch.zeros(1, BETA_COUNT + 1))
            self.register_buffer("init_cam", torch.zeros(1, 3))
        self.register_buffer("init_expression", torch.zeros(1, EXPRESSION_COUNT))
        self.mlp_classif = _patch_mlp(prior, 1)
        self.mlp_offset = _patch_mlp(prior, 2)
        self.mlp_msk = HumanMlp(prior, prior, self.patch_size**2)
        fused, body = prior + config.encoder_width, decoder + prior
        self.mlp_fuse = HumanMlp(fused, MLP_RATIO * fused, decoder)
        self.deccam = HumanMlp(decoder, MLP_RATIO * decoder, 3)
        self.decpose = HumanMlp(body, MLP_RATIO * body, _POSE_WIDTH)
        self.decshape = HumanMlp(body, MLP_RATIO * body, BETA_COUNT)
        self.decexpression = HumanMlp(body, MLP_RATIO * body, EXPRESSION_COUNT)

    @in_float32
    def head_scores(self, prior: Tensor) -> Tensor:
        """(B, S, S, prior width) tokens to (B, S, S) scores in 0..1."""
        return squeezed_sigmoid(self.mlp_classif(prior)).squeeze(-1)

    @in_float32
    def person_mask(self, prior: Tensor) -> Tensor:
        """(B, S, S, prior width) tokens to the (B, R, R) probability that a pixel shows a person."""
        per_patch = squeezed_sigmoid(self.mlp_msk(prior)).permute(0, 3, 1, 2)
        return functional.pixel_shuffle(per_patch, self.patch_size)[:, 0]

    @in_float32
    def head_position(self, prior: Tensor, patch: Tensor) -> Tensor:
        """(n, prior width) tokens of the (n, 2) patches (row, column) to (n, 2) head positions (x, y), R x R image."""
        return (patch.flip(-1) + 0.5 + self.mlp_offset(prior).float()) * self.patch_size

    @in_float32
    def prompt(self, prior: Tensor, image: Tensor) -> Tensor:
        """(n, prior width) and (n, encoder width) tokens of heads to (n, D) prompts: Head_projection, equation 3."""
        return self.mlp_fuse(torch.cat((prior, image), dim=-1))

    @in_float32
    def body(self, token: Tensor, prior: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Bodies of (n, D) refined prompts and (n, prior width) tokens: Head_human, equation 3.

        Returns (n, 53, 3, 3) rotations, (n, 10) betas, (n, 10) expression, (n, 3) head points in the camera frame.
        """
        both = torch.cat((token, prior), dim=-1)
        raw_pose = self.decpose(both).float() + self.init_body_pose
        rotations = rotation_from_6d(raw_pose.unflatten(-1, (HUMAN3R_ROTATION_COUNT, 3, 2)))
        betas = self.decshape(both).float() + self.init_betas
        expression = self.decexpression(both).float() + self.init_expression
        return rotations, betas, expression, metric_vector(self.deccam(token))
