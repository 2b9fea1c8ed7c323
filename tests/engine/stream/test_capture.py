# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of a capture that need no process of their own."""

import numpy as np
import pytest
import torch

from engine.capture import explained_memory_errors
from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.errors import UserError
from engine.contract.messages import Frame, ScenePoints
from engine.contract.rotations import axis_angle_to_matrix
from engine.contract.settings import CaptureSettings
from engine.contract.skeleton import HEAD
from engine.fingerprint import fingerprint
from engine.human3r_estimator import Human3RModel
from engine.model.checkpoint import save_checkpoint
from engine.model.weights import choose_device, load_named_model
from engine.pipeline import FramePipeline
from engine.resuming.resume_file import ResumePoint, load_resume_point, save_resume_point
from engine.supply import ModelShelf
from engine.video.picture import PictureMap, prepare_frame, tracking_picture
from engine.video.reading import PreparedFrame
from tests.engine.stream.footage_files import busy_picture

CPU = torch.device("cpu")
SIZE = (160, 120)


@pytest.fixture(scope="module")
def named():
    return load_named_model("recipe:small", CPU)


def make_pipeline(named, tmp_path, **changes) -> FramePipeline:
    values = {"detection_threshold": 0.2, "reset_interval": 3, "voxel_size": 0.1, **changes}
    settings = CaptureSettings(source="a.mp4", take=str(tmp_path / "a.h3r"), **values)
    return FramePipeline(settings, Human3RModel(named), BodyModel.load(default_body_path()), PictureMap.plan(SIZE, 128))


def prepared(number: int) -> PreparedFrame:
    rgb, picture_map = busy_picture(number, SIZE)[..., ::-1].copy(), PictureMap.plan(SIZE, 128)
    return PreparedFrame(number, number / 25, prepare_frame(rgb, picture_map), tracking_picture(rgb, picture_map))


def test_a_prediction_that_is_thrown_away_leaves_no_trace(named, tmp_path):
    """What a cancel in the middle of a step relies on: also just before a chunk begins, where the model runs twice."""
    plain, interrupted = make_pipeline(named, tmp_path), make_pipeline(named, tmp_path)
    for number in range(7):
        expected = plain.finish(plain.predict(prepared(number)))
        interrupted.predict(prepared(number + 50))
        actual = interrupted.finish(interrupted.predict(prepared(number)))
        for left, right in zip(expected, actual, strict=True):
            assert type(left) is type(right)
            if isinstance(left, Frame):
                np.testing.assert_array_equal(left.world_from_camera, right.world_from_camera)
                np.testing.assert_array_equal(left.track_id, right.track_id)
                np.testing.assert_array_equal(left.translation, right.translation)
            elif isinstance(left, ScenePoints):
                np.testing.assert_array_equal(left.position, right.position)


@pytest.mark.parametrize("reset_interval", [0, 3])
@pytest.mark.parametrize("stop", [3, 5])
def test_states_survive_the_resume_file_at_every_place_of_a_chunk(named, tmp_path, reset_interval, stop):
    whole, first = (make_pipeline(named, tmp_path, reset_interval=reset_interval) for _ in range(2))
    for number in range(stop):
        whole.finish(whole.predict(prepared(number)))
        first.finish(first.predict(prepared(number)))
    settings = CaptureSettings(source="a.mp4", take=str(tmp_path / "a.h3r"))
    (tmp_path / "a.h3r").write_bytes(bytes(100))
    save_resume_point(ResumePoint(settings, "m", "b", 100, stop, stop, first.export_state()))
    second = make_pipeline(named, tmp_path, reset_interval=reset_interval)
    second.restore_state(load_resume_point(settings).states)
    assert second.frame_count == stop
    for number in range(stop, 8):
        expected = whole.finish(whole.predict(prepared(number)))[0]
        actual = second.finish(second.predict(prepared(number)))[0]
        np.testing.assert_array_equal(expected.world_from_camera, actual.world_from_camera)
        np.testing.assert_array_equal(expected.track_id, actual.track_id)
        np.testing.assert_array_equal(expected.betas, actual.betas)
        assert (expected.index, expected.focal_px) == (actual.index, actual.focal_px)
    np.testing.assert_array_equal(whole.final_points().position, second.final_points().position)


