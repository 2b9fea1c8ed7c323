# SPDX-License-Identifier: GPL-3.0-or-later
"""What a picture tells of a person's shape: how long bones are beside each other, and how wide the silhouette is.

Each person of each frame gives a quadratic cost of the ten betas, linearised where the fit had them; costs of many
frames add up. m rows, B groups of bones, W sections, Q outline vertices of a section; metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...contract.body_model import BETA_COUNT, BodyModel
from ...contract.skeleton import (
    LEFT_ANKLE,
    LEFT_ELBOW,
    LEFT_HIP,
    LEFT_KNEE,
    LEFT_SHOULDER,
    LEFT_WRIST,
    NECK,
    PELVIS,
    RIGHT_ANKLE,
    RIGHT_ELBOW,
    RIGHT_HIP,
    RIGHT_KNEE,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
    SPINE1,
    SPINE2,
    SPINE3,
)
from ..observations import BodyLandmarks, FittedBodies, Pinhole
from .body_fit import DEPTH_GAIN
from .body_kinematics import joint_frames
from .body_points import BodyPoints, Groups, group_length
from .body_solver import NEAREST, project
from .mask_view import INSIDE_MASK, MASK_SIZE, MaskView

BONES: Groups = (
    ((11, 13), (12, 14)),
    ((13, 15), (14, 16)),
    ((23, 25), (25, 27), (24, 26), (26, 28)),
    ((11, 23), (12, 24)),
    ((11, 12),),
)
"""Landmarks at the ends of the bones whose lengths are compared: upper arms, forearms, legs, flanks, shoulders. Thigh
and shin count as one, for nobody agrees where between them the knee is; the hips' width says nothing: the network's
differs by half from clip to clip."""

SIZE = (((23, 25), (25, 27), (24, 26), (26, 28), (11, 23), (12, 24)),)
"""Legs and flanks: from how large they look, the fit knows how far away a person is."""

BONE_DEVIATION = 0.10
"""Of the logarithm of a bone's length in one frame."""

WIDTH_DEVIATION = 0.12
"""Of the logarithm of a width in one frame; clothes are worn in every frame, so that many frames help little."""

ODD = 2.0
"""Deviations beyond which a measurement counts ever less."""

GOOD_FIT = 0.03
"""Error of a fit (a share of the person's size) from which its frame counts ever less."""

LEAST_VISIBILITY = 0.5
"""Of all the ends of a bone that is measured."""

LEAST_SIDEWAYS = 0.6
"""A section is measured where the bone shows at least this share of its length: seen from its end it has no width."""

WIDEST = 1.8
"""A silhouette wider than this, in widths of the body's section, has taken in something else: an arm at the torso."""

_SECTIONS: tuple[tuple[int, int, float, tuple[int, ...]], ...] = (
    (LEFT_SHOULDER, LEFT_ELBOW, 0.6, (LEFT_SHOULDER,)), (RIGHT_SHOULDER, RIGHT_ELBOW, 0.6, (RIGHT_SHOULDER,)),
    (LEFT_ELBOW, LEFT_WRIST, 0.4, (LEFT_ELBOW,)), (RIGHT_ELBOW, RIGHT_WRIST, 0.4, (RIGHT_ELBOW,)),
    (LEFT_HIP, LEFT_KNEE, 0.6, (LEFT_HIP,)), (RIGHT_HIP, RIGHT_KNEE, 0.6, (RIGHT_HIP,)),
    (LEFT_KNEE, LEFT_ANKLE, 0.35, (LEFT_KNEE,)), (RIGHT_KNEE, RIGHT_ANKLE, 0.35, (RIGHT_KNEE,)),
    (PELVIS, NECK, 0.0, (PELVIS, SPINE1, LEFT_HIP, RIGHT_HIP)),
    (SPINE1, NECK, 0.0, (PELVIS, SPINE1, SPINE2)),
    (SPINE2, NECK, 0.1, (SPINE1, SPINE2, SPINE3)),
)  # fmt: skip
"""Where widths are measured: two joints, the place between them, the joints whose vertices are the outline there. The
last three are hips, waist and chest below the armpits; they turn with the first of their joints."""

