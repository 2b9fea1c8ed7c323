# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told to whoever watches: what footage is like before a run, and small images while it runs."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.capture import run_capture
from engine.contract.messages import Frame, FrameImage, Status, unpack_mask
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeReader
from engine.frame_images import LONG_SIDE, FrameImages, small, tinted
from engine.interruption import Interruption
from engine.models import spoken_name
from engine.video.reading import PreparedFrame
from tests.engine.stream.footage_files import busy_picture, write_video

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("footage") / "busy.mp4", 12, size=(320, 180), draw=busy_picture)


def probed(*arguments):
    command = [sys.executable, "-m", "engine", "probe", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_footage_is_told_with_its_first_frame(video):
    code, said, _ = probed(video, "--json")
    found = json.loads(said)
    assert code == 0 and (found["frames"], found["width"], found["height"]) == (12, 320, 180)
    assert found["frame_rate"] > 0 and max(found["image_width"], found["image_height"]) == LONG_SIDE
    rgb = np.frombuffer(base64.b64decode(found["image"]), np.uint8)
    rgb = rgb.reshape(found["image_height"], found["image_width"], 3)
    wanted = small(busy_picture(0, (320, 180))[..., ::-1])
    assert np.abs(rgb.astype(float) - wanted).mean() < 12, "another frame, or another order of rows and colors"


def test_what_is_no_footage_is_told_in_the_same_way(tmp_path):
    (tmp_path / "fake.mp4").write_bytes(b"no video")
    code, said, _ = probed(tmp_path / "fake.mp4", "--json")
    told = json.loads(said)
    assert code == 1 and told["event"] == "error" and told["code"] == "footage-unreadable" and told["remedy"]
    code, said, errors = probed(tmp_path / "absent.mp4")
    assert code == 1 and not said and "footage-missing" in errors


def test_a_run_shows_frames_that_are_in_no_take(video, tmp_path):
    told = []
    settings = CaptureSettings(
        source=str(video), take=str(tmp_path / "a.h3r"), model="recipe:small", detection_threshold=0.2, voxel_size=0.1
    )
    run_capture(settings, told.append, Interruption())
    images = [message for message in told if isinstance(message, FrameImage)]
    assert images and images[0].frame_index == 0 and max(images[0].image.shape[:2]) <= LONG_SIDE
    with TakeReader(settings.take) as reader:
        assert not any(isinstance(message, FrameImage | Status) for message in reader)
    texts = [str(message.sentence) for message in told if isinstance(message, Status)]
    assert texts[0] == "Opening busy.mp4" and "Averaging points" in texts


def test_the_last_line_names_people_frames_and_the_take(video, tmp_path):
    take = tmp_path / "a.h3r"
    command = [sys.executable, "-m", "engine", "run", video, "--take", take, "--model", "recipe:small", "--end", "3"]
    done = subprocess.run([*map(str, command), "--json"], cwd=ROOT, capture_output=True, text=True)
    people = json.loads(done.stdout)["people_count"]
    counted = "1 person" if people == 1 else f"{people} people"
    assert done.stderr.splitlines()[-1] == f"{counted}, 3 frames: {take}"


def test_people_are_tinted_and_all_else_stays():
    rgb = np.full((90, 160, 3), 90, np.uint8)
    mask = np.zeros((45, 80), bool)
    mask[:, 40:] = True
    found = tinted(rgb, mask)
    assert (found[:, :78] == 90).all() and (found[:, 82:, 0] > 130).all()
    assert (tinted(rgb, np.zeros((0, 0), bool)) == rgb).all()


def test_one_image_a_second_at_most(video, tmp_path):
    settings = CaptureSettings(source=str(video), take=str(tmp_path / "a.h3r"), model="recipe:small")
    told = []
    run_capture(settings, told.append, Interruption())
    frame = next(message for message in told if isinstance(message, Frame))
    height, width = unpack_mask(frame).shape
    prepared = PreparedFrame(0, 0.0, np.zeros((height, width, 3), np.uint8), np.zeros((4, 4), np.uint8))
    images = FrameImages(every_s=3600.0)
    assert images.of(prepared, frame) is not None and images.of(prepared, frame) is None


@pytest.mark.parametrize(
    ("name", "spoken"),
    [
        ("896L", "Human3R 896L"),
        ("/data/weights/672S.safetensors", "Human3R 672S"),
        ("landmarks", "the built-in model"),
        ("/home/me/mine.pth", "mine.pth"),
        ("recipe:small", "recipe:small"),
    ],
)
def test_models_are_called_what_people_call_them(name, spoken):
    assert spoken_name(name) == spoken
