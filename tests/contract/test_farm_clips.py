# SPDX-License-Identifier: GPL-3.0-or-later
"""Clips of a farm's job: which are meant, what their takes are called, and which of them one task does."""

import json

import pytest

from engine.contract.errors import UserError
from engine.farm.clips import Clip, clips_of, grouped, read_tasks, safe_name, write_tasks

HARD = ("plain", "sp ace", "Größe 'q' \"d\"", "$(rm -rf x); `y` & | > <", "-dash", "%s {x} {{y}}", "日本", "con", "!!!")


@pytest.fixture
def folder(tmp_path):
    for name in HARD:
        (tmp_path / f"{name}.mp4").write_bytes(b"x")
    return tmp_path


def test_names_of_takes_are_harmless_everywhere(folder):
    clips = clips_of([str(folder)])
    assert len(clips) == len(HARD) and all((folder / clip.source).is_file() for clip in clips)
    names = {clip.name for clip in clips}
    assert len({name.casefold() for name in names}) == len(HARD)
    assert {"plain", "sp_ace", "Größe_q_d", "rm_-rf_x_y", "dash", "s_x_y", "日本", "con_", "clip"} == names
    for name in names:
        assert name == safe_name(name) and not set(name) & set(" '\"$`;&|<>{}()%/\\*?\n")


def test_equal_names_are_told_apart_by_their_folders_and_keep_them(tmp_path):
    paths = [tmp_path / shot / "plate.mov" for shot in ("010", "020", "030/left", "040/left")]
    for path in paths:
        path.parent.mkdir(parents=True)
        path.touch()
    names = [clip.name for clip in clips_of(map(str, paths))]
    assert names == ["010_plate", "020_plate", "030_left_plate", "040_left_plate"]
    assert [clip.name for clip in clips_of([str(paths[1]), str(paths[0])])] == ["020_plate", "010_plate"]
    for name in ("a b.mp4", "a_b.mp4"):
        (tmp_path / name).touch()
    assert len({clip.name for clip in clips_of([str(tmp_path / name) for name in ("a b.mp4", "a_b.mp4")])}) == 2


@pytest.mark.parametrize("name", ["line\nbreak.mp4", "bell\a.mp4", "half\udce4.mp4"])
def test_names_that_cannot_be_passed_on_are_refused_with_a_reason(tmp_path, name):
    with pytest.raises(UserError, match="bad-name") as caught:
        clips_of([str(tmp_path / name)])
    caught.value.message.encode("utf-8")


def test_what_is_not_there_or_given_twice_is_told_before_a_farm_works(folder):
    for given, code in (
        ([], "no-clips"),
        ([str(folder / "missing.mp4")], "footage-missing"),
        ([str(folder), str(folder / "plain.mp4")], "clip-twice"),
        ([str(folder / "none" / "shot.%04d.png")], "footage-missing"),
    ):
        with pytest.raises(UserError, match=code):
            clips_of(given)
    assert clips_of([str(folder / "shot.####.png")])[0].name == "shot"


def test_short_clips_share_a_task_and_long_ones_have_their_own(tmp_path):
    clips = []
    for number, size in enumerate([1_000] * 10 + [70_000_000, 1_000, 40_000_000, 40_000_000]):
        path = tmp_path / f"{number}.mp4"
        with path.open("wb") as file:
            file.truncate(size)
        clips.append(Clip(str(path), path.stem))
    assert [len(task) for task in grouped(clips)] == [8, 2, 1, 2, 1]
    assert [len(task) for task in grouped(clips, 3)] == [3, 3, 3, 3, 2]
    assert [clip for task in grouped(clips) for clip in task] == clips


def test_the_list_is_read_as_it_was_written_and_with_suspicion(tmp_path, folder):
    path, tasks = tmp_path / "clips.json", grouped(clips_of([str(folder)]), 2)
    write_tasks(path, tasks)
    assert read_tasks(path) == tasks
    for content in (
        "no json",
        json.dumps({"format": 2, "tasks": []}),
        json.dumps({"format": 1, "tasks": [[["a.mp4"]]]}),
        json.dumps({"format": 1, "tasks": [[["a.mp4", "../../etc/passwd"]]]}),
        json.dumps({"format": 1, "tasks": [[["a.mp4", "a b"]]]}),
    ):
        path.write_text(content)
        with pytest.raises(UserError, match="list-unreadable"):
            read_tasks(path)
