# SPDX-License-Identifier: GPL-3.0-or-later
"""Camera poses and depths of points of the place, together, from where the points are seen: a small bundle adjustment.

Points belong to a reference picture: point n lies at depth exp(d_n) on the ray of its pixel there, so that the
reference camera sees it exactly. Other views v have poses `view_from_reference`. Minimised is

    sum_vn huber(|project(R_v X_n(d_n) + t_v) - x_vn| / PIXEL_SIGMA) + sum_n ((d_n - prior_n) / sigma_n)^2

by Gauss-Newton. The predicted depths (the prior) give the scale, and all there is while the camera stands still; with
the first decimetres of motion the views say more about the shape of the place than the network does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.rotations import axis_angle_to_matrix

PIXEL_SIGMA = 0.2
"""How well a corner's position is known, pixels."""

HUBER = 2.0
"""Residuals beyond so many sigmas count by their length, no longer by their square."""

ITERATIONS = 3
"""Steps per picture; each begins with the result of the picture before."""

_LONGEST_STEP = 0.5
"""Bound of a step of a log depth, so that points without parallax do not run away."""

_DAMPING = 1e-6
"""Share of the diagonal that is added to it."""


@dataclass(frozen=True)
class Adjusted:
    """The result of :func:`adjust`."""

    view_from_reference: np.ndarray
    """(V, 4, 4)"""
    log_depth: np.ndarray
    """(N,) log of metres, in the reference view."""


def rays(pixel: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """(N, 2) pixels of a (3, 3) pinhole camera to (N, 3) directions with z = 1."""
    slopes = (pixel - camera[:2, 2]) / camera[[0, 1], [0, 1]]
    return np.column_stack([slopes, np.ones(len(pixel))])


def project(points: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """(..., 3) points in front of the camera to (..., 2) pixels; meaningless for points behind it."""
    depth = np.where(points[..., 2:] > 1e-6, points[..., 2:], np.inf)
    return points[..., :2] / depth * camera[[0, 1], [0, 1]] + camera[:2, 2]


def transform(motion: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Apply (..., 4, 4) motions to (N, 3) points: (..., N, 3)."""
    return points @ np.swapaxes(motion[..., :3, :3], -1, -2) + motion[..., None, :3, 3]


def huber_costs(residual: np.ndarray, sigma: float) -> np.ndarray:
    """(...) costs of (..., 2) residuals in pixels: squares of their lengths in sigmas, straight beyond `HUBER`."""
    length = np.linalg.norm(residual, axis=-1) / sigma
    return np.where(length < HUBER, length**2, HUBER * (2 * length - HUBER))


def huber_weights(residual: np.ndarray, sigma: float) -> np.ndarray:
    """(...) weights in 0..1 with which least squares has the minimum of `huber_costs`."""
    length = np.linalg.norm(residual, axis=-1) / sigma
    return HUBER / np.maximum(length, HUBER)


def adjust(
    view_from_reference: np.ndarray,
    log_depth: np.ndarray,
    ray: np.ndarray,
    camera: np.ndarray,
    pixel: np.ndarray,
    seen: np.ndarray,
    prior: np.ndarray,
    prior_sigma: np.ndarray,
) -> Adjusted:
    """Improve (V, 4, 4) poses and (N,) log depths of points on (N, 3) `ray` of the reference view.

    `pixel` (V, N, 2) is where the views show the points, valid where `seen` (V, N); `camera` is the (3, 3) pinhole of
    all pictures; `prior` and `prior_sigma` (N,) are log depths to stay near to.
    """
    views, points = seen.shape
    pose, depth = view_from_reference.copy(), log_depth.copy()
    focal = camera[[0, 1], [0, 1]]
    for _ in range(ITERATIONS):
        turned = (ray * np.exp(depth)[:, None]) @ np.swapaxes(pose[:, :3, :3], -1, -2)
        inside = turned + pose[:, None, :3, 3]
        valid = seen & (inside[..., 2] > 1e-3)
        z = np.where(valid, inside[..., 2], 1.0)
        residual = np.where(valid[..., None], project(np.where(valid[..., None], inside, 1.0), camera) - pixel, 0.0)
        weight = np.where(valid, huber_weights(residual, PIXEL_SIGMA), 0.0) / PIXEL_SIGMA**2
        by_point = np.zeros((views, points, 2, 3))  # the pixel's derivative by the point in the view
        by_point[..., 0, 0], by_point[..., 1, 1] = focal[0] / z, focal[1] / z
        by_point[..., 2] = -inside[..., :2] * focal / z[..., None] ** 2
        # The pose moves by a small turn about the view's own axes at the place of the reference, and a shift.
        by_pose = np.concatenate([by_point @ _cross(-turned), by_point], axis=-1)
        by_depth = np.einsum("vnij,vnj->vni", by_point, turned)

        weighted = by_pose * weight[..., None, None]
        pose_pose = np.einsum("vnia,vnib->vab", weighted, by_pose)
        pose_depth = np.einsum("vnia,vni->van", weighted, by_depth)
        depth_depth = np.einsum("vni,vni,vn->n", by_depth, by_depth, weight) + prior_sigma**-2
        pose_right = -np.einsum("vnia,vni->va", weighted, residual)
        depth_right = -np.einsum("vni,vni,vn->n", by_depth, residual, weight) - (depth - prior) / prior_sigma**2

        # Depths are eliminated (Schur complement): each belongs to one point only.
        flat = pose_depth.reshape(views * 6, points)
        reduced = -(flat / depth_depth) @ flat.T
        blocks = reduced.reshape(views, 6, views, 6)
        for view in range(views):
            blocks[view, :, view] += pose_pose[view]
        reduced[np.diag_indices(views * 6)] += _DAMPING * pose_pose[:, range(6), range(6)].ravel() + 1e-9
        step = np.linalg.solve(reduced, pose_right.ravel() - flat @ (depth_right / depth_depth))
        depth_step = (depth_right - flat.T @ step) / depth_depth
        depth += np.clip(depth_step, -_LONGEST_STEP, _LONGEST_STEP)
        step = step.reshape(views, 6)
        pose[:, :3, :3] = axis_angle_to_matrix(step[:, :3]) @ pose[:, :3, :3]
        pose[:, :3, 3] += step[:, 3:]
    return Adjusted(pose, depth)


def _cross(vector: np.ndarray) -> np.ndarray:
    """(..., 3) to the (..., 3, 3) matrices of the cross product with them."""
    x, y, z = np.moveaxis(vector, -1, 0)
    zero = np.zeros_like(x)
    return np.stack([np.stack([zero, -z, y], -1), np.stack([z, zero, -x], -1), np.stack([-y, x, zero], -1)], -2)
