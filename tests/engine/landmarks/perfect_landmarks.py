# SPDX-License-Identifier: GPL-3.0-or-later
"""Landmarks without error, of bodies whose pose is known: what a perfect network would see."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.contract.body_model import BodyModel, default_body_path
from engine.landmarks.body.body_fit import DEPTH_GAIN
from engine.landmarks.body.body_kinematics import pose_bodies, turn
from engine.landmarks.body.body_points import USED, BodyPoints
from engine.landmarks.body.body_prior import TURNED, prior_middle
from engine.landmarks.body.mask_view import MASK_SIZE, MaskView
from engine.landmarks.observations import BodyLandmarks, Crops, FittedBodies, Pinhole

CAMERA = Pinhole(900.0, np.array([639.5, 359.5]))

FINER = 4

SWING = {1: 0.5, 2: 0.5, 16: 0.6, 17: 0.6, 12: 0.15, 15: 0.15}
"""Standard deviation of the turns of hips, shoulders and neck, radians; other joints hardly turn."""


def mannequin() -> BodyModel:
    return BodyModel.load(default_body_path())


@dataclass(frozen=True)
class Truth:
    betas: np.ndarray
    rotations: np.ndarray
    """(m, 22, 3, 3)"""
    joints: np.ndarray
    """(m, 22, 3) camera frame."""


def random_poses(count: int, seed: int, facing: float = np.pi) -> tuple[np.ndarray, np.ndarray]:
    """(m, 22, 3, 3) rotations of people who stand, arms and legs somewhere, and (m, 3) places of their pelvis."""
    random = np.random.default_rng(seed)
    vectors = np.zeros((count, 22, 3))
    vectors[:, list(TURNED)] = prior_middle()
    for joint, deviation in SWING.items():
        vectors[:, joint] += random.normal(0, deviation, (count, 3)) * ([1.0, 0.3, 0.5] if joint < 3 else [1, 1, 1])
    vectors[:, [4, 5], 0] = random.uniform(0.1, 1.2, (count, 2))
    vectors[:, 18, 1], vectors[:, 19, 1] = -random.uniform(0.1, 1.5, count), random.uniform(0.1, 1.5, count)
    rotations = turn(vectors)
    upright = turn(np.array([np.pi, 0.0, 0.0]))
    yaw = np.stack([np.zeros(count), random.uniform(-facing, facing, count), np.zeros(count)], axis=-1)
    rotations[:, 0] = upright @ turn(yaw) @ turn(random.normal(0, 0.15, (count, 3)))
    return rotations, random.uniform([-0.8, -0.3, 3.5], [0.8, 0.3, 7.0], (count, 3))


def see(
    body: BodyModel, betas: np.ndarray, rotations: np.ndarray, pelvis: np.ndarray, camera: Pinhole = CAMERA
) -> tuple[BodyLandmarks, Truth]:
    """What a perfect network sees of posed bodies."""
    rest, offsets = BodyPoints(body)(betas)
    posed = pose_bodies(rest, offsets, rotations, pelvis)
    count, used = len(betas), list(USED)
    pixels, world = np.zeros((count, 39, 2)), np.zeros((count, 39, 3))
    pixels[:, used] = camera.focal_px * posed.points[..., :2] / posed.points[..., 2:] + camera.principal_point_px
    hips = pixels[:, [23, 24]].mean(axis=1)
    middle = posed.points[:, [USED.index(23), USED.index(24)]].mean(axis=1, keepdims=True)
    for row, pixel in enumerate(hips):
        world[row, used] = (posed.points[row] - middle[row]) @ axes_along(pixel, camera)
    world[..., 2] /= DEPTH_GAIN  # its depths are as flat as the fit believes them to be
    everything = np.ones((count, 39))
    crops = Crops(hips, np.ptp(pixels[:, used, 1], axis=1) * 1.3, np.zeros(count))
    marks = BodyLandmarks(np.ones(count), pixels, everything, world, crops, np.zeros((count, 256, 256), np.float16))
    return marks, Truth(betas, rotations, posed.joints)


def axes_along(pixel: np.ndarray, camera: Pinhole) -> np.ndarray:
    """(3, 3) columns: the axes of a camera that looks along a pixel's ray, turned to there the shortest way."""
    ray = np.append((pixel - camera.principal_point_px) / camera.focal_px, 1.0)
    ray /= np.linalg.norm(ray)
    axis = np.cross([0.0, 0.0, 1.0], ray)
    sine = np.linalg.norm(axis)
    return turn(axis / max(sine, 1e-12) * np.arctan2(sine, ray[2]))


def silhouettes(body: BodyModel, marks: BodyLandmarks, bodies: FittedBodies, camera: Pinhole = CAMERA) -> np.ndarray:
    """(m, 256, 256) what the crops show of fitted bodies, 1 inside and 0 outside."""
    masks = np.empty((len(bodies), MASK_SIZE, MASK_SIZE), np.float32)
    view = MaskView(marks.crop)
    rest = body.rest_joints(bodies.betas)
    vertices = body.skin(body.rest_vertices(bodies.betas), bodies.rotations, rest, bodies.pelvis - rest[:, 0])
    pixels = camera.focal_px * vertices[..., :2] / vertices[..., 2:] + camera.principal_point_px
    for row, places in enumerate(view.places(pixels)):
        # Drawn larger: every triangle is half a pixel too wide on each side.
        canvas = np.zeros((FINER * MASK_SIZE, FINER * MASK_SIZE), np.float32)
        for triangle in np.round((FINER * places - 0.5) * 16).astype(np.int32)[body.faces]:
            cv2.fillConvexPoly(canvas, triangle, 1.0, shift=4)
        masks[row] = cv2.resize(canvas, (MASK_SIZE, MASK_SIZE), interpolation=cv2.INTER_AREA)
    return masks


def as_fitted(body: BodyModel, truth: Truth) -> FittedBodies:
    """The truth as if it had been fitted."""
    rotations = np.tile(np.eye(3), (len(truth.betas), 55, 1, 1))
    rotations[:, :22] = truth.rotations
    joints = body.posed_joints(rotations, truth.betas)
    joints += truth.joints[:, :1] - joints[:, :1]
    return FittedBodies(rotations, truth.betas, joints[:, 0], joints, np.zeros(len(joints)))
