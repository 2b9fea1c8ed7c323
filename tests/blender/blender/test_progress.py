# SPDX-License-Identifier: GPL-3.0-or-later
"""Rates and times left in words."""

import pytest


def test_rate_and_time_left_follow_the_recent_frames(addon):
    progress = addon.progress.Progress(frames_total=100)
    assert progress.rate is None and progress.seconds_left is None and progress.describe() == "0 of 100 frames"
    for index in range(40):  # slow at first, then ten a second: the slow start is forgotten
        progress.frame_arrived(5.0 * index if index < 5 else 20.0 + 0.1 * index)
    assert progress.rate == pytest.approx(10.0) and progress.seconds_left == pytest.approx(6.0)
    assert progress.fraction == 0.4 and progress.describe() == "40 of 100 frames, 10.0 per second, 6 s left"
    progress.phase = "complete"
    assert progress.is_over and progress.describe() == "40 of 100 frames, 10.0 per second"


def test_footage_of_unknown_length_has_no_time_left(addon):
    progress = addon.progress.Progress()
    for index in range(3):
        progress.frame_arrived(4.0 * index)
    assert progress.fraction == 0 and progress.describe() == "3 frames, 4.0 s each"


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (365, "6 min 5 s"), (7380, "2 h 3 min")])
def test_durations(addon, seconds, text):
    assert addon.progress.format_duration(seconds) == text
