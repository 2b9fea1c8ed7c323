# SPDX-License-Identifier: GPL-3.0-or-later
"""Poses of cameras, points of the surroundings and one focal length, together, from where the points are seen.

K cameras with poses `camera_from_world` (K, 4, 4), N points (N, 3), M observations: camera and point of each (M,) and
where it was seen (M, 2), centered pixels. Minimized is

    sum huber(|f project(R_k X_n + t_k) - x| / sigma) + (log(f / f0) / relative_sigma)^2

by Levenberg-Marquardt. Points are eliminated (Schur complement): each is seen by the cameras of a stretch of the clip,
so that points which begin together are eliminated together, over the cameras of that stretch alone.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np

from ..contract.rotations import axis_angle_to_matrix

HUBER = 2.0
"""Residuals beyond so many sigmas count by their length, no longer by their square."""

_FIRST_DAMPING, _LEAST_DAMPING = 1e-3, 1e-8
_TRIES = 6
_LEAST_DEPTH = 1e-2
_CHUNK = 192
"""Points that are eliminated at once."""
_LONGEST_FOCAL_STEP = 0.1
_GAUGE_DAMPING = 1e-7
_TINY = 1e-9


@dataclass(frozen=True)
class Sightings:
    """Which points which cameras see; sorted by point."""

    camera: np.ndarray
    """(M,) int."""
    point: np.ndarray
    """(M,) int, ascending; every point from 0 to N - 1 has at least one."""
    pixel: np.ndarray
    """(M, 2) centered pixels."""


@dataclass(frozen=True)
class Scene:
    """Cameras, points and the focal length."""

    camera_from_world: np.ndarray
    """(K, 4, 4)."""
    points: np.ndarray
    """(N, 3)."""
    focal: float
    """Centered pixels."""


@dataclass(frozen=True)
class Problem:
    """What an adjustment may change, and by what it judges."""

    sigma_px: float
    focal_prior: float
    focal_sigma: float
    """Relative; 0 keeps the focal length as it is."""
    fixed: np.ndarray
    """(K,) bool: cameras that stay. At least one."""
    steps: int = 60
    least_gain: float = 1e-6
    """It ends when a step lowers the cost by a smaller share."""


def residuals(scene: Scene, seen: Sightings) -> tuple[np.ndarray, np.ndarray]:
    """(M, 2) pixels that points are off, and their (M, 3) places in the cameras' frames."""
    pose = scene.camera_from_world[seen.camera]
    inside = (pose[:, :3, :3] @ scene.points[seen.point][:, :, None])[:, :, 0] + pose[:, :3, 3]
    depth = np.maximum(inside[:, 2:], _LEAST_DEPTH)
    return inside[:, :2] / depth * scene.focal - seen.pixel, inside


def adjust(scene: Scene, seen: Sightings, problem: Problem) -> Generator[None, None, Scene]:
    """Improve the scene. Yields after each step."""
    damping = _FIRST_DAMPING
    cost, residual, inside = _cost(scene, seen, problem)
    for _ in range(problem.steps):
        equations = _Equations(scene, seen, problem, residual, inside)
        for _ in range(_TRIES):
            trial = equations.step(damping)
            yield
            if trial is not None:
                new_cost, new_residual, new_inside = _cost(trial, seen, problem)
                if new_cost < cost:
                    break
            damping *= 8
        else:
            return scene
        gain = (cost - new_cost) / cost
        scene, cost, residual, inside = trial, new_cost, new_residual, new_inside
        damping = max(damping / 6, _LEAST_DAMPING)
        if gain < problem.least_gain:
            break
    return scene


def focal_deviation(scene: Scene, seen: Sightings, problem: Problem) -> float:
    """Relative standard deviation of the focal length as the observations alone tell it, by their own scatter."""
    free = replace(problem, focal_sigma=np.inf)
    _, residual, inside = _cost(scene, seen, free)
    equations = _Equations(scene, seen, free, residual, inside)
    return equations.focal_deviation()


