# SPDX-License-Identifier: GPL-3.0-or-later
"""Contacts that somebody marks, frees and moves: the clean motion follows, and they stay with the person."""

import json

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_INDEX, LEFT_FOOT, LEFT_WRIST, RIGHT_WRIST
from bl_ext.user_default.human3r_blender.engine.motion.clean_up import CleanUpSettings
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import contacts, family, versions
from bl_ext.user_default.human3r_blender.human3r_blender.sections.people import editing

from .conftest import FRAMES, LANDS, LEAVES, RATE, hoppers
from .test_versions import assert_same, version

human3r = bpy.ops.human3r
JUST_HELD = CleanUpSettings(0.0, refine=False)
STILL_M = 0.001
BLEND = 12
"""Frames beside a contact in which it fades."""
HIPS = 9
"""Frames that the hips' correction is smoothed over."""


def drifters(people=1, **changes):
    """Somebody who stands and is seen to drift sideways by 20 cm/s, with arms that sway."""
    take = hoppers(people, **changes)
    take.heads[:] = [0.0, 0.0, 4.0]
    take.heads[..., 0] += np.arange(FRAMES)[:, None] * 0.2 / RATE + np.arange(people)
    take.poses[:, :, 1:] = 0.0
    sway = np.sin(np.arange(FRAMES) / 7)
    take.poses[:, :, JOINT_INDEX["left_shoulder"], 2] = -1.1 + 0.15 * sway[:, None]
    take.poses[:, :, JOINT_INDEX["right_shoulder"], 2] = 1.1 + 0.15 * sway[:, None]
    take.poses[:, :, JOINT_INDEX["left_elbow"], 1], take.poses[:, :, JOINT_INDEX["right_elbow"], 1] = -1.4, 1.4
    return take


@pytest.fixture
def drifter(build):
    """Who is selected, held as soon as a contact says so, and whose feet nobody has found to stand."""
    (item,) = build(drifters(), clean=0.0)
    pick(item)
    contacts.write(item, tuple(contacts.Edit(foot, 1, FRAMES, False) for foot in ("left_foot", "right_foot")))
    versions.clean(item, RATE, JUST_HELD)
    assert contacts.listed(item) == []
    return item


def pick(item):
    for other in bpy.context.view_layer.objects:
        other.select_set(other == item)
    bpy.context.view_layer.objects.active = item


def edit(at, tool, **options):
    bpy.context.scene.frame_set(at)
    assert getattr(human3r, tool)(**options) == {"FINISHED"}


def spans(item, limb="left_foot"):
    return [(contact.first, contact.last, contact.by_hand) for contact in contacts.listed(item) if contact.limb == limb]


def moves(joints):
    """How far apart the places of a joint are, at most."""
    return np.linalg.norm(joints.max(axis=0) - joints.min(axis=0))


def test_a_marked_foot_stays_and_slides_elsewhere(drifter, seen_joints):
    edit(30, "mark_contact", limb="LEFT_FOOT", length=15)
    assert spans(drifter) == [(30, 44, True)] and spans(drifter, "right_foot") == []
    assert moves(seen_joints(drifter, range(30, 45))[:, LEFT_FOOT]) < STILL_M
    assert moves(seen_joints(drifter, range(60, 75))[:, LEFT_FOOT]) > 0.08
    assert moves(seen_joints(drifter, range(30, 45))[:, JOINT_INDEX["right_foot"]]) > 0.08


def test_a_freed_foot_follows_the_raw_motion(build, seen_joints):
    (item,) = build(hoppers(), clean=0.0)
    pick(item)
    versions.clean(item, RATE, JUST_HELD)
    first, last, by_hand = spans(item)[0]
    assert first <= 3 and last >= LEAVES - 3 and not by_hand
    held = version(item, tags.CLEAN)
    for limb in ("LEFT_FOOT", "RIGHT_FOOT"):  # the hips follow either
        edit(10, "free_contact", limb=limb)
    later = [contact.first for contact in contacts.listed(item)]
    assert min(later) > last
    frames = np.arange(1, min(later) - BLEND - 2 * HIPS)
    assert len(frames) > 10
    clean = seen_joints(item, frames)
    assert any((values != held[name][1]).any() for name, (_, values, _) in version(item, tags.CLEAN).items())
    versions.show(item, tags.RAW)
    np.testing.assert_allclose(clean, seen_joints(item, frames), atol=1e-5)


