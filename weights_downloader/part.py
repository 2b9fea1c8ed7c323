# SPDX-License-Identifier: GPL-3.0-or-later
"""An unfinished download: bytes beside their target, and a note of what they are a part of.

The note is what makes going on safe: bytes of one file are never continued with another's. A part becomes its target
by one rename, after somebody has verified it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from engine.contract.disk_space import DISK_FULL, is_full
from engine.contract.errors import UserError
from engine.contract.json_checks import BadJson, build, read_json
from engine.contract.whole_file import replace_file, whole_file
from engine.installed.inventory import origin_path, part_path

from .validate import Progress

MORE_SPACE = (
    "Free some space, or set the environment variable HUMAN3R_DATA to another folder; then run the same command again "
    "to resume."
)


@dataclass(frozen=True)
class Origin:
    """What is being downloaded."""

    size: int | None
    """Bytes in all; None where the server does not say."""
    validator: str
    """Tells this content from any other: its SHA-256, or what the server gives for If-Range; "" where it gives none."""


class Part:
    """The unfinished form of ``target``. One process at a time: the caller holds the lock."""

    def __init__(self, target: Path, progress: Progress) -> None:
        self._target = target
        self._path = part_path(target)
        self._note = origin_path(target)
        self._progress = progress

    @property
    def path(self) -> Path:
        return self._path

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._path.stat().st_size if self._path.exists() else 0

    @property
    def origin(self) -> Origin | None:
        """What the bytes so far are a part of; None where there are none to go on with."""
        try:
            origin = build(Origin, read_json(self._note))
        except (OSError, BadJson):
            return None
        is_size = origin.size is None or origin.size >= 0
        # It becomes a header of a request.
        is_validator = origin.validator.isascii() and origin.validator.isprintable()
        return origin if is_size and is_validator and self._path.exists() else None

    def begin(self, origin: Origin) -> None:
        """Go on with what is there if it is of that origin, else start anew."""
        if self.origin == origin and (origin.size is None or self.size <= origin.size):
            return
        self.discard()
        with explained_disk_errors(self._path.parent):
            with whole_file(self._note) as written:
                written.write_text(json.dumps(asdict(origin)), encoding="utf-8")
            self._path.touch()

    @contextlib.contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The part as a file to append to, which counts what is written. Raises UserError for what disks do."""
        origin = self.origin
        with explained_disk_errors(self._path.parent), open(self._path, "ab") as file:
            yield _Counting(file, origin.size if origin else None, self._progress)  # type: ignore[misc]
            file.flush()
            os.fsync(file.fileno())

    def discard(self) -> None:
        """Throw the bytes away."""
        with explained_disk_errors(self._path.parent):
            self._note.unlink(missing_ok=True)
            self._path.unlink(missing_ok=True)

    def finish(self) -> None:
        """Make it the target, in one step."""
        with explained_disk_errors(self._path.parent):
            replace_file(self._path, self._target)
            self._note.unlink(missing_ok=True)


class _Counting:
    """As much of a binary file as a download needs; says after each write how far it is."""

    def __init__(self, file: BinaryIO, total: int | None, progress: Progress) -> None:
        self._file, self._total, self._progress = file, total, progress
        progress(file.tell(), total)

    def write(self, data: bytes) -> int:
        count = self._file.write(data)
        self._file.flush()  # so that a process that is killed has lost nothing that was counted
        self._progress(self._file.tell(), self._total)
        return count

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def truncate(self, size: int | None = None) -> int:
        return self._file.truncate(size)


@contextlib.contextmanager
def explained_disk_errors(folder: Path) -> Iterator[None]:
    """Turn what a disk refuses into UserError: ``disk-full``, ``folder-unwritable``."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise UserError(DISK_FULL, "The disk with {folder} is full.", MORE_SPACE, folder=folder) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise UserError(
                "folder-unwritable",
                "{folder} cannot be written to: {reason}.",
                "Change its permissions, or set the environment variable HUMAN3R_DATA to another folder.",
                folder=folder,
                reason=error.strerror,
            ) from error
        raise
