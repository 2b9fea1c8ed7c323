# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures that are told what somebody knows of the footage."""

import numpy as np
import pytest

from engine.capture import run_capture
from engine.contract.errors import UserError
from engine.contract.messages import CameraSummary, FinalFrame, FocalLength, Frame
from engine.contract.rotations import axis_angle_to_matrix
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeReader
from engine.interruption import Interruption
from tests.engine.stream.footage_files import busy_picture, write_video

FRAMES, RATE = 8, 25.0


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    """A picture that slides sideways: a camera that nothing is known of is not taken to stand still in it."""

    def sliding(number, size):
        return np.roll(busy_picture(0, size), 4 * number, axis=1)

    return write_video(tmp_path_factory.mktemp("footage") / "a.mp4", FRAMES, RATE, size=(160, 120), draw=sliding)


def captured(footage, tmp_path, **given):
    values = {"model": "recipe:small", "body": "mannequin", "detection_threshold": 0.2, **given}
    settings = CaptureSettings(source=str(footage), take=str(tmp_path / "a.h3r"), **values)
    result = run_capture(settings, lambda message: None, Interruption())
    assert result.status == "complete"
    with TakeReader(settings.take) as take:
        return take.header, list(take)


def of(messages, kind):
    return [message for message in messages if isinstance(message, kind)]


def path(count: int) -> np.ndarray:
    """A camera in a world of its own."""
    found = np.tile(np.eye(4), (count, 1, 1))
    found[:, :3, :3] = axis_angle_to_matrix(np.linspace(0.2, 1, count)[:, None] * (0.3, 0.2, -0.1))
    found[:, :3, 3] = np.arange(count)[:, None] * (0.1, 0.0, 0.2) + (3, -1, 2)
    return found


@pytest.mark.parametrize("model", ["recipe:small", "landmarks"])
def test_a_fixed_camera_has_the_same_bits_in_all_frames(footage, tmp_path, model):
    _, free = captured(footage, tmp_path, model=model, camera="tracked", refine_camera="on")
    header, messages = captured(footage, tmp_path, model=model, camera="tracked", refine_camera="on", fixed_camera=True)
    assert header.settings.fixed_camera
    assert len({frame.world_from_camera.tobytes() for frame in of(free, Frame)}) > 1, "the footage tells nothing"
    shown = [*of(messages, Frame), *of(messages, FinalFrame)]
    assert {frame.world_from_camera.tobytes() for frame in shown} == {np.eye(4).tobytes()}
    [summary] = of(messages, CameraSummary)
    assert summary.motion == "still" and summary.note == "known"


def test_a_camera_file_is_the_take_s_path_from_its_first_camera(footage, tmp_path):
    camera = path(FRAMES)
    np.savez(tmp_path / "camera.npz", world_from_camera=camera, focal_px=123.0)
    for refine in ("off", "on"):
        _, messages = captured(footage, tmp_path, camera_file=str(tmp_path / "camera.npz"), refine_camera=refine)
        for frame in [*of(messages, Frame), *of(messages, FinalFrame)]:
            expected = np.linalg.inv(camera[0]) @ camera[frame.index]
            np.testing.assert_allclose(frame.world_from_camera, expected, atol=1e-12)
            assert frame.focal_px == pytest.approx(123.0)
    assert {focal.source for focal in of(messages, FocalLength)} == {"given"}


def test_a_camera_file_that_is_too_short_leaves_an_earlier_take_alone(footage, tmp_path):
    np.savez(tmp_path / "camera.npz", world_from_camera=path(FRAMES - 1))
    take = tmp_path / "a.h3r"
    captured(footage, tmp_path, end=2)
    earlier = take.read_bytes()
    with pytest.raises(UserError) as told:
        captured(footage, tmp_path, camera_file=str(tmp_path / "camera.npz"))
    assert told.value.code == "camera-file-short" and f"frame {FRAMES - 1}" in str(told.value)
    assert take.read_bytes() == earlier
    captured(footage, tmp_path, camera_file=str(tmp_path / "camera.npz"), end=FRAMES - 1)


def test_a_known_focal_length_moves_people_and_points_away(footage, tmp_path):
    """What the network sees keeps its place in the picture: depths follow the focal length."""
    _, free = captured(footage, tmp_path)
    _, told = captured(footage, tmp_path, focal_px=400.0)
    pairs = list(zip(of(free, Frame), of(told, Frame), strict=True))
    assert sum(len(one.track_id) for one, _ in pairs)
    for before, after in pairs:
        assert after.focal_px == pytest.approx(400.0)
        stretch = 400.0 / before.focal_px
        np.testing.assert_allclose(after.head_point[:, 2], before.head_point[:, 2] * stretch, rtol=1e-4)
        np.testing.assert_allclose(after.head_point[:, :2], before.head_point[:, :2], rtol=1e-4, atol=1e-6)


def test_a_lens_that_does_not_zoom_has_one_focal_length(footage, tmp_path):
    _, free = captured(footage, tmp_path, model="small")
    _, told = captured(footage, tmp_path, model="small", constant_focal=True)
    own = [frame.focal_px for frame in of(free, Frame)]
    assert len(set(own)) > 1
    final = of(told, FinalFrame)
    shown = {frame.index: frame.focal_px for frame in [*of(told, Frame), *final]}
    assert len(set(shown.values())) == 1
    assert shown[0] == pytest.approx(float(np.exp(np.mean(np.log(own)))), rel=1e-4)
