# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes that somebody damaged or made up: sound frames arrive, the rest is counted, and the scene stays whole."""

import dataclasses

import bpy
import numpy as np
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder
from bl_ext.user_default.human3r_blender.human3r_blender.scene.import_options import ImportOptions


def assert_whole(scene):
    for block in (*bpy.data.objects, *bpy.data.cameras, *bpy.data.shape_keys):
        for curve in keyframes.curves(block).values():
            assert np.isfinite(keyframes.read(curve)[1]).all(), (block.name, curve.data_path)
    for mesh in bpy.data.meshes:
        points = np.empty(3 * len(mesh.vertices), np.float32)
        mesh.vertices.foreach_get("co", points)
        assert np.isfinite(points).all(), mesh.name
    assert 1 <= scene.render.fps <= 1000 and scene.render.resolution_x <= 1 << 16


def test_people_beyond_the_most_are_counted(scene, synthetic):
    take = synthetic(frames=3)
    made = scene_builder.SceneBuilder(scene, take.header, ImportOptions(most_people=2, ground="off", clean=0.0))
    for message in take.messages():
        if hasattr(message, "track_id"):
            message = dataclasses.replace(message, track_id=message.track_id + 10 * message.index)
        made.add(message)
    made.finish()
    made.work()
    assert sum(item.type == "ARMATURE" for item in scene.objects) == 2
    [note] = made.notes
    assert "first 2" in note and "Most People" in note


def test_names_and_paths_of_others(scene, synthetic, tmp_path):
    take = synthetic(frames=2)
    letter = tmp_path / "letter.npz"
    letter.write_text("no body")
    settings = dataclasses.replace(take.header.settings, source="\\\\host\\share\\shot 7.mp4", body=str(letter))
    header = dataclasses.replace(
        take.header, settings=settings, body="mine.npz", person_names=((0, "An\x1b[31mna\n"), (1, "Bo"))
    )
    made = scene_builder.SceneBuilder(scene, header, ImportOptions(ground="off", clean=0.0), is_foreign=True)
    for message in take.messages():
        made.add(message)
    made.finish()
    made.work()
    assert made.root.name == "shot 7" and made.header.settings.source == "shot 7.mp4"
    names = [item.name for item in scene.objects if item.type == "ARMATURE"]
    assert all(name.isprintable() for name in names)
    assert "mine.npz" in made.warning, "people are shown with another body"
