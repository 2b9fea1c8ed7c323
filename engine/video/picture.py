# SPDX-License-Identifier: GPL-3.0-or-later
"""The network's picture: scaled and cropped from the footage, and the way back from its pixels to the footage's.

Pixel coordinates are (x, y). "Centres" puts integers on pixel centres, as the contract and the network's intrinsics do;
"edges" puts (0, 0) on the top-left corner of the picture, as the detector does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..contract.errors import UserError

TRACKING_SIDE = 512
"""Longest side of the pictures that the camera is tracked on, pixels."""


@dataclass(frozen=True)
class PictureMap:
    """How the network's pictures are cut from a footage; made once by `plan` for all pictures of one size.

    The footage is scaled to `scaled_size`, then the box of `network_size` at `crop_corner` is cut out. Both sides are
    rounded to whole pixels one by one, so the two scales differ by up to half a pixel over the picture. The contract's
    camera has one focal length. It takes the horizontal one, and `onto_footage_rays` moves points up or down by as
    much as it takes to lie on the rays of the footage's true pixels:

        u_footage = (u + 0.5 + left) / sx - 0.5,   v_footage = (v + 0.5 + top) / sy - 0.5
        u = f X/Z + cx, v = f Y/Z + cy   =>   focal_px = f / sx,   Y' = Y sx / sy
    """

    footage_size: tuple[int, int]
    """Width and height of the footage."""
    scaled_size: tuple[int, int]
    """Width and height after scaling, before the crop."""
    crop_corner: tuple[int, int]
    """Left and top of the crop in the scaled picture."""
    network_size: tuple[int, int]
    """Width and height of the network's picture."""

    @classmethod
    def plan(cls, footage_size: tuple[int, int], long_side: int = 512, patch_size: int = 16) -> PictureMap:
        """Scale the long side to `long_side`, then centre-crop to whole patches; a square is cut to 4:3.

        Raises UserError (``footage-too-narrow``) when less than a patch is left of the short side.
        """
        longest = max(footage_size)
        # round() rounds half to even, as the training data's preparation did
        width, height = (round(side * long_side / longest) for side in footage_size)
        centre_x, centre_y = width // 2, height // 2
        cut_width = 2 * centre_x // patch_size * patch_size
        cut_height = 2 * centre_y // patch_size * patch_size
        if width == height:
            cut_height = 3 * cut_width // 4 // patch_size * patch_size
        if cut_width == 0 or cut_height == 0:
            raise UserError(
                "footage-too-narrow",
                "Footage of {width}x{height} pixels is too narrow: scaled to a long side of {long_side} pixels, its "
                "short side has fewer than {patch_size}.",
                "Crop the footage to an aspect ratio below 30:1.",
                width=footage_size[0],
                height=footage_size[1],
                long_side=long_side,
                patch_size=patch_size,
            )
        corner = centre_x - cut_width // 2, centre_y - cut_height // 2
        return cls((footage_size[0], footage_size[1]), (width, height), corner, (cut_width, cut_height))

    @classmethod
    def whole(cls, footage_size: tuple[int, int], long_side: int) -> PictureMap:
        """Scale the long side to `long_side`, or leave a smaller footage as it is, and cut nothing off."""
        share = min(1.0, long_side / max(footage_size))
        width, height = (max(1, round(side * share)) for side in footage_size)
        return cls((footage_size[0], footage_size[1]), (width, height), (0, 0), (width, height))

    @property
    def scale(self) -> np.ndarray:
        """(2,) network pixels per footage pixel, in x and in y."""
        return np.array(self.scaled_size, np.float64) / np.array(self.footage_size, np.float64)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of what the network sees, in footage pixels (centres; the corner is -0.5)."""
        left, top = self.edges_to_footage(np.zeros(2))
        right, bottom = self.edges_to_footage(np.array(self.network_size))
        return float(left), float(top), float(right), float(bottom)

    def centres_to_footage(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) network pixels with integers on the centres to footage pixels, float64."""
        return self.edges_to_footage(np.asarray(points, np.float64) + 0.5)

    def edges_to_footage(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) network pixels with (0, 0) on the corner to footage pixels, float64."""
        return (np.asarray(points, np.float64) + self.crop_corner) / self.scale - 0.5

    def pixel_grid(self) -> np.ndarray:
        """(H, W, 2) float32: where in the footage the centre of each network pixel lies."""
        width, height = self.network_size
        columns, rows = np.meshgrid(np.arange(width), np.arange(height))
        return self.centres_to_footage(np.stack([columns, rows], axis=-1)).astype(np.float32)

    def focal_to_footage(self, focal: float) -> float:
        """Focal length in network pixels to footage pixels."""
        return float(focal / self.scale[0])

    def principal_point(self) -> np.ndarray:
        """(2,) principal point in footage pixels: pixel (W // 2, H // 2) of the network's picture."""
        width, height = self.network_size
        return self.centres_to_footage(np.array([width // 2, height // 2]))

    @property
    def tracking_size(self) -> tuple[int, int]:
        """Width and height of the grey pictures that the camera is tracked on: of the footage's resolution as far as
        :data:`TRACKING_SIDE` allows, since small motions show there and not in a small network's picture."""
        left, top, right, bottom = self.box
        scale = min(1.0, TRACKING_SIDE / max(right - left, bottom - top))
        return round((right - left) * scale), round((bottom - top) * scale)

    def tracking_camera(self, focal_px: float, principal_point_px: np.ndarray) -> np.ndarray:
        """The (3, 3) pinhole of the tracking picture, from focal length and principal point in footage pixels."""
        left, top, right, bottom = self.box
        scale = np.array(self.tracking_size) / (right - left, bottom - top)
        centre = (np.asarray(principal_point_px) - (left, top)) * scale - 0.5
        return np.array([[focal_px * scale[0], 0.0, centre[0]], [0.0, focal_px * scale[1], centre[1]], [0.0, 0.0, 1.0]])

    def onto_footage_rays(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) points in the network's camera frame to the contract's: y takes up the difference of the scales."""
        points = np.array(points)
        points[..., 1] *= self.scale[0] / self.scale[1]
        return points


def prepare_frame(rgb: np.ndarray, picture_map: PictureMap) -> np.ndarray:
    """Scale and crop one picture for the network: (h, w, 3) uint8 of the footage's size to (H, W, 3) uint8.

    Lanczos when shrinking and bicubic otherwise, with Pillow's filters: the training data went through them.
    """
    shrinking = max(picture_map.footage_size) > max(picture_map.scaled_size)
    method = Image.Resampling.LANCZOS if shrinking else Image.Resampling.BICUBIC
    scaled = np.asarray(Image.fromarray(rgb).resize(picture_map.scaled_size, method))
    (left, top), (width, height) = picture_map.crop_corner, picture_map.network_size
    return scaled[top : top + height, left : left + width].copy()


def tracking_picture(rgb: np.ndarray, picture_map: PictureMap) -> np.ndarray:
    """What the network sees of one picture, (h, w, 3) uint8 of the footage's size, as grey of the tracking size."""
    left, top, right, bottom = (edge + 0.5 for edge in picture_map.box)  # Pillow counts from the corner
    grey = Image.fromarray(rgb).convert("L")
    return np.array(grey.resize(picture_map.tracking_size, Image.Resampling.BILINEAR, (left, top, right, bottom)))
