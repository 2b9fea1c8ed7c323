# SPDX-License-Identifier: GPL-3.0-or-later
"""The posed mesh in Blender, as Blender evaluates it, against the body model and against `smplx` itself."""

from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.body_model import BodyModel, default_body_path
from bl_ext.user_default.human3r_blender.human3r_blender.scene import body_mesh, pose_correctives

ROOT = Path(__file__).resolve().parents[3]


def evaluated_vertices(mesh):
    """(V, 3) vertices of a mesh object after all its modifiers, world space."""
    item = mesh.evaluated_get(bpy.context.evaluated_depsgraph_get())
    data = item.to_mesh()
    vertices = np.empty(3 * len(data.vertices), dtype=np.float32)
    data.vertices.foreach_get("co", vertices)
    item.to_mesh_clear()
    matrix = np.array(mesh.matrix_world)
    return vertices.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def worst_distance(first, second):
    return np.linalg.norm(first - second, axis=-1).max()


@pytest.mark.parametrize("correctives", [False, True], ids=["skinning", "correctives"])
def test_surface_is_the_body_models_to_a_millimetre(
    scene, synthetic, build, go_to, armatures, mesh_of, body, correctives
):
    take = synthetic(frames=30, people=2, pose_scale=0.5)
    made = build(take, pose_correctives=correctives)
    for index in (0, 7, 18, 29):
        go_to(scene, 1 + index)
        for person, armature in enumerate(armatures(made)):
            expected = take.vertices_in_root(body, index, person, with_pose_correctives=correctives)
            limit = 0.001 if correctives else 0.0001
            assert worst_distance(evaluated_vertices(mesh_of(armature)), expected) < limit
