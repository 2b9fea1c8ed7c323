# SPDX-License-Identifier: GPL-3.0-or-later
"""The mannequin's surface as a field: positive outside, negative inside, about metric close to the skin.

The body is built of lofts (limbs, torso, fingers: a table of cross-sections along an axis) and ellipsoids (muscles,
skull, features of the face), melted together by a smooth minimum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

Field = Callable[[np.ndarray], np.ndarray]
"""(N, 3) points to (N,) values."""


class Loft:
    """A solid swept along a straight axis: at each station a cross-section of four quarter ellipses.

    `stations` holds rows (t, centre_u, centre_v, radius_u+, radius_u-, radius_v+, radius_v-) in metres: t along
    `axis` from `origin`, u and v along the two directions across. Both ends are closed by round caps. `exponent` above
    2 squares the cross-section.
    """

    def __init__(
        self,
        origin: Sequence[float],
        axis: Sequence[float],
        across: Sequence[float],
        stations: Sequence[Sequence[float]],
        exponent: float = 2.0,
        cap: float | None = None,
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
        self._exponent = exponent
        self._cap = cap

    def distance(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) points to (N,) signed distances measured towards the centre of the cross-section."""
        local = (points - self.origin) @ self.frame.T
        t = np.clip(local[:, 0], self.start, self.end)
        profile = self._profile(t)
        beyond = local[:, 0] - t
        u, v = local[:, 1] - profile[:, 0], local[:, 2] - profile[:, 1]
        radius_u = np.where(u > 0, profile[:, 2], profile[:, 3])
        radius_v = np.where(v > 0, profile[:, 4], profile[:, 5])
        cap = profile[:, 2:].mean(axis=1) if self._cap is None else self._cap
        n = self._exponent
        ratio = (np.abs(u / radius_u) ** n + np.abs(v / radius_v) ** n + np.abs(beyond / cap) ** n) ** (1 / n)
        length = np.sqrt(u * u + v * v + beyond * beyond)
        return length * (1 - 1 / np.maximum(ratio, 1e-6))

    def point(self, t: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Point of the cross-section at `t`: (x, y) in the unit disc, its rim on the surface; all (N,)."""
        profile = self._profile(np.clip(t, self.start, self.end))
        u = profile[:, 0] + x * np.where(x > 0, profile[:, 2], profile[:, 3])
        v = profile[:, 1] + y * np.where(y > 0, profile[:, 4], profile[:, 5])
        return self.origin + np.stack([t, u, v], axis=-1) @ self.frame


def ellipsoid(center: Sequence[float], radii: Sequence[float], tilt_x: float = 0.0, tilt_z: float = 0.0) -> Field:
    """An ellipsoid with radii along x, y and z, turned about x and then about z by angles in degrees."""
    cx, sx = np.cos(np.radians(tilt_x)), np.sin(np.radians(tilt_x))
    cz, sz = np.cos(np.radians(tilt_z)), np.sin(np.radians(tilt_z))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    rotation = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]]) @ about_x
    middle, size = np.asarray(center, dtype=np.float64), np.asarray(radii, dtype=np.float64)

    def distance(points: np.ndarray) -> np.ndarray:
        local = (points - middle) @ rotation
        length = np.linalg.norm(local, axis=1)
        ratio = np.linalg.norm(local / size, axis=1)
        return length * (1 - 1 / np.maximum(ratio, 1e-6))

    return distance


def smooth_minimum(a: np.ndarray, b: np.ndarray, blend: float) -> np.ndarray:
    """Union of two fields with a fillet about `blend` metres wide."""
    h = np.maximum(blend - np.abs(a - b), 0.0) / blend
    return np.minimum(a, b) - 0.25 * blend * h * h


@dataclass(frozen=True)
class Piece:
    """One solid of the body and how it joins what came before it."""

    field: Field
    """The solid."""
    blend: float
    """Width of the fillet in metres."""
    carve: bool = False
    """Take the solid away instead of adding it."""


def melted(pieces: Sequence[Piece]) -> Field:
    """The pieces joined in order. Left and right are one: the field is evaluated at (|x|, y, z)."""

    def distance(points: np.ndarray) -> np.ndarray:
        folded = points * np.array([1.0, 1.0, 1.0])
        folded[:, 0] = np.abs(folded[:, 0])
        value = pieces[0].field(folded)
        for piece in pieces[1:]:
            other = piece.field(folded)
            if piece.carve:
                value = -smooth_minimum(-value, other, piece.blend)
            else:
                value = smooth_minimum(value, other, piece.blend)
        return value

    return distance


def gradient(field: Field, points: np.ndarray, step: float = 2e-4) -> np.ndarray:
    """(N, 3) gradient of the field by central differences."""
    result = np.empty_like(points)
    for axis in range(3):
        offset = np.zeros(3)
        offset[axis] = step
        result[:, axis] = (field(points + offset) - field(points - offset)) / (2 * step)
    return result


def project(field: Field, points: np.ndarray, iterations: int = 4, longest_step: float = 0.012) -> np.ndarray:
    """Move points onto the surface, downhill along the gradient; no point moves further than the longest step."""
    for _ in range(iterations):
        slope = gradient(field, points)
        step = field(points)[:, None] * slope / np.maximum(np.sum(slope * slope, axis=1, keepdims=True), 0.05)
        length = np.linalg.norm(step, axis=1, keepdims=True)
        points = points - step * np.minimum(1.0, longest_step / np.maximum(length, 1e-12))
    return points
