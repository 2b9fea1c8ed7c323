# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw, live and clean motion beside each other: the raw one is never changed, and the clean one is better."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import LEFT_FOOT, PELVIS, RIGHT_FOOT
from bl_ext.user_default.human3r_blender.engine.motion.causal import CausalSmoother
from bl_ext.user_default.human3r_blender.engine.motion.clean_up import CleanUpSettings
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes, tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import family, versions
from bl_ext.user_default.human3r_blender.human3r_blender.person.motion import LOCATION, motion_of_person, values_of
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder

from .conftest import FRAMES, LANDS, LEAVES, RATE, hoppers

STANDS = np.r_[5 : LEAVES - 4, LANDS + 6 : FRAMES - 5] + 1
"""Scene frames at which the feet surely stand."""


def keys_of(action):
    """Frames, values and interpolations of all curves of a person's pose in an Action."""
    return {
        name: (*keyframes.read(curve), keyframes.interpolation(curve))
        for name, curve in keyframes.curves_in(action, LOCATION).items()
    }


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, arrays in one.items():
        for first, second in zip(arrays, other[name], strict=True):
            np.testing.assert_array_equal(first, second, err_msg=str(name))


def version(item, role):
    return keys_of(family.action(item, role))


def sliding(joints):
    """Metres that the feet move by from frame to frame while they stand."""
    feet = joints[:, [LEFT_FOOT, RIGHT_FOOT]]
    return np.linalg.norm(np.diff(feet, axis=0), axis=-1)[np.diff(STANDS) == 1].mean()


def test_what_plays_is_clean_and_the_raw_action_is_as_without_a_clean_up(build, seen_joints):
    take = hoppers()
    (untouched,) = build(take, clean=0.0)
    assert versions.shown(untouched) == tags.RAW and family.action(untouched, tags.CLEAN) is None
    (item,) = build(take)
    assert_same(version(item, tags.RAW), version(untouched, tags.RAW))
    assert versions.shown(item) == tags.CLEAN and family.action(item, tags.LIVE) is None
    raw, clean = seen_joints(untouched, STANDS), seen_joints(item, STANDS)
    assert sliding(clean) < 0.2 * sliding(raw)
    assert np.abs(clean - raw).mean() < 0.03  # it is the same motion
    assert version(item, tags.CLEAN).keys() == version(item, tags.RAW).keys()


def test_hops_are_kept(build, seen_joints):
    (item,) = build(hoppers())
    middle = (LEAVES + LANDS) // 2 + 1
    clean = seen_joints(item, [middle])[0, PELVIS]
    versions.show(item, tags.RAW)
    np.testing.assert_allclose(clean, seen_joints(item, [middle])[0, PELVIS], atol=0.04)


def test_another_strength_replaces_the_clean_action_and_nothing_else(build):
    first, second = build(hoppers(people=2))
    raw, neighbour = version(first, tags.RAW), version(second, tags.CLEAN)
    track = first.animation_data.nla_tracks.new()
    strip = track.strips.new("compare", 1, family.action(first, tags.CLEAN))
    before, actions = version(first, tags.CLEAN), {action.name for action in bpy.data.actions}
    bpy.context.view_layer.objects.active = first
    first.select_set(True)
    assert bpy.ops.human3r.clean_up(strength=0.2, everyone=False) == {"FINISHED"}
    assert {action.name for action in bpy.data.actions} == actions
    assert_same(version(first, tags.RAW), raw)
    assert_same(version(second, tags.CLEAN), neighbour)
    made = family.action(first, tags.CLEAN)
    assert versions.settings_of(first).strength == pytest.approx(0.2)
    assert made == first.animation_data.action == strip.action
    assert keyframes.curves(first).keys() == keys_of(made).keys()
    assert any((values != before[name][1]).any() for name, (_, values, _) in keys_of(made).items())


