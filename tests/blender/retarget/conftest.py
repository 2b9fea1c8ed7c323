# SPDX-License-Identifier: GPL-3.0-or-later
"""People to retarget from, and characters to retarget to."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.body_model import BodyModel, default_body_path
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_NAMES
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes
from bl_ext.user_default.human3r_blender.human3r_blender.person import armature

from .motions import Motion


@pytest.fixture(scope="session")
def rest():
    """(55, 3) joints of the bundled body at rest."""
    return BodyModel.load(default_body_path()).rest_joints(np.zeros(10))


@pytest.fixture(scope="session")
def motion(rest):
    return Motion(rest)


@pytest.fixture
def person(scene, motion):
    """A person as Human3R makes them, with keys from frame 1 on, under a root that was moved."""
    scene = bpy.context.scene  # a test may have opened another file since
    root = bpy.data.objects.new("walk", None)
    root.location, root.rotation_euler = (1.0, -2.0, 0.3), (0.0, 0.0, 0.7)
    scene.collection.objects.link(root)
    item = add_person(scene, motion)
    item.parent = root
    bpy.context.view_layer.update()
    return item


def add_person(scene, motion):
    """An armature with the keys of something like a :class:`Motion`."""
    item = armature.create("Person 01", motion.rest)
    scene.collection.objects.link(item)
    keyframes.animate(item, "Person 01")
    frames = np.arange(len(motion.pelvis)) + 1.0
    kinds = np.full(len(frames), keyframes.LINEAR, dtype=np.uint8)
    channels = {'pose.bones["pelvis"].location': motion.pelvis}
    channels |= {
        f'pose.bones["{name}"].rotation_quaternion': motion.quaternions[:, joint]
        for joint, name in enumerate(JOINT_NAMES)
    }
    for path, values in channels.items():
        for axis, curve in enumerate(keyframes.add_curves(item, path, values.shape[1])):
            keyframes.append(curve, frames, values[:, axis], kinds)
    scene.frame_end = len(frames)
    return item
