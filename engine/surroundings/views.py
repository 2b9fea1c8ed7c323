# SPDX-License-Identifier: GPL-3.0-or-later
"""Points of what a moving camera saw: dense depth by flow at some references along its path, clamped to the floor."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from ..camera_pass.clip import Clip
from ..camera_pass.found import FoundCamera
from ..camera_pass.scaling import Scaling
from ..estimate import CameraPath, PlaceView
from ..slices import part
from .choosing import partners, references
from .flow_depth import FlowDepth, Sighting, View, agreed_depth
from .people import PeopleSeen, people_seen

LONG_SIDE = 640
"""Of the pictures that flow is found between, pixels."""

_FARTHEST_M, _FARTHEST_OF_PEOPLE = 25.0, 4.0
"""Points end there, or at so many times the distance of the people where that is farther."""

_FLOOR_CONFIDENCE = 1.3
"""Of floor that nothing was found on."""
_FARTHEST_PERCENTILE = 95.0
"""Of the depths of the floor that was found: farther away none is filled."""
_ON_FLOOR = 0.1
"""Points within this share of the floor's distance are floor."""

_LEAST_KNOWN = 0.05
"""Share of the pixels with a depth without which a view says nothing."""

_NOTHING_KNOWN_M = 6.0
"""Typical depth where too few corners were followed to tell."""
_FEW_POINTS = 10

_READING, _LOOKING = 0.1, 0.05
"""Shares of the work: decoding the footage, and reading the take."""


@dataclass
class _Plan:
    """Which frames are needed for what, and those pictures that are still."""

    partners_of: dict[int, list[int]]
    grey: dict[int, np.ndarray]
    rgb: dict[int, np.ndarray]

    @property
    def wanted(self) -> set[int]:
        return set(self.partners_of) | {index for near in self.partners_of.values() for index in near}

    def take(self, index: int, rgb: np.ndarray) -> None:
        self.grey[index] = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        if index in self.partners_of:
            self.rgb[index] = rgb

    def complete(self, index: int) -> list[int]:
        """References that need no picture after that of `index`."""
        return [reference for reference, near in self.partners_of.items() if max([reference, *near]) <= index]

    def drop(self, reference: int) -> None:
        """Forget a reference, and the pictures that no other one needs."""
        del self.partners_of[reference]
        self.rgb.pop(reference, None)
        wanted = self.wanted
        self.grey = {index: grey for index, grey in self.grey.items() if index in wanted}


def place_views(clip: Clip, found: FoundCamera) -> Generator[float, None, list[PlaceView]]:
    """Views of the surroundings of a camera that moves, eight to twelve; yields the share that is done.

    Held at a time are small pictures: the references and partners of those that are not complete yet.
    """
    poses = found.path.world_from_camera
    depth = typical_depth(found)
    plan = _Plan({index: partners(index, poses, depth) for index in references(poses, depth)}, {}, {})
    plan.partners_of = {index: near for index, near in plan.partners_of.items() if len(near) >= 2}
    scaling = Scaling.to_long_side(clip.footage_size, LONG_SIDE)
    focal = None if found.path.focal is None else found.path.focal.focal_px
    looking = people_seen(clip, plan.wanted, scaling, len(poses), focal)
    people = yield from part(looking, 0.0, _LOOKING)
    maker = _ViewMaker(found.path, people, scaling)
    views: list[PlaceView] = []
    wanted, total, done = plan.wanted, sum(map(len, plan.partners_of.values())), 0

    def share(index: int) -> float:
        return _LOOKING + _READING * (index + 1) / len(poses) + (1 - _LOOKING - _READING) * done / max(total, 1)

    for index, rgb in _pictures_and_end(clip, len(poses)):
        if rgb is not None and index in wanted:
            plan.take(index, scaling.picture(rgb))
        yield share(min(index, len(poses) - 1))
        for reference in plan.complete(index):
            sightings = []
            for partner in plan.partners_of[reference]:
                sightings += maker.sighting(plan, reference, partner)
                done += 1
                yield share(min(index, len(poses) - 1))
            views += maker.view(plan, reference, sightings)
            plan.drop(reference)
        if not plan.partners_of:
            break
    return views