def test_nothing_is_changed_without_smoothing_and_locking(build):
    (item,) = build(hoppers())
    versions.clean(item, RATE, CleanUpSettings(0.0, lock_feet=False))
    raw = version(item, tags.RAW)
    for name, (frames, values, kinds) in version(item, tags.CLEAN).items():
        np.testing.assert_array_equal(frames, raw[name][0])
        np.testing.assert_array_equal(kinds, raw[name][2])
        np.testing.assert_allclose(values, raw[name][1], atol=1e-6)


def test_the_sidebar_changes_between_all_three(build, seen_joints):
    (item,) = build(hoppers())
    shown = {}
    for name in ("RAW", "LIVE", "CLEAN"):
        assert bpy.ops.human3r.show_version(version=name) == {"FINISHED"}
        assert versions.shown(item) == name.lower()
        shown[name] = seen_joints(item, STANDS)
    assert sliding(shown["CLEAN"]) < sliding(shown["LIVE"]) < sliding(shown["RAW"])
    assert bpy.ops.human3r.compare_versions() == {"FINISHED"} and versions.shown(item) == tags.RAW
    assert bpy.ops.human3r.compare_versions() == {"FINISHED"} and versions.shown(item) == tags.CLEAN
    live = family.action(item, tags.LIVE)
    bpy.ops.human3r.show_version(version="LIVE")
    assert family.action(item, tags.LIVE) == live  # not made again
    bpy.ops.human3r.clean_up(strength=0.3)
    bpy.ops.human3r.show_version(version="LIVE")
    assert family.action(item, tags.LIVE)[versions.STRENGTH] == pytest.approx(0.3)


def test_while_a_take_arrives_the_live_version_knows_only_the_past(scene):
    take = hoppers()
    made = scene_builder.SceneBuilder(scene, take.header, scene_builder.ImportOptions(ground="off"))
    messages = list(take.messages())
    for message in messages[:50]:
        made.add(message)
        made.work()
    (item,) = family.people_under(made.root)
    live = motion_of_person(item, RATE)
    seen = len(live.frames)
    assert seen > 40 and versions.shown(item) == tags.LIVE
    for message in messages[50:]:
        made.add(message)
        made.work()
    made.finish()
    made.work()
    raw = motion_of_person(item, RATE, family.action(item, tags.RAW)).motion.part(slice(0, seen))
    smoother = CausalSmoother(scene_builder.ImportOptions().clean)
    location = raw.pelvis - raw.rest_joints[PELVIS]
    rows = [smoother.update(*row) for row in zip(raw.time_s, raw.rotations, location, strict=True)]
    wanted = np.stack([np.concatenate([placed, turned.ravel()]) for turned, placed in rows])
    np.testing.assert_allclose(values_of(live.motion), wanted, atol=1e-4)
    assert versions.shown(item) == tags.CLEAN and family.action(item, tags.LIVE) is None
    assert item.animation_data.action.name == f"{item.name} clean"


def test_gaps_stay_gaps(build, go_to):
    away = [*range(5), *range(20, 50), *range(60, 63), *range(80, FRAMES)]
    (item,) = build(hoppers(absent={0: away}))
    raw, clean = version(item, tags.RAW), version(item, tags.CLEAN)
    for name, (frames, _, kinds) in clean.items():
        np.testing.assert_array_equal(frames, raw[name][0])
        np.testing.assert_array_equal(kinds, raw[name][2])
    assert (clean[LOCATION, 0][2] == keyframes.CONSTANT).sum() >= 1
    held = []
    for index in (3, 10, 19, 21, 35, 48, 50, 61, 79, 82):
        go_to(index + 1)
        assert item.hide_viewport == item.hide_render == (index in away and index != 61), index
        held += [np.array(item.pose.bones["pelvis"].location)] if 19 <= index < 50 else []
    np.testing.assert_array_equal(held, held[:1] * len(held))


