# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has told so far of its footage, its camera and its people."""

from __future__ import annotations

import numpy as np

from ...engine.contract.messages import (
    CAMERA_NOTES,
    CameraMotion,
    CameraSummary,
    FocalLength,
    Frame,
    FrameImage,
    Message,
    TakeHeader,
)


class RunFacts:
    """Filled by :meth:`learn`, message by message."""

    def __init__(self) -> None:
        self.header: TakeHeader | None = None
        self.focal: FocalLength | None = None
        """What is known of the clip's focal length, from a model that estimates one for the whole clip."""
        self.motion = ""
        """How the camera moves, as far as is known: one of `CAMERA_MOTIONS`; empty where nobody looked."""
        self.camera: CameraSummary | None = None
        """What the final pass found about the camera."""
        self.image: np.ndarray | None = None
        """(H, W, 3) uint8 sRGB: a frame from a moment ago with what was found in it, small."""
        self._tracks: set[int] = set()

    @property
    def camera_note(self) -> str:
        """What the final pass has to say about the camera; empty where there is nothing."""
        return CAMERA_NOTES.get(self.camera.note, "") if self.camera is not None else ""

    @property
    def people_count(self) -> int:
        """How many people were seen so far."""
        return len(self._tracks)

    def learn(self, message: Message) -> None:
        """Take in one message of the run."""
        if isinstance(message, TakeHeader):
            self.header = message
        elif isinstance(message, Frame):
            self._tracks.update(message.track_id.tolist())
        elif isinstance(message, FrameImage):
            self.image = message.image
        elif isinstance(message, FocalLength):
            self.focal = message
        elif isinstance(message, CameraMotion):
            self.motion = message.motion
        elif isinstance(message, CameraSummary):
            self.camera, self.motion = message, message.motion
