# SPDX-License-Identifier: GPL-3.0-or-later
"""One adjustment from a rough start to the end: in rounds that believe the corners more and more, and drop outliers."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .bundle import Problem, Scene, Sightings, adjust, residuals
from .key_frames import LEAST_SIGHTINGS
from .triangulation import nearest_points, part, ray_angles, renumbered


class Round(NamedTuple):
    """One round of an adjustment."""

    sigma_px: float
    gate_px: float
    """Sightings that are farther off after it are left out of the next one."""
    steps: int
    """At most."""
    gain: float
    """It ends when a step lowers the cost by a smaller share."""


EXPLORING = (Round(4.0, 12.0, 15, 3e-4), Round(1.0, 4.0, 15, 3e-4), Round(0.5, 2.0, 25, 1e-4))
"""From a rough start; enough to tell a good one."""

FINISHING = (Round(0.5, 2.0, 40, 1e-6), Round(0.5, 2.0, 40, 1e-6))
"""From a good start to the end: the focal length is the last to settle."""

LEAST_SHARE = 0.6
"""A point stays that so many of its sightings agree with."""

_ROUGH_PX, _FIRST_GATE = 2.0, 12.0
_NEAREST = 0.05
_FIRST_DISTANCE = 8.0
"""Where a point is put at first whose rays meet nowhere before the camera."""


@dataclass(frozen=True)
class FocalPrior:
    """What is known of the focal length beforehand."""

    focal: float
    """Centered pixels."""
    relative_sigma: float
    """0 keeps it."""


@dataclass(frozen=True)
class Adjusted:
    """What an adjustment came to."""

    scene: Scene
    inliers: Sightings
    """Those sightings that agree with it."""
    angle_deg: np.ndarray
    """(N,) as :func:`.triangulation.ray_angles` of the inliers; 0 for points that were given up."""
    share: float
    """Of the sightings that agree."""
    residual_px: float
    """Median distance of those."""
    badness: float
    """Mean distance of all sightings, as a share of the gate that they had to pass; at most 1."""

    def problem(self, prior: FocalPrior, fixed: np.ndarray) -> Problem:
        """That of the last round."""
        return Problem(FINISHING[-1].sigma_px, prior.focal, prior.relative_sigma, fixed)


def beginning(camera_from_world: np.ndarray, focal: float, seen: Sightings, count: int) -> Scene:
    """Cameras (K, 4, 4) with `count` points that are put where they see them."""
    points = nearest_points(camera_from_world, focal, seen, count)
    return _before_the_cameras(Scene(camera_from_world, points, focal), seen)


def adjusted(
    scene: Scene, seen: Sightings, prior: FocalPrior, fixed: np.ndarray, rounds: Sequence[Round]
) -> Generator[None, None, Adjusted]:
    """Adjust a scene in rounds; `fixed` (K,) bool are cameras that stay, at least one. Yields after each step."""
    chosen = np.ones(len(seen.point), bool)
    if rounds[0].sigma_px < _ROUGH_PX:  # the scene is good already, and outliers can be told
        chosen = agreeing(scene, seen, _FIRST_GATE * rounds[0].sigma_px)
    for sigma, gate, steps, gain in rounds:
        problem = Problem(sigma, prior.focal, prior.relative_sigma, fixed, steps, gain)
        inside, kept = renumbered(part(seen, chosen))
        if not len(kept):
            break
        better = yield from adjust(Scene(scene.camera_from_world, scene.points[kept], scene.focal), inside, problem)
        points = scene.points.copy()
        points[kept] = better.points
        scene = Scene(better.camera_from_world, points, better.focal)
        chosen = agreeing(scene, seen, gate)
    return judged(scene, seen, chosen)


def judged(scene: Scene, seen: Sightings, chosen: np.ndarray) -> Adjusted:
    """The scene with what there is to say of it; `chosen` (M,) bool are the sightings that agree."""
    inliers = part(seen, chosen)
    off = np.linalg.norm(residuals(scene, inliers)[0], axis=1)
    return Adjusted(
        scene,
        inliers,
        ray_angles(scene, inliers),
        float(chosen.mean()) if len(chosen) else 0.0,
        float(np.median(off)) if len(off) else np.inf,
        float(1 - (len(off) - (off / FINISHING[-1].gate_px).clip(0, 1).sum()) / max(len(chosen), 1)),
    )


def agreeing(scene: Scene, seen: Sightings, gate: float) -> np.ndarray:
    """(M,) bool: sightings within the gate, of points that enough of theirs agree with."""
    off, inside = residuals(scene, seen)
    chosen = (np.linalg.norm(off, axis=1) < gate) & (inside[:, 2] > _NEAREST)
    count = np.bincount(seen.point[chosen], minlength=len(scene.points))
    total = np.bincount(seen.point, minlength=len(scene.points))
    return chosen & ((count >= LEAST_SIGHTINGS) & (count > LEAST_SHARE * total))[seen.point]


def _before_the_cameras(scene: Scene, seen: Sightings) -> Scene:
    """Points that lie behind a camera that sees them go to a plain distance on their first ray."""
    _, inside = residuals(scene, seen)
    lost = np.zeros(len(scene.points), bool)
    lost[seen.point[inside[:, 2] < 2 * _NEAREST]] = True
    lost |= ~np.isfinite(scene.points).all(axis=1)
    depth = inside[~lost[seen.point], 2]
    distance = 2 * float(np.median(depth)) if len(depth) else _FIRST_DISTANCE
    first = np.flatnonzero(np.diff(seen.point, prepend=-1))
    first = first[lost[seen.point[first]]]
    pose = scene.camera_from_world[seen.camera[first]]
    place = np.column_stack([seen.pixel[first] / scene.focal, np.ones(len(first))]) * distance
    points = scene.points.copy()
    points[seen.point[first]] = (np.swapaxes(pose[:, :3, :3], 1, 2) @ (place - pose[:, :3, 3])[:, :, None])[:, :, 0]
    return Scene(scene.camera_from_world, points, scene.focal)
