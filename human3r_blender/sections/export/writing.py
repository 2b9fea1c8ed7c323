# SPDX-License-Identifier: GPL-3.0-or-later
"""Running Blender's own exporters: what they say is said to the user."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

from ....engine.contract.errors import UserError


def run_exporter(label: str, export: Callable[[], set[str]], written: Path) -> None:
    """Run one of Blender's exporters. Raises UserError (``export-failed``)."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # exporters print pages
            ended = export()
    except RuntimeError as error:
        raise UserError(
            "export-failed",
            "Blender's {label} exporter failed: {error}.",
            "Try another format, and report the problem.",
            label=label,
            error=error,
        ) from error
    if "FINISHED" not in ended or not written.is_file():
        raise UserError(
            "export-failed",
            "Blender's {label} exporter did not write a file.",
            "Try another format, and report the problem.",
            label=label,
        )


def missing_exporter(label: str, remedy: str) -> UserError:
    """This Blender cannot write a format."""
    return UserError(
        "exporter-missing",
        "This Blender has no {label} exporter.",
        "To export {label}, {remedy}.",
        label=label,
        remedy=remedy,
    )
