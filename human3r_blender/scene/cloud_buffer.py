# SPDX-License-Identifier: GPL-3.0-or-later
"""Points of the place as they come in, until there are enough new ones to be worth writing. Numpy only."""

from __future__ import annotations

import numpy as np

from ...engine.contract.messages import ScenePoints
from ..blender import coordinates

_GROWTH = 0.25
"""New points are written when they are this part of those written: a mesh can only be filled as a whole, and so all
writing together costs a constant per point."""


class CloudBuffer:
    """All points of a take so far, as Blender wants them; lists of parts that belong together."""

    def __init__(self) -> None:
        self.position: list[np.ndarray] = []
        """(N, 3) float32, meters, root frame."""
        self.color: list[np.ndarray] = []
        """(N, 4) float32, sRGB and alpha in 0..1."""
        self.confidence: list[np.ndarray] = []
        """(N,) float32."""
        self._count = 0
        self._written = 0

    def add(self, message: ScenePoints) -> None:
        """Take points in."""
        if message.replaces_all:
            self.position, self.color, self.confidence = [], [], []
            # Less than nothing: an empty cloud that replaces another has to be written, too.
            self._count, self._written = 0, -1
        # Copies throughout, because the message's arrays may be views into all its bytes.
        color = np.ones((len(message.color), 4), dtype=np.float32)
        np.divide(message.color, 255.0, out=color[:, :3])
        self.position.append(coordinates.points_to_root(message.position))
        self.color.append(color)
        self.confidence.append(message.confidence.copy())
        self._count += len(color)

    @property
    def is_empty(self) -> bool:
        """Whether there are no points."""
        return self._count == 0

    def is_due(self, finished: bool) -> bool:
        """Whether there are enough new points to write; when `finished`, any are."""
        return self._count - self._written > (0 if finished else _GROWTH * self._written)

    def take(self) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
        """All positions, colors and confidences so far, counted as written from now on."""
        self._written = self._count
        return list(self.position), list(self.color), list(self.confidence)
