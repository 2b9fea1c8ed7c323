# SPDX-License-Identifier: GPL-3.0-or-later
"""Which points of a body are compared: joints, vertices and soles, taken from an SMPL-X body.

Our own clips carry SMPL-X bodies, so theirs are its first 22 joints and all vertices (`SmplxPoints`). The real sets
carry SMPL bodies: predictions go to SMPL's vertices through the 6890 x 10475 transfer matrix and from there to 24 SMPL
joints, or 14 H36M joints on 3DPW (`SmplPoints`). Both licensed matrices are inputs; neither is part of this project.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import sparse

from ..contract.body_model import VERTEX_COUNT
from ..contract.skeleton import BODY_JOINT_COUNT, HEAD
from .local_body import SMPL_HIPS

SMPLX_SOLES = (5770, 8846, 8463, 8635)
"""SMPL-X vertices at the left big toe, left heel, right big toe and right heel."""

SMPL_SOLES = (3216, 3387, 6617, 6787)
"""The same of SMPL."""

SMPL_VERTEX_COUNT = 6890


@dataclass(frozen=True)
class BodyPoints:
    """Compared points of P people in one frame, metres."""

    joints: np.ndarray
    """(P, J, 3)"""
    vertices: np.ndarray
    """(P, V, 3)"""


class PointSet(Protocol):
    """A choice of compared points."""

    name: str
    """Names the joints in reports, and must equal that of truth given as points."""
    hips: tuple[int, int]
    """The two hips among the joints; their mean is the pelvis."""
    head: int | None
    """The head among the joints, where there is one that means SMPL-X's joint 15."""
    soles: tuple[int, ...]
    """Vertices whose sliding is measured."""

    def points(self, joints: np.ndarray, vertices: np.ndarray) -> BodyPoints:
        """From (P, 55, 3) joints and (P, 10475, 3) vertices of SMPL-X bodies."""


class SmplxPoints:
    """SMPL-X's pelvis and 21 body joints, and its own vertices."""

    name = "SMPL-X, 22 joints"
    hips = SMPL_HIPS
    head: int | None = HEAD
    soles: tuple[int, ...] = SMPLX_SOLES

    def points(self, joints: np.ndarray, vertices: np.ndarray) -> BodyPoints:
        return BodyPoints(joints[..., :BODY_JOINT_COUNT, :], vertices)


class SmplPoints:
    """SMPL's vertices through the transfer matrix, and joints regressed from them."""

    soles: tuple[int, ...] = SMPL_SOLES

    def __init__(
        self,
        transfer: np.ndarray,
        joint_regressor: np.ndarray,
        name: str = "SMPL, 24 joints",
        hips: tuple[int, int] = SMPL_HIPS,
        head: int | None = HEAD,
    ) -> None:
        """`transfer` (6890, 10475) brings SMPL-X vertices to SMPL's, `joint_regressor` (J, 6890) those to joints."""
        if transfer.shape != (SMPL_VERTEX_COUNT, VERTEX_COUNT):
            raise ValueError(f"expected a transfer matrix {(SMPL_VERTEX_COUNT, VERTEX_COUNT)}, got {transfer.shape}")
        if joint_regressor.ndim != 2 or joint_regressor.shape[1] != SMPL_VERTEX_COUNT:
            raise ValueError(f"expected a joint regressor (J, {SMPL_VERTEX_COUNT}), got {joint_regressor.shape}")
        self.name, self.hips, self.head = name, hips, head
        # A row has a few entries: sparse, it costs a thousandth.
        self._transfer = sparse.csr_array(transfer)
        self._regressor = sparse.csr_array(joint_regressor)

    def points(self, joints: np.ndarray, vertices: np.ndarray) -> BodyPoints:
        smpl = [self._transfer @ body for body in np.asarray(vertices, dtype=np.float64)]
        regressed = [self._regressor @ body for body in smpl]
        return BodyPoints(
            np.reshape(regressed, (len(vertices), self._regressor.shape[0], 3)),
            np.reshape(smpl, (len(vertices), SMPL_VERTEX_COUNT, 3)),
        )
