# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera that is known beforehand: fixed, or from a file. Nothing looks for its motion then."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from .camera_pass.clip import Clip
from .camera_pass.following_camera import floor_under, live_camera, motion_of, unmeasured
from .camera_pass.found import FoundCamera
from .contract.camera_files import CameraFile, read_camera_file
from .contract.known_facts import given_focal_px
from .contract.messages import FocalLength
from .contract.settings import CaptureSettings
from .slices import at_share


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


def known_path(clip: Clip, focal: FocalLength | None) -> Generator[float, None, FoundCamera]:
    """In place of following the camera through a clip: the poses that the take has are the known ones."""
    live = yield from at_share(0.0, live_camera(clip, focal))
    poses = live.world_from_camera
    floor = yield from at_share(0.5, floor_under(clip, live.focal.focal_px, poses))
    return unmeasured(poses, motion_of(poses), "known", floor)
