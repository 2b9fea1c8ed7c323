# SPDX-License-Identifier: GPL-3.0-or-later
"""Where people are in the frames that the surroundings are made of, and how far away they are."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Generator
from dataclasses import dataclass

import numpy as np

from ..camera_pass.clip import Clip
from ..camera_pass.scaling import Scaling
from ..contract.messages import Frame
from ..contract.skeleton import BODY_JOINT_COUNT, PELVIS


@dataclass(frozen=True)
class PeopleSeen:
    """What a take says about the people of a clip, and about its lens."""

    size: tuple[int, int]
    """Width and height of the masks."""
    masks: dict[int, np.ndarray]
    """Packed bits of what shows people in the frames that were wanted, by index."""
    focal_px: float
    """The focal length, footage pixels."""
    principal_point_px: np.ndarray
    """(2,) of the last frame, footage pixels."""
    farthest: np.ndarray
    """(3,) the joint that was farthest from its camera, camera frame, meters; zeros where nobody was seen."""
    typical_m: float
    """Median distance of people; 0 where nobody was seen."""

    def mask(self, index: int) -> np.ndarray:
        """(height, width) bool of a wanted frame: True where people were seen in it, just before or just after."""
        width, height = self.size
        return np.unpackbits(self.masks[index], count=width * height).astype(bool).reshape(height, width)


def people_seen(
    clip: Clip, wanted: Collection[int], scaling: Scaling, count: int, focal_px: float | None
) -> Generator[float, None, PeopleSeen]:
    """Go through a take of `count` frames; yields the share that is done.

    `focal_px` is the clip's final focal length where one is known, else the last frame's is taken. A mask is the union
    with those of the frames before and after, because what a network says of somebody quick comes late.
    """
    masks: dict[int, np.ndarray] = {}
    farthest, farthest_m = np.zeros(3), 0.0
    distances = array("f")
    last: Frame | None = None
    for frame in clip.frames():
        last, joints = frame, clip.joints(frame)
        shown = [index for index in (frame.index - 1, frame.index, frame.index + 1) if index in wanted]
        if shown:
            bits = np.packbits(scaling.people(frame, joints))
            masks.update({index: masks[index] | bits if index in masks else bits for index in shown})
        # Farther by as much as the final focal length is longer than the one they were placed with.
        placed = joints[:, :BODY_JOINT_COUNT] * (1.0, 1.0, 1.0 if focal_px is None else focal_px / frame.focal_px)
        distance = np.linalg.norm(placed, axis=-1)
        distances.extend(distance[:, PELVIS])
        if distance.max(initial=0.0) > farthest_m:
            farthest_m, farthest = float(distance.max()), placed.reshape(-1, 3)[distance.argmax()]
        yield (frame.index + 1) / count
    if last is None:
        raise ValueError("a clip without frames has no surroundings")
    typical = float(np.median(distances)) if distances else 0.0
    focal = last.focal_px if focal_px is None else focal_px
    return PeopleSeen(scaling.size, masks, focal, np.asarray(last.principal_point_px), farthest, typical)
