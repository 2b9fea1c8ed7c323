# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets that users saved with an earlier version are found where they lie, and give the same values."""

import shutil
from pathlib import Path

import bpy

from tests.fixtures import registered


def test_a_preset_of_settings(written, known):
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    settings = bpy.context.scene.human3r
    settings.source = "/videos/clip.mp4"
    folder = Path(bpy.utils.user_resource("SCRIPTS", path="presets/human3r", create=True))
    mine = Path(shutil.copy(written / "settings_preset.py", folder / "Mine.py"))
    assert folder in map(Path, bpy.utils.preset_paths("human3r"))
    assert registered.values(settings, list(known["settings_preset"])) != known["settings_preset"]
    assert bpy.ops.human3r.use_preset(filepath=str(mine)) == {"FINISHED"}
    assert registered.values(settings, list(known["settings_preset"])) == known["settings_preset"]
    assert settings.source == "/videos/clip.mp4"
    assert bpy.ops.human3r.add_preset(name="Mine", remove_name=True) == {"FINISHED"} and not mine.exists()


def test_a_preset_of_a_rig(opened, known):
    settings = opened.human3r_retarget
    settings.preset = "NAMES"
    by_names = {row.key: row.bone for row in settings.rows if row.bone}
    settings.preset = known["scene"]["rig_preset"]
    assert {row.key: row.bone for row in settings.rows if row.bone} == known["scene"]["rig_rows"] != by_names
