# SPDX-License-Identifier: GPL-3.0-or-later
"""Bones are drawn as limbs from joint to child; what motions and exports rest on stays as it is."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_NAMES, MIRRORED, PARENTS
from bl_ext.user_default.human3r_blender.human3r_blender.person import armature, blocks, bone_shapes, family
from bl_ext.user_default.human3r_blender.human3r_blender.scene import takes

SHAPES = ("Human3R limb", "Human3R ring")


def drawn_ends(item, bone):
    """(2, 3) where the thin ends of a bone's limb are drawn, armature space, as Blender does."""
    from mathutils import Matrix

    shape = bone.custom_shape
    place = bone.matrix @ Matrix.LocRotScale(
        bone.custom_shape_translation, bone.custom_shape_rotation_euler, bone.custom_shape_scale_xyz
    )
    return np.array([tuple(place @ shape.data.vertices[index].co) for index in (0, 5)])


@pytest.fixture
def people(build, synthetic, armatures):
    return armatures(build(synthetic(people=2, frames=6, betas="noisy")))


def test_limbs_lead_from_joint_to_child_in_every_pose(people, scene):
    for frame in (1, 4):
        scene.frame_set(frame)
        for item in people:
            bones = item.pose.bones
            for name in JOINT_NAMES:
                start, end = drawn_ends(item, bones[name])
                np.testing.assert_allclose(start, bones[name].head, atol=1e-5)
                children = [JOINT_NAMES[child] for child, up in enumerate(PARENTS) if up == JOINT_NAMES.index(name)]
                if children and name != "head":
                    assert min(np.linalg.norm(end - np.array(bones[child].head)) for child in children) < 1e-4, name
                assert 0.005 < np.linalg.norm(end - start) < 0.7, name


@pytest.mark.parametrize(
    ("joint", "leads_to"),
    [("pelvis", "spine1"), ("spine3", "neck"), ("left_wrist", "left_middle1"), ("right_wrist", "right_middle1")],
)
def test_where_limbs_fork_they_lead_to_the_middle(people, joint, leads_to):
    bones = people[0].pose.bones
    np.testing.assert_allclose(drawn_ends(people[0], bones[joint])[1], bones[leads_to].head, atol=1e-4)


def test_rest_frames_and_poses_are_those_of_bare_bones(people, scene):
    """As `armature.create` alone makes them, and as all exports expect."""
    for item in people:
        bare = armature.create("bare", armature.rest_joints(item))
        for name in (armature.ROOT_BONE, *JOINT_NAMES):
            np.testing.assert_array_equal(item.data.bones[name].matrix_local, bare.data.bones[name].matrix_local)
            assert item.data.bones[name].length == pytest.approx(bare.data.bones[name].length, abs=1e-6)


def test_every_bone_is_in_its_collection_and_has_its_sides_color(people):
    item = people[0]
    held = {home.name: {bone.name for bone in home.bones} for home in item.data.collections}
    assert list(held) == ["Body", "Hands", "Face", "Root"]
    assert sum(map(len, held.values())) == 56 and held["Root"] == {"root"}
    assert held["Face"] == {"jaw", "left_eye", "right_eye"}
    assert {"pelvis", "head", "left_wrist", "right_foot"} <= held["Body"] and len(held["Hands"]) == 30
    colors = [item.data.bones[name].color.palette for name in JOINT_NAMES]
    for joint, other in enumerate(MIRRORED):
        assert (colors[joint] == colors[other]) == (joint == other)
    assert len(set(colors)) == 3 and item.data.bones["root"].color.palette == colors[0]


def test_thin_lines_until_somebody_poses(people):
    item = people[0]
    assert not item.show_in_front and not item.data.show_bone_custom_shapes
    bone_shapes.show(item, True)
    assert item.show_in_front and item.data.show_bone_custom_shapes
    bone_shapes.follow(item, armature.rest_joints(item))
    assert item.data.show_bone_custom_shapes
    bone_shapes.show(item, False)
    assert not item.show_in_front and not item.data.show_bone_custom_shapes


def test_all_share_one_set_of_shapes_which_is_in_no_scene(people):
    used = {bone.custom_shape for item in people for bone in item.pose.bones}
    assert {shape.name for shape in used} == set(SHAPES)
    assert not any(shape.users_scene or shape.users_collection for shape in used)
    assert not any(name in scene.objects for scene in bpy.data.scenes for name in SHAPES)


def test_the_shapes_go_with_the_last_person(people):
    blocks.remove(people[0], "deleted")
    assert all(name in bpy.data.objects for name in SHAPES)
    blocks.remove(people[1], "deleted")
    assert not any(name in blocks_of for name in SHAPES for blocks_of in (bpy.data.objects, bpy.data.meshes))


def test_the_shapes_go_with_the_take(build, synthetic):
    made = build(synthetic(people=2, frames=3))
    takes.remove({made.root["human3r_take"]})
    assert not any(name in blocks_of for name in SHAPES for blocks_of in (bpy.data.objects, bpy.data.meshes))


def test_an_object_of_the_users_with_a_shapes_name_is_left_alone(scene, build, synthetic, armatures):
    own = bpy.data.objects.new(SHAPES[0], bpy.data.meshes.new("own"))
    scene.collection.objects.link(own)
    (item,) = armatures(build(synthetic(people=1, frames=3)))
    assert own not in {bone.custom_shape for bone in item.pose.bones}
    second = build(synthetic(people=1, frames=3, seed=2))
    assert len([item for item in bpy.data.objects if item.get("human3r_role") == "bone_shape"]) == 2
    takes.remove({second.root["human3r_take"]})
    blocks.remove(item, "deleted")
    assert bpy.data.objects[SHAPES[0]] == own
    assert not [item for item in bpy.data.objects if item.get("human3r_role") == "bone_shape"]


def test_a_person_that_is_copied_keeps_the_limbs(people):
    copy = people[0].copy()
    copy.data = people[0].data.copy()
    bpy.context.scene.collection.objects.link(copy)
    assert bone_shapes.is_dressed(copy) and family.is_person(copy)
