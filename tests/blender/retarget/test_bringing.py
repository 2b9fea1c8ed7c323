# SPDX-License-Identifier: GPL-3.0-or-later
"""Characters come out of their files whole and in their place, and nothing else does."""

from collections import Counter

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget.bringing import bring

from . import rigs

FAMILY = {
    "Mannequin": "the rig",
    "set": "a group above the rig's",
    "group": "above the rig, twice as large",
    "body": "by modifier, below another group",
    "meshes": "the group above the body",
    "cage": "a lattice of the body's",
    "bow": "a curve of the body's",
    "bow handle": "what hooks the curve",
    "eye": "by the bone that it hangs from",
    "lash": "by the eye that it hangs from",
    "hair": "a curve by its bone",
    "shirt": "by the body that it is bound to",
    "goal": "what a bone of the rig follows",
    "goal's parent": "above that",
    "sword": "by a constraint on the rig",
    "corrective": "by a driver on its shape keys",
    "slider": "what the drivers of a bone read",
    "game skeleton": "an armature whose bones follow the rig's",
    "game body": "what that deforms",
    "helper": "hidden for viewport and render",
    "proxy": "in a collection that is excluded",
    "guide": "hidden with the eye",
    "low": "in a collection that renders do not show",
}
STRANGERS = {
    "lamp",
    "camera",
    "look",
    "ground",
    "other rig",
    "other body",
    "partner",
    "partner body",
    "widget",
    "stray",
}
HIDDEN = {"helper", "proxy", "guide"}


class _Maker:
    """Objects of a scene, one after the other."""

    def __init__(self, scene):
        self.scene = scene

    def __call__(self, name, data=None, parent=None, bone="", home=None, **places):
        item = bpy.data.objects.new(name, data)
        (home or self.scene.collection).objects.link(item)
        if parent is not None:
            item.parent = parent
        if bone:
            item.parent_type, item.parent_bone = "BONE", bone
        for key, value in places.items():
            setattr(item, key, value)
        return item

    def mesh(self, name, deformed_by=None, **more):
        data = bpy.data.meshes.new(name)
        data.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
        item = self(name, data, **more)
        if deformed_by is not None:
            item.modifiers.new("Armature", "ARMATURE").object = deformed_by
        return item

    def collection(self, name):
        made = bpy.data.collections.new(name)
        self.scene.collection.children.link(made)
        return made

    def armature(self, name, bones=("a", "b")):
        item = self(name, bpy.data.armatures.new(name))
        bpy.context.view_layer.objects.active = item
        bpy.ops.object.mode_set(mode="EDIT")
        for place, bone in enumerate(bones):
            made = item.data.edit_bones.new(bone)
            made.head, made.tail = (place, 0, 0), (place, 0, 1)
        bpy.ops.object.mode_set(mode="OBJECT")
        return item


def constrain(holder, kind, target, bone=""):
    constraint = holder.constraints.new(kind)
    constraint.target, constraint.subtarget = target, bone


def drive(block, path, target, data_path):
    variable = block.driver_add(path).driver.variables.new()
    block.animation_data.drivers[0].driver.expression = variable.name
    variable.targets[0].id, variable.targets[0].data_path = target, data_path


