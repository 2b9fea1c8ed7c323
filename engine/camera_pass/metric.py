# SPDX-License-Identifier: GPL-3.0-or-later
"""Meters and gravity for a path, from the people in the clip: their bodies stand up, and their feet on the floor."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from ..contract.messages import Frame
from ..contract.skeleton import BODY_JOINT_COUNT, LEFT_ANKLE, LEFT_FOOT, NECK
from ..landmarks.camera.floor import Floor, floor_from_people
from ..motion.standing_levels import lower_soles
from .clip import Clip
from .lowest_plane import lowest_plane

FEET = [LEFT_ANKLE, LEFT_ANKLE + 1, LEFT_FOOT, LEFT_FOOT + 1]

GAPS_S = (0.13, 0.2, 0.27, 0.4)
"""Seconds over which a planted foot is looked for: a step of somebody who walks is planted for 0.6."""

AGREEMENT, _SIGMAS = 0.35, 2.0
"""Log ratio within which the floor's points have to agree with the planted feet, and so many of the feet's deviations
more."""

_LEAST_STEPS, _LEAST_STANCES = 10, 5
_NEAREST_M = 0.3
_SAME_LEVEL = 0.15
"""Share of the camera's height within which points and feet are on one floor."""
_STRETCH, _MOST_FRAMES = 40, 3000
"""Frames in a row, and altogether, that stances are taken of."""
_SLICE = 32
"""Frames between two yields."""
_UPRIGHT_DEG, _BENT_DEG = 5.0, 25.0
"""How far up may be off that people who stand tell, and that people tell who sit or bend."""
_SHARED = 8.0
"""Pairs of frames share frames: so many of them say as much as one."""
_WORST_DEVIATION = 0.25
"""Planted feet that are less sure than this tell no scale."""


@dataclass(frozen=True)
class Stances:
    """S people in frames; camera frame, meters."""

    frame: np.ndarray
    """(S,) indices."""
    track: np.ndarray
    """(S,)"""
    joints: np.ndarray
    """(S, 22, 3)."""
    interval_s: float
    """Seconds from one frame to the next."""

    def turned(self, world_from_camera: np.ndarray) -> np.ndarray:
        """(S, 22, 3) the joints from their cameras' centers, in the axes of the world of (N, 4, 4) poses."""
        return self.joints @ np.swapaxes(world_from_camera[self.frame, :3, :3], 1, 2)


