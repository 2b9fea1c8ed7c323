# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be exported is said before anything is written; what is stopped leaves nothing."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from engine.contract.messages import FinalFrame, ScenePoints
from engine.contract.take import TakeReader, TakeWriter
from tests.waiting import HANG_S

from . import takes
from .conftest import ROOT


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Without point maps and points."""
    return takes.write(tmp_path_factory.mktemp("bare"), with_point_maps=False, with_points=False)


@pytest.mark.parametrize(
    "wanted, code",
    [
        (("--depth",), "no-point-maps"),
        (("--masks", "--frame-ply"), "no-point-maps"),
        (("--masks", "--ply"), "no-points"),
        ((), "nothing-asked"),
        (("--masks", "--every", "0"), "bad-setting"),
        (("--masks", "--colmap", "--footage", "nowhere.mp4"), "footage-missing"),
    ],
)
def test_what_is_missing_is_told_and_nothing_is_written(bare, export, tmp_path, wanted, code):
    exit_code, events, said = export(bare.take, "--output", tmp_path / "out", *wanted)
    assert exit_code == 1 and f"[{code}]" in said and "remedy" in said
    assert events[-1]["event"] == "error" and events[-1]["code"] == code
    assert not (tmp_path / "out").exists()


def test_uneven_worlds_are_refused(filmed, export, tmp_path):
    for first in ("2", "-1", "nan", "0", "1e-3"):
        matrix = f"--world-matrix={first} 0 0 0, 0 1 0 0, 0 0 1 0, 0 0 0 1"
        code, _, said = export(filmed.take, "--output", tmp_path, "--ply", matrix)
        assert code == 1 and "[bad-matrix]" in said and not list(tmp_path.iterdir())
    code, _, said = export(filmed.take, "--output", tmp_path, "--ply", "--world-matrix=1 0 0 0")
    assert code == 2 and "16 numbers" in said


def test_footage_that_moved_or_is_another(bare, export, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(bare.footage, moved)
    code, events, said = export(bare.take, "--output", tmp_path, "--colmap", "--footage", moved)
    assert code == 0, said
    assert any("no scene points" in note for note in events[-1]["notes"])
    assert len(list((tmp_path / "walk-colmap" / "images").iterdir())) == takes.FRAMES
    import cv2

    for path in moved.iterdir():
        cv2.imwrite(str(path), takes.picture(0)[:90])
    code, _, said = export(bare.take, "--output", tmp_path / "b", "--colmap", "--footage", moved)
    assert code == 1 and "[footage-differs]" in said and not (tmp_path / "b").exists()


def test_existing_output_is_replaced_on_request_alone(filmed, export, tmp_path):
    (tmp_path / "walk-masks").mkdir()
    code, _, said = export(filmed.take, "--output", tmp_path, "--ply", "--masks")
    assert code == 1 and "[output-exists]" in said and [path.name for path in tmp_path.iterdir()] == ["walk-masks"]
    code, _, said = export(filmed.take, "--output", tmp_path, "--ply", "--masks", "--overwrite")
    assert code == 0 and (tmp_path / "walk-masks" / "everyone").is_dir(), said
    (tmp_path / "walk-masks" / "my notes.txt").write_text("mine")
    code, _, said = export(filmed.take, "--output", tmp_path, "--masks", "--overwrite")
    assert code == 1 and "my notes.txt" in said and (tmp_path / "walk-masks" / "my notes.txt").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["walk-masks", "walk.ply"]


@pytest.fixture(scope="module")
def long_take(tmp_path_factory):
    return takes.write_long(tmp_path_factory.mktemp("long"))


@pytest.mark.parametrize("how", ["signal", "input"])
def test_a_request_to_stop_leaves_nothing(long_take, tmp_path, how):
    command = [sys.executable, "-m", "engine", "export", str(long_take), "--output", str(tmp_path), "--json"]
    process = subprocess.Popen(
        [*command, "--colmap", "--quiet", "--until-input-ends"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None and process.stdin is not None
        while b'"done": 3,' not in process.stdout.readline():
            assert process.poll() is None
        assert len(list(tmp_path.glob(".human3r-*/long-colmap/images/*"))) >= 3
        if how == "signal":
            process.send_signal(signal.SIGTERM)
        else:
            process.stdin.close()
        said = process.stdout.read()
        assert process.wait(HANG_S) == 130 and b"complete" not in said
    finally:
        process.kill()
    assert not list(tmp_path.iterdir())


def test_frames_that_the_footage_lost_are_left_out_with_a_note(filmed, export, tmp_path):
    footage = tmp_path / "footage"
    shutil.copytree(filmed.footage, footage)
    for number in (6, 7):
        (footage / f"{number:04d}.png").unlink()
    code, events, said = export(filmed.take, "--output", tmp_path, "--colmap", "--footage", footage)
    assert code == 0, said
    assert len(list((tmp_path / "walk-colmap" / "images").iterdir())) == takes.FRAMES - 1
    assert events[-1]["notes"] == ["Frames that the footage lacks were left out: 1."]


def test_frames_and_points_that_are_nowhere_are_left_out_with_a_note(filmed, export, tmp_path):
    """As damaged or foreign takes have them: numbers that are none, and cameras that are no cameras."""
    odd = {0: np.full((4, 4), np.nan), 2: np.diag([1.0, 1.0, 5.0, 1.0])}
    with TakeReader(filmed.take) as reader, TakeWriter(tmp_path / "odd.h3r") as writer:
        writer.write(reader.header)
        for message in reader:
            if isinstance(message, FinalFrame) and message.index in odd:
                message = replace(message, world_from_camera=odd[message.index])
            elif isinstance(message, ScenePoints):
                position = message.position.copy()
                position[0], position[1] = np.inf, 1e30
                message = replace(message, position=position)
            writer.write(message)
    out = tmp_path / "out"
    code, events, said = export(tmp_path / "odd.h3r", "--output", out, "--colmap", "--colmap-format", "text", "--masks")
    assert code == 0 and "Warning" not in said, said
    assert "Frames whose camera has impossible numbers were left out: 2." in events[-1]["notes"]
    for folder in ("odd-colmap/images", "odd-masks/everyone"):
        assert [path.stem for path in sorted((out / folder).iterdir())] == ["frame_000003", "frame_000007"]
    lines = (out / "odd-colmap" / "sparse" / "0" / "points3D.txt").read_text().splitlines()
    assert len(lines) == 498 and "inf" not in "".join(lines)


def test_the_takes_among_the_cases(shared, export, tmp_path):
    """Each is exported or refused with a remedy, and none in another way."""
    takes_there = sorted((shared / "cases" / "takes").glob("*.h3r"))
    assert takes_there
    for take in takes_there:
        code, events, said = export(take, "--output", tmp_path, "--masks")
        assert "Traceback" not in said and "Warning" not in said, said
        assert (code, events[-1].get("status")) == (0, "complete") or events[-1]["code"] == "take-unreadable", said


@pytest.mark.parametrize("wanted", ["--depth", "--ply", "--colmap"])
def test_a_full_disk_is_told_and_leaves_nothing(filmed, tmp_path, wanted):
    """A limit on how long files may become says the same as a disk without room."""
    script = 'ulimit -f 8; exec "$@"'  # of 1 kB
    command = [sys.executable, "-m", "engine", "export", str(filmed.take), "--output", str(tmp_path), wanted]
    done = subprocess.run(
        ["bash", "-c", script, "bash", *command, "--images", "png", "--colmap-format", "text"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=HANG_S,
    )
    assert done.returncode == 1 and "[disk-full]" in done.stderr, done.stderr
    assert not list(tmp_path.iterdir())
