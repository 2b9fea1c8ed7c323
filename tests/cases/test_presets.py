# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged files among the user's rig presets: skipped with a note, and everything else works."""

import shutil

import pytest

from ..blender.retarget.test_hostile_presets import assert_works, mine  # noqa: F401


@pytest.mark.parametrize("number", ["0-1", "2-1", "3-1"])
def test_a_case(scene, mine, shared, number):  # noqa: F811
    shutil.copy(shared / "cases" / "presets" / f"preset-{number}.bin", mine / "Broken.json")
    assert_works(scene, 1)


def test_all_of_them(scene, mine, shared):  # noqa: F811
    files = sorted((shared / "cases" / "presets").glob("*.bin"))
    for number, path in enumerate(files):
        shutil.copy(path, mine / f"Broken {number}.json")
    assert files and not assert_works(scene, len(files))
