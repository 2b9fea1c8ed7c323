# SPDX-License-Identifier: GPL-3.0-or-later
"""Turned squares cut out of a frame, and where a place in one lies in the other.

A place *in a crop* is given in its pixels from its left and upper edge, as the networks give it: the centre of the
top-left pixel is at (0.5, 0.5), and the crop's middle at half its size. A place *in the frame* is in the footage's
pixels, where the centre of the top-left pixel is at (0, 0).
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from ..observations import BodyLandmarks, Crops, Detections

_ALIASING = 2.0
"""Bilinear sampling sees all pixels as long as a step is not longer than this. What is larger is shrunk before, to
twice the size of the crop."""
_MARGIN = 2
"""Pixels round the shrunk cut-out, so that sampling never blends its own edge with black."""

_HIPS, _EXTENT = 33, 34
"""Landmarks: the middle of the hips, and a point straight above it at the edge of a circle round the person."""

_ROOM = 1.25
"""A crop's half side, in radii of that circle."""

_SHOULDERS, _HIP_KEYPOINTS, _ANKLES = [5, 6], [11, 12], [15, 16]
"""The detector's keypoints."""

_SEEN = 0.2
"""Score from which a keypoint counts."""

_HIPS_SEEN = 0.15
"""Below this score of both, the hips are guessed from the shoulders: straight below them in the frame..."""

_TORSO = 1.4
"""...at so many widths of the shoulders."""

_BEYOND_KEYPOINTS = 1.12
"""Feet, hands and the top of the head reach beyond the farthest keypoint."""

_LEAST, _LEAST_WITHOUT_ANKLES = 1.7, 1.9
"""Radius of a person in lengths of the torso at least: legs that nobody saw have to fit in, too."""

_KEYPOINT_ROOM = 1.12
"""A crop's half side, in such radii."""


def cut(rgb: np.ndarray, crops: Crops, size: int) -> np.ndarray:
    """(n, size, size, 3) uint8 cut out of a frame (h, w, 3) uint8; black where a crop reaches out of the frame."""
    made = np.zeros((len(crops), size, size, 3), np.uint8)
    known = np.isfinite(np.column_stack([crops.centre_px, crops.side_px, crops.angle])).all(1) & (crops.side_px > 0)
    for index in np.nonzero(known)[0]:
        matrix = _crop_to_frame(crops.select(np.array([index])), size)[0]
        _cut_one(rgb, matrix, crops.side_px[index] / size, made[index])
    return made


def to_footage(crops: Crops, size: int, points: np.ndarray) -> np.ndarray:
    """(n, ..., 2) places in crops of `size` pixels -> places in the frame."""
    turn, centre, scale = _placement(crops, size, np.ndim(points))
    return np.einsum("nij,n...j->n...i", turn, (points - size / 2) * scale) + centre


def from_footage(crops: Crops, size: int, points: np.ndarray) -> np.ndarray:
    """(n, ..., 2) places in the frame -> places in crops of `size` pixels. The inverse of :func:`to_footage`."""
    turn, centre, scale = _placement(crops, size, np.ndim(points))
    return np.einsum("nji,n...j->n...i", turn, points - centre) / scale + size / 2


def crops_from_landmarks(landmarks: BodyLandmarks) -> Crops:
    """Where to look for the same people in the next frame."""
    hips, extent = landmarks.point_px[:, _HIPS], landmarks.point_px[:, _EXTENT]
    return _crops(hips, extent - hips, 2 * _ROOM * np.linalg.norm(extent - hips, axis=-1))


