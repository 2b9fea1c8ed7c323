# SPDX-License-Identifier: GPL-3.0-or-later
"""Few shape keys for many frames: a basis of vertex offsets that grows until it holds every frame. Numpy only."""

from __future__ import annotations

import numpy as np


class OffsetBasis:
    """An orthonormal basis in which every frame's offsets lie to within a tolerance at the worst vertex.

    Frames come in batches, so that memory does not grow with the take except for a few numbers per frame.
    """

    def __init__(self, tolerance: float) -> None:
        """`tolerance` in meters."""
        self._tolerance = tolerance
        self.vectors = np.empty((0, 0), dtype=np.float32)
        """(K, 3 V) orthonormal."""

    def project(self, offsets: np.ndarray) -> np.ndarray:
        """(T, V, 3) offsets in meters to their (T, K) coefficients; extends the basis where it does not hold them."""
        flat = np.asarray(offsets, dtype=np.float32).reshape(len(offsets), -1)
        if not len(self.vectors):
            self.vectors = np.empty((0, flat.shape[1]), dtype=np.float32)
        rest = flat - (flat @ self.vectors.T) @ self.vectors
        new = self._missing(rest)
        if new:
            self.vectors = np.concatenate([self.vectors, np.stack(new)])
        return flat @ self.vectors.T

    def _missing(self, rest: np.ndarray) -> list[np.ndarray]:
        """Directions that (T, 3 V) remainders need, most important first; takes them out of `rest`."""
        new: list[np.ndarray] = []
        if worst_length(rest) <= self._tolerance:
            return new
        # Right singular vectors through the small Gram matrix: T is tens, 3 V is tens of thousands.
        _, left = np.linalg.eigh(rest.astype(np.float64) @ rest.astype(np.float64).T)
        for column in left.T[::-1]:
            direction = column.astype(np.float32) @ rest
            # Orthogonal to the others in exact arithmetic; in float32 it has to be made so.
            for known in (self.vectors, *([np.stack(new)] if new else [])):
                direction = direction - (known @ direction) @ known
            length = float(np.linalg.norm(direction))
            if length == 0.0:
                break
            direction = direction / length
            new.append(direction)
            rest -= np.outer(rest @ direction, direction)
            if worst_length(rest) <= self._tolerance:
                break
        return new


def worst_length(flat: np.ndarray) -> float:
    """Greatest length of any 3-vector in (T, 3 V)."""
    vectors = flat.reshape(-1, 3)
    return float(np.sqrt(np.einsum("ij,ij->i", vectors, vectors).max(initial=0.0)))
