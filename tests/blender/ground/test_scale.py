# SPDX-License-Identifier: GPL-3.0-or-later
"""How tall people are, the scale that true heights give a take, and its height above the floor."""

from dataclasses import replace

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.settings import BUILT_IN
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.person.stature import stature_m
from bl_ext.user_default.human3r_blender.human3r_blender.scene import scale
from bl_ext.user_default.human3r_blender.human3r_blender.scene.builder import ImportOptions, SceneBuilder
from bl_ext.user_default.human3r_blender.human3r_blender.sections.ground import evidence


@pytest.fixture
def made(build, synthetic):
    """A take of three people in the scene, with its camera active."""
    builder = build(synthetic(frames=6, people=3))
    activate(builder.camera)
    return builder


def activate(item):
    for other in bpy.context.scene.objects:
        other.select_set(False)
    item.select_set(True)
    bpy.context.view_layer.objects.active = item
    bpy.context.view_layer.update()


def statures(made):
    bpy.context.view_layer.update()
    return np.array([stature_m(item) for item in family.people_under(made.root)])


def set_height(height):
    assert bpy.ops.human3r.set_height(height=height) == {"FINISHED"}


def lines(made):
    bpy.context.view_layer.update()
    return evidence.scale_lines(made.root, family.people_under(made.root)[0])


def test_the_height_is_that_of_the_body(made, synthetic, body):
    for item, betas in zip(family.people_under(made.root), synthetic(frames=6, people=3).shape, strict=True):
        vertices = body.template + body.shape_directions @ betas
        assert stature_m(item) == pytest.approx(np.ptp(vertices[:, 1]), abs=0.01)


def test_a_true_height_scales_the_whole_take(made):
    before, place = statures(made), np.array(made.root.matrix_world)
    set_height(1.9)
    factor = 1.9 / before[0]
    np.testing.assert_allclose(statures(made), before * factor, rtol=1e-5)
    np.testing.assert_allclose(np.array(made.root.matrix_world), np.diag([factor] * 3 + [1]) @ place, atol=1e-6)


def test_the_active_person_is_the_one(made):
    second = family.people_under(made.root)[1]
    for part in (second, family.mesh(second)):
        activate(part)
        set_height(1.5)
        assert statures(made)[1] == pytest.approx(1.5, abs=1e-5)


def test_heights_of_several_give_one_scale_whatever_their_order(made):
    people, before = family.people_under(made.root), statures(made)
    wanted = before[:2] * (1.1, 1.2)
    for number in (0, 1, 0):
        activate(people[number])
        set_height(wanted[number])
    np.testing.assert_allclose(statures(made), before * np.sqrt(1.1 * 1.2), rtol=1e-5)
    assert lines(made)[1] == "Scale from the heights of Person 01, Person 02"


def test_a_height_that_was_mistyped_is_replaced(made):
    set_height(2.5)
    set_height(1.6)
    assert statures(made)[0] == pytest.approx(1.6, abs=1e-5)


def test_a_length_overrules_heights(made, scene):
    set_height(1.6)
    camera = made.camera
    for x in (0.0, 2.0):
        empty = bpy.data.objects.new("mark", None)
        empty.location.x = x
        scene.collection.objects.link(empty)
        empty.select_set(True)
    camera.select_set(False)
    assert bpy.ops.human3r.set_scale(length=3.0) == {"FINISHED"}
    assert statures(made)[0] == pytest.approx(2.4, abs=1e-4)
    assert lines(made)[1:] == ["Scale from a known length"] and not scale.known_heights(made.root)


def test_without_a_body_nothing_is_scaled(made):
    for item in family.people_under(made.root):
        bpy.data.objects.remove(family.mesh(item))
    before = np.array(made.root.matrix_world)
    with pytest.raises(RuntimeError, match="no person whose height"):
        bpy.ops.human3r.set_height(height=1.8)
    assert np.array_equal(np.array(made.root.matrix_world), before)
    assert lines(made) == []


@pytest.mark.parametrize(("settings", "said"), [
    ({"model": BUILT_IN}, ["Scale from how tall people are: 1.70 m, give or take 9 cm; it may be 5 % off"]),
    ({"model": BUILT_IN, "stature": 1.62}, ["Scale from the height that was given, 1.62 m"]),
    ({"model": "672S", "stature": 1.62}, ["Scale as the model predicts it"]),
    ({"model": "default"}, []),
])  # fmt: skip
def test_what_the_scale_rests_on_is_said(scene, synthetic, settings, said):
    take = synthetic(frames=4, people=1)
    header = replace(take.header, settings=replace(take.header.settings, **settings))
    made = SceneBuilder(scene, header, ImportOptions(ground="off"))
    for message in take.messages():
        made.add(message)
    made.finish()
    made.work()
    assert lines(made)[0].startswith("Person 01 is ") and lines(made)[1:] == said
    activate(made.camera)
    set_height(1.8)
    assert lines(made) == ["Person 01 is 1.80 m tall", "Scale from Person 01's height"]
    made.root.scale *= 1.3
    assert lines(made)[1:] == ["Scaled by hand"]


def test_it_is_in_the_file(made, tmp_path):
    set_height(1.8)
    path = tmp_path / "tall.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    root = next(item for item in bpy.context.scene.objects if item.get("human3r_role") == "root")
    assert evidence.scale_lines(root, None) == ["Scale from Person 01's height"]
    assert scale.known_heights(root) == {family.people_under(root)[0]: pytest.approx(1.8)}


def test_the_found_floor_brings_back_the_scale(build, synthetic):
    made = build(synthetic(frames=12, people=1), ground="auto")
    activate(made.camera)
    before = statures(made)
    set_height(1.2)
    assert bpy.ops.human3r.found_ground() == {"FINISHED"}
    np.testing.assert_allclose(statures(made), before, rtol=1e-6)
    assert not scale.known_heights(made.root) and scale.source_of(made.root) == ""


@pytest.mark.parametrize("ground", ["auto", "off"])
def test_the_take_is_raised_by_centimeters(scene, build, synthetic, ground):
    made = build(synthetic(frames=12, people=1), ground=ground)
    activate(made.camera)
    settings, before = scene.human3r_ground, np.array(made.root.matrix_world)
    assert settings.height == pytest.approx(0.0, abs=1e-6)
    for height in (0.02, -0.035, 0.4):
        settings.height = height
        bpy.context.view_layer.update()
        assert settings.height == pytest.approx(height, abs=1e-6)
        moved = np.array(made.root.matrix_world) - before
        np.testing.assert_allclose(moved[:3, 3], (0, 0, height), atol=1e-6)
        np.testing.assert_allclose(moved[:3, :3], 0, atol=1e-6)


def test_without_a_take_there_is_no_height(scene):
    scene.human3r_ground.height = 0.1
    assert scene.human3r_ground.height == 0.0
