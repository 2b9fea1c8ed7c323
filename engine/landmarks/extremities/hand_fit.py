# SPDX-License-Identifier: GPL-3.0-or-later
"""Angles of the fingers and the turn of the wrist from a hand's 21 landmarks: damped Gauss-Newton over all hands.

27 unknowns a hand: 21 angles (`hand_skeleton`), the wrist's turn (3), the logarithm of the scale, and a shift (2); the
hand is seen in weak perspective by a camera that looks at it. The picture leads: 3-D landmarks alone get the way that a
flat hand faces wrong. What the picture leaves open follows the landmarks' depth, then a relaxed hand's angles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from ..turns import cross_matrix, inverse_left_jacobian, transposed
from .hand_priors import DIFFERENCES, HIGHEST, LOWEST, RELAXED, SPREAD_OF_PRIOR, WRIST_LIMIT, WRIST_SPREAD
from .hand_skeleton import (
    ANGLE_COUNT,
    MIRROR,
    POINT_COUNT,
    RIGHT,
    HandSkeletons,
    PosedHands,
    mirrored,
    point_derivatives,
    pose_hands,
    to_body_order,
)

UNKNOWN_COUNT = ANGLE_COUNT + 6
_WRIST, _SCALE, _SHIFT = slice(21, 24), 24, slice(25, 27)

_PIXEL_SIGMA = 0.045
"""Of a landmark in the picture, as a share of the hand's span."""
_WORLD_SIGMA = 0.3 / np.array([0.5, 0.5, 1.0])
"""Of a 3-D landmark (x, y, z), in palm lengths: across the view the picture knows better."""
_WORLD_REACH = 2.5
"""Sigmas beyond which a 3-D landmark hardly pulls any harder."""
_POINT_WEIGHT = np.concatenate([[0.6, 0.5, 0.7], np.ones(POINT_COUNT - 3)])
"""The wrist and the thumb's base are where landmarks and a body's joints agree least."""
_LIMIT_SIGMA = np.radians(4.0)
_WRIST_LIMIT_SIGMA = np.radians(6.0)
_PALM = np.array([1, 5, 9, 13, 17])
_PALM_WEIGHT = np.array([0.3, 1.0, 1.0, 1.0, 1.0])
"""Points that hardly move against each other, which give the start."""
_ITERATIONS = 6
_FIRST_DAMPING, _LEAST_DAMPING = 3e-3, 1e-4
_LONGEST_TURN = 0.5
"""Of a step, in radians."""


@dataclass(frozen=True)
class SeenHands:
    """n hands as landmarks, in a camera that looks along the ray through the hand."""

    side: np.ndarray
    """(n,) LEFT or RIGHT."""
    point_px: np.ndarray
    """(n, 21, 2)"""
    world: np.ndarray
    """(n, 21, 3) metres, any origin."""
    forearm: np.ndarray
    """(n, 3, 3) the elbow joint's rotation in that camera."""


@dataclass(frozen=True)
class FittedHands:
    """Hands fitted to landmarks."""

    fingers: np.ndarray
    """(n, 15, 3, 3) the hand's joints in their parents' frames, SMPL-X's order."""
    wrist: np.ndarray
    """(n, 3, 3) the wrist joint's rotation in the camera that looks along the ray through the hand."""
    cost: np.ndarray
    """(n,) sum of squared residuals: about 20 to 60 for a hand well seen."""
    angles: np.ndarray
    """(n, 21) radians, as of a left hand."""
    point_px: np.ndarray
    """(n, 21, 2) where the fitted hand's points lie in the picture."""


@dataclass(frozen=True)
class _State:
    """One set of unknowns, all hands as left hands."""

    angles: np.ndarray
    wrist: np.ndarray
    log_scale: np.ndarray
    shift: np.ndarray

    def moved(self, step: np.ndarray) -> _State:
        """After a (n, 27) step; the wrist turns in the camera's frame."""
        wrist = axis_angle_to_matrix(step[:, _WRIST]) @ self.wrist
        scale, shift = self.log_scale + step[:, _SCALE], self.shift + step[:, _SHIFT]
        return _State(self.angles + step[:, :ANGLE_COUNT], wrist, scale, shift)

    def where(self, chosen: np.ndarray, other: _State) -> _State:
        """The chosen rows of this one, the others of another."""

        def pick(mine: np.ndarray, others: np.ndarray) -> np.ndarray:
            return np.where(chosen.reshape(-1, *[1] * (mine.ndim - 1)), mine, others)

        return _State(
            pick(self.angles, other.angles), pick(self.wrist, other.wrist),
            pick(self.log_scale, other.log_scale), pick(self.shift, other.shift),
        )  # fmt: skip


