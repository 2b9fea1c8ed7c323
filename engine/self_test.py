# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine self-test`: a generated video through the whole engine, and what that took on this machine."""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from .contract.errors import UserError
from .contract.exit_codes import DONE, FAILED
from .contract.settings import DEVICES, PRECISIONS, CaptureSettings
from .standard_streams import say_error

FRAME_RATE = 30.0
FRAMES = 12
WARM_UP = 3
"""Frames of the test, and how many of them do not count for the rate."""


@dataclass(frozen=True)
class SelfTestResult:
    """What the self-test saw; printed as one JSON object."""

    device: str
    """``cpu``, ``cuda`` or ``mps``."""
    device_name: str
    precision: str
    model: str
    frames_per_second: float
    """After the first frames: reading, the model and all stages."""
    memory_mb: float
    """Resident memory of the engine's process, MiB."""
    device_memory_mb: float | None
    """Most memory that the model and its work took on the device, MiB; None where it is the process's own."""
    torch: str
    python: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--model", default="default", help="model to run: default, 896L, a checkpoint ... (%(default)s)"
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="%(default)s")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto", help="%(default)s")
    parser.add_argument(
        "--files",
        action="store_true",
        help="test files, locks and stop signals on this system instead of a model: for reports from systems that the "
        "authors do not have",
    )
    parser.add_argument("--json", action="store_true", help="print one line of JSON, also after a failure")


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Run the command; the result goes to `stdout`. Returns the exit code."""
    if options.files:
        return _run_file_checks(options.json, stdout)
    try:
        result = self_test(options.model, options.device, options.precision)
    except UserError as error:
        if options.json:
            _write(stdout, json.dumps({"event": "error", **error.as_dict()}))
        return say_error(error)
    values = asdict(result)
    _write(
        stdout,
        json.dumps(values)
        if options.json
        else "\n".join(
            f"{name.replace('_', ' ')}: {'-' if value is None else value}" for name, value in values.items()
        ),
    )
    return DONE


def _run_file_checks(as_json: bool, stdout: BinaryIO) -> int:
    from .file_checks import check_files, system

    checks = check_files()
    if as_json:
        _write(stdout, json.dumps({"system": system(), "checks": [asdict(check) for check in checks]}))
    else:
        lines = [f"{check.name}: {'passed' if check.passed else f'FAILED ({check.detail})'}" for check in checks]
        _write(stdout, "\n".join([system(), *lines]))
    return DONE if all(check.passed for check in checks) else FAILED


def self_test(model: str = "default", device_name: str = "auto", precision: str = "auto") -> SelfTestResult:
    """Run the model over a generated clip. Raises UserError: what a capture raises, and ``self-test-failed``."""
    # Here, so that --help does not wait for torch.
    import numpy as np
    import psutil
    import torch

    from .capture import run_capture
    from .contract.messages import Frame, Message, TakeHeader
    from .interruption import Interruption
    from .model.weights import choose_device

    device, name = choose_device(device_name), ""
    finished_s: list[float] = []

    def sink(message: Message) -> None:
        nonlocal name, precision
        if isinstance(message, TakeHeader):
            name, precision = message.model, message.settings.precision
        elif isinstance(message, Frame):
            finished_s.append(time.perf_counter())
            if not np.isfinite(message.world_from_camera).all() or not np.isfinite(message.focal_px):
                raise UserError(
                    "self-test-failed",
                    "The model {name} does not give valid numbers on the device {device} in {precision}.",
                    "Choose the precision float32 or the device cpu, and report the problem.",
                    name=name,
                    device=device.type,
                    precision=precision,
                )

    with tempfile.TemporaryDirectory(prefix="human3r-self-test-") as folder:
        video = Path(folder) / "clip.mp4"
        _write_clip(video)
        settings = CaptureSettings(
            source=str(video), take=str(Path(folder) / "clip.h3r"), model=model, device=device.type, precision=precision
        )
        run_capture(settings, sink, Interruption())
    if len(finished_s) <= WARM_UP:
        raise UserError("self-test-failed", "The self-test was stopped.", "Run it again.")
    rate = (len(finished_s) - WARM_UP) / (finished_s[-1] - finished_s[WARM_UP - 1])
    return SelfTestResult(
        device.type,
        _device_name(torch, device),
        precision,
        name,
        round(rate, 2),
        round(psutil.Process().memory_info().rss / 2**20, 1),
        _device_memory_mb(torch, device),
        torch.__version__,
        platform.python_version(),
    )


def _write_clip(path: Path) -> None:
    """A synthetic clip of a seed that training never saw."""
    from .synthetic.__main__ import write_video
    from .synthetic.clips import make_clip
    from .synthetic.settings import HELD_OUT_SEED, tier_settings

    write_video(path, make_clip(HELD_OUT_SEED, replace(tier_settings("studio"), frames=FRAMES)), FRAME_RATE)


def _device_name(torch: Any, device: Any) -> str:
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return platform.processor() or platform.machine()


def _device_memory_mb(torch: Any, device: Any) -> float | None:
    if device.type == "cuda":
        return round(torch.cuda.max_memory_reserved(device) / 2**20, 1)
    if device.type == "mps":
        return round(torch.mps.driver_allocated_memory() / 2**20, 1)
    return None


def _write(stdout: BinaryIO, text: str) -> None:
    with contextlib.suppress(OSError):
        stdout.write(text.encode("utf-8") + b"\n")
        stdout.flush()
