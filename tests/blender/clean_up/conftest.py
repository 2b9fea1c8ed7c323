# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who stands, hops to another place and stands again, as a network sees it: every picture a little wrong."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract import rotations
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_NAMES
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder

from ..takes import Synthetic

RATE = 30.0
FRAMES = 84
LEAVES, LANDS = 36, 48
"""Pictures between which nobody stands."""
FAR_M, HIGH_M = 1.0, 0.5


def hoppers(people=1, seed=0, **changes):
    """A take of some people who hop, side by side before a still camera; its floor is level."""
    take = Synthetic(frames=FRAMES, people=people, rate=RATE, points=0, **changes)
    take.world_from_camera = np.tile(np.eye(4), (FRAMES, 1, 1))
    share = np.clip((np.arange(FRAMES) - LEAVES) / (LANDS - LEAVES), 0, 1)
    take.heads[:] = np.stack([FAR_M * share, -HIGH_M * np.sin(np.pi * share), np.full(FRAMES, 4.0)], axis=-1)[:, None]
    take.heads[:, :, 0] += np.arange(people)
    upright = rotations.axis_angle_to_matrix(np.array([np.pi, 0.0, 0.0]))
    take.poses[:] = 0.0
    take.poses[:, :, 0] = rotations.matrix_to_axis_angle(upright)
    random = np.random.default_rng(seed)
    take.poses[:, :, 1:] += random.normal(0, 0.02, (FRAMES, people, 54, 3))
    take.heads += random.normal(0, 0.006, take.heads.shape)
    return take


@pytest.fixture
def build(scene):
    """Build a take at once and return its people; its ground is left as it is."""

    def run(take, **options):
        options = scene_builder.ImportOptions(ground="off", **options)
        made = scene_builder.SceneBuilder(scene, take.header, options)
        for message in take.messages():
            made.add(message)
        made.finish()
        assert made.work() is False
        return family.people_under(made.root)

    return run


@pytest.fixture
def go_to():
    """Set the scene that is open to a frame."""
    return lambda frame: bpy.context.scene.frame_set(int(frame))


@pytest.fixture
def seen_joints(go_to):
    """(T, 55, 3) where Blender shows the joints of an armature at some frames."""

    def run(item, frames):
        rows = []
        for frame in frames:
            go_to(frame)
            rows.append([item.matrix_world @ item.pose.bones[name].head for name in JOINT_NAMES])
        return np.array(rows)

    return run
