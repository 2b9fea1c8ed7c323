# SPDX-License-Identifier: GPL-3.0-or-later
"""The one statement that holds after everything: the data folder is right or untouched."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def assert_right_or_untouched(data: Path, name: str, content: bytes, installed: dict[str, str] | None = None) -> None:
    """Every file in the data folder is one that belongs there, with what belongs in it.

    ``name`` and ``content`` are the publisher's file: under its own name it is whole, as a part it is a beginning, and
    only verified content has a record. ``installed`` has the SHA-256 of other files by their path; None means any
    in ``weights`` and ``body``.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    for path in data.rglob("*") if data.exists() else ():
        place = path.relative_to(data).as_posix()
        if path.is_dir() or place.endswith(".lock"):
            continue
        if place == f"downloads/{name}":
            assert path.read_bytes() == content, f"{place} is not the publisher's file"
        elif place == f"downloads/{name}.part":
            assert content.startswith(path.read_bytes()), f"{place} is not the beginning of the publisher's file"
        elif place == f"downloads/{name}.part.json":
            assert json.loads(path.read_text())["size"] == len(content)
        elif place == "records.json":
            recorded = json.loads(path.read_text())["published"]
            assert set(recorded) <= {name}, f"{place} has something else"
            assert all((entry["size"], entry["sha256"]) == (len(content), sha256) for entry in recorded.values())
        elif installed is None:
            assert place.split("/")[0] in ("weights", "body"), f"{place} does not belong there"
        else:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == installed.get(place), f"{place} was changed"
