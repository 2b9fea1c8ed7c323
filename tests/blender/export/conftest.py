# SPDX-License-Identifier: GPL-3.0-or-later
"""Two people under a root that was turned, moved and scaled, and where Blender itself shows their joints."""

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_NAMES
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder

from ..takes import Synthetic

RATE = 30.0
FRAMES = 13
LATE = 3
"""The second person is there from this frame of the export on."""
SCALE = 1.25


def go_to(frame):
    whole = int(np.floor(frame))
    bpy.context.scene.frame_set(whole, subframe=float(frame - whole))


def shown_joints(item, bones=JOINT_NAMES):
    """(55, 3) where Blender shows the joints of an armature now, whose bones may have other names."""
    seen = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([seen.matrix_world @ seen.pose.bones[name].head for name in bones])


def everything():
    """Names of all data-blocks, and what the user has active, selected, in which mode and where in time."""
    blocks = {
        name: sorted(block.name for block in getattr(bpy.data, name))
        for name in (
            "objects",
            "meshes",
            "armatures",
            "cameras",
            "actions",
            "scenes",
            "collections",
            "materials",
            "shape_keys",
            "worlds",
        )
    }
    scene, layer = bpy.context.scene, bpy.context.view_layer
    selected = sorted(item.name for item in layer.objects if item.select_get())
    return (
        blocks,
        scene.name,
        scene.frame_current,
        scene.render.fps,
        selected,
        layer.objects.active.name,
        bpy.context.mode,
    )


@dataclass
class Cast:
    """The scene to export, and what it shows."""

    scene: bpy.types.Scene
    root: bpy.types.Object
    people: list[bpy.types.Object]
    path: Path | None = None
    """The file, where it is in one."""

    def joints(self, times):
        """{name: (T, 55, 3)} where the scene shows the people, times (T,) in seconds from the first frame."""
        rows = {item.name: [] for item in self.people}
        for time_s in times:
            go_to(self.scene.frame_start + time_s * RATE)
            for item in self.people:
                rows[item.name].append(shown_joints(item))
        return {name: np.array(values) for name, values in rows.items()}


def make_cast(**options):
    """A file of its own with two people, the second of which comes late."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    take = Synthetic(frames=FRAMES, people=2, rate=RATE, absent={1: list(range(LATE))}, points=0)
    made = scene_builder.SceneBuilder(scene, take.header, scene_builder.ImportOptions(ground="off", **options))
    for message in take.messages():
        made.add(message)
    made.finish()
    made.work()
    made.root.location, made.root.scale = (0.5, -2.0, 0.75), (SCALE,) * 3
    made.root.rotation_euler = (0.3, -0.2, 2.0)
    bpy.context.view_layer.update()
    return Cast(scene, made.root, family.people_under(made.root))


@pytest.fixture(scope="session")
def saved_cast(tmp_path_factory):
    make_cast(clean=0.0)
    path = tmp_path_factory.mktemp("cast") / "cast.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    return path


@pytest.fixture
def cast(saved_cast):
    """The cast in an open file of its own, as it was made."""
    bpy.ops.wm.open_mainfile(filepath=str(saved_cast))
    scene = bpy.context.scene
    (root,) = [item for item in scene.objects if item.get(tags.ROLE) == tags.ROOT]
    return Cast(scene, root, family.people_under(root), saved_cast)
