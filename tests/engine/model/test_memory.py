# SPDX-License-Identifier: GPL-3.0-or-later
"""Models by name from the store, and what is said when the memory is too little: by estimate, and for real."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
import torch

from engine import convert_command, self_test
from engine.contract.errors import UserError
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeReader
from engine.model.config import RELEASED, released, small
from engine.model.conversion import convert_checkpoint
from engine.model.memory import explained_memory_errors, needed_bytes, proposal, require_memory
from engine.model.weights import load_named_model
from tests.engine.model.test_conversion import source, tiny  # noqa: F401 - fixtures
from tests.engine.stream.engine_process import ENVIRONMENT, ROOT, engine_command
from tests.engine.stream.footage_files import busy_picture, write_video
from tests.waiting import HANG_S

CPU = torch.device("cpu")
GB = 10**9


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HUMAN3R_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "weights"


def test_installed_weights_load_by_their_name(source: Path, store: Path) -> None:  # noqa: F811
    for variant in RELEASED:
        with pytest.raises(UserError) as error:
            load_named_model(variant, CPU)
        assert error.value.code == "weights-missing" and f"get {variant}" in error.value.remedy
    convert_checkpoint(source, store / "672S.safetensors")  # the sizes do not matter here
    assert load_named_model("672S", CPU).name.startswith("672S (")
    half = load_named_model("672S", CPU, "float16").model
    assert half.enc_blocks[0].mlp.fc1.weight.dtype == torch.float16
    (store / "672S.json").unlink()
    with pytest.raises(UserError, match="weights-missing"):
        load_named_model("672S", CPU)


def test_the_command_converts_and_says_where(source: Path, store: Path, tmp_path: Path) -> None:  # noqa: F811
    parser = argparse.ArgumentParser()
    convert_command.add_arguments(parser)
    out = BytesIO()
    target = tmp_path / "mine.safetensors"
    assert convert_command.run(parser.parse_args([str(source), "--output", str(target), "--half"]), out) == 0
    assert out.getvalue().decode().strip() == str(target) and target.is_file()
    assert convert_command.run(parser.parse_args([str(source)]), out) == 1, "these sizes have no place in the store"
    assert not store.exists()


def test_need_grows_with_size_and_shrinks_with_precision() -> None:
    sizes = [needed_bytes(released(variant), "float32") for variant in RELEASED]
    assert sizes == sorted(sizes) and 4.5 * GB < sizes[-1] < 6 * GB
    for variant in RELEASED:
        config = released(variant)
        assert needed_bytes(config, "bfloat16") == needed_bytes(config, "float16")
        assert 0.4 < needed_bytes(config, "bfloat16") / needed_bytes(config, "float32") < 0.75


@pytest.mark.parametrize(
    ("name", "precision", "free_gb", "expected"),
    [
        ("896L", "float32", 4.0, ("896L", "bfloat16")),
        ("896L", "float16", 3.5, ("672L", "bfloat16")),
        ("recipe:896L", "float32", 2.6, ("recipe:672S", "bfloat16")),
        ("/home/me/human3r_672B.pth", "bfloat16", 2.7, ("672S", "bfloat16")),
        ("672S", "bfloat16", 2.5, ("landmarks", "float32")),
        ("mine.safetensors", "float32", 1.0, ("landmarks", "float32")),
    ],
)
def test_what_is_proposed_fits(name: str, precision: str, free_gb: float, expected: tuple[str, str]) -> None:
    found = proposal(name, precision, free_gb * GB)
    assert found is not None and (found.model, found.precision) == expected
    assert found.needed_bytes <= free_gb * GB


def test_too_little_is_told_before_anything_is_loaded() -> None:
    with pytest.raises(UserError) as error:
        require_memory("896L", released("896L"), "float32", CPU, free=4 * GB)
    assert error.value.code == "not-enough-memory"
    assert "4.0 GB free" in error.value.message and "the model 896L in bfloat16" in error.value.remedy
    require_memory("recipe:small", small(), "float32", CPU, free=4 * GB)
    assert proposal("landmarks", "bfloat16", 1000) is None


def test_running_out_names_something_smaller() -> None:
    settings = CaptureSettings(source="a.mp4", take="a.h3r", model="896L", device="cuda")
    with pytest.raises(UserError) as error, explained_memory_errors(settings):
        raise torch.OutOfMemoryError("CUDA out of memory")
    assert error.value.code == "not-enough-memory"
    assert "the model 896L in bfloat16" in error.value.remedy and "the device cpu" in error.value.remedy


def test_a_real_limit_while_loading_ends_in_the_explanation() -> None:
    limited = ["sh", "-c", 'ulimit -v 4000000; exec "$@"', "sh"]
    done = subprocess.run(
        [*limited, *engine_command("self-test", "--model", "recipe:896L", "--device", "cpu", "--json")],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    told = json.loads(done.stdout)
    assert (told["event"], told["code"]) == ("error", "not-enough-memory")
    assert "recipe:896L" in told["message"] and "smaller" in told["remedy"]


LIMIT_AFTER_THE_SECOND_FRAME = """
import resource, sys
from engine.capture import run_capture
from engine.contract.errors import UserError
from engine.contract.messages import Frame
from engine.contract.settings import CaptureSettings
from engine.interruption import Interruption

hoard = []

def sink(message):
    if isinstance(message, Frame) and message.index == 1:
        resource.setrlimit(resource.RLIMIT_AS, (1 << 20, resource.RLIM_INFINITY))
        try:
            while True:
                hoard.append(bytearray(1 << 16))  # what the allocator has kept is used up too
        except MemoryError:
            pass

try:
    run_capture(CaptureSettings(source=sys.argv[1], take=sys.argv[2], model="small"), sink, Interruption())
except UserError as error:
    hoard.clear()
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(error.code)
"""


def test_a_real_limit_while_running_leaves_a_take_that_can_be_read(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", 12, size=(640, 480), draw=busy_picture)
    take = tmp_path / "clip.h3r"
    done = subprocess.run(
        [sys.executable, "-c", LIMIT_AFTER_THE_SECOND_FRAME, tmp_path / "clip.mp4", take],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    assert done.stdout.strip() == "not-enough-memory", done.stderr
    with TakeReader(take) as reader:
        messages = list(reader)
    assert messages[-1].status == "failed" and messages[-1].frame_count >= 2


def test_the_self_test_reports_what_it_ran_on(store: Path) -> None:
    parser = argparse.ArgumentParser()
    self_test.add_arguments(parser)
    out = BytesIO()
    assert self_test.run(parser.parse_args(["--device", "cpu", "--json"]), out) == 0
    result = json.loads(out.getvalue())
    assert (result["device"], result["precision"], result["torch"]) == ("cpu", "float32", torch.__version__)
    assert result["frames_per_second"] > 0 and result["memory_mb"] > 100 and result["device_memory_mb"] is None
    assert result["model"].startswith("landmarks")
    out = BytesIO()
    assert self_test.run(parser.parse_args(["--model", "896L", "--json"]), out) == 1
    assert json.loads(out.getvalue())["code"] == "weights-missing"