@pytest.mark.parametrize(("edge", "frame", "span"), [
    ("START", 24, (24, 44)), ("START", 37, (37, 44)), ("END", 52, (30, 52)), ("END", 36, (30, 36)),
    ("WHOLE", 50, (50, 64)), ("WHOLE", 10, (10, 24)), ("START", 5, (5, 44)), ("END", 80, (30, 80)),
])  # fmt: skip
def test_a_contact_is_moved(drifter, seen_joints, edge, frame, span):
    edit(30, "mark_contact", limb="LEFT_FOOT", length=15)
    edit(frame, "move_contact", limb="LEFT_FOOT", edge=edge)
    assert spans(drifter) == [(*span, True)]
    first, last = span
    reach = range(first, min(last, first + 25) + 1)  # a leg does not reach farther at this speed
    assert moves(seen_joints(drifter, reach)[:, LEFT_FOOT]) < STILL_M or last - first > 25
    left = [one for one in range(30, 45) if not first - BLEND <= one <= last + BLEND]
    assert len(left) < 2 or moves(seen_joints(drifter, left)[:, LEFT_FOOT]) > 0.005 * len(left)


def test_a_found_contact_is_cut_and_given_back(build):
    (item,) = build(hoppers())
    pick(item)
    before = spans(item)
    first, last, _ = before[0]
    edit(20, "move_contact", limb="LEFT_FOOT", edge="START")
    assert spans(item)[0] == (20, last, True)
    edit(28, "move_contact", limb="LEFT_FOOT", edge="END")
    assert spans(item)[0] == (20, 28, True) and spans(item)[1:] == before[1:]
    edit(25, "reset_contact", limb="LEFT_FOOT")
    assert spans(item) == before and contacts.read(item) == () and contacts.EDITS not in item
    assert first < 20


def test_what_was_freed_is_listed_until_it_is_marked_again(build):
    (item,) = build(hoppers())
    pick(item)
    first, last, _ = spans(item)[0]
    edit(20, "free_contact", limb="LEFT_FOOT")
    assert contacts.freed(item) == [contacts.Contact("left_foot", first, last, True)]
    edit(10, "mark_contact", limb="LEFT_FOOT", length=5)
    assert [(one.first, one.last) for one in contacts.freed(item)] == [(first, 9), (15, last)]
    edit(12, "reset_contact", limb="LEFT_FOOT")
    assert contacts.freed(item) == [] and spans(item)[0] == (first, last, False)


def test_a_new_contact_ends_before_the_next(build):
    (item,) = build(hoppers())
    pick(item)
    lands = spans(item)[1][0]
    assert lands - 5 > LEAVES
    edit(int(lands) - 5, "mark_contact", limb="LEFT_FOOT", length=30)
    assert spans(item)[1] == (lands - 5, lands - 2, True) and spans(item)[2][0] == lands
    edit(LANDS + 15, "mark_contact", limb="LEFT_FOOT")  # which is there already: it stays as it is, by hand
    assert spans(item)[2] == (*spans(item)[2][:2], True)


