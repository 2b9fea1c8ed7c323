# SPDX-License-Identifier: GPL-3.0-or-later
"""The buttons of the section People: what they leave behind, what they refuse, and that undo takes all of it back."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import HEAD
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes, tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import blocks, family, versions
from bl_ext.user_default.human3r_blender.human3r_blender.person.motion import LOCATION, motion_of_person

from .conftest import RATE, assert_same_person, known

human3r = bpy.ops.human3r


def everybody():
    """All people of the file by name, each `Known`; and the names of all that is in it."""
    people = {item.name: known(item) for item in bpy.data.objects if item.get(tags.ROLE) == tags.ARMATURE}
    places = (
        bpy.data.objects,
        bpy.data.actions,
        bpy.data.collections,
        bpy.data.meshes,
        bpy.data.armatures,
        bpy.data.materials,
    )
    return people, [sorted(block.name for block in place) for place in places]


def heads(item):
    """{frame: (3,) head joint}"""
    keyed = motion_of_person(item, RATE, family.action(item, tags.RAW))
    return dict(zip(keyed.frames.tolist(), keyed.motion.joints()[:, HEAD], strict=True))


@pytest.mark.parametrize("tool", [
    lambda: human3r.merge_people(other="1"), lambda: human3r.swap_people(other="1"), lambda: human3r.split_people(),
    lambda: human3r.rename_person(name="Anna"), lambda: human3r.delete_people(), lambda: human3r.hide_people(),
    lambda: human3r.fill_gaps(everyone=True),
], ids=["merge", "swap", "split", "rename", "delete", "hide", "fill"])  # fmt: skip
def test_undo_takes_it_all_back_and_redo_does_it_again(take, imported, choose, scene, tool):
    people = imported(take, clean=0.5)
    scene.frame_set(16)
    choose(people[0])
    before = everybody()
    bpy.ops.ed.undo_push(message="before")
    assert tool() == {"FINISHED"}
    bpy.ops.ed.undo_push(message="tool")
    after = everybody()
    for step, wanted in ((bpy.ops.ed.undo, before), (bpy.ops.ed.redo, after), (bpy.ops.ed.undo, before)):
        step()
        found = everybody()
        assert found[0].keys() == wanted[0].keys() and found[1] == wanted[1]
        for name, person in wanted[0].items():
            assert_same_person(found[0][name], person)
    assert before[1] != after[1] or any(
        before[0][name].hidden != person.hidden or len(before[0][name].predicted) != len(person.predicted)
        for name, person in after[0].items()
    )


def test_heads_stay_where_they_were_seen_whatever_body_they_come_to(take, imported, choose, scene):
    people = imported(take)
    zero, one = heads(people[0]), heads(people[1])
    scene.frame_set(16)
    choose(people[0], people[1])
    shapes = [known(people[number]).betas for number in (0, 1)]
    assert human3r.swap_people() == {"FINISHED"}
    for number, ours, theirs in ((0, zero, one), (1, one, zero)):
        found = heads(people[number])
        for frame, head in found.items():
            np.testing.assert_allclose(head, ours[frame] if frame < 16 else theirs[frame], atol=1e-4)
        assert not np.allclose(known(people[number]).betas, shapes[number], atol=0.01)


def test_what_is_thrown_away_stays_in_the_file(take, imported, choose):
    people = imported(take, clean=0.5)
    choose(people[2])
    raw = family.action(people[0], tags.RAW)
    human3r.merge_people(other="0")
    assert raw.name == "Person 01 (merged into Person 03)" and raw.use_fake_user and raw[tags.ROLE] == tags.FORMER
    choose(people[1])
    raw = family.action(people[1], tags.RAW)
    human3r.delete_people()
    assert raw.name == "Person 02 (deleted)" and raw.use_fake_user
    gone = ("Person 01", "Person 02")
    left = {
        place: [block.name for block in getattr(bpy.data, place) if block.name.startswith(gone)]
        for place in ("objects", "collections", "meshes", "armatures", "materials")
    }
    assert not any(left.values()), left
    choose(people[2])
    bpy.context.scene.frame_set(10)
    human3r.split_people()
    assert "Person 04" in bpy.data.objects and "Person 01" not in bpy.data.objects  # numbers are not used again


def test_the_version_that_plays_goes_on_playing(take, imported, choose, scene):
    people = imported(take, clean=0.5)
    for number in (0, 1):
        versions.show(people[number], tags.RAW)
    scene.frame_set(30)
    choose(people[1])
    human3r.split_people()
    human3r.merge_people(other="0")
    choose(people[2])
    human3r.fill_gaps()
    people = {item[tags.TRACK]: item for item in scene.objects if item.get(tags.ROLE) == tags.ARMATURE}
    shown = {number: versions.shown(item) for number, item in people.items()}
    assert shown == {1: tags.RAW, 2: tags.CLEAN, 3: tags.RAW}
    assert all(versions.settings_of(item).strength == 0.5 for item in people.values())


def test_an_action_of_ones_own_plays_on(take, imported, choose):
    people = imported(take, clean=0.5)
    own = keyframes.copy_part(family.action(people[2], tags.RAW), LOCATION, "mine")
    del own[tags.ROLE]
    keyframes.play(people[2], own, LOCATION)
    people[1].animation_data.action = None
    choose(people[2])
    assert human3r.fill_gaps(everyone=True) == {"FINISHED"} == human3r.merge_people(other="0")
    choose(people[1])
    assert human3r.fill_gaps() == {"FINISHED"}
    assert people[2].animation_data.action == own and people[1].animation_data.action is None
    assert keyframes.curves(people[2]).keys() == keyframes.curves_in(own, LOCATION).keys() != set()


def test_a_name_is_everywhere(take, imported, choose):
    people = imported(take, clean=0.5)
    choose(people[1])
    assert human3r.rename_person(name="  Bö ") == {"FINISHED"}
    item = people[1]
    body = family.mesh(item)
    bearers = [
        item,
        item.data,
        family.collection(item),
        body,
        body.data,
        body.active_material,
        *family.actions(item).values(),
    ]
    assert {bearer.name for bearer in bearers} == {"Bö", "Bö mesh", "Bö clean"}
    for place in ("objects", "actions", "collections", "meshes", "armatures", "materials"):
        assert not [block.name for block in getattr(bpy.data, place) if block.name.startswith("Person 02")], place


def test_people_of_two_imports_keep_their_names_apart(take, imported, choose):
    imported(take)
    second = imported(take)
    assert second[0].name == "Person 01.001"
    choose(second[0])
    human3r.rename_person(name="Anna")
    choose(second[1])
    human3r.rename_person(name="Anna")
    assert [second[number].name for number in (0, 1)] == ["Anna", "Anna.001"]
    assert family.mesh(second[0]).name == "Anna mesh" and "Person 01" in bpy.data.objects
    choose(second[0])
    with pytest.raises(TypeError, match="not found"):  # the menu offers people of the same take alone
        human3r.merge_people(other="9")
    bpy.data.objects["Person 01"].select_set(True)
    with pytest.raises(RuntimeError, match="different takes"):
        human3r.merge_people()


def test_hiding_hides_everywhere_and_all_come_back(take, imported, choose, scene):
    people = imported(take)
    assert not human3r.show_people.poll()
    choose(people[0])
    human3r.hide_people()
    human3r.hide_people(person="Person 03")
    for number, item in people.items():
        home = family.collection(item)
        assert home.hide_viewport == home.hide_render == (number != 1)
    human3r.hide_people(person="Person 03", hide=False)
    assert blocks.is_hidden(people[0]) and not blocks.is_hidden(people[2])
    assert human3r.show_people() == {"FINISHED"}
    assert not blocks.is_hidden(people[0])


def test_exact_surfaces_are_baked_anew(take, imported, choose, scene):
    people = imported(take, pose_correctives=True)

    def frames(item):
        curves = keyframes.curves(family.mesh(item).data.shape_keys)
        return [len(curve.keyframe_points) for name, curve in curves.items() if "Pose0" in name[0]]

    scene.frame_set(30)
    choose(people[1])
    assert set(frames(people[1])) == {26}
    human3r.split_people()
    assert set(frames(people[1])) == {15} and set(frames(bpy.data.objects["Person 04"])) == {11}


@pytest.mark.parametrize(("frame", "chosen", "tool", "said"), [
    (5, [0], lambda: human3r.merge_people(), "Shift-click the other person"),
    (5, [1], lambda: human3r.split_people(), "between the person's first and last key"),
    (41, [0], lambda: human3r.swap_people(other="2"), "earlier"),
    (3, [0], lambda: human3r.rename_person(name="  "), "letters"),
    (3, [0], lambda: human3r.hide_people(person="Nobody"), "No people are selected"),
])  # fmt: skip
def test_what_cannot_be_done_is_said_and_nothing_changes(take, imported, choose, scene, frame, chosen, tool, said):
    people = imported(take)
    scene.frame_set(frame)
    choose(*(people[number] for number in chosen))
    before = everybody()
    with pytest.raises(RuntimeError, match=said):
        tool()
    after = everybody()
    assert after[1] == before[1]
    for name, person in before[0].items():
        assert_same_person(after[0][name], person)


def test_without_people_the_tools_are_off(scene, take, imported):
    tools = (
        human3r.merge_people,
        human3r.split_people,
        human3r.swap_people,
        human3r.rename_person,
        human3r.delete_people,
    )
    assert not any(tool.poll() for tool in (*tools, human3r.hide_people, human3r.fill_gaps))
    imported(take)
    bpy.context.view_layer.objects.active = None
    assert not any(tool.poll() for tool in tools) and human3r.fill_gaps.poll()


def test_a_person_without_a_mesh_is_refused_and_one_without_records_keeps_its_shape(take, imported, choose, scene):
    people = imported(take)
    choose(people[2])
    for key in ("human3r_pictures", "human3r_absence_s"):  # as scenes of earlier versions
        del people[2].parent[key]
    del family.action(people[2], tags.RAW)["human3r_betas"]
    before = known(people[2])
    assert human3r.fill_gaps(limit_s=0.3) == {"FINISHED"}
    after = known(people[2])
    assert len(after.predicted) == len(before.predicted) + 7
    np.testing.assert_allclose(after.betas, before.betas, atol=1e-6)
    bpy.data.objects.remove(family.mesh(people[2]))
    with pytest.raises(RuntimeError, match="no longer has its mesh"):
        human3r.split_people()
