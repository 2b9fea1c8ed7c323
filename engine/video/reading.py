# SPDX-License-Identifier: GPL-3.0-or-later
"""Decoding ahead of the model: a thread that keeps a few prepared pictures ready."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .footage import Footage
from .picture import PictureMap, prepare_frame, tracking_picture
from .pictures import Wanted, every

PICTURES_AHEAD = 4
"""Enough to bridge a slow key frame; more would only take memory."""

_WAKE_S = 0.1


@dataclass(frozen=True)
class PreparedFrame:
    """What the model gets of one picture."""

    source_frame: int
    time_s: float
    rgb: np.ndarray
    """(H, W, 3) uint8 at the network's size."""
    grey: np.ndarray
    """(h, w) uint8 at the tracking size."""
    footage_rgb: np.ndarray | None = None
    """(height, width, 3) uint8, the footage's own pixels, for a model that needs them."""


class FrameReader:
    """Iterates over the prepared frames of a footage's range; used as a context manager, which ends its thread.

    Errors of decoding are raised where the frame would have come. Waiting is in short slices, so that a signal that
    arrives meanwhile is handled.
    """

    def __init__(
        self,
        footage: Footage,
        picture_map: PictureMap,
        start: int,
        end: int | None,
        stride: int,
        with_footage_pixels: bool = False,
        wanted: Wanted = every,
    ) -> None:
        self._footage = footage
        self._with_footage_pixels = with_footage_pixels
        self._range = (start, end, stride)
        self._wanted = wanted
        self._picture_map = picture_map
        self._queue: queue.Queue[PreparedFrame | BaseException | None] = queue.Queue(PICTURES_AHEAD)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="frame reader", daemon=True)

    def __enter__(self) -> FrameReader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(timeout=1.0)

    def __iter__(self) -> Iterator[PreparedFrame]:
        while True:
            try:
                item = self._queue.get(timeout=_WAKE_S)
            except queue.Empty:
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item

    def _work(self) -> None:
        try:
            for picture in self._footage.pictures(*self._range, self._wanted):
                rgb = prepare_frame(picture.rgb, self._picture_map)
                grey = tracking_picture(picture.rgb, self._picture_map)
                own = picture.rgb if self._with_footage_pixels else None
                if not self._put(PreparedFrame(picture.source_frame, picture.time_s, rgb, grey, own)):
                    return
            self._put(None)
        except Exception as error:
            self._put(error)
        finally:
            self._footage.close()

    def _put(self, item: PreparedFrame | BaseException | None) -> bool:
        """Wait for a free place; False when the reading was given up meanwhile."""
        while not self._stopping.is_set():
            try:
                self._queue.put(item, timeout=_WAKE_S)
                return True
            except queue.Full:
                continue
        return False
