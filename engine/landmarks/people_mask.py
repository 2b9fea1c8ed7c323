# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pixels show people: the masks of their crops, laid over the picture."""

from __future__ import annotations

import cv2
import numpy as np

from ..video.picture import PictureMap
from .networks.crops import to_footage
from .observations import BodyLandmarks

PERSON_PIXEL = 0.5
"""Least probability of a pixel that shows a person."""

_CORNERS = np.array([[0.5, 0.5], [1.5, 0.5], [0.5, 1.5]])
"""Centres of three neighbouring pixels of a crop: where they go says where all of them go."""


def people_mask(people: BodyLandmarks, picture_map: PictureMap) -> np.ndarray:
    """(H, W) bool of the picture of `picture_map`: what shows any of the people."""
    width, height = picture_map.network_size
    shown = np.zeros((height, width), bool)
    if not len(people):
        return shown
    size = people.mask.shape[-1]
    for mask, matrix in zip(people.mask.astype(np.float32), _crop_to_picture(people, size, picture_map), strict=True):
        shown |= cv2.warpAffine(mask, matrix, (width, height), flags=cv2.INTER_LINEAR) > PERSON_PIXEL
    return shown


def _crop_to_picture(people: BodyLandmarks, size: int, picture_map: PictureMap) -> np.ndarray:
    """(n, 2, 3) from a crop's pixels to the picture's, integers on the centres of both."""
    places = to_footage(people.crop, size, np.tile(_CORNERS, (len(people), 1, 1)))
    placed = (places + 0.5) * picture_map.scale - picture_map.crop_corner - 0.5
    along_x, along_y = placed[:, 1] - placed[:, 0], placed[:, 2] - placed[:, 0]
    return np.stack([along_x, along_y, placed[:, 0]], axis=-1)
