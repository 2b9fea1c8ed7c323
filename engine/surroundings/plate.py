# SPDX-License-Identifier: GPL-3.0-or-later
"""One picture without people of what a camera on the spot sees: the median of many frames, stitched where it turns."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from ..camera_pass.clip import Clip
from ..camera_pass.scaling import Scaling
from ..estimate import CameraPath
from ..slices import part
from .angles import Directions, covering
from .choosing import in_time_and_turn
from .filling import filled
from .layers import Layers
from .people import PeopleSeen, people_seen

LONG_SIDE = 1280
"""Of the picture of a still camera, pixels; a turning one's has as many for the same angle."""
MOST_SIDE = 4096
"""Of the picture of a camera that turns far."""
FRAMES = 40

_MANY = 10
"""What only one of so many frames shows is mostly a leftover of a person."""
_LOOKING, _READING = 0.1, 0.6
"""Shares of the work: reading the take, and the footage."""


@dataclass(frozen=True)
class Plate:
    """The picture, and which way its pixels look."""

    picture: np.ndarray
    """(height, width, 3) uint8."""
    people: PeopleSeen
    camera: np.ndarray
    """(3, 3) pinhole of a still camera's picture."""
    directions: Directions | None
    """Of a turning camera's picture."""


def person_free_plate(clip: Clip, path: CameraPath) -> Generator[float, None, Plate | None]:
    """The plate of a camera that is still or turns; yields the share that is done. None where
    nothing but people was ever seen.

    Held at a time are one frame and one tile of all. Raises UserError (``disk-full``).
    """
    poses = path.world_from_camera
    still = path.motion == "still"
    wanted = in_time_and_turn(poses, FRAMES)
    scaling = Scaling.to_long_side(clip.footage_size, LONG_SIDE)
    focal = None if path.focal is None else path.focal.focal_px
    people = yield from part(people_seen(clip, wanted, scaling, len(poses), focal), 0.0, _LOOKING)
    camera = scaling.camera(people.focal_px, people.principal_point_px)
    directions = extents = None
    width, height = scaling.size
    if not still:
        up = np.array([0.0, -1.0, 0.0]) if path.up is None else path.up
        directions, extents = covering(poses[:, :3, :3], wanted, camera, scaling.size, up, MOST_SIDE)
        width, height = directions.pixels
    with Layers(height, width) as layers:
        for shown in clip.pictures():
            index = shown.frame.index
            if index in wanted:
                rgb, known = scaling.picture(shown.rgb), ~people.mask(index)
                if directions is None or extents is None:
                    layers.add(0, 0, rgb, np.ones_like(known), known)
                else:
                    for piece in _warped(
                        rgb, known, directions, extents[wanted.index(index)], poses[index, :3, :3], camera
                    ):
                        layers.add(*piece)
            yield _LOOKING + _READING * min((index + 1) / len(poses), 1.0)
        agreed = yield from part(layers.median(layers.gains()), _LOOKING + _READING, 1.0)
    if not agreed.known.any():
        return None
    hole = agreed.known < np.where(agreed.inside >= _MANY, 2, 1)
    return Plate(filled(agreed.picture, hole), people, camera, directions)


def _warped(
    rgb: np.ndarray, known: np.ndarray, directions: Directions, extent: np.ndarray, turn: np.ndarray, camera: np.ndarray
) -> Iterator[tuple[int, int, np.ndarray, np.ndarray, np.ndarray]]:
    """The picture on the canvas of directions, in one piece or, across the canvas's seam, in two: arguments of
    :meth:`.layers.Layers.add`."""
    first, last, top, bottom = directions.extent(tuple(extent))
    width = directions.pixels[0]
    for start, stop in _within(first, last, width):
        shift = (start // width) * width
        local = directions.at(np.arange(start, stop), np.arange(top, bottom)) @ turn
        ahead = local[..., 2] > 1e-3
        depth = np.where(ahead, local[..., 2], 1.0)
        column = np.where(ahead, local[..., 0] / depth * camera[0, 0] + camera[0, 2], -9.0).astype(np.float32)
        row = np.where(ahead, local[..., 1] / depth * camera[1, 1] + camera[1, 2], -9.0).astype(np.float32)
        seen = cv2.remap(rgb, column, row, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        certain = cv2.remap(known.astype(np.float32), column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        tall, wide = known.shape
        inside = ahead & (np.abs(column - (wide - 1) / 2) <= wide / 2)
        inside &= np.abs(row - (tall - 1) / 2) <= tall / 2
        yield top, start - shift, seen, inside, certain > 0.99


def _within(first: int, last: int, width: int) -> Iterable[tuple[int, int]]:
    """Columns cut where the canvas begins anew."""
    return itertools.pairwise([first, *range((first // width + 1) * width, last, width), last])
