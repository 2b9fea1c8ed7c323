# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and folders appear whole or not at all: they are written beside their place and moved there in one step."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from .disk_space import DISK_FULL, is_full
from .errors import UserError
from .sentences import Sentence

_SHARING_VIOLATIONS = (5, 32, 33)
"""Windows' errors for a file that somebody has open; other systems do not mind that, and know no such numbers."""

_PAUSES_S = (0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.5, 0.7, 0.7)
"""2.5 seconds together: longer than a virus scanner or an indexer looks at a file."""


_PREFIX = ".human3r-"
"""How the folders begin that files and folders are written in."""


def final_place(path: Path) -> Path:
    """Where a file ends up: one that is being written as a `whole_file` lies beside the place that it will have."""
    return path.parent.parent / path.name if path.parent.name.startswith(_PREFIX) else path


@contextmanager
def whole_file(path: Path, synced: bool = False) -> Iterator[Path]:
    """A place beside `path` to write to, which becomes `path` at the end; after an exception nothing of it is left.

    The place has the name of `path`, in a folder of its own: some writers put the name into the file, or add to it.
    `synced`: the content has reached the disk before it takes the place of what was there, so that not even a power
    cut leaves neither of them. Folders that are missing are made. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A scanner that still looks at the folder must not turn a file that was written into a failure.
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=path.parent, ignore_cleanup_errors=True) as folder:
        written = Path(folder) / path.name
        yield written
        if synced:
            with open(written, "r+b") as file:
                os.fsync(file.fileno())
        replace_file(written, path)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A new folder beside `path`, which becomes `path` at the end; after an exception nothing of it is left.

    A folder that is there already makes way for it, and is back if that fails. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=path.parent, ignore_cleanup_errors=True) as around:
        written, former = Path(around) / path.name, Path(around) / "former"
        written.mkdir()
        yield written
        if path.exists():
            replace_file(path, former)
        try:
            replace_file(written, path)
        except BaseException:
            if former.exists():
                replace_file(former, path)
            raise


def replace_file(source: Path, target: Path) -> None:
    """Move a file to the place of another in one step. Raises OSError.

    On Windows that fails while another program has the target open, as virus scanners and indexers do with every new
    file for an instant, so it is tried again for a while.
    """
    for pause_s in _PAUSES_S:
        try:
            os.replace(source, target)  # noqa: PTH105
            return
        except PermissionError as error:
            if getattr(error, "winerror", None) not in _SHARING_VIOLATIONS:
                raise
            time.sleep(pause_s)
    os.replace(source, target)  # noqa: PTH105


def explained_temporary_errors() -> AbstractContextManager[None]:
    """Turn what the disk refuses to temporary files into UserError: ``disk-full``, else ``temporary-unwritable``."""
    return explained_write_errors(
        "Temporary files cannot be written",
        "temporary-unwritable",
        "Free some space on the disk that holds the folder for temporary files.",
    )


@contextmanager
def explained_write_errors(
    problem: str,
    code: str,
    remedy: str = "Choose a folder that has free space and that you may write to.",
    errors: tuple[type[Exception], ...] = (OSError,),
) -> Iterator[None]:
    """Turn what a disk refuses into UserError: ``disk-full``, else `code`; the reason follows on `problem`.

    `errors` are those that a library reports it with.
    """
    try:
        yield
    except errors as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(
            DISK_FULL if is_full(error) else code,
            "{problem}: {reason}.",
            Sentence(remedy),
            problem=Sentence(problem),
            reason=reason.rstrip("."),
        ) from error
