# SPDX-License-Identifier: GPL-3.0-or-later
"""People for tests: bodies in front of a camera, and the landmarks that they would have."""

from __future__ import annotations

import numpy as np

from engine.contract.body_model import BodyModel, joint_transforms
from engine.contract.rotations import axis_angle_to_matrix
from engine.contract.skeleton import JOINT_COUNT, PELVIS
from engine.landmarks.observations import BodyLandmarks, Crops, FittedBodies, FollowedPeople, Pinhole

CAMERA = Pinhole(900.0, np.array([319.5, 239.5]))
WIDTH, HEIGHT = 640, 480

JOINT_OF_LANDMARK = {11: 16, 12: 17, 13: 18, 14: 19, 15: 20, 16: 21, 17: 31, 18: 46, 19: 25, 20: 40, 23: 1, 24: 2}
"""Where arms and hips have landmarks."""

FACE = {2: (0.03, 0.07), 5: (-0.03, 0.07), 7: (0.08, 0.06), 8: (-0.08, 0.06), 9: (0.03, 0.0), 10: (-0.03, 0.0)}
"""Eyes, ears and mouth: metres to the left of the head joint, and above it."""


def standing(body: BodyModel, places: list[tuple[float, float, float]], turn_degrees: float = 0.0) -> FittedBodies:
    """Bodies that look at the camera, or beside it, arms stretched out aside."""
    count = len(places)
    rotations = np.tile(np.eye(3), (count, JOINT_COUNT, 1, 1))
    facing = axis_angle_to_matrix(np.array([np.pi, 0.0, 0.0]))  # y up to y down, +z to the camera
    rotations[:, PELVIS] = facing @ axis_angle_to_matrix(np.array([0.0, np.radians(turn_degrees), 0.0]))
    betas, pelvis = np.zeros((count, 10)), np.array(places, float).reshape(count, 3)
    joints = joint_transforms(rotations, body.rest_joints(betas))[..., :3, 3]
    joints = joints + (pelvis - joints[:, 0])[:, None]
    return FittedBodies(rotations, betas, pelvis, joints, np.zeros(count))


def project(points: np.ndarray) -> np.ndarray:
    """(..., 3) to (..., 2) pixels."""
    return points[..., :2] / points[..., 2:] * CAMERA.focal_px + CAMERA.principal_point_px


def people_of(bodies: FittedBodies, visibility: float = 1.0) -> FollowedPeople:
    """Landmarks of arms, hips and faces of bodies in front of the camera."""
    count = len(bodies)
    point = np.zeros((count, 39, 3))
    point[:, list(JOINT_OF_LANDMARK)] = bodies.joints[:, list(JOINT_OF_LANDMARK.values())]
    for landmark, (left, above) in FACE.items():
        head = bodies.rotations[:, PELVIS] @ np.array([left, above, 0.0])
        point[:, landmark] = bodies.joints[:, 15] + head
    point[..., 2] = np.maximum(point[..., 2], 0.1)
    point_px = project(point)
    inside = ((point_px >= 0) & (point_px <= (WIDTH - 1, HEIGHT - 1))).all(-1)
    crop = Crops(np.zeros((count, 2)), np.ones(count), np.zeros(count))
    landmarks = BodyLandmarks(
        np.ones(count), point_px, np.full((count, 39), visibility), np.zeros((count, 39, 3)), crop,
        np.zeros((count, 256, 256), np.float16),
    )  # fmt: skip
    return FollowedPeople(np.arange(count), np.ones(count), landmarks, inside, np.zeros((count, 3)))
