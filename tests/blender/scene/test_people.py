# SPDX-License-Identifier: GPL-3.0-or-later
"""People stand where the take says, frame by frame, with one shape each."""

import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_NAMES


@pytest.mark.parametrize("rate", [30.0, 29.97])
def test_joints_are_where_the_body_model_puts_them(scene, synthetic, build, go_to, armatures, body, rate):
    take = synthetic(frames=10, people=2, rate=rate)
    made = build(take)
    for index in (0, 4, 9):
        go_to(scene, 1 + index)
        for person, armature in enumerate(armatures(made)):
            heads = [armature.matrix_world @ armature.pose.bones[name].head for name in JOINT_NAMES]
            np.testing.assert_allclose(heads, take.joints_in_root(body, index, person), atol=1e-4)