def test_a_hand_on_a_table(drifter, seen_joints, go_to):
    before = seen_joints(drifter, range(1, FRAMES + 1))
    edit(40, "mark_contact", limb="LEFT_HAND", length=10)
    after = seen_joints(drifter, range(1, FRAMES + 1))
    assert spans(drifter, "left_hand") == [(40, 49, True)]
    resting = slice(39, 49)
    assert moves(before[resting, LEFT_WRIST]) > 0.03 and moves(after[resting, LEFT_WRIST]) < STILL_M
    assert moves(after[resting, JOINT_INDEX["left_middle1"]]) < STILL_M
    np.testing.assert_allclose(after[:, RIGHT_WRIST], before[:, RIGHT_WRIST], atol=1e-6)
    np.testing.assert_allclose(after[: 39 - BLEND], before[: 39 - BLEND], atol=1e-6)
    assert bpy.ops.human3r.show_contacts(show=True) == {"FINISHED"}
    mark = next(mark for mark in family.marks(drifter).objects if "left hand" in mark.name)
    palm = (after[44, LEFT_WRIST] + after[44, JOINT_INDEX["left_middle1"]]) / 2
    for frame in (35, 40, 45, 49, 52):
        go_to(frame)
        assert mark.hide_viewport != (40 <= frame <= 49)
    np.testing.assert_allclose(mark.matrix_world.translation, palm - [0, 0, 0.02], atol=1e-3)
    edit(44, "free_contact", limb="LEFT_HAND")
    np.testing.assert_allclose(seen_joints(drifter, range(1, FRAMES + 1)), before, atol=1e-6)
    assert {mark.name for mark in family.marks(drifter).objects} == {
        f"{drifter.name} {side} contact" for side in ("left", "right")
    }


def test_what_plays_goes_on(build):
    (item,) = build(hoppers())
    pick(item)
    own = family.action(item, tags.RAW).copy()
    del own[tags.ROLE]
    for role in (tags.RAW, tags.LIVE, "own", None):
        if role == tags.LIVE:
            versions.make_live(item, RATE)
        if role in (tags.RAW, tags.LIVE):
            versions.show(item, role)
        else:
            versions.play_own(item, own.name if role else "")
        playing, made = item.animation_data.action, family.action(item, tags.CLEAN).session_uid
        edit(25, "move_contact", limb="RIGHT_FOOT", edge="START")
        assert item.animation_data.action == playing, role
        assert family.action(item, tags.CLEAN).session_uid != made
        edit(25, "reset_contact", limb="RIGHT_FOOT")


def test_before_a_clean_up_they_wait_for_it(build, seen_joints):
    (item,) = build(drifters(), clean=0.0)
    pick(item)
    edit(30, "mark_contact", limb="RIGHT_HAND", length=8)
    assert versions.shown(item) == tags.RAW and family.action(item, tags.CLEAN) is None
    assert spans(item, "right_hand") == [(30, 37, True)]
    assert moves(seen_joints(item, range(30, 38))[:, RIGHT_WRIST]) > 0.03
    assert human3r.show_version(version="CLEAN") == {"FINISHED"}
    assert moves(seen_joints(item, range(30, 38))[:, RIGHT_WRIST]) < STILL_M


def test_they_are_saved_and_the_next_clean_up_heeds_them(drifter, seen_joints, tmp_path):
    edit(30, "mark_contact", limb="LEFT_FOOT", length=15)
    listed = contacts.listed(drifter)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    (item,) = family.people_in(bpy.context.scene)
    assert contacts.listed(item) == listed and len(listed) == 1
    assert human3r.clean_up(strength=0.75) == {"FINISHED"}
    assert contacts.listed(item) == listed
    assert moves(seen_joints(item, range(30, 45))[:, LEFT_FOOT]) < STILL_M


def test_an_edit_is_undone(build):
    (item,) = build(hoppers())
    pick(item)
    name, before = item.name, spans(item)
    bpy.context.scene.frame_set(20)
    bpy.ops.ed.undo_push(message="before")
    assert human3r.free_contact(limb="LEFT_FOOT") == {"FINISHED"}
    bpy.ops.ed.undo_push(message="Free Contact")
    assert spans(bpy.data.objects[name]) != before
    bpy.ops.ed.undo()
    assert spans(bpy.data.objects[name]) == before and contacts.read(bpy.data.objects[name]) == ()
    bpy.ops.ed.redo()
    assert spans(bpy.data.objects[name]) == before[1:]


def test_a_copy_has_its_own(build):
    (item,) = build(hoppers())
    edit_of_both = contacts.Edit("left_hand", 5, 9, True)
    contacts.write(item, (edit_of_both,))
    for other in (item, family.mesh(item)):
        other.select_set(True)
    bpy.context.view_layer.objects.active = item
    bpy.ops.object.duplicate()
    made = bpy.context.view_layer.objects.active
    before = version(item, tags.CLEAN)
    pick(made)
    edit(20, "free_contact", limb="LEFT_FOOT")
    assert contacts.read(item) == (edit_of_both,) and len(contacts.read(made)) == 2
    assert_same(version(item, tags.CLEAN), before)
    assert spans(item)[0][0] <= 3 and spans(made)[0][0] > LEAVES


