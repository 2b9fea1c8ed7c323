# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python runs the engine."""

from __future__ import annotations

import os
from pathlib import Path

from ...engine.contract.errors import UserError
from ...engine.contract.sentences import Sentence
from ...engine.installed.locations import data_folder
from . import installation

PYTHON_VARIABLE = "HUMAN3R_ENGINE_PYTHON"
NO_ENGINE_REMEDY = (
    "Install it in Preferences > Add-ons > Human3R, or choose a Python there that has the engine's packages, "
    "or set HUMAN3R_ENGINE_PYTHON to one."
)


def find_python(preferred: str = "") -> Path:
    """The Python that has the engine's packages: the given path, else the variable's, else the installed one.

    Raises :class:`UserError` (``no-engine``) when what is chosen is no program, or nothing is chosen nor installed.
    """
    named = ((Sentence("the preferences"), preferred), (PYTHON_VARIABLE, os.environ.get(PYTHON_VARIABLE, "")))
    for origin, value in named:
        if not value:
            continue
        path = Path(value).expanduser()
        if path.is_file() and os.access(path, os.X_OK):
            return path.absolute()  # not resolved: a virtual environment's python is a link that must stay one
        raise UserError(
            "no-engine",
            "The engine's Python, {path} (from {origin}), is not a program.",
            NO_ENGINE_REMEDY,
            path=path,
            origin=origin,
        )
    installed = installation.installed_python(data_folder())
    if installed is not None:
        return installed
    found = installation.status(data_folder())
    message = {
        "broken": "The engine, which runs the model, does not work: {detail}",
        "unfinished": "The engine, which runs the model, was not completely installed.",
    }.get(found.state, "The engine, which runs the model, is not installed.")
    raise UserError("no-engine", message, NO_ENGINE_REMEDY, detail=found.detail)
