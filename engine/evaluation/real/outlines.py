# SPDX-License-Identifier: GPL-3.0-or-later
"""How well the outline of the bodies covers the people, as the take's own mask shows them."""

from __future__ import annotations

import cv2
import numpy as np

from ...contract.body_model import BodyModel
from ...contract.messages import Frame, unpack_mask
from ...contract.rotations import axis_angle_to_matrix

_SHIFT = 4
"""Bits after the point of the coordinates that triangles are drawn with."""


def outline_overlap(frame: Frame, body: BodyModel) -> float | None:
    """Intersection over union of all bodies' outlines and the mask of all people; None without either."""
    mask, drawn = unpack_mask(frame), outline(frame, body)
    return float((drawn & mask).sum() / (drawn | mask).sum()) if drawn.any() and mask.any() else None


def outline(frame: Frame, body: BodyModel) -> np.ndarray:
    """(H, W) bool, the mask that the bodies of a frame would have."""
    width, height = frame.mask_size
    drawn = np.zeros((height, width), np.uint8)
    left, top, right, bottom = frame.mask_box_px
    scale = np.array([width / (right - left), height / (bottom - top)])
    for vertices in _vertices(frame, body):
        pixels = frame.focal_px * vertices[:, :2] / vertices[:, 2:] + frame.principal_point_px
        places = (pixels - (left, top)) * scale - 0.5
        if (vertices[:, 2] > 0).all() and np.abs(places).max() < 1e4:
            for triangle in np.round(places * (1 << _SHIFT)).astype(np.int32)[body.faces]:
                cv2.fillConvexPoly(drawn, triangle, 1, shift=_SHIFT)
    return drawn > 0


def _vertices(frame: Frame, body: BodyModel) -> np.ndarray:
    """(people, V, 3) camera frame."""
    rest = body.rest_joints(frame.betas, frame.expression)
    shaped = body.rest_vertices(frame.betas, frame.expression)
    return body.skin(shaped, axis_angle_to_matrix(frame.pose_axis_angle), rest, frame.translation)
