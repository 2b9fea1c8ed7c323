# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at a scene with Blender's means alone: who is there, where they are, which version of a motion plays."""

import bpy
import numpy as np


def people(scene):
    """The people's armatures, in the order of their tracks."""
    found = [item for item in scene.objects if item.get("human3r_role") == "armature"]
    return sorted(found, key=lambda item: item["human3r_track"])


def mesh_of(person):
    return next(child for child in person.children if child.get("human3r_role") == "mesh")


def only(scene, role):
    """The one object with a role in the take."""
    [found] = [item for item in scene.objects if item.get("human3r_role") == role]
    return found


def version(person):
    """Which version of the motion plays."""
    return person.animation_data.action["human3r_role"]


def place(person, bone):
    """(3,) a bone's head in the scene, now."""
    return np.array(person.matrix_world @ person.pose.bones[bone].head)


def choose(*items):
    """Select these and no others; the first is active."""
    for other in bpy.context.scene.objects:
        other.select_set(other in items)
    bpy.context.view_layer.objects.active = items[0]


def check_places(scene, known, root_matrix):
    """Two people and the camera are where the take's numbers say, below a root with this matrix."""
    root = np.array(root_matrix)
    camera, everyone = only(scene, "camera"), people(scene)
    width, _ = known["size"]
    for index in range(known["frames"]):
        scene.frame_set(index + 1)
        seen = [(np.array(camera.matrix_world.translation), known["camera"][index])]
        for number, person in enumerate(everyone):
            if number == 0 or index not in known["missed"]:
                seen += [
                    (place(person, "pelvis"), known["pelvis"][index][number]),
                    (place(person, "head"), known["heads"][index][number]),
                ]
        for found, wanted in seen:
            np.testing.assert_allclose(found, root[:3, :3] @ wanted + root[:3, 3], atol=1e-4, err_msg=f"frame {index}")
        assert abs(camera.data.lens / camera.data.sensor_width - known["focal_px"] / width) < 1e-5
