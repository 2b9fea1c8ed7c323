# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage plays in true time: NTSC rates, strides, variable frame rates, scenes with a rate of their own."""

import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes, timing


@pytest.mark.parametrize(
    ("rate", "fps", "base"),
    [(25.0, 25, 1.0), (30.0, 30, 1.0), (30000 / 1001, 30, 1.001), (29.97, 30, 1.001), (24000 / 1001, 24, 1.001),
     (23.976, 24, 1.001), (59.94, 60, 1.001), (119.88, 120, 1.001), (12.5, 13, 1.04), (0.5, 1, 2.0)],
)  # fmt: skip
def test_rates_as_blender_stores_them(scene, rate, fps, base):
    timing.set_scene_rate(scene, rate)
    assert scene.render.fps == fps
    assert scene.render.fps_base == pytest.approx(base, rel=1e-6)
    assert timing.rate_for(scene, None) == pytest.approx(timing.rate_for(scene, rate), rel=1e-6)


def camera_frames(made):
    return keyframes.read(keyframes.curves(made.camera)["location", 0])[0]


def test_keys_of_an_ntsc_video_lie_on_whole_frames_to_the_end(scene, synthetic, build):
    count = 3000
    made = build(synthetic(frames=count, people=0, points=0, rate=30000 / 1001))
    np.testing.assert_array_equal(camera_frames(made), np.arange(1, count + 1))
    assert (scene.frame_start, scene.frame_end) == (1, count)


def test_a_stride_and_a_later_start_keep_true_time(scene, synthetic, build):
    times = (40 + 3 * np.arange(5)) / 25
    made = build(synthetic(frames=5, people=1, rate=25.0, times=times))
    np.testing.assert_array_equal(camera_frames(made), [41, 44, 47, 50, 53])
    assert (scene.frame_start, scene.frame_end) == (41, 53)


def test_a_variable_frame_rate_is_kept_between_frames(scene, synthetic, build):
    times = np.array([0.0, 0.033, 0.0834, 0.1, 0.15])
    made = build(synthetic(frames=5, people=1, rate=30.0, times=times))
    frames = camera_frames(made)
    np.testing.assert_allclose(frames, [1, 2, 1 + 0.0834 * 30, 4, 1 + 0.15 * 30], atol=1e-5)
    assert scene.frame_end == 6


def test_a_scene_with_a_rate_of_its_own_keeps_it(scene, synthetic, build):
    scene.render.fps, scene.render.fps_base = 24, 1.0
    scene.render.resolution_x, scene.frame_end = 123, 77
    made = build(synthetic(frames=31, people=1, rate=30.0), set_scene_timing=False)
    np.testing.assert_allclose(camera_frames(made), 1 + np.arange(31) * 0.8, atol=0.1)
    assert camera_frames(made)[-1] == 25
    assert (scene.render.fps, scene.render.resolution_x, scene.frame_end) == (24, 123, 77)


def test_frames_ascend_however_close_the_timestamps_are():
    previous = None
    frames = []
    for time_s in (0.0, 0.001, 0.002, 1 / 30, 1 / 30 + 0.001):
        previous = timing.scene_frame(time_s, 30.0, previous)
        frames.append(previous)
    assert (np.diff(frames) > 0).all()
    np.testing.assert_allclose(frames, [1.0, 1.03, 1.06, 2.0, 2.03])
