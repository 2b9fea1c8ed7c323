# SPDX-License-Identifier: GPL-3.0-or-later
"""The report tells what Blender shows: characters that are torn or held on purpose are told, with the cause."""

import json
from types import SimpleNamespace

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract import rotations
from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_NAMES
from bl_ext.user_default.human3r_blender.human3r_blender.batch import command_line
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes
from bl_ext.user_default.human3r_blender.human3r_blender.person import armature
from bl_ext.user_default.human3r_blender.human3r_blender.rigs.rig_map import RigMap
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget import character_files, retargeting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget.settings import RetargetSettings

from . import rigs
from .conftest import add_person
from .measuring import angles, limbs, positions
from .test_files import write_take

EVERY = range(1, 61)
PREFIX = "mixamorig7:"


@pytest.fixture
def hero(scene, person, rest):
    return rigs.mixamo(rest)


def put_on(person, rig, bones=None, **settings):
    found = bones or character_files.find_rig(rig.item)
    return retargeting.retarget(person, rig.item, bpy.context.scene, found, RetargetSettings(**settings))


def swinging(scene):
    """An empty that goes round, with keys."""
    empty = bpy.data.objects.new("Swing", None)
    scene.collection.objects.link(empty)
    for frame, place in ((1, (0, 0, 1)), (30, (1, 0.5, 2)), (60, (-1, 0, 1))):
        empty.location, empty.rotation_euler = place, (place[0], place[1], 0.5 * place[2])
        empty.keyframe_insert("location", frame=frame)
        empty.keyframe_insert("rotation_euler", frame=frame)
    return empty


def held(rig, bone, kind, target=None):
    constraint = rig.item.pose.bones[bone].constraints.new(kind)
    if target is not None:
        constraint.target = target
    return constraint


def test_a_good_result_is_right_and_its_figures_are_those_that_are_seen(person, hero):
    report = put_on(person, hero, plant_feet=False)
    assert report.is_right and not report.problems and not report.causes and not report.notes
    assert max(angles(*positions(person, hero, EVERY), limbs()).values()) < 0.1
    figures = [report.limb_angle_rad, report.turn_angle_rad, report.hips_m, report.stretch_m, report.reach_m]
    assert max(figures) < 0.002 and report.failure() is None


@pytest.mark.parametrize("controls", ["FK", "IK"])
@pytest.mark.parametrize("make", [rigs.vrm, rigs.auto_rig_pro, rigs.unknown])
def test_poses_that_nobody_takes_are_no_fault_of_the_character(scene, motion, rest, make, controls):
    """Joints that turn anywhere, elbows and knees among them, as estimates of poor footage do."""
    random, phase = np.random.default_rng(5), np.linspace(0, 6, 40)[:, None]
    turns = np.sin(phase + random.uniform(0, 6, 165)) * random.normal(0, 0.4, 165) + random.normal(0, 0.4, 165)
    quaternions = rotations.axis_angle_to_quaternion(turns.reshape(40, 55, 3))
    wild = SimpleNamespace(
        rest=motion.rest, pelvis=np.zeros((40, 3)), quaternions=rotations.continuous_quaternions(quaternions)
    )
    rig = make(rest, seed=4, pose="relaxed")
    report = put_on(add_person(scene, wild), rig, controls=controls)
    assert report.is_right, report.describe()


@pytest.mark.parametrize("kind", ["COPY_ROTATION", "TRACK_TO", "COPY_LOCATION"])
@pytest.mark.parametrize("bone", ["LeftForeArm", "RightLeg", "Spine1", "Head", "LeftFoot"])
def test_constraints_to_something_outside_are_seen(scene, person, hero, bone, kind):
    constraint = held(hero, PREFIX + bone, kind, swinging(scene))
    report = put_on(person, hero)
    assert not report.is_right and report.problems
    assert any(constraint.name in cause and PREFIX + bone in cause for cause in report.causes), report.describe()
    assert "Disable the constraint" in report.remedies[0]
    error = report.failure()
    assert error.code == "retarget-off" and PREFIX + bone in error.message and "Disable" in error.remedy
    # and the figure is the one that is seen
    if kind == "COPY_ROTATION" and bone == "LeftForeArm":
        seen = angles(*positions(person, hero, EVERY), [("left_elbow", "left_wrist")])["left_elbow"]
        assert seen > 20 and 0.7 * seen < np.degrees(report.limb_angle_rad) < 1.05 * seen


