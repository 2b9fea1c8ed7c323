# SPDX-License-Identifier: GPL-3.0-or-later
"""Least squares over a path in which only points up to two frames apart meet: solved exactly, in linear time."""

from __future__ import annotations

import numpy as np

REACH = 2
"""Frames apart that two points of one residual may be."""


class BandedSquares:
    """A sum of weighted squares of linear residuals of (T, 3) unknowns, kept as its normal equations.

    Memory and time grow linearly with T.
    """

    def __init__(self, count: int) -> None:
        self.matrix = np.zeros((count, REACH + 1, 3, 3))
        """Block (t, k) multiplies the unknowns of frame t with those of frame t + k."""
        self.right = np.zeros((count, 3))

    def add(self, first: np.ndarray, factors: np.ndarray, weight: np.ndarray, wanted: np.ndarray) -> None:
        """Residuals sum_k factors[n, k] x[first[n] + k] - wanted[n], with a weight for each of them.

        `first` (N,) frames, `factors` (N, K) with K up to three, `weight` (N, 3, 3) inverse covariances, `wanted`
        (N, 3).
        """
        asked = np.einsum("nij,nj->ni", weight, wanted)
        for one in range(factors.shape[1]):
            np.add.at(self.right, first + one, factors[:, one, None] * asked)
            for other in range(one, factors.shape[1]):
                both = (factors[:, one] * factors[:, other])[:, None, None] * weight
                np.add.at(self.matrix, (first + one, np.full(len(first), other - one)), both)

    def solve(self) -> np.ndarray:
        """(T, 3) unknowns with the least sum. Each needs a residual of its own, however weak."""
        count = len(self.right)
        if count % 2:
            larger = BandedSquares(count + 1)  # with one more unknown that meets no other
            larger.matrix[:count], larger.matrix[count, 0] = self.matrix, np.eye(3)
            larger.right[:count] = self.right
            return larger.solve()[:count]
        even, odd = self.matrix[0::2], self.matrix[1::2]  # two frames are one block
        own = np.zeros((len(even), 6, 6))
        own[:, :3, :3], own[:, 3:, 3:] = even[:, 0], odd[:, 0]
        own[:, :3, 3:], own[:, 3:, :3] = even[:, 1], even[:, 1].swapaxes(-1, -2)
        following = np.zeros((len(even) - 1, 6, 6))
        following[:, :3, :3] = even[:-1, 2]
        following[:, 3:, :3], following[:, 3:, 3:] = odd[:-1, 1], odd[:-1, 2]
        return solve_chain(own, following, self.right.reshape(-1, 6, 1)).reshape(count, 3)


def solve_chain(own: np.ndarray, following: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(n, b, m) solutions of a symmetric positive definite system in which each block meets only its neighbors.

    `own` (n, b, b) blocks of the diagonal, `following` (n - 1, b, b) those to the right of them, `right` (n, b, m).
    Every second block is eliminated at once, and so on: log2 n steps of whole arrays (cyclic reduction).
    """
    if len(own) == 1:
        return np.linalg.solve(own, right)
    # A block that is eliminated always has a neighbor before it; the one after it may be missing.
    gone, before = own[1::2], following[0::2]
    after = np.zeros_like(before)
    later = len(following[1::2])
    after[:later] = following[1::2]
    through = np.linalg.solve(gone, np.concatenate([before.swapaxes(-1, -2), after, right[1::2]], axis=-1))
    size = own.shape[-1]
    by_before, by_after, by_right = through[..., :size], through[..., size : 2 * size], through[..., 2 * size :]
    kept, kept_right = own[0::2].copy(), right[0::2].copy()
    kept[: len(gone)] -= before @ by_before
    kept_right[: len(gone)] -= before @ by_right
    kept[1:] -= after[: len(kept) - 1].swapaxes(-1, -2) @ by_after[: len(kept) - 1]
    kept_right[1:] -= after[: len(kept) - 1].swapaxes(-1, -2) @ by_right[: len(kept) - 1]
    result = np.empty_like(right)
    result[0::2] = solve_chain(kept, -before[: len(kept) - 1] @ by_after[: len(kept) - 1], kept_right)
    result[1::2] = by_right - by_before @ result[0::2][: len(gone)]
    result[1::2][:later] -= by_after[:later] @ result[2::2]
    return result
