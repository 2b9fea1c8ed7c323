# SPDX-License-Identifier: GPL-3.0-or-later
"""A start for an adjustment from the corners alone: two cameras that see points from different sides, then all others,
each located against the points that the ones before have given."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import cv2
import numpy as np

from .adjusting import FocalPrior, Round, adjusted, beginning
from .bundle import Scene, Sightings, residuals
from .locating import LEAST_POINTS, located
from .triangulation import nearest_points, part, ray_angles, renumbered
from .turning import turn_between

_LEAST_COMMON = 40
_LEAST_PARALLAX_PX = 3.0
"""Median distance that a turn alone leaves between two pictures, to begin with them."""
_PAIR_BEGINS, _PAIR_REACH = 6, 24
"""First pictures that pairs are tried from, and key frames up to the second one."""
_MOST_PAIRS = 3
_ESSENTIAL_PX = 1.0
_RANSAC_CONFIDENCE = 0.999
_LEAST_ANGLE_DEG = 0.5
_AGREE_PX = 4.0
_RANSAC_TRIES = 200
_ADJUST_EVERY = 6
"""Cameras that are added between two adjustments of all so far."""
_ADJUSTMENT = (Round(2.0, 6.0, 6, 1e-3),)


def grown(
    camera_from_world: np.ndarray, known: np.ndarray, focal: float, seen: Sightings, count: int
) -> Generator[None, None, np.ndarray]:
    """(K, 4, 4) all cameras, from those that are `known` (K,) bool, which stay as they are.

    Cameras that cannot be located get the pose of their neighbor. Yields after each camera.
    """
    poses, known, fixed = camera_from_world.copy(), known.copy(), known.copy()
    hopeless = np.zeros(len(poses), bool)
    for added in range(1, len(poses) + 1):
        number = _next_camera(known, hopeless)
        if number is None:
            break
        beside = _nearest(known, number)
        pose = _located_by_points(poses, known, focal, seen, count, number, poses[beside])
        if pose is None:
            hopeless[number] = True
            poses[number] = poses[beside]
        else:
            poses[number], known[number] = pose, True
        if added % _ADJUST_EVERY == 0:
            poses = yield from _adjusted_so_far(poses, known, fixed, focal, seen, count)
        yield
    for unknown in np.flatnonzero(~known).tolist():
        poses[unknown] = poses[_nearest(known, unknown)]
    return poses


def pairs_of_cameras(focal: float, seen: Sightings, cameras: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of key frames to begin with, those with the most parallax first: poses (K, 4, 4) of which those two mean
    something, and which (K,) bool they are."""
    scored = sorted(_scored_pairs(focal, seen, cameras), reverse=True)
    for _, first, second in scored[:_MOST_PAIRS]:
        pose = _relative_pose(*_common(seen, first, second), focal)
        if pose is not None:
            poses = np.tile(np.eye(4), (cameras, 1, 1))
            poses[second] = pose
            yield poses, np.isin(np.arange(cameras), [first, second])


def turned_cameras(focal: float, seen: Sightings, cameras: int) -> np.ndarray:
    """(K, 4, 4) the cameras as if they only turned, each against the one before: little motion is found from there."""
    poses = np.tile(np.eye(4), (cameras, 1, 1))
    for number in range(1, cameras):
        before, after = _common(seen, number - 1, number)
        turn = turn_between(before, after, focal)[0] if len(before) >= LEAST_POINTS else np.eye(3)
        poses[number, :3, :3] = turn @ poses[number - 1, :3, :3]
    return poses


def mirrored_cameras(poses: np.ndarray, turned: np.ndarray) -> np.ndarray:
    """(K, 4, 4) the other path that explains little motion nearly as well as `poses`: what is near is far in it, and
    the camera goes the other way and turns against it (Necker's reversal). `turned` are the cameras as if they only
    turned."""
    from_first = poses @ np.linalg.inv(poses[0])
    turn = turned[:, :3, :3] @ turned[0, :3, :3].T
    beyond = from_first[:, :3, :3] @ np.swapaxes(turn, 1, 2)
    mirrored = np.tile(np.eye(4), (len(poses), 1, 1))
    mirrored[:, :3, :3] = np.swapaxes(beyond, 1, 2) @ turn
    centers = -np.swapaxes(from_first[:, :3, :3], 1, 2) @ from_first[:, :3, 3:]
    mirrored[:, :3, 3:] = mirrored[:, :3, :3] @ centers
    return mirrored


