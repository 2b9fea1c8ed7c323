# SPDX-License-Identifier: GPL-3.0-or-later
"""The Photographed Backdrop arrives with people in every format that has surfaces, with its picture in place."""

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.scene import backdrop
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export import exporting
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.settings import ExportSettings

from ..backdrops import of_view, picture, still_take
from ..takes import Synthetic
from . import readers
from .conftest import everything

READERS = {
    "fbx": readers.import_fbx, "glb": readers.import_glb, "usd": readers.import_usd, "usdz": readers.import_usd,
    "abc": readers.import_abc,
}  # fmt: skip
MILLIMETER = 0.001
PICTURE_BESIDE = "take_backdrop.png"


def make_scene():
    """A person before a backdrop whose card was moved, under a root that was turned, moved and scaled."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    take = still_take(Synthetic, people=1)
    made = scene_builder.SceneBuilder(scene, take.header, scene_builder.ImportOptions(ground="off", clean=0.0))
    for message in (*take.messages(), of_view(take, rows=12, columns=16)):
        made.add(message)
    made.finish()
    made.work()
    made.root.location, made.root.scale, made.root.rotation_euler = (0.5, -2.0, 0.75), (1.25,) * 3, (0.3, -0.2, 2.0)
    item = tags.find(made.root[tags.TAKE], tags.BACKDROP)
    modifier, path = backdrop.card_distance_path(item)
    modifier[path[2:-2]] = 4.5
    bpy.context.view_layer.objects.active = made.camera
    bpy.context.view_layer.update()
    return scene, family.people_under(made.root), item


def shown(item):
    """(corners, 5) place in the scene and UV of each corner of each face."""
    seen = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh, world = seen.data, np.array(seen.matrix_world)
    places = np.array([mesh.vertices[loop.vertex_index].co for loop in mesh.loops])
    uv = np.array([entry.vector for entry in mesh.uv_layers.active.uv])
    return np.concatenate([places @ world[:3, :3].T + world[:3, 3], uv], axis=1)


def in_order(corners):
    """Each place with its UV once, sorted: importers may number them otherwise."""
    rounded = np.unique(np.round(corners, 4), axis=0)
    return rounded[np.lexsort(np.round(rounded[:, 3:], 3).T)]


@dataclass
class Exported:
    folder: Path
    corners: np.ndarray
    before: tuple
    after: tuple


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    scene, people, item = make_scene()
    corners, before = shown(item), [*everything(), len(bpy.data.images)]
    done = exporting.export(scene, people, folder, "take", ExportSettings((*READERS, "bvh", "npz")))
    assert sorted(path.name for path in done.files) == sorted(path.name for path in folder.iterdir())
    after = [*everything(), len(bpy.data.images)]
    exporting.export(scene, people, folder, "unreal", ExportSettings(("fbx",), target="unreal"))
    exporting.export(scene, people, folder, "without", ExportSettings(tuple(READERS), backdrop=False))
    item.hide_render = True
    exporting.export(scene, people, folder, "hidden", ExportSettings(("glb",)))
    item.hide_render, item.hide_viewport = False, True
    exporting.export(scene, people, folder, "unseen", ExportSettings(("glb",)))
    return Exported(folder, corners, before, after)


def read_again(path, kind):
    readers.empty_file((30, 1.0))
    READERS[kind](path)
    return [item for item in bpy.context.scene.objects if item.type == "MESH" and "Backdrop" in item.name]


def test_the_scene_is_as_it_was(exported):
    assert exported.after == exported.before


@pytest.mark.parametrize("kind", READERS)
def test_the_surface_arrives_with_its_uvs(exported, kind):
    (item,) = read_again(exported.folder / f"take.{kind}", kind)
    found, expected = in_order(shown(item)), in_order(exported.corners)
    assert len(found) == len(expected) == 12 * 16
    assert np.abs(found[:, :3] - expected[:, :3]).max() < MILLIMETER
    assert np.abs(found[:, 3:] - expected[:, 3:]).max() < 1e-3


@pytest.mark.parametrize("kind", ["fbx", "glb", "usd", "usdz"])
def test_the_picture_arrives_on_it(exported, kind, tmp_path):
    (item,) = read_again(exported.folder / f"take.{kind}", kind)
    image = backdrop.image_of(item)
    pixels = np.array(image.pixels[:]).reshape(135, 240, 4)[::-1, :, :3]
    np.testing.assert_array_equal(np.rint(255 * pixels).astype(np.uint8), picture(240, 135))


def test_in_glb_it_is_not_lit_again(exported):
    file, _ = readers.glb_file(exported.folder / "take.glb")
    (material,) = [one for one in file["materials"] if "Backdrop" in one["name"]]
    assert "KHR_materials_unlit" in material["extensions"] and "baseColorTexture" in material["pbrMetallicRoughness"]


def test_beside_usd_and_alembic_lies_the_picture(exported):
    image = bpy.data.images.load(str(exported.folder / PICTURE_BESIDE))
    pixels = np.array(image.pixels[:]).reshape(135, 240, 4)[::-1, :, :3]
    np.testing.assert_array_equal(np.rint(255 * pixels).astype(np.uint8), picture(240, 135))


def test_files_can_be_moved_together(exported, tmp_path):
    for name in ("take.usd", PICTURE_BESIDE):
        (tmp_path / name).write_bytes((exported.folder / name).read_bytes())
        (exported.folder / name).rename(exported.folder / f"was-{name}")
    try:
        (item,) = read_again(tmp_path / "take.usd", "usd")
        assert backdrop.image_of(item).has_data or tuple(backdrop.image_of(item).size) == (240, 135)
    finally:
        for name in ("take.usd", PICTURE_BESIDE):
            (exported.folder / f"was-{name}").rename(exported.folder / name)


@pytest.mark.parametrize("name", ["unreal-Person_01.fbx", "without.fbx", "without.glb", "hidden.glb"])
def test_files_without_it(exported, name):
    assert read_again(exported.folder / name, name.rpartition(".")[2]) == []
    assert not (exported.folder / "without_backdrop.png").exists()


def test_one_that_only_the_viewport_hides_is_exported(exported):
    (item,) = read_again(exported.folder / "unseen.glb", "glb")
    assert np.abs(in_order(shown(item))[:, :3] - in_order(exported.corners)[:, :3]).max() < MILLIMETER


def test_a_picture_that_is_there_is_not_replaced(tmp_path):
    scene, people, _ = make_scene()
    (tmp_path / PICTURE_BESIDE).write_bytes(b"mine")
    with pytest.raises(UserError) as caught:
        exporting.export(scene, people, tmp_path, "take", ExportSettings(("usd",)))
    assert caught.value.code == "output-exists" and [path.name for path in tmp_path.iterdir()] == [PICTURE_BESIDE]
    exporting.export(scene, people, tmp_path, "take", ExportSettings(("usd",), overwrite=True))
    assert (tmp_path / PICTURE_BESIDE).read_bytes()[1:4] == b"PNG"