def test_files_keep_all_versions(build, tmp_path):
    (item,) = build(hoppers())
    raw, clean = version(item, tags.RAW), version(item, tags.CLEAN)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "clean.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "clean.blend"))
    (item,) = (found for found in bpy.context.scene.objects if found.get(tags.ROLE) == tags.ARMATURE)
    assert_same(version(item, tags.RAW), raw)
    assert_same(version(item, tags.CLEAN), clean)
    versions.show(item, tags.RAW)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "raw.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "raw.blend"))
    (item,) = (found for found in bpy.context.scene.objects if found.get(tags.ROLE) == tags.ARMATURE)
    assert versions.shown(item) == tags.RAW
    assert_same(version(item, tags.CLEAN), clean)
    assert bpy.ops.human3r.clean_up(strength=1.0) == {"FINISHED"}
    assert_same(version(item, tags.RAW), raw)


def test_files_of_earlier_versions_can_be_cleaned_up(build):
    (item,) = build(hoppers(), clean=0.0)
    action = item.animation_data.action
    for name in list(action.keys()):
        del action[name]  # earlier versions wrote nothing on Actions
    before = keys_of(action)
    assert bpy.ops.human3r.clean_up() == {"FINISHED"}
    assert family.action(item, tags.RAW) == action and versions.shown(item) == tags.CLEAN
    assert_same(keys_of(action), before)
    mesh = next(child for child in item.children if child.get(tags.ROLE) == tags.MESH)
    assert keyframes.curves(mesh.data.shape_keys)  # expressions play on


def test_cleaning_and_showing_can_be_undone(build):
    (item,) = build(hoppers(), clean=0.0)
    name, before = item.name, {action.name for action in bpy.data.actions}
    bpy.ops.ed.undo_push(message="before")
    assert bpy.ops.human3r.clean_up() == {"FINISHED"}
    bpy.ops.ed.undo_push(message="Clean Up People")
    assert bpy.ops.human3r.show_version(version="RAW") == {"FINISHED"}
    bpy.ops.ed.undo_push(message="Show")
    bpy.ops.ed.undo()
    assert versions.shown(bpy.data.objects[name]) == tags.CLEAN
    bpy.ops.ed.undo()
    assert versions.shown(bpy.data.objects[name]) == tags.RAW
    assert {action.name for action in bpy.data.actions} == before
    bpy.ops.ed.redo()
    assert versions.shown(bpy.data.objects[name]) == tags.CLEAN


@pytest.mark.parametrize("writing", [False, True])
def test_a_person_who_is_deleted_meanwhile_stops_nothing(build, writing):
    (item,) = build(hoppers(), clean=0.0)
    name, before = item.name, {action.name for action in bpy.data.actions}
    work = versions.clean_in_steps(lambda: bpy.data.objects.get(name), RATE, CleanUpSettings())
    next(work)
    while writing and {action.name for action in bpy.data.actions} == before:
        next(work)
    assert family.action(item, tags.RAW).name in before
    bpy.data.objects.remove(item)
    for _ in work:
        pass
    assert {action.name for action in bpy.data.actions} <= before


def test_what_cannot_be_done_is_said(build, scene):
    assert not bpy.ops.human3r.clean_up.poll() and not bpy.ops.human3r.show_version.poll()
    (item,) = build(hoppers(), clean=0.0)
    assert bpy.ops.human3r.clean_up.poll() and not bpy.ops.human3r.compare_versions.poll()
    with pytest.raises(RuntimeError, match="No people are selected"):
        bpy.ops.human3r.clean_up(everyone=False)
    item.animation_data_clear()
    bpy.data.batch_remove(list(bpy.data.actions))
    with pytest.raises(RuntimeError, match="has no keys"):
        bpy.ops.human3r.clean_up()
    with pytest.raises(RuntimeError, match="has no keys"):
        bpy.ops.human3r.show_version(version="CLEAN")


