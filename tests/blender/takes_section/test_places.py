# SPDX-License-Identifier: GPL-3.0-or-later
"""An opened file knows its take and its footage, wherever they moved together; footage that moved alone is found."""

import shutil
from pathlib import Path

import bpy
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.whole_file import whole_file
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.scene import found_footage, take_places, takes

from ..takes import Synthetic

DEMO = Path(__file__).resolve().parents[3] / "demo" / "demo.mp4"
human3r = bpy.ops.human3r


@pytest.fixture
def project(scene, tmp_path):
    """A folder with footage, its take and the file that it was imported into: not saved yet."""
    folder = tmp_path / "project"
    (folder / "shots").mkdir(parents=True)
    footage = Path(shutil.copy(DEMO, folder / "shots" / "demo.mp4"))
    clip = bpy.data.movieclips.load(str(footage))
    size = tuple(clip.size)
    bpy.data.movieclips.remove(clip)
    take = Synthetic(frames=3, people=1, points=0, source=str(footage), size=size).write(folder / "walk.h3r")
    scene.human3r.source = str(footage)
    assert human3r.import_take(filepath=str(take)) == {"FINISHED"}
    return folder


def root():
    (found,) = takes.roots_in(bpy.context.scene)
    return found


def places():
    return take_places.take_file(root()), take_places.footage(root())


def background():
    """The file behind the camera, and where it begins."""
    camera = next(item for item in bpy.context.scene.objects if item.get(tags.ROLE) == tags.CAMERA)
    (image,) = camera.data.background_images
    return Path(bpy.path.abspath(image.clip.filepath)), image.clip.frame_start, image.alpha


def test_before_it_is_saved_the_whole_paths_count(project):
    assert places() == (project / "walk.h3r", project / "shots" / "demo.mp4")


@pytest.mark.parametrize("stays", [False, True])
def test_what_moves_together_is_found_together(project, tmp_path, stays):
    bpy.ops.wm.save_as_mainfile(filepath=str(project / "a.blend"))
    moved = tmp_path / "elsewhere"
    shutil.copytree(project, moved) if stays else project.rename(moved)
    bpy.ops.wm.open_mainfile(filepath=str(moved / "a.blend"))
    assert places() == (moved / "walk.h3r", moved / "shots" / "demo.mp4")
    assert not take_places.is_missing(places()[0])


def test_saving_elsewhere_keeps_track(project, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(project / "a.blend"))
    (project / "versions").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(project / "versions" / "b.blend"))
    project.rename(tmp_path / "elsewhere")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "elsewhere" / "versions" / "b.blend"))
    assert places() == (tmp_path / "elsewhere" / "walk.h3r", tmp_path / "elsewhere" / "shots" / "demo.mp4")


def test_a_file_that_is_written_whole_counts_from_its_final_place(project, tmp_path):
    with whole_file(project / "a.blend") as written:
        bpy.ops.wm.save_as_mainfile(filepath=str(written), copy=True, relative_remap=False)
    project.rename(tmp_path / "elsewhere")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "elsewhere" / "a.blend"))
    assert places()[1] == tmp_path / "elsewhere" / "shots" / "demo.mp4"


def test_a_linked_take_lies_where_its_own_file_says(project, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(project / "a.blend"))
    project.rename(tmp_path / "elsewhere")
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "elsewhere" / "a.blend"), link=True) as (_, wanted):
        wanted.collections = ["demo"]
    bpy.context.scene.collection.children.link(wanted.collections[0])
    assert places()[0] == tmp_path / "elsewhere" / "walk.h3r"
    assert not human3r.find_footage.poll()


def test_footage_that_moved_alone_is_missing_and_found(project, tmp_path, scene):
    old = project / "shots" / "demo.mp4"
    new = old.rename(tmp_path / "renamed.mp4")
    scene.camera.data.background_images[0].clip.frame_start = 7
    scene.camera.data.background_images[0].alpha = 0.25
    assert take_places.is_missing(places()[1])
    assert human3r.find_footage(filepath=str(new)) == {"FINISHED"}
    assert places()[1] == new and not take_places.is_missing(new)
    assert background() == (new, 7, 0.25)
    assert scene.human3r.source == str(new)
    bpy.ops.wm.save_as_mainfile(filepath=str(project / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(project / "a.blend"))
    assert places()[1] == new and background()[0].resolve() == new.resolve()


def images(folder, names, size=(64, 36)):
    folder.mkdir(exist_ok=True)
    image = bpy.data.images.new("picture", *size)
    image.file_format = "PNG"
    for name in names:
        image.filepath_raw = str(folder / name)
        image.save()
    bpy.data.images.remove(image)
    return folder


def test_a_sequence_of_images_is_found_too(scene, tmp_path):
    take = Synthetic(frames=3, people=1, points=0, source="/gone/shot.%04d.png", size=(64, 36))
    human3r.import_take(filepath=str(take.write(tmp_path / "walk.h3r")))
    assert take_places.is_missing(places()[1])
    folder = images(tmp_path / "shots", ["shot.0001.png", "shot.0002.png"])
    assert human3r.find_footage(filepath=str(folder / "shot.0002.png")) == {"FINISHED"}
    assert places()[1] == folder and background()[0] == folder / "shot.0001.png"
    images(folder, ["other.0001.png", "other.0002.png"])
    assert found_footage.footage_of(folder / "other.0001.png") == folder / "other.####.png"
    assert human3r.find_footage(filepath=str(folder / "other.0002.png")) == {"FINISHED"}
    assert places()[1] == folder / "other.####.png" and background()[0] == folder / "other.0001.png"


def test_other_footage_is_refused_and_nothing_changes(project, tmp_path):
    before = places(), background()
    folder = images(tmp_path / "narrow", ["a1.png", "a2.png"], (36, 64))
    (tmp_path / "letter.mp4").write_text("dear somebody")
    for path, said in ((folder / "a1.png", "36 x 64"), (tmp_path / "letter.mp4", "no footage"), (tmp_path, "footage")):
        with pytest.raises(RuntimeError, match=said):
            human3r.find_footage(filepath=str(path))
        assert (places(), background()) == before


def test_paths_of_any_kind_are_read_with_suspicion(project):
    bpy.ops.wm.save_as_mainfile(filepath=str(project / "a.blend"))
    for name in (tags.TAKE_FILE, tags.SOURCE, tags.TAKE_RELATIVE, tags.SOURCE_RELATIVE):
        for value in (1, 2.5, [1], {"a": 1}, "", "\0", "x" * 5000, "../../..", b"\xff\xfe", "//host/share/a.h3r"):
            del root()[name]
            root()[name] = value
            for place in places():
                take_places.is_missing(place)
            bpy.ops.wm.save_as_mainfile(filepath=str(project / "a.blend"))
        root()[name] = "x"
