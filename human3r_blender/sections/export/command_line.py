# SPDX-License-Identifier: GPL-3.0-or-later
"""Exports from the command line: ``--export fbx,glb,npz`` after ``convert`` and ``import``."""

from __future__ import annotations

import argparse
import glob
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import bpy

from ....engine.contract.arguments import add_setting_options, settings_from_options
from ....engine.contract.take_export import TakeExportSettings
from ....engine.contract.terminal import say
from ...person import characters, selection
from ...setup import background_task, choices
from ...setup.background_task import Task
from . import exporting
from .formats import FORMATS
from .motion import clock
from .scene_exporting import SceneExport
from .scene_files import SCENE_FILES
from .scene_files.scene_file import Scenery
from .settings import ExportSettings, parse_formats

_PREFIX = "export_"
_LOOK_EVERY_S, _LINE_EVERY_S = 0.1, 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--export``, and ``--export-frame-rate`` and so on for the other settings."""
    parser.add_argument(
        "--export",
        default="",
        metavar="FORMATS",
        help="also export all people (with --retarget-to, the characters), the camera or the environment to files "
        f"beside the .blend, with its name: {','.join((*FORMATS, *SCENE_FILES))}, or some of these",
    )
    parser.add_argument(
        "--export-people", action="store_true", help="with --retarget-to, export the people beside the characters"
    )
    add_setting_options(parser, ExportSettings, "export settings", ("overwrite",), _PREFIX)
    add_setting_options(parser, TakeExportSettings, "export settings of COLMAP, depth, masks", prefix=_PREFIX)


def check(options: argparse.Namespace, blends: Iterable[Path]) -> None:
    """Find out before the work begins what would stop it at its end, once `blends` are written. Raises UserError."""
    blends = list(blends)
    settings = _people_settings(options)
    if settings is not None:
        exporting.check_available(settings.formats)
        for blend, kind in ((blend, kind) for blend in blends for kind in settings.formats if not settings.overwrite):
            for pattern in (f"{glob.escape(blend.stem)}.{kind}", f"{glob.escape(blend.stem)}-Person_*.{kind}"):
                for path in blend.parent.glob(pattern):
                    raise exporting.taken(path)
    for blend in blends:
        _scene_export(options, blend).check_place()


def run(
    options: argparse.Namespace,
    scene: bpy.types.Scene,
    blend: Path,
    label: str,
    is_stopped: Callable[[], bool] = lambda: False,
) -> exporting.Exported:
    """Export what was asked for of a scene to files beside its .blend. Raises UserError.

    `is_stopped` is asked while the engine writes: then what it has not completed is not there.
    """
    people, cast = selection.people(bpy.context, True), characters.characters_in(scene)
    settings, others = _people_settings(options), _Others(options, blend)
    done = exporting.Exported((), ())
    others.check()
    if settings is not None and not (people or cast):
        done = exporting.Exported((), ("There are no people to export.",))
    elif settings is not None:
        done = exporting.export(scene, people, blend.parent, blend.stem, settings, cast)
    beside = others.write(label, is_stopped)
    done = exporting.Exported((*done.files, *beside.files), (*done.notes, *beside.notes))
    if people or cast or beside.files:
        for said in (*(f"{path.name} written" for path in done.files), *done.notes):
            say(f"{label}: {said}")
    return done


class _Others:
    """What is exported besides people."""

    def __init__(self, options: argparse.Namespace, blend: Path) -> None:
        self._export = _scene_export(options, blend)
        self._scenery = Scenery.of(bpy.context, clock(bpy.context.scene, options.export_frame_rate))

    def check(self) -> None:
        """Raises UserError."""
        self._export.check(self._scenery)

    def write(self, label: str, is_stopped: Callable[[], bool]) -> exporting.Exported:
        """Raises UserError."""
        written = self._export.write_here(self._scenery)
        if not self._export.by_engine:
            return exporting.Exported(tuple(written), ())
        task = self._export.start_engine(self._scenery)
        _follow(task, label, is_stopped)
        if task.error is not None:
            raise task.error
        if task.state == "cancelled":
            return exporting.Exported(tuple(written), ("The export was canceled.",))
        return exporting.Exported((*written, *map(self._export.path, self._export.by_engine)), task.notes)


def _follow(task: Task, label: str, is_stopped: Callable[[], bool]) -> None:
    """Wait for the end of a task, and say how far it is."""
    next_line = time.monotonic() + _LINE_EVERY_S
    try:
        while not background_task.wait(task, _LOOK_EVERY_S):
            if is_stopped():
                task.cancel()
            if time.monotonic() >= next_line:
                say(f"{label}: {task.text}")
                next_line = time.monotonic() + _LINE_EVERY_S
    finally:
        task.close()


def _people_settings(options: argparse.Namespace) -> ExportSettings | None:
    """How people are exported; None where they are not. Raises UserError (``bad-setting``)."""
    if not options.export:
        return None
    formats = tuple(name for name in parse_formats(options.export) if name not in SCENE_FILES)
    settings = settings_from_options(
        options,
        ExportSettings,
        _PREFIX,
        formats=formats or tuple(FORMATS),
        overwrite=options.overwrite,
        subjects="both" if options.export_people else options.export_subjects,
    )
    return settings if formats else None  # checked in any case: the rate is the camera's too


def _scene_export(options: argparse.Namespace, blend: Path) -> SceneExport:
    """What else is exported beside a .blend file. Raises UserError (``bad-setting``)."""
    settings = settings_from_options(options, TakeExportSettings, _PREFIX)
    settings = replace(settings, footage=str(Path(settings.footage).absolute()) if settings.footage else "")
    names = [name for name in parse_formats(options.export) if name in SCENE_FILES]
    python = getattr(options, "engine_python", "") or choices.chosen().engine_python
    return SceneExport(names, blend.parent.absolute(), blend.stem, settings, options.overwrite, python)
