# SPDX-License-Identifier: GPL-3.0-or-later
"""The network on chunks of a clip: from the footage to chunk files."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from ..contract.settings import CaptureSettings
from ..human3r_estimator import Human3RModel, network_image, rollout_settings
from ..model.rollout import ChunkedRollout
from ..models import load_model
from ..stages.network_frame import network_frame
from ..video.footage import Footage
from ..video.pictures import Wanted
from ..video.reading import PreparedFrame
from .chunk_file import FORMAT, ChunkEnd, ChunkHeader, ChunkWriter
from .chunk_frames import ChunkFrame
from .plan import Chunk

Told = Callable[[int], None]
"""Called with the number of frames that are in the file."""


class PlacedFrames:
    """Prepared frames of a clip by their place in the row of all; places only go up."""

    def __init__(self, frames: Iterator[PreparedFrame], wanted: Wanted) -> None:
        """`frames` are those at the places that are `wanted`."""
        self._rest = zip(filter(wanted, itertools.count()), frames, strict=False)
        self._now: tuple[int, PreparedFrame] | None = None

    def at(self, place: int) -> PreparedFrame | None:
        """The frame at a place that is wanted; None beyond the end of the clip."""
        while self._now is None or self._now[0] < place:
            self._now = next(self._rest, None)
            if self._now is None:
                return None
        return self._now[1] if self._now[0] == place else None


def wanted_for(chunk: Chunk) -> Wanted:
    """The frames of a chunk, the one before, which is seen once more, and the one after, which tells of the end."""
    return lambda place: place >= chunk.first - 1 and (chunk.last is None or place <= chunk.last)


@dataclass(frozen=True)
class ChunkRunner:
    """Runs chunks of one clip, in order."""

    settings: CaptureSettings
    """Resolved."""
    clip: str
    footage: Footage
    frames: PlacedFrames
    model: Human3RModel

    def write(self, chunk: Chunk, path: Path, tell: Told) -> ChunkEnd:
        """Write a chunk's file. A chunk that begins after the end of the clip has no frames.

        Raises OSError, and UserError where the footage cannot be read."""
        before = self.frames.at(chunk.first - 1) if chunk.first else None
        with open(path, "wb") as file:
            header = self._header(chunk, before)
            writer = ChunkWriter(file, header)
            tell(0)
            rollout, picture_map = (
                ChunkedRollout(self.model.model, rollout_settings(self.settings, self.model.model)),
                header.picture_map(),
            )
            if before is not None:
                rollout.begin_chunk(chunk.first, network_image(before.rgb))
            count, last = 0, None
            for frame in self._frames_of(chunk):
                passes = rollout.push(network_image(frame.rgb))
                network = network_frame(passes, picture_map)
                writer.write(ChunkFrame(frame.source_frame, frame.time_s, frame.rgb, frame.grey, network=network))
                count, last = count + 1, frame.source_frame
                tell(count)
            more = chunk.last is not None and self.frames.at(chunk.last) is not None
            end = ChunkEnd(count, last, more, "" if more else self.footage.problem or "")
            writer.end(end)
        return end

    def _frames_of(self, chunk: Chunk) -> Iterator[PreparedFrame]:
        places = itertools.count(chunk.first) if chunk.last is None else range(chunk.first, chunk.last)
        return itertools.takewhile(lambda frame: frame is not None, map(self.frames.at, places))  # type: ignore[arg-type]

    def _header(self, chunk: Chunk, before: PreparedFrame | None) -> ChunkHeader:
        settings, footage, config = self.settings, self.footage, self.model.model.config
        return ChunkHeader(
            FORMAT,
            settings,
            self.clip,
            self.model.name,
            config.image_size,
            config.decoder_width,
            footage.size,
            footage.frame_rate,
            footage.expected_count(settings.start, settings.end, settings.stride),
            chunk.index,
            chunk.chunks,
            chunk.first,
            None if before is None else before.source_frame,
        )


def load_network(settings: CaptureSettings) -> Human3RModel:
    """The model of a capture that :func:`.plan.require_chunks` lets through. Raises as `load_model`."""
    model = load_model(settings.model, torch.device(settings.device), settings.precision)
    assert isinstance(model, Human3RModel), "all models but the built-in one"
    return model