def character(rest):
    """A scene with a character whose parts hang together in every way, and others beside it."""
    scene = bpy.context.scene
    rig, make = rigs.unreal(rest).item, _Maker(scene)
    above = make("set", location=(1, 0, 0), rotation_euler=(0, 0, 0.4))
    group = make("group", parent=above, scale=(2, 2, 2))
    rig.parent = group
    body = make.mesh("body", rig, parent=make("meshes", parent=above, location=(0, 0, 0.1)))
    body.modifiers.new("Lattice", "LATTICE").object = make("cage", bpy.data.lattices.new("cage"), rig, "head")
    bow = make("bow", bpy.data.curves.new("bow", "CURVE"), location=(0, 0, 1))
    body.modifiers.new("Curve", "CURVE").object = bow
    bow.modifiers.new("Hook", "HOOK").object = make("bow handle", location=(0, 3, 0))
    eye = make.mesh("eye", parent=rig, bone="head", location=(0, 0.1, 0))
    make.mesh("lash", parent=eye, location=(0, 0, 0.02))
    make("hair", bpy.data.curves.new("hair", "CURVE"), rig, "head")
    make.mesh("shirt").modifiers.new("Bind", "SURFACE_DEFORM").target = body
    constrain(rig.pose.bones["head"], "LIMIT_DISTANCE", make("goal", parent=make("goal's parent", location=(0, 0, 4))))
    constrain(make.mesh("sword"), "COPY_TRANSFORMS", rig, "hand_r")
    shaped = make.mesh("corrective")
    shaped.shape_key_add(name="Basis")
    shaped.shape_key_add(name="Bent")
    drive(shaped.data.shape_keys, 'key_blocks["Bent"].value', rig, 'pose.bones["head"].location[0]')
    rig["grip"] = 0.0
    drive(rig, '["grip"]', make("slider"), "location[0]")
    skeleton = make.armature("game skeleton", ("root", "pelvis", "spare"))
    for bone in ("root", "pelvis"):
        constrain(skeleton.pose.bones[bone], "COPY_TRANSFORMS", rig, bone)
    make.mesh("game body", skeleton)
    make.mesh("helper", rig, hide_viewport=True, hide_render=True)
    make.mesh("proxy", rig, home=make.collection("excluded"))
    make.mesh("guide", rig).hide_set(True)
    make.mesh("low", rig, home=make.collection("viewport only"))
    scene.view_layers[0].layer_collection.children["excluded"].exclude = True
    bpy.data.collections["viewport only"].hide_render = True
    strangers(scene, make, rig, above)
    return rig


def strangers(scene, make, rig, above):
    """What is no part of the character, near as it is to it."""
    make("lamp", bpy.data.lights.new("lamp", "POINT"), parent=above)
    constrain(make("camera", bpy.data.cameras.new("camera"), parent=above), "TRACK_TO", rig, "head")
    constrain(make("look", bpy.data.lights.new("look", "SPOT")), "TRACK_TO", rig, "head")
    make.mesh("ground")
    make.mesh("other body", make.armature("other rig"))
    partner = make.armature("partner", ("hips", "chest", "hand"))  # who holds the character's hand
    constrain(partner.pose.bones["hand"], "COPY_LOCATION", rig, "hand_l")
    make.mesh("partner body", partner)
    widget = make.mesh("widget")
    rig.pose.bones["head"].custom_shape = widget
    scene.collection.objects.unlink(widget)
    make("stray", parent=above)


@pytest.fixture
def saved(scene, rest, tmp_path):
    character(rest)
    path = tmp_path / "hero.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    return path


def worlds(path):
    """{name: world matrix} of the objects of a file that is opened by itself."""
    bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False)
    bpy.context.view_layer.update()
    return {item.name: np.array(item.matrix_world) for item in bpy.context.scene.objects}


def brought(path, **how):
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.context.scene.name = "Mine"
    return bring(bpy.context.scene, path, **how), bpy.context.scene


@pytest.mark.parametrize("link", [False, True])
def test_the_whole_family_comes_and_nobody_else(saved, link):
    before = worlds(saved)
    assert set(before) >= set(FAMILY) | (STRANGERS - {"widget"})
    item, scene = brought(saved, link=link, armature="Mannequin")
    assert item.name == "Mannequin" and item.library is None
    assert {found.name for found in scene.objects} == set(FAMILY)
    for found in scene.objects:
        np.testing.assert_allclose(found.matrix_world, before[found.name], atol=1e-5, err_msg=found.name)
    np.testing.assert_allclose(item.matrix_world.to_scale(), [0.02] * 3, atol=1e-6)
    assert item.pose.bones["head"].custom_shape.name == "widget"
    assert not STRANGERS - {"widget"} & {found.name for found in bpy.data.objects}
    assert [found.name for found in bpy.data.scenes] == ["Mine"]
    assert {found.name for found in bpy.data.armatures} == {"Mannequin", "game skeleton"} and not bpy.data.cameras