def test_clean_cleans_up_who_has_not_been(build, scene):
    """With the settings of the section; a motion that was cleaned up before stays as it is."""
    first, second = build(hoppers(people=2), clean=0.0)
    scene.human3r_cleanup.strength = 0.4
    bpy.context.view_layer.objects.active = first
    first.select_set(True)
    assert bpy.ops.human3r.show_version(version="CLEAN", everyone=False) == {"FINISHED"}
    assert (versions.shown(first), versions.shown(second)) == (tags.CLEAN, tags.RAW)
    assert versions.settings_of(first).strength == pytest.approx(0.4)
    before = family.action(first, tags.CLEAN).session_uid
    scene.human3r_cleanup.strength = 0.6
    assert bpy.ops.human3r.show_version(version="CLEAN") == {"FINISHED"}
    assert versions.shown(second) == tags.CLEAN and versions.settings_of(second).strength == pytest.approx(0.6)
    assert family.action(first, tags.CLEAN).session_uid == before
    assert bpy.ops.human3r.show_version(version="RAW") == {"FINISHED"}
    assert {versions.shown(item) for item in (first, second)} == {tags.RAW}


def swimmers():
    """Hoppers whose distance to the camera wanders by a few percent."""
    take = hoppers()
    knots = np.arange(0, FRAMES + 9, 9)
    wander = np.interp(np.arange(FRAMES), knots, 0.03 * np.random.default_rng(4).normal(size=len(knots)))
    take.heads *= (1 + wander)[:, None, None]
    return take


def test_the_place_is_refined_along_the_rays_of_the_camera(build, seen_joints):
    (smoothed,) = build(swimmers(), refine=False)
    (refined,) = build(swimmers())
    before, after = seen_joints(smoothed, STANDS), seen_joints(refined, STANDS)
    spread = [joints[: LEAVES - 9, PELVIS].std(axis=0).max() for joints in (before, after)]
    assert spread[1] < 0.5 * spread[0]
    moved = after[:, PELVIS] - before[:, PELVIS]  # the camera is at the origin and looks along y
    assert np.abs(moved[:, 1]).max() > 3 * np.abs(moved[:, [0, 2]]).max()
    assert versions.settings_of(refined).refine and not versions.settings_of(smoothed).refine


def test_without_the_camera_the_place_is_only_smoothed(build):
    (with_none,) = build(swimmers(), import_camera=False)
    (off,) = build(swimmers(), refine=False)
    assert_same(version(with_none, tags.CLEAN), version(off, tags.CLEAN))
    assert versions.settings_of(with_none).refine and versions.lacks_camera(with_none)  # what was asked for is kept
    assert not versions.settings_of(off).refine and not versions.lacks_camera(off)
    camera = tags.find(off[tags.TAKE], tags.CAMERA)
    camera[tags.TAKE] = with_none[tags.TAKE]  # as if it had been imported for this take
    versions.clean(with_none, RATE, versions.settings_of(with_none))
    assert not versions.lacks_camera(with_none)
    assert any(
        (values != version(off, tags.CLEAN)[name][1]).any()
        for name, (_, values, _) in version(with_none, tags.CLEAN).items()
    )


def test_that_the_place_was_not_refined_is_said(build, capfd):
    build(swimmers(), import_camera=False)
    assert bpy.ops.human3r.clean_up() == {"FINISHED"}
    assert "Person 01: only smoothed, not refined in place: the camera" in "".join(capfd.readouterr())


def test_a_camera_that_somebody_moved_changes_nothing(build):
    (item,) = build(swimmers())
    before = version(item, tags.CLEAN)
    camera = tags.find(item[tags.TAKE], tags.CAMERA)
    camera.delta_location = (3.0, 0.0, 0.0)
    item.parent.location = (1.0, 2.0, 3.0)
    versions.clean(item, RATE, CleanUpSettings())
    assert_same(version(item, tags.CLEAN), before)