def crops_from_keypoints(detections: Detections) -> Crops:
    """Where to look for people that the detector has found: round the hips, the shoulders straight above them."""
    points, seen = detections.keypoint_px, detections.keypoint_score > _SEEN
    shoulders = points[:, _SHOULDERS].mean(1)
    hips = np.where(_hips_seen(detections), points[:, _HIP_KEYPOINTS].mean(1), shoulders + _guessed_torso(points))
    torso = np.linalg.norm(shoulders - hips, axis=-1)
    counted = seen | ~seen.any(1, keepdims=True)
    farthest = np.where(counted, np.linalg.norm(points - hips[:, None], axis=-1), 0).max(1)
    least = np.where(seen[:, _ANKLES].any(1), _LEAST, _LEAST_WITHOUT_ANKLES) * torso
    radius = np.maximum(farthest * _BEYOND_KEYPOINTS, least)
    return _crops(hips, shoulders - hips, 2 * radius * _KEYPOINT_ROOM)


def turns(crops: Crops) -> np.ndarray:
    """(n, 2, 2) rotations from a crop's directions to the frame's."""
    cosine, sine = np.cos(crops.angle), np.sin(crops.angle)
    return np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)


def _placement(crops: Crops, size: int, dimensions: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turns (n, 2, 2); centres (n, ..., 2) and frame pixels per crop pixel (n, ..., 1), to fit arrays of points."""
    between = (1,) * (dimensions - 2)
    centre = np.reshape(crops.centre_px, (-1, *between, 2))
    return turns(crops), centre, np.reshape(crops.side_px / size, (-1, *between, 1))


def _crop_to_frame(crops: Crops, size: int) -> np.ndarray:
    """(n, 2, 3) from the centre of a crop's pixel (column, row) to a place in the frame."""
    linear = turns(crops) * (crops.side_px / size)[:, None, None]
    middle = np.full(2, (size - 1) / 2)
    return np.concatenate([linear, (crops.centre_px - linear @ middle)[..., None]], -1)


def _cut_one(rgb: np.ndarray, matrix: np.ndarray, step: float, made: np.ndarray) -> None:
    size = len(made)
    if step > _ALIASING:
        shrunk = _shrunk(rgb, matrix, size, step)
        if shrunk is None:
            return
        rgb, matrix = shrunk
    cv2.warpAffine(
        rgb,
        matrix,
        (size, size),
        dst=made,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )


def _shrunk(rgb: np.ndarray, matrix: np.ndarray, size: int, step: float) -> tuple[np.ndarray, np.ndarray] | None:
    """The part of the frame that the crop shows, at twice the crop's size, and `matrix` into it; nothing if it shows
    none of the frame."""
    corners = matrix @ np.array([[-0.5, size - 0.5, size - 0.5, -0.5], [-0.5, -0.5, size - 0.5, size - 0.5], [1] * 4])
    margin = math.ceil(_MARGIN * step)
    height, width = rgb.shape[:2]
    left, top = (max(math.floor(low) - margin, 0) for low in corners.min(1))
    right, bottom = (
        min(math.ceil(high) + margin + 1, side) for high, side in zip(corners.max(1), (width, height), strict=True)
    )
    if right <= left or bottom <= top:
        return None
    part = rgb[top:bottom, left:right]
    sides = [max(round(side * 2 / step), 1) for side in (right - left, bottom - top)]
    small = cv2.resize(part, sides, interpolation=cv2.INTER_AREA)
    # Pixels are areas: from the place in the frame by way of the edges to the centres of the shrunk pixels.
    scale = np.array(sides) / (right - left, bottom - top)
    into = matrix * scale[:, None]
    into[:, 2] += (0.5 - np.array([left, top])) * scale - 0.5
    return small, into


def _hips_seen(detections: Detections) -> np.ndarray:
    return detections.keypoint_score[:, _HIP_KEYPOINTS].max(1, keepdims=True) >= _HIPS_SEEN


def _guessed_torso(points: np.ndarray) -> np.ndarray:
    width = np.linalg.norm(points[:, _SHOULDERS[0]] - points[:, _SHOULDERS[1]], axis=-1)
    return np.stack([np.zeros_like(width), _TORSO * width], -1)


def _crops(centre: np.ndarray, up: np.ndarray, side: np.ndarray) -> Crops:
    return Crops(centre_px=centre, side_px=np.maximum(side, 1.0), angle=np.arctan2(up[:, 0], -up[:, 1]))
