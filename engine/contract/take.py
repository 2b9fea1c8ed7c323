# SPDX-License-Identifier: GPL-3.0-or-later
"""The take: a capture's records in a file, readable up to its last good record whatever happened to the writer."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from .errors import UserError
from .final_frames import with_final
from .framing import CorruptRecord, Record, TruncatedRecord, hop_record, read_record, write_record
from .message_records import decode, encode
from .messages import FinalFrame, Frame, Message, TakeEnd, TakeHeader
from .sentences import Sentence
from .settings import CaptureSettings
from .whole_file import explained_write_errors


class TakeWriter:
    """Appends messages to a take, each one flushed, so that a crash costs at most the message being written.

    ``offset`` opens an existing take for resuming: everything after that byte is dropped first. Records are appended
    in place and not through a temporary file: the format is valid after every record, and a take that is still being
    written can be read. ``check`` is called before each record, and raises where this process may not write any more.
    """

    def __init__(
        self, path: str | os.PathLike[str], offset: int | None = None, check: Callable[[], None] | None = None
    ) -> None:
        self.path, self._check = Path(path), check
        with explained_write_errors(Sentence("The take {path} cannot be written", path=self.path), "take-unwritable"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # unbuffered: a buffer that a full disk refused would be refused once more by closing the file
            self._file = open(self.path, "wb" if offset is None else "r+b", buffering=0)
            self._offset = offset or 0
            self._file.truncate(self._offset)
            self._file.seek(self._offset)

    def write(self, message: Message) -> None:
        """Append one message. Raises UserError: ``disk-full``, or ``take-unwritable`` when the disk is gone."""
        if self._check is not None:
            self._check()
        remedy = "Free some space, then resume. The take is good up to its last record."
        with explained_write_errors(
            Sentence("Writing the take {path} failed", path=self.path), "take-unwritable", remedy
        ):
            self._append(encode(message))

    def _append(self, record: Record) -> None:
        """Write one record whole, or leave the file as it was before it."""
        stream = io.BytesIO()
        write_record(stream, record)
        left = stream.getbuffer()
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(self._offset)
                self._file.seek(self._offset)
            raise
        self._offset = self._file.tell()

    @property
    def offset(self) -> int:
        """Bytes written so far: the place to resume from."""
        return self._offset

    def sync(self) -> None:
        """Ask the system to bring all records to the disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> TakeWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class TakeReader:
    """Iterates over a take's messages after its header, up to the last good record.

    ``header`` is read at once. After the iteration ``problem`` is None for a take that was closed in order, else one
    sentence that says why and where the reading ended.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.problem: str | None = None
        try:
            self._file: BinaryIO = open(self.path, "rb")
        except OSError as error:
            raise UserError(
                "take-unreadable",
                "The take {path} cannot be opened: {reason}.",
                "Choose an existing .h3r file.",
                path=self.path,
                reason=error.strerror,
            ) from error
        try:
            record = read_record(self._file)
            first = decode(record) if record else None
        except CorruptRecord as error:
            self._file.close()
            raise UserError(
                "take-unreadable",
                "{name} is not a take: {error}.",
                "Choose a .h3r file written by Human3R for Blender.",
                name=self.path.name,
                error=error,
            ) from error
        except UserError:
            self._file.close()
            raise
        if not isinstance(first, TakeHeader):
            self._file.close()
            raise UserError(
                "take-unreadable",
                "{name} is not a take: it does not begin with the header of one.",
                "Choose a .h3r file written by Human3R for Blender.",
                name=self.path.name,
            )
        self.header: TakeHeader = first

    @property
    def offset(self) -> int:
        """Byte offset of the next record."""
        return self._file.tell()

    def __iter__(self) -> Iterator[Message]:
        closed = False
        offset = self._file.tell()
        try:
            while (record := read_record(self._file)) is not None:
                message = decode(record)
                closed = isinstance(message, TakeEnd)
                offset = self._file.tell()
                yield message
        except TruncatedRecord:
            self.problem = Sentence(
                "{name} is cut off at byte {offset}. Everything before that was read.",
                name=self.path.name,
                offset=offset,
            )
        except CorruptRecord as error:
            self.problem = Sentence(
                "{name} is damaged at byte {offset} ({error}). Everything before that was read.",
                name=self.path.name,
                offset=offset,
                error=error,
            )
        else:
            if not closed:
                self.problem = Sentence(
                    "{name} was not closed. All {offset} bytes were read.", name=self.path.name, offset=offset
                )

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> TakeReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def resume_path(take: str | os.PathLike[str]) -> Path:
    """Where the resume file of a take lies, which an interrupted capture leaves to go on from."""
    return Path(f"{os.fspath(take)}.resume")


def begun_settings(path: str | os.PathLike[str]) -> CaptureSettings:
    """The settings that a take was begun with, what was left to the engine filled in; the take is where it is now.

    Raises UserError (``take-unreadable``, ``protocol-mismatch``).
    """
    with TakeReader(path) as reader:
        return replace(reader.header.settings, take=os.fspath(path))


def last_message(path: str | os.PathLike[str]) -> Message | None:
    """A take's last message, found without reading those before it; None where the file is damaged on the way.

    Raises UserError (``take-unreadable``, ``protocol-mismatch``).
    """
    with TakeReader(path) as reader, open(path, "rb") as file:
        last = offset = 0
        try:
            while size := hop_record(file):
                last, offset = offset, offset + size
            file.seek(last)
            record = read_record(file)
        except CorruptRecord:
            return None
        return reader.header if record is None or last == 0 else decode(record)


def records(reader: TakeReader) -> Iterator[tuple[Message, int, int]]:
    """The messages after a take's header, each with the byte offsets at which its record begins and ends."""
    start = reader.offset
    for message in reader:
        yield message, start, reader.offset
        start = reader.offset


class SettledTakeReader(TakeReader):
    """A :class:`TakeReader` whose frames are as the final pass left them, if there was one: what most readers want.

    It reads the take once more beforehand, for the final frames alone, and holds those. Without ``refined`` people are
    as they were before they were refined.
    """

    def __init__(self, path: str | os.PathLike[str], refined: bool = True) -> None:
        super().__init__(path)
        self._final: dict[int, FinalFrame] = {}
        with TakeReader(path) as first:
            for message in first:
                if isinstance(message, FinalFrame) and (refined or not message.refined):
                    self._final[message.index] = message

    def __iter__(self) -> Iterator[Message]:
        for message in super().__iter__():
            if isinstance(message, Frame) and message.index in self._final:
                yield with_final(message, self._final.pop(message.index))
            elif not isinstance(message, FinalFrame):
                yield message
