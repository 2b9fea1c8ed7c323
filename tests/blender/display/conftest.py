# SPDX-License-Identifier: GPL-3.0-or-later
"""A take with a camera and two people in an otherwise empty file, and the 3D view of its window."""

import shutil
from pathlib import Path

import bpy
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder
from bl_ext.user_default.human3r_blender.human3r_blender.sections.display import changes

from ..takes import Synthetic

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def footage(tmp_path):
    """A video of the take's own size."""
    return Path(shutil.copy(ROOT / "demo" / "demo.mp4", tmp_path))


@pytest.fixture
def build(scene):
    """Build a synthetic take into the scene, as it lies and as it was predicted: `build(people=2, ...)`."""

    def run(frames=8, options=None, **changes):
        take = Synthetic(frames=frames, **changes)
        chosen = scene_builder.ImportOptions(ground="off", clean=0.0, **(options or {}))
        made = scene_builder.SceneBuilder(scene, take.header, chosen)
        for message in take.messages():
            made.add(message)
        made.finish()
        assert made.work() is False
        return made

    return run


@pytest.fixture
def select():
    """Make some objects, and no others, the selected ones; the first is active."""

    def run(*items):
        bpy.context.view_layer.update()  # before it, new objects cannot be selected
        for other in bpy.context.view_layer.objects:
            other.select_set(other in items)
        bpy.context.view_layer.objects.active = items[0] if items else None

    return run


@pytest.fixture
def view(scene):
    """The window's 3D view, with which operators run in this test."""
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    area.spaces.active.shading.type = "SOLID"  # whatever tests before have left: an empty scene keeps the window
    with bpy.context.temp_override(window=window, area=area, region=region):
        yield area


def meshes(root):
    """The meshes of a take's people, by their tracks."""
    return [family.mesh(item) for item in family.people_under(root)]


@pytest.fixture(autouse=True)
def watched(monkeypatch):
    """Changes are noted as in a window."""
    monkeypatch.setattr(changes, "_is_watching", True)
