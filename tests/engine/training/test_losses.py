# SPDX-License-Identifier: GPL-3.0-or-later
"""Losses at points where their value is known."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.spatial.transform import Rotation

from engine.contract.body_model import BodyModel
from engine.contract.skeleton import HEAD, HUMAN3R_TO_JOINT
from engine.model.prediction import People
from engine.synthetic.surface import BodySurface
from engine.training.auxiliary_heads import _per_patch
from engine.training.camera_losses import camera_losses, quaternion_from_matrix
from engine.training.detection_losses import detection_loss, mask_loss, offset_loss
from engine.training.identity_losses import NamedTokens, identity_loss
from engine.training.paper_losses import paper_people_losses
from engine.training.person_losses import PeopleTruth, PersonWeights, body_losses, heading_bin
from engine.training.point_losses import log_depth_loss, point_loss, ray_loss, scene_scale
from engine.training.schedule import learning_rate
from engine.training.skeleton import Skeleton
from engine.training.truth import Truth


def people_truth(clips: Truth) -> PeopleTruth:
    joints = clips.joints[clips.exists]
    return PeopleTruth(
        clips.rotations[clips.exists][:, list(HUMAN3R_TO_JOINT)],
        clips.betas[clips.exists],
        clips.expression[clips.exists],
        joints,
        130 / joints[:, HEAD, 2],
    )


def test_quaternions_agree_with_scipy() -> None:
    rotations = Rotation.random(200, random_state=0)
    wanted = torch.tensor(rotations.as_quat()[:, [3, 0, 1, 2]])
    wanted = torch.where(wanted[:, :1] < 0, -wanted, wanted)
    torch.testing.assert_close(quaternion_from_matrix(torch.tensor(rotations.as_matrix())), wanted)


def test_a_true_camera_costs_nothing_and_a_metre_off_costs_one() -> None:
    truth = torch.eye(4).repeat(2, 3, 1, 1)
    truth[:, 1:, :3, :3] = torch.tensor(Rotation.from_euler("y", 20, degrees=True).as_matrix(), dtype=torch.float32)
    pose = torch.cat((truth[..., :3, 3], quaternion_from_matrix(truth[..., :3, :3])), dim=-1)
    assert all(value < 1e-6 for value in camera_losses(pose, truth).values())
    pose[..., 0] += 1
    assert camera_losses(pose, truth)["translation"] == pytest.approx(1)
    assert camera_losses(pose, truth, torch.full((2,), 4.0))["translation"] == pytest.approx(0.25)


def test_point_loss_by_hand() -> None:
    truth = torch.tensor([[[0.0, 0.0, 2.0], [0.0, 0.0, 4.0]]])
    confidence, valid = torch.tensor([[math.e, math.e]]), torch.tensor([[True, True]])
    scale = scene_scale(truth, valid, confidence)
    assert scale.item() == pytest.approx(3)
    found = truth + torch.tensor([0.0, 0.3, 0.0])
    assert point_loss(found, confidence, truth, valid, scale).item() == pytest.approx(math.e * 0.1 - 0.2, abs=1e-6)
    sky = point_loss(found, confidence, truth, ~valid, scale)
    assert sky.item() == pytest.approx(math.e * 2 - 0.2, abs=1e-6)
    assert log_depth_loss(2 * truth, truth, valid).item() == pytest.approx(math.log(2))
    assert ray_loss(2 * truth, truth, valid) == 0
    assert ray_loss(found, truth, valid).item() == pytest.approx((0.3 / 2 + 0.3 / 4) / 2)


def test_detection_prefers_the_true_patch() -> None:
    picture, patch = torch.tensor([0]), torch.tensor([[2, 3]])
    right, wrong, nothing = (torch.full((1, 6, 6), 1e-4) for _ in range(3))
    right[0, 2, 3] = wrong[0, 5, 0] = 1 - 1e-4
    costs = [detection_loss(scores, picture, patch).item() for scores in (right, nothing, wrong)]
    assert costs[0] < 1e-3 < 5 < costs[1] < costs[2]
    assert detection_loss(nothing, picture[:0], patch[:0]) < 1e-6
    assert offset_loss(torch.tensor([[8.0, 16.0]]), torch.tensor([[0.0, 16.0]]), 16).item() == pytest.approx(0.5)
    mask = torch.tensor([[[0.9, 0.1]]])
    assert mask_loss(mask, mask > 0.5).item() == pytest.approx(-math.log(0.9), abs=1e-6)


def test_true_bodies_cost_nothing_and_every_error_costs_something(clips: Truth, body: BodyModel) -> None:
    truth, skeleton = people_truth(clips), Skeleton(body)
    raw = truth.rotations[..., :2].flatten(1)
    weights = PersonWeights()
    perfect = body_losses(raw, truth.betas, truth.expression, truth.head_point, truth, skeleton, weights)
    assert all(value < 5e-3 for value in perfect.values())
    worse = body_losses(
        raw + 0.2, truth.betas + 1, truth.expression + 1, truth.head_point * 1.2 + 0.1, truth, skeleton, weights
    )
    assert all(worse[name] > perfect[name] + 1e-3 for name in perfect)


def test_headings_turn_through_all_bins() -> None:
    angles = torch.linspace(-math.pi + 0.01, math.pi - 0.01, 24)
    roots = torch.tensor(Rotation.from_euler("y", angles.numpy()[:, None]).as_matrix(), dtype=torch.float32)
    upright = torch.diag(torch.tensor((1.0, -1.0, -1.0)))
    bins = heading_bin(upright @ roots)
    assert sorted(set(bins.tolist())) == list(range(12))
    assert heading_bin(upright[None]).item() == 6


def test_the_papers_losses_vanish_for_the_truth(clips: Truth, body: BodyModel) -> None:
    truth = people_truth(clips)
    count = len(truth.betas)
    nothing = torch.zeros(count)
    unused = ("batch_index", "score", "prior_patch", "head_square_px", "head_px", "image_patch", "prompt", "token")
    people = People(
        **dict.fromkeys(unused, nothing),
        rotations=truth.rotations,
        betas=truth.betas,
        expression=truth.expression,
        head_point=truth.head_point,
    )
    surface = BodySurface(body, cell=0.05)
    focal = torch.full((count,), 130.0)
    losses = paper_people_losses(people, truth, focal, (96, 128), surface)
    assert set(losses) >= {"rotations", "vertices", "camera_joints", "reprojected_vertices"}
    assert all(value < 1e-4 for value in losses.values())
    moved = People(**(vars(people) | {"head_point": truth.head_point + 0.1}))
    worse = paper_people_losses(moved, truth, focal, (96, 128), surface)
    assert worse["camera_vertices"].item() == pytest.approx(0.1, rel=1e-3) and worse["vertices"] < 1e-4
    assert worse["reprojected_joints"] > 0.01


def test_places_in_patches_keep_their_neighbourhood() -> None:
    row, column = torch.meshgrid(torch.arange(96), torch.arange(128), indexing="ij")
    cells = _per_patch(torch.stack((row, column), dim=-1)[None].float())
    assert cells.shape == (1, 48, 4, 2)
    patches = (cells // 16).long()
    assert (patches[0, :, :, 0] == (torch.arange(48) // 8)[:, None]).all()
    assert (patches[0, :, :, 1] == (torch.arange(48) % 8)[:, None]).all()


def test_the_rate_warms_up_and_falls() -> None:
    rates = [learning_rate(step, 100, 1e-3, 10) for step in range(100)]
    assert rates[0] == pytest.approx(1e-4) and max(rates) == pytest.approx(1e-3)
    assert rates[:10] == sorted(rates[:10]) and rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 2e-5


def test_identity_prefers_the_same_person_near_and_others_far() -> None:
    tokens = torch.tensor([[0.0, 0.0], [30.0, 0.0]])
    clip = torch.tensor([0, 0])
    earlier = NamedTokens(tokens, clip, torch.tensor([0, 1]))
    right = identity_loss(earlier, earlier)
    swapped = identity_loss(earlier, NamedTokens(tokens, clip, torch.tensor([1, 0])))
    new = identity_loss(earlier, NamedTokens(tokens + 100, clip, torch.tensor([2, 3])))
    elsewhere = identity_loss(earlier, NamedTokens(tokens, torch.tensor([1, 1]), torch.tensor([0, 1])))
    assert right < 1e-3 and new < 1e-3 < 5 < elsewhere < swapped
    nobody = NamedTokens(tokens[:0], clip[:0], clip[:0])
    assert identity_loss(earlier, nobody) == 0 == identity_loss(nobody, earlier)
