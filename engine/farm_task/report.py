# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine farm-report --list clips.json --output FOLDER`: what has become of all clips of a job."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from ..contract.errors import UserError
from ..contract.exit_codes import DONE, EXPLANATION, FAILED
from ..contract.file_names import name_alone
from ..contract.sentences import Sentence
from ..contract.whole_file import explained_write_errors, whole_file
from ..farm.clips import Clip, read_tasks
from ..standard_streams import say, say_error
from .notes import read_note
from .state import COMPLETE, state_of

SUMMARY, SHEET = "summary.json", "contact-sheet.jpg"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = f"{EXPLANATION} It ends with 1 when a clip has no complete take, or, with --scene, no scene."
    parser.add_argument("--list", required=True, type=Path, metavar="FILE", help="the list of clips (clips.json)")
    parser.add_argument("--output", required=True, type=Path, metavar="FOLDER", help="the folder of the job's takes")
    parser.add_argument("--scene", action="store_true", help="each clip should have a .blend file")


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Run the command. Returns the exit code."""
    try:
        clips = [clip for task in read_tasks(options.list) for clip in task]
        rows = [_row(clip, options.output, options.scene) for clip in clips]
        summary = _summary(rows)
        with explained_write_errors(
            Sentence("The report in {path} cannot be written", path=options.output), "summary-unwritable"
        ):
            with whole_file(options.output / SUMMARY) as written:
                written.write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            _write_sheet(options.output, rows)
    except UserError as error:
        return say_error(error)
    say(_table(rows))
    return FAILED if summary["missing"] else DONE


def _row(clip: Clip, folder: Path, with_scene: bool) -> dict[str, Any]:
    """What there is of one clip; the take itself says whether it is complete, the task's note all else."""
    take = folder / clip.take
    note = read_note(take)
    state = state_of(take)[0]
    row: dict[str, Any] = {"name": clip.name, "clip": name_alone(clip.source), "take": state == COMPLETE}
    if with_scene:
        row["scene"] = (folder / f"{clip.name}.blend").is_file()
    told = asdict(note) if note is not None else {"status": "", "error": None}
    if state == COMPLETE:
        told |= {"status": "complete", "error": None}
    elif told["status"] in ("", "complete"):
        told["status"] = "missing" if not take.is_file() else "incomplete"
    return row | told


def _summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    missing = [row["name"] for row in rows if not (row["take"] and row.get("scene", True))]
    return {
        "clips": len(rows),
        "complete": len(rows) - len(missing),
        "missing": missing,
        "frames": sum(row.get("frames", 0) for row in rows if row["take"]),
        "seconds": round(sum(row.get("seconds", 0.0) for row in rows), 3),
        "results": list(rows),
    }


def _table(rows: Sequence[dict[str, Any]]) -> str:
    """A line for each clip that is not as it should be, and one for all."""
    lines = []
    for row in rows:
        error = row.get("error") or {}
        if not row["take"]:
            lines.append(f"{row['name']}: {row['status']}. {error.get('message', '')}".rstrip())
        elif not row.get("scene", True):
            lines.append(f"{row['name']}: there is a take, but no scene.")
    return "\n".join([*lines, f"{len(rows) - len(lines)} of {len(rows)} clips are complete."])


def _write_sheet(folder: Path, rows: Sequence[dict[str, Any]]) -> None:
    from .contact_sheet import write_sheet

    write_sheet(folder / SHEET, folder, [(row["name"], row["take"] and row.get("scene", True)) for row in rows])
