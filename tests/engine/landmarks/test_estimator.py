# SPDX-License-Identifier: GPL-3.0-or-later
"""The landmarks model in a capture: on a real clip, with frames thrown away, and interrupted and resumed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest
import torch

from engine.camera_pass.clip import Clip
from engine.capture import run_capture
from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.errors import UserError
from engine.contract.messages import (
    CameraMotion,
    FinalFrame,
    FocalLength,
    Frame,
    Message,
    ScenePoints,
    Status,
    unpack_mask,
)
from engine.contract.settings import CaptureSettings
from engine.contract.take import SettledTakeReader, TakeReader
from engine.interruption import Interruption
from engine.landmarks.estimator import FLOOR_CONFIDENCE
from engine.models import load_model
from engine.pipeline import FramePipeline
from engine.video.footage import open_footage
from engine.video.picture import prepare_frame, tracking_picture
from engine.video.reading import PreparedFrame

CLIP = Path(__file__).parents[3].parent / "shared" / "media" / "worker-zone-detection.gif"
CPU = torch.device("cpu")
FRAMES = 8
UPRIGHT = range(42, 71)
"""Frames of the clip in which the worker stands upright often enough for a floor."""

pytestmark = pytest.mark.skipif(not CLIP.is_file(), reason="no real footage (the folder shared/ is not there)")


@pytest.fixture(scope="module")
def model():
    return load_model("landmarks", CPU)


@pytest.fixture(scope="module")
def frames(model) -> list[PreparedFrame]:
    return prepared(model, range(20, 20 + 2 * FRAMES, 2))


def prepared(model, wanted: range) -> list[PreparedFrame]:
    with_map = model.picture_map(open_footage(str(CLIP)).size)
    return [
        PreparedFrame(
            picture.source_frame,
            picture.time_s,
            prepare_frame(picture.rgb, with_map),
            tracking_picture(picture.rgb, with_map),
            picture.rgb,
        )
        for picture in open_footage(str(CLIP)).pictures(wanted.start, wanted.stop, wanted.step)
    ]


def pipeline(model, **changes) -> FramePipeline:
    settings = CaptureSettings(source=str(CLIP), take="a.h3r", model="landmarks", camera="tracked", **changes)
    size = open_footage(str(CLIP)).size
    return FramePipeline(settings, model, BodyModel.load(default_body_path()), model.picture_map(size))


def run(made: FramePipeline, frames: list[PreparedFrame]) -> Iterator[Message]:
    for prepared in frames:
        yield from made.finish(made.predict(prepared))


def conclusion_of(made: FramePipeline) -> list[Message]:
    """What the model's own last pass finds: without a pass over the camera nobody looks at take and footage again."""
    steps = made.conclude(cast(Clip, None))
    while True:
        try:
            assert 0 <= next(steps) <= 1
        except StopIteration as end:
            return end.value


def assert_same(left: list[Message], right: list[Message]) -> None:
    assert [message.kind for message in left] == [message.kind for message in right]
    for one, other in zip(left, right, strict=True):
        if isinstance(one, Frame | FinalFrame):
            for name in ("track_id", "pose_axis_angle", "translation", "betas", "world_from_camera"):
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)
        if isinstance(one, ScenePoints):
            np.testing.assert_array_equal(one.position, other.position)
            np.testing.assert_array_equal(one.color, other.color)


def test_one_worker_is_found_with_a_body_and_a_mask_of_a_plausible_size(model, frames):
    messages = list(run(pipeline(model), frames))
    shown = [message for message in messages if isinstance(message, Frame)]
    assert len(shown) == FRAMES and isinstance(messages[0], FocalLength)
    assert {len(frame.track_id) for frame in shown[2:]} == {1} and {int(f.track_id[0]) for f in shown[2:]} == {0}
    for frame in shown[2:]:
        assert 2 < frame.translation[0, 2] < 20
        assert 0.01 < unpack_mask(frame).mean() < 0.2


def test_predictions_that_are_thrown_away_leave_no_trace(model, frames):
    expected = list(run(pipeline(model), frames[:4]))
    made, found = pipeline(model), []
    for prepared in frames[:4]:
        made.predict(frames[-1])
        found += made.finish(made.predict(prepared))
    assert_same(expected, found)


def poses_and_kinds(messages: list[Message]) -> tuple[np.ndarray, list[tuple[int, str]]]:
    poses = np.stack([message.world_from_camera for message in messages if isinstance(message, Frame)])
    return poses, [(told.frame_index, told.motion) for told in messages if isinstance(told, CameraMotion)]


def test_a_still_camera_is_told_with_the_first_frame_and_has_one_pose(model, frames):
    messages = list(run(pipeline(model), frames[:4]))
    poses, kinds = poses_and_kinds(messages)
    assert kinds == [(0, "still")]
    assert [message.kind for message in messages[:3]] == ["focal_length", "camera_motion", "frame"]
    np.testing.assert_array_equal(poses, np.tile(np.eye(4), (4, 1, 1)))


