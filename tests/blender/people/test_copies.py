# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of people, made by Blender's own means, live lives of their own: whatever is done with one leaves the other.

And people whom the user renamed, or who come from files of earlier versions, are found all the same.
"""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.motion.clean_up import CleanUpSettings
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes, tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import blocks, colors, family, sampling, versions
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export import exporting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.settings import ExportSettings
from bl_ext.user_default.human3r_blender.human3r_blender.sections.people import editing
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget import character_files

from .conftest import RATE, assert_same_person, known

human3r = bpy.ops.human3r


def copy(item, linked=False):
    """The copy of a person and the person's mesh that Shift D, or with `linked` Alt D, makes."""
    for other in bpy.context.scene.objects:
        other.select_set(other in (item, family.mesh(item)))
    bpy.context.view_layer.objects.active = item
    bpy.ops.object.duplicate(linked=linked)
    made = bpy.context.view_layer.objects.active
    assert made != item and family.is_person(made)
    return made


def forget(*people):
    """Make people those of a file of an earlier version, whose armatures hold no Actions."""
    for item in people:
        for role in family.ROLES:
            item.pop(f"human3r_{role}", None)


@pytest.fixture(params=["as now", "as in earlier versions"])
def pair(request, take, imported):
    """The third person of the take, who has gaps, and a copy."""
    item = imported(take, clean=0.5)[2]
    made = copy(item)
    if request.param != "as now":
        forget(item, made)
    return item, made


def fill(item):
    assert editing.fill_gaps(item, 0.3, RATE) == 7


def split(item):
    editing.split(item, 18, RATE)


def clean(item):
    versions.clean(item, RATE, CleanUpSettings(1.0))


def paint(item):
    colors.paint(family.mesh(item), (0.1, 0.2, 0.3, 1.0))


def hide(item):
    blocks.set_hidden(item, True)


def rename(item):
    blocks.rename(item, "Anna")


def remove(item):
    blocks.remove(item, "deleted")


def retouch(item):
    """What moves this raw motion, by hand."""
    versions.show(item, tags.RAW)


TOOLS = (fill, split, clean, paint, hide, rename, remove, retouch)


@pytest.mark.parametrize("which", [0, 1], ids=["original", "copy"])
@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.__name__)
def test_what_is_done_with_one_leaves_the_other(pair, tool, which):
    """Also the names of the other's parts, and which motion plays."""
    worked_on, other = pair[which], pair[1 - which]

    def state():
        parts = [other, family.mesh(other), *family.animated(other), *family.actions(other).values()]
        return [part.name for part in parts], versions.shown(other), tuple(family.mesh(other).color)

    before, named = known(other), state()
    tool(worked_on)
    assert_same_person(known(other), before)
    assert [name.split(".")[0] for name in state()[0]] == [name.split(".")[0] for name in named[0]]
    assert state()[1:] == named[1:]


@pytest.mark.parametrize("linked", [False, True], ids=["Shift D", "Alt D"])
def test_a_copy_is_edited_like_the_original(take, imported, linked):
    """Both come to the same where the same is done to both, one after the other."""
    item = imported(take, clean=0.5)[2]
    made = copy(item, linked)
    for worked_on in (made, item):
        fill(worked_on)
    ours, theirs = known(item), known(made)
    np.testing.assert_array_equal(ours.poses["raw"][0], theirs.poses["raw"][0])
    for role in ("raw", "clean"):
        assert family.action(item, role) != family.action(made, role)
        np.testing.assert_allclose(ours.poses[role][1], theirs.poses[role][1], atol=1e-5)
    np.testing.assert_allclose(ours.expressions, theirs.expressions, atol=1e-6)
    assert item.data != made.data and family.mesh(item).data != family.mesh(made).data


def test_a_copy_of_the_armature_alone_has_no_mesh(take, imported):
    item = imported(take)[0]
    for other in bpy.context.scene.objects:
        other.select_set(other == item)
    bpy.context.view_layer.objects.active = item
    bpy.ops.object.duplicate()
    made = bpy.context.view_layer.objects.active
    assert family.mesh(made) is None and family.mesh(item) is not None
    assert family.person_of(family.mesh(item)) == item


def test_copies_are_chosen_and_named_one_by_one(pair, choose):
    item, made = pair
    choose(made)
    assert human3r.rename_person(name="Twin") == {"FINISHED"}
    assert (made.name, family.mesh(made).name) == ("Twin", "Twin mesh") and item.name == "Person 03"
    choose(family.mesh(item))
    assert human3r.delete_people() == {"FINISHED"}
    assert "Person 03" not in bpy.data.objects and family.mesh(made) is not None
    assert family.actions(made).keys() == {"raw", "clean"}


def test_a_copy_is_merged_into_the_original_by_the_menu(pair, choose, scene):
    item, made = pair
    made.name = "Twin"
    fill(made)
    choose(item)
    count = len(known(item).predicted)
    assert human3r.merge_people(other="2 Twin") == {"FINISHED"}
    assert "Twin" not in bpy.data.objects and len(known(item).predicted) == count + 7


def test_a_copy_is_exported_and_retargeted_as_it_moves(pair, scene, tmp_path):
    """A copy whose place, motion and face differ, and the original without these."""
    item, made = pair
    scene.frame_start, scene.frame_end = 1, 40
    frames = np.arange(1.0, 41.0)
    before = sampling.sample(item, scene, frames)
    fill(made)
    made.location.x += 2.0
    key = family.mesh(made).data.shape_keys
    curve = keyframes.curves(key)['key_blocks["Exp000"].value', 0]
    keyframes.set_values(curve, np.full(len(curve.keyframe_points), 4.0))
    bpy.context.view_layer.update()
    after, moved = (sampling.sample(who, scene, frames) for who in (item, made))
    np.testing.assert_allclose(after.joints, before.joints, atol=1e-5)
    assert [who for who in character_files.people(scene) if who in pair] == [item, made]
    offset = moved.joints[0, 0] - after.joints[0, 0]
    assert np.linalg.norm(offset) > 1.9
    settings = ExportSettings(("npz",), together=False)
    written = exporting.export(scene, [item, made], tmp_path, "two", settings).files
    faces = [np.load(path)["expression"][:, 0] for path in written]
    assert np.allclose(faces[1], 4.0) and not np.allclose(faces[0], 4.0)


def test_a_renamed_person_is_found(take, imported, choose, scene):
    """Whatever the user renames by hand, and after saving and loading."""
    item = imported(take, clean=0.5)[2]
    wanted = known(item)
    parts = [family.mesh(item), family.collection(item), item.data, *family.actions(item).values()]
    for number, part in enumerate(parts):
        part.name = f"x{number}"
    assert_same_person(known(item), wanted)
    item.name = "Zoë"
    fill(item)
    assert len(known(item).predicted) == len(wanted.predicted) + 7


def test_people_of_earlier_versions_hold_their_actions_once_they_are_edited(take, imported, tmp_path):
    item = imported(take, clean=0.5)[2]
    wanted = known(item)
    forget(item)
    path = tmp_path / "old.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    item = bpy.data.objects["Person 03"]
    assert_same_person(known(item), wanted)
    clean(item)
    assert item["human3r_raw"] == family.action(item, "raw") and item["human3r_clean"] == item.animation_data.action
