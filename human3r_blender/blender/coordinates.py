# SPDX-License-Identifier: GPL-3.0-or-later
"""The only file that turns the take's axes into Blender's.

A take is in OpenCV axes: x right, y down, z forward, and its world is the first camera's frame. Blender has z up and
its cameras look along their local -z. Three frames exist on Blender's side:

* the ROOT frame, that of the one empty which everything hangs from: x right, y forward, z up. A ground alignment is one
  matrix on that empty and changes nothing here;
* the BODY frame of every armature object: SMPL-X's own, x to the person's left at rest, y up, z to the front. The
  armature object carries the constant turn from there to the root frame, so that an untouched armature stands upright
  facing Blender's front view, and bone axes equal SMPL-X's;
* the VIEW frame of a Blender camera: x right, y up, looking along -z.

The rotation of each bone relative to its parent is the same in all of them, because rest bones have SMPL-X's axes.
"""

from __future__ import annotations

import numpy as np

from ...engine.contract import rotations

TAKE_TO_ROOT = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""Rotates world points of the take into the root frame: (x, y, z) becomes (x, z, -y)."""

BODY_TO_ROOT = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Rotates the body frame (y up) into the root frame (z up): the constant rotation of every armature object."""

TAKE_TO_BODY = BODY_TO_ROOT.T @ TAKE_TO_ROOT
"""Rotates world points of the take into the body frame: (x, y, z) becomes (x, -y, -z)."""

VIEW_TO_CAMERA = np.diag([1.0, -1.0, -1.0])
"""Rotates a Blender camera's axes (y up, looking along -z) into the OpenCV camera's (y down, looking along +z)."""


def body_to_root_quaternion() -> np.ndarray:
    """(4,) quaternion wxyz of `BODY_TO_ROOT`."""
    return rotations.matrix_to_quaternion(BODY_TO_ROOT)


def points_to_root(points: np.ndarray) -> np.ndarray:
    """(..., 3) world points of the take, metres, to the root frame; keeps float32 as it is."""
    points = np.asarray(points)
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def points_from_root(points: np.ndarray) -> np.ndarray:
    """(..., 3) points in the root frame, metres, to the take's world: the inverse of `points_to_root`."""
    points = np.asarray(points)
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1)


def level_matrix(up: np.ndarray, height: float) -> np.ndarray:
    """(4, 4) matrix of the root empty that sets a take upright on its floor, the first camera looking along +y.

    `up` (3,) is the unit vector away from the floor in the take's world, where the points of the floor have
    `up . p == height` metres.
    """
    upward = TAKE_TO_ROOT @ np.asarray(up, dtype=np.float64)
    # The first camera looks along the root frame's y; if it looks straight down, its upper edge points there instead.
    forward = np.array([0.0, 1.0, 0.0]) if abs(upward[1]) < 0.99 else np.array([0.0, 0.0, 1.0])
    forward -= forward @ upward * upward
    forward /= np.linalg.norm(forward)
    matrix = np.eye(4)
    matrix[:3, :3] = np.cross(forward, upward), forward, upward
    matrix[2, 3] = -height
    return matrix


def camera_to_root(world_from_camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(..., 4, 4) camera poses of the take to a Blender camera's location and rotation under the root.

    Returns (..., 3) metres and (..., 4) quaternions wxyz, float64.
    """
    pose = np.asarray(world_from_camera, dtype=np.float64)
    rotation = TAKE_TO_ROOT @ pose[..., :3, :3] @ VIEW_TO_CAMERA
    return pose[..., :3, 3] @ TAKE_TO_ROOT.T, rotations.matrix_to_quaternion(rotation)


def root_rotation_to_body(world_from_camera: np.ndarray, rotation_in_camera: np.ndarray) -> np.ndarray:
    """(..., 3, 3) global orientations in the camera frame to (..., 3, 3) rotations of the pelvis bone.

    World orientation = camera rotation x orientation in the camera; `world_from_camera` is (..., 4, 4).
    """
    return TAKE_TO_BODY @ np.asarray(world_from_camera, dtype=np.float64)[..., :3, :3] @ rotation_in_camera


def camera_points_to_body(world_from_camera: np.ndarray, points_in_camera: np.ndarray) -> np.ndarray:
    """(..., 3) points in the camera frame, metres, to the body frame; `world_from_camera` is (..., 4, 4)."""
    pose = np.asarray(world_from_camera, dtype=np.float64)
    world = (pose[..., :3, :3] @ np.asarray(points_in_camera, dtype=np.float64)[..., None])[..., 0] + pose[..., :3, 3]
    return world @ TAKE_TO_BODY.T