def test_a_camera_that_turns_is_told_once_also_over_a_resume(model, frames):
    """The footage is warped as if the camera turned to the right by a degree from frame to frame."""
    with_map, turning = model.picture_map(open_footage(str(CLIP)).size), []
    pinhole = np.array([[430.0, 0, 239.5], [0, 430, 134.5], [0, 0, 1]])
    for number, kept in enumerate(frames[:6]):
        assert kept.footage_rgb is not None
        turn, _ = cv2.Rodrigues(np.array([0, -np.radians(number), 0]))
        rgb = cv2.warpPerspective(kept.footage_rgb, pinhole @ turn @ np.linalg.inv(pinhole), (480, 270))
        pictures = prepare_frame(rgb, with_map), tracking_picture(rgb, with_map)
        turning.append(PreparedFrame(kept.source_frame, kept.time_s, *pictures, rgb))
    whole, restored = pipeline(model), pipeline(model)
    messages = list(run(whole, turning[:4]))
    restored.restore_state(whole.export_state())
    rest = list(run(whole, turning[4:]))
    assert_same(rest, list(run(restored, turning[4:])))
    poses, kinds = poses_and_kinds([*messages, *rest])
    assert kinds == [(0, "still"), (1, "turning")]
    assert not poses[:, :3, 3].any()
    turned = np.degrees(np.arctan2(poses[:, 0, 2], poses[:, 2, 2]))
    assert (np.diff(turned) > 0.5).all(), "to the right"


def test_a_restored_state_goes_on_as_if_nothing_had_happened(model, frames):
    whole = pipeline(model)
    list(run(whole, frames[:4]))
    restored = pipeline(model)
    restored.restore_state(
        {
            stage: {name: np.array(value) for name, value in state.items()}
            for stage, state in whole.export_state().items()
        }
    )
    assert_same(list(run(whole, frames[4:])), list(run(restored, frames[4:])))
    assert_same(conclusion_of(whole), conclusion_of(restored))


def test_the_final_points_are_one_floor_under_the_feet_also_after_a_resume(model):
    whole, restored = (pipeline(model, voxel_size=0.1) for _ in range(2))
    list(run(whole, prepared(model, UPRIGHT)))
    restored.restore_state(whole.export_state())
    found = conclusion_of(whole)
    assert_same(found, conclusion_of(restored))
    (points,) = [message for message in found if isinstance(message, ScenePoints)]
    assert points.replaces_all and points is found[-1]
    floor = points.position[points.confidence == FLOOR_CONFIDENCE].astype(float)
    assert len(floor) > 500
    middle = floor.mean(axis=0)
    normal = np.linalg.svd(floor - middle, full_matrices=False)[2][2]
    assert np.percentile(np.abs((floor - middle) @ normal), 98) < 0.02  # where it meets the wall, voxels hold both
    pelvis = np.concatenate([message.translation for message in found if isinstance(message, FinalFrame)])
    above = np.abs((pelvis - middle) @ normal)
    assert above.min() > 0.5
    assert above.max() < 1.5


def test_a_take_holds_the_points_that_were_made_anew_and_no_others_after_them(tmp_path):
    start, end = UPRIGHT.start, UPRIGHT.stop
    settings = CaptureSettings(
        str(CLIP), str(tmp_path / "a.h3r"), model="landmarks", start=start, end=end, backdrop=False
    )
    result = run_capture(settings, lambda _: None, Interruption())
    with TakeReader(settings.take) as plain:
        (whole,) = [message for message in plain if isinstance(message, ScenePoints) and message.replaces_all]
    assert result.point_count == len(whole.position) > 0


def test_a_state_of_another_model_is_refused(model, frames):
    made = pipeline(model)
    list(run(made, frames[:2]))
    states = made.export_state()
    with pytest.raises(UserError, match="resume-unreadable"):
        pipeline(model).restore_state(states | {"follower": {}})


def test_on_the_processor_every_precision_is_the_full_one(frames, model):
    """The networks' own tests compare half precision with full; a capture that asks for it runs, and says the same."""
    half = load_model("landmarks", CPU, "bfloat16")
    assert_same(list(run(pipeline(model), frames[:2])), list(run(pipeline(half, precision="bfloat16"), frames[:2])))


def test_a_take_ends_with_one_focal_length_for_all_of_it(tmp_path):
    settings = CaptureSettings(
        source=str(CLIP), take=str(tmp_path / "a.h3r"), model="landmarks", start=20, end=32, stride=2, device="cpu"
    )
    assert run_capture(settings, lambda _: None, Interruption()).status == "complete"
    with SettledTakeReader(settings.take) as settled, TakeReader(settings.take) as plain:
        assert settled.header.model.startswith("landmarks (")
        focal = {message.focal_px for message in settled if isinstance(message, Frame)}
        said = [message for message in plain if isinstance(message, FocalLength)][-1]
    assert focal == {said.focal_px} and said.relative_sigma > 0


def test_a_capture_canceled_in_its_final_pass_goes_on_to_the_same_take(tmp_path):
    settings = CaptureSettings(
        source=str(CLIP), take=str(tmp_path / "a.h3r"), model="landmarks", start=20, end=32, stride=2, device="cpu"
    )
    run_capture(settings, lambda _: None, Interruption())
    expected = Path(settings.take).read_bytes()
    interruption = Interruption()

    def cancel_while_refining(message: Message) -> None:
        if isinstance(message, Status) and message.phase == "refining":
            interruption.request()

    assert run_capture(settings, cancel_while_refining, interruption).status == "cancelled"
    with TakeReader(settings.take) as cancelled:
        assert not any(isinstance(message, FinalFrame) for message in cancelled)
    assert run_capture(settings, lambda _: None, Interruption(), resume=True).status == "complete"
    assert Path(settings.take).read_bytes() == expected
