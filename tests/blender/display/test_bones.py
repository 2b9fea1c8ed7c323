# SPDX-License-Identifier: GPL-3.0-or-later
"""Limbs are drawn of whoever is posed, where the scene wants them; people of earlier versions get them on request."""

import bpy
from bl_ext.user_default.human3r_blender.human3r_blender.person import armature, bone_shapes, family
from bl_ext.user_default.human3r_blender.human3r_blender.sections.display import bones


def limbs(item):
    return item.show_in_front, item.data.show_bone_custom_shapes


def bare(item):
    """As an earlier version made people."""
    for bone in item.pose.bones:
        bone.custom_shape = None
    for home in list(item.data.collections):
        item.data.collections.remove(home)
    bone_shapes.remove_unused()


def test_limbs_are_those_of_the_one_who_is_posed(build, scene, select, view):
    first, second = family.people_under(build(people=2).root)
    select(first)
    bpy.ops.object.mode_set(mode="POSE")
    bones.match_modes()
    assert limbs(first) == (True, True) and limbs(second) == (False, False)
    scene.human3r_display.show_bones = False
    assert limbs(first) == (False, False)
    scene.human3r_display.show_bones = True
    assert limbs(first) == (True, True)
    bpy.ops.object.mode_set(mode="OBJECT")
    bones.match_modes()
    assert limbs(first) == (False, False)


def test_people_of_earlier_versions_get_limbs_by_one_click(build, scene):
    people = family.people_under(build(people=2).root)
    assert not bones.undressed(scene) and not bpy.ops.human3r.draw_limbs.poll()
    for item in people:
        bare(item)
    people[0].show_in_front = True  # as the user likes it
    bones.match_modes()
    assert people[0].show_in_front
    before = [item.data.bones["left_knee"].matrix_local.copy() for item in people]
    assert bones.undressed(scene) == people
    assert bpy.ops.human3r.draw_limbs() == {"FINISHED"}
    assert not bones.undressed(scene) and all(map(bone_shapes.is_dressed, people))
    assert [item.data.bones["left_knee"].matrix_local for item in people] == before


def test_armatures_without_our_bones_are_left_out(build, scene):
    (item,) = family.people_under(build(people=1).root)
    bare(item)
    with armature.edit_mode(item.data):
        item.data.edit_bones["jaw"].name = "kiefer"
    assert bones.undressed(scene) == []
