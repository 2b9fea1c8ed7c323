# SPDX-License-Identifier: GPL-3.0-or-later
"""The installation under Windows' rules for files (`tests/windows_semantics.py`), and where the engine goes there."""

import json
import os
import sys
import threading
from pathlib import Path

import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import data_folder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="stands in for Windows on Linux alone")
LONGEST = 167


@pytest.fixture
def local(tmp_path, monkeypatch):
    """The folder for this user's programs."""
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "Local"))
    return tmp_path / "Local"


def deep(folder, characters):
    """A folder below whose path has so many characters."""
    path = folder / ("d" * (characters - len(str(folder)) - 1))
    assert len(str(path)) == characters
    return path


def limit(world, longest):
    """Have the locks say that paths matter on this system."""
    sizes = {"base.txt": {"linux-x86_64": 1000}, "longest_path": {"linux-x86_64": longest}}
    (world.locks / "sizes.json").write_text(json.dumps(sizes))


def test_installs_updates_and_removes(world, windows):
    assert world.run().state == "done"
    first = world.status()
    with open(world.data / "engine" / "installed.json") as reader:  # a scanner looks at it for a moment
        closing = threading.Timer(0.5, reader.close)
        world.lock(tiny="2.0")
        closing.start()
        work = world.run(world.plan(action="update"))
    assert work.state == "done", work.error
    assert world.status().manifest.versions["tiny"] == "2.0" and not first.python.exists()
    work = world.run(world.plan(action="remove"))
    assert work.state == "done" and world.status().state == "absent", work.error
    assert not (world.data / "engine" / "environments").exists() and not (world.data / "cache" / "uv").exists()


def test_what_is_in_use_is_told_and_goes_the_next_time(world, windows):
    world.run()
    used = next((world.data / "engine" / "environments").rglob("lib.bin"))
    with open(used):
        work = world.run(world.plan(action="remove"))
        assert work.error.code == "files-in-use" and used.exists()
    assert world.run(world.plan(action="remove")).state == "done" and not used.exists()


def test_environments_with_long_paths_are_measured_and_removed(modules, tmp_path, windows):
    folder = deep(tmp_path, 200) / "environments"
    long_path = modules.store.long_path
    os.makedirs(long_path(folder / ("n" * 60)))
    with open(long_path(folder / ("n" * 60) / "licence"), "w") as file:
        file.write("12345")
    assert modules.store.tree_bytes(folder) == 5
    assert modules.store.remove_tree(folder) and not os.path.lexists(long_path(folder))


def test_damage_is_looked_for_in_files_with_long_paths(modules, tmp_path, windows):
    place = deep(tmp_path, 200)
    long_path = modules.store.long_path
    inside = f"{'n' * 60}/licence"
    os.makedirs(long_path(place / "tiny-1.0.dist-info"))
    os.makedirs(long_path(place / ("n" * 60)))
    for name, content in (
        ("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"),
        ("tiny-1.0.dist-info/RECORD", f"{inside},sha256=WZRHGrsBESr8wYFZ9sx0tPURuZgG2lmzyvWpwXPKz8U,5\n"),
        (inside, "12345"),
    ):
        with open(long_path(place / name), "w") as file:
            file.write(content)
    assert modules.integrity.damaged_packages(place) == []


def test_where_paths_would_be_too_long_the_engine_goes_to_a_short_folder_and_says_so_first(world, local, windows):
    limit(world, 110)  # not LONGEST: a folder for tests is long itself
    world.data = deep(world.data, 150)
    plan = world.plan()
    short = plan.whereabouts.folder
    assert short.parent == local / "h3r" and not short.exists() and not world.data.exists()
    told = [line for line in plan.describe() if str(short) in line]
    assert len(told) == 2 and str(world.data) in told[1] and "255" in told[1]
    assert world.run(plan).state == "done"
    found = world.status()
    assert found.state == "ready" and found.python.is_relative_to(short) and any((short / "c").iterdir())
    assert not (world.data / "engine").exists() and not (world.data / "cache").exists()
    assert world.run(world.plan(action="repair")).state == "done" and world.status().python.is_relative_to(short)
    assert world.run(world.plan(action="remove")).state == "done" and world.status().state == "absent"
    assert not (short / "e").exists() and not (short / "c").exists()


def test_an_engine_that_is_installed_stays_where_it_is(world, local):
    world.run()
    before = world.status().python
    limit(world, 4000)
    assert world.plan(action="update").whereabouts.folder == world.data and not world.plan().whereabouts.notes
    assert world.run(world.plan(action="update")).state == "done"
    assert world.status().python.parents[2] == before.parents[2]


def test_a_name_that_leaves_no_room_anywhere_is_told(world, local):
    limit(world, 4000)
    (note,) = world.plan().whereabouts.notes
    assert "HUMAN3R_DATA" in note and "may fail" in note


@pytest.mark.parametrize(
    "note", ["", "[]", '{"folder": 5}', '{"folder": "here"}', '{"folder": "//host/share"}', "[" * 100_000]
)
def test_a_note_that_names_no_folder_does_not_count(modules, tmp_path, note):
    (tmp_path / "engine-folder.json").write_text(note)
    assert modules.store.Store(tmp_path).engine == tmp_path / "engine"


def test_the_locks_say_how_long_paths_are_and_the_usual_folder_is_too_long_for_them(modules, monkeypatch):
    locks = modules.locks.Locks(modules.builds.BUILDS["windows", "x86_64"][0])
    longest = locks.longest_path("windows", "x86_64")
    assert longest == LONGEST and locks.longest_path("linux", "x86_64") == 0
    whereabouts = modules.whereabouts
    usual = "/" * 51 + "Blender Foundation/Blender/5.0/extensions/.user/user_default/human3r_blender"
    assert whereabouts.characters(modules.store.Store(Path("C:") / usual.lstrip("/")), longest) > 259
    shortest = r"C:\Users\seventeen-letters\AppData\Local\h3r\1a2b"
    assert whereabouts.characters(modules.store.Store(Path("x"), Path(shortest)), longest) <= 255


def test_blender_from_the_microsoft_store_keeps_its_data_where_other_programs_see_it(tmp_path):
    own, home = tmp_path / "extension", tmp_path / "home"
    store = r"C:\Program Files\WindowsApps\BlenderFoundation.Blender_5.0.0.0_x64__ppwjx1n5r4v9t\Blender\blender.exe"
    own.mkdir()
    assert data_folder.chosen(r"C:\Program Files\Blender Foundation\Blender 5.0\blender.exe", own, home) == own
    assert data_folder.chosen(store, own, home) == home / "Human3R"
    (own / "engine").mkdir()
    (own / "engine" / "installed.json").write_text("{}")
    assert data_folder.chosen(store, own, home) == own
