# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine makes of a take for a scene: started by the button, found where the take is, told when it fails."""

import sys

import bpy
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.sections.export.scene_files import take_files
from bl_ext.user_default.human3r_blender.human3r_blender.setup.background_task import ChildTask

from ..takes import Synthetic


@pytest.fixture
def imported(engine_python, addon, scene, tmp_path):
    """The root of a take that was imported by the button."""
    take = Synthetic(frames=4, people=2, points=0, source=str(tmp_path / "gone.mp4")).write(tmp_path / "walk.h3r")
    assert bpy.ops.human3r.import_take(filepath=str(take)) == {"FINISHED"}
    scene.human3r_export.formats = set()
    yield next(item for item in scene.objects if item.get(tags.ROLE) == tags.ROOT)
    addon.tasks.forget()


def export(scene, path, *names):
    scene.human3r_export.scene_files = set(names)
    return bpy.ops.human3r.export(filepath=str(path))


def test_the_button_lets_the_engine_write(imported, addon, scene, tmp_path):
    assert export(scene, tmp_path / "out" / "set", "MASKS", "CHAN") == {"FINISHED"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["set-masks", "set.chan"]
    assert sorted(path.name for path in (tmp_path / "out" / "set-masks").iterdir()) == [
        "everyone", "person_01", "person_02",
    ]  # fmt: skip
    assert len(list((tmp_path / "out" / "set-masks" / "everyone").iterdir())) == 4
    task = addon.tasks.current()
    assert task.state == "done" and task.result["files"] == [str(tmp_path / "out" / "set-masks")]
    with pytest.raises(RuntimeError, match="already exists"):
        export(scene, tmp_path / "out" / "set", "MASKS")


def test_what_the_engine_refuses_is_said_in_the_words_of_the_panel(imported, scene, tmp_path):
    with pytest.raises(RuntimeError, match=r"gone\.mp4.*Footage in the section Export"):
        export(scene, tmp_path / "out" / "set", "COLMAP")
    with pytest.raises(RuntimeError, match="no point maps"):
        export(scene, tmp_path / "out" / "set", "DEPTH", "MASKS")
    assert not (tmp_path / "out").exists()


def test_the_take_is_found_where_it_was_and_beside_the_blend(imported, tmp_path):
    take = tmp_path / "walk.h3r"
    assert take_files.take_of(imported) == take
    (tmp_path / "moved").mkdir()
    take.rename(tmp_path / "moved" / "walk.h3r")
    with pytest.raises(Exception, match="not there any more"):
        take_files.take_of(imported)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "moved" / "set.blend"))
    assert take_files.take_of(imported) == tmp_path / "moved" / "walk.h3r"
    imported[tags.TAKE_FILE] = "C:\\shots\\walk.h3r"
    assert take_files.take_of(imported) == tmp_path / "moved" / "walk.h3r"
    del imported[tags.TAKE_FILE]
    with pytest.raises(Exception, match="does not say which take"):
        take_files.take_of(imported)


def test_frames_are_counted_as_frames():
    """Not as bytes, of which downloads tell."""
    script = (
        "import json;"
        "print(json.dumps({'event': 'stage', 'stage': 'Writing masks'}));"
        "print(json.dumps({'event': 'progress', 'done': 3, 'total': 12, 'unit': 'frames'}), flush=True);"
        "input()"
    )
    task = ChildTask("Exporting the take", [sys.executable, "-c", script])
    try:
        while task.fraction is None:
            assert task.is_active
        assert task.text == "Writing masks: 3 of 12 frames" and task.fraction == 0.25
    finally:
        task.close()
