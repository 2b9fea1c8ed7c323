# SPDX-License-Identifier: GPL-3.0-or-later
"""An edit in the scene gives the same people as the same edit on the take, imported."""

import bpy
import pytest
from bl_ext.user_default.human3r_blender.engine.take_editing.editing import FillGaps, edit_take
from bl_ext.user_default.human3r_blender.engine.take_editing.edits import (
    Delete,
    Hide,
    Merge,
    Moment,
    Rename,
    Split,
    Swap,
)
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder

from .conftest import assert_same_person, known

human3r = bpy.ops.human3r


def merge(people, choose, go_to):
    choose(people[1])
    return human3r.merge_people(other="0")


def merge_three(people, choose, go_to):
    go_to(15)  # all are there, so that all can be selected
    choose(people[2], people[1], people[0])
    return human3r.merge_people()


def split(people, choose, go_to):
    go_to(30)
    choose(people[1])
    return human3r.split_people()


def split_in_a_gap(people, choose, go_to):
    go_to(26)
    choose(people[2])  # who is hidden there
    return human3r.split_people()


def swap(people, choose, go_to):
    go_to(17)
    choose(people[0], people[1])
    return human3r.swap_people()


def fill(people, choose, go_to):
    return human3r.fill_gaps(limit_s=0.3, everyone=True)


def delete(people, choose, go_to):
    choose(people[0], people[2])
    return human3r.delete_people()


def several(people, choose, go_to):
    go_to(9)
    choose(people[2])
    human3r.split_people()
    human3r.rename_person(name="Anna")
    human3r.merge_people(other="0")
    choose(people[1])
    human3r.hide_people()
    return human3r.fill_gaps(limit_s=0.7, everyone=True)


CASES = [
    (merge, [Merge(1, (0,))], None, 0.75), (merge_three, [Merge(2, (0, 1))], None, 0.0),
    (split, [Split(1, Moment(29))], None, 0.5), (split_in_a_gap, [Split(2, Moment(25))], None, 0.0),
    (swap, [Swap(0, 1, Moment(16))], None, 0.0), (delete, [Delete(0), Delete(2)], None, 0.0),
    (fill, [], 0.3, 0.75),
    (several, [Split(2, Moment(8)), Rename(2, "Anna"), Merge(2, (0,)), Hide(1)], 0.7, 0.0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("in_scene", "on_take", "limit_s", "clean"), CASES, ids=[f"{case[0].__name__}-{case[3]}" for case in CASES]
)
def test_scene_and_take(take, tmp_path, imported, choose, scene, in_scene, on_take, limit_s, clean):
    people = imported(take, clean=clean)
    untouched = {number: known(item) for number, item in people.items()}
    take_id = people[0][tags.TAKE]
    assert in_scene(people, choose, scene.frame_set) == {"FINISHED"}
    found = {
        item[tags.TRACK]: known(item)
        for item in scene.objects
        if item.get(tags.ROLE) == tags.ARMATURE and item[tags.TAKE] == take_id
    }
    fill_options = None if limit_s is None else FillGaps(limit_s)
    edit_take(take, tmp_path / "edited.h3r", on_take, fill_options)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    options = builder.ImportOptions(ground="off", clean=clean)
    made, problem = builder.import_take(tmp_path / "edited.h3r", bpy.context.scene, options)
    wanted = {item[tags.TRACK]: known(item) for item in family.people_under(made.root)}
    assert problem is None and found.keys() == wanted.keys()
    for number, person in wanted.items():
        assert_same_person(found[number], person)
    # It is a test only if something changed.
    assert found.keys() != untouched.keys() or any(
        len(person.predicted) != len(untouched[number].predicted) for number, person in found.items()
    )
