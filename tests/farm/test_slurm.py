# SPDX-License-Identifier: GPL-3.0-or-later
"""Job arrays, run by a real Slurm of one node."""

import json
import re
import subprocess

import pytest

from tests.farm import slurm_here
from tests.farm.conftest import QUICK, ended
from tests.farm.test_openjd import HARD
from tests.waiting import wait_until

FRAMES = 60


@pytest.fixture
def slurm(tmp_path):
    """Run one of Slurm's commands; what it prints."""
    programs = slurm_here.found()
    if programs is None:
        pytest.skip("there is no Slurm that this user may start (Debian: apt install slurm-wlm munge, as root)")
    with slurm_here.running(programs, tmp_path / "slurm") as variables:

        def run(*words, command=None):
            arguments = [command or programs[words[0]], *words[0 if command else 1 :]]
            code, said = ended(arguments, env=variables)
            assert code == 0, said
            return said

        yield run


def test_an_array_of_three_clips_of_which_one_is_requeued(tmp_path, slurm, make_videos, write_bundle, engine_python):
    names = dict(zip(("one", *HARD[2:4]), ("one", "Größe_q_d", "touch_owned_touch_owned"), strict=True))
    make_videos({tmp_path / "clips" / f"{name}.mp4": FRAMES for name in names})
    words = ("--format", "slurm", "--engine", engine_python, "--clips-per-task", 1)
    bundle = write_bundle(tmp_path / "job", tmp_path / "clips", *QUICK, *words)
    output = tmp_path / "job-output"
    slurm(command=bundle / "submit.sh")
    [array] = set(re.findall(r"^\s*(\d+)_", slurm("squeue", "--noheader", "--format=%i", "--array"), re.MULTILINE))
    takes = [json.loads((bundle / "clips.json").read_text())["tasks"][number][0][1] for number in range(3)]
    assert sorted(takes) == sorted(names.values())
    first = output / f"{takes[0]}.h3r"
    resume = first.with_name(f"{first.name}.resume")
    wait_until(resume.exists, "a resume file", lambda: first.exists() and first.stat().st_size)
    slurm("scontrol", "requeue", f"{array}_0")
    note = first.with_suffix(".task.json")
    wait_until(note.exists, "the note of the cancelled task")
    assert json.loads(note.read_text())["status"] == "cancelled" and resume.exists()
    log = bundle / f"reconstruct-{array}_0.log"
    wait_until(lambda: "RESTARTS=1" in state_of(slurm, array).upper() or "complete" in log.read_text(), "the requeue")
    soon(slurm, array)
    wait_until(lambda: not slurm("squeue", "--noheader"), "the end of all jobs", lambda: sizes(tmp_path))
    summary = json.loads((output / "summary.json").read_text())
    assert summary["complete"] == 3 and {row["frames"] for row in summary["results"]} == {FRAMES}, log.read_text()
    said = log.read_text()
    assert "the same task goes on from here" in said and f"complete: {FRAMES} frames" in said and "anew" not in said
    assert not list(tmp_path.rglob("owned"))


def state_of(slurm, array):
    return slurm("scontrol", "show", "job", f"{array}_0")


def soon(slurm, array):
    """Slurm holds a requeued task back for two minutes; we do not wait for that."""

    def released():
        try:
            slurm("scontrol", "update", f"JobId={array}_0", "StartTime=now")
        except AssertionError:  # it is still ending
            return False
        return True

    wait_until(released, "the requeued task")


def sizes(folder):
    return subprocess.run(["du", "-sb", folder], capture_output=True, text=True).stdout
