# SPDX-License-Identifier: GPL-3.0-or-later
"""What the steps of the way of an animator share: who is there, how to look at them, one section open at a time."""

import os
import sys
from pathlib import Path

import bpy
from mathutils import Euler, Vector

sys.path.insert(0, str(Path(__file__).parent))
from driving import click, heading, mouse, run, viewport

OUTPUTS = Path(os.environ["HUMAN3R_OUTPUTS"]).resolve()
FRAME = int(os.environ.get("HUMAN3R_FRAME", "30"))
VIEW_MIDDLE = (420, 400)  # pixels from the window's top left corner
FROM_ASIDE, FROM_AHEAD = Euler((1.3, 0.0, 0.6)).to_quaternion(), Euler((1.45, 0.0, 0.0)).to_quaternion()
ASIDE = Vector((0.9, 0.0, 0.0))  # so much to the right is hidden by the sidebar


def people():
    return sorted(
        (
            item
            for item in bpy.context.scene.objects
            if item.type == "ARMATURE" and item.get("human3r_role") == "armature"
        ),
        key=lambda item: item.name,
    )


def look(rotation, place, distance, frame=FRAME):
    bpy.context.scene.frame_set(frame)
    view = viewport().spaces.active.region_3d
    view.view_perspective, view.view_rotation = "PERSP", rotation
    view.view_location, view.view_distance = place, distance


def joint(item, name):
    return item.matrix_world @ item.pose.bones[name].head


def only_people(only):
    """Hide or show everything else of the take: the place, the camera, the root."""
    for item in bpy.context.scene.objects:
        if item.get("human3r_role") in ("points", "camera", "root"):
            item.hide_set(only)


def turn(section):
    """Open or close one section of the sidebar; one at a time is open."""
    yield from click(heading(section))
    mouse("mousemove", *VIEW_MIDDLE)
    yield 0.5


def choose(*items):
    """Select these, the last of them active."""
    run(bpy.ops.object.select_all, action="DESELECT")
    for item in items:
        item.select_set(True)
        bpy.context.view_layer.objects.active = item
