# SPDX-License-Identifier: GPL-3.0-or-later
"""From people in a scene to files: read once, staged once per file, written by each format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from ....engine.contract.errors import UserError
from ....engine.contract.sentences import Sentence
from ....engine.contract.whole_file import explained_write_errors, whole_file
from ...person.visibility import hidden_frames
from .file_format import Request
from .formats import FORMATS
from .motion import PersonMotion, clock, collect
from .settings import ExportSettings
from .staging import safe_name


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


def export(
    scene: bpy.types.Scene, people: Sequence[bpy.types.Object], folder: Path, stem: str, settings: ExportSettings
) -> Exported:
    """Write people, the armatures of a scene, to `folder`, in files called after `stem`.

    Raises UserError (``nobody-to-export``, ``exporter-missing``, ``export-failed``, ``output-exists``,
    ``output-unwritable``, ``disk-full``, and those of `collect`). The scene is left as it was.
    """
    check_available(settings.formats)
    when = clock(scene, settings.frame_rate)
    hidden = {item: hidden_frames(item, scene, when.scene_frames) for item in people}
    found = [collect(item, scene, when, hidden[item]) for item in people if not hidden[item].all()]
    if not found:
        raise UserError(
            "nobody-to-export",
            "Everyone is hidden." if people else "There are no people to export.",
            "Import a take or a motion first, or show and select a person made by Human3R.",
        )
    files = _plan(found, folder, stem, settings)
    camera = (scene.camera, scene, when) if settings.camera and scene.camera is not None else None
    for path, (kind, group) in files.items():
        with (
            explained_write_errors(Sentence("{path} cannot be written", path=path), "output-unwritable"),
            whole_file(path) as written,
        ):
            FORMATS[kind].write(written, group, Request(when, settings.target, camera))
    notes = [
        Sentence("{name} is hidden throughout and was left out.", name=item.name)
        for item in people
        if hidden[item].all()
    ]
    return Exported(tuple(files), (*notes, *(note for person in found for note in person.notes)))


def _plan(
    people: Sequence[PersonMotion], folder: Path, stem: str, settings: ExportSettings
) -> dict[Path, tuple[str, Sequence[PersonMotion]]]:
    """Which file holds which format and people. Raises UserError (``output-exists``)."""
    files: dict[Path, tuple[str, Sequence[PersonMotion]]] = {}
    for kind in settings.formats:
        if settings.shares_file(kind):
            files[folder / f"{stem}.{kind}"] = kind, people
        else:
            files |= {
                folder / f"{stem}-{label}.{kind}": (kind, [person])
                for person, label in zip(people, _labels(people), strict=True)
            }
    for path in files:
        if path.exists() and not settings.overwrite:
            raise taken(path)
    return files


def taken(path: Path) -> UserError:
    """A file exists that was not to be replaced."""
    return UserError(
        "output-exists", "{path} already exists.", "Choose another name or folder, or turn on Overwrite.", path=path
    )


def _labels(people: Sequence[PersonMotion]) -> list[str]:
    """A file name's part for each person, no two the same on any file system."""
    labels: list[str] = []
    for person in people:
        label = name = safe_name(person.armature.name)
        number = 2
        while label.lower() in (other.lower() for other in labels):
            label, number = f"{name}_{number}", number + 1
        labels.append(label)
    return labels
