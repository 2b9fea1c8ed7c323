# SPDX-License-Identifier: GPL-3.0-or-later
"""One shape for each person: ten betas from everything that was seen of him or her, and from what people are like.

k people known so far, n people of a frame, m rows of a clip.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...contract.body_model import BETA_COUNT, BodyModel, stature_terms
from ...resuming.state_reader import StateReader
from ..observations import BodyLandmarks, FittedBodies, Pinhole
from .shape_evidence import ShapeEvidence, ShapeWitness

STATURE_M, STATURE_DEVIATION_M = 1.70, 0.09
"""How tall people are where nobody says so."""

GIVEN_DEVIATION_M = 0.005
"""How exactly a stature is known that somebody has given."""

BETA_DEVIATION = 1.0
"""How bodies differ, by the definition of the betas."""

LARGEST_BETA = 3.0
"""Betas further out than this are no people any more."""

FRAMES_THAT_COUNT = 10.0
"""Frames of a person are alike, and so are their errors: any number of them is worth no more than this."""


class ShapePrior:
    """What is believed of everybody's betas before anybody is seen. Immutable."""

    def __init__(self, body: BodyModel, stature_m: float | None = None) -> None:
        """`stature_m` is how tall people are, in metres, where that is known."""
        at_rest, slopes = stature_terms(body)
        self._at_rest, self._slopes, self._is_given = at_rest, slopes, stature_m is not None
        aim, deviation = (STATURE_M, STATURE_DEVIATION_M) if stature_m is None else (stature_m, GIVEN_DEVIATION_M)
        slopes = slopes / deviation
        self._matrix = np.eye(BETA_COUNT) / BETA_DEVIATION**2 + np.outer(slopes, slopes)
        self._vector = slopes * (aim - at_rest) / deviation

    def betas(self, matrix: np.ndarray, vector: np.ndarray, frames: np.ndarray) -> np.ndarray:
        """(k, 10) most likely betas, of sums (k, 10, 10) and (k, 10) of the evidence of (k,) frames."""
        worth = (FRAMES_THAT_COUNT / (FRAMES_THAT_COUNT + frames))[:, None]
        solved = np.linalg.solve(self._matrix + worth[..., None] * matrix, (self._vector + worth * vector)[..., None])
        return solved[..., 0].clip(-LARGEST_BETA, LARGEST_BETA)

    def resized(self, betas: np.ndarray, factor: float) -> np.ndarray:
        """The betas (10,) of the likeliest body that is so many times as tall; the same where the stature is given."""
        if self._is_given:
            return betas
        more = (factor - 1.0) * (self._at_rest + float(self._slopes @ betas))
        changed = betas + self._slopes * more / float(self._slopes @ self._slopes)
        return np.asarray(changed.clip(-LARGEST_BETA, LARGEST_BETA))


def shape_of_each(prior: ShapePrior, evidence: ShapeEvidence, track_id: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of a whole clip: the people of (m,) `track_id`, in order, and their (k, 10) betas."""
    people, row = np.unique(track_id, return_inverse=True)
    matrix, vector = np.zeros((len(people), BETA_COUNT, BETA_COUNT)), np.zeros((len(people), BETA_COUNT))
    np.add.at(matrix, row, evidence.matrix)
    np.add.at(vector, row, evidence.vector)
    return people, prior.betas(matrix, vector, np.bincount(row, minlength=len(people)).astype(np.float64))


class ShapeEstimator:
    """Shapes of people while a clip runs: each frame makes them surer. State is replaced, never changed in place."""

    def __init__(
        self, body: BodyModel, stature_m: float | None = None, heights_m: Mapping[int, float] | None = None
    ) -> None:
        """`stature_m` is how tall people are, and `heights_m` single ones by their track, where that is known."""
        self._witness, self._prior = ShapeWitness(body), ShapePrior(body, stature_m)
        self._own = {track: ShapePrior(body, height) for track, height in (heights_m or {}).items()}
        self._track_id = np.zeros(0, np.int64)
        self._matrix = np.zeros((0, BETA_COUNT, BETA_COUNT))
        self._vector = np.zeros((0, BETA_COUNT))
        self._frames = np.zeros(0)

    def betas(self, track_id: np.ndarray) -> np.ndarray:
        """(n,) people to their (n, 10) betas as far as they are known; the likeliest ones of somebody new."""
        track_id = np.asarray(track_id)
        sums = self._sums(track_id)
        found = self._prior.betas(*sums)
        for row in np.flatnonzero(np.isin(track_id, list(self._own))):
            found[row] = self._own[int(track_id[row])].betas(*(part[row : row + 1] for part in sums))[0]
        return found

    @property
    def known(self) -> frozenset[int]:
        """The tracks of people whose own height was given."""
        return frozenset(self._own)

    def resized(self, betas: np.ndarray, factor: float) -> np.ndarray:
        """As :meth:`ShapePrior.resized`."""
        return self._prior.resized(betas, factor)

    def update(
        self,
        track_id: np.ndarray,
        landmarks: BodyLandmarks,
        inside: np.ndarray,
        bodies: FittedBodies,
        camera: Pinhole,
    ) -> None:
        """Learn from the people of a frame, whose bodies were fitted; nobody is in (n,) `track_id` twice."""
        evidence = self._witness.look(landmarks, inside, bodies, camera)
        everybody = np.union1d(self._track_id, np.asarray(track_id, np.int64))
        matrix, vector, frames = self._sums(everybody)
        rows = np.searchsorted(everybody, track_id)
        matrix[rows] += evidence.matrix
        vector[rows] += evidence.vector
        frames[rows] += 1
        self._track_id, self._matrix, self._vector, self._frames = everybody, matrix, vector, frames

    def _sums(self, track_id: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sums of the evidence of (n,) people, and of how many frames: new arrays, zero for somebody new."""
        known = np.isin(track_id, self._track_id)
        rows = np.searchsorted(self._track_id, track_id[known])
        sums = []
        for array in (self._matrix, self._vector, self._frames):
            found = np.zeros((len(track_id), *array.shape[1:]))
            found[known] = array[rows]
            sums.append(found)
        return sums[0], sums[1], sums[2]

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on elsewhere, as plain arrays."""
        return {
            "track_id": self._track_id.copy(),
            "matrix": self._matrix.copy(),
            "vector": self._vector.copy(),
            "frames": self._frames.copy(),
        }

    def restore_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from :meth:`export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        state = StateReader("the people's shapes", arrays)
        track_id = state.array("track_id", np.int64, "people")
        matrix = state.array("matrix", np.float64, "people", BETA_COUNT, BETA_COUNT)
        vector = state.array("vector", np.float64, "people", BETA_COUNT)
        frames = state.array("frames", np.float64, "people")
        state.require(bool((np.diff(track_id) > 0).all()), "people are not in order")
        state.require(bool((frames >= 0).all()), "frames are not a count")
        # Costs add up to nothing below zero: betas can be solved for.
        state.require(bool((np.linalg.eigvalsh(matrix) >= -_ROUNDING).all()), "matrix is not one of a cost")
        self._track_id, self._matrix, self._vector, self._frames = track_id, matrix, vector, frames


_ROUNDING = 1e-3
