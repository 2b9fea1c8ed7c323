# SPDX-License-Identifier: GPL-3.0-or-later
"""Characters out of .blend files, and the command line."""

import json
import types

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract import messages, rotations
from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
from bl_ext.user_default.human3r_blender.engine.contract.settings import CaptureSettings
from bl_ext.user_default.human3r_blender.engine.contract.take import TakeWriter
from bl_ext.user_default.human3r_blender.human3r_blender.batch import command_line
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import blocks
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget import character_files, retargeting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget.linked_character import make_editable
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget.settings import RetargetSettings

from . import rigs
from .measuring import angles, limbs, positions

FRAMES = range(1, 61, 7)


@pytest.fixture
def saved(scene, rest, tmp_path):
    """A file with a character in a collection: armature, a mesh that it deforms, and another armature."""
    rig = rigs.unreal(rest)
    mesh = bpy.data.objects.new("Body", bpy.data.meshes.new("Body"))
    mesh.parent = rig.item
    mesh.modifiers.new("Armature", "ARMATURE").object = rig.item
    collection = bpy.data.collections.new("Character")
    scene.collection.children.link(collection)
    for item in (rig.item, mesh):
        collection.objects.link(item)
    other = bpy.data.objects.new("Prop rig", bpy.data.armatures.new("Prop rig"))
    scene.collection.objects.link(other)
    path = tmp_path / "hero.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    bones = rig.bones
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    return types.SimpleNamespace(path=path, bones=bones)


@pytest.mark.parametrize("link", [False, True])
def test_characters_are_appended_or_linked_with_their_meshes(saved, request, link):
    person = request.getfixturevalue("person")
    scene = bpy.context.scene
    tags.mark(person, "take", tags.ARMATURE, 0)
    (report,) = character_files.retarget_file(scene, saved.path, link=link)
    assert report.limb_angle_rad < np.radians(0.5)
    item = next(item for item in scene.objects if item.type == "ARMATURE" and item != person)
    assert (item.override_library is not None) == link and item.library is None
    assert not link or not item.override_library.is_system_override  # else nobody could pose it on
    (mesh,) = [child for child in item.children if child.type == "MESH"]
    assert mesh.modifiers["Armature"].object == item and mesh.name in scene.objects
    assert not any(found.name.startswith("Prop rig") for found in scene.objects)
    rig = rigs.Rig(item, saved.bones)
    assert max(angles(*positions(person, rig, FRAMES), limbs(legs=False)).values()) < 1.0


@pytest.mark.parametrize("way", ["collection", "instance", "objects"])
def test_linked_characters_are_overridden_in_their_place(saved, request, way):
    """Also a second time, for another person."""
    person, scene = request.getfixturevalue("person"), bpy.context.scene
    for count in (1, 2):
        with bpy.data.libraries.load(str(saved.path), link=True) as (_, wanted):
            wanted.collections, wanted.objects = ["Character"], ["Mannequin", "Body"]
        empty = bpy.data.objects.new("shown", None)
        if way == "collection":
            scene.collection.children.link(wanted.collections[0])
        elif way == "objects":
            for item in wanted.objects:
                scene.collection.objects.link(item)
        else:
            scene.collection.objects.link(empty)
            empty.instance_type, empty.instance_collection = "COLLECTION", wanted.collections[0]
            empty.location, empty.rotation_euler = (2, 1, 0.5), (0, 0, 0.4)
        bpy.context.view_layer.update()
        own = make_editable(wanted.objects[0], scene)
        bpy.context.view_layer.update()
        assert own.override_library is not None and not own.override_library.is_system_override
        assert not [item.name for item in scene.objects if item.library is not None]
        assert len([item for item in scene.objects if item.type == "MESH"]) == count and empty.instance_type == "NONE"
        (mesh,) = [child for child in own.children if child.type == "MESH"]
        assert mesh.modifiers["Armature"].object == own and mesh.name in scene.objects
        np.testing.assert_allclose(own.matrix_world.translation, empty.location, atol=1e-6)
    retargeting.retarget(person, own, scene, character_files.find_rig(own), RetargetSettings(plant_feet=False))
    assert max(angles(*positions(person, rigs.Rig(own, saved.bones), FRAMES), limbs()).values()) < 1.0


def test_errors_name_the_file_and_the_way_out(saved, tmp_path):
    for arguments, code in (
        ((tmp_path / "absent.blend",), "character-unreadable"),
        ((saved.path, False, "Nobody"), "character-missing"),
    ):
        with pytest.raises(UserError) as error:
            character_files.bring(bpy.context.scene, *arguments)
        assert error.value.code == code and error.value.remedy


