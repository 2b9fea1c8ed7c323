# SPDX-License-Identifier: GPL-3.0-or-later
"""What taking a clip apart costs and gains: one process against several that share it, in turn, and the chunk files.

    python -m benchmarks.long_clip [--frames 300] [--workers 2] [--rounds 3] [--model small] [settings of a capture]

Prints wall and processor time of whole processes, and per round their ratios: those of a busy machine mean something,
its seconds do not. The merge's own time, and bytes for each frame, are those of chunks in files.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.engine_memory import write_video

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Spent:
    """What a process and its children took, seconds."""

    wall: float
    processor: float


def spend(*arguments: object) -> Spent:
    """Run the engine. Raises CalledProcessError."""
    before, started = os.times(), time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [sys.executable, "-m", "engine", *map(str, arguments)], check=True, env=environment, stderr=subprocess.DEVNULL
    )
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Spent(time.monotonic() - started, used)


def in_turn(run: list[object], workers: int, rounds: int) -> None:
    """One process and several, A B A B ..."""
    gains, costs = [], []
    for number in range(rounds):
        alone, shared = spend(*run), spend(*run, "--workers", workers)
        gains.append(alone.wall / shared.wall)
        costs.append(shared.processor / alone.processor)
        print(
            f"round {number + 1}: alone {alone.wall:.1f} s ({alone.processor:.1f} s of processor), "
            f"{workers} workers {shared.wall:.1f} s ({shared.processor:.1f} s)"
        )
    for said, ratios in (("wall time, alone / shared", gains), ("processor time, shared / alone", costs)):
        print(f"{said}: {min(ratios):.2f} to {max(ratios):.2f}, median {statistics.median(ratios):.2f}")


def in_files(folder: Path, video: Path, frames: int, settings: list[str]) -> None:
    """Two chunks and their merge."""
    files = [folder / f"{index}.h3rc" for index in range(2)]
    for index, file in enumerate(files):
        spend("farm-chunk", video, "--index", index, "--chunks", 2, "--output", file, *settings)
    merge = spend("farm-merge", *files, "--take", folder / "merged.h3r")
    size = sum(file.stat().st_size for file in files)
    print(f"chunk files: {size / frames / 1000:.0f} kB a frame; the merge took {merge.processor:.1f} s of processor")


def main() -> int:
    """Print the measurements; always returns 0, for benchmarks assert nothing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="small")
    options, others = parser.parse_known_args()
    settings = ["--model", options.model, *others]
    with tempfile.TemporaryDirectory(prefix="human3r-long-clip-") as name:
        folder = Path(name)
        video = folder / "clip.mp4"
        write_video(video, options.frames)
        run = ["run", video, "--take", folder / "a.h3r", "--overwrite", *settings]
        in_turn(run, options.workers, options.rounds)
        in_files(folder, video, options.frames, settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
