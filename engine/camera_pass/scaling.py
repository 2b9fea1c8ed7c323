# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames scaled down to the size that a pass looks at: picture, camera and people alike."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..contract.messages import Frame, unpack_mask
from ..stages.place_depth import people_with_bones


@dataclass(frozen=True)
class Scaling:
    """From the footage's pixels to those of smaller pictures. Both sides are rounded to whole pixels, one by one."""

    footage_size: tuple[int, int]
    """Width and height."""
    size: tuple[int, int]
    """Width and height of the smaller pictures."""

    @classmethod
    def to_long_side(cls, footage_size: tuple[int, int], long_side: int) -> Scaling:
        """Scale the long side to so many pixels, or leave a smaller footage as it is."""
        share = min(1.0, long_side / max(footage_size))
        width, height = (max(1, round(side * share)) for side in footage_size)
        return cls(footage_size, (width, height))

    @property
    def share(self) -> np.ndarray:
        """(2,) small pixels for each pixel of the footage, in x and in y."""
        return np.array(self.size, np.float64) / self.footage_size

    def camera(self, focal_px: float, principal_point_px: np.ndarray) -> np.ndarray:
        """The (3, 3) pinhole of the small pictures, from focal length and principal point in footage pixels."""
        (fx, fy), (cx, cy) = focal_px * self.share, (np.asarray(principal_point_px) + 0.5) * self.share - 0.5
        return np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])

    def picture(self, rgb: np.ndarray) -> np.ndarray:
        """The (height, width, ...) uint8 picture of one of the footage, in color or grey."""
        if (rgb.shape[1], rgb.shape[0]) == self.size:
            return rgb
        return np.asarray(cv2.resize(rgb, self.size, interpolation=cv2.INTER_AREA))

    def people(self, frame: Frame, joints: np.ndarray) -> np.ndarray:
        """(height, width) bool what shows people: the frame's mask, and the bones of its (n, 55, 3) joints, grown."""
        left, top, right, bottom = frame.mask_box_px
        pixel = 1.0 / self.share  # of the small picture, in the footage
        cell = np.array([right - left, bottom - top]) / frame.mask_size  # of the mask, in the footage
        start = (0.5 * pixel - 0.5 - (left, top)) / cell - 0.5
        to_mask = np.array([[pixel[0] / cell[0], 0.0, start[0]], [0.0, pixel[1] / cell[1], start[1]]])
        how = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        mask = cv2.warpAffine(
            unpack_mask(frame).astype(np.uint8), to_mask, self.size, flags=how, borderMode=cv2.BORDER_REPLICATE
        )
        camera = self.camera(frame.focal_px, frame.principal_point_px)
        return np.asarray(people_with_bones(mask, joints, camera) > 0)