def test_the_bone_in_pose_mode_tells_the_limb(build):
    (item,) = build(hoppers())
    pick(item)
    bpy.context.scene.human3r_contacts.limb = "RIGHT_FOOT"
    bpy.ops.object.mode_set(mode="POSE")
    for bone, limb in (("left_index2", "left_hand"), ("right_elbow", "right_hand"), ("left_knee", "left_foot")):
        item.data.bones.active = item.data.bones[bone]
        edit(40, "mark_contact", length=3)
        assert contacts.read(item)[-1] == contacts.Edit(limb, 40, 42, True)
    item.data.bones.active = item.data.bones["spine2"]
    edit(40, "mark_contact", length=3)
    assert contacts.read(item)[-1] == contacts.Edit("right_foot", 40, 42, True)
    assert bpy.context.mode == "POSE"


def test_going_to_one_chooses_its_limb(build):
    (item,) = build(hoppers())
    last = spans(item, "right_foot")[-1]
    edit(1, "go_to_contact", limb="RIGHT_FOOT", frame=last[0])
    assert bpy.context.scene.frame_current == last[0] and bpy.context.scene.human3r_contacts.limb == "RIGHT_FOOT"


@pytest.mark.parametrize(("tool", "frame", "options", "said"), [
    ("free_contact", 42, {}, "Left Foot of Person 01 does not rest at frame 42"),
    ("free_contact", 42, {"limb": "LEFT_HAND"}, "Left Hand of Person 01 does not rest"),
    ("move_contact", 42, {"limb": "LEFT_HAND"}, "does not rest at frame 42"),
    ("mark_contact", FRAMES + 30, {}, "has no keys at frame"), ("mark_contact", -5, {"length": 3}, "has no keys at"),
    ("move_contact", FRAMES + 30, {"edge": "WHOLE"}, "has no keys at frame"),
    ("reset_contact", 20, {}, "No contact of Person 01 was edited by hand here"),
    ("reset_contact", 20, {"everything": True}, "No contact of Person 01 was edited by hand here"),
])  # fmt: skip
def test_what_cannot_be_done_is_said_and_changes_nothing(build, tool, frame, options, said):
    (item,) = build(hoppers())
    pick(item)
    bpy.context.scene.frame_set(frame)
    before = version(item, tags.CLEAN)
    with pytest.raises(RuntimeError, match=said):
        getattr(human3r, tool)(**options)
    assert contacts.read(item) == ()
    assert_same(version(item, tags.CLEAN), before)


def test_a_clean_up_that_cannot_be_made_keeps_no_edit(build):
    (item,) = build(hoppers())
    pick(item)
    edit(20, "mark_contact", limb="LEFT_HAND", length=5)
    before = contacts.read(item)
    bpy.data.actions.remove(family.action(item, tags.RAW))
    with pytest.raises(RuntimeError):
        human3r.reset_contact(everything=True)
    assert contacts.read(item) == before


GOOD = {"limb": "left_hand", "first": 10, "last": 20.5, "stands": True}


@pytest.mark.parametrize("held", [
    3, [1, 2], b"\xff\xfe", "", "x" * 5000, "[", "{}", "null", "[[[[]]]]", "[" * 3000, '[{"limb": "left_hand"}]',
    *(json.dumps([GOOD | change]) for change in (
        {"limb": "tail"}, {"limb": 3}, {"limb": None}, {"first": "1"}, {"first": 30}, {"last": 1e300}, {"first": -1e9},
        {"stands": 1}, {"stands": None}, {"first": True}, {"more": 1},
    )),
    '[{"limb": "left_hand", "first": NaN, "last": 3, "stands": true}]',
    '[{"limb": "left_hand", "first": 1, "last": Infinity, "stands": true}]',
])  # fmt: skip
def test_what_is_no_edit_is_left_out(build, held):
    (item,) = build(hoppers(), clean=0.0)
    pick(item)
    item[contacts.EDITS] = held
    assert contacts.read(item) == () and contacts.listed(item) == [] and contacts.freed(item) == []
    edit(20, "mark_contact", limb="LEFT_HAND", length=5)
    assert contacts.read(item) == (contacts.Edit("left_hand", 20, 24, True),)


