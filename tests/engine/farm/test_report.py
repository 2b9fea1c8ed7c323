# SPDX-License-Identifier: GPL-3.0-or-later
"""The report on a job: what is there counts, whatever tasks have said."""

import argparse
import json

import pytest
from PIL import Image

from engine.contract.messages import PROTOCOL_VERSION, TakeEnd, TakeHeader
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeWriter
from engine.farm.clips import Clip, write_tasks
from engine.farm_task import report
from engine.farm_task.notes import Note, write_note

NAMES = ("whole", "cut", "failed", "absent", "sceneless")


@pytest.fixture
def job(tmp_path):
    """A job's output, in which clips have fared differently; runs the report on some of them."""

    def write_take(name, status):
        settings = CaptureSettings(source=f"{name}.mp4", take=f"{name}.h3r")
        with TakeWriter(tmp_path / f"{name}.h3r") as take:
            take.write(TakeHeader(PROTOCOL_VERSION, "", (2, 2), 25.0, 5, "m", "mannequin", settings))
            take.write(TakeEnd(status, 5))

    for name in ("whole", "sceneless"):
        write_take(name, "complete")
        write_note(tmp_path / f"{name}.h3r", Note("complete", 5, 2, 10.0))
    write_take("cut", "cancelled")
    write_note(tmp_path / "cut.h3r", Note("complete", 5, 2, 10.0))
    write_note(
        tmp_path / "failed.h3r", Note("failed", error={"code": "footage-unreadable", "message": "It is no video."})
    )
    for name in ("whole", "cut"):
        (tmp_path / f"{name}.blend").touch()

    def run(*names, scene=False):
        write_tasks(tmp_path / "clips.json", [(Clip(f"/show/{name}.mp4", name),) for name in names])
        options = argparse.Namespace(list=tmp_path / "clips.json", output=tmp_path, scene=scene)
        return report.run(options, None), json.loads((tmp_path / report.SUMMARY).read_text())

    return run


def test_takes_count_and_not_what_was_noted(job, tmp_path, capfd):
    code, summary = job(*NAMES)
    assert code == 1 and summary["missing"] == ["cut", "failed", "absent"] and summary["complete"] == 2
    states = {row["name"]: row["status"] for row in summary["results"]}
    assert states == {
        "whole": "complete", "cut": "incomplete", "failed": "failed", "absent": "missing", "sceneless": "complete",
    }  # fmt: skip
    assert summary["frames"] == 10
    said = capfd.readouterr().err
    assert "failed: failed. It is no video." in said and "2 of 5 clips are complete." in said
    with Image.open(tmp_path / report.SHEET) as sheet:
        assert sheet.width >= 3 * 200


def test_scenes_count_where_they_were_asked_for(job):
    assert job("whole", "sceneless")[0] == 0
    code, summary = job("whole", "sceneless", scene=True)
    assert code == 1 and summary["missing"] == ["sceneless"]
    assert job("whole", scene=True)[0] == 0


def test_a_job_of_many_clips_has_a_sheet_too(job, tmp_path):
    code, summary = job(*(f"clip{number}" for number in range(1500)))
    assert code == 1 and len(summary["missing"]) == 1500
    with Image.open(tmp_path / report.SHEET) as sheet:
        assert sheet.width < 10_000 and sheet.height < 10_000
