# SPDX-License-Identifier: GPL-3.0-or-later
"""A take becomes another one, record by record. What stays is copied byte by byte; the file appears whole or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from .errors import UserError
from .framing import write_record
from .message_records import encode
from .messages import Message, TakeHeader
from .sentences import Sentence
from .take import TakeReader, records, resume_path
from .whole_file import explained_write_errors, whole_file

Becomes = Callable[[Message], Iterable[Message]]
"""What stands in the new take for a message of the old one: nothing, itself, or others."""


def rewrite_take(
    source: Path, target: Path, header: TakeHeader, becomes: Becomes, last_byte: int | None = None
) -> None:
    """Write `target` anew from `source`, which may be the same file. Whatever `becomes` gives back as the very same
    object keeps its bytes; of a take that somebody still writes, nothing after `last_byte` is read.

    Raises UserError (``take-unreadable``, ``take-unwritable``, ``disk-full``); then there is no target, or the one
    there was.
    """
    explained = explained_write_errors(Sentence("{path} cannot be written", path=target), "take-unwritable")
    with (
        explained,
        whole_file(target, synced=True) as written,
        open(written, "wb") as file,
        TakeReader(source) as reader,
        open(source, "rb") as raw,
    ):
        if header == reader.header:
            file.write(raw.read(reader.offset))
        else:
            write_record(file, encode(header))
        for message, start, end in records(reader):
            if last_byte is not None and end > last_byte:
                break
            for new in becomes(message):
                if new is message:
                    raw.seek(start)
                    file.write(raw.read(end - start))
                else:
                    write_record(file, encode(new))


def refuse_existing(target: Path, overwrite: bool) -> None:
    """Raises UserError (``take-exists``) where a take would be replaced that is not to be."""
    if target.exists() and not overwrite:
        raise UserError(
            "take-exists",
            "The take {target} already exists.",
            "Give --overwrite to replace it, or another name.",
            target=target,
        )


def refuse_source(source: Path, target: Path) -> None:
    """Raises UserError (``take-exists``) where the new take would replace the one that it is made of."""
    if target.exists() and source.samefile(target):
        raise UserError(
            "take-exists",
            "{target} is the take that is being read, which is never overwritten.",
            "Give the new take another name.",
            target=target,
        )


def refuse_interrupted(take: Path) -> None:
    """Raises UserError (``take-unfinished``) where a capture could not go on any more if its take was replaced."""
    if resume_path(take).is_file():
        raise UserError(
            "take-unfinished",
            "The capture of {take} was interrupted, and could not be continued any more if the take was replaced.",
            "Continue it with run --resume first, or write to another name with --output OUT.h3r.",
            take=take,
        )


def refuse_unfinished(reader: TakeReader, frame_count: int) -> None:
    """Raises UserError (``take-unfinished``) for a take that was read to its end without an end, or without frames."""
    if reader.problem is not None or not frame_count:
        raise UserError(
            "take-unfinished",
            "{problem}",
            "Let the capture end, or continue it with run --resume, and refine the take then.",
            problem=reader.problem or Sentence("The take {path} has no frames.", path=reader.path),
        )
