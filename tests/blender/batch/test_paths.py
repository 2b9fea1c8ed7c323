# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files a command line means."""

from pathlib import Path

import pytest


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
    planned = plan(["/v/a.mp4", "/v/shot.%04d.png", "/v/aux.mp4"], folder / "out", False)
    assert [path.name for _, path in planned] == ["a.blend", "shot.blend", "aux_.blend"]
    with pytest.raises(addon.errors.UserError) as error:
        plan(["/v/a.mp4", "/v/b.mp4"], folder / "x.blend", False)
    assert error.value.code == "output-not-folder"


@pytest.mark.parametrize("second", ["/w/a.mp4", "/v/A.mp4", "/v/a.mov", "/v/a.mp4"])
def test_two_sources_for_one_output_are_refused(addon, folder, second):
    with pytest.raises(addon.errors.UserError) as error:
        addon.paths.plan_outputs(["/v/a.mp4", second], folder / "out", True)
    assert error.value.code == "output-twice" and "a.mp4" in error.value.message


def test_names_that_no_file_can_have_are_no_folders(addon, folder):
    for name in ("x" * 300, "nul\0", "line\nbreak"):
        assert addon.paths.find_sources([name]) == [str(Path.cwd() / name)]
        addon.paths.plan_outputs([name], folder / "out", False)


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
