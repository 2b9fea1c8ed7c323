# SPDX-License-Identifier: GPL-3.0-or-later
"""What was done to people in the scene is done to the take, by the real engine: a new import has the same people."""

import json
import random
import shutil

import bpy
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder, take_places, takes
from bl_ext.user_default.human3r_blender.human3r_blender.sections.people import edit_record

from .conftest import assert_same_person, known
from .situations import appended_twice, duplicated, full_copy, linked, overridden, person, pick
from .test_like_takes import CASES, several

human3r = bpy.ops.human3r


@pytest.fixture
def own_take(take, tmp_path):
    """The take of three people, in the test's own folder."""
    return shutil.copy(take, tmp_path / "walk.h3r")


@pytest.fixture
def engine(engine_python, addon):
    yield engine_python
    addon.tasks.forget()


def root():
    return takes.roots_in(bpy.context.scene)[0]


def everybody(scene):
    return {item[tags.TRACK]: known(item) for item in family.people_in(scene)}


def import_anew(path):
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    made, problem = builder.import_take(path, bpy.context.scene, builder.ImportOptions(ground="off", clean=0.0))
    assert problem is None
    return {item[tags.TRACK]: known(item) for item in family.people_under(made.root)}


EDITS = [*((edit, False) for edit in dict.fromkeys(case[0] for case in CASES)), (several, True)]
NAMES = [f"{edit.__name__}-{'replaced' if replace else 'beside'}" for edit, replace in EDITS]


@pytest.mark.parametrize(("in_scene", "replace"), EDITS, ids=NAMES)
def test_a_new_import_has_the_same_people(own_take, imported, choose, scene, engine, tmp_path, in_scene, replace):
    before = own_take.read_bytes()
    people = imported(own_take)
    assert not human3r.save_to_take.poll()
    in_scene(people, choose, scene.frame_set)
    found = everybody(scene)
    assert human3r.save_to_take(replace=replace) == {"FINISHED"}
    saved = take_places.take_file(root())
    assert saved == (own_take if replace else tmp_path / "walk-edited.h3r")
    assert (own_take.read_bytes() == before) != replace and edit_record.read(root()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"walk.h3r", saved.name}
    again = import_anew(saved)
    assert again.keys() == found.keys()
    for number, one in again.items():
        assert_same_person(one, found[number])


def test_what_is_saved_is_not_saved_again_and_names_are_free(own_take, imported, choose, scene, engine, tmp_path):
    people = imported(own_take)
    choose(people[0])
    human3r.rename_person(name="Anna")
    human3r.save_to_take()
    assert not human3r.save_to_take.poll()
    human3r.rename_person(name="Berta")
    assert human3r.save_to_take() == {"FINISHED"}
    assert take_places.take_file(root()).name == "walk-edited-2.h3r"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["walk-edited-2.h3r", "walk-edited.h3r", "walk.h3r"]


def test_undo_takes_the_record_back_with_the_edit(own_take, imported, choose, scene):
    people = imported(own_take)
    choose(people[0])
    bpy.ops.ed.undo_push(message="before")
    human3r.merge_people(other="1")
    bpy.ops.ed.undo_push(message="merge")
    assert [edit.edit for edit in edit_record.read(root())] == ["merge"]
    bpy.ops.ed.undo()
    assert edit_record.read(root()) == []
    bpy.ops.ed.redo()
    assert edit_record.arguments_of(edit_record.read(root())) == ["--merge=0,1"]


def test_an_edit_that_is_refused_leaves_no_record(own_take, imported, choose, scene):
    people = imported(own_take)
    scene.frame_set(41)
    choose(people[0])
    for tool in (human3r.split_people, lambda: human3r.swap_people(other="2"), lambda: human3r.rename_person(name=" ")):
        with pytest.raises(RuntimeError):
            tool()
    assert edit_record.read(root()) == []


def test_the_eye_leaves_one_edit(own_take, imported, choose, scene):
    people = imported(own_take)
    for hide in (True, False, True, False, True):
        human3r.hide_people(person=people[1].name, hide=hide)
    assert edit_record.arguments_of(edit_record.read(root())) == ["--hide=1"]


@pytest.mark.parametrize("situation", [duplicated, appended_twice, full_copy, linked, overridden])
def test_only_what_the_take_can_have_is_recorded(own_take, imported, scene, tmp_path, situation):
    imported(own_take)
    item = situation(scene, tmp_path / "file.blend")
    if item.name in bpy.context.view_layer.objects:
        pick(item)
    try:
        human3r.rename_person(name="Anna")
    except RuntimeError as error:
        assert situation in (linked, overridden), error
    recorded = {place: edit_record.read(place) for place in takes.roots_in(bpy.context.scene)}
    wanted = 1 if situation in (full_copy, appended_twice) else 0  # whose roots are their own
    assert sum(map(len, recorded.values())) == wanted


def test_a_take_that_is_gone_or_interrupted_is_refused(own_take, imported, choose, scene, engine, tmp_path):
    choose(imported(own_take)[0])
    human3r.rename_person(name="Anna")
    (tmp_path / "walk.h3r.resume").write_bytes(b"x")
    with pytest.raises(RuntimeError, match="Resume it first"):
        human3r.save_to_take(replace=True)
    own_take.unlink()
    with pytest.raises(RuntimeError, match="not there any more"):
        human3r.save_to_take()
    assert len(edit_record.read(root())) == 1 and [path.name for path in tmp_path.iterdir()] == ["walk.h3r.resume"]


def test_what_the_engine_refuses_is_said_and_nothing_changes(own_take, imported, choose, scene, engine, tmp_path):
    choose(imported(own_take)[0])
    human3r.rename_person(name="Anna")
    edit_record.note(root(), edit_record.Recorded(edit_record.DELETE, (77,)))
    with pytest.raises(RuntimeError, match="no person 77"):
        human3r.save_to_take()
    assert len(edit_record.read(root())) == 2 and take_places.take_file(root()) == own_take
    assert [path.name for path in tmp_path.iterdir()] == ["walk.h3r"]


GOOD = {"edit": "rename", "people": [0], "row": 0, "name": "Anna", "limit_s": 0.0}
BAD = (
    3, "x", None, {}, GOOD | {"edit": "burn"}, GOOD | {"people": []}, GOOD | {"people": [-1]}, GOOD | {"people": ["0"]},
    GOOD | {"name": " "}, GOOD | {"name": "a\nb"}, GOOD | {"more": 1}, GOOD | {"edit": "merge"},
    GOOD | {"edit": "split", "row": -1}, GOOD | {"edit": "swap", "people": [0, 1, 2]}, GOOD | {"limit_s": -1.0},
    GOOD | {"people": [2**40]},
)  # fmt: skip


def test_a_record_of_any_content_is_refused_and_stops_no_tool(own_take, imported, choose, scene):
    choose(imported(own_take)[0])
    dice = random.Random(3)
    values = [json.dumps([GOOD, item]) for item in BAD] + ["{", "3", "[" * 5000, json.dumps([GOOD] * 20_000)]
    for value in values:
        root()[tags.EDITS] = value
        with pytest.raises(RuntimeError, match="cannot be read any more"):
            human3r.save_to_take()
        assert human3r.rename_person(name=f"Anna{dice.random()}"[:20]) == {"FINISHED"}
        assert root()[tags.EDITS] == value
    for value in (3, 2.5, [1, 2], {"a": 1}):
        del root()[tags.EDITS]
        root()[tags.EDITS] = value
        assert not human3r.save_to_take.poll()
    assert person(scene) is not None
