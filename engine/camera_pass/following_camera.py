# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera of a whole clip, followed once more: whether it moves, its path in meters, and its focal length."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from ..contract.messages import CameraSummary, FocalLength
from ..contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from ..estimate import CameraPath
from ..landmarks.camera.floor import Floor
from ..slices import at_share
from ..stages.camera_kind import motion_of
from ..stages.point_tracking import even_light
from .adjusting import FocalPrior
from .clip import Clip
from .found import FoundCamera
from .long_tracks import LongTracks
from .metric import floor_of, scale_of, stances
from .observations import Observations, Seen
from .pictures import PictureFrame, pass_pictures
from .similarity import path_scale
from .stillness import StillTest
from .structure import LEAST_SHARE, WORST_PX, Structure, combined, structure
from .turning import TURNING_PX, Turns, focal_from_turns, pairs_for_focal, turns

MODEL_SIGMA = 0.1
"""Of a focal length of which a model says no more than a number for each frame."""

LEAST_CORNERS = 40
"""Median number of corners in a frame below which there is too little detail."""

LEAST_ANGLE_DEG = 0.3
"""Median angle under which points are seen, without which there is too little parallax."""

TURN_ANGLE_DEG, NEARLY_TURNING = 0.25, 2.0
"""A path with no more parallax than this is that of corners which drift: where a turn leaves up to so many times what
it may, it is a turn nevertheless."""

LEAST_READ = LEAST_LOCATED = 0.8
"""Share of the frames whose pictures can still be read, and share of them that has to be located."""

_LEAST_SIGMA, _MOST_SIGMA = 0.02, 0.15
"""Bounds of how sure an adjustment takes the known focal length to be: without any hold it runs away."""
_NO_POINTS = np.empty((0, 3))
_TELLING = 0.9
"""A camera tells the focal length where it lowers the deviation to so much of what it was."""
_TRACKING_SHARE, _TURNING_SHARE, _LAST_SHARE = 0.5, 0.6, 0.95
"""What is done after corners, after the test for a turn, and before scale and floor."""
_SLICE = 64
"""Frames of the take between two yields."""


@dataclass(frozen=True)
class _Live:
    """What the take says of the camera."""

    world_from_camera: np.ndarray
    """(N, 4, 4)."""
    picture: PictureFrame
    focal: FocalLength


def follow_camera(clip: Clip, focal: FocalLength | None = None) -> Generator[float, None, FoundCamera]:
    """Follow the camera through a clip of one frame or more. Yields the share that is done; may be closed at any time.

    `focal` is the model's best word for the whole clip; without one it is the median of the frames' own. The path found
    has a pose for each frame; where nothing better is found, it is that of the take's frames, and the summary says why.
    """
    live = yield from at_share(0.0, live_camera(clip, focal))
    with Observations() as seen:
        watched = yield from _watch(clip, live, seen)
        if watched.read < LEAST_READ * len(seen):
            return (yield from at_share(_TRACKING_SHARE, _kept(clip, live, "lost")))
        if watched.is_still:
            still = Turns(np.tile(np.eye(3), (len(seen), 1, 1)), 0.0)
            return (yield from at_share(_TRACKING_SHARE, _unmoved(clip, live, "still", still, None)))
        if np.median(seen.counts()) < LEAST_CORNERS:
            return (yield from at_share(_TRACKING_SHARE, _kept(clip, live, "little-detail")))
        turned_focal, turned, least_px = yield from _turned(seen, live)
        yield _TURNING_SHARE
        found = None
        is_turn = least_px < TURNING_PX
        if not is_turn:
            found = yield from _moved(seen, live)
            no_parallax = found is not None and found.ray_angle_deg < TURN_ANGLE_DEG
            is_turn = no_parallax and least_px < NEARLY_TURNING * TURNING_PX
    if is_turn:
        return (yield from at_share(_LAST_SHARE, _unmoved(clip, live, "turning", turned, turned_focal)))
    return (yield from at_share(_LAST_SHARE, _moving(clip, live, found)))


def live_camera(clip: Clip, focal: FocalLength | None) -> Generator[None, None, _Live]:
    """What a clip's frames say of the camera; `focal` as :func:`follow_camera` takes it."""
    poses, focals, centers = [], [], []
    pose = np.eye(4)
    for frame in clip.frames():
        # Early versions may have written what is no number; the camera stays where it was then. A copy, for what a
        # record says is a view of all of it, people's masks included.
        pose = frame.world_from_camera.copy() if np.isfinite(frame.world_from_camera).all() else pose
        poses.append(pose)
        focals.append(frame.focal_px)
        centers.append(frame.principal_point_px.copy())
        if frame.index % _SLICE == 0:
            yield
    if focal is None:
        focal = FocalLength(float(np.median(focals)), MODEL_SIGMA, "model")
    picture = PictureFrame.of(clip.footage_size, np.median(np.array(centers), axis=0))
    return _Live(np.array(poses, np.float64), picture, focal)


