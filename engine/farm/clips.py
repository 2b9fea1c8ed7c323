# SPDX-License-Identifier: GPL-3.0-or-later
"""Which clips a job has, what their takes are called, and which of them one task does; as a file (``clips.json``)."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..contract.errors import UserError
from ..contract.file_names import not_reserved
from ..contract.json_checks import BadJson, build, read_json
from ..contract.media import VIDEO_SUFFIXES, files_in

FORMAT = 1
"""Raised when an older list can no longer be read."""

_LONGEST_NAME = 100
"""Of a take's name: with endings and a folder it stays within what file systems take."""

_TOGETHER_BYTES = 64_000_000
_TOGETHER_CLIPS = 8
"""So many bytes of short clips (about five minutes of work), and so many clips, go into one task."""

Task = tuple["Clip", ...]


@dataclass(frozen=True)
class Clip:
    """One clip of a job."""

    source: str
    """Video, folder of images or pattern; an absolute path on the computer that wrote the job."""
    name: str
    """What its take, scene and exports are called, without ending: letters, digits, ``-``, ``_`` and ``.`` alone, so
    that no shell and no template can take it for anything else."""

    @property
    def take(self) -> str:
        """The take's name in the job's folder."""
        return f"{self.name}.h3r"


@dataclass(frozen=True)
class _File:
    """What ``clips.json`` holds."""

    format: int
    tasks: tuple[tuple[tuple[str, str], ...], ...]


def clips_of(given: Iterable[str]) -> list[Clip]:
    """The clips that are meant, in order: a folder stands for the videos in it, without any for its images.

    Raises UserError: ``no-clips``, ``bad-name``, ``footage-missing``, ``clip-twice``.
    """
    sources = [source for name in given for source in _inside(name)]
    if not sources:
        raise UserError("no-clips", "There are no clips.", "Give videos, or folders with videos.")
    _refuse_twice(sources)
    for source in sources:
        _check(source)
    return [Clip(source, name) for source, name in zip(sources, _names(sources), strict=True)]


def grouped(clips: Sequence[Clip], per_task: int = 0) -> list[Task]:
    """The clips as tasks, in order: so many in each, or with 0 short ones together."""
    if per_task:
        return [tuple(clips[start : start + per_task]) for start in range(0, len(clips), per_task)]
    tasks: list[list[Clip]] = []
    room = 0
    for clip in clips:
        size = _bytes_of(clip.source)
        if tasks and size <= room and len(tasks[-1]) < _TOGETHER_CLIPS:
            tasks[-1].append(clip)
        else:
            tasks.append([clip])
            room = _TOGETHER_BYTES
        room -= size
    return [tuple(task) for task in tasks]


def write_tasks(path: Path, tasks: Sequence[Task]) -> None:
    """Write ``clips.json``. Raises OSError."""
    listed = [[[clip.source, clip.name] for clip in task] for task in tasks]
    lines = ",\n".join("  " + json.dumps(task, ensure_ascii=False) for task in listed)
    path.write_text(f'{{"format": {FORMAT}, "tasks": [\n{lines}\n]}}\n', encoding="utf-8")


def read_tasks(path: Path) -> list[Task]:
    """Read ``clips.json``. Raises UserError (``list-unreadable``)."""
    try:
        found = build(_File, read_json(path))
        if found.format != FORMAT:
            raise BadJson("it was written by another version")
        tasks = [tuple(Clip(source, name) for source, name in task) for task in found.tasks]
        if any(clip.name != safe_name(clip.name) for task in tasks for clip in task):
            raise BadJson("it holds a name that is no take's")
    except (OSError, BadJson) as error:
        raise UserError(
            "list-unreadable",
            "The list of clips {path} cannot be read: {error}",
            "Give the clips.json of a bundle.",
            path=path,
            error=error,
        ) from error
    return tasks


def safe_name(text: str) -> str:
    """A name that no shell, no template and no file system takes for anything else."""
    kept = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", text)).strip("._-")[:_LONGEST_NAME]
    return not_reserved(kept.rstrip("._-") or "clip")


def _inside(name: str) -> list[str]:
    is_folder = os.path.isdir(name)  # noqa: PTH112 - takes any name
    inside: Collection[Path] = files_in(Path(name), VIDEO_SUFFIXES) if is_folder else ()
    return [str(path.absolute()) for path in inside] or [str(Path(name).absolute())]


def _check(source: str) -> None:
    """Raises UserError for what no farm could pass on, and for what is not there."""
    if not source.isprintable():  # line breaks, other control characters, and names that are no text
        raise UserError(
            "bad-name",
            "The name {name} has a line break or another character that farms cannot pass on.",
            "Rename the file or folder.",
            name=ascii(Path(source).name),
        )
    is_pattern = re.search(r"%0?\d*d|#", Path(source).name) is not None
    if not os.path.exists(source) and not (is_pattern and Path(source).parent.is_dir()):  # noqa: PTH110
        raise UserError(
            "footage-missing", "There is no file or folder {path}.", "Check the path and its spelling.", path=source
        )


def _refuse_twice(sources: Sequence[str]) -> None:
    seen: set[str] = set()
    for source in sources:
        if source in seen:
            raise UserError("clip-twice", "The clip {path} is given twice.", "Give it once.", path=source)
        seen.add(source)


def _names(sources: Sequence[str]) -> list[str]:
    """A name for each, all different on every system; where stems are the same, folders tell them apart, then numbers.

    Names depend on the other clips alone where they have to: the same job written again has the same names.
    """
    names = [_stem(Path(source)) for source in sources]
    for deeper in (1, 2):
        for number in _doubles(names):
            folders = Path(sources[number]).parts[-1 - deeper : -1]
            names[number] = safe_name("_".join((*folders, _stem(Path(sources[number])))))
    taken: set[str] = set()
    for number, name in enumerate(names):
        free, count = name, 2
        while free.casefold() in taken:
            free, count = f"{name}_{count}", count + 1
        taken.add(free.casefold())
        names[number] = free
    return names


def _doubles(names: Sequence[str]) -> list[int]:
    folded = [name.casefold() for name in names]
    counts = {name: folded.count(name) for name in set(folded)} if len(set(folded)) < len(folded) else {}
    return [number for number, name in enumerate(folded) if counts.get(name, 1) > 1]


def _stem(path: Path) -> str:
    stem = path.stem
    if not path.exists():  # a pattern
        stem = stem.rstrip(".%0123456789d#_-") or "sequence"
    return safe_name(stem)


def _bytes_of(source: str) -> int:
    """The size of a clip: of a video's file, of all images of a sequence."""
    path = Path(source)
    if path.is_file():
        return path.stat().st_size
    folder = path if path.is_dir() else path.parent
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
