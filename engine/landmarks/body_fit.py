# SPDX-License-Identifier: GPL-3.0-or-later
"""Fits bodies in the SMPL-X format to landmarks: damped Gauss-Newton, all people at once, each from its torso alone.

Unknown are the turns of 20 joints and the pelvis' position. Nothing is remembered from frame to frame: a fit that
starts from the last frame sticks to its errors, and smoothness is the clean-up's work. m rows (people of a frame, or
of a clip), K used landmarks; metres and the camera frame (x right, y down, z away), float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.body_model import BodyModel
from ..contract.skeleton import BODY_JOINT_COUNT, JOINT_COUNT, PARENTS
from .body_kinematics import PosedBodies, point_slopes, pose_bodies, turn, turn_vector, turn_vector_slope
from .body_points import BONES, HIPS, MOVES_WITH, SHOULDERS, USED, BodyPoints
from .body_prior import HINGE_DEVIATION, HINGES, TURNED, prior_middle, prior_weights
from .observations import BodyLandmarks, FittedBodies, Pinhole

OUTSIDE_WEIGHT = 0.1
"""Of a landmark outside the picture: the network guesses it, but the guess is better than nothing."""

LEAST_VISIBILITY = 0.02
"""A hidden landmark still says a little."""

PICTURE_DEVIATION = 0.02
"""Error of a landmark in the picture, as a share of the person's size."""

WORLD_DEVIATION = 0.07
"""Error of a landmark's position about the hips, metres; the depth counts less by DEPTH_TRUST."""

DEPTH_TRUST = 0.8

ITERATIONS = 16
WIDE_ITERATIONS = 5
"""The first iterations, in which landmarks far off still pull: the body starts in a rest pose."""
WIDE, NARROW = 12.0, 3.0
"""Distances in deviations beyond which a landmark counts ever less (Geman-McClure's weight, halved there)."""

DAMPING = 1e-2
LONGEST_TURN = 0.6
"""Largest turn of a joint in one iteration, radians: further, the linearised body is no guide."""
ENOUGH = 2e-3
"""A step below this (radians, metres) ends a row's iterations."""

LEAST_DEPTH = 0.5
"""Metres: nobody is nearer to a camera that sees the whole torso."""

ROWS_AT_ONCE = 128
"""Rows of one batch: a row takes 0.15 MB while it is worked on, which has to stay in the processor's cache."""

_UNKNOWNS = 3 * len(TURNED) + 3


@dataclass(frozen=True)
class DepthPrior:
    """What is known of the pelvis' depth beforehand, as the final pass does from the whole clip."""

    log_depth: np.ndarray
    """(m,) natural logarithm of the metres from the camera along its axis."""
    deviation: np.ndarray
    """(m,) of the logarithm; infinite where nothing is known."""


