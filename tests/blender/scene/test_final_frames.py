# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pass over the whole clip found stands in the scene at the end, whatever was written while the take arrived."""

import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.messages import Frame, TakeEnd
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_NAMES
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import versions
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder


def build(scene, live, final, works, **options):
    """`live` arrives frame by frame, then `final` replaces it; `works` between the messages, as a capture does."""
    options = {"ground": "off", "clean": 0.0} | options
    made = scene_builder.SceneBuilder(scene, live.header, scene_builder.ImportOptions(**options))
    for message in live.messages():
        if isinstance(message, TakeEnd):
            for index in range(final.frames):
                made.add(final.final(index))
        made.add(message)
        if works and isinstance(message, Frame):
            made.work(1.0)
    made.finish()
    assert made.work() is False
    return made


@pytest.mark.parametrize("works", [False, True])
@pytest.mark.parametrize("clean", [0.0, 0.5])
def test_people_and_camera_end_where_the_final_pass_puts_them(scene, synthetic, go_to, armatures, body, works, clean):
    live, final = synthetic(frames=12, people=2, seed=1), synthetic(frames=12, people=2, seed=2)
    final.absent = live.absent
    made = build(scene, live, final, works, clean=clean)
    for armature in armatures(made):
        versions.show(armature, tags.RAW)
    for index in (0, 5, 11):
        go_to(scene, 1 + index)
        for person, armature in enumerate(armatures(made)):
            found = np.array([armature.matrix_world @ armature.pose.bones[name].head for name in JOINT_NAMES])
            np.testing.assert_allclose(found, final.joints_in_root(body, index, person), atol=1e-4)
        lens = 36.0 * final.focals[index] / final.size[0]
        assert made.camera.data.lens == pytest.approx(lens, rel=1e-5)


def test_people_whom_the_final_pass_leaves_out_stay_as_they_were(scene, synthetic, go_to, armatures, body):
    live, final = synthetic(frames=6, people=2, seed=1), synthetic(frames=6, people=1, seed=2)
    final.world_from_camera = live.world_from_camera
    made = build(scene, live, final, False)
    go_to(scene, 4)
    expected = [final.joints_in_root(body, 3, 0), live.joints_in_root(body, 3, 1)]
    for armature, joints in zip(armatures(made), expected, strict=True):
        found = np.array([armature.matrix_world @ armature.pose.bones[name].head for name in JOINT_NAMES])
        np.testing.assert_allclose(found, joints, atol=1e-4)
