# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the paths of a command line are there, before anything starts: one may be used after hours only."""

from __future__ import annotations

import argparse
import contextlib
import os
from pathlib import Path

from ...engine.contract.body_choice import MANNEQUIN
from ...engine.contract.errors import UserError
from ...engine.contract.media import image_sequence
from ...engine.contract.settings import OURS
from ...engine.installed import registry
from ..setup import choices
from ..setup.engine_python import find_python
from .paths import exists


def problem_of_all(options: argparse.Namespace) -> UserError | None:
    """What is wrong with a path that every source needs; None where nothing is."""
    try:
        for name in ("output", "take"):
            if getattr(options, name, None) is not None:
                _check_folder(getattr(options, name))
        if options.json and options.json != "-":
            _check_folder(Path(options.json))
        if hasattr(options, "engine_python"):
            find_python(options.engine_python or choices.chosen().engine_python)
            _check_file(_checkpoint(options.model), "checkpoint-missing", "Choose an existing checkpoint file.")
            _check_file(options.camera_file, "camera-file-unreadable", "Check the path and its spelling.")
        body = getattr(options, "body", "")
        _check_file("" if body == MANNEQUIN else body, "body-missing", "Check the path and its spelling.")
    except UserError as error:
        return error
    return None


def check_footage(source: str) -> None:
    """Raises UserError (``footage-missing``) for a source that is neither there nor a pattern."""
    path, is_there = Path(source), False
    with contextlib.suppress(OSError, ValueError):  # a name that no file can have
        is_there = exists(path) or image_sequence(path) is not None
    if is_there:
        return
    raise UserError(
        "footage-missing", "There is no file or folder {path}.", "Check the path and its spelling.", path=path
    )


def _checkpoint(model: str) -> str:
    """The file that a model's name is; empty for a model that has a name."""
    is_known = model in ("default", *OURS) or model.startswith("recipe:") or registry.find(model) is not None
    return "" if is_known else model


def _check_file(name: str, code: str, remedy: str) -> None:
    if name and not exists(Path(name).expanduser()):
        raise UserError(code, "There is no file {path}.", remedy, path=Path(name))


def _check_folder(path: Path) -> None:
    """Raises UserError (``output-unwritable``) where a file could not be written at that place."""
    above = next(place for place in (path.absolute(), *path.absolute().parents) if exists(place))
    remedy = "Choose another place, or change what may be done there."
    if above != path.absolute() and not above.is_dir():
        raise UserError("output-unwritable", "{path} is not a folder.", remedy, path=above)
    if not os.access(above, os.W_OK):
        raise UserError("output-unwritable", "{path} cannot be written to.", remedy, path=above)