@dataclass(frozen=True)
class _Seen:
    """The landmarks as the fit wants them."""

    pixels: np.ndarray
    """(m, K, 2) from the principal point."""
    world: np.ndarray
    """(m, K, 3) from the middle of the hips, in the camera's axes, with bones as long as the body's."""
    trust: np.ndarray
    """(m, K) of the position in the picture: visibility, less outside the picture."""
    world_trust: np.ndarray
    """(m, K) of the position in space."""
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

    def select(self, rows: np.ndarray) -> _Seen:
        return _Seen(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


class BodyFitter:
    """Fits one body model. Immutable; safe to share between threads."""

    def __init__(self, body: BodyModel) -> None:
        self._body = body
        self.points = BodyPoints(body)

    def fit(
        self,
        landmarks: BodyLandmarks,
        inside: np.ndarray,
        camera: Pinhole,
        betas: np.ndarray,
        depth: DepthPrior | None = None,
    ) -> FittedBodies:
        """Bodies of shape `betas` (m, 10) at the landmarks; `inside` (m, 39) tells which of them lie in the picture.

        A row's result does not depend on the other rows.
        """
        betas = np.asarray(betas, dtype=np.float64)
        parts = [
            self._fit(*_rows(landmarks, inside, betas, depth, rows), camera)
            for rows in np.array_split(np.arange(len(betas)), max(1, -(-len(betas) // ROWS_AT_ONCE)))
        ]
        rotations, pelvis, error = (np.concatenate(part) for part in zip(*parts, strict=True))
        joints = self._body.posed_joints(rotations, betas)
        joints += (pelvis - joints[:, 0])[:, None]
        return FittedBodies(rotations, betas, pelvis, joints, error)

    def _fit(
        self,
        landmarks: BodyLandmarks,
        inside: np.ndarray,
        betas: np.ndarray,
        depth: DepthPrior | None,
        camera: Pinhole,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        seen = _prepare(landmarks, inside, camera, *self.points(betas), depth)
        rotations, pelvis = solve(seen, *_start(seen, camera.focal_px), camera.focal_px)
        posed = pose_bodies(seen.rest, seen.offsets, rotations, pelvis)
        off = np.linalg.norm(_project(posed.points, camera.focal_px) - seen.pixels, axis=-1)
        whole = np.tile(np.eye(3), (len(betas), JOINT_COUNT, 1, 1))
        whole[:, :BODY_JOINT_COUNT] = rotations
        return whole, pelvis, np.median(off, axis=1) / seen.size_px


def _rows(
    landmarks: BodyLandmarks, inside: np.ndarray, betas: np.ndarray, depth: DepthPrior | None, rows: np.ndarray
) -> tuple[BodyLandmarks, np.ndarray, np.ndarray, DepthPrior | None]:
    chosen = None if depth is None else DepthPrior(depth.log_depth[rows], depth.deviation[rows])
    return landmarks.select(rows), inside[rows], betas[rows], chosen


def _prepare(
    landmarks: BodyLandmarks,
    inside: np.ndarray,
    camera: Pinhole,
    rest: np.ndarray,
    offsets: np.ndarray,
    depth: DepthPrior | None,
) -> _Seen:
    used = list(USED)
    visibility = landmarks.visibility[:, used].astype(np.float64).clip(LEAST_VISIBILITY, 1.0)
    pixels = landmarks.point_px[:, used].astype(np.float64) - camera.principal_point_px
    size = np.sqrt(np.prod(np.ptp(pixels, axis=1), axis=-1) + 1.0)
    count = len(pixels)
    return _Seen(
        pixels=pixels,
        world=_world(landmarks, visibility, camera, rest, offsets),
        trust=visibility * np.where(inside[:, used], 1.0, OUTSIDE_WEIGHT),
        world_trust=visibility,
        pixel_deviation=PICTURE_DEVIATION * size + 1.0,
        size_px=size,
        rest=rest,
        offsets=offsets,
        log_depth=np.zeros(count) if depth is None else depth.log_depth,
        depth_weight=np.zeros(count) if depth is None else 1.0 / depth.deviation,
    )


def _world(
    landmarks: BodyLandmarks, visibility: np.ndarray, camera: Pinhole, rest: np.ndarray, offsets: np.ndarray
) -> np.ndarray:
    """The landmarks in space, turned from the crop's ray to the camera's axes and scaled to the body's bones."""
    world = landmarks.world[:, list(USED)].astype(np.float64)
    world = world @ _turn_to_ray(landmarks.crop.centre_px, camera).swapaxes(-1, -2)
    first, second = BONES.T
    weight = np.minimum(visibility[:, first], visibility[:, second])
    body = rest[:, list(MOVES_WITH)] + offsets
    lengths = [np.linalg.norm(points[:, first] - points[:, second], axis=-1) for points in (body, world)]
    of_body, of_world = ((length * weight).sum(axis=1) for length in lengths)
    world *= (of_body / np.maximum(of_world, 1e-6))[:, None, None]
    return world - world[:, HIPS].mean(axis=1, keepdims=True)


def _turn_to_ray(pixels: np.ndarray, camera: Pinhole) -> np.ndarray:
    """(m, 3, 3) the shortest turn from the camera's axis to the rays through (m, 2) pixels."""
    slopes = (np.asarray(pixels, dtype=np.float64) - camera.principal_point_px) / camera.focal_px
    across = np.stack([-slopes[:, 1], slopes[:, 0], np.zeros(len(slopes))], axis=-1)
    tangent = np.linalg.norm(across, axis=-1, keepdims=True)
    return turn(across * np.arctan2(tangent, 1.0) / np.maximum(tangent, 1e-9))


def _start(seen: _Seen, focal_px: float) -> tuple[np.ndarray, np.ndarray]:
    """The body in its middle pose with its torso turned like the landmarks', as far away as it looks large."""
    left = seen.world[:, [SHOULDERS[0], HIPS[0]]].sum(axis=1) - seen.world[:, [SHOULDERS[1], HIPS[1]]].sum(axis=1)
    up = _unit(seen.world[:, SHOULDERS].sum(axis=1) - seen.world[:, HIPS].sum(axis=1))
    left = _unit(left - up * (left * up).sum(axis=-1, keepdims=True))
    rotations = np.tile(np.eye(3), (len(up), BODY_JOINT_COUNT, 1, 1))
    rotations[:, list(TURNED)] = turn(prior_middle())
    rotations[:, 0] = np.stack([left, up, np.cross(left, up)], axis=-1)
    metres = seen.world[..., :2] - seen.world[..., :2].mean(axis=1, keepdims=True)
    pixels = seen.pixels - seen.pixels.mean(axis=1, keepdims=True)
    weight = seen.trust[..., None]
    per_metre = (weight * metres * pixels).sum(axis=(1, 2)) / (weight * metres * metres).sum(axis=(1, 2))
    depth = focal_px / np.maximum(per_metre, 1e-3)
    depth = np.where(seen.depth_weight > 0, np.exp(seen.log_depth), depth)
    slopes = seen.pixels[:, HIPS].mean(axis=1) / focal_px
    return rotations, np.concatenate([slopes, np.ones((len(up), 1))], axis=-1) * depth[:, None]


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9)


def _project(points: np.ndarray, focal_px: float) -> np.ndarray:
    return focal_px * points[..., :2] / np.maximum(points[..., 2:], 0.2)


def solve(seen: _Seen, rotations: np.ndarray, pelvis: np.ndarray, focal_px: float) -> tuple[np.ndarray, np.ndarray]:
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
        rotations[going], pelvis[going] = _moved(posed, rotations[going], pelvis[going], step)
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


def _moved(
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
    seen: _Seen, posed: PosedBodies, rotations: np.ndarray, focal_px: float, kernel: float
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
    seen: _Seen, posed: PosedBodies, slopes: np.ndarray, focal_px: float, kernel: float
) -> tuple[np.ndarray, np.ndarray]:
    """Where the landmarks are seen."""
    points, deviation = posed.points, seen.pixel_deviation[:, None, None]
    residual = (_project(points, focal_px) - seen.pixels) / deviation
    weight = np.sqrt(seen.trust * _robust(residual, kernel))[..., None]
    depth = np.maximum(points[..., 2:], 0.2)
    ratio = (points[..., :2] / depth)[..., None]
    gradient = slopes[:, :, :2] - ratio * slopes[:, :, 2:]
    gradient *= ((focal_px / deviation) * weight / depth)[..., None]
    return gradient.reshape(len(points), -1, _UNKNOWNS), (residual * weight).reshape(len(points), -1)


def _in_space(seen: _Seen, posed: PosedBodies, slopes: np.ndarray, kernel: float) -> tuple[np.ndarray, np.ndarray]:
    """Where the landmarks are round the hips."""
    middle = posed.points[:, HIPS].mean(axis=1, keepdims=True)
    residual = (posed.points - middle - seen.world) / WORLD_DEVIATION
    weight = np.sqrt(seen.world_trust * _robust(residual, kernel))[..., None] * np.array([1.0, 1.0, DEPTH_TRUST])
    gradient = (slopes - slopes[:, HIPS].mean(axis=1, keepdims=True)) * (weight / WORLD_DEVIATION)[..., None]
    return gradient.reshape(len(residual), -1, _UNKNOWNS), (residual * weight).reshape(len(residual), -1)


def _believed(posed: PosedBodies, rotations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The prior: joints swing round a middle pose, and hinges bend one way."""
    vectors = turn_vector(rotations[:, list(TURNED)])
    gradient = turn_vector_slope(vectors) @ parent_frames(posed).swapaxes(-1, -2)
    rows = np.zeros((len(vectors), _UNKNOWNS - 3 + len(HINGES), _UNKNOWNS))
    blocks = rows[:, : _UNKNOWNS - 3, : _UNKNOWNS - 3].reshape(len(vectors), len(TURNED), 3, len(TURNED), 3)
    each = np.arange(len(TURNED))
    blocks[:, each, :, each] = (gradient * _PRIOR_WEIGHTS[..., None]).swapaxes(0, 1)
    bend = vectors[:, _HINGE_ROWS, _HINGE_AXES] * _HINGE_SIGNS
    wrong = (bend < 0) / HINGE_DEVIATION
    hinges = rows[:, _UNKNOWNS - 3 :, : _UNKNOWNS - 3].reshape(len(vectors), len(HINGES), len(TURNED), 3)
    pulls = gradient[:, _HINGE_ROWS, _HINGE_AXES] * (wrong * _HINGE_SIGNS)[..., None]
    hinges[:, np.arange(len(HINGES)), _HINGE_ROWS] = pulls
    swing = ((vectors - _PRIOR_MIDDLE) * _PRIOR_WEIGHTS).reshape(len(vectors), -1)
    return rows, np.concatenate([swing, bend * wrong], axis=1)


def _in_depth(seen: _Seen, posed: PosedBodies) -> tuple[np.ndarray, np.ndarray]:
    """How far away the pelvis is believed to be."""
    depth = np.maximum(posed.joints[:, 0, 2], LEAST_DEPTH)
    rows = np.zeros((len(depth), 1, _UNKNOWNS))
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