def _scored_pairs(focal: float, seen: Sightings, cameras: int) -> Iterator[tuple[float, int, int]]:
    """The best pair of each of some first cameras: its score and both numbers."""
    for first in np.unique(np.linspace(0, max(cameras - 2, 0), _PAIR_BEGINS).astype(int)).tolist():
        best: tuple[float, int, int] | None = None
        for second in range(first + 1, min(first + _PAIR_REACH, cameras)):
            before, after = _common(seen, first, second)
            if len(before) < _LEAST_COMMON:
                break
            parallax = float(np.median(turn_between(before, after, focal)[1]))
            score = parallax * float(np.sqrt(len(before)))
            if parallax >= _LEAST_PARALLAX_PX and (best is None or score > best[0]):
                best = (score, first, second)
        if best is not None:
            yield best


def _relative_pose(before: np.ndarray, after: np.ndarray, focal: float) -> np.ndarray | None:
    cv2.setRNGSeed(0)  # the same corners give the same pose in every run
    camera = np.diag([focal, focal, 1.0])
    essential, inliers = cv2.findEssentialMat(before, after, camera, cv2.RANSAC, _RANSAC_CONFIDENCE, _ESSENTIAL_PX)
    if essential is None or essential.shape != (3, 3):
        return None
    agreeing, turn, shift, _ = cv2.recoverPose(essential, before, after, camera, mask=inliers)
    if agreeing < _LEAST_COMMON / 2:
        return None
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turn, shift.ravel()
    return pose


def _common(seen: Sightings, first: int, second: int) -> tuple[np.ndarray, np.ndarray]:
    here, there = seen.camera == first, seen.camera == second
    _, a, b = np.intersect1d(seen.point[here], seen.point[there], assume_unique=True, return_indices=True)
    return seen.pixel[here][a], seen.pixel[there][b]


def _next_camera(known: np.ndarray, hopeless: np.ndarray) -> int | None:
    """An unknown camera beside a known one; later ones first."""
    free = ~known & ~hopeless
    after = np.flatnonzero(free[1:] & known[:-1]) + 1
    if len(after):
        return int(after[0])
    before = np.flatnonzero(free[:-1] & known[1:])
    if len(before):
        return int(before[-1])
    rest = np.flatnonzero(free)
    return int(rest[0]) if len(rest) else None


def _nearest(known: np.ndarray, number: int) -> int:
    places = np.flatnonzero(known)
    return int(places[np.abs(places - number).argmin()])


def _located_by_points(
    poses: np.ndarray, known: np.ndarray, focal: float, seen: Sightings, count: int, number: int, guess: np.ndarray
) -> np.ndarray | None:
    points, good = _points_of(poses, known, focal, seen, count)
    here = (seen.camera == number) & good[seen.point]
    if here.sum() < LEAST_POINTS:
        return None
    place, pixel = points[seen.point[here]], seen.pixel[here]
    near = located(guess, place, pixel, focal)
    if near is not None:
        return near
    cv2.setRNGSeed(0)
    turn, _ = cv2.Rodrigues(guess[:3, :3])
    solved, turn, shift, agreeing = cv2.solvePnPRansac(
        place, pixel, np.diag([focal, focal, 1.0]), None, turn, guess[:3, 3:].copy(), True,
        _RANSAC_TRIES, _AGREE_PX, _RANSAC_CONFIDENCE, flags=cv2.SOLVEPNP_ITERATIVE,
    )  # fmt: skip
    if not solved or agreeing is None or len(agreeing) < LEAST_POINTS:
        return None
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = cv2.Rodrigues(turn)[0], shift.ravel()
    return located(pose, place, pixel, focal)


def _points_of(
    poses: np.ndarray, known: np.ndarray, focal: float, seen: Sightings, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3) points by the known cameras, and which (N,) bool can be trusted."""
    by_known = part(seen, known[seen.camera])
    points = nearest_points(poses, focal, by_known, count)
    scene = Scene(poses, points, focal)
    off, inside = residuals(scene, by_known)
    bad = (np.linalg.norm(off, axis=1) > _AGREE_PX) | (inside[:, 2] <= 0)
    good = np.bincount(by_known.point, minlength=count) >= 2
    good[by_known.point[bad]] = False
    return points, good & (ray_angles(scene, by_known) * 2 > _LEAST_ANGLE_DEG)


def _adjusted_so_far(
    poses: np.ndarray, known: np.ndarray, fixed: np.ndarray, focal: float, seen: Sightings, count: int
) -> Generator[None, None, np.ndarray]:
    _, good = _points_of(poses, known, focal, seen, count)
    numbers = np.flatnonzero(known)
    place = np.full(len(poses), -1)
    place[numbers] = np.arange(len(numbers))
    used, kept = renumbered(part(seen, known[seen.camera] & good[seen.point]))
    if not len(kept):
        return poses
    used = Sightings(place[used.camera], used.point, used.pixel)
    start = beginning(poses[numbers], focal, used, len(kept))
    result = yield from adjusted(start, used, FocalPrior(focal, 0.0), fixed[numbers], _ADJUSTMENT)
    better = poses.copy()
    better[numbers] = result.scene.camera_from_world
    return better
