# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine run VIDEO --take OUT.h3r` for people and scripts; `python -m engine serve` for Blender."""

from __future__ import annotations

from . import import_path  # noqa: F401 - before any other import

# isort: split
import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from .contract import logs
from .contract.errors import lacks_package
from .contract.exit_codes import CANCELLED, EXPLANATION
from .standard_streams import claim_stdout, say_error

COMMANDS = {
    "run": ("run_command", "process footage and write a take"),
    "serve": (
        "serve_command",
        "serve captures to Blender: framed requests on standard input, framed messages on standard output",
    ),
    "farm": ("farm_command", "write a job for a render farm: many clips become takes, scenes and a report"),
    "farm-task": ("farm_task.command", "do a farm's task: clips become takes, with one command to begin and to go on"),
    "farm-report": (
        "farm_task.report",
        "say what a farm has made of a list of clips: summary.json, contact sheet",
    ),
    "evaluate": ("evaluation.command", "measure a take against ground truth, or a model on synthetic clips"),
    "train": ("training.command", "train the small model, or tune the prompts of a released one"),
    "convert-checkpoint": ("convert_command", "convert a released checkpoint to weights that load within seconds"),
    "edit-take": (
        "take_editing.command",
        "list the people of a take, or write a copy with edited people: merge, split, swap, fill gaps",
    ),
    "refine": ("refine_command", "write a copy of a take whose people jitter, slide and swim less"),
    "refine-camera": (
        "refine_camera_command",
        "follow the camera of an old take through its footage once more: path, focal length, scale, environment",
    ),
    "export": (
        "take_export.command",
        "write a take for other programs: COLMAP model, point clouds, depth, masks of people",
    ),
    "probe": ("probe_command", "say how long, how large and how fast footage is"),
    "farm-chunk": ("farm_chunk_command", "run the network on one chunk of a long clip, on one of several machines"),
    "farm-merge": ("farm_merge_command", "make the take of all chunks of a clip, the same as run makes in one go"),
    "chunk-worker": ("farm_chunks.worker_command", "one of the processes of run --workers, which starts it"),
    "self-test": ("self_test", "run a model on a few generated frames and show device, memory and frames per second"),
}
"""By name the module and what it is for. A module has `add_arguments(parser)` and `run(options, stdout)`, and is
imported when it is asked for: who runs or serves a capture loads nothing of training, evaluation or synthetic clips."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        options = _parser(arguments[0] if arguments else "").parse_args(arguments)
    except ImportError as error:  # a Python without the engine's packages
        return say_error(lacks_package(error))
    # Before torch is imported: what Metal lacks is computed on the CPU instead of ending the run.
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    # Libraries are imported by `run`, after standard output is safe, and so that --help does not wait for torch.
    stdout = claim_stdout()
    logs.set_up()
    return _module(options.command).run(options, stdout)


def _parser(asked: str) -> argparse.ArgumentParser:
    """All commands by name, and the options of the one that is asked for (of all where none is)."""
    parser = argparse.ArgumentParser(
        prog="python -m engine",
        description="Turn footage into people, a moving camera and scene points.",
        epilog=EXPLANATION,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (_, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text)
        if asked not in COMMANDS or asked == name:
            _module(name).add_arguments(command)
    return parser


def _module(name: str) -> Any:
    return importlib.import_module(f".{COMMANDS[name][0]}", __package__)


if __name__ == "__main__":
    try:
        exit_code = main()
    except KeyboardInterrupt:  # while the libraries load, before stopping is taken over
        exit_code = CANCELLED
    # All that matters is written and flushed; taking torch down in order would only cost up to a few seconds.
    os._exit(exit_code)