@dataclass(frozen=True)
class HandProblem:
    """What the unknowns are measured by; all hands as left hands."""

    skeletons: HandSkeletons
    picture: np.ndarray
    """(n, 21, 2) landmarks from the wrist, in spans."""
    world: np.ndarray
    """(n, 21, 3) landmarks from the wrist, in palm lengths of the skeleton."""
    forearm: np.ndarray
    """(n, 3, 3)"""

    def start(self) -> _State:
        """The palm laid on the 3-D landmarks, fingers relaxed, scale and shift by the picture."""
        count = len(self.picture)
        angles = np.tile(RELAXED, (count, 1))
        wrist = _best_turn(pose_hands(self.skeletons, angles).points[:, _PALM], self.world[:, _PALM])
        flat = (pose_hands(self.skeletons, angles).points @ transposed(wrist))[..., :2]
        size = _spread_of(self.picture) / np.maximum(_spread_of(flat), 1e-9)
        return _State(angles, wrist, np.log(np.maximum(size, 1.0)), np.zeros((count, 2)))

    def residuals(self, state: _State) -> tuple[np.ndarray, np.ndarray]:
        """(n, m) residuals and their (n, m, 27) derivatives."""
        posed = pose_hands(self.skeletons, state.angles)
        points = posed.points @ transposed(state.wrist)
        moves = self._point_moves(state, posed, points)
        parts = [
            self._picture(state, points, moves),
            self._world(points, moves),
            *_angle_residuals(state.angles),
            *self._wrist(state),
        ]
        return np.concatenate([part[0] for part in parts], 1), np.concatenate([part[1] for part in parts], 1)

    def _point_moves(self, state: _State, posed: PosedHands, points: np.ndarray) -> np.ndarray:
        """(n, 21, 3, 24) how the points in the camera move with angles and wrist."""
        by_angle = state.wrist[:, None] @ point_derivatives(posed)
        return np.concatenate([by_angle, -cross_matrix(points)], axis=-1)

    def _picture(self, state: _State, points: np.ndarray, moves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        scaled = points[..., :2] * np.exp(state.log_scale)[:, None, None]
        weight = (_POINT_WEIGHT / _PIXEL_SIGMA)[:, None]
        residual = (scaled + state.shift[:, None] - self.picture) * weight
        jacobian = np.empty((*residual.shape, UNKNOWN_COUNT))
        jacobian[..., :_SCALE] = moves[..., :2, :] * np.exp(state.log_scale)[:, None, None, None]
        jacobian[..., _SCALE], jacobian[..., _SHIFT] = scaled, np.eye(2)
        return _rows(residual, jacobian * weight[..., None])

    def _world(self, points: np.ndarray, moves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        palm = self.skeletons.palm_length[:, None, None]
        weight = _POINT_WEIGHT[:, None] / _WORLD_SIGMA
        plain = (points / palm - self.world) * weight
        # A robust root: its square grows like the plain one's near zero and stays under the square of the reach.
        root = 1.0 / np.sqrt(1.0 + (plain**2).sum(-1, keepdims=True) / _WORLD_REACH**2)
        slope = (
            root[..., None] * np.eye(3)
            - (root**3 / _WORLD_REACH**2)[..., None] * plain[..., :, None] * plain[..., None, :]
        )
        jacobian = np.zeros((*plain.shape, UNKNOWN_COUNT))
        jacobian[..., :_SCALE] = slope @ (moves * (weight / palm)[..., None])
        return _rows(plain * root, jacobian)

    def _wrist(self, state: _State) -> list[tuple[np.ndarray, np.ndarray]]:
        """The wrist against the forearm: a spread and soft limits about each axis."""
        bend = matrix_to_axis_angle(transposed(self.forearm) @ state.wrist)
        slope = inverse_left_jacobian(bend) @ transposed(self.forearm)
        beyond = np.abs(bend) > WRIST_LIMIT
        over = np.where(beyond, bend - np.sign(bend) * WRIST_LIMIT, 0.0) / _WRIST_LIMIT_SIGMA
        return [
            (bend / WRIST_SPREAD, _placed(slope / WRIST_SPREAD[:, None], _WRIST)),
            (over, _placed(slope * beyond[..., None] / _WRIST_LIMIT_SIGMA, _WRIST)),
        ]


def _rows(residual: np.ndarray, jacobian: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    count, rows = len(residual), residual[0].size if len(residual) else 0
    return residual.reshape(count, rows), jacobian.reshape(count, rows, UNKNOWN_COUNT)


def _placed(block: np.ndarray, columns: slice) -> np.ndarray:
    """(n, m, k) derivatives among those of all unknowns."""
    placed = np.zeros((*block.shape[:2], UNKNOWN_COUNT))
    placed[..., columns] = block
    return placed


def _angle_residuals(angles: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Towards a relaxed hand, away from what joints cannot do, last joints and neighbours alike."""
    every, outside = slice(0, ANGLE_COUNT), np.minimum(angles - LOWEST, 0.0) + np.maximum(angles - HIGHEST, 0.0)
    prior = np.broadcast_to(np.diag(1.0 / SPREAD_OF_PRIOR), (len(angles), ANGLE_COUNT, ANGLE_COUNT))
    limit = (outside != 0)[..., None] * np.eye(ANGLE_COUNT) / _LIMIT_SIGMA
    alike = np.broadcast_to(DIFFERENCES, (len(angles), *DIFFERENCES.shape))
    return [
        ((angles - RELAXED) / SPREAD_OF_PRIOR, _placed(prior, every)),
        (outside / _LIMIT_SIGMA, _placed(limit, every)),
        (angles @ DIFFERENCES.T, _placed(alike, every)),
    ]


def _best_turn(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(n, 3, 3) rotations that lay palm points on their targets, about the wrist (Kabsch)."""
    left, _, right = np.linalg.svd(np.einsum("nki,nkj,k->nij", targets, points, _PALM_WEIGHT))
    proper = np.ones((len(points), 1, 3))
    proper[:, 0, 2] = np.linalg.det(left @ right)
    return (left * proper) @ right


def _spread_of(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points - points.mean(axis=1, keepdims=True), axis=(1, 2))


def span_of(point_px: np.ndarray) -> np.ndarray:
    """(...) the longer side of the box round (..., 21, 2) points."""
    return np.ptp(point_px, axis=-2).max(axis=-1)


def hand_problem(skeletons: HandSkeletons, seen: SeenHands) -> HandProblem:
    """Hands as left hands, in spans and palm lengths."""
    right = (seen.side == RIGHT)[:, None, None]
    picture = (seen.point_px - seen.point_px[:, :1]) / span_of(seen.point_px)[:, None, None]
    world = seen.world - seen.world[:, :1]
    world = world / np.linalg.norm(world[:, _PALM[1:]], axis=-1).mean(axis=1)[:, None, None]
    picture = np.where(right, picture * (-1.0, 1.0), picture)
    return HandProblem(skeletons, picture, np.where(right, world @ MIRROR, world), mirrored(seen.forearm, seen.side))


def solve(problem: HandProblem, iterations: int = _ITERATIONS) -> tuple[_State, np.ndarray]:
    """The unknowns with the least cost near the start, and (n,) their costs."""
    state = problem.start()
    residual, jacobian = problem.residuals(state)
    cost, damping = (residual**2).sum(1), np.full(len(residual), _FIRST_DAMPING)
    for _ in range(iterations):
        trial = state.moved(_step(residual, jacobian, damping))
        new_residual, new_jacobian = problem.residuals(trial)
        new_cost = (new_residual**2).sum(1)
        better = new_cost < cost
        state, cost = trial.where(better, state), np.where(better, new_cost, cost)
        residual = np.where(better[:, None], new_residual, residual)
        jacobian = np.where(better[:, None, None], new_jacobian, jacobian)
        damping = np.where(better, np.maximum(damping / 3, _LEAST_DAMPING), damping * 6)
    return state, cost


def _step(residual: np.ndarray, jacobian: np.ndarray, damping: np.ndarray) -> np.ndarray:
    normal = transposed(jacobian) @ jacobian
    diagonal = np.einsum("nii->ni", normal)
    damped = normal + (damping[:, None] * (diagonal + 1e-2))[..., None] * np.eye(UNKNOWN_COUNT)
    step = -np.linalg.solve(damped, transposed(jacobian) @ residual[..., None])[..., 0]
    step[:, :_SCALE] = step[:, :_SCALE].clip(-_LONGEST_TURN, _LONGEST_TURN)
    return step


def fit_hands(skeletons: HandSkeletons, seen: SeenHands) -> FittedHands:
    """Fit n hands at once."""
    problem = hand_problem(skeletons, seen)
    state, cost = solve(problem)
    posed = pose_hands(skeletons, state.angles)
    flat = (posed.points @ transposed(state.wrist))[..., :2] * np.exp(state.log_scale)[:, None, None]
    flat = flat + state.shift[:, None]
    flat = np.where((seen.side == RIGHT)[:, None, None], flat * (-1.0, 1.0), flat)
    point_px = flat * span_of(seen.point_px)[:, None, None] + seen.point_px[:, :1]
    fingers = to_body_order(posed.rotations, seen.side)
    return FittedHands(fingers, mirrored(state.wrist, seen.side), cost, state.angles, point_px)