def _pictures_and_end(clip: Clip, count: int) -> Iterator[tuple[int, np.ndarray | None]]:
    """Frames' numbers and pictures, and at the end `count` and none: what waits for pictures that do not come any more
    waits no longer."""
    for shown in clip.pictures():
        if shown.frame.index < count:
            yield shown.frame.index, shown.rgb
    yield count, None


def typical_depth(found: FoundCamera) -> float:
    """Median distance of the followed corners from the cameras in the middle of the path, meters."""
    if len(found.points) < _FEW_POINTS:
        return _NOTHING_KNOWN_M
    places = found.path.world_from_camera[:: max(1, len(found.path.world_from_camera) // 16), :3, 3]
    distances = [np.median(np.linalg.norm(found.points - place, axis=-1)) for place in places]
    return max(float(np.median(distances)), 0.1)


class _ViewMaker:
    """Makes one view after the other."""

    def __init__(self, path: CameraPath, people: PeopleSeen, scaling: Scaling) -> None:
        self._path, self._people = path, people
        camera = scaling.camera(people.focal_px, people.principal_point_px)
        self._flow = FlowDepth(camera, scaling.size)
        self._farthest_m = max(_FARTHEST_M, _FARTHEST_OF_PEOPLE * people.typical_m)

    def sighting(self, plan: _Plan, reference: int, partner: int) -> list[Sighting]:
        """What a partner says; nothing where a picture is missing, as damaged ones are."""
        if reference not in plan.grey or partner not in plan.grey:
            return []
        poses = self._path.world_from_camera
        between = np.linalg.inv(poses[partner]) @ poses[reference]
        first, second = (View(plan.grey[index], self._people.mask(index)) for index in (reference, partner))
        return [self._flow.sighting(first, second, between)]

    def view(self, plan: _Plan, reference: int, sightings: list[Sighting]) -> list[PlaceView]:
        """The view of a reference; none without two partners, and none where hardly anything is known."""
        if len(sightings) < 2:
            return []
        depth, confidence = agreed_depth(sightings)
        if (depth > 0).mean() < _LEAST_KNOWN:
            return []
        pose, mask = self._path.world_from_camera[reference], self._people.mask(reference)
        floor = floor_depth(self._path, pose, self._flow.rays)
        depth, confidence = on_floor(depth, confidence, floor)
        depth[mask | (depth > self._farthest_m)] = 0.0
        confidence[depth <= 0] = 0.0
        return [PlaceView(self._flow.rays * depth[..., None], confidence, plan.rgb[reference], mask, pose)]


def floor_depth(path: CameraPath, pose: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """(H, W) float32 depth of the floor along (H, W, 3) rays of a camera; infinite where none is known or seen."""
    if path.up is None or path.floor_height is None:
        return np.full(rays.shape[:2], np.inf, np.float32)
    rise = rays @ (pose[:3, :3].T @ path.up).astype(np.float32)
    height = path.floor_height + float(pose[:3, 3] @ path.up)
    with np.errstate(divide="ignore"):
        return np.where((rise < 0) & (height > 0), -height / rise, np.inf).astype(np.float32)


def on_floor(depth: np.ndarray, confidence: np.ndarray, floor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Depth and confidence with nothing under the floor, and with floor where nothing is known and floor is near by.

    Whatever is unknown among things that stand on the floor stays unknown, and so does what is farther away than floor
    was found: walls would be painted on the floor behind them.
    """
    known = depth > 0
    depth = np.minimum(depth, floor)
    if not known.any() or not np.isfinite(floor).any():
        return depth, confidence
    is_floor = known & (depth > (1 - _ON_FLOOR) * floor)
    if not is_floor.any():
        return depth, confidence
    farthest = np.percentile(depth[is_floor], _FARTHEST_PERCENTILE)
    _, label = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3, labelType=cv2.DIST_LABEL_PIXEL
    )
    floor_of_label = np.zeros(int(label.max()) + 1, bool)
    floor_of_label[label[known]] = is_floor[known]
    filled = ~known & (floor <= farthest) & floor_of_label[label]
    return np.where(filled, floor, depth), np.where(filled, np.float32(_FLOOR_CONFIDENCE), confidence)
