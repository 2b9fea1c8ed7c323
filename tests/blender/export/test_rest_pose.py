# SPDX-License-Identifier: GPL-3.0-or-later
"""At rest people stand on the floor over the origin, as game engines scale their motion by; the motion stays."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export import exporting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.settings import ExportSettings

from . import readers
from .conftest import FRAMES, LATE, RATE, SCALE

MILLIMETRE = 0.001
READERS = {"fbx": readers.import_fbx, "glb": readers.import_glb, "usd": readers.import_usd, "usdz": readers.import_usd}
TIMES = np.array([LATE, LATE + 2, FRAMES - 1]) / RATE


def read_again(cast, folder, kind, **more):
    """(frame of the first moment, the only armature) of the first person's file."""
    done = exporting.export(cast.scene, cast.people[:1], folder, "take", ExportSettings((kind,), **more))
    readers.empty_file((30, 1.0))
    first = READERS[kind](done.files[0])
    return first, readers.skeletons()[0]


def bodies():
    """The meshes of the scene that an armature moves; Blender's glTF importer also makes one to draw bones with."""
    return [item for item in bpy.context.scene.objects if item.type == "MESH" and item.modifiers]


def bone(armature, name):
    """(4, 4) of a bone at rest in the world, in meters."""
    return np.array(armature.matrix_world @ armature.data.bones[name].matrix_local)


@pytest.mark.parametrize(("kind", "more"), [*((kind, {}) for kind in READERS), ("fbx", {"target": "unreal"})])
def test_soles_are_on_the_floor(cast, tmp_path, kind, more):
    _, armature = read_again(cast, tmp_path, kind, **more)
    (mesh,) = bodies()
    heights = [(mesh.matrix_world @ vertex.co).z for vertex in mesh.data.vertices]
    assert abs(min(heights)) < MILLIMETRE and max(heights) > 1.5 * SCALE
    x, y, z = bone(armature, "pelvis")[:3, 3]
    assert abs(x) < MILLIMETRE and abs(y) < MILLIMETRE and 0.7 * SCALE < z < 1.1 * SCALE
    assert np.abs(bone(armature, "root")[:3, 3]).max() < MILLIMETRE


@pytest.mark.parametrize("kind", READERS)
def test_without_a_body_too(cast, tmp_path, kind):
    """How high the ankles are over the soles is known from the person's body, though it is not in the file."""
    expected = cast.joints(TIMES)["Person 01"]
    mesh = cast.people[0].children[0]
    shape = [mesh.data.shape_keys.key_blocks[f"Shape{index:03d}"] for index in range(10)]
    basis = mesh.data.shape_keys.key_blocks[0]
    sole = min(
        point.co.y + sum(key.value * (key.data[index].co.y - point.co.y) for key in shape)
        for index, point in enumerate(basis.data)
    )
    ankle = SCALE * (cast.people[0].data.bones["left_ankle"].head_local.y - sole)
    first, armature = read_again(cast, tmp_path, kind, mesh=False)
    assert not bodies()
    assert bone(armature, "left_ankle")[2, 3] == pytest.approx(ankle, abs=MILLIMETRE)
    (found,) = readers.joints_of_skeletons(first, TIMES).values()
    assert np.linalg.norm(found - expected, axis=-1).max() < MILLIMETRE


def test_a_person_whose_body_was_deleted_stands_nearly_on_the_floor(cast, tmp_path):
    _, with_body = read_again(cast, tmp_path, "glb", mesh=False)
    height = bone(with_body, "left_foot")[2, 3]
    bpy.ops.wm.open_mainfile(filepath=str(cast.path))
    (person, *_) = [item for item in bpy.context.scene.objects if item.name == "Person 01"]
    bpy.data.objects.remove(person.children[0])
    exporting.export(bpy.context.scene, [person], tmp_path, "bare", ExportSettings(("glb",)))
    readers.empty_file((30, 1.0))
    readers.import_glb(tmp_path / "bare.glb")
    (armature,) = readers.skeletons()
    assert bone(armature, "left_foot")[2, 3] == pytest.approx(height, abs=0.005 * SCALE)


@pytest.mark.parametrize("kind", READERS)
def test_root_motion(cast, tmp_path, kind):
    """The bone `root` goes over the floor and turns; the hips go up and down, and people stay where they are."""
    expected = cast.joints(TIMES)["Person 01"]
    first, armature = read_again(cast, tmp_path, kind, root_motion=True)
    (found,) = readers.joints_of_skeletons(first, TIMES).values()
    assert np.linalg.norm(found - expected, axis=-1).max() < MILLIMETRE
    for row, time_s in enumerate(TIMES):
        bpy.context.scene.frame_set(first + round(time_s * RATE))
        seen = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        root, pelvis = (np.array(seen.matrix_world @ seen.pose.bones[name].matrix) for name in ("root", "pelvis"))
        assert np.abs(root[:3, 3] - [*expected[row, 0, :2], 0.0]).max() < MILLIMETRE
        turn = root[:3, :3] @ bone(armature, "root")[:3, :3].T
        assert np.abs(turn[2] - [0, 0, 1]).max() < 1e-4  # upright
        # what is left of the hips' turn has no heading: its axis lies in the floor
        hips = turn.T @ pelvis[:3, :3] @ bone(armature, "pelvis")[:3, :3].T
        assert abs(hips[1, 0] - hips[0, 1]) < 1e-3
    assert np.linalg.norm(expected[-1, 0, :2] - expected[0, 0, :2]) > 0.05


def test_without_root_motion_the_root_rests(cast, tmp_path):
    first, armature = read_again(cast, tmp_path, "glb")
    for frame in (first, first + FRAMES - 1):
        bpy.context.scene.frame_set(frame)
        seen = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        assert np.abs(np.array(seen.pose.bones["root"].matrix_basis) - np.eye(4)).max() < 1e-5