_MARKS = ((11, 13), (12, 14), (13, 15), (14, 16), (23, 25), (24, 26), (25, 27), (26, 28), *3 * ((11, 12, 23, 24),))
"""Landmarks that have to be seen where a section is measured."""

_OUTLINE = 48
"""Vertices of a section: the joints' own that are nearest to it along the bone."""


@dataclass(frozen=True)
class ShapeEvidence:
    """Of each row a cost of the betas: betas' matrix betas - 2 vector betas."""

    matrix: np.ndarray
    """(m, 10, 10)"""
    vector: np.ndarray
    """(m, 10)"""

    def __len__(self) -> int:
        return len(self.vector)


class ShapeWitness:
    """Looks at the shapes of people whose bodies were fitted. Immutable; safe to share between threads."""

    def __init__(self, body: BodyModel) -> None:
        self._points = BodyPoints(body)
        self._outline, self._outline_slopes = _outlines(body)

    def look(
        self, landmarks: BodyLandmarks, inside: np.ndarray, bodies: FittedBodies, camera: Pinhole
    ) -> ShapeEvidence:
        """Evidence of each person; `inside` (m, 39) tells which landmarks lie in the picture."""
        seen = np.where(inside, landmarks.visibility, 0.0) >= LEAST_VISIBILITY
        parts = [self._bones(landmarks, seen, bodies), self._widths(landmarks, seen, bodies, camera)]
        slopes, residuals, weights = (np.concatenate(part, axis=1) for part in zip(*parts, strict=True))
        weights = weights / (1.0 + (residuals**2 * weights) / ODD**2)  # what is odd counts less
        weights = weights / (1.0 + (bodies.error / GOOD_FIT) ** 2)[:, None]
        # The residual at betas of zero, as far as the slopes reach.
        aims = residuals + (slopes @ bodies.betas[..., None])[..., 0]
        weighted = (slopes * weights[..., None]).swapaxes(-1, -2)
        return ShapeEvidence(weighted @ slopes, (weighted @ aims[..., None])[..., 0])

    def _bones(
        self, landmarks: BodyLandmarks, seen: np.ndarray, bodies: FittedBodies
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(m, B, 10) slopes, (m, B) residuals and weights of the logarithms of lengths, less their mean."""
        logs, slopes = self._log_lengths(bodies.betas, BONES)
        world = landmarks.world * np.array([1.0, 1.0, DEPTH_GAIN])
        measured = np.stack([group_length(world, group) for group in BONES], axis=1)
        known = np.stack([seen[:, np.unique(group)].all(axis=1) for group in BONES], axis=1)
        weight = known / BONE_DEVIATION**2
        residuals = np.log(np.maximum(measured, 1e-3)) - logs
        share = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-9)
        # Only ratios: the picture does not tell how large a person is.
        slopes = slopes - (share[..., None] * slopes).sum(axis=1, keepdims=True)
        return slopes, residuals - (share * residuals).sum(axis=1, keepdims=True), weight

    def _log_lengths(self, betas: np.ndarray, groups: Groups) -> tuple[np.ndarray, np.ndarray]:
        """(m, B) logarithms of lengths at rest and (m, B, 10) their slopes."""
        steps = betas[:, None] + np.concatenate([np.zeros((1, BETA_COUNT)), _STEP * np.eye(BETA_COUNT)])
        lengths = self._points.lengths(steps.reshape(-1, BETA_COUNT), groups)
        logs = np.log(lengths).reshape(len(betas), 1 + BETA_COUNT, len(groups))
        return logs[:, 0], ((logs[:, 1:] - logs[:, :1]) / _STEP).swapaxes(-1, -2)

    def _widths(
        self, landmarks: BodyLandmarks, seen: np.ndarray, bodies: FittedBodies, camera: Pinhole
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(m, W, 10) slopes, (m, W) residuals and weights of the logarithms of widths."""
        view = MaskView(landmarks.crop)
        tails, tips = bodies.joints[:, _JOINTS[:, 0]], bodies.joints[:, _JOINTS[:, 1]]
        centres = tails + _PLACES[:, None] * (tips - tails)
        tail_px, tip_px, centre_px = (
            view.places(camera.principal_point_px + project(points, camera.focal_px))
            for points in (tails, tips, centres)
        )
        along = tip_px - tail_px
        per_metre = view.scale[:, None] * camera.focal_px / np.maximum(centres[..., 2], NEAREST)
        length = np.linalg.norm(along, axis=-1)
        across = np.stack([-along[..., 1], along[..., 0]], axis=-1) / np.maximum(length, 1e-9)[..., None]
        in_picture = view.directions(across)
        width, slopes = self._section(bodies, np.concatenate([in_picture, np.zeros((*length.shape, 1))], axis=-1))
        reach = 0.5 * WIDEST * width * per_metre
        found = _mask_width(landmarks.mask, centre_px, across, reach) / per_metre
        known = np.stack([seen[:, list(marks)].all(axis=1) for marks in _MARKS], axis=1) & np.isfinite(found)
        known &= length > LEAST_SIDEWAYS * np.linalg.norm(tips - tails, axis=-1) * per_metre
        residuals = np.log(np.where(known, found, width) / width)
        # A larger body would be fitted farther away, where the mask is wider: what counts is the width for its size.
        _, of_size = self._log_lengths(bodies.betas, SIZE)
        return slopes / width[..., None] - of_size, residuals, known / WIDTH_DEVIATION**2

    def _section(self, bodies: FittedBodies, across: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(m, W) widths of the body along directions (m, W, 3), metres, and (m, W, 10) metres a unit of beta."""
        frames = joint_frames(bodies.rotations)[:, _JOINTS[:, 0]]
        local = (frames.swapaxes(-1, -2) @ across[..., None])[..., 0]
        outline = self._outline + np.einsum("wqcb,mb->mwqc", self._outline_slopes, bodies.betas)
        reach = (outline @ local[..., None])[..., 0]
        most, least = reach.argmax(axis=-1), reach.argmin(axis=-1)
        slopes = self._outline_slopes[_EACH, most] - self._outline_slopes[_EACH, least]
        width = reach.max(axis=-1) - reach.min(axis=-1)
        return np.maximum(width, 1e-3), np.einsum("mwcb,mwc->mwb", slopes, local)


def _mask_width(mask: np.ndarray, centre: np.ndarray, across: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """(m, W) pixels that the mask is wide through (m, W, 2) centres; NaN where no end is within (m, W) `reach`."""
    width, steps = np.zeros(reach.shape), np.arange(MASK_SIZE // 2)[:, None]
    for direction in (across, -across):
        places = np.floor(centre[..., None, :] + steps * direction[..., None, :]).astype(int)
        in_mask = ((places >= 0) & (places < MASK_SIZE)).all(axis=-1)
        x, y = np.moveaxis(places.clip(0, MASK_SIZE - 1), -1, 0)
        person = mask[np.arange(len(mask))[:, None, None], y, x] >= INSIDE_MASK
        end = np.argmin(person & in_mask, axis=-1)
        ends_in_mask = np.take_along_axis(in_mask, end[..., None], axis=-1)[..., 0]
        width += np.where((end > 0) & (end <= reach) & ends_in_mask, end - 0.5, np.nan)  # half a pixel past the last
    return width


def _outlines(body: BodyModel) -> tuple[np.ndarray, np.ndarray]:
    """(W, Q, 3) vertices round each section, from its centre, in its joint's frame; (W, Q, 3, 10) metres a beta."""
    joints = body.rest_joints(np.zeros(BETA_COUNT))
    points, slopes = [], []
    for tail, tip, place, owners in _SECTIONS:
        axis = joints[tip] - joints[tail]
        centre = joints[tail] + place * axis
        axis = axis / np.linalg.norm(axis)
        offsets = body.template - centre
        own = body.weights[:, list(owners)].sum(axis=1) > 0.5
        rows = np.lexsort((np.abs(offsets @ axis), ~own))[:_OUTLINE]
        points.append(offsets[rows])
        slopes.append(body.shape_directions[rows])
    return np.array(points, np.float64), np.array(slopes, np.float64)


_STEP = 1e-3
_JOINTS = np.array([section[:2] for section in _SECTIONS])
_EACH = np.arange(len(_SECTIONS))
_PLACES = np.array([section[2] for section in _SECTIONS])
