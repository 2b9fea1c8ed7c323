# SPDX-License-Identifier: GPL-3.0-or-later
"""Training truth is consistent with itself, and the pool of clips follows from its draws alone."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch

from engine.contract.body_model import BodyModel
from engine.contract.skeleton import HUMAN3R_TO_JOINT
from engine.synthetic.settings import HELD_OUT_SEED, tier_settings
from engine.training.data import VALIDATION_SEEDS, ClipPool
from engine.training.matching import matching_loss, patch_matches
from engine.training.skeleton import Skeleton
from engine.training.truth import Truth, taught_people, unproject


def test_heads_project_to_where_they_are_said_to_be(clips: Truth) -> None:
    head = clips.joints[..., 15, :]
    pixel = head[..., :2] / head[..., 2:] * clips.focal_px[..., None, None] + torch.tensor((64.0, 48.0))
    assert clips.exists.any()
    torch.testing.assert_close(pixel[clips.exists], clips.head_px[clips.exists], atol=1e-3, rtol=0)


def test_points_of_the_depth_map_project_to_their_pixels(clips: Truth) -> None:
    points = unproject(clips.depth, clips.focal_px)
    pixel = points[..., :2] / points[..., 2:] * clips.focal_px[..., None, None, None]
    torch.testing.assert_close(pixel[0, 0, 10, 20], torch.tensor((20.0 - 64, 10.0 - 48)), atol=1e-3, rtol=0)


def test_forward_kinematics_gives_the_true_joints(clips: Truth, body: BodyModel) -> None:
    rotations = clips.rotations[clips.exists][:, list(HUMAN3R_TO_JOINT)]
    relative = Skeleton(body).head_relative_joints(rotations, clips.betas[clips.exists])
    joints = clips.joints[clips.exists]
    # Expressions and the eyes, which the skeleton leaves out, move nothing of the body.
    torch.testing.assert_close(relative[:, :22], (joints - joints[:, 15:16])[:, :22], atol=2e-3, rtol=0)


def test_of_two_heads_in_one_patch_the_nearer_is_taught(clips: Truth) -> None:
    changed = {item.name: getattr(clips, item.name).clone() for item in fields(Truth)}
    changed["exists"][:] = True
    changed["head_px"][:] = torch.tensor((70.0, 40.0))
    changed["joints"][..., 0, 15, 2], changed["joints"][..., 1, 15, 2] = 4.0, 3.0
    assert taught_people(Truth(**changed), 128, 16).tolist() == [[[False, True]] * 2] * 3


def test_matches_of_a_frame_with_itself_are_the_patches_themselves(clips: Truth) -> None:
    poses, depth = clips.world_from_camera[:, 0], clips.depth[:, 0]
    matches = patch_matches(depth, clips.instance[:, 0], clips.focal_px[:, 0], poses, depth, poses)
    torch.testing.assert_close(matches.position_px, matches.center_px.expand(3, -1, -1), atol=1e-2, rtol=0)
    assert matches.visible.float().mean() > 0.7
    assert (matches.patch == torch.arange(48))[matches.visible].all()
    tokens = torch.randn(3, 48, 16)
    loss, right = matching_loss(tokens, tokens, matches)
    assert right == 1 and loss < matching_loss(tokens, tokens.flip(1), matches)[0]


def test_matches_across_frames_see_the_same_point(clips: Truth) -> None:
    poses = clips.world_from_camera
    matches = patch_matches(
        clips.depth[:, 1], clips.instance[:, 1], clips.focal_px[:, 1], poses[:, 1], clips.depth[:, 0], poses[:, 0]
    )
    half = slice(8, None, 16)
    points = clips.points()[:, 1, half, half].flatten(1, 2)
    motion = torch.linalg.inv(poses[:, 0]) @ poses[:, 1]
    moved = points @ motion[:, :3, :3].mT + motion[:, None, :3, 3]
    column, row = matches.position_px.round().long().unbind(-1)
    for clip in range(3):
        keep = matches.visible[clip]
        seen = clips.depth[clip, 0, row[clip, keep], column[clip, keep]]
        torch.testing.assert_close(seen, moved[clip, keep, 2], rtol=0.1, atol=0.1)


def test_a_pool_resumes_where_it_stood_to_the_last_bit() -> None:
    """Within the first window, and after all of it has been replaced."""
    settings = replace(tier_settings("studio"), frames=1, size=(32, 32))
    through = ClipPool(settings, 4, 2, first_seed=5)
    drawn = [through.draw(2) for _ in range(4)]
    for draws in (1, 3):
        later = ClipPool(settings, 4, 2, first_seed=5)
        later.resume(draws)
        again = later.draw(2)
        for item in fields(Truth):
            assert torch.equal(getattr(again, item.name), getattr(drawn[draws], item.name)), item.name
    assert not torch.equal(drawn[2].images, drawn[3].images)


def test_no_pool_draws_seeds_that_are_kept_for_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    from engine.training import data

    def record(seeds: list[int], *rest: object) -> object:
        asked.extend(seeds)
        return make(seeds, *rest)

    make = data.make_clips
    monkeypatch.setattr(data, "make_clips", record)
    settings = replace(tier_settings("studio"), frames=1, size=(32, 32))
    pool = ClipPool(settings, 4, 2, first_seed=VALIDATION_SEEDS.start - 3)
    for _ in range(3):
        pool.draw(2)
    assert len(asked) >= 8 and max(asked) < VALIDATION_SEEDS.start < HELD_OUT_SEED
