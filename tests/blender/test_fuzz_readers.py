# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged files that the add-on itself reads: presets, notes of installations, properties out of .blend files."""

import json
from pathlib import Path

import bpy
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
from bl_ext.user_default.human3r_blender.engine.installed.locations import DATA_VARIABLE
from bl_ext.user_default.human3r_blender.human3r_blender.capture import preset_files, setting_presets
from bl_ext.user_default.human3r_blender.human3r_blender.rigs import presets, rig_map
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget import matched_pose
from bl_ext.user_default.human3r_blender.human3r_blender.setup import self_test_record
from bl_ext.user_default.human3r_blender.human3r_blender.setup.installation import recorded
from bl_ext.user_default.human3r_blender.human3r_blender.setup.installation.store import Store

from tests.fuzzing import Reader, attack

pytestmark = pytest.mark.fuzz

BONES = ["hips", "mixamorig:Hips", "c_root_master.x", "a" * 60, "spine_fk.001"]
SETTINGS = (Path(setting_presets.__file__).parent / "presets" / "human3r" / "Best_Quality.py").read_bytes()
INSTALLED = {
    "format": 1, "environment": "e1", "kind": "cpu", "lock": "x", "python": "3.11.4", "installed_at": "2026-01-01",
    "versions": {"torch": "2.1"}, "size_bytes": 5,
}  # fmt: skip
SELF_TEST = {"python": "/p", "passed": True, "detail": "12 frames per second", "device": "cpu"}


def rig_preset(path):
    """Read it as the list of rigs does, and look a rig's bones up."""
    presets._read.cache_clear()  # files change here more often than their times do
    preset = presets.read(path)
    preset.describe()
    rig_map.share_found(preset, BONES)
    rig_map.resolve(preset, BONES)
    json.dumps(presets.as_json(preset)).encode()


def settings_preset(path):
    """Read it, and set what it holds."""
    settings = bpy.context.scene.human3r
    setting_presets._use(preset_files.read(path), settings, path.name)
    settings.import_options()


def list_of_bones(path):
    settings = bpy.context.scene.human3r_retarget
    settings.base = path.read_bytes().decode("latin-1").replace("\0", "?")
    settings.rig()


def kept_pose(path):
    item = bpy.data.objects.get("kept") or bpy.data.objects.new("kept", None)
    item[matched_pose.PROPERTY] = path.read_bytes()
    if b"\0" not in path.read_bytes():
        item[matched_pose.PROPERTY] = path.read_bytes().decode("latin-1")
    matched_pose._kept(item)


READERS = [
    *(Reader(f"rig preset {path.stem}", "mine.json", path.read_bytes(), rig_preset, (UserError,))
      for path in sorted(presets.SHIPPED.glob("*.json"))),
    Reader("settings preset", "mine.py", SETTINGS, settings_preset, (UserError,)),
    Reader("list of bones", "a.json", (presets.SHIPPED / "rigify.json").read_bytes(), list_of_bones, (UserError,)),
    Reader("matched pose", "a.json", b'{"hips": [1, 0, 0, 0], "knee": [0.5, 0.5, 0.5, 0.5]}', kept_pose, (UserError,)),
    Reader("installed.json", "engine/installed.json", json.dumps(INSTALLED).encode(),
           lambda path: Store(path.parents[1]).read_manifest()),
    Reader("engine-folder.json", "engine-folder.json", b'{"format": 1, "folder": "/x/y"}',
           lambda path: Store(path.parent).home),
    Reader("engine-records.json", "engine-records.json", b'{"torch cpu": {"torch==2.1": "2.1 sha256:0"}}',
           lambda path: recorded.check_or_record(path, "torch cpu", {"torch": "2.1 sha256:0"}), (UserError,)),
    Reader("self-test.json", "self-test.json", json.dumps(SELF_TEST).encode(),
           lambda _: self_test_record.read(Path("/p"))),
]  # fmt: skip
"""A line for each reader."""


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_damaged_files(reader, scene, tmp_path, monkeypatch):
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    attack(reader, tmp_path, 60, seed=len(reader.name))
