# SPDX-License-Identifier: GPL-3.0-or-later
"""Telling footage apart, wherever it lies: a video, or the images of a sequence."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..contract.errors import UserError
from ..contract.media import image_sequence
from ..fingerprint import fingerprint

_LOOKED_INTO = 16
"""Of the images of a sequence; of all others name and size count."""


def clip_fingerprint(source: str) -> str:
    """Eight hexadecimal digits. Raises UserError (``footage-missing``), and as :func:`~..contract.media.image_sequence`
    does."""
    path = Path(source).expanduser()
    try:
        images = image_sequence(path)
        paths = () if images is None else images.paths
        if len(paths) <= 1:
            return fingerprint(paths[0] if paths else path)
        digest = hashlib.sha256()
        for place, image in enumerate(paths):
            digest.update(f"{image.name} {image.stat().st_size}\n".encode("utf-8", "surrogateescape"))
            if place * _LOOKED_INTO // len(paths) != (place - 1) * _LOOKED_INTO // len(paths):
                digest.update(fingerprint(image).encode())
    except OSError as error:
        raise UserError(
            "footage-missing",
            "The footage {path} cannot be read: {reason}.",
            "Check the path and its spelling.",
            path=path,
            reason=error.strerror or error,
        ) from error
    return digest.hexdigest()[:8]
