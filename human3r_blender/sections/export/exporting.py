# SPDX-License-Identifier: GPL-3.0-or-later
"""From people in a scene to files: read once, staged once per file, written by each format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bpy

from ....engine.contract.errors import UserError
from ....engine.contract.sentences import Sentence
from ....engine.contract.whole_file import explained_write_errors, whole_file
from ...blender import turns
from ...blender.slices import Slices, sliceable
from ...person.visibility import hidden_frames
from ...rigs import profiles
from . import backdrops, character_motion
from .character_motion import CharacterMotion
from .file_format import Request
from .formats import FORMATS
from .motion import PersonMotion, clock, collect
from .settings import ExportSettings
from .staged_person import Style

Subject = PersonMotion | CharacterMotion
"""Who goes into a file."""


@dataclass(frozen=True)
class Exported:
    """What an export wrote."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]
    """What the files cannot show, a sentence each."""


def check_available(formats: Sequence[str]) -> None:
    """Find out before the work begins whether this Blender can write some formats. Raises UserError
    (``exporter-missing``).
    """
    for kind in formats:
        FORMATS[kind].check()


@sliceable
def export(
    scene: bpy.types.Scene,
    people: Sequence[bpy.types.Object],
    folder: Path,
    stem: str,
    settings: ExportSettings,
    characters: Sequence[bpy.types.Object] = (),
) -> Slices[Exported]:
    """Write people and characters, armatures of a scene, to `folder`, in files called after `stem`.

    Where there are `characters`, the settings say which of both are meant.

    Raises UserError (``nobody-to-export``, ``exporter-missing``, ``export-failed``, ``output-exists``,
    ``output-unwritable``, ``disk-full``, and those of `collect`). The scene is left as it was.
    """
    check_available(settings.formats)
    when = clock(scene, settings.frame_rate)
    characters = () if settings.subjects == "people" else characters
    people = people if _wants_people(settings, characters) else ()
    hidden = {item: hidden_frames(item, scene, when.scene_frames) for item in people}
    yield None
    cast, found = [], []
    for item in characters:
        yield Sentence("Reading {name}", name=item.name)
        cast.append((yield from character_motion.collect.in_slices(item, scene, when)))
    for item in people:
        if not hidden[item].all():
            yield Sentence("Reading {name}", name=item.name)
            found.append((yield from collect.in_slices(item, scene, when, hidden[item])))
    if not found and not cast:
        raise UserError(
            "nobody-to-export",
            "Everyone is hidden." if people else "There are no people to export.",
            "Import a take or a motion first, or show and select a person made by Human3R.",
        )
    files = _plan(found, cast, folder, stem, settings)
    camera = (scene.camera, scene, when) if settings.camera and scene.camera is not None else None
    scenery = backdrops.backdrops_of(scene, [*people, *characters]) if settings.backdrop else []
    pictures = _pictures(scenery, stem) if any(FORMATS[kind].picture_beside for kind in settings.formats) else {}
    beside = {folder / name: data for name, data in pictures.values()}
    _refuse_taken(beside, settings)
    for path, data in beside.items():
        with _written(path) as written:
            written.write_bytes(data)
    for path, (kind, group) in files.items():
        with _written(path) as written:
            staged = _staged(scenery, written.parent, pictures if FORMATS[kind].picture_beside else {})
            request = Request(when, settings.target, camera, staged, stem, _style(settings))
            yield Sentence("Writing {name}", name=path.name)
            yield None  # the window shows it first: Blender's own exporters write a file in one go
            yield from _write(kind, written, group, request)
    notes = _notes_on_formats(settings, cast) + [
        Sentence("{name} is hidden throughout and was left out.", name=item.name)
        for item in people
        if hidden[item].all()
    ]
    return Exported((*files, *beside), (*notes, *_notes_of([*cast, *found])))


def _write(kind: str, written: Path, group: Sequence[Subject], request: Request) -> Slices[None]:
    """Write one file, on a thread where nothing of Blender's is needed for that."""
    write = FORMATS[kind].write
    if FORMATS[kind].is_numbers:
        yield from turns.result_of(turns.submit("human3r-export", write, written, group, request))
    else:
        write(written, group, request)


