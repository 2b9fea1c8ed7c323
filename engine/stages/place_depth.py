# SPDX-License-Identifier: GPL-3.0-or-later
"""Depth of the static place at every pixel of the picture that the camera is tracked on: people are left out."""

from __future__ import annotations

import cv2
import numpy as np

from ..contract.skeleton import BODY_JOINT_COUNT, PARENTS

LIMB_M = 0.12
"""Half the thickness that is left out around a person's bones: the mask alone misses limbs."""

_MARGIN = 1 / 64
"""Share of the long side around people that is left out too: outlines mix them with the place."""

_NEAREST_M = 0.1
"""People of whom a joint is nearer, or behind the camera, are left to the mask."""


def place_depth(
    depth: np.ndarray, people_mask: np.ndarray, joints: np.ndarray, camera: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """(H, W) predicted depths to the tracking picture's `size` (width, height); NaN for people and what is not known.

    `people_mask` is (H, W) bool; `joints` (n, 55, 3) are the people found, camera frame, metres; `camera` (3, 3) is the
    tracking picture's pinhole. Returns (height, width) float32.
    """
    with np.errstate(invalid="ignore"):
        known = np.where((depth > 0) & np.isfinite(depth), depth, np.nan).astype(np.float32)
    placed = cv2.resize(known, size, interpolation=cv2.INTER_LINEAR)
    people = cv2.resize(people_mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    placed[people_with_bones(people, joints, camera) > 0] = np.nan
    return placed


def people_with_bones(people: np.ndarray, joints: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """(h, w) uint8, 1 where people are: their mask `people` (h, w), limbs about their bones, and a margin around both.

    `joints` (n, 55, 3) and `camera` (3, 3) as in :func:`place_depth`; `people` is drawn into.
    """
    for body in joints[:, :BODY_JOINT_COUNT]:
        if not body[:, 2].min() > _NEAREST_M:
            continue
        # Far outside the picture a line is as good as one at its border, and OpenCV counts pixels in 16 bits.
        pixel = np.round((body[:, :2] / body[:, 2:]) @ camera[:2, :2].T + camera[:2, 2]).clip(-8191, 8191).astype(int)
        thickness = max(2, round(2 * LIMB_M * camera[0, 0] / body[:, 2].mean()))
        for joint in range(1, BODY_JOINT_COUNT):
            cv2.line(people, pixel[joint].tolist(), pixel[PARENTS[joint]].tolist(), 1, min(thickness, 255))
    margin = max(1, round(max(people.shape) * _MARGIN))
    return cv2.dilate(people, np.ones((2 * margin + 1,) * 2, np.uint8))
