# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes of people who come and go, in a scene and as files, and everything that a scene knows of a person."""

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract import rotations
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes, tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import armature as armatures
from bl_ext.user_default.human3r_blender.human3r_blender.person import (
    blocks,
    body_mesh,
    family,
    shape_record,
)
from bl_ext.user_default.human3r_blender.human3r_blender.person.motion import LOCATION, NAMES
from bl_ext.user_default.human3r_blender.human3r_blender.person.visibility import PATHS
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder

from ..takes import Synthetic

RATE = 30.0


@dataclass(frozen=True)
class Known:
    """What a scene knows of a person."""

    name: str
    hidden: bool
    betas: np.ndarray
    rest_joints: np.ndarray
    poses: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]
    """By version: (T,) frames, (T, 3 + 55 x 9) places and rotation matrices, (T,) interpolations."""
    expressions: np.ndarray
    """(T, 1 + 10) frames and values."""
    visibility: dict[str, np.ndarray]
    """By property, of armature and mesh: (N, 2) frames and values."""
    predicted: np.ndarray
    """(T, 10) betas."""


def known(item):
    """Everything about a person, out of the keys."""
    body, raw = family.mesh(item), family.action(item, tags.RAW)
    poses = {
        role: pose_of(action)
        for role in (tags.RAW, tags.LIVE, tags.CLEAN)
        if (action := family.action(item, role)) is not None
    }
    faces = [keyframes.read(keyframes.curves(body.data.shape_keys)[path, 0]) for path in body_mesh.EXPRESSIONS]
    visibility = {}
    for path in PATHS:
        for owner, curves in ((item.type, keyframes.curves_in(raw, LOCATION)), (body.type, keyframes.curves(body))):
            keys = np.stack(keyframes.read(curves[path, 0]), axis=-1) if (path, 0) in curves else np.zeros((1, 2))
            if keys[:, 1].any():  # else the person always is there
                visibility[f"{owner} {path}"] = keys
    betas = body_mesh.shape(body)
    frames = poses[tags.RAW][0]
    return Known(
        item.name,
        blocks.is_hidden(item),
        betas,
        armatures.rest_joints(item),
        poses,
        np.stack([faces[0][0], *(values for _, values in faces)], axis=-1),
        visibility,
        shape_record.read(raw, frames, np.full(10, np.nan)),
    )


def pose_of(action):
    """Frames, places and rotations, and interpolations of an Action."""
    curves = keyframes.curves_in(action, LOCATION)
    frames = keyframes.read(curves[LOCATION, 0])[0]
    values = np.stack([keyframes.read(curves[name])[1] for name in NAMES], axis=-1).astype(np.float64)
    matrices = rotations.quaternion_to_matrix(values[:, 3:].reshape(len(frames), 55, 4))
    kinds = {keyframes.interpolation(curves[name]).tobytes() for name in NAMES}
    assert len(kinds) == 1
    steps = values[1:, 3:].reshape(-1, 55, 4) * values[:-1, 3:].reshape(-1, 55, 4)
    assert (steps.sum(axis=-1) > 0).all(), "a quaternion flips its sign"
    return (
        frames,
        np.concatenate([values[:, :3], matrices.reshape(len(frames), -1)], axis=1),
        np.frombuffer(kinds.pop(), dtype=np.uint8),
    )


def assert_same_person(one, other):
    """Two people, each `Known`, are the same to a tenth of a millimetre."""
    assert (one.name, one.hidden) == (other.name, other.hidden)
    np.testing.assert_allclose(one.betas, other.betas, atol=1e-6)
    np.testing.assert_allclose(one.rest_joints, other.rest_joints, atol=1e-6)
    assert one.poses.keys() == other.poses.keys()
    for role, (frames, values, kinds) in one.poses.items():
        np.testing.assert_array_equal(frames, other.poses[role][0], err_msg=role)
        np.testing.assert_allclose(values, other.poses[role][1], atol=1e-4, err_msg=role)
        np.testing.assert_array_equal(kinds, other.poses[role][2], err_msg=role)
    np.testing.assert_allclose(one.expressions, other.expressions, atol=1e-5)
    assert one.visibility.keys() == other.visibility.keys()
    for name, changes in one.visibility.items():
        np.testing.assert_array_equal(changes, other.visibility[name], err_msg=name)
    np.testing.assert_allclose(one.predicted, other.predicted, atol=1e-5)


@pytest.fixture
def scene():
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    return bpy.context.scene


@pytest.fixture(scope="session")
def take(tmp_path_factory) -> Path:
    """Three people in 40 pictures: one until 18, one from 14 on, one with gaps of 1, 6 and 16 pictures."""
    absent = {0: list(range(18, 40)), 1: list(range(0, 14)), 2: [2, *range(6, 12), *range(20, 36)]}
    made = Synthetic(frames=40, people=3, rate=RATE, points=5, betas="noisy", absent=absent)
    return made.write(tmp_path_factory.mktemp("take") / "take.h3r")


@pytest.fixture
def imported(scene):
    """Import a take into the test's scene: its people by their track ids."""

    def run(path, **options):
        options = scene_builder.ImportOptions(**{"ground": "off", "clean": 0.0} | options)
        made, problem = scene_builder.import_take(path, scene, options)
        assert problem is None
        scene.frame_set(1)
        return {item[tags.TRACK]: item for item in family.people_under(made.root)}

    return run


@pytest.fixture
def choose(scene):
    """Select people, the first one active, whether or not they are there at the current frame."""

    def run(*people):
        for item in scene.objects:
            item.select_set(False)
        for item in people:
            item.select_set(True)
        bpy.context.view_layer.objects.active = people[0]

    return run
