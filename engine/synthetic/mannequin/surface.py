# SPDX-License-Identifier: GPL-3.0-or-later
"""The mannequin's surface as a field: positive outside, negative inside, about metric close to the skin.

The body is built of lofts (limbs, torso, fingers: a table of cross-sections along an axis) and ellipsoids (muscles,
skull, features of the face), melted together by a smooth minimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.interpolate import PchipInterpolator

from ...contract.rotations import axis_angle_to_matrix


class Solid(Protocol):
    """Something with an inside."""

    center: np.ndarray
    reach: float
    """Nothing of the solid is further than this from its centre."""

    def distance(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) points to (N,) signed distances, exact in sign and about metric near the surface."""
        ...


class Loft:
    """A solid swept along a straight axis: at each station a cross-section of four quarter ellipses.

    `stations` holds rows (t, centre_u, centre_v, radius_u+, radius_u-, radius_v+, radius_v-) in metres: t along
    `axis` from `origin`, u and v along the two directions across. Both ends are closed by caps that stand out by
    `cap`. `exponent` above 2 squares the cross-section.
    """

    def __init__(
        self,
        origin: Sequence[float] | np.ndarray,
        axis: Sequence[float] | np.ndarray,
        across: Sequence[float],
        stations: Sequence[Sequence[float]],
        cap: float,
        exponent: float = 2.0,
    ) -> None:
        table = np.asarray(stations, dtype=np.float64)
        self.origin = np.asarray(origin, dtype=np.float64)
        direction = np.asarray(axis, dtype=np.float64)
        direction = direction / np.linalg.norm(direction)
        u = np.asarray(across, dtype=np.float64)
        u = u - direction * (u @ direction)
        u /= np.linalg.norm(u)
        self.frame = np.stack([direction, u, np.cross(direction, u)])
        """Rows: along, u, v."""
        self.start, self.end = table[0, 0], table[-1, 0]
        self._profile = PchipInterpolator(table[:, 0], table[:, 1:])
        self.cap = cap
        """How far the caps stand out beyond the ends."""
        self._exponent = exponent
        middle = 0.5 * (self.start + self.end)
        self.center = self.point(np.array([middle]), np.zeros(1), np.zeros(1))[0]
        self.reach = float(0.5 * (self.end - self.start) + 2.0 * np.abs(table[:, 1:]).max())

    def distance(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) points to (N,) signed distances measured towards the centre of the cross-section."""
        local = (points - self.origin) @ self.frame.T
        t = np.clip(local[:, 0], self.start, self.end)
        profile = self._profile(t)
        beyond = local[:, 0] - t
        u, v = local[:, 1] - profile[:, 0], local[:, 2] - profile[:, 1]
        radius_u = np.where(u > 0, profile[:, 2], profile[:, 3])
        radius_v = np.where(v > 0, profile[:, 4], profile[:, 5])
        n = self._exponent
        ratio = (np.abs(u / radius_u) ** n + np.abs(v / radius_v) ** n + np.abs(beyond / self.cap) ** n) ** (1 / n)
        length = np.sqrt(u * u + v * v + beyond * beyond)
        return length * (1 - 1 / np.maximum(ratio, 1e-6))

    def point(self, t: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Point of the cross-section at `t`: (x, y) in the unit disc, its rim on the surface; all (N,)."""
        profile = self._profile(np.clip(t, self.start, self.end))
        u = profile[:, 0] + x * np.where(x > 0, profile[:, 2], profile[:, 3])
        v = profile[:, 1] + y * np.where(y > 0, profile[:, 4], profile[:, 5])
        return self.origin + np.stack([t, u, v], axis=-1) @ self.frame


