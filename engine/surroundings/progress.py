# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in slices that is a part of longer work."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

Result = TypeVar("Result")


def part(steps: Generator[float, None, Result], start: float, width: float) -> Generator[float, None, Result]:
    """The same steps, whose shares from 0 to 1 are told as those from `start` on, `width` in all."""
    while True:
        try:
            share = next(steps)
        except StopIteration as end:
            return end.value
        yield start + width * min(share, 1.0)
