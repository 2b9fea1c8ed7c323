# SPDX-License-Identifier: GPL-3.0-or-later
"""The take's axes and Blender's, by known answers."""

import numpy as np
from bl_ext.user_default.human3r_blender.engine.contract import rotations
from bl_ext.user_default.human3r_blender.human3r_blender.blender import coordinates
from mathutils import Quaternion, Vector


def test_right_down_forward_become_x_minus_z_y():
    right, down, forward = coordinates.points_to_root(np.eye(3))
    np.testing.assert_array_equal([right, down, forward], [(1, 0, 0), (0, 0, -1), (0, 1, 0)])
    for matrix in (coordinates.TAKE_TO_ROOT, coordinates.BODY_TO_ROOT, coordinates.TAKE_TO_BODY):
        assert np.linalg.det(matrix) == 1.0
    assert coordinates.points_to_root(np.zeros((2, 3), np.float32)).dtype == np.float32


def test_first_camera_looks_along_y_with_z_up():
    location, quaternion = coordinates.camera_to_root(np.eye(4))
    turn = Quaternion(quaternion)
    np.testing.assert_allclose(location, 0.0)
    np.testing.assert_allclose(turn @ Vector((0, 0, -1)), (0, 1, 0), atol=1e-6)
    np.testing.assert_allclose(turn @ Vector((0, 1, 0)), (0, 0, 1), atol=1e-6)


def test_an_upright_person_who_faces_the_camera_stands_upright_and_faces_it():
    # SMPL-X has y up and faces +z; in the camera frame of someone who is filmed, y is down and the camera is at -z.
    facing = rotations.axis_angle_to_matrix(np.array([np.pi, 0.0, 0.0]))
    pelvis = coordinates.root_rotation_to_body(np.eye(4), facing)
    in_root = coordinates.BODY_TO_ROOT @ pelvis
    np.testing.assert_allclose(in_root @ [0, 1, 0], (0, 0, 1), atol=1e-12)
    np.testing.assert_allclose(in_root @ [0, 0, 1], (0, -1, 0), atol=1e-12)


def test_body_frame_and_root_frame_agree_about_points():
    rng = np.random.default_rng(0)
    pose = np.eye(4)
    pose[:3, :3] = rotations.axis_angle_to_matrix(rng.normal(size=3))
    pose[:3, 3] = rng.normal(size=3)
    points = rng.normal(size=(5, 3))
    world = points @ pose[:3, :3].T + pose[:3, 3]
    in_body = coordinates.camera_points_to_body(pose, points)
    np.testing.assert_allclose(in_body @ coordinates.BODY_TO_ROOT.T, coordinates.points_to_root(world), atol=1e-12)
