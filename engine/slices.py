# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in slices as a part of longer work: generators that yield the share that is done and return what they found."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

Result = TypeVar("Result")

PROGRESS_STEP = 0.05
"""Share of the work from one word about it to the next."""


def part(steps: Generator[float, None, Result], first: float, last: float) -> Generator[float, None, Result]:
    """The same steps as a part of longer work, whose share of the whole goes from `first` to `last`."""
    while True:
        try:
            share = next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
        yield first + (last - first) * min(share, 1.0)


def at_share(share: float, steps: Generator[object, None, Result]) -> Generator[float, None, Result]:
    """The same steps, which may not know how far they are, at a fixed share of the whole."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
        yield share


def worked_off(steps: Generator[float, None, Result], tell: Callable[[float], None]) -> Result:
    """What the steps found; `tell` hears of every twentieth that is done."""
    next_told = 0.0
    while True:
        try:
            share = next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
        if share >= next_told:
            tell(share)
            next_told = share + PROGRESS_STEP
