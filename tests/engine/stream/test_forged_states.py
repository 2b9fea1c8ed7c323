# SPDX-License-Identifier: GPL-3.0-or-later
"""Resume files with sound archives and forged states: each is refused with a reason, or the capture goes on with it."""

import functools
import random

import numpy as np
import pytest
import torch

from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.errors import UserError
from engine.contract.settings import CaptureSettings
from engine.human3r_estimator import Human3RModel
from engine.model.weights import load_named_model
from engine.pipeline import FramePipeline
from engine.resuming.resume_file import ResumePoint, load_resume_point, save_resume_point
from engine.video.picture import PictureMap, prepare_frame, tracking_picture
from engine.video.reading import PreparedFrame
from tests.engine.stream.footage_files import busy_picture
from tests.fuzzing import ROUNDS, survives

SIZE = (96, 72)
MODEL_SIDE = 64
FORGERIES = 40


@functools.cache
def model_and_body():
    return Human3RModel(load_named_model("recipe:small", torch.device("cpu"))), BodyModel.load(default_body_path())


def make_pipeline(size=SIZE) -> FramePipeline:
    settings = CaptureSettings(
        source="a.mp4", take="a.h3r", detection_threshold=0.2, reset_interval=2, voxel_size=0.1, camera="tracked"
    )
    return FramePipeline(settings, *model_and_body(), PictureMap.plan(size, MODEL_SIDE))


def go_on(pipeline: FramePipeline, first: int, count: int, size=SIZE) -> None:
    picture_map = PictureMap.plan(size, MODEL_SIDE)
    for number in range(first, first + count):
        rgb = np.roll(busy_picture(3, size)[..., ::-1], number, axis=1)
        pipeline.finish(
            pipeline.predict(
                PreparedFrame(number, number / 25, prepare_frame(rgb, picture_map), tracking_picture(rgb, picture_map))
            )
        )


@pytest.fixture(scope="module")
def states():
    """States in the middle of a chunk, with scene tokens, and at its end, with a picture to be replayed."""
    found = []
    for frames in (3, 4):
        pipeline = make_pipeline()
        go_on(pipeline, 0, frames)
        found.append(
            {
                stage: {name: value.copy() for name, value in state.items()}
                for stage, state in pipeline.export_state().items()
            }
        )
    assert "tokens" in found[0]["rollout"] and "replay" in found[1]["rollout"]
    assert "reference_picture" in found[0]["camera"] and len(found[0]["tracker"]["ids"])
    return found


def forge(value: np.ndarray, dice: random.Random) -> np.ndarray:
    """An array like it with one thing that no stage exports, or only another one does."""
    kind = dice.randrange(7)
    if kind == 0:
        return value.astype(dice.choice(("f4", ">f8", "f2", "i8", "u1", "?", "U3")))
    if kind == 1:
        return value[..., None] if dice.random() < 0.5 else value.reshape(-1)
    if kind == 2 and value.ndim:
        axis = dice.randrange(value.ndim)
        return np.repeat(value, dice.choice((0, 2)), axis=axis)
    if kind == 3:
        return np.zeros_like(value)
    if kind == 4 and value.ndim:
        return np.swapaxes(value, 0, -1)
    forged = np.array(value)
    number = {
        "f": (np.nan, np.inf, -np.inf, 1e300, -1e30, 0.0, -1.0),
        "i": (-1, 2**62, -(2**63), 0, 1),
        "u": (0, 255),
        "b": (True, False),
    }[value.dtype.kind]
    with np.errstate(over="ignore"):
        if kind == 5 and value.size:
            forged.reshape(-1)[dice.randrange(value.size)] = np.array(dice.choice(number)).astype(value.dtype)
        else:
            forged[...] = np.array(dice.choice(number)).astype(value.dtype)
    return forged


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("which", [0, 1], ids=["within a chunk", "at its end"])
def test_forged_states_are_refused_or_work(states, which):
    dice = random.Random(which)
    stages = states[which]
    assert survives(lambda: restore_and_go_on(stages), ())
    places = [(stage, name) for stage, state in stages.items() for name in state]
    outcomes = []
    for number in range(FORGERIES * ROUNDS):
        stage, name = places[number % len(places)]
        state = dict(stages[stage])
        if dice.random() < 0.08:
            del state[name]
        else:
            state[name] = forge(state[name], dice)
        outcomes.append(
            survives(lambda state=state, stage=stage: restore_and_go_on(stages | {stage: state}), (UserError,))
        )
    assert outcomes.count(False) > len(outcomes) / 2, "most forgeries are seen"


def restore_and_go_on(stages) -> None:
    pipeline = make_pipeline()
    pipeline.restore_state(stages)
    go_on(pipeline, 5, 1)


def test_a_state_of_other_pictures_or_of_no_stage_is_refused(states, tmp_path):
    for stages in ({}, states[0] | {"tracker": {}}, {name: states[0][name] for name in ("rollout", "tracker")}):
        with pytest.raises(UserError, match="resume-unreadable"):
            make_pipeline().restore_state(stages)
    for focal in (np.array("nan"), np.array([1.0]), np.array(-1.0), np.array(np.inf)):
        with pytest.raises(UserError, match="last_focal"):
            make_pipeline().restore_state(states[0] | {"intrinsics": {"last_focal": focal}})
    larger = (128, 72)
    with pytest.raises(UserError, match="another size"):
        make_pipeline(larger).restore_state(states[1])
    settings = CaptureSettings(source="a.mp4", take=str(tmp_path / "a.h3r"))
    (tmp_path / "a.h3r").write_bytes(bytes(10))
    wrong = states[0] | {"tracker": states[0]["tracker"] | {"tokens": np.ones((1, 7), np.float32)}}
    save_resume_point(ResumePoint(settings, "m", "b", 10, 3, 3, wrong))
    with pytest.raises(UserError, match="resume-unreadable"):
        make_pipeline().restore_state(load_resume_point(settings).states)
