# SPDX-License-Identifier: GPL-3.0-or-later
"""Clips and their truth: deterministic, and every number agrees with the pictures."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.errors import UserError
from engine.contract.rotations import matrix_to_axis_angle
from engine.contract.skeleton import HEAD
from engine.synthetic.clips import Clip, make_clip, make_clips
from engine.synthetic.settings import TIERS, ClipSettings, tier_settings

SIZE = (128, 96)


@pytest.fixture(scope="module")
def studio() -> Clip:
    return make_clips(
        range(6), replace(TIERS["studio"], size=SIZE, frames=3, frame_gap=(4, 4), labels=True, effects=0.0)
    )


@pytest.fixture(scope="module")
def room() -> Clip:
    return make_clips(range(4), replace(TIERS["room"], size=SIZE, frames=3, frame_gap=(6, 6)))


def _arrays(clip: Clip):
    return ((field.name, getattr(clip, field.name)) for field in fields(clip) if getattr(clip, field.name) is not None)


@pytest.mark.parametrize("tier", sorted(TIERS))
def test_the_same_seed_gives_the_same_bits(tier):
    settings = replace(TIERS[tier], size=(64, 48), frames=2, labels=True)
    first, again, other = (make_clip(seed, settings) for seed in (3, 3, 4))
    for name, value in _arrays(first):
        assert value.numpy().tobytes() == getattr(again, name).numpy().tobytes(), name
    assert not torch.equal(first.rgb, other.rgb)


def test_a_clip_is_the_same_alone_and_in_a_batch(studio):
    alone = make_clip(4, replace(TIERS["studio"], size=SIZE, frames=3, frame_gap=(4, 4), labels=True, effects=0.0))
    batch = studio.one(4)
    torch.testing.assert_close(alone.joints, batch.joints, atol=1e-4, rtol=0)
    torch.testing.assert_close(alone.world_from_camera, batch.world_from_camera, atol=1e-5, rtol=0)
    assert (alone.instance == batch.instance).float().mean() > 0.999
    assert (alone.rgb.int() - batch.rgb.int()).abs().float().mean() < 0.5


def test_shapes_and_ranges(studio):
    for clips in (studio, make_clips([1], replace(TIERS["street"], size=(48, 64), frames=2))):
        count, frames, height, width = clips.depth.shape
        assert clips.rgb.shape == (count, frames, height, width, 3) and clips.rgb.dtype == torch.uint8
        assert (clips.depth >= 0).all() and clips.depth.max() < 100
        assert clips.rgb.float().std() > 10
        people = clips.present.shape[1]
        assert (clips.instance <= people).all()
        assert clips.joints.shape == (count, frames, people, 55, 3)
        assert torch.equal(clips.identity >= 0, clips.present)
        for name, value in _arrays(clips):
            assert name == "joints_px" or torch.isfinite(value.float()).all(), name


def test_bodies_posed_by_the_contract_fill_their_masks(studio):
    """The whole chain of conventions: parameters in the camera frame, numpy skinning, projection, mask and depth."""
    body = BodyModel.load(default_body_path())
    seen = 0
    for number in range(6):
        clip = studio.one(number)
        for frame in range(3):
            for person in clip.present.nonzero()[:, 0].tolist():
                if clip.visible_px[frame, person] < 150:
                    continue
                pose = matrix_to_axis_angle(clip.rotations[frame, person].double().numpy())
                vertices = body.vertices(clip.betas[person].numpy(), clip.expression[frame, person].numpy(), pose,
                                         clip.translation[frame, person].numpy())  # fmt: skip
                focal, centre = float(clip.focal_px), clip.principal_point_px.numpy()
                pixels = np.round(focal * vertices[:, :2] / vertices[:, 2:] + centre).astype(int)
                inside = ((pixels >= 0) & (pixels < SIZE)).all(-1)
                silhouette = np.zeros(SIZE[::-1], dtype=bool)
                silhouette[pixels[inside, 1], pixels[inside, 0]] = True
                mask = (clip.instance[frame] == person + 1).numpy()
                assert (mask & ~silhouette).sum() <= 0.06 * mask.sum() + 2
                others = (clip.instance[frame] > 0).numpy() & ~mask
                in_front = clip.depth[frame].numpy() < vertices[:, 2].min()
                missing = silhouette & ~mask & ~others & ~in_front
                assert missing.sum() <= 0.35 * mask.sum()  # the rim: rounded vertices reach half a pixel farther
                rows, columns = np.nonzero(mask)
                z = clip.depth[frame].numpy()[mask]
                points = np.stack([(columns - centre[0]) * z / focal, (rows - centre[1]) * z / focal, z], axis=-1)
                distance = np.linalg.norm(points[:, None] - vertices[None], axis=-1).min(axis=1)
                assert np.median(distance) < 0.01 and distance.max() < 0.05
                seen += 1
    assert seen >= 12


def test_projected_joints_fall_into_their_own_mask(studio):
    hits, total = 0, 0
    for number in range(6):
        clip = studio.one(number)
        for person in clip.present.nonzero()[:, 0].tolist():
            for joint in (0, 3, 6, 9, 12, HEAD):
                pixel = clip.joints_px[:, person, joint].round().long()
                inside = ((pixel >= 0) & (pixel < torch.tensor(SIZE))).all(-1)
                for frame in inside.nonzero()[:, 0].tolist():
                    x, y = pixel[frame].tolist()
                    if clip.depth[frame, y, x] < clip.joints[frame, person, joint, 2] - 0.25:
                        continue  # something stands in front
                    total += 1
                    hits += int(clip.instance[frame, y, x]) == person + 1
    assert total > 60 and hits == total


def test_points_of_the_place_stay_where_they_are(room):
    """Unproject the first frame, project into the last: depths agree wherever neither a person nor an edge is near."""
    for number in range(4):
        clip = room.one(number)
        width, height = SIZE
        v, u = torch.meshgrid(torch.arange(height).float(), torch.arange(width).float(), indexing="ij")
        centre, focal = clip.principal_point_px, clip.focal_px
        z = clip.depth[0]
        points = torch.stack([(u - centre[0]) * z / focal, (v - centre[1]) * z / focal, z], dim=-1)
        pose = torch.linalg.inv(clip.world_from_camera[2].double()).float() @ clip.world_from_camera[0]
        moved = points @ pose[:3, :3].T + pose[:3, 3]
        pixel = focal * moved[..., :2] / moved[..., 2:] + centre
        grid = (pixel + 0.5) / torch.tensor(SIZE) * 2.0 - 1.0
        sampled = torch.nn.functional.grid_sample(1.0 / clip.depth[2][None, None], grid[None], align_corners=False)[
            0, 0
        ]
        static = (clip.instance[0] == 0) & (grid.abs() < 0.95).all(-1) & (moved[..., 2] > 0.1)
        error = (1.0 / sampled[static] - moved[..., 2][static]).abs() / moved[..., 2][static]
        assert static.float().mean() > 0.3
        assert error.median() < 1e-3
        assert (error < 0.01).float().mean() > 0.8


def test_world_and_camera_parameters_tell_the_same(room):
    turn, where = room.world_from_camera[..., :3, :3], room.world_from_camera[..., :3, 3]
    torch.testing.assert_close(turn[:, :, None] @ room.rotations[:, :, :, 0], room.root_world, atol=1e-5, rtol=0)
    torch.testing.assert_close(turn @ turn.transpose(-1, -2), torch.eye(3).expand_as(turn), atol=1e-5, rtol=0)
    assert (torch.linalg.det(turn) > 0).all()
    joints = (turn[:, :, None, None] @ room.joints[..., None])[..., 0] + where[:, :, None, None]
    soles = joints[:, :, :, (10, 11), 1][room.planted & room.present[:, None, :, None]]
    assert (soles < 0).all() and (soles > -0.15).all()  # just above the floor at y = 0, and y is down


@pytest.mark.parametrize("tier", ["studio", "room", "street"])
def test_cameras_stay_inside_and_see_people(tier):
    clips = make_clips(range(20, 30), replace(TIERS[tier], size=(32, 24), frames=20, frame_gap=(15, 15)))
    # A camera outside a room or inside a box would look at something right before it, or at nothing.
    assert (clips.depth[clips.depth > 0] > 0.15).all()
    if tier != "street":
        assert (clips.depth > 0).all()
    assert (clips.world_from_camera[..., 1, 3] < -0.4).all()
    seen = (clips.visible_px > 0).any(-1).float().mean()
    assert seen > (0.9 if tier == "studio" else 0.7)


def test_people_enter_and_leave():
    clips = make_clips(range(12), replace(TIERS["street"], size=(64, 48), frames=24, frame_gap=(10, 10)))
    seen = clips.visible_px > 6
    comes_and_goes = seen.any(1) & ~seen.all(1) & clips.present
    assert comes_and_goes.sum() >= 5
    occluded = (clips.instance > 0).any() and (clips.visible_px.sum(-1) == (clips.instance > 0).sum((2, 3))).all()
    assert occluded


def test_camera_tier_moves_far_from_frame_to_frame():
    clips = make_clips(range(8), replace(TIERS["camera"], size=(32, 24), frames=6))
    poses = clips.world_from_camera
    step = (poses[:, 1:, :3, 3] - poses[:, :-1, :3, 3]).norm(dim=-1)
    relative = poses[:, :-1, :3, :3].transpose(-1, -2) @ poses[:, 1:, :3, :3]
    angle = torch.rad2deg(torch.acos(((relative.diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2).clamp(-1, 1)))
    assert (step > 0.1).all() and (step < 0.55).all() and step.mean() > 0.25
    assert angle.mean() > 6 and angle.max() < 18
    assert clips.present.shape == (8, 0) and (clips.instance == 0).all()


def test_colour_cues_tell_left_from_right_and_the_nose(studio):
    left = (studio.part == 4) | (studio.part == 10)
    right = (studio.part == 7) | (studio.part == 12)
    warmth = studio.rgb[..., 0].float() - studio.rgb[..., 2].float()
    assert left.sum() > 300 and right.sum() > 300
    assert warmth[left].mean() > warmth[right].mean() + 40
    plain = make_clips(range(6), replace(TIERS["studio"], size=SIZE, frames=1, labels=True, cues=False))
    left, right = ((plain.part == a) | (plain.part == b) for a, b in ((4, 10), (7, 12)))
    warmth = plain.rgb[..., 0].float() - plain.rgb[..., 2].float()
    assert (warmth[left].mean() - warmth[right].mean()).abs() < 40


def test_labels_belong_to_the_mean_body_at_rest(studio):
    person = studio.instance > 0
    assert torch.equal(studio.part > 0, person)
    assert (studio.canonical[~person] == 0).all()
    head = studio.part == 1
    assert studio.canonical[head][:, 1].median() > studio.canonical[person][:, 1].median() + 0.2
    left_arm = (studio.part == 4) | (studio.part == 3)
    assert (studio.canonical[left_arm][:, 0] > 0).all()


def test_supersampling_changes_colours_only(studio):
    fine = make_clips([2], replace(TIERS["studio"], size=SIZE, frames=1, effects=0.0, supersample=3))
    coarse = make_clips([2], replace(TIERS["studio"], size=SIZE, frames=1, effects=0.0))
    agree = (fine.depth - coarse.depth).abs() < 0.02
    assert agree.float().mean() > 0.99
    assert (fine.instance == coarse.instance).float().mean() > 0.995
    assert (fine.rgb.float() - coarse.rgb.float()).abs().mean() < 8
    assert not torch.equal(fine.rgb, coarse.rgb)


def test_upright_pictures(studio):
    settings = replace(TIERS["studio"], size=SIZE, frames=1).upright()
    clip = make_clip(0, settings)
    assert clip.rgb.shape == (1, SIZE[0], SIZE[1], 3)
    assert clip.principal_point_px.tolist() == [48, 64]


@pytest.mark.parametrize(
    "change", [{"size": (8, 8)}, {"people": (3, 2)}, {"place": "moon"}, {"supersample": 2}, {"walking": 1.5}]
)
def test_impossible_settings_are_refused(change):
    with pytest.raises(UserError, match=next(iter(change))):
        replace(ClipSettings(), **change)


def test_unknown_tier_is_refused():
    with pytest.raises(UserError, match="harder"):
        tier_settings("harder")
