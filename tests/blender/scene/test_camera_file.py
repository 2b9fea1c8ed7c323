# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera of Blender, or of a file that Blender imports, arrives in a capture as it moves."""

import addon_utils
import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.camera_files import read_camera_file
from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
from bl_ext.user_default.human3r_blender.human3r_blender.batch import camera_option
from bl_ext.user_default.human3r_blender.human3r_blender.scene import camera_file
from mathutils import Euler, Vector

SIZE, FIRST, COUNT, RATE = (640, 360), 11, 24, 30
FBX = {"bake_anim_use_all_actions": False, "bake_anim_use_nla_strips": False}
"""One motion, as other programs write it."""


@pytest.fixture
def filmed(scene, monkeypatch, tmp_path):
    """A camera under a moving, turned parent, and its poses (T, 4, 4) in OpenCV axes, each relative to the first."""
    monkeypatch.setenv("HUMAN3R_DATA", str(tmp_path / "data"))
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.render.fps, scene.render.fps_base = RATE, 1.0
    scene.frame_start, scene.frame_end = FIRST, FIRST + COUNT - 1
    item = bpy.data.objects.new("Solved", bpy.data.cameras.new("Solved"))
    holder = bpy.data.objects.new("Holder", None)
    for one in (item, holder):
        scene.collection.objects.link(one)
    item.parent, item.data.lens, scene.camera = holder, 35.0, item
    for frame in range(FIRST, FIRST + COUNT):
        share = (frame - FIRST) / COUNT
        item.location, item.rotation_euler = Vector((share, 2 - share, 1.5)), Euler((1.4, 0.1 * share, 0.8 * share))
        holder.location, holder.rotation_euler = Vector((0, 0.3 * share, 0)), Euler((0, 0, 0.2))
        for one in (item, holder):
            one.keyframe_insert("location", frame=frame)
            one.keyframe_insert("rotation_euler", frame=frame)
    poses = []
    for frame in range(FIRST, FIRST + COUNT):
        scene.frame_set(frame)
        poses.append(np.array(item.matrix_world) @ np.diag([1, -1, -1, 1]))
    return item, relative(np.array(poses))


def relative(poses):
    return np.linalg.inv(poses[0]) @ poses


def check(path, expected, rate=RATE, atol=1e-4):
    camera = read_camera_file(path)
    found = np.array([camera.pose(row, row / rate) for row in range(COUNT)])
    np.testing.assert_allclose(relative(found), expected, atol=atol)
    assert camera.focal_px(SIZE) == pytest.approx(35.0 / 36.0 * SIZE[0], rel=1e-4)
    assert camera.focal_px((1280, 720)) == pytest.approx(35.0 / 36.0 * 1280, rel=1e-4)


def test_the_scenes_camera_is_known_as_it_moves(scene, filmed):
    item, expected = filmed
    before, objects = scene.frame_current, set(bpy.data.objects)
    path = camera_file.write(item, scene)
    check(path, expected)
    assert scene.frame_current == before and set(bpy.data.objects) == objects and len(bpy.data.scenes) == 1
    assert camera_file.write(item, scene) == path, "the same camera is the same file"


def test_the_button_chooses_it(scene, filmed):
    scene.human3r.fixed_camera = True
    assert bpy.ops.human3r.use_scene_camera() == {"FINISHED"}
    assert not scene.human3r.fixed_camera
    scene.human3r.source = "/clips/walk.mp4"
    check(scene.human3r.capture_settings().camera_file, filmed[1])


def exported(path, item):
    """The camera in a file of another program."""
    bpy.ops.object.select_all(action="DESELECT")
    item.select_set(True)
    item.parent.select_set(True)
    if path.suffix == ".fbx":
        addon_utils.enable("io_scene_fbx")
        bpy.ops.export_scene.fbx(filepath=str(path), use_selection=True, bake_anim_simplify_factor=0.0, **FBX)
    elif path.suffix == ".blend":
        bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    else:
        bpy.ops.wm.usd_export(filepath=str(path), selected_objects_only=True, export_animation=True)


@pytest.mark.parametrize("name", ["solve.fbx", "solve.usdc", "solve.blend"])
def test_files_that_blender_reads(filmed, tmp_path, name):
    item, expected = filmed
    exported(tmp_path / name, item)
    check(camera_option.readable(str(tmp_path / name)), expected, atol=2e-3)


def test_files_without_one_camera_say_so(filmed, tmp_path):
    other = bpy.data.objects.new("Another", bpy.data.cameras.new("Another"))
    bpy.context.scene.collection.objects.link(other)
    bpy.context.scene.camera = None
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "two.blend"), copy=True)
    (tmp_path / "text.fbx").write_text("no FBX")
    for name, word in (("two.blend", "Another"), ("text.fbx", "cannot be used"), ("gone.usd", "no such file")):
        with pytest.raises(UserError) as told:
            camera_option.readable(str(tmp_path / name))
        assert told.value.code == "camera-file-unreadable" and word in str(told.value.message)


def test_other_files_are_left_to_the_engine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert camera_option.readable("") == "" and camera_option.readable("a.npz") == str(tmp_path / "a.npz")
