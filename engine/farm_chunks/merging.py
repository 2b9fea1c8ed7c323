# SPDX-License-Identifier: GPL-3.0-or-later
"""The chunks of one clip, checked that they are all and belong together, as the supply of a capture."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from pathlib import Path

from ..contract.errors import UserError
from ..contract.settings import CaptureSettings
from ..supply import Sink
from ..video.pictures import Footage, Picture, Wanted, every
from .chunk_file import ChunkEnd, ChunkHeader, ChunkReader
from .chunk_frames import ChunkFrame
from .chunked_model import ChunkedModel

_NOT_COMPARED = ("source", "take", "body", "device")
"""Where files lie and what computes may differ from worker to worker; the body is the merge's."""


@dataclass(frozen=True)
class FoundChunk:
    """A chunk file, looked at from outside."""

    path: Path
    header: ChunkHeader
    end: ChunkEnd


class RecordedFootage(Footage):
    """What chunks say of their footage, which need not be here."""

    def __init__(self, chunks: Sequence[FoundChunk]) -> None:
        header = chunks[0].header
        self.size, self.frame_rate, self.frame_count = header.footage_size, header.frame_rate, header.frame_count
        self.problem = chunks[-1].end.problem or None

    def expected_count(self, start: int, end: int | None, stride: int) -> int | None:
        return self.frame_count

    def pictures(
        self, start: int = 0, end: int | None = None, stride: int = 1, wanted: Wanted = every
    ) -> Iterator[Picture]:
        raise NotImplementedError("only what was recorded is known")


class MergeSupply:
    """Fulfills :class:`~..capture.Supply`."""

    def __init__(self, chunks: Sequence[FoundChunk]) -> None:
        """`chunks` as :func:`ordered` gives them."""
        self._chunks = chunks

    def footage(self) -> Footage:
        return RecordedFootage(self._chunks)

    def model(self, done: int, sink: Sink) -> ChunkedModel:
        return ChunkedModel(self._chunks[0].header)

    def frames(self, first: int, done: int) -> AbstractContextManager[Iterable[ChunkFrame]]:
        return contextlib.closing(self._frames(done))

    def _frames(self, done: int) -> Generator[ChunkFrame, None, None]:
        for chunk in self._chunks:
            with ChunkReader(chunk.path) as reader:
                yield from itertools.islice(reader.frames(), max(0, done - chunk.header.first), None)


def look_at(path: Path) -> FoundChunk:
    """Raises UserError (``chunk-unreadable``)."""
    with ChunkReader(path) as reader:
        return FoundChunk(path, reader.header, reader.end())


def ordered(found: Sequence[FoundChunk]) -> list[FoundChunk]:
    """The chunks that have frames, in the order of the clip.

    Raises UserError: ``chunk-foreign``, ``chunk-twice``, ``chunk-missing``."""
    for other in found[1:]:
        _check_same_capture(found[0], other)
    chunks = sorted((chunk for chunk in found if chunk.end.count), key=lambda chunk: chunk.header.first)
    done, last = 0, None
    for number, chunk in enumerate(chunks):
        if chunk.header.first < done:
            raise _twice(chunks[number - 1], chunk)
        if chunk.header.first > done:
            raise _missing(done, chunk.header.first - 1)
        if chunk.header.before != last:
            raise _foreign(chunks[0], chunk, "it goes on after another frame than the chunk before it ends with")
        done, last = done + chunk.end.count, chunk.end.last
    if not chunks or chunks[-1].end.more:
        raise _missing(done, None)
    return chunks


def merged_settings(chunks: Sequence[FoundChunk], places: Mapping[str, str]) -> CaptureSettings:
    """Those of the capture that the first chunk belongs to, with the places of files here, by the settings' names."""
    return CaptureSettings(**(vars(chunks[0].header.settings) | dict(places)))


def _check_same_capture(first: FoundChunk, other: FoundChunk) -> None:
    if other.header.clip != first.header.clip:
        raise _foreign(first, other, "it was made from other footage")
    for item in fields(CaptureSettings):
        one, two = (getattr(chunk.header.settings, item.name) for chunk in (first, other))
        if item.name not in _NOT_COMPARED and one != two:
            raise _foreign(first, other, f"it was made with {item.name} = {two!r} and not {one!r}")
    for name in ("model", "image_size", "token_width", "footage_size", "frame_rate", "frame_count"):
        one, two = (getattr(chunk.header, name) for chunk in (first, other))
        if one != two:
            raise _foreign(first, other, f"it has {name} = {two!r} and not {one!r}")


def _foreign(first: FoundChunk, other: FoundChunk, what: str) -> UserError:
    return UserError(
        "chunk-foreign",
        "{other} does not belong to the same capture as {first}: {what}.",
        "Leave it out, or run it again with the same footage and options as the others.",
        other=other.path.name,
        first=first.path.name,
        what=what,
    )


def _twice(one: FoundChunk, two: FoundChunk) -> UserError:
    return UserError(
        "chunk-twice",
        "{one} and {two} hold the same frames.",
        "Give each chunk once.",
        one=one.path.name,
        two=two.path.name,
    )


def _missing(first: int, last: int | None) -> UserError:
    if last is None:
        return UserError(
            "chunk-missing",
            "A chunk is missing: the clip goes on with frame {first}, and no file has that.",
            "Give all chunks. If one has not been run, run it with engine farm-chunk.",
            first=first,
        )
    return UserError(
        "chunk-missing",
        "A chunk is missing: no file has frames {first} to {last}.",
        "Give all chunks. If one has not been run, run it with engine farm-chunk.",
        first=first,
        last=last,
    )
