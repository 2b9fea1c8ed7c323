# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera that is known beforehand: fixed, or from a file. Nothing looks for its motion then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.camera_files import CameraFile, read_camera_file
from ..contract.settings import CaptureSettings
from .camera_kind import motion_of


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
