# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes stand on their floor: one matrix on the root, no key changed; who moves the root by hand is left alone."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract import rotations
from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
from bl_ext.user_default.human3r_blender.human3r_blender.blender import coordinates, keyframes
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.scene import ground_alignment
from bl_ext.user_default.human3r_blender.human3r_blender.scene.builder import ImportOptions, SceneBuilder

from tests.waiting import Patience

HEIGHT = 1.45
TILT = rotations.axis_angle_to_matrix(np.array([0.35, 0.0, 0.06]))
"""The camera looks down by 20 degrees and is held a little askew."""


@pytest.fixture
def take(synthetic):
    """A take whose place is a floor, seen from a camera that is 1.45 m above it."""
    made = synthetic(frames=30, people=1, points=4000)
    random = np.random.default_rng(0)
    level = np.stack([random.uniform(-3, 3, 4000), np.full(4000, HEIGHT), random.uniform(1, 7, 4000)], axis=-1)
    made.cloud = (level @ TILT.T).astype(np.float32)
    return made


def floor_in_scene(made, take):
    """(N, 3) where the floor's points are in the scene."""
    points = coordinates.points_to_root(take.cloud)
    matrix = np.array(made.root.matrix_world)
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def test_the_floor_lies_at_zero_and_no_key_changes(build, take):
    level, lying = build(take, ground="auto", import_people=False), build(take, import_people=False)
    bpy.context.view_layer.update()
    floor = floor_in_scene(level, take)
    assert np.abs(floor[:, 2]).max() < 0.02
    assert np.array(level.camera.matrix_world)[2, 3] == pytest.approx(HEIGHT, abs=0.02)
    ahead = np.array(level.root.matrix_basis)[:3, 1]
    assert abs(ahead[0]) < 1e-6 and ahead[1] > 0  # the first camera looks along y
    assert level.root[ground_alignment.SOURCE] == "points"
    for path, curve in keyframes.curves(level.camera).items():
        other = keyframes.curves(lying.camera)[path]
        for one, two in zip(keyframes.read(curve), keyframes.read(other), strict=True):
            np.testing.assert_array_equal(one, two)
    assert np.allclose(lying.root.matrix_basis, np.eye(4))


def test_levelled_while_live_and_ending_where_an_import_ends(scene, build, take):
    live = SceneBuilder(scene, take.header, ImportOptions(import_people=False))
    early, patience = None, Patience("an estimate")
    for number, message in enumerate(take.messages()):
        live.add(message)
        live.work(0.001)
        while number == 25 and early is None:
            patience.check()
            live.work(0.001)
            if live.root is not None and not np.allclose(live.root.matrix_basis, np.eye(4)):
                bpy.context.view_layer.update()
                early = np.abs(floor_in_scene(live, take)[:, 2]).max()
    live.finish()
    while live.work(0.001):
        pass
    assert early < 0.05
    once = build(take, ground="auto", import_people=False)
    assert np.allclose(live.root.matrix_basis, once.root.matrix_basis, atol=1e-6)


def test_a_root_that_was_moved_by_hand_stays(scene, take):
    live = SceneBuilder(scene, take.header, ImportOptions(import_people=False))
    for message in take.messages():
        live.add(message)
        live.work(0.0005)
    live.root.location.x = 3.0
    live.finish()
    while live.work(0.001):
        pass
    assert live.root.location.x == 3.0


def test_people_alone_tell_where_the_floor_is(build, synthetic, body):
    take = synthetic(frames=20, people=2, pose_scale=0.0)
    # They stand on one floor: as they come, they float up and down, and the camera with them.
    take.world_from_camera[:], take.heads[..., 1] = np.eye(4), 0.0
    upright = rotations.axis_angle_to_matrix(np.array([np.pi, 0.0, 0.0]))
    take.poses[:, :, 0] = rotations.matrix_to_axis_angle(upright)
    made = build(take, ground="auto", import_points=False)
    bpy.context.view_layer.update()
    feet = min(
        min((armature.matrix_world @ armature.pose.bones[name].head).z for name in ("left_foot", "right_foot"))
        for armature in family.people_under(made.root)
    )
    assert abs(feet) < 0.3 and made.root[ground_alignment.SOURCE] == "feet"
    found = ground_alignment.evidence_of(made.root)
    assert found is not None and found.upright > 10 and found.points == 0


def test_the_setting_is_checked():
    with pytest.raises(UserError, match="ground"):
        ImportOptions(ground="sideways")
