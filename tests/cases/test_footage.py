# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage as users have it, converted by the command line as they do it: frames, their times, and what is said."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.messages import Frame
from bl_ext.user_default.human3r_blender.engine.contract.take import TakeReader

MODEL = ("--model", "recipe:small", "--device", "cpu", "--body", "mannequin")


@pytest.fixture
def converted(shared, run_command, tmp_path):
    """What converting one of the cases gives: the command's end, the take's times, and the first background."""

    def convert(name):
        take, blend = tmp_path / "a.h3r", tmp_path / "a.blend"
        where = ("--output", blend, "--take", take)
        done = run_command("convert", shared / "cases" / "footage" / name, *where, *MODEL)
        if done.code:
            return done, None, None
        with TakeReader(take) as reader:
            times = np.array([message.time_s for message in reader if isinstance(message, Frame)])
        bpy.ops.wm.open_mainfile(filepath=str(blend), load_ui=False)
        (camera,) = [item for item in bpy.context.scene.objects if item.type == "CAMERA"]
        (shown,) = camera.data.background_images
        background = (shown.clip or shown.image).filepath
        assert not any(word in done.errors for word in ("damage", "incomplete", "Traceback")), done.errors
        return done, times, background

    return convert


@pytest.mark.parametrize(
    "name, count, rate", [("hflip.mp4", 9, 18), ("timelapse.mp4", 10, 0.5), ("trimmed_editlist.mp4", 75, 30)]
)
def test_videos_are_complete_and_have_their_own_times(converted, name, count, rate):
    done, times, _ = converted(name)
    assert done.code == 0 and len(times) == count
    np.testing.assert_allclose(times - times[0], np.arange(count) / rate, atol=1e-3)
    assert scene_rate() == pytest.approx(rate)


def test_a_recording_of_a_browser_has_the_rate_of_its_timestamps(converted):
    """Which come as the browser has time: none is a thousandth after another."""
    _, times, _ = converted("browser_recording.webm")
    assert len(times) == 30 and scene_rate() == pytest.approx(30)
    steps = np.diff(times)
    assert steps.min() > 1 / 60 and steps.max() < 1 / 15 and np.mean(steps) == pytest.approx(1 / 30, rel=0.1)


def scene_rate():
    render = bpy.context.scene.render
    return render.fps / render.fps_base


def test_companions_are_no_pictures(converted):
    done, times, background = converted("apple")
    assert done.code == 0 and len(times) == 4 and background.endswith("0001.jpg") and "._" not in background


def test_gaps_keep_the_times_of_their_numbers(converted):
    _, times, _ = converted("gap")
    steps = np.round((times - times[0]) / (times[1] - times[0])).astype(int)
    assert steps.tolist() == [0, 1, 2, 3, 8, 9, 10, 11]


def test_numbers_without_zeros_count(converted):
    _, times, background = converted("unpadded")
    assert len(times) == 8 and (np.diff(times) > 0).all() and background.endswith("a_8.jpg")


def test_masks_are_no_frames(converted):
    done, times, _ = converted("masks")
    if done.code:
        assert "frame_" in done.errors and "mask" in done.errors
    else:
        assert len(times) == 4