class Ellipsoid:
    """An ellipsoid with radii along x, y and z, turned about x, then y, then z by angles in degrees."""

    def __init__(
        self, center: Sequence[float] | np.ndarray, radii: Sequence[float], tilt: Sequence[float] = (0.0, 0.0, 0.0)
    ) -> None:
        self._rotation = np.eye(3)
        for axis, angle in zip(np.eye(3), tilt, strict=True):
            self._rotation = axis_angle_to_matrix(np.radians(angle) * axis) @ self._rotation
        self.center, self._radii = np.asarray(center, dtype=np.float64), np.asarray(radii, dtype=np.float64)
        self.reach = float(self._radii.max())

    def distance(self, points: np.ndarray) -> np.ndarray:
        local = (points - self.center) @ self._rotation
        length = np.linalg.norm(local, axis=1)
        ratio = np.linalg.norm(local / self._radii, axis=1)
        return length * (1 - 1 / np.maximum(ratio, 1e-6))


class HalfSpace:
    """Everything on the side of the plane through `point` that `normal` points to."""

    reach = np.inf

    def __init__(self, point: Sequence[float] | np.ndarray, normal: Sequence[float]) -> None:
        self.center = np.asarray(point, dtype=np.float64)
        self._normal = np.asarray(normal) / np.linalg.norm(normal)

    def distance(self, points: np.ndarray) -> np.ndarray:
        return (self.center - points) @ self._normal


def smooth_minimum(a: np.ndarray, b: np.ndarray, blend: float) -> np.ndarray:
    """Union of two fields with a fillet about `blend` metres wide."""
    h = np.maximum(blend - np.abs(a - b), 0.0) / blend
    return np.minimum(a, b) - 0.25 * blend * h * h


@dataclass(frozen=True)
class Piece:
    """One solid of the body and how it joins what came before it."""

    solid: Solid
    blend: float
    """Width of the fillet in metres."""
    carve: bool = False
    """Take the solid away instead of adding it."""


class Melted:
    """The pieces joined in order. Left and right are one: the field is evaluated at (|x|, y, z)."""

    def __init__(self, pieces: Sequence[Piece], reach: float = np.inf) -> None:
        self._pieces = pieces
        self.center, self.reach = pieces[0].solid.center, reach

    def distance(self, points: np.ndarray) -> np.ndarray:
        folded = points.copy()
        folded[:, 0] = np.abs(folded[:, 0])
        value = self._pieces[0].solid.distance(folded)
        for piece in self._pieces[1:]:
            # Further away than its fillet is wide a piece changes nothing near the surface.
            near = np.nonzero(_gap(folded, piece.solid) < piece.blend + 0.02)[0]
            other = piece.solid.distance(folded[near])
            if piece.carve:
                value[near] = -smooth_minimum(-value[near], other, piece.blend)
            else:
                value[near] = smooth_minimum(value[near], other, piece.blend)
        return value


def _gap(points: np.ndarray, solid: Solid) -> np.ndarray:
    return np.linalg.norm(points - solid.center, axis=1) - solid.reach


def gradient(solid: Solid, points: np.ndarray, step: float = 2e-4) -> np.ndarray:
    """(N, 3) gradient of the distance by central differences."""
    result = np.empty_like(points)
    for axis in range(3):
        offset = np.zeros(3)
        offset[axis] = step
        result[:, axis] = (solid.distance(points + offset) - solid.distance(points - offset)) / (2 * step)
    return result


def project(
    solid: Solid, points: np.ndarray, directions: np.ndarray, iterations: int, longest_step: float = 0.012
) -> np.ndarray:
    """Move points onto the surface, no step longer than the longest.

    `directions` (N, 3): unit vectors to move along, or zero for downhill, which is the shortest way.
    """
    bound = np.linalg.norm(directions, axis=1, keepdims=True) > 0
    for _ in range(iterations):
        slope = gradient(solid, points)
        slope = np.where(bound, directions * np.sum(slope * directions, axis=1, keepdims=True), slope)
        step = solid.distance(points)[:, None] * slope / np.maximum(np.sum(slope * slope, axis=1, keepdims=True), 0.05)
        length = np.linalg.norm(step, axis=1, keepdims=True)
        points = points - step * np.minimum(1.0, longest_step / np.maximum(length, 1e-12))
    return points
