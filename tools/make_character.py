# SPDX-License-Identifier: GPL-3.0-or-later
"""Save a character to retarget to: a plain figure on the rig that Rigify generates from its human meta-rig.

    python tools/make_character.py CHARACTER.blend [SCALE]

Run in Blender's Python module. In a process of its own, which ends without tidying up: what Rigify leaves registered
makes Blender 4.2 crash and 4.5 hang when Python ends.
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp(prefix="human3r-blender-")

import bpy

import addon_utils  # isort: skip

sys.path.insert(0, str(Path(__file__).parent))
from plain_figure import figure

SCALE = 0.85
"""The meta-rig is taller than people are."""


def choose(*items: bpy.types.Object) -> None:
    """Select these, the last of them active."""
    bpy.ops.object.select_all(action="DESELECT")
    for item in items:
        item.select_set(True)
        bpy.context.view_layer.objects.active = item


def main(path: str, scale: float) -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert addon_utils.enable("rigify", default_set=True) is not None
    bpy.ops.object.armature_human_metarig_add()
    metarig = bpy.context.object
    choose(figure(metarig))
    bpy.ops.object.convert(target="MESH")
    body = bpy.context.object
    body.name = "Hero body"
    choose(metarig)
    bpy.ops.pose.rigify_generate()
    rig = next(item for item in bpy.data.objects if item.type == "ARMATURE" and item is not metarig)
    bpy.data.objects.remove(metarig)
    choose(body, rig)
    bpy.ops.object.parent_set(type="ARMATURE_AUTO")
    rig.name, rig.scale = "Hero", (scale, scale, scale)
    bpy.ops.wm.save_as_mainfile(filepath=path, copy=True)


main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else SCALE)
sys.stdout.flush()
os._exit(0)
