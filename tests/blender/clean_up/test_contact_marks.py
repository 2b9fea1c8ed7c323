# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks under feet that stand: seen while they stand, where they stand, and never in a picture."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import LEFT_FOOT, RIGHT_FOOT
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import contact_marks, family, versions

from .conftest import FAR_M, FRAMES, LANDS, LEAVES, hoppers


def marks(item):
    """The left and the right mark."""
    return sorted(family.marks(item).objects, key=lambda mark: "right" in mark.name)


@pytest.fixture
def marked(build):
    """People whose marks are shown, as somebody has asked for."""

    def run(take):
        people = build(take)
        assert bpy.ops.human3r.show_contacts(show=True) == {"FINISHED"}
        bpy.context.scene.frame_set(bpy.context.scene.frame_current)
        return people

    return run


def test_they_are_thin_and_hidden_until_somebody_asks_for_them(build):
    (item,) = build(hoppers())
    assert family.marks(item).hide_viewport
    ring = marks(item)[0].data
    inner, outer = np.sort(np.linalg.norm([vertex.co for vertex in ring.vertices], axis=1))[[0, -1]]
    assert 0.001 < outer - inner < 0.01 < 0.05 < inner
    assert bpy.ops.human3r.clean_up(strength=0.4) == {"FINISHED"}
    assert family.marks(item).hide_viewport
    assert bpy.ops.human3r.show_contacts(show=True) == {"FINISHED"}
    assert bpy.ops.human3r.clean_up(strength=0.5) == {"FINISHED"}
    assert not family.marks(item).hide_viewport


def test_marks_are_seen_while_the_feet_stand_and_lie_below_them(marked, seen_joints):
    (item,) = marked(hoppers())
    for index in (5, LEAVES - 5, (LEAVES + LANDS) // 2, LANDS + 5, FRAMES - 8):
        joints = seen_joints(item, [index + 1])[0]
        stands = not LEAVES < index < LANDS
        for mark, joint in zip(marks(item), (LEFT_FOOT, RIGHT_FOOT), strict=True):
            assert mark.hide_viewport != stands and mark.hide_render
            below = joints[joint] - np.array(mark.matrix_world.translation)
            if stands:
                np.testing.assert_allclose(below, (0, 0, 0.03), atol=0.01)
                np.testing.assert_allclose(mark.matrix_world.col[1][:3], (0, 0, 1), atol=1e-5)  # flat on the floor


def test_a_mark_lies_still_and_another_place_gets_its_own(marked, go_to):
    (item,) = marked(hoppers())
    places = []
    for index in (8, 20, LANDS + 8, FRAMES - 8):
        go_to(index + 1)
        places.append(np.array(marks(item)[0].matrix_world.translation))
    np.testing.assert_array_equal(places[0], places[1])
    np.testing.assert_array_equal(places[2], places[3])
    assert places[2][0] - places[0][0] == pytest.approx(FAR_M, abs=0.02)


def test_nobody_there_no_marks(marked, go_to):
    away = [*range(4), *range(15, 34)]
    (item,) = marked(hoppers(absent={0: away}))
    shown = []
    for index in range(LEAVES - 2):
        go_to(index + 1)
        shown.append(not marks(item)[0].hide_viewport)
    assert shown == [index not in away for index in range(LEAVES - 2)]


def test_they_can_be_switched_off_and_stay_off(build):
    first, second = build(hoppers(people=2))
    before = len(bpy.data.objects), len(bpy.data.collections), len(bpy.data.actions), len(bpy.data.meshes)
    assert bpy.ops.human3r.show_contacts(show=False) == {"FINISHED"}
    assert bpy.ops.human3r.clean_up(strength=0.4) == {"FINISHED"}
    assert all(family.marks(item).hide_viewport for item in (first, second))
    assert not any(mark.visible_get() for item in (first, second) for mark in marks(item))
    assert bpy.ops.human3r.show_contacts(show=True) == {"FINISHED"}
    bpy.context.scene.frame_set(10)
    assert all(mark.visible_get() for item in (first, second) for mark in marks(item))
    assert before == (len(bpy.data.objects), len(bpy.data.collections), len(bpy.data.actions), len(bpy.data.meshes))


def test_they_go_with_the_person(build):
    first, second = build(hoppers(people=2))
    assert {mark.parent for mark in marks(second)} == {second}
    contact_marks.remove(second)
    assert family.marks(second) is None and len(marks(first)) == 2
    assert versions.shown(second) == tags.CLEAN
    contact_marks.remove(second)  # nothing left, nothing happens


def contacts(planted, frames=None, stretches=None):
    count = len(planted)
    frames = np.arange(1.0, count + 1) if frames is None else np.asarray(frames, dtype=np.float64)
    places = np.zeros((count, 2, 3))
    places[:, :, 0] = np.arange(count)[:, None]
    return contact_marks.Contacts(
        frames,
        np.array([planted, planted], dtype=bool).T,
        places,
        np.array([0.0, 1.0, 0.0]),
        stretches or (slice(0, count),),
    )


@pytest.mark.parametrize(("planted", "away", "expected"), [
    ((1, 1, 1), None, [(1, 1)]),
    ((0, 0, 0), None, [(1, 0)]),
    ((0, 1, 1, 0, 1), None, [(1, 0), (2, 1), (4, 0), (5, 1)]),
    ((1, 1, 1), ((1.0, 3.0), (1.0, 0.0)), [(1, 0), (3, 1)]),
    ((1, 1, 1), ((3.5,), (1.0,)), [(1, 0)]),  # Blender, too, shows the first key's value before it
])  # fmt: skip
def test_changes_of_a_mark(planted, away, expected):
    away = None if away is None else tuple(np.array(part) for part in away)
    at, stands, places = contact_marks.changes(contacts(planted), 0, away)
    assert list(zip(at.tolist(), stands.tolist(), strict=True)) == expected
    np.testing.assert_allclose(places[:, 1], -0.03)


def test_a_gap_within_a_contact_begins_another_place():
    at, stands, places = contact_marks.changes(
        contacts((1, 1, 1, 1), (1, 2, 8, 9), (slice(0, 2), slice(2, 4))), 1, None
    )
    assert at.tolist() == [1, 8] and stands.tolist() == [1, 1]
    np.testing.assert_allclose(places[:, 0], (0.5, 2.5))
