# SPDX-License-Identifier: GPL-3.0-or-later
"""Exports from the command line: ``--export fbx,glb,npz`` after ``convert`` and ``import``."""

from __future__ import annotations

import argparse
import glob
import sys
from collections.abc import Iterable
from pathlib import Path

import bpy

from ....engine.contract.arguments import add_setting_options, settings_from_options
from ...person import selection
from . import exporting
from .formats import FORMATS
from .settings import ExportSettings, parse_formats

_PREFIX = "export_"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--export``, and ``--export-frame-rate`` and so on for the other settings."""
    parser.add_argument(
        "--export",
        default="",
        metavar="FORMATS",
        help=f"also export all people to files beside the .blend, with its name: {','.join(FORMATS)}, or some of these",
    )
    add_setting_options(parser, ExportSettings, "export settings", ("overwrite",), _PREFIX)


def check(options: argparse.Namespace, blends: Iterable[Path]) -> None:
    """Find out before the work begins what would stop it at its end, once `blends` are written. Raises UserError."""
    if not options.export:
        return
    settings = _settings(options)
    exporting.check_available(settings.formats)
    for blend, kind in ((blend, kind) for blend in blends for kind in settings.formats if not settings.overwrite):
        for pattern in (f"{glob.escape(blend.stem)}.{kind}", f"{glob.escape(blend.stem)}-Person_*.{kind}"):
            for path in blend.parent.glob(pattern):
                raise exporting.taken(path)


def run(options: argparse.Namespace, scene: bpy.types.Scene, blend: Path, label: str) -> exporting.Exported:
    """Export the people of a scene to files beside its .blend, if that was asked for. Raises UserError."""
    people = selection.people(bpy.context, True)
    if not options.export:
        return exporting.Exported((), ())
    if not people:
        return exporting.Exported((), ("There are no people to export.",))
    done = exporting.export(scene, people, blend.parent, blend.stem, _settings(options))
    for said in (*(f"{path.name} written" for path in done.files), *done.notes):
        print(f"{label}: {said}", file=sys.stderr, flush=True)
    return done


def _settings(options: argparse.Namespace) -> ExportSettings:
    return settings_from_options(
        options, ExportSettings, _PREFIX, formats=parse_formats(options.export), overwrite=options.overwrite
    )
