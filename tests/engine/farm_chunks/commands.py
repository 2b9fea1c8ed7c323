# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's commands in this process, where no process of its own is needed to see what they do."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from engine import __main__ as program

# So many people that every step of the way is walked.
OPTIONS = ("--model", "recipe:small", "--detection-threshold", "0.2", "--voxel-size", "0.1")


def engine(command: str, *arguments: object) -> dict[str, Any]:
    """Run a command; its summary."""
    words = [command, *(str(argument) for argument in arguments), "--quiet", "--json"]
    stdout = io.BytesIO()
    program._module(command).run(program._parser(command).parse_args(words), stdout)
    return json.loads(stdout.getvalue())


def whole(source: Path, take: Path, *options: object) -> bytes:
    """The take of a run in one go. It is moved away, so that another can have its name, which is in the file."""
    summary = engine("run", source, "--take", take, *options)
    assert summary["status"] == "complete", summary
    data = take.read_bytes()
    take.unlink()
    return data


def chunked(source: Path, folder: Path, *options: object, chunks: int | None = None) -> list[Path]:
    """All chunks of a clip, each run by itself."""
    found, more = [], True
    while more if chunks is None else len(found) < chunks:
        path = folder / f"{len(found)}.h3rc"
        parts = () if chunks is None else ("--chunks", chunks)
        summary = engine("farm-chunk", source, "--index", len(found), *parts, "--output", path, *options)
        assert summary["status"] == "complete", summary
        found.append(path)
        more = summary["more"]
    return found


def merged(chunks: list[Path], take: Path, *options: object) -> bytes:
    """The take of all chunks."""
    summary = engine("farm-merge", *chunks, "--take", take, *options)
    assert summary["status"] == "complete", summary
    return take.read_bytes()
