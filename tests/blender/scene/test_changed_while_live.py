# SPDX-License-Identifier: GPL-3.0-or-later
"""Who changes camera or people while a take arrives keeps that; what the final pass found is beside it."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import coordinates, keyframes, tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import family, versions
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder

from tests.waiting import Patience

PELVIS = ('pose.bones["pelvis"].location', 0)


def people_of(made, count):
    """The armatures so far; None for those to come."""
    found = family.people_under(made.root)
    return [*found, *[None] * (count - len(found))]


def person_of(made):
    (person,) = family.people_under(made.root)
    return person


@pytest.fixture
def stream(scene, synthetic):
    """Build a take frame by frame, change something, and let the final pass follow."""

    def run(change, people=0, clean=0.0):
        live, final = (synthetic(frames=12, people=people, points=0, seed=seed) for seed in (1, 2))
        made = scene_builder.SceneBuilder(scene, live.header, scene_builder.ImportOptions(ground="off", clean=clean))
        for index in range(12):
            made.add(live.frame(index))
            made.work(1.0)
        patience = Patience("people")  # the body is read on a thread
        while any(item is None or keyframes.longest(keyframes.curves(item)) < 12 for item in people_of(made, people)):
            patience.check()
            made.work(0.01)
        bpy.context.view_layer.update()
        change(made)
        for index in range(12):
            made.add(final.final(index))
        made.finish()
        made.work()
        return made, final

    return run


def values(curves):
    return {name: [part.tolist() for part in keyframes.read(curve)] for name, curve in curves.items()}


def places(action, path="location"):
    """(T, 3) of the keys of an Action."""
    curves = keyframes.curves_in(action, path)
    return np.stack([keyframes.read(curves[path, axis])[1] for axis in range(3)], axis=-1)


def refined(made):
    return bpy.data.actions.get(f"{made.camera.name} refined")


def test_an_untouched_camera_takes_the_refined_path(stream):
    before = {}
    made, final = stream(lambda made: before.update(action=made.camera.animation_data.action.name))
    action = made.camera.animation_data.action
    assert action.name == before["action"] and refined(made) is None and not made.notes
    expected, _ = coordinates.camera_to_root(final.world_from_camera)
    np.testing.assert_allclose(places(action), expected, atol=1e-6)


def move_key(made):
    keyframes.curves(made.camera)["location", 2].keyframe_points[4].co.y += 0.25


def remove_key(made):
    curve = keyframes.curves(made.camera)["rotation_quaternion", 1]
    curve.keyframe_points.remove(curve.keyframe_points[3])


def add_key(made):
    keyframes.curves(made.camera)["location", 0].keyframe_points.insert(3.5, 2.0)


def remove_curve(made):
    keyframes.remove_curves(made.camera, ["location"])


def smooth_keys(made):
    for point in keyframes.curves(made.camera)["location", 0].keyframe_points:
        point.interpolation = "BEZIER"


def add_noise(made):
    keyframes.curves(made.camera)["location", 0].modifiers.new("NOISE")


def lens_key(made):
    keyframes.curves(made.camera.data)["lens", 0].keyframe_points[0].co.y = 50.0


def own_action(made):
    keyframes.animate(made.camera, "mine")
    made.camera.keyframe_insert("location", frame=1)


def no_action(made):
    made.camera.animation_data.action = None


def constraint(made):
    made.camera.constraints.new("TRACK_TO").target = made.root


def driver(made):
    made.camera.driver_add("scale", 0)


CHANGES = (
    move_key, remove_key, add_key, remove_curve, smooth_keys, add_noise, lens_key, own_action, no_action, constraint,
    driver,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_changed_camera_stays_and_the_refined_path_is_beside_it(stream, change):
    before = {}

    def change_and_note(made):
        change(made)
        blocks = (made.camera, made.camera.data)
        before["keys"] = [values(keyframes.curves(block)) for block in blocks]
        before["actions"] = [block.animation_data.action for block in blocks]

    made, final = stream(change_and_note)
    blocks = (made.camera, made.camera.data)
    assert [values(keyframes.curves(block)) for block in blocks] == before["keys"]
    assert [block.animation_data.action for block in blocks] == before["actions"]
    action = refined(made)
    assert action.use_fake_user
    expected, _ = coordinates.camera_to_root(final.world_from_camera)
    np.testing.assert_allclose(places(action), expected, atol=1e-6)
    (note,) = made.notes
    assert made.camera.name in note and action.name in note


def test_the_refined_path_plays_when_it_is_chosen(scene, stream, go_to):
    made, final = stream(move_key)
    item = made.camera
    item.animation_data.action = refined(made)  # as a user does; Blender finds the slot by its name
    lens = refined(made) if keyframes.HAS_SLOTS else bpy.data.actions[f"{item.name} refined lens"]
    item.data.animation_data.action = lens
    go_to(scene, 6)
    expected, _ = coordinates.camera_to_root(final.world_from_camera[5])
    np.testing.assert_allclose(np.array(item.location), expected, atol=1e-5)
    assert item.data.lens == pytest.approx(36 * final.focals[5] / final.size[0], rel=1e-5)


def test_a_deleted_camera_is_no_error(stream):
    made, _ = stream(lambda made: bpy.data.objects.remove(made.camera))
    assert made.camera is None and not made.notes


def move_person(made):
    keyframes.curves(person_of(made))[PELVIS].keyframe_points[4].co.y += 0.25


def remove_persons_key(made):
    curve = keyframes.curves(person_of(made))[PELVIS]
    curve.keyframe_points.remove(curve.keyframe_points[3])


@pytest.mark.parametrize("change", [move_person, remove_persons_key], ids=lambda change: change.__name__)
@pytest.mark.parametrize("clean", [0.0, 0.5])
def test_a_changed_person_keeps_the_motion(stream, change, clean):
    before = {}

    def change_and_note(made):
        change(made)
        before["keys"] = values(keyframes.curves(person_of(made)))
        before["action"] = person_of(made).animation_data.action

    made, _ = stream(change_and_note, people=1, clean=clean)
    person = person_of(made)
    assert person.animation_data.action == before["action"]
    assert values(keyframes.curves(person)) == before["keys"]
    (note,) = made.notes
    action = family.action(person, tags.CLEAN) if clean else bpy.data.actions[f"{person.name} refined"]
    assert action != before["action"] and action.use_fake_user and action.name in note
    assert len(keyframes.read(keyframes.curves_in(action, PELVIS[0])[PELVIS])[0]) == 12


def test_the_refined_motion_of_a_changed_person_is_the_final_passs(scene, stream):
    """Beside a changed person stands what an untouched one gets."""
    made, _ = stream(lambda made: None, people=1)
    untouched = values(keyframes.curves(person_of(made)))
    made, _ = stream(move_person, people=1)
    beside = bpy.data.actions[f"{person_of(made).name} refined"]
    found = values(keyframes.curves_in(beside, PELVIS[0]))
    assert found.keys() <= untouched.keys() and len(found) == 223
    for name, keys in found.items():
        np.testing.assert_allclose(keys, untouched[name], atol=1e-6)


def test_an_action_of_the_users_own_plays_on(stream):
    def choose(made):
        keyframes.animate(person_of(made), "mine")
        person_of(made).pose.bones["pelvis"].keyframe_insert("location", frame=1)

    made, _ = stream(choose, people=1, clean=0.5)
    assert person_of(made).animation_data.action.name == "mine"
    assert family.action(person_of(made), tags.CLEAN) is not None and len(made.notes) == 1


def test_untouched_people_end_clean(stream):
    made, _ = stream(lambda made: None, people=1, clean=0.5)
    assert versions.shown(person_of(made)) == tags.CLEAN and not made.notes
