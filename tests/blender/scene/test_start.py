# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in the scene a take lands."""

import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder
from bl_ext.user_default.human3r_blender.human3r_blender.scene.import_options import ImportOptions


@pytest.mark.parametrize(("start_at", "set_timing", "expected"), [
    ("auto", True, 1), ("auto", False, 1001), ("first", False, 1), ("first", True, 1), ("scene", True, 1001),
    ("scene", False, 1001),
])  # fmt: skip
def test_the_first_picture_lies_where_it_is_asked_for(scene, synthetic, start_at, set_timing, expected):
    scene.frame_start, scene.frame_end, scene.render.fps = 1001, 1100, 25
    take = synthetic(frames=6)
    options = ImportOptions(start_at=start_at, set_scene_timing=set_timing, ground="off", clean=0.0)
    made = scene_builder.SceneBuilder(scene, take.header, options)
    for message in take.messages():
        made.add(message)
    made.finish()
    made.work()
    for item in (made.camera, *(item for item in scene.objects if item.type == "ARMATURE")):
        curves = [curve for curve in keyframes.curves(item).values() if len(curve.keyframe_points)]
        assert min(keyframes.read(curve)[0][0] for curve in curves) == expected, item.name
    assert scene.frame_start == (expected if set_timing else 1001)
    assert scene.frame_end == (made.latest_frame if set_timing else 1100)
