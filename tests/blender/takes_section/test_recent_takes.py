# SPDX-License-Identifier: GPL-3.0-or-later
"""Where takes are put, the list of recent ones, and removing one from the disk."""

import json
import os
import random
from pathlib import Path

import bpy
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.capture import recent_takes, take_place
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.sections.takes import panel

from ..takes import Synthetic

human3r = bpy.ops.human3r


@pytest.fixture
def data(scene, tmp_path, monkeypatch):
    """A data folder of the test's own."""
    monkeypatch.setenv("HUMAN3R_DATA", str(tmp_path / "data"))
    recent_takes.switch_off()
    yield tmp_path / "data" / "recent-takes.json"
    recent_takes.switch_off()


@pytest.fixture
def footage(tmp_path):
    (tmp_path / "shots").mkdir()
    (tmp_path / "shots" / "walk.mp4").touch()
    return tmp_path / "shots" / "walk.mp4"


@pytest.fixture
def write(tmp_path):
    """Write a small take."""
    return lambda name, **options: Synthetic(frames=4, people=2, **options).write(tmp_path / name)


def test_takes_lie_beside_the_footage_and_beside_a_file_that_is_saved(addon, scene, footage, tmp_path):
    scene.human3r.source = str(footage)
    take = Path(scene.human3r.capture_settings().take)
    assert take.parent == footage.parent and take.name.startswith("walk-") and take.suffix == ".h3r"
    (tmp_path / "project").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "project" / "a.blend"))
    assert Path(scene.human3r.capture_settings().take).parent == tmp_path / "project"
    addon.choices.read().take_folder = str(tmp_path / "all takes")
    try:
        assert Path(scene.human3r.capture_settings().take).parent == tmp_path / "all takes"
        scene.human3r.take = str(tmp_path / "mine.h3r")
        assert Path(scene.human3r.capture_settings().take) == tmp_path / "mine.h3r"
    finally:
        addon.choices.read().take_folder = ""


def test_two_takes_of_one_second_get_two_names(scene, footage):
    first = take_place.new_take(str(footage))
    for number in range(3):  # the clock may go on in between
        take_place.new_take(str(footage)).touch()
        assert len(list(footage.parent.glob("*.h3r"))) == number + 1
    assert first.parent == footage.parent


def test_footage_that_is_gone_has_no_place_for_takes(scene, footage, tmp_path):
    folder = take_place.folder_for(str(tmp_path / "gone" / "walk.mp4"))
    assert folder.is_dir() and tmp_path not in folder.parents


def test_imports_are_listed_newest_first_with_what_is_in_them(data, write):
    first, second = write("first.h3r", source="/far/walk.mp4"), write("second.h3r", source=r"C:\far\run.mp4")
    for take in (first, second, first):
        assert human3r.import_take(filepath=str(take)) == {"FINISHED"}
    found = recent_takes.present()
    assert [(item.take, item.clip, item.frames, item.people) for item in found] == [
        (str(first), "walk.mp4", 4, 2),
        (str(second), "run.mp4", 4, 2),
    ]
    recent_takes.switch_off()  # as in another Blender
    assert recent_takes.present() == found
    assert panel.describe(found[0]).startswith("4 frames, 2 people, 20")
    assert take_place.folder_of_takes("") == first.parent
    assert take_place.browsed_first("") == f"{first.parent}{os.sep}"  # else its last part would be a file's name


def test_takes_of_one_clip_are_told_apart(data, write):
    for name in ("first.h3r", "second.h3r"):
        human3r.import_take(filepath=str(write(name, source="/far/walk.mp4")))
    human3r.import_take(filepath=str(write("third.h3r", source="/far/run.mp4")))
    found = recent_takes.present()
    assert [panel.name_of(item, found) for item in found] == ["run.mp4", "second", "first"]


