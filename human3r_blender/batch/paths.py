# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files a command line means, and where each result goes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from ...engine.contract.errors import UserError
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
        inside = files_in(Path(name), suffixes) if Path(name).is_dir() else []
        if not inside and others is not None and Path(name).is_dir():
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

    Raises :class:`UserError`: ``output-not-folder``, ``output-exists``.
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
        planned = [(source, output) for source in sources]
    else:
        planned, taken = [], set()
        for source in sources:
            stem = Path(source).stem.rstrip(".%0123456789d#_-") or "sequence"
            if Path(source).exists():
                stem = Path(source).stem
            name, number = stem, 2
            while name in taken:
                name, number = f"{stem}-{number}", number + 1
            taken.add(name)
            planned.append((source, output / (name + suffix)))
    for _, path in planned:
        if path.exists() and not overwrite:
            raise UserError(
                "output-exists", "{path} already exists.", "Give another name, or use --overwrite.", path=path
            )
    return planned
