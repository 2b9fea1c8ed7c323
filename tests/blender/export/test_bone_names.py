# SPDX-License-Identifier: GPL-3.0-or-later
"""Exported people whose bones other programs know, by a profile's names; and several people in one file."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_NAMES
from bl_ext.user_default.human3r_blender.human3r_blender.rigs import presets, profiles, rig_map
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export import exporting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.settings import ExportSettings

from . import readers
from .conftest import FRAMES, LATE, RATE

MILLIMETRE = 0.001
TIMES = np.array([LATE, FRAMES - 1]) / RATE
READERS = {
    "fbx": readers.import_fbx, "glb": readers.import_glb, "usd": readers.import_usd, "bvh": readers.import_bvh
}  # fmt: skip
PRESETS = {
    "smplx": "SMPL-X", "mixamo": "Mixamo", "unreal": "Unreal Mannequin", "vrm": "VRM Humanoid",
    "godot": "Godot Humanoid",
}  # fmt: skip
FBX_READERS = [readers.import_fbx, *([readers.import_fbx_again] if readers.HAS_SECOND_FBX_IMPORTER else [])]


def export(cast, folder, people, *formats, **more):
    return exporting.export(cast.scene, people, folder, "take", ExportSettings(formats, **more)).files


def test_there_is_a_preset_for_each_profile():
    assert PRESETS.keys() == profiles.PROFILES.keys()


@pytest.mark.parametrize("profile", PRESETS)
def test_each_bone_has_a_name_of_its_own(profile):
    names = profiles.bone_names(profile)
    assert names.keys() == {profiles.ROOT, *JOINT_NAMES} and len(set(names.values())) == 56
    if profile != "smplx":  # what no preset names is named like the rest
        assert not set(names.values()) & (set(JOINT_NAMES) - {"pelvis", "head", "jaw", "neck"})


@pytest.mark.parametrize("profile", PRESETS)
@pytest.mark.parametrize("kind", READERS)
def test_retargeting_finds_the_bones_in_the_file(cast, tmp_path, kind, profile):
    """By the preset of the program that the names are for; each slot by the bone that is where its joint is."""
    person = cast.people[:1]
    expected = cast.joints(TIMES)["Person 01"]
    path = export(cast, tmp_path, person, kind, bone_names=profile, mesh=False)[0]
    readers.empty_file((30, 1.0))
    first = READERS[kind](path)
    (armature,) = readers.skeletons()
    known, problems = presets.find_all()
    found = rig_map.recognise(known, armature.data.bones.keys())
    assert not problems and found == PRESETS[profile]
    slots = rig_map.resolve(known[found], armature.data.bones.keys()).bones
    assert len(slots) >= (50 if profile == "unreal" else 51)  # the mannequin's preset has no jaw
    names = profiles.bone_names(profile)
    bones = [name.replace(":", "_") if kind == "usd" else name for name in (names[joint] for joint in JOINT_NAMES)]
    (joints,) = readers.joints_of_skeletons(first, TIMES, lambda _: bones).values()
    assert np.linalg.norm(joints - expected, axis=-1).max() < MILLIMETRE
    for slot, used in slots.items():
        if slot in JOINT_NAMES:
            assert used == (bones[JOINT_NAMES.index(slot)],), slot


@pytest.mark.parametrize("kind", ("fbx", "glb", "usd"))
def test_the_body_follows_bones_of_other_names(cast, tmp_path, kind):
    expected = readers.surfaces(1, TIMES)
    (path,) = export(cast, tmp_path, cast.people, kind, bone_names="mixamo", fbx_together=True)
    readers.empty_file((30, 1.0))
    found = readers.surfaces(READERS[kind](path), TIMES)
    for name in ("Person_01", "Person_02"):
        wanted = expected[f"{name} mesh".replace("_", " ")][:, ::97]
        (mesh,) = [points for other, points in found.items() if name in other]
        away = np.linalg.norm(mesh[:, None] - wanted[:, :, None], axis=-1).min(axis=2)
        assert away.max() < MILLIMETRE


@pytest.mark.parametrize("profile", ("unreal", "mixamo"))
def test_locators_have_the_names_too(cast, tmp_path, profile):
    path = export(cast, tmp_path, cast.people[:1], "abc", bone_names=profile, mesh=False)[0]
    readers.empty_file((30, 1.0))
    readers.import_abc(path)
    wanted = {f"Person_01_{name}".replace(":", "_") for name in profiles.bone_names(profile).values()}
    assert len(wanted & set(bpy.context.scene.objects.keys())) == 55


@pytest.mark.parametrize("read", FBX_READERS)
def test_several_people_in_one_fbx_have_bones_of_their_own(cast, tmp_path, read):
    expected = cast.joints(TIMES)
    (path,) = export(cast, tmp_path, cast.people, "fbx", fbx_together=True)
    assert path.name == "take.fbx"
    readers.empty_file((30, 1.0))
    first = read(path)
    names = [bone.name for armature in readers.skeletons() for bone in armature.data.bones]
    assert len(names) == len(set(names)) == 112 and "Person_02_pelvis" in names and "Person_01_root" in names
    found = readers.joints_of_skeletons(first, TIMES, lambda name: [f"{name}_{joint}" for joint in JOINT_NAMES])
    assert len(found) == 2
    for name, joints in found.items():
        assert np.linalg.norm(joints - expected[name.replace("_", " ")], axis=-1).max() < MILLIMETRE


def test_who_shares_a_file_with_whom(cast, tmp_path):
    """By default each person has an FBX file, and one person alone the name without any."""
    everyone = export(cast, tmp_path / "a", cast.people, "fbx", "glb", "bvh")
    assert [path.name for path in everyone] == [
        "take-Person_01.fbx", "take-Person_02.fbx", "take.glb", "take-Person_01.bvh", "take-Person_02.bvh"
    ]  # fmt: skip
    assert [path.name for path in export(cast, tmp_path / "b", cast.people[:1], "fbx")] == ["take.fbx"]
    apart = export(cast, tmp_path / "c", cast.people, "fbx", "glb", together=False, fbx_together=True)
    assert len(apart) == 4
    unreal = export(cast, tmp_path / "d", cast.people, "fbx", target="unreal", fbx_together=True)
    assert [path.name for path in unreal] == ["take-Person_01.fbx", "take-Person_02.fbx"]
