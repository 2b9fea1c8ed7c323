# SPDX-License-Identifier: GPL-3.0-or-later
"""What things are called in files, whatever the .blend file has of the same name."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_NAMES
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes
from bl_ext.user_default.human3r_blender.human3r_blender.rigs import profiles
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export import exporting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.settings import ExportSettings
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.usd_crate import Crate
from io_scene_fbx import parse_fbx

from . import readers
from .conftest import everything
from .test_bone_names import TIMES
from .test_rest_pose import READERS

NAMES = {"山田太郎": "山田太郎", "Zoë Müller": "Zoë_Müller", "नमस्ते": "नमस्ते", "Анна": "Анна"}


def export(cast, folder, *formats, **more):
    return exporting.export(cast.scene, cast.people, folder, "take", ExportSettings(formats, **more)).files


def take_all_names(cast):
    """The .blend file has a scene, an Action, objects and meshes that are called as the export's."""
    cast.scene.name = "take"
    keyframes.animate(cast.root, "take")
    cast.people[0].name = cast.people[0].data.name = "Anna"
    cast.people[1].name = cast.people[1].data.name = "山田太郎"
    mesh = cast.people[0].children[0]
    mesh.name = mesh.data.name = "Anna_mesh"
    cast.scene.camera.name = cast.scene.camera.data.name = "Camera"
    bpy.context.view_layer.objects.active = cast.people[0]


def fbx_names(path):
    """Names of nodes, and of animation stacks."""
    root, _ = parse_fbx.parse(str(path))
    objects = next(part for part in root.elems if part.id == b"Objects").elems
    named = [(item.id, item.props[1].split(b"\0")[0].decode()) for item in objects if len(item.props) > 1]
    return {kind: {name for found, name in named if found == kind} for kind in (b"Model", b"AnimationStack")}


def test_no_name_gets_a_number(cast, tmp_path):
    take_all_names(cast)
    before = everything()
    files = export(cast, tmp_path, "fbx", "glb", camera=True, fbx_together=True)
    assert everything() == before
    file, _ = readers.glb_file(tmp_path / "take.glb")
    assert [one["name"] for one in file["animations"]] == [one["name"] for one in file["scenes"]] == ["take"]
    nodes = {node["name"] for node in file["nodes"]}
    assert {"Anna", "Anna_mesh", "山田太郎", "山田太郎_mesh", "Camera"} <= nodes
    assert {mesh["name"] for mesh in file["meshes"]} == {"Anna_mesh", "山田太郎_mesh"}
    for node in file["nodes"]:  # nothing says another name than the person's
        assert "human3r_name" not in node.get("extras", {})
    export(cast, tmp_path, "usd")
    crate = Crate(tmp_path / "take.usd")
    assert {crate.text(place, "displayName") for place in crate.paths("SkelRoot")} == {"Anna", "山田太郎"}
    names = fbx_names(tmp_path / "take.fbx")
    assert names[b"AnimationStack"] == {"take"}
    assert {"Anna", "Anna_mesh", "山田太郎", "山田太郎_pelvis"} <= names[b"Model"]
    assert not [name for name in nodes | names[b"Model"] if name[-4:-2] == ".0"] and len(files) == 2


def test_clips_of_files_for_one_person_are_called_after_the_take(cast, tmp_path):
    take_all_names(cast)
    files = export(cast, tmp_path, "fbx", "glb", together=False)
    assert [path.name for path in files if path.suffix == ".fbx"] == ["take-Anna.fbx", "take-山田太郎.fbx"]
    for path in files:
        if path.suffix == ".fbx":
            assert fbx_names(path)[b"AnimationStack"] == {"take"}
        else:
            assert [one["name"] for one in readers.glb_file(path)[0]["animations"]] == ["take"]


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("name", NAMES)
def test_names_of_all_scripts_survive(cast, tmp_path, kind, name):
    cast.people[1].name = name
    expected = cast.joints(TIMES)[name]
    files = export(cast, tmp_path, kind, together=False)
    assert files[1].name == f"take-{NAMES[name]}.{kind}"
    readers.empty_file((30, 1.0))
    first = READERS[kind](files[1])
    found = readers.joints_of_skeletons(first, TIMES)
    assert list(found) == [NAMES[name]]
    assert np.linalg.norm(found[NAMES[name]] - expected, axis=-1).max() < 0.001
    if name != NAMES[name]:
        kept = [item.get("human3r_name") for item in bpy.context.scene.objects]
        assert name in kept


def test_two_people_of_one_name_stay_apart(cast, tmp_path):
    cast.people[0].name, cast.people[1].name = "A b", "A_b"
    export(cast, tmp_path, "glb")
    file, _ = readers.glb_file(tmp_path / "take.glb")
    assert {"A_b", "A_b_mesh", "A_b_2", "A_b_2_mesh"} <= {node["name"] for node in file["nodes"]}


def test_a_camera_may_have_a_persons_name(cast, tmp_path):
    cast.scene.camera.name = "Person_01"
    bpy.context.view_layer.objects.active = cast.people[0]
    before = everything()
    export(cast, tmp_path, "glb", camera=True)
    assert everything() == before
    nodes = readers.glb_file(tmp_path / "take.glb")[0]["nodes"]
    assert [node["name"] for node in nodes if "camera" in node] == ["Person_01_2"]


@pytest.mark.parametrize("kind", ("fbx", "abc"))
def test_long_names_of_people_and_bones_fit_together(cast, tmp_path, kind):
    """Blender cuts names at 63 bytes, which must not take the difference between two bones or two people away."""
    cast.people[0].name, cast.people[1].name = "長" * 20 + "a", "長" * 20 + "b"
    expected = cast.joints(TIMES)
    export(cast, tmp_path, kind, bone_names="mixamo", mesh=False, fbx_together=True)
    readers.empty_file((30, 1.0))
    first = READERS["fbx"](tmp_path / "take.fbx") if kind == "fbx" else readers.import_abc(tmp_path / "take.abc")
    names = profiles.bone_names("mixamo")
    if kind == "abc":
        end = f"_{names['pelvis']}".replace(":", "_")
        assert len([item for item in bpy.context.scene.objects if item.name.endswith(end)]) == 2
        return
    found = readers.joints_of_skeletons(first, TIMES, lambda who: [f"{who}_{names[joint]}" for joint in JOINT_NAMES])
    for wanted in expected.values():
        assert min(np.linalg.norm(joints - wanted, axis=-1).max() for joints in found.values()) < 0.001


def test_a_failure_gives_the_names_back(cast, tmp_path):
    take_all_names(cast)
    before = everything()
    (tmp_path / "take.glb").mkdir()
    with pytest.raises(UserError) as refused:
        export(cast, tmp_path, "glb", overwrite=True)
    assert refused.value.code == "output-unwritable"
    assert everything() == before
