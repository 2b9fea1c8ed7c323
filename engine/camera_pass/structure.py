# SPDX-License-Identifier: GPL-3.0-or-later
"""Path and points of a moving camera over a whole clip: key frames adjusted together, the others located between.

Up to 80 key frames are adjusted at once. Longer clips are gone through in windows that overlap: each begins
with cameras that the one before has settled, so that scale and place go on, and all have one focal length.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .adjusting import EXPLORING, FINISHING, Adjusted, FocalPrior, Round, adjusted, beginning
from .bundle import Scene, Sightings, focal_deviation
from .growing import grown, mirrored_cameras, pairs_of_cameras, turned_cameras
from .key_frames import choose_key_frames, sightings_of
from .locating import LEAST_POINTS, located
from .observations import Observations
from .slices import at_share
from .triangulation import renumbered

SURE_SHARE, SURE_PX = 0.8, 0.8
"""Share of the sightings that agree, and their median distance, with which a start was good enough."""

LEAST_SHARE, WORST_PX = 0.4, 1.5
"""The same, without which the camera is lost."""

LEAST_ANGLE_DEG = 0.75
"""Angle under which the cameras must see a point for its place to be known."""

FOCAL_ANGLE_DEG = 0.9
"""Median angle below which the focal length is less and less sure, whatever the corners say."""

OVERCONFIDENCE = 4.0
"""Corners drift together: the focal length's deviation is so many times what independent corners would give."""

_SURE_FOCAL = 1e-3
_SAME_FOCAL = 2e-3
"""Log ratio up to which two focal lengths are the same."""
_LIKELY_SIGMAS = 2.5
_AMBIGUOUS_DEG = 1.5
"""Median angle below which a path and its mirror image explain the corners nearly as well."""
_LEAST_STARTS = 2
"""Starts that are tried in any case."""
_MOST_KEPT = 20_000
"""Points that are kept of a long clip."""
_LEAST_MOTION = 1e-3
"""A path shorter than this (meters) is no start."""


@dataclass(frozen=True)
class Structure:
    """A path in no particular unit, the world being that of the first frame."""

    camera_from_world: np.ndarray
    """(N, 4, 4); not a number where a frame could not be located."""
    focal: FocalPrior
    """As it is known now."""
    points: np.ndarray
    """(P, 3) those whose place is known."""
    share: float
    """Of the sightings that agree."""
    residual_px: float
    ray_angle_deg: float
    """Median over the points."""


@dataclass(frozen=True)
class WindowSize:
    """How many key frames are adjusted at once, and how many of them the window before has too."""

    most_keys: int = 80
    overlap: int = 20