def test_inverse_kinematics_on_bones_that_get_keys_is_seen(person, hero):
    """A rig of somebody's own, whose legs hang from controls that are not on the list."""
    solver = held(hero, f"{PREFIX}LeftLeg", "IK", hero.item)
    solver.subtarget, solver.chain_count = f"{PREFIX}RightHand", 2
    report = put_on(person, hero)
    assert not report.is_right and any(solver.name in cause for cause in report.causes)


def test_locked_channels_and_bones_scaled_by_hand_do_no_harm(person, hero):
    """Blender's locks are for hands, not for keys."""
    for bone in hero.item.pose.bones:
        bone.lock_location = bone.lock_rotation = bone.lock_scale = (True, True, True)
        bone.scale = (1.2, 0.8, 1.0)
    report = put_on(person, hero, plant_feet=False)
    assert report.is_right and max(angles(*positions(person, hero, EVERY), limbs()).values()) < 0.1


def test_muted_constraints_are_no_cause(scene, person, hero):
    held(hero, f"{PREFIX}LeftForeArm", "COPY_ROTATION", swinging(scene)).mute = True
    held(hero, f"{PREFIX}RightLeg", "COPY_ROTATION", swinging(scene)).influence = 0.0
    assert put_on(person, hero).is_right


@pytest.mark.parametrize("channel, index", [("rotation_quaternion", 1), ("location", 0), ("scale", 1)])
def test_drivers_are_seen(person, hero, channel, index):
    bone = f"{PREFIX}LeftUpLeg"
    driver = hero.item.pose.bones[bone].driver_add(channel, index).driver
    driver.type, driver.expression = "SCRIPTED", "1 + sin(frame / 5)" if channel == "scale" else "20 * sin(frame / 5)"
    report = put_on(person, hero)
    assert not report.is_right
    assert any("driver" in cause and channel in cause and bone in cause for cause in report.causes), report.describe()


def test_a_body_that_would_be_torn_apart_is_refused(scene, person, motion):
    """The legs hang from one bone and the trunk from another; neither carries both."""
    item = armature.create("Torn", motion.rest)
    scene.collection.objects.link(item)
    bpy.context.view_layer.objects.active = item
    bpy.ops.object.mode_set(mode="EDIT")
    item.data.edit_bones["spine1"].parent = None
    bpy.ops.object.mode_set(mode="OBJECT")
    rig = rigs.Rig(item, {name: name for name in JOINT_NAMES})
    with pytest.raises(UserError, match="legs, spine and head") as error:
        put_on(person, rig)
    assert error.value.code == "rig-root-unknown" and "Root" in error.value.remedy and item.animation_data is None


@pytest.mark.parametrize("weight", [1.0, 0.0])
def test_a_part_of_the_mesh_that_stays_behind_is_seen(scene, person, hero, weight):
    """A bone beside the figure that has weights; one without may stay where it likes."""
    bpy.context.view_layer.objects.active = hero.item
    bpy.ops.object.mode_set(mode="EDIT")
    bone = hero.item.data.edit_bones.new("Hair")
    bone.head, bone.tail = (0, 160, 0), (0, 170, 0)
    bpy.ops.object.mode_set(mode="OBJECT")
    data = bpy.data.meshes.new("Body")
    data.from_pydata([(0, 0, 1.7), (0.1, 0, 1.7), (0, 0.1, 1.7)], [], [(0, 1, 2)])
    mesh = bpy.data.objects.new("Body", data)
    scene.collection.objects.link(mesh)
    mesh.modifiers.new("Armature", "ARMATURE").object = hero.item
    mesh.vertex_groups.new(name="Hair").add([0, 1, 2], weight, "REPLACE")
    report = put_on(person, hero)
    assert report.is_right == (weight == 0)
    if weight:
        assert any("Hair" in problem and "apart" in problem for problem in report.problems)
        assert any("Hair does not follow" in cause for cause in report.causes)


