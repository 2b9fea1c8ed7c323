# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files a command line means, and where each result goes."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from ...engine.contract.errors import UserError
from ...engine.contract.file_names import not_reserved
from ...engine.contract.media import VIDEO_SUFFIXES, files_in


def find_sources(
    given: Iterable[str],
    suffixes: Collection[str] = VIDEO_SUFFIXES,
    others: Callable[[Path], list[Path]] | None = None,
) -> list[str]:
    """Sources in order: a folder stands for the files in it with those suffixes, without any for the `others` that are
    found in it, and without any for itself (images).

    Names that do not exist are kept: image-sequence patterns are such, and the reader knows best what is wrong.
    """
    sources: list[str] = []
    for name in given:
        is_folder = os.path.isdir(name)  # noqa: PTH112 - takes any name
        inside = files_in(Path(name), suffixes) if is_folder else []
        if is_folder and not inside and others is not None:
            inside = others(Path(name))
        sources += [str(path.absolute()) for path in inside] or [str(Path(name).absolute())]
    return sources


def plan_outputs(
    sources: Sequence[str],
    output: Path,
    overwrite: bool,
    suffix: str = ".blend",
) -> list[tuple[str, Path]]:
    """(source, output file) pairs: ``output`` itself for one source, files named after the sources in a folder else.

    Raises :class:`UserError`: ``output-not-folder``, ``output-reserved``, ``output-twice``, ``output-exists``.
    """
    output = output.absolute()
    if output.suffix.lower() == suffix and not output.is_dir():
        if len(sources) > 1:
            raise UserError(
                "output-not-folder",
                "{count} results cannot go into one file, {name}.",
                "Give a folder instead.",
                count=len(sources),
                name=output.name,
            )
        _refuse_reserved(output)
        planned = [(source, output) for source in sources]
    else:
        planned = [(source, output / (_stem(source) + suffix)) for source in sources]
    _refuse_equal(planned)
    for _, path in planned:
        if exists(path) and not overwrite:
            raise UserError(
                "output-exists", "{path} already exists.", "Give another name, or use --overwrite.", path=path
            )
    return planned


def exists(path: Path) -> bool:
    """Whether there is such a file; False also for names that no file can have."""
    return os.path.exists(path)  # noqa: PTH110 - takes any name


def _stem(source: str) -> str:
    """What the output of a source is called."""
    stem = Path(source).stem
    if not exists(Path(source)):
        stem = stem.rstrip(".%0123456789d#_-") or "sequence"
    return not_reserved(stem)


def _refuse_reserved(path: Path) -> None:
    """Raises UserError (``output-reserved``) for a name that Windows keeps for a device: no file there can have it."""
    if not_reserved(path.stem) != path.stem:
        raise UserError(
            "output-reserved",
            "{name} is no name for a file: Windows keeps it for a device.",
            "Give another name.",
            name=path.name,
        )


def _refuse_equal(planned: Sequence[tuple[str, Path]]) -> None:
    """Raises UserError (``output-twice``) where two outputs would be one file, on some system at least."""
    seen: dict[str, str] = {}
    for source, path in planned:
        place = unicodedata.normalize("NFC", str(path)).casefold()
        first = seen.get(place)
        seen[place] = source
        if first is not None:
            raise UserError(
                "output-twice",
                "{first} and {second} would both become {name}.",
                "Rename one of them, or convert them in two runs into two folders.",
                first=first,
                second=source,
                name=path.name,
            )
