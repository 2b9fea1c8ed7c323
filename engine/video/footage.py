# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kind of footage a source is."""

from __future__ import annotations

import os
from pathlib import Path

from ..contract.errors import UserError
from ..contract.media import image_sequence
from .image_files import AnimatedImage, ImageFiles, is_animated
from .pictures import Footage
from .video_file import VideoFile


def open_footage(source: str | os.PathLike[str], frame_rate: float | None = None) -> Footage:
    """Open a video, a folder of images, one image, which may move, or a pattern (``shot.%04d.png``, ``shot.####.png``).

    With `frame_rate` the source's own times are set aside, and pictures come at that rate. Raises UserError:
    ``footage-missing``, ``footage-unreadable``, ``footage-empty``, ``footage-several-sequences``.
    """
    path = Path(source).expanduser()
    if path.is_file() and is_animated(path):
        return AnimatedImage(path, frame_rate)
    images = image_sequence(path)
    if images is not None and images.paths:
        return ImageFiles(images, frame_rate)
    if path.is_file():
        return VideoFile(path, frame_rate)
    raise _nothing_at(path, is_pattern=images is not None)


def _nothing_at(path: Path, is_pattern: bool) -> UserError:
    if path.is_dir():
        return UserError(
            "footage-empty",
            "There are no images in the folder {path}.",
            "Choose a video file, or a folder with PNG, JPEG, TIFF or other images.",
            path=path,
        )
    if not is_pattern:
        return UserError(
            "footage-missing", "There is no file or folder {path}.", "Check the path and its spelling.", path=path
        )
    return UserError(
        "footage-empty",
        "No file matches the pattern {path}.",
        "Check the folder, the name before the number, and the number of digits.",
        path=path,
    )