def test_files_that_are_gone_are_not_shown_and_come_back(data, write):
    take = write("walk.h3r")
    human3r.import_take(filepath=str(take))
    take.rename(take.with_name("away.h3r"))
    assert recent_takes.present() == []
    take.with_name("away.h3r").rename(take)
    assert len(recent_takes.present()) == 1


def test_at_most_thirty(data, write, tmp_path):
    take = write("walk.h3r")
    for number in range(35):
        copy = tmp_path / f"{number}.h3r"
        copy.write_bytes(take.read_bytes())
        recent_takes.note(copy, "walk.mp4", 4, 2)
    assert [Path(item.take).stem for item in recent_takes.listed()] == [str(number) for number in range(34, 4, -1)]
    assert len(json.loads(data.read_text())) == 30


GOOD = {"take": "/a/b.h3r", "clip": "b.mp4", "frames": 1, "people": 1, "date": 1.0}
BAD = (
    None, 1, "x", [], {}, GOOD | {"take": "b.h3r"}, GOOD | {"take": 3}, GOOD | {"frames": -1}, GOOD | {"date": 1e300},
    GOOD | {"clip": "a\nb"}, GOOD | {"more": 1}, GOOD | {"people": 2.5}, GOOD | {"take": "/" + "x" * 9000},
)  # fmt: skip


def test_a_list_of_any_content_is_read_as_far_as_it_makes_sense(data):
    data.parent.mkdir(parents=True)
    dice = random.Random(5)
    for _ in range(50):
        items = [dice.choice(BAD) for _ in range(3)]
        data.write_text(json.dumps([*items, GOOD]))
        recent_takes.switch_off()
        assert [item.take for item in recent_takes.listed()] == ["/a/b.h3r"]
    for content in (b"", b"\xff\xfe", b"{", b'{"a": 1}', b"[" * 100_000, b"9" * 500_000):
        data.write_bytes(content)
        recent_takes.switch_off()
        assert recent_takes.listed() == []


def test_a_list_that_cannot_be_written_stops_nobody(data, write):
    data.mkdir(parents=True)
    assert human3r.import_take(filepath=str(write("walk.h3r"))) == {"FINISHED"}
    assert len(recent_takes.listed()) == 1


def test_removing_takes_the_companions_along_and_leaves_the_scene(data, write, scene, tmp_path):
    take = write("walk.h3r")
    human3r.import_take(filepath=str(take))
    for name in ("walk.h3r.resume", "walk.h3r.resume.txt", "walk2.h3r"):
        (tmp_path / name).write_bytes(b"x")
    people = len(family.people_in(scene))
    assert human3r.remove_take() == {"FINISHED"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "walk.h3r.resume.txt", "walk2.h3r"]
    assert recent_takes.listed() == [] and len(family.people_in(scene)) == people == 2


def test_what_is_no_take_or_is_being_written_is_not_removed(data, write, tmp_path):
    other = tmp_path / "letter.h3r"
    other.write_bytes(b"dear somebody")
    with pytest.raises(RuntimeError, match="is not a take"):
        human3r.remove_take(filepath=str(other))
    take = write("walk.h3r")
    Path(f"{take}.lock").touch()
    with pytest.raises(RuntimeError, match="being written"):
        human3r.remove_take(filepath=str(take))
    assert take.exists() and other.exists()
    os.utime(take, (1e9, 1e9))  # a lock that a crash left
    assert human3r.remove_take(filepath=str(take)) == {"FINISHED"}
    assert not take.exists() and not Path(f"{take}.lock").exists()


def test_the_folder_of_a_take_is_opened(data, write, tmp_path, monkeypatch):
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{opener.parent}:{os.environ['PATH']}")
    assert human3r.reveal_take(filepath=str(write("walk.h3r"))) == {"FINISHED"}
    assert (tmp_path / "opened").read_text().strip() == str(tmp_path)
    with pytest.raises(RuntimeError, match="not there any more"):
        human3r.reveal_take(filepath=str(tmp_path / "gone" / "walk.h3r"))
