# SPDX-License-Identifier: GPL-3.0-or-later
"""Which clips can be taken apart, and which frames each chunk has.

The network's state starts anew every `reset_interval` frames, so a chunk that begins there needs of all that came
before only the last frame, which is seen once more.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..contract.errors import UserError
from ..contract.settings import BUILT_IN, CaptureSettings


@dataclass(frozen=True)
class Chunk:
    """Frames count from 0 in the row of all that a capture takes from the footage."""

    index: int
    chunks: int | None
    """Of how many; None where each is one reset interval and nobody has counted them."""
    first: int
    """A multiple of the reset interval."""
    last: int | None
    """The frame to stop before; None for the end of the clip."""


def require_chunks(settings: CaptureSettings) -> None:
    """Raises UserError (``no-chunks``) for captures, under resolved settings, that cannot be taken apart."""
    if settings.model == BUILT_IN:
        raise UserError(
            "no-chunks",
            "The built-in model (landmarks) follows people from each frame to the next, so for it a clip cannot be "
            "taken apart.",
            "Run the whole clip in one go, or use a Human3R model: --model 896L (or other released weights).",
        )
    if not settings.reset_interval:
        raise UserError(
            "no-chunks",
            "Without a reset interval each frame depends on all frames before it, so the clip cannot be taken apart.",
            "Use --reset-interval 100, or run the whole clip in one go.",
        )


def reset_chunk(settings: CaptureSettings, index: int) -> Chunk:
    """The chunk that is one reset interval."""
    first = index * settings.reset_interval
    return Chunk(index, None, first, first + settings.reset_interval)


def planned_chunk(settings: CaptureSettings, expected: int | None, index: int, chunks: int | None) -> Chunk:
    """Chunk number `index` of as many `chunks`, all but the last of whole reset intervals; None: one interval each.

    `expected` is how many frames there will be as far as the footage tells; the last chunk goes to its true end, and
    with more chunks than intervals some have no frame. Raises UserError (``no-such-chunk``, ``frames-unknown``).
    """
    if index < 0 or (chunks is not None and index >= chunks):
        raise UserError(
            "no-such-chunk",
            "There is no chunk {index} of {chunks}.",
            "Chunks count from 0: give --index from 0 to {most}.",
            index=index,
            chunks=chunks or "any number",
            most="the last" if chunks is None else chunks - 1,
        )
    if chunks is None:
        return reset_chunk(settings, index)
    if expected is None:
        raise UserError(
            "frames-unknown",
            "The footage does not tell how many frames it has, so it cannot be taken apart into {chunks} chunks.",
            "Give --end FRAME, or leave out --chunks: then each chunk is one reset interval.",
            chunks=chunks,
        )
    intervals = -(-expected // settings.reset_interval)
    first, last = (place * intervals // chunks * settings.reset_interval for place in (index, index + 1))
    return Chunk(index, chunks, first, None if index == chunks - 1 else last)