def test_what_is_an_edit_among_nonsense_counts(build):
    (item,) = build(hoppers(), clean=0.0)
    item[contacts.EDITS] = json.dumps([None, GOOD, {}, GOOD | {"limb": "tail"}, 7, GOOD | {"limb": "right_hand"}])
    assert [one.limb for one in contacts.read(item)] == ["left_hand", "right_hand"]
    item[contacts.EDITS] = json.dumps([GOOD] * 30_000)
    assert len(contacts.read(item)) == 20_000


@pytest.mark.parametrize("held", [3, "x", [1.5] * FRAMES, [1e300] * FRAMES, [-7] * FRAMES, [1, 2], b"\xff", None])
def test_what_a_clean_action_says_is_read_with_suspicion(build, held):
    (item,) = build(hoppers())
    action = family.action(item, tags.CLEAN)
    del action[contacts.RESTING]
    if held is not None:
        action[contacts.RESTING] = held
    for contact in contacts.listed(item):
        assert contact.limb in contacts.LIMBS and 1 <= contact.first <= contact.last <= FRAMES
    pick(item)
    edit(20, "mark_contact", limb="LEFT_HAND", length=5)
    assert spans(item)[0][0] <= 3  # which the new clean Action knows


def both_hands(item):
    contacts.write(item, (contacts.Edit("left_hand", 10, 30, True), contacts.Edit("right_hand", 40, 60, True)))
    versions.clean(item, RATE, JUST_HELD)


def test_they_go_with_their_frames_when_a_person_is_split_and_merged(build, seen_joints):
    (item,) = build(drifters(), clean=0.0)
    both_hands(item)
    made = editing.split(item, 20, RATE)
    assert contacts.read(item) == (contacts.Edit("left_hand", 10, 19, True),)
    assert set(contacts.read(made)) == {
        contacts.Edit("left_hand", 20, 30, True),
        contacts.Edit("right_hand", 40, 60, True),
    }
    assert moves(seen_joints(made, range(40, 60))[:, RIGHT_WRIST]) < STILL_M
    editing.merge(item, [made], RATE)
    assert spans(item, "left_hand") == [(10, 30, True)] and spans(item, "right_hand") == [(40, 60, True)]
    assert moves(seen_joints(item, range(10, 31))[:, LEFT_WRIST]) < STILL_M


def test_they_are_swapped_with_the_motion_and_gaps_leave_them(build):
    first, second = build(drifters(people=2, absent={1: [13, 14, 15]}), clean=0.0)
    both_hands(first)
    contacts.write(second, (contacts.Edit("left_foot", 5, 50, False),))
    assert editing.fill_gaps(second, 0.5, RATE) == 3
    assert contacts.read(second) == (contacts.Edit("left_foot", 5, 50, False),)
    editing.swap(first, second, 35, RATE)
    assert set(contacts.read(first)) == {
        contacts.Edit("left_hand", 10, 30, True),
        contacts.Edit("left_foot", 35, 50, False),
    }
    assert set(contacts.read(second)) == {
        contacts.Edit("left_foot", 5, 34, False),
        contacts.Edit("right_hand", 40, 60, True),
    }


def test_a_scene_of_another_rate_has_them_at_the_same_frames(build):
    (item,) = build(drifters(), clean=0.0)
    contacts.write(item, (contacts.Edit("left_hand", 10, 30, True),))
    for rate in (24.0, 60.0, 23.976):
        versions.clean(item, rate, JUST_HELD)
        told = np.array(tags.numbers(family.action(item, tags.CLEAN), contacts.RESTING)).ravel().astype(int)
        assert np.flatnonzero(told & 16).tolist() == list(range(9, 30))
