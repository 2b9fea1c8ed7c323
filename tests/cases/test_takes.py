# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes with values that no scene can hold: sound frames arrive, and what was left out is counted."""

import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder

from ..blender.scene.test_unsound_takes import assert_whole

CASES = (
    "betas_nan_some", "expression_nan_some", "head_point_huge_all", "ok", "pose_axis_angle_nan_all",
    "principal_point_px_nan_some", "pts_inf", "pts_nan", "rate_huge", "size_huge", "time_1e308",
    "world_from_camera_nan_some",
)  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_case(scene, shared, name):
    made, problem = scene_builder.import_take(shared / "cases" / "takes" / f"{name}.h3r", scene)
    assert problem is None and bool(made.notes) == (name != "ok")
    assert_whole(scene)
