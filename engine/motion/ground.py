# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way is up and where the floor is, from the static points, the cameras and the people.

The world is that of the take: OpenCV axes, the first camera's frame. Up is the direction that most evidence speaks
for: surfaces that are level or upright, people who stand straight, cameras that are held without roll. The floor is the
level surface that people's feet are on, the lowest one where they stand on several; without one in the points, where
the feet are; without people, the lowest one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..contract.rotations import unit
from ..contract.skeleton import LEFT_ANKLE, LEFT_FOOT, LEFT_HIP, LEFT_KNEE, NECK, PELVIS
from .ground_evidence import GroundEvidence, measure_evidence
from .standing_feet import StandingFeet
from .standing_levels import lower_soles, on_lowest_level
from .surface_patches import Patches, find_patches, thinned

_CONE_DEG = 65.0
"""Up is looked for within this angle of the cameras' own up: nobody films upside down."""
_SEARCH = ((_CONE_DEG, 4.0), (6.0, 1.0), (1.5, 0.25))
"""Half angle and step of the coarse search and of those around its best answers, degrees."""
_SHARPNESS_DEG = (6.0, 3.0, 2.0)
"""How far evidence may be off and still count for more than half, in each search."""

_SURFACE_WEIGHT, _PEOPLE_WEIGHT, _LEVEL_WEIGHT, _CAMERA_WEIGHT = 1.0, 0.5, 0.15, 0.05
_UPRIGHT_SHARE = 0.4
"""What an upright surface counts against a level one: it speaks for a circle of directions."""
_BODY_SPREAD_DEG = 3.0
"""People lean; they count as this much wider than surfaces."""

_UPRIGHT = 0.5
"""Bodies that are straighter than this are upright."""
_LEVEL_DEG = 12.0
_BIN_M = 0.02
_BAND_M = 0.05
"""Points of the floor lie within this of it."""
_FEET_TRUST_M = 0.15
_STANDING_M = 0.1
"""How far the soles of people who stand on a level may be off it."""
_LEVEL_BANDS_M = (0.25, 0.18, 0.12)
_MEASUREMENT_M = 0.05
_POINTS_PER_MEASUREMENT, _SOLES_PER_MEASUREMENT = 40.0, 5.0
_TILT_DEG = 3.0
"""How far the level may be off that normals and people tell."""
_LEAST_SUPPORT = 0.04
"""Share of the patches that a floor must have."""