def test_knees_and_elbows_on_the_wrong_side_are_seen(person, rest):
    """Poles of inverse kinematics that are set up the wrong way round."""
    rig = rigs.auto_rig_pro(rest, pose="T")
    assert put_on(person, rig, controls="IK").is_right
    rig.item.animation_data_clear()
    for name in ("forearm", "leg"):
        rig.item.pose.bones[f"{name}_ik.l"].constraints[0].pole_angle += np.pi
    report = put_on(person, rig, controls="IK")
    assert not report.is_right and report.bend_angle_rad > np.radians(20), report


def test_bones_between_two_mapped_ones_are_seen(scene, person, motion):
    """Hands and toes taken for wrists and ankles: what is matched is in line, and the limbs are not."""
    item = armature.create("Between", motion.rest)
    scene.collection.objects.link(item)
    rig = rigs.Rig(item, {name: name for name in JOINT_NAMES})
    bones = dict(character_files.find_rig(item).bones)
    for side in ("left", "right"):
        bones[f"{side}_ankle"] = bones.pop(f"{side}_foot")
    report = put_on(person, rig, RigMap(bones))
    seen = angles(*positions(person, rig, EVERY), [("left_knee", "left_ankle")])["left_knee"]
    assert seen > 10 and not report.is_right
    assert any("left_ankle lies between left_knee and left_foot" in cause for cause in report.causes)
    assert any("choose left_ankle for Foot L" in remedy for remedy in report.remedies)


def test_armatures_that_move_themselves_are_seen(scene, person, hero):
    hero.item.parent = swinging(scene)
    report = put_on(person, hero)
    assert not report.is_right and report.hips_m > 0.3
    assert "Swing moves the armature Mixamo itself" in report.causes[0]


def test_roots_that_cannot_move_are_refused(scene, person, hero):
    """A connected bone ignores its location: nothing is done, and the way out is named."""
    bpy.context.view_layer.objects.active = hero.item
    bpy.ops.object.mode_set(mode="EDIT")
    hips = hero.item.data.edit_bones[f"{PREFIX}Hips"]
    ground = hero.item.data.edit_bones.new("Ground")
    ground.head, ground.tail = (hips.head.x, hips.head.y - 50, hips.head.z), hips.head
    hips.parent, hips.use_connect = ground, True
    bpy.ops.object.mode_set(mode="OBJECT")
    with pytest.raises(UserError) as error:
        put_on(person, hero)
    assert error.value.code == "rig-root-connected" and "Hips" in error.value.message
    assert "Ground" in error.value.remedy and hero.item.animation_data is None
    bones = character_files.find_rig(hero.item)
    assert put_on(person, hero, RigMap(dict(bones.bones) | {"root": ("Ground",)})).is_right


def strip_of(item, bone, track="Idle", value=1.0):
    """An NLA strip that turns and moves a bone, on a track of its own."""
    action = keyframes.animate(item, track)
    for path, size in (("rotation_quaternion", 4), ("location", 3)):
        for curve in keyframes.add_curves(item, f'pose.bones["{bone}"].{path}', size):
            keyframes.append(curve, np.array([1.0, 60.0]), np.array([0.2, value]), np.ones(2, np.uint8))
    made = item.animation_data.nla_tracks.new()
    made.name = track
    slot = getattr(item.animation_data, "action_slot", None)
    strip = made.strips.new(track, 1, action)
    if slot is not None:
        strip.action_slot = slot
    item.animation_data.action = None
    return made


