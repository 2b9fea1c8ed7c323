# SPDX-License-Identifier: GPL-3.0-or-later
"""The clips that cameras are measured on, and the command that measures them through the real engine."""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from engine.contract.body_model import BodyModel
from engine.evaluation import command
from engine.evaluation.camera.clips import MOVING, CameraClips
from engine.evaluation.camera.measuring import path_length
from engine.evaluation.synthetic_set import NamedBody

SMALL = (64, 48)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def named(body: BodyModel) -> NamedBody:
    return NamedBody(body, "mannequin")


def test_each_seed_has_one_of_each_motion(named: NamedBody) -> None:
    clips = CameraClips(range(2), named, 6, SMALL)
    found = list(clips.clips())
    assert [clip.motion for clip in found] == ["moving", "still", "turning"] * 2 and len(clips) == 6
    assert [clip.name for clip in found[:3]] == ["room orbit 0", "room fixed 0", "room pan 0"]
    for clip in found:
        path, turns = path_length(clip.truth.world_from_camera), clip.truth.world_from_camera[:, :3, :3]
        assert (path > 0) == (clip.motion == "moving")
        assert (np.ptp(turns, axis=0).max() > 0) == (clip.motion != "still")
        assert clip.truth.depth_m is not None and clip.truth.frame_rate == pytest.approx(15.0)
        assert not Path(clip.source).exists(), "pictures must not pile up"


def test_a_camera_that_would_come_too_near_to_somebody_gives_way_to_the_next_kind(named: NamedBody) -> None:
    seed = 663
    assert MOVING[seed % len(MOVING)] == ("street", "orbit")
    moving = next(CameraClips(range(seed, seed + 1), named, size=(32, 24)).clips())
    assert moving.name == "room dolly 663" and path_length(moving.truth.world_from_camera) > 0.1


def test_the_cache_gives_the_same_clip_and_is_told_by_settings(named: NamedBody, tmp_path: Path) -> None:
    def made(frames: int) -> Iterator[tuple[float | None, np.ndarray, np.ndarray]]:
        for clip in CameraClips(range(1), named, frames, SMALL, tmp_path).clips():
            pictures = [cv2.imread(str(path)) for path in sorted(Path(clip.source).iterdir())]
            yield clip.render_s, np.stack(pictures), clip.truth.depth_m

    first, again, longer = list(made(2)), list(made(2)), list(made(3))
    assert all(seconds is not None for seconds, _, _ in (*first, *longer))
    assert all(seconds is None for seconds, _, _ in again)
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one[1], other[1])
        np.testing.assert_array_equal(one[2], other[2])
    assert len(list(tmp_path.iterdir())) == 6


def run(*arguments: str) -> tuple[int, str]:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    output = io.BytesIO()
    return command.run(parser.parse_args(arguments), output), output.getvalue().decode()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole way, with small pictures: clips, engine, takes, report; and once more from the takes."""
    takes, report = tmp_path / "takes", tmp_path / "report.json"
    takes.mkdir()
    common = (
        "--camera",
        "--synthetic-seeds",
        "0:1",
        "--model",
        "landmarks",
        "--camera-frames",
        "4",
        "--clip-size",
        "96x72",
    )
    code, text = run(*common, "--keep-takes", str(takes), "--json", str(report))
    assert code == 0, capsys.readouterr().err
    assert "seeds 0 to 0" in text and "MEDIAN turning" in text and "still: different poses" in text
    assert "clip 3 of 3 (room pan 0)" in capsys.readouterr().err
    (values,) = json.loads(report.read_text())["reports"]
    assert list(values["clips"]) == ["room orbit 0", "room fixed 0", "room pan 0"]
    still = values["clips"]["room fixed 0"]
    assert still["frames"] == 4 and still["seconds"]["capture"] > 0 and still["seconds"]["render"] > 0
    assert still["live"]["poses"] == 1
    code, again = run(*common, "--takes", str(takes))
    assert code == 0
    assert again.split("s/frame\n", 1)[0] == text.split("s/frame\n", 1)[0]


def test_the_setting_keeps_its_name() -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    seeds = ("--synthetic-seeds", "0:1")
    options = parser.parse_args([*seeds, "--camera", "network"])
    assert options.camera == "network" and not options.measure_camera
    options = parser.parse_args(["--camera", *seeds])
    assert options.camera == "auto" and options.measure_camera
    options = parser.parse_args(["--camera", "tracked", *seeds, "--camera"])
    assert options.camera == "tracked" and options.measure_camera
    assert not parser.parse_args(seeds).measure_camera


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--real", "nowhere", "--camera"), "synthetic clips alone"),
        (("--synthetic-seeds", "0:1", "--camera", "--tier", "room"), "--tier"),
        (("--synthetic-seeds", "0:1", "--camera", "--ablations"), "--ablations"),
    ],
)
def test_what_does_not_go_together_is_refused(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments)[0] == 1
    error = capsys.readouterr().err
    assert "bad-setting" in error and said in error
