# SPDX-License-Identifier: GPL-3.0-or-later
"""What was exported and is imported again stands where it stood: joints and surfaces, within a millimetre."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.body_model import BodyModel, default_body_path
from bl_ext.user_default.human3r_blender.human3r_blender.person import pose_correctives
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export import exporting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.formats import FORMATS
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.settings import ExportSettings
from mathutils.kdtree import KDTree

from . import readers
from .conftest import LATE, RATE, everything, go_to, make_cast

MILLIMETRE = 0.001
EXPORT_RATE, AS_BLENDER = Fraction(24000, 1001), (24, 1.001)
"""What 23.976 frames per second mean, and how Blender says it; the scene has 30."""
SEEN_VERTICES = 97
"""Every so many-th vertex is looked at."""

READERS = {
    "fbx": (readers.import_fbx, readers.joints_of_skeletons),
    "glb": (readers.import_glb, readers.joints_of_skeletons),
    "usd": (readers.import_usd, readers.joints_of_skeletons),
    "usdz": (readers.import_usd, readers.joints_of_skeletons),
    "abc": (readers.import_abc, readers.joints_of_locators),
    "bvh": (readers.import_bvh, readers.joints_of_skeletons),
}


@dataclass
class Exported:
    """All formats, and what the scene showed at some of the export's frames."""

    folder: Path
    times: list[float]
    joints: dict[str, np.ndarray]
    surfaces: dict[str, np.ndarray]
    camera: tuple[np.ndarray, np.ndarray, np.ndarray]
    """At the first frame too."""
    before: tuple
    after: tuple
    """Everything in the scene."""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    cast, folder = make_cast(clean=0.0), tmp_path_factory.mktemp("exports")
    pose_correctives.bake(cast.people[0], cast.people[0].children[0], BodyModel.load(default_body_path()))
    times = [float(frame / EXPORT_RATE) for frame in (4, 6, 9)]  # once everybody is there
    joints = {name.replace(" ", "_"): values for name, values in cast.joints(times).items()}
    surfaces = {
        name.replace(" ", "_"): values[:, ::SEEN_VERTICES]
        for name, values in readers.surfaces(1, times).items()
        if name.startswith("Person")
    }
    camera = readers.camera_views(1, [0.0, *times])
    bpy.context.view_layer.objects.active = cast.people[0]
    cast.people[0].select_set(True)
    bpy.ops.object.mode_set(mode="POSE")
    go_to(5)
    before = everything()
    done = exporting.export(
        cast.scene, cast.people, folder, "take", ExportSettings(tuple(FORMATS), 23.976, camera=True)
    )
    after = everything()
    assert sorted(path.name for path in done.files) == sorted(path.name for path in folder.iterdir())
    assert len(done.files) == 10  # FBX, BVH and npz for each person
    exporting.export(cast.scene, cast.people, folder, "unreal", ExportSettings(("fbx",), 23.976, "unreal"))
    return Exported(folder, times, joints, surfaces, camera, before, after)


def test_the_scene_is_as_it_was(exported):
    assert exported.after == exported.before


def assert_joints(found, expected):
    assert len(found) == len(expected)
    for name, values in found.items():
        (whose,) = [person for person in expected if person in name]
        assert np.linalg.norm(values - expected[whose], axis=-1).max() < MILLIMETRE, name


@pytest.mark.parametrize("kind", READERS)
def test_joints(exported, kind):
    folder, times, joints = exported.folder, exported.times, exported.joints
    read, look = READERS[kind]
    for path in folder.glob(f"take*.{kind}"):
        readers.empty_file(AS_BLENDER)
        first = read(path)
        people = joints if path.stem == "take" else {path.stem[5:]: joints[path.stem[5:]]}
        assert_joints(look(first, times), people)


FBX_READERS = [readers.import_fbx, *([readers.import_fbx_again] if readers.HAS_SECOND_FBX_IMPORTER else [])]


