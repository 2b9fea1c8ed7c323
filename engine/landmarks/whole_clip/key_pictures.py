# SPDX-License-Identifier: GPL-3.0-or-later
"""A few pictures of a clip, spread evenly over it, from which its surroundings are made when all of it is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...resuming.state_reader import StateReader

_MOST_PICTURES = 24
"""Bound of the memory: 11 MB of pictures of 512 x 288 pixels, in resume files too."""


@dataclass(frozen=True)
class KeyPicture:
    """One frame."""

    index: int
    """Of the frame in the capture, from 0."""
    rgb: np.ndarray
    """(H, W, 3) uint8."""
    people_mask: np.ndarray
    """(H, W) bool."""


class KeyPictures:
    """Every so many frames one, more rarely as the clip grows. State is replaced, never changed in place."""

    def __init__(self, size: tuple[int, int]) -> None:
        """`size` is the pictures' width and height."""
        self._size = size
        self._every = 1
        self.pictures: tuple[KeyPicture, ...] = ()

    def add(self, index: int, rgb: np.ndarray, people_mask: np.ndarray) -> None:
        """Take in the next frame, if it is one that is kept."""
        if index % self._every:
            return
        self.pictures = (*self.pictures, KeyPicture(index, rgb, people_mask))
        if len(self.pictures) > _MOST_PICTURES:
            self._every *= 2
            self.pictures = tuple(kept for kept in self.pictures if kept.index % self._every == 0)

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on elsewhere, as plain arrays."""
        width, height = self._size
        masks = np.array([kept.people_mask for kept in self.pictures], bool).reshape(-1, height * width)
        return {
            "every": np.array(self._every),
            "index": np.array([kept.index for kept in self.pictures], np.int64),
            "rgb": np.array([kept.rgb for kept in self.pictures], np.uint8).reshape(-1, height, width, 3),
            "mask": np.packbits(masks, axis=1),
        }

    def restore_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from :meth:`export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        state = StateReader("the key pictures", arrays)
        width, height = self._size
        every, index = state.count("every"), state.array("index", np.int64, "pictures")
        rgb = state.array("rgb", np.uint8, "pictures", height, width, 3)
        bits = state.array("mask", np.uint8, "pictures", (height * width + 7) // 8)
        state.require(every > 0 and len(index) <= _MOST_PICTURES, "there are too many pictures, or none is kept")
        state.require(bool((index >= 0).all()) and bool((np.diff(index) > 0).all()), "index is not that of frames")
        masks = np.unpackbits(bits, axis=1, count=height * width).astype(bool).reshape(-1, height, width)
        self._every = every
        self.pictures = tuple(map(KeyPicture, index.tolist(), rgb, masks))
