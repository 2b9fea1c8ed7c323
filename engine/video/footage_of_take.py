# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding the footage again that a take was made from."""

from __future__ import annotations

from dataclasses import replace

from ..contract.errors import UserError
from ..contract.file_names import is_remote
from ..contract.messages import TakeHeader
from ..contract.sentences import Sentence
from ..contract.settings import CaptureSettings
from .footage import open_footage


def settings_with_footage(header: TakeHeader, footage: str | None) -> CaptureSettings:
    """The settings of a take's capture, with its footage where it lies now; nothing for where it lay then.

    A take may be from elsewhere, so footage that it names on another computer is opened only where the user says so:
    Windows sends the user's login to the host that such a path names.

    Raises UserError (``footage-remote``, ``footage-differs``, and those of :func:`~.footage.open_footage`).
    """
    if not footage and is_remote(header.settings.source):
        raise UserError(
            "footage-remote",
            "The take says that its footage lies on another computer: {source}.",
            "If you trust that computer, give the path yourself: --footage VIDEO.",
            source=header.settings.source,
        )
    settings = replace(header.settings, source=footage or header.settings.source)
    try:
        found = open_footage(settings.source, settings.frame_rate)
    except UserError as error:
        raise UserError(
            error.code,
            "{problem}",
            "Say where the footage of this take lies now: --footage VIDEO.",
            problem=Sentence(str(error.message)),
        ) from error
    found.close()
    if found.size != header.footage_size:
        raise UserError(
            "footage-differs",
            "{source} has {size} pixels, but the take was made from footage of {expected}.",
            "Give the footage that the take was made from: --footage VIDEO.",
            source=settings.source,
            size=" x ".join(map(str, found.size)),
            expected=" x ".join(map(str, header.footage_size)),
        )
    return settings
