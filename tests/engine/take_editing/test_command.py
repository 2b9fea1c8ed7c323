# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: order of edits, what it prints, and how it says no."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.closed_pipes import run_unheard
from tests.waiting import HANG_S

from . import takes

ROOT = Path(__file__).resolve().parents[3]


def edit_take(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "engine", "edit-take", *map(str, arguments)],
        cwd=ROOT,
        timeout=HANG_S,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def test_edits_are_made_in_their_order_and_gaps_filled_last(tmp_path: Path) -> None:
    take = takes.write(tmp_path / "take.h3r", {0: range(0, 30), 1: range(35, 60), 2: range(10, 20)})
    ended = edit_take(
        take,
        tmp_path / "out.h3r",
        "--fill-gaps",
        "0.5",
        "--rename",
        "1=Bö",
        "--merge",
        "0,1",
        "--split",
        "0@1.5s",
        "--rename",
        "3=Anna=2",
        "--hide",
        "3",
        "--delete",
        "2",
        "--json",
    )
    assert ended.returncode == 0, ended.stderr
    assert ", gaps filled in 5 of them. Wrote " in ended.stderr
    people = json.loads(ended.stdout)
    assert [(one["person"], one["name"], one["pictures"], one["hidden"]) for one in people] == [
        (0, "Person 01", 45, False),
        (3, "Anna=2", 15, True),
    ]
    listed = edit_take(tmp_path / "out.h3r")
    assert listed.returncode == 0
    lines = listed.stdout.splitlines()
    assert len(lines) == 3 and lines[2].split()[:2] == ["3", "Anna=2"] and lines[2].endswith("hidden")


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["TAKE", "OUT", "--delete", "7"], 1, "[no-such-person]"),
        (["TAKE", "--delete", "0"], 1, "[no-target]"),
        (["TAKE", "OUT", "--split", "0@noon"], 2, "neither a frame (120) nor a time (4.5s)"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, arguments: list[str], code: int, text: str) -> None:
    take = takes.write(tmp_path / "take.h3r", {0: range(0, 5)})
    places = {"TAKE": str(take), "OUT": str(tmp_path / "out.h3r")}
    ended = edit_take(*(places.get(argument, argument) for argument in arguments))
    assert ended.returncode == code and text in ended.stderr and not ended.stdout
    assert list(tmp_path.iterdir()) == [take]


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_closed_pipe_is_no_traceback(tmp_path: Path, closed: str) -> None:
    take = takes.write(tmp_path / "take.h3r", {0: range(0, 30)})
    edit = ("--rename", "0=Anna", "--json")
    ended = run_unheard([sys.executable, "-m", "engine", "edit-take", take, tmp_path / "out.h3r", *edit], ROOT, closed)
    assert ended.returncode == 0 and (tmp_path / "out.h3r").exists()
    assert "Traceback" not in (ended.stderr or "") and "Exception" not in (ended.stderr or "")
