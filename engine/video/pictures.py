# SPDX-License-Identifier: GPL-3.0-or-later
"""What every kind of footage gives: pictures in a row, upright, at true times."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

SEQUENCE_RATE = 24.0
"""Frames per second of a sequence of pictures when nobody says otherwise: Blender's own default."""


Wanted = Callable[[int], bool]
"""Whether the picture at a place in the row (0, 1, 2, ...) is wanted. Damaged ones have no place."""


def every(_place: int) -> bool:
    """All pictures are wanted."""
    return True


@dataclass(frozen=True)
class Picture:
    """One picture of a footage."""

    source_frame: int
    """Its number in the footage, from 0."""
    time_s: float
    """Its presentation time, seconds after the footage's first picture."""
    rgb: np.ndarray
    """(h, w, 3) uint8, upright, square pixels."""


class Footage(ABC):
    """Pictures in a row, all of one size."""

    size: tuple[int, int]
    """Width and height, upright, in square pixels: as players show it."""
    frame_rate: float
    """Nominal frames per second."""
    frame_count: int | None
    """How many pictures there are; an estimate for some containers, None where they do not tell."""
    problem: str | None = None
    """After reading: whole sentences when not everything could be read that the footage announced."""

    @abstractmethod
    def pictures(
        self, start: int = 0, end: int | None = None, stride: int = 1, wanted: Wanted = every
    ) -> Iterator[Picture]:
        """Every `stride`-th picture from `start` until before `end`, decoded one after the other.

        Each call begins at the beginning again; one at a time. Of that row those are left out that are not `wanted`,
        with less work than it takes to give them."""

    def expected_count(self, start: int, end: int | None, stride: int) -> int | None:
        """How many pictures `pictures` will give, as far as the footage tells."""
        if self.frame_count is None:
            return None if end is None else len(range(start, end, stride))
        return len(range(start, self.frame_count if end is None else min(end, self.frame_count), stride))

    def close(self) -> None:  # noqa: B027 - most footage has nothing to close
        """Let go of files."""
