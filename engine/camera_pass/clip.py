# SPDX-License-Identifier: GPL-3.0-or-later
"""The frames of a take together with their footage, to be gone through once more, and as often as need be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ..contract.body_model import BodyModel
from ..contract.messages import Frame
from ..contract.rotations import axis_angle_to_matrix
from ..contract.settings import CaptureSettings
from ..contract.take import SettledTakeReader, TakeReader
from ..video.footage import open_footage


@dataclass(frozen=True)
class ClipFrame:
    """One frame of a take with its picture."""

    frame: Frame
    rgb: np.ndarray
    """(height, width, 3) uint8, the footage's own pixels."""


class Clip:
    """A take and its footage. Nothing of it is held: every pass reads both from the disk, one frame after the other."""

    def __init__(
        self,
        take: Path,
        settings: CaptureSettings,
        body_model: BodyModel,
        settled: bool = False,
        refined: bool = True,
    ) -> None:
        """`settings` are those of the capture, with the place of the footage; a take that is still being written will
        do. `settled` takes the frames as an earlier final pass left them, and without `refined` people as they were
        before they were refined. Raises UserError (``take-unreadable``).
        """
        self.body_model = body_model
        self._settings = settings
        self.take = take
        """Where it lies."""
        settled_reader = partial(SettledTakeReader, refined=refined)
        self._read: Callable[[Path], TakeReader] = settled_reader if settled else TakeReader
        with TakeReader(take) as reader:
            self.footage_size = reader.header.footage_size
            """Width and height, upright."""

    def frames(self) -> Iterator[Frame]:
        """What the take says, without the footage."""
        with self._read(self.take) as take:
            for message in take:
                if isinstance(message, Frame):
                    yield message

    def pictures(self) -> Iterator[ClipFrame]:
        """Frames with their pictures; those whose picture cannot be read any more are left out.

        Raises UserError as :func:`~..video.footage.open_footage` does, and ``footage-unreadable`` or
        ``footage-sizes-differ`` on the way.
        """
        settings = self._settings
        footage = open_footage(settings.source, settings.frame_rate)
        try:
            frames = self.frames()
            frame = next(frames, None)
            for picture in footage.pictures(settings.start, settings.end, settings.stride):
                while frame is not None and frame.source_frame < picture.source_frame:
                    frame = next(frames, None)
                if frame is None:
                    return
                if frame.source_frame == picture.source_frame:
                    yield ClipFrame(frame, picture.rgb)
        finally:
            footage.close()

    def joints(self, frame: Frame) -> np.ndarray:
        """(n, 55, 3) joints of a frame's people, camera frame, meters."""
        return self.body_model.posed_joints(
            axis_angle_to_matrix(np.asarray(frame.pose_axis_angle, np.float64)),
            np.asarray(frame.betas, np.float64),
            np.asarray(frame.expression, np.float64),
            np.asarray(frame.translation, np.float64),
        )
