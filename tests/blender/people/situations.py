# SPDX-License-Identifier: GPL-3.0-or-later
"""The states that a user's file may be in when a tool is used, and what must not change in it."""

import bpy
import numpy as np
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes, tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import family


def duplicated(scene, path):
    item = person(scene)
    pick(item, family.mesh(item))
    bpy.ops.object.duplicate()
    return bpy.context.view_layer.objects.active


def appended_twice(scene, path):
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    for _ in range(2):
        bring(scene, path)
    return [item for item in bpy.context.scene.objects if family.is_person(item)][-1]


def full_copy(scene, path):
    window = bpy.context.window_manager.windows[0]
    with bpy.context.temp_override(window=window):
        bpy.ops.scene.new(type="FULL_COPY")
        return person(bpy.context.scene)


def linked(scene, path):
    save_and_begin_anew(path, link=True)
    return person(bpy.context.scene)


def overridden(scene, path):
    save_and_begin_anew(path, link=True)
    [collection] = bpy.context.scene.collection.children
    collection.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer, do_fully_editable=True)
    bpy.context.view_layer.update()
    return next(item for item in bpy.context.scene.objects if family.is_person(item) and item.override_library)


def excluded(scene, path):
    item = person(scene)
    pick(item)
    bpy.context.view_layer.layer_collection.children[0].exclude = True
    bpy.context.view_layer.update()
    return item


def in_a_hidden_collection(scene, path):
    item = person(scene)
    pick(item)
    family.collection(item).hide_viewport = True
    return item


def in_tweak_mode(scene, path):
    item = person(scene)
    action = item.animation_data.action
    strip = item.animation_data.nla_tracks.new().strips.new("strip", 1, action)
    item.animation_data.action = None
    strip.select = item.animation_data.nla_tracks[0].select = True
    item.animation_data.nla_tracks.active = item.animation_data.nla_tracks[0]
    item.animation_data.use_tweak_mode = True
    return item


def in_pose_mode(scene, path):
    item = person(scene)
    pick(item)
    bpy.ops.object.mode_set(mode="POSE")
    scene.tool_settings.use_keyframe_insert_auto = True
    return item


def in_another_scene(scene, path):
    item = person(scene)
    bpy.data.scenes.new("Other")
    return item


def in_edit_mode(scene, path):
    item = person(scene)
    pick(item)
    bpy.ops.object.mode_set(mode="EDIT")
    return item


SITUATIONS = (
    duplicated, appended_twice, full_copy, linked, overridden, excluded, in_a_hidden_collection, in_tweak_mode,
    in_pose_mode, in_another_scene, in_edit_mode,
)  # fmt: skip


def person(scene):
    """The person with gaps."""
    return next(item for item in family.people_in(scene) if item[tags.TRACK] == 2)


def pick(*items):
    for other in bpy.context.view_layer.objects:
        other.select_set(other in items)
    bpy.context.view_layer.objects.active = items[0]


def save_and_begin_anew(path, link):
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bring(bpy.context.scene, path, link)


def bring(scene, path, link=False):
    """The collection of the take out of a file."""
    with bpy.data.libraries.load(str(path), link=link) as (there, wanted):
        wanted.collections = [name for name in there.collections if name == "walk"]
    [collection] = wanted.collections
    scene.collection.children.link(collection)
    bpy.context.view_layer.update()


def curves_outside(family_of):
    """Every F-curve of people other than one, of any scene, by what it belongs to."""
    own = {block.session_uid for block in (*family.animated(family_of), *family.actions(family_of).values())}
    found = {}
    for item in bpy.data.objects:
        if not family.is_person(item) or item == family_of:
            continue
        blocks = [*family.animated(item), *family.actions(item).values()]
        for block in blocks:
            if block.session_uid in own:
                continue
            curves = (
                keyframes.curves_in(block, 'pose.bones["pelvis"].location')
                if isinstance(block, bpy.types.Action)
                else keyframes.curves(block)
            )
            for name, curve in curves.items():
                found[item.session_uid, block.bl_rna.identifier, block.get(tags.ROLE, ""), name] = np.concatenate(
                    keyframes.read(curve)
                ).tobytes()
    return found
