# SPDX-License-Identifier: GPL-3.0-or-later
"""Fits bodies in the SMPL-X format to landmarks, all people at once, each from its torso alone.

Unknown are the turns of 20 joints and the pelvis' position (`body_solver`). Nothing is remembered from frame to frame:
a fit that starts from the last frame sticks to its errors, and smoothness is the clean-up's work. m rows (people of a
frame, or of a clip), K used landmarks; metres and the camera frame (x right, y down, z away), float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...contract.body_model import BodyModel
from ...contract.skeleton import BODY_JOINT_COUNT, JOINT_COUNT
from ..observations import BodyLandmarks, FittedBodies, Pinhole
from ..turns import turn_to_ray
from .body_kinematics import pose_bodies
from .body_points import BONES, MOVES_WITH, SPANS, USED, BodyPoints
from .body_solver import Seen, project, solve
from .body_start import start
from .limb_centres import centred

OUTSIDE_WEIGHT = 0.1
"""Of a landmark outside the picture: the network guesses it, but the guess is better than nothing."""

LEAST_VISIBILITY = 0.02
"""A hidden landmark still says a little."""

PICTURE_DEVIATION = 0.016
"""Error of a landmark in the picture, as a share of the person's size."""

SPAN_DEVIATION = 0.1
"""Error across the view of the vector along a bone, metres: the picture tells it better."""

SPAN_DEPTH_DEVIATION, SPAN_DEPTH_SHARE = 0.03, 0.25
"""Error of the same vector's depth: so many metres, and a share of the bone's length. Foreshortening in the picture
decides how far a bone leans; this decides to which side."""

DEPTH_GAIN = 1.1
"""The network's depths are too flat where the camera looks down on people, as regression to the mean makes them: on two
real views with truth torsos lean 1.3 to 2 times as far along the ray, thighs 1.2 to 1.5 times, shoulders 1.2 times; on
the synthetic clip, with a level camera, 0.7 to 1.1 times. So this is a compromise; from 1.0 to 1.2 little changes."""

ROWS_AT_ONCE = 128
"""Rows of one batch: a row takes 0.15 MB while it is worked on, which has to stay in the processor's cache."""


@dataclass(frozen=True)
class DepthPrior:
    """What is known of the pelvis' depth beforehand, as the final pass does from the whole clip."""

    log_depth: np.ndarray
    """(m,) natural logarithm of the metres from the camera along its axis."""
    deviation: np.ndarray
    """(m,) of the logarithm; infinite where nothing is known."""


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
        rotations, pelvis = solve(seen, *start(seen, camera.focal_px), camera.focal_px)
        posed = pose_bodies(seen.rest, seen.offsets, rotations, pelvis)
        off = np.linalg.norm(project(posed.points, camera.focal_px) - seen.pixels, axis=-1)
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
) -> Seen:
    used = list(USED)
    visibility = landmarks.visibility[:, used].astype(np.float64).clip(LEAST_VISIBILITY, 1.0)
    pixels = centred(landmarks)[:, used] - camera.principal_point_px
    size = np.sqrt(np.prod(np.ptp(pixels, axis=1), axis=-1) + 1.0)
    count = len(pixels)
    return Seen(
        pixels=pixels,
        world=_world(landmarks, visibility, camera, rest, offsets),
        trust=visibility * np.where(inside[:, used], 1.0, OUTSIDE_WEIGHT),
        span_trust=visibility @ (0.5 * np.abs(SPANS.T)),
        span_deviation=_span_deviation(rest, offsets),
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
    first, second = BONES.T
    weight = np.minimum(visibility[:, first], visibility[:, second])
    body = rest[:, list(MOVES_WITH)] + offsets
    lengths = [np.linalg.norm(points[:, first] - points[:, second], axis=-1) for points in (body, world)]
    of_body, of_world = ((length * weight).sum(axis=1) for length in lengths)
    world *= (of_body / np.maximum(of_world, 1e-6))[:, None, None]
    world[..., 2] *= DEPTH_GAIN
    return world @ turn_to_ray(landmarks.crop.centre_px, camera).swapaxes(-1, -2)


def _span_deviation(rest: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(m, S, 3) metres, across and along the view."""
    spans = np.linalg.norm(SPANS @ (rest[:, list(MOVES_WITH)] + offsets), axis=-1)
    across = np.full(spans.shape, SPAN_DEVIATION)
    return np.stack([across, across, SPAN_DEPTH_DEVIATION + SPAN_DEPTH_SHARE * spans], axis=-1)
