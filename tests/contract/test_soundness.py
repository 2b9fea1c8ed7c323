# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a message is sound arrives; what no scene can hold is left out and counted."""

import dataclasses

import numpy as np
import pytest

from engine.contract.file_names import is_remote, name_alone
from engine.contract.messages import PROTOCOL_VERSION, FinalFrame, FocalLength, Frame, ScenePoints, Status, TakeHeader
from engine.contract.sentences import printable
from engine.contract.settings import CaptureSettings
from engine.contract.soundness import Sieve

BAD = [np.nan, np.inf, -np.inf, 1e30]


def frame(people=3, **changes):
    rng = np.random.default_rng(5)
    return dataclasses.replace(
        Frame(
            index=2, source_frame=2, time_s=0.1, focal_px=900.0, world_from_camera=np.eye(4),
            principal_point_px=np.array([320.0, 240.0]), track_id=np.arange(people, dtype=np.int32),
            score=np.ones(people, np.float32), pose_axis_angle=rng.normal(size=(people, 55, 3)).astype(np.float32),
            betas=rng.normal(size=(people, 10)).astype(np.float32), expression=np.zeros((people, 10), np.float32),
            translation=rng.normal(size=(people, 3)).astype(np.float32),
            head_point=rng.normal(size=(people, 3)).astype(np.float32), head_px=np.zeros((people, 2), np.float32),
            mask_size=(8, 1), mask_box_px=(0.0, 0.0, 8.0, 1.0), mask_bits=np.zeros(1, np.uint8),
        ),
        **changes,
    )  # fmt: skip


def final(original):
    names = [item.name for item in dataclasses.fields(FinalFrame) if item.name != "refined"]
    return FinalFrame(**{name: getattr(original, name) for name in names})


@pytest.mark.parametrize(
    "make", [frame, lambda: final(frame()), lambda: frame(people=0), lambda: Status("running", "")]
)
def test_what_is_sound_passes_as_it_is(make):
    message, sieve = make(), Sieve()
    assert sieve.sound(message) is message and sieve.notes == []


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize("name", ["pose_axis_angle", "betas", "expression", "translation", "head_point"])
@pytest.mark.parametrize("make", [lambda message: message, final], ids=["live", "final"])
def test_a_bad_row_costs_that_person_alone(name, value, make):
    message = frame()
    getattr(message, name)[1].flat[-1] = value
    sieve = Sieve()
    kept = sieve.sound(make(message))
    assert kept.track_id.tolist() == [0, 2]
    np.testing.assert_array_equal(kept.translation, message.translation[[0, 2]])
    assert sieve.notes == ["1 times a person's values in a frame were impossible, and were left out."]


@pytest.mark.parametrize("changes", [
    *({"world_from_camera": np.full((4, 4), value)} for value in BAD),
    {"world_from_camera": np.diag([1.0, 1.0, -1.0, 1.0])}, {"world_from_camera": np.zeros((4, 4))},
    *({"principal_point_px": np.array([value, 1.0])} for value in BAD),
    *({"focal_px": value} for value in (0.0, -5.0, *BAD)),
    *({"time_s": value} for value in (-1.0, 1e308, np.nan)),
])  # fmt: skip
def test_a_bad_camera_or_time_costs_the_frame(changes):
    sieve = Sieve()
    assert sieve.sound(frame(**changes)) is None
    assert sieve.sound(frame()) is not None
    assert sieve.notes == ["1 frames with impossible values were left out."]


@pytest.mark.parametrize("value", BAD)
def test_bad_points_are_left_out(value):
    position = np.ones((4, 3), np.float32)
    position[2, 1] = value
    cloud = ScenePoints(1, True, position, np.arange(12, dtype=np.uint8).reshape(4, 3), np.arange(4, dtype=np.float32))
    sieve = Sieve()
    kept = sieve.sound(cloud)
    assert kept.confidence.tolist() == [0, 1, 3] and kept.color[2].tolist() == [9, 10, 11] and kept.replaces_all
    assert sieve.notes == ["1 scene points with impossible coordinates were left out."]


def test_other_records_are_left_out_whole():
    sieve = Sieve()
    assert sieve.sound(FocalLength(float("nan"), 0.1, "people")) is None
    assert sieve.sound(FocalLength(800.0, 0.1, "people")) is not None
    assert len(sieve.notes) == 1


@pytest.mark.parametrize(("size", "rate", "notes"), [
    ((640, 480), 29.97, 0), ((1 << 40, 480), 25.0, 1), ((640, 480), 1e300, 1), ((1 << 40, 1 << 40), 1e-9, 2),
])  # fmt: skip
def test_headers_have_limits(size, rate, notes):
    settings = CaptureSettings(source="a", take="b")
    sieve = Sieve()
    header = sieve.header(TakeHeader(PROTOCOL_VERSION, "test", size, rate, None, "m", "mannequin", settings))
    assert max(header.footage_size) <= 1 << 16 and 1e-3 <= header.frame_rate <= 1000 and len(sieve.notes) == notes


@pytest.mark.parametrize(("path", "remote", "name"), [
    ("\\\\host\\share\\clip.mp4", True, "clip.mp4"), ("//host/share/clip.mp4", True, "clip.mp4"),
    ("\\/host/x", True, "x"), ("C:\\videos\\clip.mp4", False, "clip.mp4"), ("/videos/clip.mp4", False, "clip.mp4"),
    ("clip.mp4", False, "clip.mp4"),
])  # fmt: skip
def test_paths_to_other_computers_are_known(path, remote, name):
    assert is_remote(path) == remote and name_alone(path) == name


def test_control_characters_are_spelt_out():
    assert printable("a\x1b[31m\r\x07é\nb\u202e") == "a\\x1b[31m\\r\\x07é\nb\\u202e"
