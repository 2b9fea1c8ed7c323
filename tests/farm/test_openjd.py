# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of Open Job Description, read and run by its own programs, and read by Deadline's own client."""

import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.farm.conftest import QUICK, ROOT, ended
from tests.waiting import communicate, wait_until

OPENJD, DEADLINE = (str(Path(sys.executable).with_name(name)) for name in ("openjd", "deadline"))

HARD = ("plain", "sp ace", "Größe 'q' \"d\"", "$(touch owned); `touch owned` & | > <", "-dash", "%s {x}")


def parameters(bundle):
    return ["-p", f"file://{bundle}/parameters.json"]


def run_job(bundle, *words):
    command = [OPENJD, "run", bundle / "template.yaml", *parameters(bundle), *words]
    return ended([*command, "--step", "Report", "--run-dependencies"])


def summary_of(bundle):
    return json.loads(Path(f"{bundle}-output", "summary.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("count", [1, 2, 1500])
@pytest.mark.parametrize("engine", ["path", "variable", "install"])
def test_every_job_is_checked_and_made(tmp_path, write_bundle, engine_python, count, engine):
    for number in range(count):
        (tmp_path / "clips" / f"clip {number}.mp4").parent.mkdir(exist_ok=True)
        (tmp_path / "clips" / f"clip {number}.mp4").write_bytes(b"x" * (number % 7))
    where = {"path": ["--engine", engine_python], "variable": [], "install": ["--install-engine"]}[engine]
    bundle = write_bundle(tmp_path / "job", tmp_path / "clips", "--scene", "--clips-per-task", 1 + count % 7, *where)
    code, said = ended([OPENJD, "check", bundle / "template.yaml"])
    assert code == 0, said
    code, said = ended([OPENJD, "summary", bundle / "template.yaml", *parameters(bundle)])
    assert code == 0, said
    tasks = sum(map(int, re.findall(r"\((\d+) total Tasks\)", said)))
    assert tasks == -(-count // (1 + count % 7)) + count + 1
    code, said = ended([DEADLINE, "bundle", "info", bundle])
    assert code == 0, said
    assert "Output" in said


def test_clips_with_any_name_become_takes_scenes_and_a_report(
    tmp_path, make_videos, write_bundle, engine_python, blender
):
    folder = tmp_path / "Ü 'clips' $HOME"
    make_videos({folder / f"{name}.mp4": 3 for name in HARD})
    (folder / "bad one.mp4").write_bytes(b"no video")
    words = ("--clips-per-task", 3, "--engine", engine_python, "--scene", "--blender", blender)
    bundle = write_bundle(tmp_path / "job", folder, *QUICK, *words, "--scene-options", "--export", "npz")
    code, said = run_job(bundle)
    output = tmp_path / "job-output"
    assert code != 0, "one clip is missing"
    summary = summary_of(bundle)
    assert summary["missing"] == ["bad_one"] and summary["clips"] == len(HARD) + 1, said
    rows = {row["name"]: row for row in summary["results"]}
    assert rows["bad_one"]["error"]["code"] == "footage-unreadable"
    assert {row["frames"] for row in rows.values() if row["take"]} == {3}
    for name, row in rows.items():
        assert (output / f"{name}.blend").is_file() == row["scene"] == (name != "bad_one")
    assert (output / "contact-sheet.jpg").stat().st_size > 10_000
    assert not list(tmp_path.rglob("owned")) and not (ROOT / "owned").exists() and not Path("owned").exists()
    before = {path.name: path.stat().st_mtime_ns for path in output.glob("*.h3r")}
    (folder / "bad one.mp4").unlink()
    make_videos({folder / "bad one.mp4": 3})
    code, said = run_job(bundle)
    assert code == 0, said
    assert summary_of(bundle)["missing"] == [] and said.count("already complete") == len(HARD)
    after = {path.name: path.stat().st_mtime_ns for path in output.glob("*.h3r")}
    assert before.items() <= after.items() and len(after) == len(before) + 1


def test_a_bundle_and_its_clips_move_to_another_computer_s_folders(tmp_path, make_videos, write_bundle, engine_python):
    """Paths of the computer that wrote the job are mapped to those of the worker, of Windows too."""
    make_videos({tmp_path / "here" / "a b.mp4": 3})
    bundle = write_bundle(tmp_path / "job", tmp_path / "here", *QUICK, "--engine", engine_python)
    moved, there = tmp_path / "elsewhere" / "job", tmp_path / "there"
    moved.parent.mkdir()
    shutil.move(bundle, moved)
    shutil.move(tmp_path / "here", there)
    template = (moved / "template.yaml").read_text().replace(f"{tmp_path}/here/a b.mp4", "Z:\\\\show\\\\a b.mp4")
    (moved / "template.yaml").write_text(template)
    rules = [
        {"source_path_format": "WINDOWS", "source_path": "Z:\\show", "destination_path": str(there)},
        {"source_path_format": "POSIX", "source_path": f"{tmp_path}/job-output", "destination_path": str(there)},
    ]
    mapping = {"version": "pathmapping-1.0", "path_mapping_rules": rules}
    code, said = run_job(moved, "--path-mapping-rules", json.dumps(mapping))
    assert code == 0, said
    assert (there / "a_b.h3r").is_file() and not (tmp_path / "job-output").exists()
    assert json.loads((there / "summary.json").read_text())["complete"] == 1


def test_a_cancelled_job_saves_and_goes_on(tmp_path, make_videos, write_bundle, engine_python):
    make_videos({tmp_path / "long.mp4": 60})
    bundle = write_bundle(tmp_path / "job", tmp_path / "long.mp4", *QUICK, "--engine", engine_python)
    command = [OPENJD, "run", bundle / "template.yaml", *parameters(bundle), "--step", "Reconstruct"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    resume, take = tmp_path / "job-output" / "long.h3r.resume", tmp_path / "job-output" / "long.h3r"
    wait_until(lambda: resume.exists(), "a resume file", lambda: take.exists() and take.stat().st_size)
    process.send_signal(signal.SIGINT)
    said, _ = communicate(process)
    note = take.with_suffix(".task.json")
    assert json.loads(note.read_text())["status"] == "cancelled", said
    lock = Path(f"{take}.lock")
    assert resume.exists() and not lock.exists(), "nothing of it runs any more"
    code, said = run_job(bundle)
    assert code == 0 and "anew" not in said, said
    assert summary_of(bundle)["frames"] == 60


def test_workers_find_the_engine_by_their_variables(tmp_path, make_videos, write_bundle, engine_python, monkeypatch):
    make_videos({tmp_path / "a.mp4": 3})
    bundle = write_bundle(tmp_path / "job", tmp_path / "a.mp4", *QUICK)
    monkeypatch.delenv("HUMAN3R_ENGINE_PYTHON", raising=False)
    code, said = run_job(bundle)
    assert code != 0 and said.count("openjd_fail: The variable HUMAN3R_ENGINE_PYTHON") == 1
    assert not (tmp_path / "job-output").exists()
    monkeypatch.setenv("HUMAN3R_ENGINE_PYTHON", engine_python)
    monkeypatch.setenv("HUMAN3R_ENGINE_FOLDER", str(ROOT))
    code, said = run_job(bundle)
    assert code == 0, said


def test_an_installation_on_entering_is_checked_by_hashes(tmp_path, make_videos, write_bundle):
    """With a lock of one small package: the whole engine is gigabytes."""
    make_videos({tmp_path / "a.mp4": 3})
    bundle = write_bundle(tmp_path / "job", tmp_path / "a.mp4", *QUICK, "--install-engine")
    lock = ROOT / "requirements" / "lock" / "engine.txt"
    [filelock] = re.findall(r"^filelock==.*(?:\n    .*)*", lock.read_text(), re.MULTILINE)
    command = [OPENJD, "run", bundle / "template.yaml", *parameters(bundle), "--step", "Reconstruct"]
    for content, problem in ((filelock, "engine-incomplete"), (re.sub(r"[0-9a-f]{64}", "0" * 64, filelock), "HASH")):
        shutil.unpack_archive(bundle / "engine.zip", tmp_path / "engine")
        (tmp_path / "engine" / "requirements" / "lock" / "engine.txt").write_text(content.rstrip("\\ \n") + "\n")
        (bundle / "engine.zip").unlink()
        shutil.make_archive(str(bundle / "engine"), "zip", tmp_path / "engine")
        code, said = ended(command)
        assert code != 0 and problem in said, said
        assert ("could not be installed" in said) == (problem == "HASH")
