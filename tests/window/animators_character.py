# SPDX-License-Identifier: GPL-3.0-or-later
"""The character's part of the way of an animator: brought, moved as a person, exported and read again."""

import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from animators_scene import (
    ASIDE,
    FRAME,
    FROM_AHEAD,
    OUTPUTS,
    VIEW_MIDDLE,
    choose,
    joint,
    look,
    only_people,
    people,
    turn,
)
from driving import heading, mouse, picture, run, viewport

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
from plain_figure import figure

SCALE = 0.85  # the meta-rig is taller than the people of the demo


def bring_a_character():
    """Add > Armature > Human (Meta-Rig), Generate Rig, and a body that hangs on it."""
    assert bpy.ops.preferences.addon_enable(module="rigify") == {"FINISHED"}
    bpy.context.scene.cursor.location = (0.0, 0.0, 0.0)
    run(bpy.ops.object.armature_human_metarig_add)
    metarig = bpy.context.view_layer.objects.active
    choose(figure(metarig))
    run(bpy.ops.object.convert, target="MESH")
    body = bpy.context.view_layer.objects.active
    body.name = "Hero body"
    choose(metarig)
    assert run(bpy.ops.pose.rigify_generate) == {"FINISHED"}
    rig = next(
        item
        for item in bpy.context.scene.objects
        if item.type == "ARMATURE" and item is not metarig and item not in people()
    )
    metarig.hide_set(True)
    choose(body, rig)
    assert run(bpy.ops.object.parent_set, type="ARMATURE_AUTO") == {"FINISHED"}
    rig.name, rig.scale = "Hero", (SCALE, SCALE, SCALE)
    yield 1.0


def retarget():
    person, rig = people()[0], bpy.data.objects["Hero"]
    yield from turn("Retarget")
    settings = bpy.context.scene.human3r_retarget
    settings.source, settings.character = person, rig
    yield 1.0
    assert run(bpy.ops.human3r.retarget, "INVOKE_DEFAULT", True) == {"FINISHED"}
    print(bpy.context.scene.human3r_retarget.report)
    yield 1.0
    person, rig = people()[0], bpy.data.objects["Hero"]
    assert rig.animation_data.action.name.startswith(f"{person.name} on Hero"), rig.animation_data.action.name
    places = []
    for frame in (bpy.context.scene.frame_start, bpy.context.scene.frame_end):
        bpy.context.scene.frame_set(frame)
        places.append(joint(rig, "DEF-hand.L") - joint(rig, "DEF-foot.R"))
    assert (places[0] - places[1]).length > 0.05, "the character does not move"
    yield from turn("Retarget")
    only_people(False)
    run(bpy.ops.human3r.hide_people, "INVOKE_DEFAULT", True, hide=True, person=person.name)
    run(bpy.ops.object.select_all, action="DESELECT")
    rig.hide_set(True)
    run(bpy.ops.human3r.play_camera_view, "INVOKE_DEFAULT")
    yield 3.0
    run(bpy.ops.screen.animation_cancel, restore_frame=False)
    bpy.context.scene.frame_set(FRAME)
    yield 1.5
    picture("9-in-the-footage")
    run(bpy.ops.human3r.play_camera_view, "INVOKE_DEFAULT")
    run(bpy.ops.human3r.hide_people, "INVOKE_DEFAULT", True, hide=False, person=person.name)
    rig.hide_set(False)
    only_people(True)
    yield 0.5


def character_beside_the_person():
    """Moved aside, to see both; then the same motion where the character stands."""
    person, rig, scene = people()[0], bpy.data.objects["Hero"], bpy.context.scene
    rig.location.x -= 1.2
    look(FROM_AHEAD, joint(person, "pelvis") + ASIDE, 5.0)
    overlay = viewport().spaces.active.overlay
    overlay.show_bones, overlay.show_relationship_lines = False, False
    yield from turn("Retarget")
    yield from scroll(5)
    picture("10-beside")
    yield from scroll(4)
    yield from turn("Retarget")
    scene.human3r_retarget.placement = "CHARACTER"
    assert run(bpy.ops.human3r.retarget, "INVOKE_DEFAULT", True) == {"FINISHED"}
    scene.frame_set(scene.frame_start)
    rig = bpy.data.objects["Hero"]
    assert (joint(rig, "DEF-spine") - rig.location).xy.length < 0.2, "it does not start where it stands"


def scroll(button):
    """Turn the wheel over the sidebar, as far as it goes: down is button 5, up 4."""
    mouse("mousemove", *heading("Retarget"))
    yield 0.5
    mouse("click", "--repeat", 20, "--delay", 50, button)
    mouse("mousemove", *VIEW_MIDDLE)
    yield 1.5


def export():
    path = OUTPUTS / "people"
    assert run(bpy.ops.human3r.export, "EXEC_DEFAULT", filepath=str(path)) == {"FINISHED"}
    assert path.with_suffix(".fbx").stat().st_size > 0
    yield from turn("Export")
    picture("11-export")
    rig, path = bpy.data.objects["Hero"], OUTPUTS / "hero.fbx"
    choose(bpy.data.objects["Hero body"], rig)
    run(
        bpy.ops.export_scene.fbx,
        filepath=str(path),
        use_selection=True,
        object_types={"ARMATURE", "MESH"},
        use_armature_deform_only=True,
        add_leaf_bones=False,
        bake_anim_use_all_actions=False,
        bake_anim_use_nla_strips=False,
        bake_anim_simplify_factor=0.0,
    )
    run(bpy.ops.import_scene.fbx, filepath=str(path))
    copy = next(item for item in bpy.context.selected_objects if item.type == "ARMATURE")
    farthest = 0.0
    for frame in range(bpy.context.scene.frame_start, bpy.context.scene.frame_end, 10):
        bpy.context.scene.frame_set(frame)
        shift = frame - bpy.context.scene.frame_start
        there = {name: joint(rig, name) for name in ("DEF-hand.L", "DEF-foot.R", "DEF-spine.006")}
        bpy.context.scene.frame_set(int(copy.animation_data.action.frame_range[0]) + shift)
        farthest = max(farthest, *((joint(copy, name) - place).length for name, place in there.items()))
    print(f"the character's FBX, read again: at most {1000 * farthest:.2f} mm off")
    assert farthest < 0.001
    yield 1.0
