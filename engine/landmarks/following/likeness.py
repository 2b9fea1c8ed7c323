# SPDX-License-Identifier: GPL-3.0-or-later
"""How far two sightings show the same person at the same place: keypoints, boxes, landmarks against a detection."""

from __future__ import annotations

import numpy as np

from ..observations import LANDMARKS_OF_KEYPOINTS, BodyLandmarks

COCO_SIGMAS = np.array(
    [
        0.026,
        0.025,
        0.025,
        0.035,
        0.035,
        0.079,
        0.079,
        0.072,
        0.072,
        0.062,
        0.062,
        0.107,
        0.107,
        0.087,
        0.087,
        0.089,
        0.089,
    ]
)
"""(17,) how exactly people note each keypoint, as a share of a person's size (COCO's own numbers)."""

MIRRORED = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
"""(17,) which keypoint each one is if left and right are exchanged."""

SEEN = 0.2
"""Score from which a keypoint counts as seen."""

_LEAST_SEEN = 3
"""With fewer keypoints that both have seen, all of them are compared."""

_AGREEMENT_SIGMA = 0.12
"""Distance of landmark and keypoint, as a share of the person's size, at which their agreement is 0.6."""

_POINTS_SIGMA = 0.1
"""Distance of two bodies' points, as a share of their size, at which their similarity is 0.6."""

_FACE_WEIGHT = 0.5
"""Of the keypoints 0..4: five of 17 lie on the face, which is the smaller part of a body."""


def sizes(box_px: np.ndarray) -> np.ndarray:
    """(..., 4) boxes -> (...) sizes in pixels: the root of their area, at least 1."""
    edges = box_px[..., 2:] - box_px[..., :2]
    return np.sqrt(np.maximum(edges.prod(axis=-1), 1.0))


def keypoint_similarity(
    first_px: np.ndarray,
    first_score: np.ndarray,
    second_px: np.ndarray,
    second_score: np.ndarray,
    size: float,
    tolerance: float,
) -> float:
    """Mean similarity, 0..1, of the keypoints (k, 2) that both have seen (k = 17).

    ``size`` is that of the person in pixels; ``tolerance`` widens COCO's sigmas for the motion between two frames.
    """
    both = (first_score > SEEN) & (second_score > SEEN)
    if both.sum() < _LEAST_SEEN:
        both = np.ones_like(both)
    squared = ((first_px - second_px) ** 2).sum(axis=-1)
    sigma = 2 * COCO_SIGMAS * tolerance * size
    return float(np.exp(-squared[both] / (2 * sigma[both] ** 2)).mean())


def area(box_px: np.ndarray) -> float:
    """Of one box (4,), in square pixels, never 0."""
    return float(np.maximum(box_px[2:] - box_px[:2], 1.0).prod())


def common_area(first_px: np.ndarray, second_px: np.ndarray) -> float:
    """Of two boxes (4,), in square pixels."""
    edges = np.minimum(first_px[2:], second_px[2:]) - np.maximum(first_px[:2], second_px[:2])
    return float(np.maximum(edges, 0.0).prod())


def box_overlap(first_px: np.ndarray, second_px: np.ndarray) -> float:
    """Intersection over union of two boxes (4,)."""
    common = common_area(first_px, second_px)
    return common / (area(first_px) + area(second_px) - common)


def covered_share(first_px: np.ndarray, second_px: np.ndarray) -> float:
    """How much of the smaller of two boxes (4,) lies in the other."""
    return common_area(first_px, second_px) / min(area(first_px), area(second_px))


def keypoints_of(landmarks: BodyLandmarks) -> tuple[np.ndarray, np.ndarray]:
    """The detector's keypoints as the landmarks have them: (n, 17, 2) pixels and (n, 17) visibility."""
    chosen = list(LANDMARKS_OF_KEYPOINTS)
    return landmarks.point_px[:, chosen], landmarks.visibility[:, chosen]


def agreement(landmark_px: np.ndarray, keypoint_px: np.ndarray, keypoint_score: np.ndarray) -> float:
    """How well a person's landmarks, those that are keypoints (17, 2), lie on a detection's keypoints (17, 2): 0..1.

    Of one person and seen the same way round it is 0.7 and more; of a bottle that both take for somebody, it is not.
    """
    extent = np.sqrt(np.ptp(keypoint_px, axis=0).prod()) + 1e-6
    away = np.linalg.norm(landmark_px - keypoint_px, axis=1) / extent
    weight = (keypoint_score > SEEN).astype(np.float64)
    weight[:5] *= _FACE_WEIGHT
    return float((weight * np.exp(-(away**2) / (2 * _AGREEMENT_SIGMA**2))).sum() / max(weight.sum(), 1e-6))


def points_similarity(first_px: np.ndarray, second_px: np.ndarray) -> float:
    """How far two bodies' points (k, 2) lie at the same places: 0..1."""
    size = np.sqrt(np.ptp(first_px, axis=0).prod()) + 1e-6
    away = np.linalg.norm(first_px - second_px, axis=1) / size
    return float(np.exp(-(away**2) / (2 * _POINTS_SIGMA**2)).mean())
