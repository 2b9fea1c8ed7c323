# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in slices, inside of work in slices."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

_Result = TypeVar("_Result")


def at_share(share: float, steps: Generator[None, None, _Result]) -> Generator[float, None, _Result]:
    """Steps that do not know how far they are, as steps that stay at a share of the whole."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: _Result = end.value
            return result
        yield share