@pytest.mark.parametrize("read", FBX_READERS)
@pytest.mark.parametrize("target", ("unity", "unreal"))
def test_fbx_of_both_kinds_by_all_readers(exported, target, read):
    """Centimetres for Unreal, each person alone: in Blender's metres it comes out the same."""
    folder, times, joints = exported.folder, exported.times, exported.joints
    for person, expected in joints.items():
        readers.empty_file(AS_BLENDER)
        name = f"{'take' if target == 'unity' else 'unreal'}-{person}.fbx"
        found = readers.joints_of_skeletons(read(folder / name), times)
        assert list(found) == [person if target == "unity" else "Armature"]
        assert_joints(dict(zip([person], found.values(), strict=True)), {person: expected})


def test_joints_of_bvh_by_another_reader(exported):
    folder, times, joints = exported.folder, exported.times, exported.joints
    for name, expected in joints.items():
        frame_time, found = readers.bvh_joints(folder / f"take-{name}.bvh")
        assert frame_time == pytest.approx(1001 / 24000, abs=1e-11)
        rows = np.rint(np.array(times) / frame_time).astype(int)
        z_up = np.stack([found[..., 0], -found[..., 2], found[..., 1]], axis=-1)
        assert np.linalg.norm(z_up[rows] - expected, axis=-1).max() < MILLIMETRE


@pytest.mark.parametrize("kind", ("fbx", "glb", "usd", "usdz", "abc"))
def test_surfaces(exported, kind):
    """Shape, expression and pose correctives: every vertex looked at is there again, whatever its number is now."""
    folder, times, found = exported.folder, exported.times, {}
    for path in folder.glob(f"take*.{kind}"):
        readers.empty_file(AS_BLENDER)
        found |= readers.surfaces(READERS[kind][0](path), times)
    for name, expected in exported.surfaces.items():
        (mesh,) = [values for other, values in found.items() if name in other]
        for vertices, wanted in zip(mesh, expected, strict=True):
            tree = KDTree(len(vertices))
            for number, vertex in enumerate(vertices):
                tree.insert(vertex, number)
            tree.balance()
            assert max(tree.find(vertex)[2] for vertex in wanted) < MILLIMETRE, name


@pytest.mark.parametrize("kind", ("fbx", "glb", "usd", "usdz", "abc"))
def test_camera(exported, kind):
    folder, times, (places, axes, edges) = exported.folder, exported.times, exported.camera
    readers.empty_file(AS_BLENDER)
    first = READERS[kind][0](folder / ("take-Person_01.fbx" if kind == "fbx" else f"take.{kind}"))
    found = readers.camera_views(first, [0.0, *times])
    assert np.linalg.norm(found[0] - places, axis=-1).max() < MILLIMETRE
    assert np.abs(found[1] - axes).max() < 0.001
    if kind in ("glb", "abc") or (kind.startswith("usd") and bpy.app.version < (4, 5)):
        edges = edges[:1]  # these know no changing lenses: the first one stays
    if kind == "glb":  # glTF's cameras look straight ahead
        edges = edges - (edges + edges[:, [1, 0, 3, 2]]) / 2
    assert np.abs(found[2][: len(edges)] - edges).max() < 0.002


def test_who_comes_late_stands_still_until_then(exported):
    """And the files say from when to when."""
    folder = exported.folder
    last = int((LATE / RATE - 1e-6) * EXPORT_RATE)
    readers.empty_file(AS_BLENDER)
    first = readers.import_glb(folder / "take.glb")
    assert bpy.data.objects["Person_02"]["human3r_hidden"] == f"0-{last}"
    assert "human3r_hidden" not in bpy.data.objects["Person_01"]
    before = readers.joints_of_skeletons(first, [0.0, float(last / EXPORT_RATE)])["Person_02"]
    assert np.abs(before[0] - before[1]).max() < 1e-6
    hidden = np.load(folder / "take-Person_02.npz")["human3r_hidden"]
    assert np.array_equal(np.flatnonzero(hidden), np.arange(last + 1))
