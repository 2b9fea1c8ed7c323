# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera that is known beforehand: fixed, or from a file. Nothing looks for its motion then."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from .camera_pass.clip import Clip
from .camera_pass.following_camera import floor_under, follow_camera, live_camera, motion_of, unmeasured
from .camera_pass.found import FoundCamera
from .camera_pass.similarity import path_scale
from .contract.camera_files import CameraFile, read_camera_file
from .contract.known_facts import given_focal_px
from .contract.messages import FocalLength
from .contract.settings import CaptureSettings
from .slices import at_share

FollowedSteps = Generator[float, None, FoundCamera]
"""Yields the share that is done."""


@dataclass(frozen=True)
class KnownCamera:
    """Where the camera is in each frame; `file` is None for one that is fixed."""

    file: CameraFile | None

    @property
    def motion(self) -> str:
        """One of :data:`.contract.messages.CAMERA_MOTIONS`."""
        return "still" if self.file is None else motion_of(self.file.world_from_camera)

    def pose(self, source_frame: int, time_s: float) -> np.ndarray:
        """(4, 4) `world_from_camera`. Raises UserError (``camera-file-short``)."""
        return np.eye(4) if self.file is None else self.file.pose(source_frame, time_s)


def known_camera(settings: CaptureSettings) -> KnownCamera | None:
    """What the settings say; None where nothing does. Raises UserError (``camera-file-unreadable``)."""
    if settings.camera_file:
        return KnownCamera(read_camera_file(settings.camera_file))
    return KnownCamera(None) if settings.fixed_camera else None


def known_focal_px(settings: CaptureSettings, size: tuple[int, int]) -> float | None:
    """The focal length given, or else that of the camera file, in pixels of footage of this (width, height)."""
    given = given_focal_px(settings, size)
    if given is not None or not settings.camera_file:
        return given
    return read_camera_file(settings.camera_file).focal_px(size)


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
