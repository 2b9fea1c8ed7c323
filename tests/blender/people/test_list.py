# SPDX-License-Identifier: GPL-3.0-or-later
"""What the list of people says of each: the take, the frames seen, and a color that is the person's own."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.sections.people import listed


def test_people_stand_under_their_takes(take, imported, scene):
    for name in ("b", "a"):
        people = imported(take)
        people[0].parent.name = name
    groups = listed.by_take(family.people_in(scene))
    assert [(name, [item[tags.TRACK] for item in group]) for name, group in groups] == [
        ("a", [0, 1, 2]),
        ("b", [0, 1, 2]),
    ]
    assert {item.parent.name for item in groups[0][1]} == {"a"}


def test_frames_seen_are_those_with_the_person(take, imported, choose, scene):
    people = imported(take)
    assert [listed.frames_seen(people[number]) for number in range(3)] == [18, 26, 17]
    scene.frame_set(30)
    choose(people[1])
    bpy.ops.human3r.split_people()
    assert [listed.frames_seen(bpy.data.objects[f"Person {number:02d}"]) for number in (2, 4)] == [15, 11]
    for value in (3, "x", [], [1.0, 2.0], {"a": 1}, b"\xff"):
        del family.action(people[0], tags.RAW)["human3r_betas"]
        family.action(people[0], tags.RAW)["human3r_betas"] = value
        assert listed.frames_seen(people[0]) == 0


def test_a_color_that_is_set_there_is_everywhere(take, imported):
    people = imported(take)
    color = (0.1, 0.5, 0.9, 1.0)
    people[1].human3r_color = color
    body = family.mesh(people[1])
    for shown in (people[1].human3r_color, people[1].color, body.color, body.active_material.diffuse_color):
        np.testing.assert_allclose(tuple(shown), color, atol=1e-6)
    assert tuple(people[0].human3r_color) != pytest.approx(color)
    empty = bpy.data.objects.new("empty", None)
    empty.human3r_color = color  # nobody's: nothing happens
    assert tuple(empty.human3r_color) != pytest.approx(color)