@pytest.mark.parametrize("blend", ["ADD", "COMBINE", "SUBTRACT", "MULTIPLY"])
def test_the_nla_adds_nothing(scene, person, hero, blend):
    """Whatever plays there is muted where it moves the same bones, and so it is said. Other tracks play on."""
    above = strip_of(hero.item, f"{PREFIX}Spine")
    above.strips[0].blend_type = blend
    other = strip_of(hero.item, f"{PREFIX}HeadTop_End", "Hat")
    hero.item.animation_data.action_blend_type, hero.item.animation_data.action_influence = blend, 0.5
    report = put_on(person, hero, plant_feet=False)
    assert max(angles(*positions(person, hero, EVERY), limbs()).values()) < 0.1
    assert report.is_right and above.mute and not other.mute
    assert any("Idle" in note and "Hat" not in note for note in report.notes)
    assert any("influence" in note for note in report.notes) and "muted" in report.describe()
    assert len(hero.item.animation_data.nla_tracks) == 2 and above.strips[0].blend_type == blend


def test_nothing_is_muted_where_nothing_plays(person, hero):
    track = strip_of(hero.item, f"{PREFIX}Spine")
    track.mute = True
    assert put_on(person, hero).notes == ()
    track.mute, hero.item.animation_data.use_nla = False, False
    assert put_on(person, hero).is_right and not track.mute


def test_a_track_that_plays_alone_does_so_no_more(person, hero):
    track = strip_of(hero.item, f"{PREFIX}HeadTop_End", "Hat")
    track.is_solo = True
    assert put_on(person, hero).is_right and not track.is_solo


def test_tweak_mode_is_asked_to_be_left(person, hero):
    track = strip_of(hero.item, f"{PREFIX}Spine")
    track.select = track.strips[0].select = True
    hero.item.animation_data.use_tweak_mode = True
    with pytest.raises(UserError) as error:
        put_on(person, hero)
    assert error.value.code == "character-in-tweak-mode" and hero.item.animation_data.use_tweak_mode


@pytest.fixture
def files(scene, rest, tmp_path):
    """A take, and a character whose upper arm is held by a constraint."""
    rig = rigs.unreal(rest)
    hold = held(rig, "upperarm_l", "LIMIT_ROTATION")
    hold.name, hold.owner_space = "Hold", "LOCAL"
    hold.use_limit_x = hold.use_limit_y = hold.use_limit_z = True
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hero.blend"), copy=True)
    return write_take(tmp_path / "clip.h3r"), tmp_path / "hero.blend", tmp_path


def test_the_command_line_fails(files, capfd):
    """With exit code 1; the file is written all the same, to look at."""
    take, rig, folder = files
    arguments = ["--output", str(folder / "out.blend"), "--retarget-to", str(rig), "--json", str(folder / "made.json")]
    assert command_line.main(["import", str(take), *arguments]) == 1
    said = capfd.readouterr().err
    assert "retarget-off" in said and "Hold" in said and "Disable the constraint" in said
    assert "incomplete" not in said and (folder / "out.blend").is_file()
    (result,) = json.loads((folder / "made.json").read_text())["results"]
    assert result["error"]["code"] == "retarget-off" and "Hold" in result["error"]["message"]
    (first, _) = result["characters"]
    assert not first["is_right"] and first["problems"] and "Hold" in first["causes"][0] and first["remedies"]
    assert first["limb_angle_rad"] > 0.1


def test_the_panel_shows_it_in_red(scene, person, hero):
    constraint = held(hero, f"{PREFIX}LeftForeArm", "COPY_ROTATION", swinging(scene))
    settings = scene.human3r_retarget
    settings.source, settings.character = person, hero.item
    assert bpy.ops.human3r.retarget() == {"FINISHED"}
    assert settings.report_is_wrong and constraint.name in settings.report and "Disable" in settings.report
    constraint.mute = True
    assert bpy.ops.human3r.retarget() == {"FINISHED"}
    assert not settings.report_is_wrong and "limbs within 0.0" in settings.report
