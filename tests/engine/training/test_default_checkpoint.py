# SPDX-License-Identifier: GPL-3.0-or-later
"""The embedded checkpoint on clips that training never saw: a wrong sign, axis or unit anywhere turns this red."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from engine.contract.body_model import BodyModel
from engine.contract.skeleton import HEAD, HUMAN3R_TO_JOINT
from engine.evaluation.local_body import mpjpe_mm, pa_mpjpe_mm, rotation_error_deg
from engine.model.weights import SMALL, load_named_model
from engine.stages.intrinsics import IntrinsicsEstimator
from engine.synthetic.clips import Clip, make_clips
from engine.synthetic.settings import HELD_OUT_SEED, tier_settings
from engine.training.skeleton import Skeleton

pytestmark = pytest.mark.skipif(not SMALL.is_file(), reason="no embedded checkpoint")

FRAMES = 8
SEEDS = range(HELD_OUT_SEED, HELD_OUT_SEED + 6)


@dataclass
class Found:
    """What was found on all clips; one entry per recognised person or per frame."""

    people: int = 0
    expected: int = 0
    right: int = 0
    mpjpe: list[float] = None  # type: ignore[assignment]
    pa_mpjpe: list[float] = None  # type: ignore[assignment]
    root_deg: list[float] = None  # type: ignore[assignment]
    head_m: list[float] = None  # type: ignore[assignment]
    depth: list[float] = None  # type: ignore[assignment]
    constant_depth: list[float] = None  # type: ignore[assignment]
    mask_iou: list[float] = None  # type: ignore[assignment]
    focal: list[float] = None  # type: ignore[assignment]
    camera_m: list[float] = None  # type: ignore[assignment]


@pytest.fixture(scope="module")
def found(body: BodyModel) -> Found:
    clips = make_clips(SEEDS, replace(tier_settings("studio"), frames=FRAMES, frame_gap=(3, 3)))
    model = load_named_model("small", torch.device("cpu")).model
    skeleton = Skeleton(body)
    lists = ("mpjpe", "pa_mpjpe", "root_deg", "head_m", "depth", "constant_depth", "mask_iou", "focal", "camera_m")
    result = Found(**{name: [] for name in lists})
    with torch.inference_mode():
        state = model.initial_state(len(SEEDS))
        for frame in range(FRAMES):
            images = clips.rgb[:, frame].permute(0, 3, 1, 2).float() / 127.5 - 1
            prediction, state = model.step(images, state)
            _measure(result, clips, frame, prediction, skeleton)
    return result


def _measure(result: Found, clips: Clip, frame: int, prediction: object, skeleton: Skeleton) -> None:
    people = prediction.people
    seen = clips.present & (clips.visible_px[:, frame] > 60)
    heads = clips.head_px[:, frame]
    seen &= ((heads > 2) & (heads < torch.tensor((125.0, 93.0)))).all(dim=-1)
    result.people += len(people)
    result.expected += int(seen.sum())
    joints = skeleton.head_relative_joints(people.rotations, people.betas)
    for index in range(len(people)):
        clip = int(people.batch_index[index])
        away = (heads[clip] - people.head_px[index]).norm(dim=-1).masked_fill(~seen[clip], 1e6)
        person = int(away.argmin())
        if away[person] > 6:
            continue
        result.right += 1
        true = clips.joints[clip, frame, person]
        pair = (
            joints[index, :22].numpy()[None].astype(np.float64),
            (true - true[HEAD])[:22].numpy()[None].astype(np.float64),
        )
        result.mpjpe.append(float(mpjpe_mm(*pair)[0]))
        result.pa_mpjpe.append(float(pa_mpjpe_mm(*pair)[0]))
        root = clips.rotations[clip, frame, person, HUMAN3R_TO_JOINT[0]]
        result.root_deg.append(float(rotation_error_deg(people.rotations[index, 0].numpy(), root.numpy())))
        result.head_m.append(float((people.head_point[index] - true[HEAD]).norm()))
    depth, true_depth = prediction.points_self[..., 2], clips.depth[:, frame]
    result.depth.append(float(((depth - true_depth).abs() / true_depth).mean()))
    result.constant_depth.append(float(((true_depth.median() - true_depth).abs() / true_depth).mean()))
    mask, true_mask = prediction.mask > 0.5, clips.instance[:, frame] > 0
    result.mask_iou.append(float((mask & true_mask).sum() / (mask | true_mask).sum()))
    for clip in range(len(depth)):
        focal = IntrinsicsEstimator().update(prediction.points_self[clip]).focal_px
        result.focal.append(abs(focal / float(clips.focal_px[clip]) - 1))
    true_pose = clips.poses_from_first()[:, frame]
    result.camera_m.append(float((prediction.camera_pose[:, :3] - true_pose[:, :3, 3]).norm(dim=-1).mean()))


def test_people_are_found(found: Found) -> None:
    precision, recall = found.right / found.people, found.right / found.expected
    assert 2 * precision * recall / (precision + recall) > 0.9


def test_bodies_are_far_better_than_the_mean_pose(found: Found) -> None:
    assert np.mean(found.mpjpe) < 90
    assert np.mean(found.pa_mpjpe) < 62
    assert np.median(found.root_deg) < 15


def test_heads_are_where_they_are(found: Found) -> None:
    assert np.median(found.head_m) < 0.3


def test_depth_is_far_better_than_constant(found: Found) -> None:
    assert np.mean(found.depth) < 0.5 * np.mean(found.constant_depth)
    assert np.mean(found.mask_iou) > 0.64


def test_the_point_map_tells_the_focal_length(found: Found) -> None:
    assert np.median(found.focal) < 0.12


def test_the_camera_does_not_run_away(found: Found) -> None:
    assert np.mean(found.camera_m) < 0.15
