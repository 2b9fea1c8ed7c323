# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: order of edits, what it prints, and how it says no."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engine.contract.messages import Frame
from engine.contract.take import TakeReader, TakeWriter
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
        (["TAKE", "OUT", "--split", "0@noon"], 2, "neither a frame of the footage (120), nor a time (4.5s)"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, arguments: list[str], code: int, text: str) -> None:
    take = takes.write(tmp_path / "take.h3r", {0: range(0, 5)})
    places = {"TAKE": str(take), "OUT": str(tmp_path / "out.h3r")}
    ended = edit_take(*(places.get(argument, argument) for argument in arguments))
    assert ended.returncode == code and text in ended.stderr and not ended.stdout
    assert list(tmp_path.iterdir()) == [take]


def test_a_frame_of_the_take_is_meant_whatever_it_is_of_the_footage(tmp_path: Path) -> None:
    written = takes.write(tmp_path / "written.h3r", {0: range(0, 30)})
    with TakeReader(written) as reader, TakeWriter(tmp_path / "take.h3r") as writer:
        writer.write(reader.header)
        for message in reader:  # every third frame of the footage, from the hundredth on
            is_frame = isinstance(message, Frame)
            writer.write(replace(message, source_frame=100 + 3 * message.index) if is_frame else message)
    for moment in ("#7", "121"):
        ended = edit_take(
            tmp_path / "take.h3r", tmp_path / "out.h3r", "--split", f"0@{moment}", "--json", "--overwrite"
        )
        assert ended.returncode == 0, ended.stderr
        assert [one["pictures"] for one in json.loads(ended.stdout)] == [7, 23], moment


def test_a_program_that_listens_hears_how_far_it_is(tmp_path: Path) -> None:
    take = takes.write(tmp_path / "take.h3r", {0: range(0, 30), 1: range(0, 30)})
    ended = edit_take(take, tmp_path / "out.h3r", "--delete", "1", "--events")
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [event["done"] for event in events if event.get("event") == "progress"] == list(range(1, takes.FRAMES + 1))
    assert {event["total"] for event in events if event.get("event") == "progress"} == {takes.FRAMES}
    assert events[-1]["status"] == "complete" and [one["person"] for one in events[-1]["people"]] == [0]
    ended = edit_take(take, tmp_path / "out.h3r", "--delete", "1", "--events")
    (error,) = (json.loads(line) for line in ended.stdout.splitlines())
    assert (error["event"], error["code"]) == ("error", "take-exists") and ended.returncode == 1


def test_nobody_who_listens_any_more_ends_it_without_a_take(tmp_path: Path) -> None:
    take = takes.write(tmp_path / "take.h3r", {0: range(0, 3000)})
    command = [sys.executable, "-m", "engine", "edit-take", take, tmp_path / "out.h3r", "--delete", "0", "--events"]
    process = subprocess.Popen(
        [*map(str, command), "--until-input-ends"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdout.readline()
    process.stdin.close()
    for _ in process.stdout:
        pass
    assert process.wait(HANG_S) == 130
    assert list(tmp_path.iterdir()) == [take]


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_closed_pipe_is_no_traceback(tmp_path: Path, closed: str) -> None:
    take = takes.write(tmp_path / "take.h3r", {0: range(0, 30)})
    edit = ("--rename", "0=Anna", "--json")
    ended = run_unheard([sys.executable, "-m", "engine", "edit-take", take, tmp_path / "out.h3r", *edit], ROOT, closed)
    assert ended.returncode == 0 and (tmp_path / "out.h3r").exists()
    assert "Traceback" not in (ended.stderr or "") and "Exception" not in (ended.stderr or "")
