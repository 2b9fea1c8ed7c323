# SPDX-License-Identifier: GPL-3.0-or-later
"""Switching the add-on on and off leaves nothing behind, and what it registers mirrors the settings."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import bpy
import pytest

from tests.waiting import HANG_S

import addon_utils  # isort: skip

EXTENSION = "bl_ext.user_default.human3r_blender"


HANDLERS = [name for name in dir(bpy.app.handlers) if isinstance(getattr(bpy.app.handlers, name), list)]


def registered(addon):
    """Everything of ours that Blender knows."""
    classes = [
        cls.__name__
        for base in (
            bpy.types.Operator,
            bpy.types.Panel,
            bpy.types.Menu,
            bpy.types.PropertyGroup,
            bpy.types.AddonPreferences,
            bpy.types.FileHandler,
        )
        for cls in base.__subclasses__()
        if EXTENSION in cls.__module__ and cls.is_registered
    ]
    handlers = [
        function.__name__
        for name in HANDLERS
        for function in getattr(bpy.app.handlers, name)
        if EXTENSION in function.__module__
    ]
    menu = [
        draw
        for kind in (
            bpy.types.TOPBAR_MT_file_import,
            bpy.types.TOPBAR_MT_file_export,
            *(getattr(bpy.types, host) for host in addon.search_menu.HOSTS),
        )
        for draw in kind._dyn_ui_initialize()
        if EXTENSION in draw.__module__
    ]
    return {
        "classes": sorted(classes),
        "handlers": handlers,
        "menu": len(menu),
        "properties": [
            item.identifier for item in bpy.types.Scene.bl_rna.properties if item.identifier.startswith("human3r")
        ],
        "presets": [path for path in bpy.utils.preset_paths("human3r") if EXTENSION.rpartition(".")[2] in path],
        "timer": bpy.app.timers.is_registered(addon.timer.pump),
    }


def test_off_leaves_nothing_and_on_again_is_the_same(addon):
    before = registered(addon)
    assert len(before["classes"]) > 10 and {"_stop_before_load", "_leave_before_undo", "_note"} <= set(
        before["handlers"]
    )
    assert before["menu"] == 5 + len(addon.search_menu.HOSTS)
    assert "human3r" in before["properties"] and len(before["presets"]) == 1
    for _ in range(2):
        addon_utils.disable(EXTENSION)
        assert registered(addon) == {
            "classes": [],
            "handlers": [],
            "menu": 0,
            "properties": [],
            "presets": [],
            "timer": False,
        }
        assert addon_utils.enable(EXTENSION, default_set=True) is not None
        assert registered(addon) == before


def test_every_setting_has_a_property_with_its_default(addon, scene, monkeypatch):
    settings = scene.human3r
    settings.source = "/videos/clip.mp4"
    made = settings.capture_settings()
    default = addon.settings.CaptureSettings(source="/videos/clip.mp4", take=made.take, model="landmarks")
    for item in fields(default):
        value = getattr(made, item.name)
        wanted = getattr(default, item.name)
        assert value == (pytest.approx(wanted, rel=1e-6) if isinstance(wanted, float) else wanted), item.name
    assert settings.import_options() == addon.builder.ImportOptions()
    reachable = settings.bl_rna.properties.keys()
    elsewhere = {"model", "body", "body_path"}
    for item in (*fields(default), *fields(addon.builder.ImportOptions)):
        assert item.name in reachable or item.name in elsewhere


def test_properties_reach_the_settings(addon, scene):
    settings = scene.human3r
    settings.source, settings.take = "/videos/clip.mp4", "/takes/clip.h3r"
    settings.start, settings.end, settings.stride, settings.frame_rate = 5, 50, 2, 25.0
    settings.model_source, settings.recipe, settings.device = "RECIPE", "small", "cpu"
    made = settings.capture_settings()
    assert (made.start, made.end, made.stride, made.frame_rate) == (5, 50, 2, 25.0)
    assert (made.take, made.model, made.device) == ("/takes/clip.h3r", "recipe:small", "cpu")
    settings.end = 3
    with pytest.raises(addon.errors.UserError) as error:
        settings.capture_settings()
    assert error.value.code == "bad-setting"


def test_every_property_explains_itself(addon, scene):
    for name, item in scene.human3r.bl_rna.properties.items():
        if name not in ("rna_type", "name"):
            assert len(item.description) > 15, name


def test_takes_go_to_the_users_folder_and_not_into_the_extension(addon, scene):
    scene.human3r.source = "/videos/shot.%04d.png"
    take = Path(scene.human3r.capture_settings().take)
    assert take.parent.is_dir() and take.suffix == ".h3r" and "%" not in take.name
    assert addon.engine_process.EXTENSION_ROOT not in take.resolve().parents


def test_a_take_that_exists_is_not_replaced(addon, scene, tmp_path):
    scene.human3r.source, scene.human3r.take = "/videos/clip.mp4", str(tmp_path / "take.h3r")
    assert scene.human3r.capture_settings().take == str(tmp_path / "take.h3r")
    (tmp_path / "take.h3r").write_bytes(b"hours of work")
    with pytest.raises(RuntimeError, match=r"already exists.*another name"):
        bpy.ops.human3r.start_capture()
    assert (tmp_path / "take.h3r").read_bytes() == b"hours of work"


def test_buttons_say_why_they_cannot_be_pressed(addon, scene):
    assert not bpy.ops.human3r.start_capture.poll() and not bpy.ops.human3r.cancel_capture.poll()
    with pytest.raises(RuntimeError, match="Choose the footage first"):
        bpy.ops.human3r.start_capture()
    scene.human3r.source = "/videos/clip.mp4"
    assert bpy.ops.human3r.start_capture.poll()


def test_starting_without_an_engine_names_the_remedy(addon, scene, monkeypatch):
    monkeypatch.delenv("HUMAN3R_ENGINE_PYTHON", raising=False)
    scene.human3r.source = "/videos/clip.mp4"
    with pytest.raises(RuntimeError, match="Preferences > Add-ons > Human3R"):
        bpy.ops.human3r.start_capture()


def test_capture_and_import_by_operator(addon, scene, stand_in, tmp_path):
    scene.human3r.source, scene.human3r.take = "/walk:12", str(tmp_path / "take.h3r")
    assert bpy.ops.human3r.start_capture() == {"FINISHED"}
    assert addon.session.current().progress.phase == "complete"
    people = [item for item in scene.objects if item.type == "ARMATURE"]
    assert len(people) == 2
    assert bpy.ops.human3r.select_person(name=people[1].name) == {"FINISHED"}
    assert bpy.context.view_layer.objects.active == people[1] and people[1].select_get()
    assert bpy.ops.human3r.bake_correctives() == {"FINISHED"}
    mesh = next(item for item in scene.objects if item.type == "MESH" and item.parent == people[1])
    assert any(key.name.startswith("Pose") for key in mesh.data.shape_keys.key_blocks)
    assert bpy.ops.human3r.import_take(filepath=str(tmp_path / "take.h3r")) == {"FINISHED"}
    assert len([item for item in scene.objects if item.type == "ARMATURE"]) == 4
    with pytest.raises(RuntimeError, match="cannot be opened"):
        bpy.ops.human3r.import_take(filepath=str(tmp_path / "absent.h3r"))


def test_people_beyond_the_most_are_asked_for(addon, scene, synthetic, tmp_path):
    take = synthetic(frames=6, people=3).write(tmp_path / "take.h3r")
    scene.human3r.most_people = 1
    assert bpy.ops.human3r.import_take(filepath=str(take)) == {"FINISHED"}
    [person] = filter(addon.family.is_person, scene.objects)
    assert "1" in addon.session.current().note and bpy.ops.human3r.import_all.poll()
    person.name = "Mine"
    take.rename(tmp_path / "away.h3r")
    with pytest.raises(RuntimeError, match="cannot be opened"):
        bpy.ops.human3r.import_all()
    assert "Mine" in scene.objects, "nothing is taken away where nothing can come"
    (tmp_path / "away.h3r").rename(take)
    assert bpy.ops.human3r.import_all() == {"FINISHED"}
    assert "Mine" not in scene.objects and sum(map(addon.family.is_person, scene.objects)) == 3
    assert not bpy.ops.human3r.import_all.poll()


def test_choosing_one_picture_means_its_sequence(addon, scene, tmp_path):
    (tmp_path / "shot.0001.png").touch()
    bpy.ops.human3r.choose_video(filepath=str(tmp_path / "shot.0001.png"))
    assert scene.human3r.source == str(tmp_path)
    bpy.ops.human3r.choose_video(filepath=str(tmp_path / "clip.mp4"))
    assert scene.human3r.source == str(tmp_path / "clip.mp4")


def test_the_check_finds_what_an_engine_lacks(addon):
    addon.engine_check.start(Path(sys.executable)).join(HANG_S)  # this Python has numpy, and no torch
    assert any("has no" in text and "torch" in text for _, text in addon.engine_check.findings())
    addon.engine_check.start(Path("/does/not/exist")).join(HANG_S)
    assert any("did not respond" in text for _, text in addon.engine_check.findings())


def test_the_manifest_is_valid(root):
    tool = Path(bpy.utils.script_paths(subdir="addons_core")[0]) / "bl_pkg" / "cli" / "blender_ext.py"
    done = subprocess.run([sys.executable, str(tool), "validate", str(root)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
