# SPDX-License-Identifier: GPL-3.0-or-later
"""The surroundings of a clip with known depth: what is to be seen of them, what scene points show, and the parallax."""

from __future__ import annotations

import cv2
import numpy as np

from ...contract.messages import Frame
from ...ground_truth import ClipTruth

FARTHEST_M = 25.0
"""Surroundings farther away are not looked at: scene points are not made of them either."""

_LEAST_RADIUS_PX, _GREATEST_RADIUS_PX = 1, 24
_NEAREST_M = 0.05
_SAMPLES, _SAMPLED_FRAMES = 400, 5
_SAME_DEPTH = 0.05


def surroundings(truth: ClipTruth, row: int) -> np.ndarray:
    """(h, w) true depth in meters where a frame shows surroundings up to `FARTHEST_M`; 0 elsewhere."""
    assert truth.depth_m is not None and truth.person_mask is not None
    depth = truth.depth_m[row]
    wanted = np.isfinite(depth) & (depth > 0) & (depth <= FARTHEST_M) & (truth.person_mask[row] == 0)
    return np.where(wanted, depth, 0.0)


def points_seen(points: np.ndarray, frame: Frame, shape: tuple[int, ...], size_m: float) -> np.ndarray:
    """(h, w) depth of the nearest of (P, 3) world points at each pixel, seen by the frame's camera; inf without any.

    A point is a disc of `size_m` across, and of three pixels at least.
    """
    pose = np.asarray(frame.world_from_camera, dtype=np.float64)
    in_camera = (points - pose[:3, 3]) @ pose[:3, :3]
    in_camera = in_camera[in_camera[:, 2] > _NEAREST_M]
    depth = in_camera[:, 2]
    pixels = np.rint(frame.focal_px * in_camera[:, :2] / depth[:, None] + frame.principal_point_px)
    radius = np.rint(0.5 * frame.focal_px * size_m / depth).clip(_LEAST_RADIUS_PX, _GREATEST_RADIUS_PX).astype(int)
    height, width = shape
    seen = np.full((height, width), np.inf, dtype=np.float32)
    for wide in np.unique(radius):
        margin = int(wide)
        column, row = (pixels[radius == wide] + margin).T
        inside = (column >= 0) & (column < width + 2 * margin) & (row >= 0) & (row < height + 2 * margin)
        nearest = np.full((height + 2 * margin, width + 2 * margin), np.inf, dtype=np.float32)
        where = (row[inside].astype(int), column[inside].astype(int))
        np.minimum.at(nearest, where, depth[radius == wide][inside].astype(np.float32))
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1, 2 * margin + 1))
        np.minimum(seen, cv2.erode(nearest, disc)[margin:-margin, margin:-margin], out=seen)
    return seen


def ray_angle_deg(truth: ClipTruth) -> float:
    """Median over points of the surroundings of the largest angle under which one is seen: what parallax there is.

    The points are pixels spread over five frames; each is seen wherever it is in the frame and nothing hides it.
    """
    points = _sampled_points(truth)
    rays = np.full((len(truth), len(points), 3), np.nan)
    for row in range(len(truth)):
        pose = truth.world_from_camera[row]
        towards = points - pose[:3, 3]
        seen = _is_seen(towards @ pose[:3, :3], truth, row)
        rays[row, seen] = towards[seen] / np.linalg.norm(towards[seen], axis=-1, keepdims=True)
    # The chord keeps its precision at small angles, where the cosine loses it.
    chords = np.zeros(len(points))
    for row in range(len(truth)):
        chord = np.linalg.norm(rays - rays[row], axis=-1)
        chords = np.fmax(chords, np.nanmax(np.where(np.isfinite(chord), chord, 0.0), axis=0))
    return float(np.degrees(np.median(2.0 * np.arcsin(0.5 * chords)))) if len(points) else 0.0


def _sampled_points(truth: ClipTruth) -> np.ndarray:
    """(P, 3) world points."""
    found = []
    for row in np.unique(np.linspace(0, len(truth) - 1, _SAMPLED_FRAMES).astype(int)):
        depth = surroundings(truth, row)
        rows, columns = np.nonzero(depth)
        chosen = slice(None, None, max(1, len(rows) * _SAMPLED_FRAMES // _SAMPLES))
        pixels = np.stack([columns[chosen], rows[chosen]], axis=-1)
        z = depth[rows[chosen], columns[chosen]][:, None]
        across = (pixels - truth.principal_point_px[row]) / truth.focal_px[row] * z
        pose = truth.world_from_camera[row]
        found.append(np.concatenate([across, z], axis=-1) @ pose[:3, :3].T + pose[:3, 3])
    return np.concatenate(found)


def _is_seen(in_camera: np.ndarray, truth: ClipTruth, row: int) -> np.ndarray:
    """(P,) bool: which of (P, 3) points in a frame's camera frame are in the frame and not hidden."""
    assert truth.depth_m is not None
    height, width = truth.depth_m.shape[1:]
    z = np.maximum(in_camera[:, 2], _NEAREST_M)
    pixels = np.rint(truth.focal_px[row] * in_camera[:, :2] / z[:, None] + truth.principal_point_px[row]).astype(int)
    inside = (in_camera[:, 2] > _NEAREST_M) & ((pixels >= 0) & (pixels < (width, height))).all(axis=-1)
    column, line = pixels.clip(0, (width - 1, height - 1)).T
    return inside & (np.abs(truth.depth_m[row, line, column] / z - 1.0) < _SAME_DEPTH)
