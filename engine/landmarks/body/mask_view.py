# SPDX-License-Identifier: GPL-3.0-or-later
"""Where places of the frame lie in the masks of people, and back. m rows, `...` any number of points."""

from __future__ import annotations

import numpy as np

from ..observations import Crops

MASK_SIZE = 256

INSIDE_MASK = 0.5
"""From here on a pixel of the mask shows the person."""


class MaskView:
    """The masks of (m,) crops. A place in a mask is in its pixels from its left and upper edge."""

    def __init__(self, crops: Crops) -> None:
        self._centre = crops.centre_px[:, None]
        self.scale = MASK_SIZE / crops.side_px
        """(m,) pixels of the mask in one of the frame."""
        cosine, sine = np.cos(crops.angle), np.sin(crops.angle)
        self._turn = np.moveaxis(np.array([[cosine, -sine], [sine, cosine]]), -1, 0)

    def places(self, pixels: np.ndarray) -> np.ndarray:
        """(m, P, 2) pixels of the frame to places in the masks."""
        return ((pixels - self._centre) @ self._turn) * self.scale[:, None, None] + MASK_SIZE / 2

    def pixels(self, places: np.ndarray) -> np.ndarray:
        """(m, P, 2) places in the masks to pixels of the frame."""
        return self.directions((places - MASK_SIZE / 2) / self.scale[:, None, None]) + self._centre

    def directions(self, directions: np.ndarray) -> np.ndarray:
        """(m, P, 2) directions in the masks to those in the frame."""
        return directions @ self._turn.swapaxes(-1, -2)