def _cost(scene: Scene, seen: Sightings, problem: Problem) -> tuple[float, np.ndarray, np.ndarray]:
    residual, inside = residuals(scene, seen)
    length = np.linalg.norm(residual, axis=1) / problem.sigma_px
    total = float(np.where(length < HUBER, length**2, HUBER * (2 * length - HUBER)).sum())
    if problem.focal_sigma > 0:
        total += float(np.log(scene.focal / problem.focal_prior) / problem.focal_sigma) ** 2
    return total, residual, inside


class _Equations:
    """The normal equations of one step."""

    def __init__(
        self, scene: Scene, seen: Sightings, problem: Problem, residual: np.ndarray, inside: np.ndarray
    ) -> None:
        self._scene, self._seen, self._problem = scene, seen, problem
        length = np.linalg.norm(residual, axis=1) / problem.sigma_px
        weight = HUBER / np.maximum(length, HUBER) / problem.sigma_px**2
        weight[inside[:, 2] <= _LEAST_DEPTH] = 0.0
        by_camera, by_point = _slopes(scene, seen, inside)
        weighted = np.swapaxes(by_camera * weight[:, None, None], 1, 2)
        self._first = np.flatnonzero(np.diff(seen.point, prepend=-1))
        by_point_t = np.swapaxes(by_point * weight[:, None, None], 1, 2)
        self._cross = weighted @ by_point  # (M, 7, 3)
        self._points = np.add.reduceat(by_point_t @ by_point, self._first)
        self._point_right = -np.add.reduceat((by_point_t @ residual[:, :, None])[:, :, 0], self._first)
        self._build_cameras(weighted @ by_camera, -(weighted @ residual[:, :, None])[:, :, 0])

    def _build_cameras(self, blocks: np.ndarray, right: np.ndarray) -> None:
        """The part of cameras and focal length alone: (6 K + 1) squared, from (M, 7, 7) and (M, 7)."""
        count, camera, problem = len(self._scene.camera_from_world), self._seen.camera, self._problem
        by_camera = np.zeros((count, 7, 7))
        right_by_camera = np.zeros((count, 7))
        order = np.argsort(camera, kind="stable")
        first = np.flatnonzero(np.diff(camera[order], prepend=-1))
        present = camera[order][first]
        by_camera[present] = np.add.reduceat(blocks[order], first)
        right_by_camera[present] = np.add.reduceat(right[order], first)
        size = 6 * count + 1
        self._cameras = np.zeros((size, size))
        for number in range(count):
            place = slice(6 * number, 6 * number + 6)
            self._cameras[place, place] = by_camera[number, :6, :6]
            self._cameras[place, -1] = self._cameras[-1, place] = by_camera[number, :6, 6]
        self._cameras[-1, -1] = by_camera[:, 6, 6].sum()
        self._right = np.append(right_by_camera[:, :6].ravel(), right_by_camera[:, 6].sum())
        if problem.focal_sigma > 0:
            self._cameras[-1, -1] += problem.focal_sigma**-2
            self._right[-1] -= np.log(self._scene.focal / problem.focal_prior) / problem.focal_sigma**2
        free = np.repeat(~problem.fixed, 6)
        self._free = np.flatnonzero(np.append(free, problem.focal_sigma > 0))

    def _reduced(self, damping: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The equations without points: matrix, right side, and the inverses (N, 3, 3) that points are found with."""
        damped = self._points + damping * self._points * np.eye(3) + _TINY * np.eye(3)
        inverse = np.linalg.inv(damped)
        factor = np.linalg.cholesky(inverse)
        matrix = self._cameras.copy()
        matrix[np.diag_indices(len(matrix))] += damping * np.diag(self._cameras) + _TINY
        right = self._right.copy()
        seen, last = self._seen, len(self._right) - 1
        ends = np.append(self._first[1:], len(seen.point))
        for begin in range(0, len(self._first), _CHUNK):
            end = min(begin + _CHUNK, len(self._first))
            rows = slice(self._first[begin], ends[end - 1])
            camera, point = seen.camera[rows], seen.point[rows] - begin
            low, high = int(camera.min()), int(camera.max()) + 1
            dense = np.zeros((end - begin, high - low, 6, 3))
            dense[point, camera - low] = self._cross[rows, :6]
            focal = np.add.reduceat(self._cross[rows, 6], self._first[begin:end] - self._first[begin])
            whole = np.concatenate([dense.reshape(end - begin, -1, 3), focal[:, None]], axis=1)
            half = np.ascontiguousarray(np.swapaxes(whole @ factor[begin:end], 0, 1)).reshape(whole.shape[1], -1)
            place = np.append(np.arange(6 * low, 6 * high), last)
            matrix[np.ix_(place, place)] -= half @ half.T
            toward = (np.swapaxes(factor[begin:end], 1, 2) @ self._point_right[begin:end, :, None]).reshape(-1)
            right[place] -= half @ toward
        return matrix, right, inverse

    def step(self, damping: float) -> Scene | None:
        """The scene after one step; None where the equations have no solution."""
        try:
            matrix, right, inverse = self._reduced(damping)
            change = np.zeros(len(right))
            change[self._free] = np.linalg.solve(matrix[np.ix_(self._free, self._free)], right[self._free])
        except np.linalg.LinAlgError:
            return None
        cameras = change[:-1].reshape(-1, 6)
        seven = np.column_stack([cameras[self._seen.camera], np.full(len(self._seen.camera), change[-1])])
        pulled = np.add.reduceat((seven[:, None] @ self._cross)[:, 0], self._first)
        points = (inverse @ (self._point_right - pulled)[:, :, None])[:, :, 0]
        if not (np.isfinite(change).all() and np.isfinite(points).all()):
            return None
        pose = self._scene.camera_from_world.copy()
        pose[:, :3, :3] = axis_angle_to_matrix(cameras[:, :3]) @ pose[:, :3, :3]
        pose[:, :3, 3] += cameras[:, 3:]
        focal = self._scene.focal * float(np.exp(np.clip(change[-1], -_LONGEST_FOCAL_STEP, _LONGEST_FOCAL_STEP)))
        return Scene(pose, self._scene.points + points, focal)

    def focal_deviation(self) -> float:
        """As :func:`focal_deviation`; infinite where the equations have no solution."""
        right = np.zeros(len(self._free))
        right[-1] = 1.0
        try:
            matrix, _, _ = self._reduced(0.0)
            # The scale of the world is free; a trace of damping decides it and leaves the focal length alone.
            matrix[np.diag_indices(len(matrix))] += _GAUGE_DAMPING * np.diag(self._cameras)
            inside = matrix[np.ix_(self._free, self._free)]
            variance = float(np.linalg.solve(inside, right)[-1])
        except np.linalg.LinAlgError:
            return np.inf
        return float(np.sqrt(variance)) if variance > 0 else np.inf


def _slopes(scene: Scene, seen: Sightings, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of the (M, 2) pixels: by turn and shift of the camera and log focal length (M, 2, 7), by the point
    (M, 2, 3). A camera turns about its own axes at the world's origin."""
    pose, focal = scene.camera_from_world[seen.camera], scene.focal
    depth = np.maximum(inside[:, 2], _LEAST_DEPTH)
    plain = inside[:, :2] / depth[:, None]
    by_place = np.zeros((len(inside), 2, 3))
    by_place[:, 0, 0] = by_place[:, 1, 1] = focal / depth
    by_place[:, :, 2] = -plain * focal / depth[:, None]
    turned = inside - pose[:, :3, 3]
    by_camera = np.empty((len(inside), 2, 7))
    # d(w x T)/dw, T the turned point: each row of `by_place` crossed with T.
    by_camera[:, :, :3] = np.cross(turned[:, None], by_place)
    by_camera[:, :, 3:6] = by_place
    by_camera[:, :, 6] = plain * focal
    return by_camera, by_place @ pose[:, :3, :3]
