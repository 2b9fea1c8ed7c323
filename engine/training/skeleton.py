# SPDX-License-Identifier: GPL-3.0-or-later
"""The body's joints in torch, so that losses can go through them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..contract.body_model import BETA_COUNT, BodyModel
from ..contract.skeleton import HEAD, HUMAN3R_TO_JOINT, JOINT_COUNT, generations

_GENERATIONS = generations(JOINT_COUNT)


class Skeleton:
    """Rest joints of a body as a linear function of its betas, and forward kinematics."""

    def __init__(self, body: BodyModel, device: torch.device | str = "cpu") -> None:
        mean = body.rest_joints(np.zeros(BETA_COUNT))
        directions = np.stack([body.rest_joints(row) - mean for row in np.eye(BETA_COUNT)], axis=-1)
        self.mean = torch.as_tensor(mean, dtype=torch.float32, device=device)
        self.directions = torch.as_tensor(directions, dtype=torch.float32, device=device)

    def head_relative_joints(self, rotations: Tensor, betas: Tensor) -> Tensor:
        """(n, 53, 3, 3) rotations in Human3R's order and (n, 10) betas to (n, 55, 3) joints relative to the head."""
        rest = self.mean + torch.einsum("jkc,nc->njk", self.directions, betas)
        by_joint: list[Tensor | None] = [None] * JOINT_COUNT
        for place, joint in enumerate(HUMAN3R_TO_JOINT):
            by_joint[joint] = rotations[:, place]
        turns: list[Tensor] = [rotations[:, 0]] * JOINT_COUNT
        places: list[Tensor] = [rest[:, 0]] * JOINT_COUNT
        for joints, parents in _GENERATIONS:
            parent_turns = torch.stack([turns[parent] for parent in parents], dim=1)
            bones = rest[:, joints] - rest[:, parents]
            starts = torch.stack([places[parent] for parent in parents], dim=1)
            moved = starts + (parent_turns @ bones[..., None])[..., 0]
            for index, joint in enumerate(joints):
                local = by_joint[joint]
                turns[joint] = parent_turns[:, index] if local is None else parent_turns[:, index] @ local
                places[joint] = moved[:, index]
        joints_now = torch.stack(places, dim=1)
        return joints_now - joints_now[:, HEAD : HEAD + 1]
