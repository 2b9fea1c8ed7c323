# SPDX-License-Identifier: GPL-3.0-or-later
"""Person and Character fill themselves: with what is selected, as long as nobody has chosen otherwise."""

import bpy
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget import choosing

from . import rigs
from .conftest import add_person


@pytest.fixture
def stage(scene, person, motion, rest):
    """Two people, two characters, and nothing selected or chosen."""
    other = add_person(scene, motion)
    for number, item in enumerate((person, other)):
        tags.mark(item, "take", tags.ARMATURE, number)
    hero, guest = rigs.unreal(rest).item, rigs.vrm(rest).item
    skin = bpy.data.objects.new("skin", bpy.data.meshes.new("skin"))
    scene.collection.objects.link(skin)
    skin.modifiers.new("Armature", "ARMATURE").object = hero
    select()
    return scene, (person, other), (hero, guest), skin


def select(*items):
    """The last one becomes active."""
    for item in bpy.context.selected_objects:
        item.select_set(False)
    for item in items:
        item.select_set(True)
    bpy.context.view_layer.objects.active = items[-1] if items else None


def chosen():
    settings = bpy.context.scene.human3r_retarget
    return choosing.person(bpy.context, settings), choosing.character(bpy.context, settings)


def test_what_is_selected_is_meant(stage):
    _, (person, other), (hero, guest), skin = stage
    for items, expected in (
        ((), (None, None)),
        ((person,), (person, None)),
        ((hero, person), (person, hero)),
        ((person, hero), (person, hero)),
        ((other, guest, person), (person, guest)),
        ((person, guest, hero), (person, hero)),
        ((other, skin), (other, hero)),
        ((hero,), (None, hero)),
    ):
        select(*items)
        assert chosen() == expected, [item.name for item in items]


def test_the_only_person_needs_no_selection(stage):
    _, (person, other), (hero, _), _ = stage
    bpy.data.objects.remove(other)
    select(hero)
    assert chosen() == (person, hero)


def test_what_was_chosen_stays(stage):
    scene, (person, other), (hero, guest), _ = stage
    settings = scene.human3r_retarget
    settings.source = other
    select(guest, person)
    assert chosen() == (other, guest)
    settings.character = hero
    select(person, guest)
    assert chosen() == (other, hero)
    settings.source = settings.character = None
    assert chosen() == (person, guest)


def test_one_button_retargets_what_is_selected(stage):
    """The list of bones follows, and the fields stay empty, so that the next selection is meant as well."""
    scene, (person, other), (hero, guest), _ = stage
    settings = scene.human3r_retarget
    assert not bpy.ops.human3r.retarget.poll()
    select(hero, person)
    assert bpy.ops.human3r.retarget() == {"FINISHED"}
    assert settings.is_found(hero) and not settings.is_found(guest) and settings.evidence.startswith("Unreal")
    assert hero.animation_data.action.name == f"{person.name} on {hero.name}"
    select(other, guest)
    assert bpy.ops.human3r.retarget() == {"FINISHED"}
    assert settings.evidence.startswith("VRM") and settings.rig().bones["pelvis"] == ("J_Bip_C_Hips",)
    assert guest.animation_data.action.name == f"{other.name} on {guest.name}"
    assert settings.source is None and settings.character is None
    select(person)
    assert not bpy.ops.human3r.retarget.poll() and not bpy.ops.human3r.retarget_find_bones.poll()


def test_a_preset_that_is_chosen_is_for_what_is_selected(stage):
    scene, _, (_, guest), _ = stage
    settings = scene.human3r_retarget
    select(guest)
    settings.preset = "NAMES"
    assert settings.is_found(guest) and settings.evidence.startswith("Bones found by their names")


def test_a_linked_character_that_is_selected_stays_selected(stage, tmp_path):
    scene, (person, _), (hero, _), _ = stage
    bpy.data.libraries.write(str(tmp_path / "hero.blend"), {hero})
    bpy.data.objects.remove(hero)
    with bpy.data.libraries.load(str(tmp_path / "hero.blend"), link=True) as (_, wanted):
        wanted.objects = ["Mannequin"]
    scene.collection.objects.link(wanted.objects[0])
    select(wanted.objects[0], person)
    assert bpy.ops.human3r.retarget() == {"FINISHED"}
    _, character = chosen()
    assert character.override_library is not None and character.animation_data.action is not None
    assert bpy.ops.human3r.retarget() == {"FINISHED"}
