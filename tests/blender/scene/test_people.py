# SPDX-License-Identifier: GPL-3.0-or-later
"""People stand where the take says, frame by frame, with one shape each."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_NAMES
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes
from bl_ext.user_default.human3r_blender.human3r_blender.person import body_mesh, family


def joint_positions(armature):
    return np.array([armature.matrix_world @ armature.pose.bones[name].head for name in JOINT_NAMES])


@pytest.mark.parametrize("rate", [30.0, 29.97])
def test_joints_are_where_the_body_model_puts_them(scene, synthetic, build, go_to, armatures, body, rate):
    take = synthetic(frames=10, people=2, rate=rate)
    made = build(take)
    for index in (0, 4, 9):
        go_to(scene, 1 + index)
        for person, armature in enumerate(armatures(made)):
            expected = take.joints_in_root(body, index, person)
            np.testing.assert_allclose(joint_positions(armature), expected, atol=1e-4)


def test_everything_hangs_from_one_root_that_moves_it_all(scene, synthetic, build, go_to, armatures, body):
    take = synthetic(frames=3, people=1)
    made = build(take)
    made.root.location = (1.0, 2.0, 3.0)
    made.root.rotation_euler = (0.0, 0.0, np.pi / 2)
    go_to(scene, 2)
    joints = take.joints_in_root(body, 1, 0)
    turned = np.array([1.0, 2.0, 3.0]) + np.stack([-joints[:, 1], joints[:, 0], joints[:, 2]], 1)
    np.testing.assert_allclose(joint_positions(armatures(made)[0]), turned, atol=1e-4)
    roots = {item.name for item in scene.objects if item.parent is None}
    assert roots == {made.root.name} == {"walk"}


def test_rest_bones_have_the_smplx_frame_and_names(scene, synthetic, build, armatures, body):
    armature = armatures(build(synthetic(frames=2, people=1)))[0]
    bones = armature.data.bones
    assert {bone.name for bone in bones} == {"root", *JOINT_NAMES}
    assert bones["pelvis"].parent.name == "root"
    for bone in bones:
        np.testing.assert_allclose(np.array(bone.matrix_local)[:3, :3], np.eye(3), atol=1e-6)
    betas = body_mesh.shape(next(child for child in armature.children))
    heads = np.array([bones[name].head_local for name in JOINT_NAMES])
    np.testing.assert_allclose(heads, body.rest_joints(betas), atol=1e-5)


def test_shape_is_constant_and_robust(scene, synthetic, build, go_to, armatures, mesh_of, body):
    take = synthetic(frames=25, people=1, betas="noisy")
    armature = armatures(build(take))[0]
    betas = np.median(take.betas_seen[:, 0], axis=0)
    np.testing.assert_allclose(body_mesh.shape(mesh_of(armature)), betas, atol=1e-6)
    keyed = {path for path, _ in keyframes.curves(mesh_of(armature).data.shape_keys)}
    assert not keyed & {body_mesh.value_path(name) for name in body_mesh.SHAPE_KEYS}
    for index in (0, 24):
        go_to(scene, 1 + index)
        expected = take.joints_in_root(body, index, 0, betas)
        np.testing.assert_allclose(joint_positions(armature), expected, atol=1e-4)
        head = take.world_from_camera[index] @ np.append(take.heads[index, 0], 1.0)
        found = joint_positions(armature)[JOINT_NAMES.index("head")]
        np.testing.assert_allclose(found, (head[0], head[2], -head[1]), atol=1e-4)


def test_quaternions_never_flip_their_sign(scene, synthetic, build, armatures):
    made = build(synthetic(frames=60, people=2, pose_scale=1.5))
    for item in [*armatures(made), made.camera]:
        curves = keyframes.curves(item)
        for path in {path for path, _ in curves if path.endswith("rotation_quaternion")}:
            values = np.stack([keyframes.read(curves[path, axis])[1] for axis in range(4)], axis=-1)
            np.testing.assert_allclose(np.linalg.norm(values, axis=-1), 1.0, atol=1e-5)
            assert (np.sum(values[1:] * values[:-1], axis=-1) > 0).all()


def test_one_collection_and_one_action_per_person(scene, synthetic, build, armatures, mesh_of):
    made = build(synthetic(frames=3, people=2))
    for number, armature in enumerate(armatures(made), start=1):
        name = f"Person {number:02d}"
        assert armature.animation_data.action.name == name
        assert [item.name for item in armature.users_collection] == [name]
        assert set(bpy.data.collections[name].objects) == {armature, mesh_of(armature)}
        expression = mesh_of(armature).data.shape_keys.animation_data.action
        assert (expression == armature.animation_data.action) == keyframes.HAS_SLOTS
    colors = {tuple(mesh_of(armature).active_material.diffuse_color) for armature in armatures(made)}
    assert len(colors) == 2


def test_expressions_are_animated_beyond_the_usual_range(scene, synthetic, build, go_to, armatures, mesh_of):
    take = synthetic(frames=5, people=1)
    take.expressions[2, 0, 3] = 4.5
    take.expressions[2, 0, 4] = -4.5
    mesh = mesh_of(armatures(build(take))[0])
    go_to(scene, 3)
    values = [mesh.data.shape_keys.key_blocks[name].value for name in body_mesh.EXPRESSION_KEYS]
    np.testing.assert_allclose(values, take.expressions[2, 0], atol=1e-6)


def test_who_is_away_for_long_is_hidden_and_does_not_glide(scene, synthetic, build, go_to, armatures, mesh_of, body):
    away = [*range(0, 5), *range(20, 50), *range(58, 60)]
    take = synthetic(frames=60, people=2, absent={1: away})
    made = build(take)
    present, absent = armatures(made)
    for frame in (2, 6, 19, 20, 21, 35, 50, 51, 58, 59):
        go_to(scene, frame)
        index = frame - 1
        for item in (absent, mesh_of(absent)):
            assert item.hide_viewport == item.hide_render == (index in away), frame
        assert not present.hide_viewport
        if 20 <= index < 50:
            np.testing.assert_allclose(joint_positions(absent), take.joints_in_root(body, 19, 1), atol=1e-4)


@pytest.mark.parametrize("clean", [0.0, 0.75])
def test_who_was_there_first_and_left_is_seen_until_then(scene, synthetic, build, go_to, armatures, clean):
    made = build(synthetic(frames=40, people=2, absent={0: range(20, 40), 1: [*range(5, 30), 39]}), clean=clean)
    for frame in (1, 4, 5, 6, 20, 21, 30, 31, 38, 40):
        go_to(scene, frame)
        for item, away in zip(armatures(made), (frame > 20, 5 < frame < 31 or frame == 40), strict=True):
            mesh = family.mesh(item)
            assert item.hide_viewport == item.hide_render == mesh.hide_viewport == mesh.hide_render == away, frame


def test_short_gaps_are_bridged(scene, synthetic, build, go_to, armatures, body):
    take = synthetic(frames=30, people=1, absent={0: [10, 11, 12]})
    take.heads[:] = take.heads[0]
    take.heads[:, 0, 0] += np.linspace(0, 1, 30)
    take.poses[:], take.expressions[:], take.world_from_camera[:] = take.poses[0], take.expressions[0], np.eye(4)
    armature = armatures(build(take))[0]
    go_to(scene, 12)
    assert not armature.hide_viewport
    head = joint_positions(armature)[JOINT_NAMES.index("head")]
    np.testing.assert_allclose(head[0], take.heads[11, 0, 0], atol=1e-4)


def test_interpolation_is_linear_and_nothing_is_left_selected(scene, synthetic, build, armatures):
    made = build(synthetic(frames=5, people=1))
    curves = [*keyframes.curves(armatures(made)[0]).values(), *keyframes.curves(made.camera).values()]
    assert len(curves) == 3 + 55 * 4 + 7
    for curve in curves:
        assert [point.interpolation for point in curve.keyframe_points] == ["LINEAR"] * 5
        assert not any(point.select_control_point for point in curve.keyframe_points)


def test_tags_outlive_renaming(scene, synthetic, build, armatures):
    made = build(synthetic(frames=2, people=1))
    armatures(made)[0].name = "Hero"
    made.root.name = "Place"
    made.camera.name = "A cam"
    assert made.root.name == "Place"
    assert made.camera.name == "A cam"
    assert [item.name for item in family.people_under(made.root)] == ["Hero"]
