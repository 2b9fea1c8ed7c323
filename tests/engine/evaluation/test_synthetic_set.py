# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic clips as an evaluation set: the truth they give agrees with what was rendered, and with the contract."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from engine.contract.body_model import BodyModel
from engine.contract.rotations import axis_angle_to_matrix
from engine.contract.skeleton import HEAD
from engine.evaluation.baselines import TrivialPredictor
from engine.evaluation.measuring import measure
from engine.evaluation.synthetic_set import DatasetSet, NamedBody, SyntheticSet
from engine.synthetic.clips import Clip, make_clip
from engine.synthetic.dataset import write_dataset
from engine.synthetic.settings import HELD_OUT_SEED, tier_settings
from engine.synthetic.truth import clip_truth

SEED = 5


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def clip(body: BodyModel) -> Clip:
    return make_clip(SEED, replace(tier_settings("studio"), frames=6, people=(2, 2)), body=body)


def test_parameters_give_the_joints_and_pixels_that_were_rendered(clip: Clip, body: BodyModel) -> None:
    """Body parameters, camera and mask all tell of the same place in the picture."""
    truth = clip_truth(clip, "clip", 15.0, maps_every=1)
    people = truth.people
    joints = body.posed_joints(
        axis_angle_to_matrix(people.pose_axis_angle), people.betas, people.expression, people.translation
    )
    np.testing.assert_allclose(joints[truth.present], clip.joints.numpy()[truth.present], atol=2e-4)
    head = joints[..., HEAD, :]
    pixel = truth.focal_px[:, None, None] * head[..., :2] / head[..., 2:] + truth.principal_point_px[:, None]
    assert truth.expected.any()
    for frame, person in np.argwhere(truth.expected):
        x, y = np.round(pixel[frame, person]).astype(int)
        near = truth.person_mask[frame, max(y - 4, 0) : y + 5, max(x - 4, 0) : x + 5]
        assert (near == person + 1).any()


def test_depth_is_that_of_the_people_seen(clip: Clip) -> None:
    """Where a person is seen, the depth is the person's, so depth and bodies share one camera frame and one unit."""
    truth = clip_truth(clip, "clip", 15.0, maps_every=1)
    joints = clip.joints.numpy()
    for frame, person in np.argwhere(truth.expected):
        seen = truth.depth_m[frame][truth.person_mask[frame] == person + 1]
        assert abs(np.median(seen) - joints[frame, person, :22, 2].mean()) < 0.35


def test_still_points_stay_in_the_world(clip: Clip) -> None:
    """world_from_camera carries what stands still to one place: planted feet, taken from camera-frame joints."""
    truth = clip_truth(clip, "clip", 15.0, maps_every=1)
    world = np.einsum("tij,tpnj->tpni", truth.world_from_camera[:, :3, :3], clip.joints.double().numpy())
    world += truth.world_from_camera[:, None, None, :3, 3]
    planted = clip.planted.numpy()[1:] & clip.planted.numpy()[:-1] & truth.present[1:, :, None]
    steps = np.linalg.norm(np.diff(world[:, :, [10, 11]], axis=0), axis=-1)
    assert planted.any()
    assert steps[planted].max() < 0.03


def test_pictures_are_written_without_loss(body: BodyModel, clip: Clip) -> None:
    settings = replace(tier_settings("studio"), frames=6, people=(2, 2))
    clips = SyntheticSet(range(SEED, SEED + 1), settings, NamedBody(body, "mannequin"))
    folders = []
    for item in clips.clips():
        folders.append(Path(item.source))
        pictures = [cv2.imread(str(path))[..., ::-1] for path in sorted(folders[0].iterdir())]
        np.testing.assert_array_equal(np.stack(pictures), clip.rgb.numpy())
        np.testing.assert_array_equal(item.truth.depth_m, clip.depth.numpy())
        assert item.truth.frame_rate == pytest.approx(1.0 / float(clip.time_s[1] - clip.time_s[0]), rel=1e-5)
        alone = next(clips.truths())
        np.testing.assert_allclose(alone.people.translation, item.truth.people.translation, atol=1e-5)
        np.testing.assert_array_equal(alone.expected, item.truth.expected)
    assert len(folders) == len(clips) == 1
    assert not folders[0].exists(), "pictures must not pile up"


@pytest.mark.parametrize("tier", ["room", "camera"])
def test_trivial_predictors_on_clips(body: BodyModel, tier: str) -> None:
    """The whole way without a model: constants of some seeds, measured on another."""
    settings, named = replace(tier_settings(tier), frames=5), NamedBody(body, "mannequin")
    constants = TrivialPredictor.fit(SyntheticSet(range(4), replace(settings, frames=2), named).truths(), body)
    truth = next(SyntheticSet(range(SEED, SEED + 1), settings, named).truths())
    values = measure(constants.messages(truth, body), truth, body).values()
    assert 0.05 < values["abs_rel"] < 1.0
    assert values["focal_relative"] == 0.0
    if tier == "camera":
        assert values["ate_m"] > 0.05 and values["f1"] is None
    else:
        assert values["f1"] == 1.0 and 30.0 < values["pa_mpjpe_mm"] < 200.0


def test_a_dataset_on_disk_gives_the_same_truth(body: BodyModel, tmp_path: Path) -> None:
    settings = replace(tier_settings("room"), frames=3)
    seeds = range(HELD_OUT_SEED, HELD_OUT_SEED + 2)
    write_dataset(tmp_path / "set", seeds, settings)
    named = NamedBody(body, "mannequin")
    stored, made = DatasetSet(tmp_path / "set", "Validation", named), SyntheticSet(seeds, settings, named)
    assert len(stored) == 2
    for ours, theirs in zip(stored.clips(), made.clips(), strict=True):
        assert ours.truth.frame_rate == pytest.approx(theirs.truth.frame_rate, rel=1e-5)
        for name in ("world_from_camera", "expected", "depth_m", "person_mask", "focal_px"):
            np.testing.assert_allclose(getattr(ours.truth, name), getattr(theirs.truth, name), atol=1e-6, err_msg=name)
        np.testing.assert_allclose(ours.truth.people.translation, theirs.truth.people.translation, atol=1e-6)
        pictures = [[cv2.imread(str(path)) for path in sorted(Path(clip.source).iterdir())] for clip in (ours, theirs)]
        np.testing.assert_array_equal(*pictures)