def test_of_two_armatures_that_are_one_character_either_may_be_named(saved):
    item, scene = brought(saved, armature="game skeleton")
    assert item.name == "game skeleton" and {found.name for found in scene.objects} == set(FAMILY)


@pytest.mark.parametrize("link", [False, True])
def test_what_was_hidden_stays_hidden(saved, link):
    _, scene = brought(saved, link=link, armature="Mannequin")
    assert {item.name for item in scene.objects if not item.visible_get()} == HIDDEN
    assert {item.name for item in scene.objects if item.hide_render} == {"helper", "proxy", "low"}


@pytest.mark.parametrize("link", [False, True])
def test_every_person_gets_a_character_of_their_own(saved, link):
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    first, second = (bring(scene, saved, link, "Mannequin") for _ in range(2))
    bodies = [item for item in scene.objects if item.name.startswith("body")]
    assert {body.modifiers["Armature"].object for body in bodies} == {first, second} and len(bodies) == 2
    own = Counter(item.name.partition(".")[0] for item in scene.objects if item.library is None)
    needed = {"cage's", "bow", "bow handle", "goal", "goal's parent", "slider", "set", "meshes"} if link else set()
    assert set(own.values()) == {2} and set(FAMILY) - needed <= set(own)  # what is only needed may stay linked
    for item in (first, second):
        keyframes.animate(item, item.name)
        keyframes.add_curves(item, "location", 3)
    assert first.animation_data.action != second.animation_data.action and first.parent != second.parent


def test_a_character_whose_collection_is_switched_off_is_seen(saved):
    """As in libraries of characters: then only what is hidden within it stays so."""
    bpy.ops.wm.open_mainfile(filepath=str(saved), load_ui=False)
    scene, home = bpy.context.scene, bpy.data.collections.new("library")
    scene.collection.children.link(home)
    for item in list(scene.collection.objects):
        home.objects.link(item)
        scene.collection.objects.unlink(item)
    for other in ("excluded", "viewport only"):
        home.children.link(bpy.data.collections[other])
        scene.collection.children.unlink(bpy.data.collections[other])
    bpy.data.collections["excluded"].hide_viewport = True
    scene.view_layers[0].layer_collection.children["library"].exclude = True
    bpy.ops.wm.save_as_mainfile(filepath=str(saved))
    _, scene = brought(saved, armature="Mannequin")
    assert {item.name for item in scene.objects} == set(FAMILY)
    assert {item.name for item in scene.objects if not item.visible_get()} >= {"helper"}
    assert next(item for item in scene.objects if item.name == "body").visible_get()


@pytest.mark.parametrize("home", ["a collection of its own", "none"])
def test_a_linked_character_is_the_same_after_saving(saved, tmp_path, home):
    """Without a collection around it Blender keeps plain ties alone, groups and modifiers among them."""
    bpy.ops.wm.open_mainfile(filepath=str(saved), load_ui=False)
    if home == "none":
        for name in set(FAMILY) - {"Mannequin", "set", "group", "meshes", "body", "helper", "low"}:
            bpy.data.objects.remove(bpy.data.objects[name])
    else:
        hero = bpy.data.collections.new("Hero")
        bpy.context.scene.collection.children.link(hero)
        for name in FAMILY:
            hero.objects.link(bpy.data.objects[name])
    bpy.ops.wm.save_as_mainfile(filepath=str(saved))
    _, scene = brought(saved, link=True, armature="Mannequin")
    shown = {item.name: np.array(item.matrix_world) for item in scene.objects}
    hidden = {item.name for item in scene.objects if item.hide_viewport}
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "out.blend"))
    after = worlds(tmp_path / "out.blend")
    assert after.keys() == shown.keys()
    for name, world in after.items():
        np.testing.assert_allclose(world, shown[name], atol=1e-6, err_msg=name)
    assert {item.name for item in bpy.context.scene.objects if item.hide_viewport} == hidden >= {"helper"}
    body = bpy.context.scene.objects["body"]
    assert body.library is None and body.modifiers["Armature"].object == bpy.context.scene.objects["Mannequin"]