def _notes_of(subjects: Sequence[Subject]) -> list[str]:
    return [note for one in subjects for note in one.notes]


def _wants_people(settings: ExportSettings, characters: Sequence[object]) -> bool:
    """Whether people go into any file beside some characters."""
    return not characters or settings.subjects == "both" or any(FORMATS[kind].people_only for kind in settings.formats)


def _notes_on_formats(settings: ExportSettings, cast: Sequence[CharacterMotion]) -> list[Sentence]:
    """Which formats have people in the place of characters."""
    kinds = [FORMATS[kind].label for kind in settings.formats if FORMATS[kind].people_only and cast]
    said = "{formats}: these files hold people only, and no characters."
    return [Sentence(said, formats=", ".join(kinds))] if kinds else []


def _in_files(
    kind: str, people: Sequence[PersonMotion], cast: Sequence[CharacterMotion], settings: ExportSettings
) -> list[Subject]:
    """Who goes into files of a format."""
    if FORMATS[kind].people_only or not cast:
        return [*people]
    return [*cast, *(people if settings.subjects == "both" else ())]


def _plan(
    people: Sequence[PersonMotion],
    cast: Sequence[CharacterMotion],
    folder: Path,
    stem: str,
    settings: ExportSettings,
) -> dict[Path, tuple[str, Sequence[Subject]]]:
    """Which file holds which format and whom. Raises UserError (``output-exists``)."""
    files: dict[Path, tuple[str, Sequence[Subject]]] = {}
    for kind in settings.formats:
        group = _in_files(kind, people, cast, settings)
        if group and settings.shares_file(kind, len(group)):
            files[folder / f"{stem}.{kind}"] = kind, group
        else:
            files |= {
                folder / f"{stem}-{label}.{kind}": (kind, [one])
                for one, label in zip(group, _style(settings).labels(group), strict=True)
            }
    _refuse_taken(files, settings)
    return files


def _refuse_taken(paths: Iterable[Path], settings: ExportSettings) -> None:
    for path in paths:
        if path.exists() and not settings.overwrite:
            raise taken(path)


@contextmanager
def _written(path: Path) -> Iterator[Path]:
    """Where to write a file that appears whole or not at all.

    Raises UserError (``output-unwritable``, ``disk-full``).
    """
    with (
        explained_write_errors(Sentence("{path} cannot be written", path=path), "output-unwritable"),
        whole_file(path) as written,
    ):
        yield written


def _pictures(scenery: Sequence[bpy.types.Object], stem: str) -> dict[str, tuple[str, bytes]]:
    """File name and content of the pictures that lie beside an export's files, by their backdrops' names."""
    found = [(item.name, data) for item in scenery if (data := backdrops.picture_of(item)) is not None]
    ends = ("", *(f"_{number}" for number in range(2, len(found) + 1)))
    return {name: (f"{stem}_backdrop{end}.png", data) for end, (name, data) in zip(ends, found, strict=False)}


def _staged(
    scenery: Sequence[bpy.types.Object], folder: Path, pictures: dict[str, tuple[str, bytes]]
) -> tuple[backdrops.StagedBackdrop, ...]:
    """The backdrops as a format's writer takes them.

    Pictures that lie beside its file lie beside it already where it is written: files name them by the way from there.
    """
    staged = []
    for item in scenery:
        name, data = pictures.get(item.name, ("", b""))
        if name:
            (folder / name).write_bytes(data)
        staged.append(backdrops.StagedBackdrop(item, folder / name if name else None))
    return tuple(staged)


def taken(path: Path) -> UserError:
    """A file exists that was not to be replaced."""
    return UserError(
        "output-exists", "{path} already exists.", "Choose another name or folder, or turn on Overwrite.", path=path
    )


def _style(settings: ExportSettings) -> Style:
    return Style(profiles.bone_names(settings.bone_names), settings.mesh, settings.root_motion)
