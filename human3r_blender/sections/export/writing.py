# SPDX-License-Identifier: GPL-3.0-or-later
"""Files appear whole or not at all, and what Blender's exporters say is said to the user."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ....engine.contract.errors import UserError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to, which becomes `path` at the end. Raises UserError (``output-unwritable``)."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".human3r-", dir=path.parent) as folder:
            written = Path(folder) / path.name
            yield written
            written.replace(path)
    except OSError as error:
        raise UserError(
            "output-unwritable",
            f"{path} cannot be written: {error}.",
            "Choose a folder with space left and permission to write.",
        ) from error


def run_exporter(label: str, export: Callable[[], set[str]], written: Path) -> None:
    """Run one of Blender's exporters. Raises UserError (``export-failed``)."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # exporters print pages
            ended = export()
    except RuntimeError as error:
        raise UserError(
            "export-failed", f"Blender's {label} exporter failed: {error}.", "Try another format, and report this."
        ) from error
    if "FINISHED" not in ended or not written.is_file():
        raise UserError(
            "export-failed", f"Blender's {label} exporter wrote nothing.", "Try another format, and report this."
        )


def missing_exporter(label: str, remedy: str) -> UserError:
    """This Blender cannot write a format."""
    return UserError("exporter-missing", f"This Blender has no {label} exporter.", f"To export {label}, {remedy}.")