@dataclass(frozen=True)
class _Watched:
    """What going through the pictures comes to."""

    is_still: bool
    """Whether the camera stands still in those that could be read."""
    read: int
    """How many those are."""


def _watch(clip: Clip, live: _Live, seen: Observations) -> Generator[float, None, _Watched]:
    """Go through the pictures once, and fill `seen` with the corners of all frames."""
    tracks, count, read = LongTracks(), len(live.world_from_camera), 0
    still = StillTest(live.picture.scale / float(live.picture.scaling.share[0]))
    nothing = Seen(np.empty(0, np.int64), np.empty((0, 2)))
    for shot in pass_pictures(clip, live.picture):
        while len(seen) < shot.index:
            seen.add(nothing)
        read += 1
        picture = even_light(shot.grey)
        still.update(picture, shot.free)
        track, pixel = tracks.update(shot.grey, picture, shot.free)
        seen.add(Seen(track, live.picture.centered(pixel)))
        yield _TRACKING_SHARE * len(seen) / count
    while len(seen) < count:
        seen.add(nothing)
    return _Watched(still.is_still, read)


def _turned(seen: Observations, live: _Live) -> Generator[float, None, tuple[FocalLength, Turns, float]]:
    """The focal length that a turn tells together with what is known of it, the rotations that explain the corners best
    with it, and the residual that they have under whatever focal length suits them: one that is known wrongly must not
    make a turn a motion."""
    scale, focal = live.picture.scale, live.focal
    pairs = yield from at_share(_TRACKING_SHARE, pairs_for_focal(seen))
    told = yield from at_share(_TRACKING_SHARE, focal_from_turns(pairs, focal.focal_px * scale))
    if focal.relative_sigma > 0:
        focal = _combined(live, FocalPrior(told.focal / scale, told.relative_sigma))
    found = yield from at_share(_TRACKING_SHARE, turns(seen, focal.focal_px * scale))
    least_px = found.residual_px
    if least_px >= TURNING_PX and np.isfinite(told.relative_sigma):
        best = yield from at_share(_TRACKING_SHARE, turns(seen, told.focal))
        least_px = min(least_px, best.residual_px)
    return focal, found, least_px


def _combined(live: _Live, told: FocalPrior) -> FocalLength:
    """What is known of the focal length, and what the camera's motion tells of it, together; footage pixels."""
    if not np.isfinite(told.relative_sigma):
        return live.focal
    return sourced(live.focal, combined([FocalPrior(live.focal.focal_px, live.focal.relative_sigma), told]))


def sourced(known: FocalLength, found: FocalPrior) -> FocalLength:
    """A focal length (footage pixels) that is from the camera's motion where that has made it surer than what was
    known, and else no surer than that."""
    if found.relative_sigma < _TELLING * min(known.relative_sigma, _MOST_SIGMA):
        return FocalLength(found.focal, found.relative_sigma, "camera")
    return FocalLength(found.focal, known.relative_sigma, known.source)


def _moved(seen: Observations, live: _Live) -> Generator[float, None, Structure | None]:
    scale = live.picture.scale
    sigma = live.focal.relative_sigma
    if sigma > 0:
        sigma = float(np.clip(sigma, _LEAST_SIGMA, _MOST_SIGMA))
    steps = structure(seen, live.world_from_camera, FocalPrior(live.focal.focal_px * scale, sigma))
    done = 0.0
    while True:
        try:
            done = max(done, next(steps))
        except StopIteration as end:
            return end.value
        yield _TURNING_SHARE + (_LAST_SHARE - _TURNING_SHARE) * done


def _unmoved(
    clip: Clip, live: _Live, motion: str, turned: Turns, focal: FocalLength | None
) -> Generator[None, None, FoundCamera]:
    """A camera that stays in its place."""
    poses = np.tile(np.eye(4), (len(turned.world_from_camera), 1, 1))
    poses[:, :3, :3] = turned.world_from_camera
    floor = yield from floor_under(clip, (focal or live.focal).focal_px, poses)
    return _found(poses, motion, True, "", focal, floor, turned.residual_px, 0.0, _NO_POINTS)