def test_without_voxels_there_are_no_points(named, tmp_path):
    pipeline = make_pipeline(named, tmp_path, voxel_size=0)
    messages = pipeline.finish(pipeline.predict(prepared(0)))
    assert [type(message) for message in messages] == [Frame]
    assert pipeline.final_points() is None and pipeline.point_count == 0


def test_of_a_network_that_predicts_depth_no_kind_of_camera_is_told(named, tmp_path):
    pipeline = make_pipeline(named, tmp_path, voxel_size=0, camera="tracked")
    assert [type(message) for n in range(2) for message in pipeline.finish(pipeline.predict(prepared(n)))] == [
        Frame
    ] * 2
    assert "camera_kind" not in pipeline.export_state()


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_reduced_precision_stays_near(named, tmp_path, precision, monkeypatch):
    monkeypatch.setattr("engine.model.precision._processor_computes", lambda dtype: True)
    plain, reduced = make_pipeline(named, tmp_path), make_pipeline(named, tmp_path, precision=precision)
    exact = plain.predict(prepared(0)).by_model.passes[-1].prediction.points_self
    rounded = reduced.predict(prepared(0)).by_model.passes[-1].prediction.points_self.float()
    relative = (exact - rounded).norm() / exact.norm()
    assert 0 < relative < 0.05
    frame = reduced.finish(reduced.predict(prepared(0)))[0]
    assert len(frame.track_id) > 0
    body_model = BodyModel.load(default_body_path())
    joints = body_model.posed_joints(
        axis_angle_to_matrix(frame.pose_axis_angle), frame.betas, frame.expression, frame.translation
    )
    np.testing.assert_allclose(joints[:, HEAD], frame.head_point, atol=1e-4)


@pytest.mark.parametrize(
    "allocate",
    [lambda: torch.empty(1 << 55), lambda: np.empty(1 << 55), lambda: bytearray(1 << 60)],
    ids=["torch", "numpy", "python"],
)
def test_running_out_of_memory_is_explained(allocate):
    settings = CaptureSettings(source="a.mp4", take="a.h3r", model="recipe:896L")
    with pytest.raises(UserError) as caught, explained_memory_errors(settings):
        allocate()
    assert caught.value.code == "not-enough-memory"
    assert "recipe:896L" in caught.value.message and "smaller" in caught.value.remedy


def test_other_errors_pass_unchanged():
    with pytest.raises(RuntimeError, match="size"), explained_memory_errors(CaptureSettings("a.mp4", "a.h3r")):
        torch.zeros(2) + torch.zeros(3)


def test_a_checkpoint_runs_by_its_path_and_is_told_apart(named, tmp_path):
    path = tmp_path / "mine.safetensors"
    save_checkpoint(named.model, path)
    loaded = load_named_model(str(path), CPU)
    assert loaded.name == f"mine.safetensors ({fingerprint(path)})"
    for (key, left), right in zip(named.model.state_dict().items(), loaded.model.state_dict().values(), strict=True):
        assert torch.equal(left, right), key
    before = fingerprint(path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert fingerprint(path) != before


def test_unknown_models_and_devices_are_refused(tmp_path):
    for name, code in (("recipe:tiny", "unknown-model"), (str(tmp_path / "no.pth"), "checkpoint-missing")):
        with pytest.raises(UserError) as caught:
            load_named_model(name, CPU)
        assert caught.value.code == code
    there = {"mps": torch.backends.mps.is_available(), "cuda": torch.cuda.is_available()}
    missing = next(name for name in there if not there[name])
    with pytest.raises(UserError, match="device-missing"):
        choose_device(missing)
    assert choose_device("cpu") == CPU


def test_the_shelf_keeps_the_last_model():
    shelf = ModelShelf()
    assert not shelf.holds("recipe:small", CPU)
    first = shelf.get("recipe:small", CPU)
    assert shelf.holds("recipe:small", CPU) and shelf.get("recipe:small", CPU) is first
    assert not shelf.holds("small", CPU)