def stances(clip: Clip, frame_count: int, focal_px: float, hidden_feet: bool = False) -> Generator[None, None, Stances]:
    """Stances of the clip, as bodies are under another focal length: their distances grow with it.

    Feet and necks are in the picture, or with `hidden_feet` perhaps not: then a model only supposes where they are. Of
    clips of very many frames, stretches are taken that are spread over it. Yields now and then.
    """
    rows: list[tuple[int, int, np.ndarray]] = []
    first_s = last_s = None
    apart = _STRETCH * max(1, -(-frame_count // _MOST_FRAMES))
    for frame in clip.frames():
        if frame.index % _SLICE == 0:
            yield
        first_s, last_s = frame.time_s if first_s is None else first_s, frame.time_s
        if len(frame.track_id) and frame.index % apart < _STRETCH:
            rows += _stances_in(frame, clip, focal_px, hidden_feet)
    interval_s = 0.0 if first_s is None or last_s is None else (last_s - first_s) / max(frame_count - 1, 1)
    if not rows:
        return Stances(np.empty(0, int), np.empty(0, int), np.empty((0, BODY_JOINT_COUNT, 3)), interval_s)
    frame_index, track, joints = zip(*rows, strict=True)
    return Stances(np.array(frame_index), np.array(track), np.array(joints), interval_s)


def _stances_in(frame: Frame, clip: Clip, focal_px: float, hidden_feet: bool) -> list[tuple[int, int, np.ndarray]]:
    found = []
    for track, joints in zip(frame.track_id.tolist(), clip.joints(frame)[:, :BODY_JOINT_COUNT], strict=True):
        shown = joints[[*FEET, NECK]]
        if not shown[:, 2].min() > _NEAREST_M:
            continue
        pixel = shown[:, :2] / shown[:, 2:] * frame.focal_px + frame.principal_point_px
        outside = (pixel < 0).any() or (pixel > np.array(clip.footage_size) - 1).any()
        if outside and not hidden_feet:
            continue
        farther = (focal_px / frame.focal_px - 1) * joints[0, 2]
        found.append((frame.index, int(track), (joints + np.array([0, 0, farther])).astype(np.float32)))
    return found


def up_of(people: Stances, world_from_camera: np.ndarray) -> tuple[np.ndarray, float] | None:
    """(3,) away from the earth, as those stand who stand upright, and by how many degrees that may be off; None where
    there are too few people."""
    if len(people.frame) < _LEAST_STANCES:
        return None
    joints = people.turned(world_from_camera)
    floor = floor_from_people(joints + world_from_camera[people.frame, None, :3, 3])
    if floor is not None:
        return floor.up, _UPRIGHT_DEG
    up = joints[:, NECK] - joints[:, [LEFT_ANKLE, LEFT_ANKLE + 1]].mean(axis=1)
    middle = np.median(up / np.linalg.norm(up, axis=1, keepdims=True), axis=0)
    length = float(np.linalg.norm(middle))
    return (middle / length, _BENT_DEG) if length > 0.5 else None


@dataclass(frozen=True)
class Told:
    """A scale, and how sure it is."""

    scale: float
    """Meters for each unit of the path."""
    deviation: float
    """Standard deviation of its logarithm."""


def scale_from_planted_feet(people: Stances, world_from_camera: np.ndarray) -> Told | None:
    """The scale under which the slower foot of people stands still; None where nothing tells.

    Every pair of frames says one scale, weighted by the square of the camera's motion in between.
    """
    turned = people.turned(world_from_camera)[:, FEET]
    row_of = {key: row for row, key in enumerate(zip(people.track.tolist(), people.frame.tolist(), strict=True))}
    gaps = sorted({max(1, round(gap_s / people.interval_s)) for gap_s in GAPS_S}) if people.interval_s > 0 else ()
    scales: list[float] = []
    weights: list[float] = []
    for (track, frame), row in row_of.items():
        for gap in gaps:
            other = row_of.get((track, frame + gap))
            if other is None:
                continue
            motion = world_from_camera[frame + gap, :3, 3] - world_from_camera[frame, :3, 3]
            squared = float(motion @ motion)
            if squared < 1e-12:
                continue
            steps = turned[other] - turned[row]
            scale = -(steps @ motion) / squared
            slower = int(np.linalg.norm(steps + scale[:, None] * motion, axis=1).argmin())
            scales.append(float(scale[slower]))
            weights.append(squared)
    if len(scales) < _LEAST_STEPS:
        return None
    told, weight = np.array(scales), np.array(weights)
    middle = _weighted_median(told, weight)
    if middle <= 0:
        return None
    spread = 1.4826 * _weighted_median(np.abs(told - middle), weight) / middle
    independent = float(weight.sum() ** 2 / (weight**2).sum()) / _SHARED
    return Told(middle, float(spread / np.sqrt(max(independent, 1.0))))


def scale_from_floor(people: Stances, world_from_camera: np.ndarray, floor: tuple[np.ndarray, float]) -> float | None:
    """The scale under which people's feet are on the floor `up . p == level` (up, level); None without any."""
    up, level = floor
    soles = _soles(people, world_from_camera, up)
    camera_above = world_from_camera[people.frame, :3, 3] @ up - level
    usable = camera_above > 1e-6
    if usable.sum() < _LEAST_STANCES:
        return None
    scale = float(np.median(-(soles[usable] @ up) / camera_above[usable]))
    return scale if scale > 0 else None


def scale_of(people: Stances, world_from_camera: np.ndarray, points: np.ndarray) -> float | None:
    """Meters for each unit of a path and its points, by floor and feet where those agree; None where nothing tells."""
    planted = scale_from_planted_feet(people, world_from_camera)
    up = up_of(people, world_from_camera)
    plane = lowest_plane(points, world_from_camera[:, :3, 3], *up) if up is not None else None
    floor = scale_from_floor(people, world_from_camera, plane) if plane is not None else None
    return agreed_scale(planted, floor)


def agreed_scale(planted: Told | None, floor: float | None) -> float | None:
    """The floor's scale where no planted feet speak against it, else theirs; None where nothing tells."""
    if planted is None or planted.deviation >= _WORST_DEVIATION:
        return floor
    if floor is not None and abs(np.log(floor / planted.scale)) < AGREEMENT + _SIGMAS * planted.deviation:
        return floor
    return planted.scale


def floor_of(people: Stances, world_from_camera: np.ndarray, points: np.ndarray) -> Floor | None:
    """The floor of a path in meters, in its world: the lowest plane of points where that is near people's feet, else
    the floor that people themselves tell."""
    up = up_of(people, world_from_camera)
    if up is None:
        return None
    plane = lowest_plane(points, world_from_camera[:, :3, 3], *up)
    if plane is not None:
        soles = _soles(people, world_from_camera, plane[0]) + world_from_camera[people.frame, :3, 3]
        off = float(np.median(soles @ plane[0])) - plane[1]
        if abs(off) < _SAME_LEVEL * abs(plane[1]):
            return Floor(plane[0], -plane[1])
    return floor_from_people(people.turned(world_from_camera) + world_from_camera[people.frame, None, :3, 3])


def _soles(people: Stances, world_from_camera: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(S, 3) the lower sole of each stance from the camera's center, in the world's axes."""
    turned = people.turned(world_from_camera)[:, FEET]
    return lower_soles(turned[:, :2], turned[:, 2:], up)


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