@dataclass(frozen=True)
class Ground:
    """A plane that is level: the points p with `up . p == height`."""

    up: np.ndarray
    """(3,) unit vector away from the earth, take world."""
    height: float
    """Meters along `up`."""
    source: str
    """What the height was read from: ``points``, ``feet`` or ``lowest points``; ``cameras`` where nothing was there."""
    evidence: GroundEvidence | None = None
    """What it rests on, where that was measured."""

    def heights(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) points to (...) meters above the floor."""
        return np.asarray(points, dtype=np.float64) @ self.up - self.height


def estimate_ground(points: np.ndarray, world_from_camera: np.ndarray, joints: np.ndarray) -> Ground:
    """The ground of a place.

    `points` (N, 3) static points; `world_from_camera` (T, 4, 4), at least one; `joints` (P, 55, 3) world joints of
    people in any frames, P may be 0. Meters, take world.
    """
    cameras = np.asarray(world_from_camera, dtype=np.float64)
    joints = np.asarray(joints, dtype=np.float64).reshape(-1, *np.shape(joints)[1:])
    points = np.asarray(points, dtype=np.float64)
    patches = find_patches(points)
    up = _up(patches, cameras, joints)
    feet = _feet_height(joints, up)
    height, source = _floor_height(patches, up, feet)
    if height is None:
        lowest = float(np.percentile(points @ up, 2)) if len(points) else None
        known = [(feet, "feet"), (lowest, "lowest points"), (0.0, "cameras")]
        height, source = next((value, name) for value, name in known if value is not None)
    if source in ("points", "feet"):
        up, height = _levelled(up, height, thinned(points) if source == "points" else points[:0], _soles(joints, up))
    return Ground(up, height, source)


def levelled_on_feet(ground: Ground, feet: StandingFeet) -> Ground:
    """A floor whose height was read from feet, through the places where they stand: bodies lean, and who walks about
    tells its slope better. It tilts the less the closer together these places are; any other floor stays as it is.
    """
    if ground.source != "feet":
        return ground
    # Frames in which one foot stands share their errors: all of them are one measurement.
    up, height = _levelled_on(ground.up, ground.height, feet.place, np.ones(len(feet.place)))
    return replace(ground, up=up, height=height)


def with_evidence(
    ground: Ground, points: np.ndarray, cameras: np.ndarray, joints: np.ndarray, feet: StandingFeet
) -> Ground:
    """A floor with what agrees with it: the `feet` that stand, and arrays as for :func:`estimate_ground`."""
    body, straight = _standing(joints, unit(-cameras[:, :3, 1].mean(axis=0)))
    lean = _degrees(body, ground.up[None])[:, 0]
    return replace(ground, evidence=measure_evidence(ground.heights, points, feet, lean[straight > _UPRIGHT]))


def _up(patches: Patches, cameras: np.ndarray, joints: np.ndarray) -> np.ndarray:
    camera_up = unit(-cameras[:, :3, 1].mean(axis=0))
    sideways = cameras[:: max(1, len(cameras) // 200), :3, 0]
    body, body_weight = _standing(joints, camera_up)
    best = camera_up
    for (reach, step), sharpness in zip(_SEARCH, _SHARPNESS_DEG, strict=True):
        directions = _cone(best, reach, step)
        score = _CAMERA_WEIGHT * directions @ camera_up
        score += _LEVEL_WEIGHT * _agreement(90 - _degrees(directions, sideways), sharpness).mean(axis=1)
        if len(patches.weight):
            tilt = _degrees(directions, patches.normal, either_way=True)
            surface = _agreement(tilt, sharpness) + _UPRIGHT_SHARE * _agreement(90 - tilt, sharpness)
            score += _SURFACE_WEIGHT * surface @ patches.weight / patches.weight.sum()
        if body_weight.sum() > 0:
            lean = _agreement(_degrees(directions, body), sharpness + _BODY_SPREAD_DEG)
            # Few people in few frames say less than many.
            score += _PEOPLE_WEIGHT * lean @ body_weight / max(body_weight.sum(), 3.0)
        best = directions[score.argmax()]
    return best


def _standing(joints: np.ndarray, camera_up: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(P, 3) directions from feet to neck and (P,) how straight bodies are; who sits or bends counts for little."""
    if not len(joints):
        return np.zeros((0, 3)), np.zeros(0)
    joints = joints[:: max(1, len(joints) // 1000)]
    knees, ankles, hips = (joints[:, joint : joint + 2].mean(axis=1) for joint in (LEFT_KNEE, LEFT_ANKLE, LEFT_HIP))
    trunk, thigh, shank = (unit(part) for part in (joints[:, NECK] - joints[:, PELVIS], hips - knees, knees - ankles))
    straight = (trunk * thigh).sum(axis=-1).clip(0, 1) ** 8 * (trunk * shank).sum(axis=-1).clip(0, 1) ** 4
    direction = unit(joints[:, NECK] - ankles)
    return direction, straight * (direction @ camera_up > np.cos(np.deg2rad(_CONE_DEG)))


def _feet_height(joints: np.ndarray, up: np.ndarray) -> float | None:
    """Height of the soles of the lower foot, typical over frames and people on the lowest level that people stand on;
    None without people.
    """
    if not len(joints):
        return None
    heights = _soles(joints, up) @ up
    return float(np.median(heights[on_lowest_level(heights, _STANDING_M)]))


def _soles(joints: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(P, 3) the lowest point under ankle or ball of either foot."""
    ankles, balls = joints[:, LEFT_ANKLE : LEFT_ANKLE + 2], joints[:, LEFT_FOOT : LEFT_FOOT + 2]
    return lower_soles(ankles, balls, up)


def _levelled(up: np.ndarray, height: float, points: np.ndarray, soles: np.ndarray) -> tuple[np.ndarray, float]:
    """The plane through points and soles near the first guess."""
    # Neighbours share their errors: so many of them say as much as one independent measurement.
    trust = np.concatenate(
        [np.full(len(points), 1 / _POINTS_PER_MEASUREMENT), np.full(len(soles), 1 / _SOLES_PER_MEASUREMENT)]
    )
    return _levelled_on(up, height, np.concatenate([points, soles]), trust)


def _levelled_on(up: np.ndarray, height: float, evidence: np.ndarray, trust: np.ndarray) -> tuple[np.ndarray, float]:
    """The plane through (N, 3) places near the first guess, tilted no more than they are wide enough to tell; (N,)
    `trust` says how many independent measurements each is worth.

    Least squares over height and two small tilts, with the tilts expected to be nought.
    """
    for band in _LEVEL_BANDS_M:
        side = unit(np.cross(up, np.eye(3)[np.abs(up).argmin()]))
        other = np.cross(up, side)
        off = evidence @ up - height
        near = np.abs(off) < band
        weight = trust[near] * (1 - (off[near] / band) ** 2) ** 2
        if weight.sum() < 1:
            break
        middle = np.average(evidence[near], axis=0, weights=weight)
        offset = evidence[near] - middle
        rows = np.stack([np.ones(len(offset)), offset @ side, offset @ other], axis=-1)
        normal = (rows * weight[:, None]).T @ rows / _MEASUREMENT_M**2
        normal[[1, 2], [1, 2]] += 1 / np.deg2rad(_TILT_DEG) ** 2
        shift, a, b = np.linalg.solve(normal, rows.T @ (weight * off[near]) / _MEASUREMENT_M**2)
        place = middle + (shift - (middle @ up - height)) * up
        up = unit(up - a * side - b * other)
        height = float(place @ up)
    return up, height


def _floor_height(patches: Patches, up: np.ndarray, feet: float | None) -> tuple[float | None, str]:
    """Height of the best level surface, or None where none has enough support."""
    level = _degrees(up[None], patches.normal, either_way=True)[0] < _LEVEL_DEG
    heights, weight = patches.center @ up, patches.weight
    if not level.any():
        return None, ""
    places = np.arange(heights[level].min() - _BIN_M, heights[level].max() + 2 * _BIN_M, _BIN_M)
    near = np.exp(-0.5 * ((places[:, None] - heights[level]) / (_BAND_M / 2)) ** 2)
    support = near @ weight[level] / weight.sum()
    below = np.array([weight[heights < place - 2 * _BAND_M].sum() for place in places]) / weight.sum()
    score = support * np.exp(-20 * below)
    if feet is not None:
        score = support * np.exp(-5 * below) * np.exp(-0.5 * ((places - feet) / _FEET_TRUST_M) ** 2)
    best = int(score.argmax())
    if support[best] < _LEAST_SUPPORT or (feet is not None and abs(places[best] - feet) > 2 * _FEET_TRUST_M):
        return None, ""
    chosen = level & (np.abs(heights - places[best]) < _BAND_M)
    return float(np.average(heights[chosen], weights=weight[chosen])), "points"


def _cone(axis: np.ndarray, half_angle_deg: float, step_deg: float) -> np.ndarray:
    """Unit vectors within an angle of an axis, about `step_deg` apart; the axis is the first."""
    side = unit(np.cross(axis, np.eye(3)[np.abs(axis).argmin()]))
    other = np.cross(axis, side)
    rings = [axis[None]]
    for polar in np.deg2rad(np.arange(step_deg, half_angle_deg + 1e-6, step_deg)):
        turn = np.arange(0, 2 * np.pi, np.deg2rad(step_deg) / np.sin(polar))[:, None]
        rings.append(np.cos(polar) * axis + np.sin(polar) * (np.cos(turn) * side + np.sin(turn) * other))
    return np.concatenate(rings)


def _degrees(directions: np.ndarray, others: np.ndarray, either_way: bool = False) -> np.ndarray:
    """(D, 3) and (K, 3) unit vectors to (D, K) angles; with `either_way` of lines, up to 90."""
    cosine = directions @ others.T
    return np.rad2deg(np.arccos((np.abs(cosine) if either_way else cosine).clip(-1, 1)))


def _agreement(degrees: np.ndarray, sharpness: float) -> np.ndarray:
    """1 at 0 degrees, falling off smoothly; far angles count for nothing, so that outliers do not pull."""
    return np.exp(-0.5 * (degrees / sharpness) ** 2)
