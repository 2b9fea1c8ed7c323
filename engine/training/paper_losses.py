# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's losses on people (section 3.2), used for human prompt tuning of the released architecture."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..contract.skeleton import HEAD, HUMAN3R_TO_JOINT, JOINT_COUNT
from ..model.prediction import People
from ..synthetic.surface import BodySurface
from .person_losses import PeopleTruth

PEOPLE_SCALE = 0.01
"""Factor on everything here; detection times 10 and masks times 100 belong to it too."""

DETECTION, MASK = 10.0 * PEOPLE_SCALE, 100.0 * PEOPLE_SCALE
_REPROJECTION_FROM_M = 1.0
"""Mean error of the vertices in the camera frame under which the reprojection counts."""


def paper_people_losses(
    people: People, truth: PeopleTruth, focal_px: Tensor, size: tuple[int, int], surface: BodySurface
) -> dict[str, Tensor]:
    """L1 losses of n people; ``focal_px`` (n,), ``size`` (height, width) of the picture."""
    if not len(people):
        return {}
    joints, vertices = _posed(people.rotations, people.betas, people.expression, people.head_point, surface)
    true_joints, true_vertices = _posed(truth.rotations, truth.betas, truth.expression, truth.head_point, surface)
    near = (vertices - true_vertices).norm(dim=-1).mean(dim=-1).detach() < _REPROJECTION_FROM_M

    def reprojection(points: Tensor, true_points: Tensor) -> Tensor:
        found, wanted = _project(points, focal_px, size), _project(true_points, focal_px, size)
        limit = torch.tensor((size[1], size[0]), device=wanted.device)
        inside = ((wanted >= 0) & (wanted < limit)).all(dim=-1) & near[:, None]
        return ((found - wanted).abs().sum(dim=-1) * inside).sum() / inside.sum().clamp(min=1)

    centre, true_centre = joints[:, :1], true_joints[:, :1]
    terms = {
        "rotations": 100 * functional.l1_loss(people.rotations, truth.rotations),
        "betas": 10 * functional.l1_loss(people.betas, truth.betas),
        "expression": 10 * functional.l1_loss(people.expression, truth.expression),
        "head": 100 * functional.l1_loss(people.head_point, truth.head_point),
        "joints": 100 * functional.l1_loss(joints - centre, true_joints - true_centre),
        "vertices": 100 * functional.l1_loss(vertices - centre, true_vertices - true_centre),
        "camera_joints": 100 * functional.l1_loss(joints, true_joints),
        "camera_vertices": 100 * functional.l1_loss(vertices, true_vertices),
        "reprojected_joints": reprojection(joints, true_joints),
        "reprojected_vertices": reprojection(vertices, true_vertices),
    }
    return {name: PEOPLE_SCALE * term for name, term in terms.items()}


def _posed(
    rotations: Tensor, betas: Tensor, expression: Tensor, head_point: Tensor, surface: BodySurface
) -> tuple[Tensor, Tensor]:
    """(n, 55, 3) joints and (n, V, 3) vertices in the camera frame, the head joint at ``head_point``."""
    everything = torch.eye(3, device=rotations.device).repeat(len(rotations), JOINT_COUNT, 1, 1)
    everything[:, list(HUMAN3R_TO_JOINT)] = rotations
    vertices, _, joints = surface.pose(everything, betas, expression, torch.zeros_like(head_point))
    shift = (head_point - joints[:, HEAD])[:, None]
    return joints + shift, vertices + shift


def _project(points: Tensor, focal_px: Tensor, size: tuple[int, int]) -> Tensor:
    """(n, K, 3) camera points to (n, K, 2) pixels."""
    center = torch.tensor((size[1] // 2, size[0] // 2), dtype=points.dtype, device=points.device)
    return points[..., :2] / points[..., 2:].clamp(min=0.05) * focal_px[:, None, None] + center