def _kept(
    clip: Clip, live: _Live, note: str, residual_px: float = 0.0, ray_angle_deg: float = 0.0
) -> Generator[None, None, FoundCamera]:
    """The path as it was found before."""
    poses = live.world_from_camera
    floor = yield from floor_under(clip, live.focal.focal_px, poses)
    return unmeasured(poses, motion_of(poses), note, floor, residual_px, ray_angle_deg)


def unmeasured(
    poses: np.ndarray,
    motion: str,
    note: str,
    floor: Floor | None,
    residual_px: float = 0.0,
    ray_angle_deg: float = 0.0,
    focal: FocalLength | None = None,
    points: np.ndarray = _NO_POINTS,
) -> FoundCamera:
    """A path (N, 4, 4) that no pass over the pictures has made better."""
    return _found(poses, motion, False, note, focal, floor, residual_px, ray_angle_deg, points)


def floor_under(
    clip: Clip, focal_px: float, poses: np.ndarray, points: np.ndarray = _NO_POINTS
) -> Generator[None, None, Floor | None]:
    """The floor that people stand on whose feet are seen, or else those whose feet can only be supposed."""
    for hidden_feet in (False, True):
        people = yield from stances(clip, len(poses), focal_px, hidden_feet)
        floor = floor_of(people, poses, points)
        if floor is not None:
            return floor
    return None


def _moving(clip: Clip, live: _Live, found: Structure | None) -> Generator[None, None, FoundCamera]:
    if found is None:
        return (yield from _kept(clip, live, "little-detail"))
    told = found.residual_px, found.ray_angle_deg
    is_located = np.isfinite(found.camera_from_world[:, 0, 0])
    if found.share < LEAST_SHARE or found.residual_px > WORST_PX or is_located.mean() < LEAST_LOCATED:
        return (yield from _kept(clip, live, "lost", *told))
    if found.ray_angle_deg < LEAST_ANGLE_DEG:
        return (yield from _kept(clip, live, "little-parallax", *told))
    poses = _whole_path(found.camera_from_world, is_located)
    focal = sourced(live.focal, FocalPrior(found.focal.focal / live.picture.scale, found.focal.relative_sigma))
    people = yield from stances(clip, len(poses), focal.focal_px)
    scale, note = scale_of(people, poses, found.points), ""
    if scale is None:
        scale, note = path_scale(poses, live.world_from_camera) or 1.0, "no-people"
    poses[:, :3, 3] *= scale
    points = found.points * scale
    floor = yield from floor_under(clip, focal.focal_px, poses, points)
    return _found(poses, "moving", True, note, focal, floor, *told, points)


def _whole_path(camera_from_world: np.ndarray, is_located: np.ndarray) -> np.ndarray:
    """(N, 4, 4) `world_from_camera` from the first frame; frames without a pose lie evenly between their neighbors."""
    places = np.flatnonzero(is_located)
    known = np.linalg.inv(camera_from_world[places])
    poses = np.tile(np.eye(4), (len(camera_from_world), 1, 1))
    poses[places] = known
    for index in np.flatnonzero(~is_located):
        after = int(np.searchsorted(places, index))
        if after in (0, len(places)):
            poses[index] = known[min(after, len(places) - 1)]
            continue
        share = (index - places[after - 1]) / (places[after] - places[after - 1])
        first, last = known[after - 1], known[after]
        turn = matrix_to_axis_angle(first[:3, :3].T @ last[:3, :3])
        poses[index, :3, :3] = first[:3, :3] @ axis_angle_to_matrix(share * turn)
        poses[index, :3, 3] = (1 - share) * first[:3, 3] + share * last[:3, 3]
    return poses


def _found(
    poses: np.ndarray,
    motion: str,
    refined: bool,
    note: str,
    focal: FocalLength | None,
    floor: Floor | None,
    residual_px: float,
    ray_angle_deg: float,
    points: np.ndarray,
) -> FoundCamera:
    summary = CameraSummary(
        motion=motion,
        refined=refined,
        note=note,
        residual_px=residual_px if np.isfinite(residual_px) else 0.0,  # infinite where nothing agreed
        ray_angle_deg=ray_angle_deg,
        floor_known=floor is not None,
        up=np.zeros(3) if floor is None else floor.up,
        floor_height=0.0 if floor is None else floor.height,
    )
    up, height = (None, None) if floor is None else (floor.up, floor.height)
    return FoundCamera(CameraPath(poses, motion, focal, up, height), summary, points)
