# SPDX-License-Identifier: GPL-3.0-or-later
"""People of known size on a floor, seen by a known camera: their landmarks without a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.landmarks.turns import turns_to

SIZE = (1280, 720)

# Metres, a person who stands at the origin and looks towards -z: his left is at +x; y up from the sole.
_BODY = {
    0: (0.0, 1.58, -0.12), 2: (0.03, 1.62, -0.1), 5: (-0.03, 1.62, -0.1), 7: (0.07, 1.6, 0.0), 8: (-0.07, 1.6, 0.0),
    11: (0.18, 1.4, 0.0), 12: (-0.18, 1.4, 0.0), 13: (0.28, 1.15, -0.02), 14: (-0.28, 1.15, -0.02),
    15: (0.3, 0.92, -0.1), 16: (-0.3, 0.92, -0.1), 23: (0.1, 0.9, 0.0), 24: (-0.1, 0.9, 0.0),
    25: (0.11, 0.5, -0.04), 26: (-0.11, 0.5, -0.04), 27: (0.11, 0.08, 0.02), 28: (-0.11, 0.08, 0.02),
    29: (0.11, 0.02, 0.08), 30: (-0.11, 0.02, 0.08), 31: (0.14, 0.02, -0.14), 32: (-0.14, 0.02, -0.14),
}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """Landmarks of N people, as `observations` has them, and where their hips really are."""

    point_px: np.ndarray
    world: np.ndarray
    visibility: np.ndarray
    inside: np.ndarray
    hips: np.ndarray
    """(N, 3) camera frame, metres."""
    landmarks: np.ndarray
    """(N, 39, 3) camera frame, metres."""


def see(
    places: np.ndarray,
    turns: np.ndarray,
    focal_px: float,
    pitch: float = 0.25,
    height: float = 2.2,
    noise: float = 0.0,
    dice: np.random.Generator | None = None,
    lift: np.ndarray | float = 0.0,
) -> Seen:
    """People at (N, 2) places (right, ahead of the camera, metres on the floor), turned by (N,) radians.

    The camera is `height` metres above the floor and looks down by `pitch` radians. `noise` is a share of the size in
    the picture, and of a metre in the world landmarks; `lift` metres or (N,) that they are above the floor.
    """
    dice = dice or np.random.default_rng(0)
    body = np.zeros((39, 3))
    for landmark, place in _BODY.items():
        body[landmark] = place
    body[[1, 3, 4, 6, 9, 10]] = body[0]
    body[[17, 19, 21]], body[[18, 20, 22]] = body[15] - (0, 0.08, 0), body[16] - (0, 0.08, 0)
    body[33], body[34] = body[23:25].mean(axis=0), body[11:13].mean(axis=0)
    cosine, sine = np.cos(turns), np.sin(turns)
    spin = np.zeros((len(places), 3, 3))
    spin[:, 0, 0], spin[:, 0, 2], spin[:, 2, 0], spin[:, 2, 2], spin[:, 1, 1] = cosine, sine, -sine, cosine, 1.0
    standing = np.einsum("nij,kj->nki", spin, body)
    # y down, the camera at the origin, before it is pitched
    standing[..., 1] = height - standing[..., 1] - np.broadcast_to(lift, len(places))[:, None]
    standing[..., 0] += places[:, 0, None]
    standing[..., 2] += places[:, 1, None]
    camera = standing @ pitched(pitch).T
    centre = (np.array(SIZE) - 1) / 2
    point_px = camera[..., :2] / camera[..., 2:] * focal_px + centre
    hips = camera[:, 23:25].mean(axis=1)
    local = np.einsum("nji,nkj->nki", turns_to(hips), camera - hips[:, None])
    size_px = np.ptp(point_px[:, :33], axis=1).prod(axis=-1)[:, None, None] ** 0.5
    inside = ((point_px >= 0) & (point_px < SIZE)).all(axis=-1)
    return Seen(
        point_px + noise * size_px * dice.normal(size=point_px.shape),
        local + noise * dice.normal(size=local.shape),
        np.ones(inside.shape),
        inside,
        hips,
        camera,
    )


def pitched(pitch: float) -> np.ndarray:
    """(3, 3) from the level camera's frame to that of one which looks down by `pitch` radians."""
    cosine, sine = np.cos(pitch), np.sin(pitch)
    return np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
