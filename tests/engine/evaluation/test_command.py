# SPDX-License-Identifier: GPL-3.0-or-later
"""The command: synthetic seeds through the real engine, and a take with its ground truth."""

import argparse
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.capture import run_capture
from engine.contract.settings import CaptureSettings
from engine.evaluation import command
from engine.evaluation.synthetic_set import NamedBody, SyntheticSet
from engine.ground_truth import PointPeople, write_truth
from engine.interruption import Interruption
from engine.synthetic.dataset import write_dataset
from engine.synthetic.settings import tier_settings


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def run(*arguments: str) -> tuple[int, str]:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    output = io.BytesIO()
    return command.run(parser.parse_args(arguments), output), output.getvalue().decode()


def test_synthetic_seeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.json"
    code, text = run(
        "--synthetic-seeds",
        "1000000:1000002",
        "--clip-frames",
        "3",
        "--tier",
        "studio",
        "--tier",
        "camera",
        "--ablations",
        "--model",
        "small",
        "--json",
        str(report),
    )
    assert code == 0, capsys.readouterr().err
    assert "synthetic studio, seeds 1000000 to 1000001" in text and "synthetic camera" in text and "1173.9" in text
    assert "clip 2 of 2" in capsys.readouterr().err
    reports = json.loads(report.read_text())["reports"]
    assert [item["counts"]["model"]["frames"] for item in reports] == [6, 6]
    assert reports[1]["counts"]["model"]["clips_with_moving_camera"] == 2
    for item in reports:
        assert item["counts"]["model"]["depth_pixels"] > 6 * 1000, "every frame's point map is measured"
        assert item["figures"]["model"]["rpe_rotation_deg"] is not None
        assert item["figures"]["trivial"]["abs_rel"] > 0
        assert list(item["clips"]) == ["seed 1000000", "seed 1000001"]
        assert list(item["figures"]) == ["model", "without TTT3R", "without prompts", "trivial"]
        assert item["counts"]["without prompts"]["found"] == item["counts"]["without prompts"]["false_alarms"] == 0
        assert item["figures"]["without TTT3R"]["abs_rel"] != item["figures"]["model"]["abs_rel"]


def test_ablations_of_the_built_in_model_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = run("--synthetic-seeds", "1000000:1000001", "--clip-frames", "2", "--ablations", "--model", "landmarks")
    assert code == 1 and "no TTT3R gate" in capsys.readouterr().err


def test_a_take_of_the_engine_with_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clips = SyntheticSet(range(3, 4), replace(tier_settings("studio"), frames=3), NamedBody.load())
    for clip in clips.clips():
        take, truth = tmp_path / "clip.h3r", tmp_path / "truth.npz"
        write_truth(truth, clip.truth)
        run_capture(
            CaptureSettings(source=clip.source, take=str(take), voxel_size=0, frame_rate=15.0),
            lambda _: None,
            Interruption(),
        )
        code, text = run("--take", str(take), "--truth", str(truth))
        assert code == 0, capsys.readouterr().err
        assert "clip.h3r" in text and "3 frames" in text
        shape = clip.truth.present.shape
        points = PointPeople("SMPL, 24 joints", np.zeros((*shape, 24, 3)), np.zeros((*shape, 9, 3)))
        write_truth(truth, replace(clip.truth, people=points))
        assert run("--take", str(take), "--truth", str(truth))[0] == 1
        assert "truth-mismatch" in capsys.readouterr().err


def test_a_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_dataset(tmp_path / "set", [7], replace(tier_settings("studio"), frames=3))
    code, text = run("--dataset", str(tmp_path / "set"), "--split", "Training")
    assert code == 0, capsys.readouterr().err
    assert "on set, Training (1 clips)" in text and "3 frames" in text


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--dataset", "nowhere"), "dataset-missing"),
        (("--take", "nowhere.h3r", "--truth", "nowhere.npz"), "truth-unreadable"),
        (("--take", "nowhere.h3r"), "bad-setting"),
        (("--synthetic-seeds", "0:1", "--model", "nowhere.safetensors", "--no-baselines", "--clip-frames", "1"), "["),
    ],
)
def test_errors_are_explained(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: str) -> None:
    assert run(*arguments)[0] == 1
    error = capsys.readouterr().err
    assert code in error and "remedy: " in error


def test_options_do_not_wait_for_torch(root: Path) -> None:
    """The engine's every start passes here; a second of imports would be felt in Blender."""
    script = "import sys; from engine.evaluation import command; print(sys.modules.keys() & {'torch', 'scipy', 'cv2'})"
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("seeds", ["5", "5:5", "7:3", "a:b", ":4"])
def test_seeds_must_be_a_range(seeds: str) -> None:
    with pytest.raises(SystemExit):
        run("--synthetic-seeds", seeds)