def structure(
    seen: Observations, live: np.ndarray, prior: FocalPrior, size: WindowSize | None = None
) -> Generator[float, None, Structure | None]:
    """Path and points from what was seen; `live` (N, 4, 4) is `world_from_camera` as found before, to begin with.

    Yields the share that is done. None where there is too little to see.
    """
    keys = yield from at_share(0.0, choose_key_frames(seen))
    if len(keys) < 3:
        return None
    windows = _windows(len(keys), size or WindowSize())
    known = yield from _focal(seen, keys, windows, live, prior)
    if known is None:
        return None
    focal, result, tracks = known
    path = np.full((len(seen), 4, 4), np.nan)
    kept: list[np.ndarray] = []
    shares: list[float] = []
    residuals: list[float] = []
    angles: list[np.ndarray] = []
    poses = np.empty((0, 4, 4))
    for number, window in enumerate(windows):
        chosen = [keys[key] for key in window]
        overlap = 0
        if number > 0:
            sightings, tracks = sightings_of(seen, chosen)
            overlap = windows[number - 1].stop - window.start
            if not len(tracks):
                return None
            result = yield from _continued(poses[-overlap:], len(chosen), focal.focal, sightings, len(tracks))
        yield from _locate_between(path, seen, chosen, result, tracks, overlap // 2)
        poses = result.scene.camera_from_world
        kept.append(result.scene.points[result.angle_deg > LEAST_ANGLE_DEG])
        shares.append(result.share)
        residuals.append(result.residual_px)
        angles.append(result.angle_deg[result.angle_deg > 0])
        yield (number + 1) / len(windows)
    points = np.concatenate(kept)
    points = points[:: -(-len(points) // _MOST_KEPT) or 1]
    # The first camera that is located is the world, whichever cameras the adjustment began with.
    first_camera = path[keys[0]].copy()
    points = points @ first_camera[:3, :3].T + first_camera[:3, 3]
    path = path @ np.linalg.inv(first_camera)
    seen_angles = np.concatenate(angles)
    return Structure(
        path,
        focal,
        points,
        min(shares),
        float(np.median(residuals)),
        float(np.median(seen_angles)) if len(seen_angles) else 0.0,
    )


def _windows(count: int, size: WindowSize) -> list[range]:
    if count <= size.most_keys:
        return [range(count)]
    last = count - size.most_keys
    starts = [*range(0, last, size.most_keys - size.overlap), last]
    return [range(start, start + size.most_keys) for start in starts]


def _focal(
    seen: Observations, keys: Sequence[int], windows: Sequence[range], live: np.ndarray, prior: FocalPrior
) -> Generator[float, None, tuple[FocalPrior, Adjusted, np.ndarray] | None]:
    """The one focal length as prior and windows tell it together, the first window adjusted with it, and the tracks of
    its points."""
    chosen = sorted({0, len(windows) // 2, len(windows) - 1})
    told = [FocalPrior(prior.focal, max(prior.relative_sigma, _SURE_FOCAL))]
    first: Adjusted | None = None
    for number in chosen if prior.relative_sigma > 0 else chosen[:1]:
        frames = [keys[key] for key in windows[number]]
        sightings, tracks = sightings_of(seen, frames)
        if len(tracks):
            result = yield from _from_best_start(live[frames], sightings, len(tracks), prior)
            first = result if number == 0 else first
            if result.share > LEAST_SHARE:
                told.append(FocalPrior(result.scene.focal, _deviation(result, prior)))
    if first is None:
        return None
    focal = combined(told)
    sightings, tracks = sightings_of(seen, [keys[key] for key in windows[0]])
    if abs(np.log(focal.focal / first.scene.focal)) > _SAME_FOCAL:
        scene = Scene(first.scene.camera_from_world, first.scene.points, focal.focal)
        kept = FocalPrior(focal.focal, 0.0)
        steps = adjusted(scene, sightings, kept, _only_first(len(windows[0])), (*EXPLORING, *FINISHING))
        first = yield from at_share(0.0, steps)
    return focal, first, tracks


def combined(told: Sequence[FocalPrior]) -> FocalPrior:
    """Focal lengths that are known independently of each other as one, each by its weight."""
    weights = np.array([each.relative_sigma for each in told]) ** -2.0
    log = weights @ np.log([each.focal for each in told]) / weights.sum()
    return FocalPrior(float(np.exp(log)), float(weights.sum() ** -0.5))


def _deviation(result: Adjusted, prior: FocalPrior) -> float:
    """Of the focal length of an adjustment; infinite where it tells nothing, larger with little parallax."""
    if prior.relative_sigma <= 0 or not len(result.inliers.point):
        return np.inf
    angle = _median_angle(result)
    inside, kept = renumbered(result.inliers)
    scene = Scene(result.scene.camera_from_world, result.scene.points[kept], result.scene.focal)
    fixed = _only_first(len(scene.camera_from_world))
    deviation = focal_deviation(scene, inside, result.problem(prior, fixed))
    return OVERCONFIDENCE * deviation * max(1.0, FOCAL_ANGLE_DEG / max(angle, 1e-6)) ** 2


def _median_angle(result: Adjusted) -> float:
    angles = result.angle_deg[result.angle_deg > 0]
    return float(np.median(angles)) if len(angles) else 0.0


def _from_best_start(
    live: np.ndarray, sightings: Sightings, count: int, prior: FocalPrior
) -> Generator[float, None, Adjusted]:
    """The best of the adjustments from the live poses and from the corners alone: either may end in a wrong path that
    fits halfway. More starts are tried until one agrees with itself."""
    fixed = _only_first(len(live))
    best: Adjusted | None = None  # the last start is always there
    for number, start in enumerate(_starts(live, sightings, count, prior)):
        if number >= _LEAST_STARTS and best is not None and _is_sure(best, prior):
            break
        poses = yield from at_share(0.0, start)
        result = yield from _adjusted_from(poses, sightings, count, prior, fixed)
        if best is None or _fault(result, prior) < _fault(best, prior):
            best = result
    assert best is not None
    if _median_angle(best) < _AMBIGUOUS_DEG:
        turned = turned_cameras(best.scene.focal, sightings, len(live))
        other = mirrored_cameras(best.scene.camera_from_world, turned)
        result = yield from _adjusted_from(other, sightings, count, prior, fixed)
        if _fault(result, prior) < _fault(best, prior):
            best = result
    return (yield from at_share(0.0, adjusted(best.scene, sightings, prior, fixed, FINISHING)))


def _starts(
    live: np.ndarray, sightings: Sightings, count: int, prior: FocalPrior
) -> Iterator[Generator[None, None, np.ndarray]]:
    """Ways to come to poses (K, 4, 4) to begin with."""
    if np.ptp(live[:, :3, 3], axis=0).max() > _LEAST_MOTION:
        yield _at_once(np.linalg.inv(live))
    for poses, known in pairs_of_cameras(prior.focal, sightings, len(live)):
        yield grown(poses, known, prior.focal, sightings, count)
    yield _at_once(turned_cameras(prior.focal, sightings, len(live)))


def _at_once(poses: np.ndarray) -> Generator[None, None, np.ndarray]:
    yield
    return poses


def _is_sure(result: Adjusted, prior: FocalPrior) -> bool:
    return result.share > SURE_SHARE and result.residual_px < SURE_PX and _unlikeliness(result, prior) == 0


def _fault(result: Adjusted, prior: FocalPrior) -> float:
    return result.badness + _unlikeliness(result, prior)


def _unlikeliness(result: Adjusted, prior: FocalPrior) -> float:
    """How much farther the focal length is from what is known than it may be: then a wrong path was found that fits."""
    off = abs(np.log(result.scene.focal / prior.focal))
    return float(max(0.0, off - _LIKELY_SIGMAS * prior.relative_sigma - _SAME_FOCAL))


def _continued(
    overlap: np.ndarray, cameras: int, focal: float, sightings: Sightings, count: int
) -> Generator[float, None, Adjusted]:
    """A window whose first cameras are known: the earlier half of them stays, the later half may still give."""
    poses = np.concatenate([overlap, np.tile(overlap[-1:], (cameras - len(overlap), 1, 1))])
    start = yield from at_share(0.0, grown(poses, np.arange(cameras) < len(overlap), focal, sightings, count))
    fixed = np.arange(cameras) < max(1, len(overlap) // 2)
    rounds = (*EXPLORING[1:], *FINISHING)
    return (yield from _adjusted_from(start, sightings, count, FocalPrior(focal, 0.0), fixed, rounds))


def _adjusted_from(
    start: np.ndarray,
    sightings: Sightings,
    count: int,
    prior: FocalPrior,
    fixed: np.ndarray,
    rounds: Sequence[Round] = EXPLORING,
) -> Generator[float, None, Adjusted]:
    scene = beginning(start, prior.focal, sightings, count)
    return (yield from at_share(0.0, adjusted(scene, sightings, prior, fixed, rounds)))


def _only_first(count: int) -> np.ndarray:
    return np.arange(count) == 0


def _locate_between(
    path: np.ndarray, seen: Observations, keys: Sequence[int], result: Adjusted, tracks: np.ndarray, settled: int
) -> Generator[float, None, None]:
    """Fill the path from the first to the last of the key frames; up to number `settled` it stays as it is."""
    cameras, scene = result.scene.camera_from_world, result.scene
    usable = np.flatnonzero(result.angle_deg > 0)
    by_track = usable[np.argsort(tracks[usable])]
    known = tracks[by_track]
    numbers = dict(zip(keys, range(len(keys)), strict=True))
    pose = cameras[settled]
    for index in range(keys[settled], keys[-1] + 1):
        if index in numbers:
            pose = cameras[numbers[index]]
            path[index] = pose
            continue
        frame = seen.frame(index)
        place = np.searchsorted(known, frame.track).clip(max=max(len(known) - 1, 0))
        here = known[place] == frame.track if len(known) else np.zeros(len(frame.track), bool)
        if here.sum() >= LEAST_POINTS:
            found = located(pose, scene.points[by_track[place[here]]], frame.pixel[here], scene.focal)
            if found is not None:
                path[index] = pose = found
        if index % 16 == 0:
            yield 0.0
