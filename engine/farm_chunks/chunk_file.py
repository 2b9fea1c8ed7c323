# SPDX-License-Identifier: GPL-3.0-or-later
"""The chunk file (`.h3rc`): a header, a record for each frame, and an end, framed and checked like those of a take."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from ..contract.errors import UserError
from ..contract.framing import CorruptRecord, Record, read_record, skip_record, write_record
from ..contract.json_checks import BadJson, Item, build
from ..contract.settings import CaptureSettings
from ..contract.soundness import MOST_RATE, MOST_SIDE
from ..video.picture import PictureMap
from .chunk_frames import KIND, ChunkFrame, FrameRecords, unreadable

FORMAT = 1
"""Raised whenever older chunk files can no longer be merged."""

_HEADER, _END = "chunk", "chunk_end"
_MOST_WIDTH = 1 << 16
_LEAST_IMAGE, _MOST_IMAGE = 16, 1 << 13


@dataclass(frozen=True)
class ChunkHeader:
    """What a chunk is part of, and which part."""

    format: int
    settings: CaptureSettings
    """Of the capture, resolved. The take is not known yet: it names the chunk file."""
    clip: str
    """As :func:`.clip_fingerprint.clip_fingerprint` says."""
    model: str
    """As in a take's header."""
    image_size: int
    """Long side of the network's pictures."""
    token_width: int
    footage_size: tuple[int, int]
    frame_rate: float
    frame_count: int | None
    """How many frames the capture will have, as far as the footage tells."""
    index: int
    chunks: int | None
    """As in :class:`.plan.Chunk`."""
    first: int
    """Frames of the capture before this chunk."""
    before: int | None
    """The footage frame before, which was seen once more; None where there is none."""

    def picture_map(self) -> PictureMap:
        """How the network's pictures are cut from the footage."""
        return PictureMap.plan(self.footage_size, self.image_size)


@dataclass(frozen=True)
class ChunkEnd:
    """What is known when all of a chunk's frames are done."""

    count: int
    """Frames in the chunk."""
    last: int | None
    """The footage frame that the last of them is."""
    more: bool
    """Whether the clip goes on after it."""
    problem: str
    """What could not be read of the footage up to there, in whole sentences; empty where nothing is missing."""


class ChunkWriter:
    """Writes a chunk file from beginning to end; each record is whole in the file when its method returns."""

    def __init__(self, file: BinaryIO, header: ChunkHeader) -> None:
        self._file, self._place = file, header.first
        self._records = FrameRecords(header.settings, header.picture_map(), header.token_width)
        write_record(file, Record(_HEADER, asdict(header), {}))

    def write(self, frame: ChunkFrame) -> None:
        """The next frame."""
        write_record(self._file, self._records.record(frame, self._place))
        self._place += 1

    def end(self, end: ChunkEnd) -> None:
        """The last record."""
        write_record(self._file, Record(_END, asdict(end), {}))


class ChunkReader:
    """A chunk file. Everything that is wrong with it raises UserError (``chunk-unreadable``)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = open(path, "rb")
        except OSError as error:
            raise unreadable(path.name, error.strerror or error) from error
        try:
            self.header = self._header()
            self._records = FrameRecords(self.header.settings, self.header.picture_map(), self.header.token_width)
        except BaseException:
            self._file.close()
            raise
        self._begin = self._file.tell()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> ChunkReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def end(self) -> ChunkEnd:
        """The last record, found without reading the frames before it."""
        file, start, count = self._file, self._begin, -1
        size = file.seek(0, os.SEEK_END)
        file.seek(self._begin)
        try:
            while (position := file.tell()) < size and skip_record(file):
                start, count = position, count + 1
        except CorruptRecord as error:
            raise unreadable(self.path.name, error) from error
        if position != size:
            raise unreadable(self.path.name, "it is cut off")
        file.seek(start)
        end = self._end(self._record(_END))
        if end.count != count:
            raise unreadable(self.path.name, f"it has {count} frames and should have {end.count}")
        return end

    def frames(self) -> Iterator[ChunkFrame]:
        """All frames, one after the other. A file that is still being written has as many as its writer says."""
        self._file.seek(self._begin)
        while (record := self._record(KIND, _END)).kind == KIND:
            yield self._records.frame(record, self.path.name)

    def _record(self, *kinds: str) -> Record:
        try:
            record = read_record(self._file)
        except (CorruptRecord, OSError) as error:
            raise unreadable(self.path.name, error) from error
        if record is None or record.kind not in kinds:
            raise unreadable(self.path.name, "it is cut off" if record is None else f"it has a record {record.kind!r}")
        return record

    def _header(self) -> ChunkHeader:
        values = self._record(_HEADER).values
        if values.get("format") != FORMAT:
            raise unreadable(self.path.name, "it was written by another version")
        header = self._built(ChunkHeader, values)
        interval, sides = header.settings.reset_interval, header.footage_size
        fits = (
            interval > 0 <= min(header.index, header.first)
            and header.first % interval == 0
            and _LEAST_IMAGE <= header.image_size <= _MOST_IMAGE
            and 0 < header.token_width <= _MOST_WIDTH
            and 0 < min(sides) <= max(sides) <= MOST_SIDE
            and 0 < header.frame_rate <= MOST_RATE
        )
        if not fits:
            raise unreadable(self.path.name, "its header has impossible numbers")
        return header

    def _end(self, record: Record) -> ChunkEnd:
        end = self._built(ChunkEnd, record.values)
        if end.count < 0 or (end.last is None) != (end.count == 0):
            raise unreadable(self.path.name, "its end has impossible numbers")
        return end

    def _built(self, item_type: type[Item], values: dict[str, object]) -> Item:
        try:
            return build(item_type, values)
        except BadJson as error:
            raise unreadable(self.path.name, error) from error
        except UserError as error:  # what settings say of their own
            raise unreadable(self.path.name, error.message.rstrip(".")) from error
