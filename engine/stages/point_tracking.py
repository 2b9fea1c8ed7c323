# SPDX-License-Identifier: GPL-3.0-or-later
"""Corners of a picture, and where they are in another one (pyramidal Lucas-Kanade, checked forth and back).

Pictures are (h, w) uint8 grey, pixels are (x, y) with the centre of the top-left one at (0, 0).
"""

from __future__ import annotations

import cv2
import numpy as np

WINDOW_PX = 11
"""Edge of the window that is compared."""

FINE_LEVELS, COARSE_LEVELS = 2, 3
"""Times that the pictures are halved: from a good guess, and from none."""

FORTH_AND_BACK_PX = 0.5
"""A point that does not come back to within so many pixels was lost."""

_CORNER_QUALITY = 0.01
"""Least strength of a corner, as a share of the strongest one's."""

_LIGHT_SHARE = 1 / 8
"""Share of the long side over which light is evened out."""

_DARK = 8.0
"""Grey below which differences are rather noise than texture."""

_CONTRAST = 120.0
"""Grey levels per natural logarithm of brightness."""

_LOGARITHM = np.log(np.arange(256, dtype=np.float32) + np.float32(_DARK))
"""Brightness of each grey, as a natural logarithm."""

_SMALL_SIGMA = 8.0
"""Pixels of a sigma on the reduced picture that is blurred."""

_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 0.003)


def even_light(grey: np.ndarray) -> np.ndarray:
    """The picture's detail alone: brightness relative to the surroundings, so that a lamp that dims moves nothing."""
    brightness = _LOGARITHM[grey]
    detail = brightness - _blurred(brightness, max(grey.shape) * _LIGHT_SHARE)
    return cv2.convertScaleAbs((128 + _CONTRAST * detail).clip(0, 255))


def _blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    """The same as a Gaussian blur of the whole picture to a grey level or two: so wide a blur needs no fine pixels."""
    height, width = picture.shape
    step = max(1, int(sigma / _SMALL_SIGMA))
    small = cv2.resize(picture, (-(-width // step), -(-height // step)), interpolation=cv2.INTER_AREA)
    border = cv2.BORDER_REFLECT if step > 1 else cv2.BORDER_REFLECT_101
    small = cv2.GaussianBlur(small, (0, 0), sigma / step, borderType=border)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def corner_gap(picture: np.ndarray) -> int:
    """Least distance of two corners in pixels."""
    return max(3, max(picture.shape) // 40)


def well_inside(free: np.ndarray) -> np.ndarray:
    """(h, w) uint8, 1 where a corner's whole neighbourhood is in `free` (h, w) bool."""
    return cv2.erode(free.astype(np.uint8), np.ones((5, 5), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)


def corners(picture: np.ndarray, usable: np.ndarray, most: int) -> np.ndarray:
    """The (N, 2) strongest corners where `usable` (h, w) is true, at most `most`, spread over the picture."""
    found = None
    if most > 0:
        found = cv2.goodFeaturesToTrack(
            picture, most, _CORNER_QUALITY, corner_gap(picture), mask=usable.astype(np.uint8)
        )
    return np.empty((0, 2)) if found is None else found.reshape(-1, 2).astype(np.float64)


def follow(
    first: np.ndarray, second: np.ndarray, pixel: np.ndarray, guess: np.ndarray, levels: int
) -> tuple[np.ndarray, np.ndarray]:
    """Where (N, 2) points of the first picture are in the second, searched from a guess; and (N,) whether found."""
    start = pixel.astype(np.float32)
    height, width = second.shape
    forth, there = _search(first, second, start, guess.astype(np.float32), levels)
    back, here = _search(second, first, forth, start - guess.astype(np.float32) + forth, levels)
    found = there & here & (np.linalg.norm(back - start, axis=-1) < FORTH_AND_BACK_PX)
    found &= (forth >= 0).all(axis=-1) & (forth <= (width - 1, height - 1)).all(axis=-1)
    return forth.astype(np.float64), found


def nearest(pixel: np.ndarray, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the raster cells that (N, 2) pixels lie in; those outside are moved to the border."""
    cell = np.round(np.nan_to_num(pixel)).clip(0, (picture.shape[1] - 1, picture.shape[0] - 1)).astype(int)
    return cell[:, 1], cell[:, 0]


def _search(
    first: np.ndarray, second: np.ndarray, start: np.ndarray, guess: np.ndarray, levels: int
) -> tuple[np.ndarray, np.ndarray]:
    found, status, _ = cv2.calcOpticalFlowPyrLK(
        first,
        second,
        start[:, None],
        guess[:, None].copy(),
        winSize=(WINDOW_PX, WINDOW_PX),
        maxLevel=levels,
        criteria=_STOP,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return found[:, 0], status[:, 0] > 0
