# SPDX-License-Identifier: GPL-3.0-or-later
"""The posed mesh in Blender, as Blender evaluates it, against the body model and against `smplx` itself."""

import os
import subprocess
from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract import rotations
from bl_ext.user_default.human3r_blender.engine.contract.body_model import BodyModel, default_body_path
from bl_ext.user_default.human3r_blender.human3r_blender.blender import coordinates
from bl_ext.user_default.human3r_blender.human3r_blender.person import body_mesh, pose_correctives

MILLIMETRE = 0.001


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


@pytest.fixture
def restless_body(tmp_path):
    """The mannequin with expressions that move joints, as those of the real SMPL-X body do. Returns its path."""
    with np.load(default_body_path()) as archive:
        arrays = dict(archive)
    rng = np.random.default_rng(3)
    height = arrays["v_template"][:, 1:2, None]
    sway = 0.004 * np.sin(3 * height + rng.uniform(0, 6, (1, 3, 10)))
    arrays["shapedirs"] = np.concatenate([arrays["shapedirs"][..., :10], arrays["shapedirs"][..., 10:20] + sway], -1)
    path = tmp_path / "SMPLX_NEUTRAL.npz"
    np.savez(path, **arrays)
    return path


@pytest.fixture
def smplx_vertices(root, tmp_path):
    """Vertices by the real `smplx` package, which lives in the engine's Python, for (body path, parameters) pairs."""
    candidates = (os.environ.get("HUMAN3R_ENGINE_PYTHON"), root / ".environments" / "engine" / "bin" / "python")
    python = next((path for path in candidates if path and Path(path).is_file()), None)
    probe = "import importlib.util as u; raise SystemExit(not (u.find_spec('torch') and u.find_spec('smplx')))"
    if python is None or subprocess.run([python, "-c", probe]).returncode:
        pytest.skip("no engine's Python with smplx: set HUMAN3R_ENGINE_PYTHON or run build.py once")

    def run(jobs):
        for number, (_, parameters) in enumerate(jobs):
            np.savez(tmp_path / f"{number}.npz", **parameters)
        script = Path(__file__).with_name("smplx_reference.py")
        subprocess.run([python, script, tmp_path, *(path for path, _ in jobs)], check=True)
        return [np.load(tmp_path / f"{number}.npy") for number in range(len(jobs))]

    return run


def test_surface_is_that_of_smplx(scene, synthetic, build, go_to, armatures, mesh_of, restless_body, smplx_vertices):
    take = synthetic(frames=30, people=1, pose_scale=0.5)
    rows = [0, 7, 18, 29]
    poses, expressions, heads = take.poses[rows, 0], take.expressions[rows, 0], take.heads[rows, 0]
    jobs = []
    for path in (default_body_path(), restless_body):
        matrices = rotations.axis_angle_to_matrix(poses)
        translation = BodyModel.load(path).translation_from_head(matrices, take.shape[0], expressions, heads)
        jobs.append(
            (
                path,
                {
                    "betas": take.shape[0],
                    "pose": poses,
                    "expression": expressions,
                    "translation": translation.astype(np.float32),
                },
            )
        )
    for (path, _), expected in zip(jobs, smplx_vertices(jobs), strict=True):
        mesh = mesh_of(armatures(build(take, pose_correctives=True, body_path=str(path)))[0])
        for vertices, index in zip(expected, rows, strict=True):
            go_to(scene, 1 + index)
            pose = take.world_from_camera[index]
            in_root = coordinates.points_to_root(vertices @ pose[:3, :3].T + pose[:3, 3])
            assert worst_distance(evaluated_vertices(mesh), in_root) < MILLIMETRE


def test_without_correctives_the_surface_is_exactly_skinning(scene, synthetic, build, go_to, armatures, mesh_of, body):
    take = synthetic(frames=10, people=1, pose_scale=0.5)
    mesh = mesh_of(armatures(build(take))[0])
    for index in (0, 9):
        go_to(scene, 1 + index)
        skinned = take.vertices_in_root(body, index, 0, with_pose_correctives=False)
        exact = take.vertices_in_root(body, index, 0)
        assert worst_distance(evaluated_vertices(mesh), skinned) < 0.02 * MILLIMETRE
        assert worst_distance(exact, skinned) > 5 * MILLIMETRE


def test_correctives_are_few_keys_and_can_be_taken_off(scene, synthetic, build, go_to, armatures, mesh_of, body):
    take = synthetic(frames=60, people=1)
    armature = armatures(build(take))[0]
    mesh = mesh_of(armature)
    keys = len(mesh.data.shape_keys.key_blocks)
    count = pose_correctives.bake(armature, mesh, body)
    assert 0 < count < 60
    assert pose_correctives.bake(armature, mesh, body) == count
    assert len(mesh.data.shape_keys.key_blocks) == keys + count
    go_to(scene, 31)
    assert worst_distance(evaluated_vertices(mesh), take.vertices_in_root(body, 30, 0)) < MILLIMETRE
    pose_correctives.remove(mesh)
    assert len(mesh.data.shape_keys.key_blocks) == keys
    go_to(scene, 31)
    skinned = take.vertices_in_root(body, 30, 0, with_pose_correctives=False)
    assert worst_distance(evaluated_vertices(mesh), skinned) < 0.02 * MILLIMETRE


def test_compression_keeps_every_vertex_of_every_frame(body):
    rng = np.random.default_rng(0)
    quaternions = rotations.axis_angle_to_quaternion(rng.normal(0, 0.3, (40, 55, 3)))
    vectors, values = pose_correctives.compress(body, np.zeros(10), np.zeros((40, 10)), quaternions)
    offsets = body.pose_corrective_offsets(rotations.quaternion_to_matrix(quaternions))
    restored = (values @ vectors).reshape(offsets.shape)
    assert worst_distance(restored, offsets) < 1.02 * pose_correctives.TOLERANCE
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(len(vectors)), atol=1e-4)


def test_weights_and_keys_are_the_bodys_own(scene, synthetic, build, armatures, mesh_of, body):
    mesh = mesh_of(armatures(build(synthetic(frames=2, people=1)))[0])
    weights = np.zeros_like(body.weights)
    for vertex in mesh.data.vertices:
        for element in vertex.groups:
            weights[vertex.index, element.group] = element.weight
    np.testing.assert_array_equal(weights, body.weights)
    blocks = mesh.data.shape_keys.key_blocks
    assert [block.name for block in blocks] == ["Basis", *body_mesh.SHAPE_KEYS, *body_mesh.EXPRESSION_KEYS]
    for name, offsets in (("Shape003", body.shape_directions[..., 3]), ("Exp009", body.expression_directions[..., 9])):
        positions = np.empty(body.template.size, dtype=np.float32)
        blocks[name].data.foreach_get("co", positions)
        np.testing.assert_array_equal(positions.reshape(-1, 3), body.template + offsets)
        assert (blocks[name].slider_min, blocks[name].slider_max) == (-10.0, 10.0)
    faces = np.empty(body.faces.size, dtype=np.int32)
    mesh.data.loops.foreach_get("vertex_index", faces)
    np.testing.assert_array_equal(faces.reshape(-1, 3), body.faces)
    assert mesh.data.validate(verbose=True) is False
