# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine train` as it is typed, with the recipe of the embedded model cut to a few steps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine.model.checkpoint import load_checkpoint
from engine.training.curves import Curves
from engine.training.recipes import small_from_scratch
from engine.training.trainer import WEIGHTS_FILE
from tests.waiting import communicate, end_of

ROOT = Path(__file__).parents[3]
OPTIONS = ("-m", "engine", "train", "--batch", "1", "--device", "cpu", "--precision", "float32")
LAUNCHER = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def finish(command: subprocess.Popen[str]) -> str:
    _, said = communicate(command)
    assert command.returncode == 0, said
    return said


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_checkpoint(folder / WEIGHTS_FILE).state_dict()


def test_two_processes_train_together_through_torchs_launcher(tmp_path: Path) -> None:
    said = finish(start(*LAUNCHER, *OPTIONS, "--output", tmp_path, "--stages", "people", "--length", "0.0005"))
    assert said.count("people 2/2") == 1, "one process alone tells and writes"
    assert f"done: {tmp_path / WEIGHTS_FILE}" in said
    assert weights(tmp_path) and Curves(tmp_path).read()


@pytest.mark.slow
def test_the_whole_recipe_killed_in_the_middle_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    length = ("--length", "0.001")
    finish(start(*OPTIONS, "--output", tmp_path / "through", *length))
    killed = start(*OPTIONS, "--output", tmp_path / "killed", *length)
    assert killed.stderr is not None
    assert any(line.startswith("place") for line in killed.stderr)
    killed.send_signal(signal.SIGKILL)
    end_of(killed)
    said = finish(start(*OPTIONS, "--output", tmp_path / "killed", *length))
    assert "resumed at stage" in said and "people" not in said
    through, again = weights(tmp_path / "through"), weights(tmp_path / "killed")
    assert all(torch.equal(one, again[name]) for name, one in through.items())
    stages = [stage.name for stage in small_from_scratch().stages]
    assert list(dict.fromkeys(line[0] for line in Curves(tmp_path / "killed").read())) == stages