def write_take(path, frames=8):
    """Two people who stand and lift an arm, before a still camera."""
    settings = CaptureSettings(source="clip.mp4", take=str(path))
    upright = rotations.matrix_to_axis_angle(np.diag([1.0, -1.0, -1.0]))
    with TakeWriter(path) as writer:
        writer.write(
            messages.TakeHeader(
                messages.PROTOCOL_VERSION, "test", (64, 48), 30.0, frames, "none", "mannequin", settings
            )
        )
        for index in range(frames):
            pose = np.zeros((2, 55, 3), np.float32)
            pose[:, 0] = upright
            pose[:, 16, 2] = -1.2 + 0.1 * index
            writer.write(
                messages.Frame(
                    index=index,
                    source_frame=index,
                    time_s=index / 30,
                    focal_px=60.0,
                    world_from_camera=np.eye(4),
                    principal_point_px=np.array([32.0, 24.0]),
                    track_id=np.array([0, 1], np.int32),
                    score=np.ones(2, np.float32),
                    pose_axis_angle=pose,
                    betas=np.zeros((2, 10), np.float32),
                    expression=np.zeros((2, 10), np.float32),
                    translation=np.zeros((2, 3), np.float32),
                    head_point=np.array([[-0.5, 0, 3], [0.5, 0, 3]], np.float32),
                    head_px=np.zeros((2, 2), np.float32),
                    mask_size=(8, 1),
                    mask_box_px=(-0.5, -0.5, 7.5, 0.5),
                    mask_bits=np.zeros(1, np.uint8),
                )
            )
        writer.write(messages.TakeEnd("complete", frames))
    return path


def test_the_command_line_puts_everybody_on_a_character(saved, tmp_path, capfd):
    take, output = write_take(tmp_path / "clip.h3r"), tmp_path / "out.blend"
    summary = tmp_path / "summary.json"
    code = command_line.main(
        [
            "import",
            str(take),
            "--output",
            str(output),
            "--retarget-to",
            str(saved.path),
            "--preset",
            "unreal mannequin",
            "--no-retarget-plant-feet",
            "--json",
            str(summary),
        ]
    )
    said = capfd.readouterr().err
    assert code == 0, said
    assert said.count("limbs within 0.0") == 2
    (result,) = json.loads(summary.read_text())["results"]
    assert result["status"] == "complete" and len(result["characters"]) == 2
    assert all(made["limb_angle_rad"] < 0.001 and made["frames"] == 8 for made in result["characters"])
    bpy.ops.wm.open_mainfile(filepath=str(output))
    rigs_there = [item for item in bpy.context.scene.objects if item.type == "ARMATURE" and tags.TAKE not in item]
    assert {item.name for item in rigs_there} == {made["character"] for made in result["characters"]}
    assert {item.animation_data.action.name.split(" on ")[0] for item in rigs_there} == {"Person 01", "Person 02"}
    blocks.set_hidden(bpy.context.scene.objects["Person 01"], True)  # one who nobody wants to see
    assert [item.name for item in character_files.people(bpy.context.scene)] == ["Person 02"]


def test_people_of_a_blend_file_move_characters_too(saved, request, tmp_path, capfd):
    name = request.getfixturevalue("person").name
    scene, summary, output = tmp_path / "scene.blend", tmp_path / "summary.json", tmp_path / "deep" / "out.blend"
    for code in (1, 0):
        bpy.ops.wm.save_as_mainfile(filepath=str(scene), copy=True)
        assert (
            command_line.main(
                [
                    "retarget",
                    str(scene),
                    "--retarget-to",
                    str(saved.path),
                    "--retarget-link",
                    "--json",
                    str(summary),
                    "--output",
                    str(output),
                ]
            )
            == code
        ), capfd.readouterr().err
        (result,) = json.loads(summary.read_text())["results"]
        assert output.exists() == (code == 0)
        if code:
            assert result["error"]["code"] == "scene-without-people" and result["status"] == "failed"
            tags.mark(bpy.data.objects[name], "take", tags.ARMATURE, 0)
    assert (result["people"], result["frames"], result["status"]) == (1, 60, "complete")
    bpy.ops.wm.open_mainfile(filepath=str(output))
    found = bpy.context.scene.objects
    rig = rigs.Rig(found[result["characters"][0]["character"]], saved.bones)
    assert rig.item.override_library is not None and not rig.item.override_library.is_system_override
    assert max(angles(*positions(found[name], rig, FRAMES), limbs(legs=False)).values()) < 1.0


def test_what_would_fail_at_the_end_fails_at_the_start(saved, tmp_path, capfd):
    take, output = write_take(tmp_path / "clip.h3r"), tmp_path / "out.blend"
    for arguments, told in (
        (["--retarget-to", str(tmp_path / "no.blend")], "There is no character file"),
        (["--retarget-to", str(saved.path), "--preset", "Nobody's"], "Rigify"),
    ):
        assert command_line.main(["import", str(take), "--output", str(output), *arguments]) == 1
        assert told in capfd.readouterr().err and not output.exists()
