# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage's state out of a resume file that anybody may have written: as its stage exports it, or refused.

Exporting needs no such care, so stages write plain dictionaries of arrays and read them back through this.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..contract.errors import UserError
from ..contract.shapes import has_shape

MOST = 1e12
"""Bound of every floating-point number where the stage names no other: far beyond metres, pixels and the network's
numbers, and small enough that a product of three of them is one that float32 holds."""

ANY = float(np.finfo(np.float32).max)
"""Bound of numbers that have none but that of their type."""

_RIGID_TOLERANCE = 1e-3
"""How far the product of a rotation with its transpose may be from the identity: chained poses lose a little."""


def unfit(stage: str, what: str) -> UserError:
    """The error of a state that no stage of this program exported."""
    return UserError(
        "resume-unreadable",
        "The resume file is damaged, in the state of {stage}: {what}.",
        "Start the capture again from the beginning (with --overwrite instead of --resume).",
        stage=stage,
        what=what,
    )


class StateReader:
    """Takes arrays out of one stage's state. All methods raise UserError (``resume-unreadable``).

    A shape's sizes are numbers, or letters: a letter stands for the same size in the whole state.
    """

    def __init__(self, stage: str, arrays: Mapping[str, np.ndarray]) -> None:
        self._stage, self._arrays = stage, arrays
        self._sizes: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._arrays

    def require(self, holds: bool, what: str) -> None:
        """Refuse the state unless ``holds``; ``what`` says what is wrong with it otherwise."""
        if not holds:
            raise unfit(self._stage, what)

    def array(self, name: str, dtype: type, *shape: int | str, most: float | None = MOST) -> np.ndarray:
        """A copy of an array of exactly this type and shape; floating-point numbers within +-``most``, if not None."""
        self.require(name in self._arrays, f"{name} is missing")
        array = self._arrays[name]
        fits = array.dtype == np.dtype(dtype) and has_shape(array.shape, shape, self._sizes)
        self.require(fits, f"{name} is {array.dtype} {array.shape}, not {np.dtype(dtype)} {shape}".replace("'", ""))
        if array.dtype.kind == "f" and most is not None:
            self.require(bool((np.abs(array) <= most).all()), f"{name} holds impossible numbers")  # false for NaN
        return np.array(array)

    def count(self, name: str) -> int:
        """A number from 0 to 2**53 in an array without axes."""
        return self._counted(self.array(name, np.int64), name)[0]

    def counts(self, name: str, many: int) -> list[int]:
        """As many numbers from 0 to 2**53."""
        return self._counted(self.array(name, np.int64, many), name)

    def pose(self, name: str, *leading: int | str) -> np.ndarray:
        """(..., 4, 4) float64 rigid motions."""
        poses = self.array(name, np.float64, *leading, 4, 4)
        turn = poses[..., :3, :3]
        rigid = np.abs(turn @ np.swapaxes(turn, -1, -2) - np.eye(3)).max(initial=0.0) < _RIGID_TOLERANCE
        self.require(
            bool(rigid) and bool((np.linalg.det(turn) > 0).all()) and bool((poses[..., 3, :] == (0, 0, 0, 1)).all()),
            f"{name} is not a rigid motion",
        )
        return poses

    def _counted(self, array: np.ndarray, name: str) -> list[int]:
        values = [int(value) for value in array.ravel()]
        self.require(all(0 <= value <= 1 << 53 for value in values), f"{name} is not a count")
        return values
