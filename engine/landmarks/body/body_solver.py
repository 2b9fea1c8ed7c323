# SPDX-License-Identifier: GPL-3.0-or-later
"""Damped Gauss-Newton of bodies against what is seen of them, with the derivatives written out.

m rows (bodies), K used landmarks, S spans between them; 63 unknowns: a turn of each of 20 joints about the camera's
axes, and a shift of the body. Metres and the camera frame, pixels from the principal point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...contract.skeleton import PARENTS
from ..turns import inverse_left_jacobian
from .body_kinematics import PosedBodies, point_slopes, pose_bodies, turn, turn_vector
from .body_points import SPANS, USED
from .body_prior import HINGE_DEVIATION, HINGES, TURNED, prior_middle, prior_weights

ITERATIONS = 10
WIDE_ITERATIONS = 2
"""The first iterations, in which landmarks far off still pull."""
WIDE, NARROW = 12.0, 2.5
"""Distances in deviations beyond which a landmark counts ever less (Geman-McClure's weight, halved there)."""

DAMPING = 1e-2
LONGEST_TURN = 0.6
"""Largest turn of a joint in one iteration, radians: further, the linearised body is no guide."""
ENOUGH = 3e-3
"""A step below this (radians, metres) ends a row's iterations."""

LEAST_DEPTH = 0.5
"""Metres: nobody is nearer to a camera that sees the whole torso."""

NEAREST = 0.2
"""Metres: landmarks nearer than this are projected as if they were so far away."""

UNKNOWNS = 3 * len(TURNED) + 3


@dataclass(frozen=True)
class Seen:
    """The landmarks as the fit wants them."""

    pixels: np.ndarray
    """(m, K, 2) from the principal point."""
    world: np.ndarray
    """(m, K, 3) in the camera's axes, with bones as long as the body's; the origin means nothing."""
    trust: np.ndarray
    """(m, K) of the position in the picture: visibility, less outside the picture."""
    span_trust: np.ndarray
    """(m, S) of the vectors."""
    span_deviation: np.ndarray
    """(m, S, 3)"""
    pixel_deviation: np.ndarray
    """(m,)"""
    size_px: np.ndarray
    """(m,) side of the square as large as the landmarks' box."""
    rest: np.ndarray
    """(m, 22, 3)"""
    offsets: np.ndarray
    """(m, K, 3)"""
    log_depth: np.ndarray
    """(m,)"""
    depth_weight: np.ndarray
    """(m,) one over the deviation of the logarithm of the depth."""

    def select(self, rows: np.ndarray) -> Seen:
        return Seen(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def project(points: np.ndarray, focal_px: float) -> np.ndarray:
    return focal_px * points[..., :2] / np.maximum(points[..., 2:], NEAREST)


def solve(seen: Seen, rotations: np.ndarray, pelvis: np.ndarray, focal_px: float) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Newton from (m, 22, 3, 3) rotations and (m, 3) pelvis; each row stops when its own steps are small."""
    rotations, pelvis, going = rotations.copy(), pelvis.copy(), np.arange(len(pelvis))
    for iteration in range(ITERATIONS):
        if not len(going):
            break
        here = seen if len(going) == len(pelvis) else seen.select(going)
        kernel = WIDE if iteration < WIDE_ITERATIONS else NARROW
        posed = pose_bodies(here.rest, here.offsets, rotations[going], pelvis[going])
        slopes, residuals = linearised(here, posed, rotations[going], focal_px, kernel)
        step = _step(slopes, residuals)
        rotations[going], pelvis[going] = moved(posed, rotations[going], pelvis[going], step)
        if iteration >= WIDE_ITERATIONS:
            going = going[np.abs(step).max(axis=1) >= ENOUGH]
    return rotations, pelvis


def _step(slopes: np.ndarray, residuals: np.ndarray) -> np.ndarray:
    """(m, 63) damped Gauss-Newton step, shortened where a joint would turn too far."""
    across = slopes.swapaxes(-1, -2)
    normal = across @ slopes
    diagonal = np.einsum("mii->mi", normal)
    diagonal += DAMPING * (diagonal + 1e-3)
    step = -np.linalg.solve(normal, across @ residuals[..., None])[..., 0]
    furthest = np.abs(step[:, :-3]).max(axis=1, keepdims=True)
    return step * np.minimum(1.0, LONGEST_TURN / np.maximum(furthest, 1e-9))


def moved(
    posed: PosedBodies, rotations: np.ndarray, pelvis: np.ndarray, step: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rotations and pelvis after a step: turns about the camera's axes, brought into each parent's frame."""
    turns = step[:, :-3].reshape(len(step), len(TURNED), 3, 1)
    local = (parent_frames(posed).swapaxes(-1, -2) @ turns)[..., 0]
    rotations = rotations.copy()
    rotations[:, list(TURNED)] = turn(local) @ rotations[:, list(TURNED)]
    pelvis = pelvis + step[:, -3:]
    pelvis[:, 2] = np.maximum(pelvis[:, 2], LEAST_DEPTH)
    return rotations, pelvis


def parent_frames(posed: PosedBodies) -> np.ndarray:
    """(m, 20, 3, 3) frame of the parent of each turned joint; the camera's for the pelvis."""
    frames = posed.frames[:, [max(PARENTS[joint], 0) for joint in TURNED]]
    frames[:, 0] = np.eye(3)
    return frames


def linearised(
    seen: Seen, posed: PosedBodies, rotations: np.ndarray, focal_px: float, kernel: float
) -> tuple[np.ndarray, np.ndarray]:
    """(m, R, 63) derivatives and (m, R) residuals of everything that pulls at the bodies, weighted and without unit."""
    slopes = point_slopes(posed)
    parts = [
        _in_picture(seen, posed, slopes, focal_px, kernel),
        _in_space(seen, posed, slopes, kernel),
        _believed(posed, rotations),
        _in_depth(seen, posed),
    ]
    return np.concatenate([part[0] for part in parts], axis=1), np.concatenate([part[1] for part in parts], axis=1)


def _in_picture(
    seen: Seen, posed: PosedBodies, slopes: np.ndarray, focal_px: float, kernel: float
) -> tuple[np.ndarray, np.ndarray]:
    """Where the landmarks are seen."""
    points, deviation = posed.points, seen.pixel_deviation[:, None, None]
    residual = (project(points, focal_px) - seen.pixels) / deviation
    weight = np.sqrt(seen.trust * _robust(residual, kernel))[..., None]
    depth = np.maximum(points[..., 2:], NEAREST)
    ratio = (points[..., :2] / depth)[..., None]
    gradient = slopes[:, :, :2] - ratio * slopes[:, :, 2:]
    gradient *= ((focal_px / deviation) * weight / depth)[..., None]
    return gradient.reshape(len(points), -1, UNKNOWNS), (residual * weight).reshape(len(points), -1)


def _in_space(seen: Seen, posed: PosedBodies, slopes: np.ndarray, kernel: float) -> tuple[np.ndarray, np.ndarray]:
    """Which way the bones point. Not where landmarks are round the hips: a torso that leans wrong would count at every
    landmark of head and arms once more."""
    residual = SPANS @ (posed.points - seen.world) / seen.span_deviation
    weight = np.sqrt(seen.span_trust * _robust(residual, kernel))[..., None]
    count = len(residual)
    gradient = (SPANS @ slopes.reshape(count, len(USED), -1)).reshape(count, len(SPANS), 3, -1)
    gradient *= (weight / seen.span_deviation)[..., None]
    return gradient.reshape(count, -1, UNKNOWNS), (residual * weight).reshape(count, -1)


def _believed(posed: PosedBodies, rotations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The prior: joints swing round a middle pose, and hinges bend one way."""
    vectors = turn_vector(rotations[:, list(TURNED)])
    gradient = inverse_left_jacobian(vectors) @ parent_frames(posed).swapaxes(-1, -2)
    rows = np.zeros((len(vectors), UNKNOWNS - 3 + len(HINGES), UNKNOWNS))
    blocks = rows[:, : UNKNOWNS - 3, : UNKNOWNS - 3].reshape(len(vectors), len(TURNED), 3, len(TURNED), 3)
    each = np.arange(len(TURNED))
    blocks[:, each, :, each] = (gradient * _PRIOR_WEIGHTS[..., None]).swapaxes(0, 1)
    bend = vectors[:, _HINGE_ROWS, _HINGE_AXES] * _HINGE_SIGNS
    wrong = (bend < 0) / HINGE_DEVIATION
    hinges = rows[:, UNKNOWNS - 3 :, : UNKNOWNS - 3].reshape(len(vectors), len(HINGES), len(TURNED), 3)
    pulls = gradient[:, _HINGE_ROWS, _HINGE_AXES] * (wrong * _HINGE_SIGNS)[..., None]
    hinges[:, np.arange(len(HINGES)), _HINGE_ROWS] = pulls
    swing = ((vectors - _PRIOR_MIDDLE) * _PRIOR_WEIGHTS).reshape(len(vectors), -1)
    return rows, np.concatenate([swing, bend * wrong], axis=1)


def _in_depth(seen: Seen, posed: PosedBodies) -> tuple[np.ndarray, np.ndarray]:
    """How far away the pelvis is believed to be."""
    depth = np.maximum(posed.joints[:, 0, 2], LEAST_DEPTH)
    rows = np.zeros((len(depth), 1, UNKNOWNS))
    rows[:, 0, -1] = seen.depth_weight / depth
    return rows, ((np.log(depth) - seen.log_depth) * seen.depth_weight)[:, None]


def _robust(residual: np.ndarray, kernel: float) -> np.ndarray:
    """(m, K) weight of each landmark: one near its place, ever less far from it."""
    return 1.0 / (1.0 + (residual * residual).sum(axis=-1) / kernel**2)


_PRIOR_WEIGHTS = prior_weights()
_PRIOR_MIDDLE = prior_middle()
_HINGE_ROWS = np.array([TURNED.index(joint) for joint, _, _ in HINGES])
_HINGE_AXES = np.array([axis for _, axis, _ in HINGES])
_HINGE_SIGNS = np.array([sign for _, _, sign in HINGES])
