# SPDX-License-Identifier: GPL-3.0-or-later
"""Rates and times left in words, and which files a command line means."""

from pathlib import Path

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


@pytest.fixture
def folder(tmp_path):
    for name in ("b.mp4", "a.MOV", "._a.MOV", "notes.txt", "pictures/001.png", "pictures/002.png", "pictures/._c.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_a_folder_means_its_videos_and_a_folder_of_pictures_itself(addon, folder):
    find = addon.paths.find_sources
    assert find([str(folder)]) == [str(folder / "a.MOV"), str(folder / "b.mp4")]
    assert find([str(folder / "pictures")]) == [str(folder / "pictures")]
    assert find([str(folder / "shot.%04d.png")]) == [str(folder / "shot.%04d.png")]


def test_one_source_goes_to_the_file_and_several_to_a_folder(addon, folder):
    plan = addon.paths.plan_outputs
    assert plan(["/v/a.mp4"], folder / "x.blend", False) == [("/v/a.mp4", folder / "x.blend")]
    planned = plan(["/v/a.mp4", "/w/a.mp4", "/v/shot.%04d.png"], folder / "out", False)
    assert [path.name for _, path in planned] == ["a.blend", "a-2.blend", "shot.blend"]
    with pytest.raises(addon.errors.UserError) as error:
        plan(["/v/a.mp4", "/v/b.mp4"], folder / "x.blend", False)
    assert error.value.code == "output-not-folder"


def test_existing_files_are_not_replaced_unasked(addon, folder):
    (folder / "x.blend").touch()
    with pytest.raises(addon.errors.UserError) as error:
        addon.paths.plan_outputs(["/v/a.mp4"], folder / "x.blend", False)
    assert error.value.code == "output-exists"
    assert addon.paths.plan_outputs(["/v/a.mp4"], folder / "x.blend", True)[0][1] == folder / "x.blend"


def test_relative_names_become_absolute(addon, folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert addon.paths.find_sources(["b.mp4"]) == [str(folder / "b.mp4")]
    assert addon.paths.plan_outputs(["b.mp4"], Path("x.blend"), False)[0][1] == folder / "x.blend"
