# SPDX-License-Identifier: GPL-3.0-or-later
"""The final pass over a camera that is known beforehand: what is left to find are focal length, floor and points."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from ..contract.messages import FocalLength
from ..contract.settings import CaptureSettings
from ..slices import at_share
from ..stages.camera_kind import motion_of
from .clip import Clip
from .following_camera import floor_under, follow_camera, live_camera, unmeasured
from .found import FoundCamera
from .similarity import path_scale

FollowedSteps = Generator[float, None, FoundCamera]
"""Yields the share that is done."""


def known_path(clip: Clip, focal: FocalLength | None, settings: CaptureSettings) -> FollowedSteps:
    """In place of following the camera through a clip: the poses that the take has are the known ones.

    A camera that moves is followed nevertheless, for what its motion tells of the focal length and the environment.
    """
    live = yield from at_share(0.0, live_camera(clip, focal))
    poses = live.world_from_camera
    motion = motion_of(poses)
    told, points = None, np.empty((0, 3))
    if motion == "moving" and not settings.fixed_camera:
        found = yield from follow_camera(clip, focal)
        told = found.path.focal
        points = found.points * (path_scale(found.path.world_from_camera, poses) or 1.0)
    floor = yield from at_share(1.0, floor_under(clip, (told or live.focal).focal_px, poses, points))
    return unmeasured(poses, motion, "known", floor, focal=told, points=points)
