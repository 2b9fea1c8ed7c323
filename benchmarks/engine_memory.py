# SPDX-License-Identifier: GPL-3.0-or-later
"""Does memory grow with the clip? Resident memory of the engine at frame 300 and at the end of a long video.

    python -m benchmarks.engine_memory [--frames 3000] [--model default]

Makes a video (a textured wall, things that move before it), runs the engine on it in this process, and prints the
resident memory every 300 frames and the growth from frame 300 to the last. The aim is less than 10 %.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import psutil

from engine.capture import run_capture
from engine.contract.messages import Frame, Message
from engine.contract.settings import CaptureSettings
from engine.interruption import Interruption

REFERENCE_FRAME = 300


def write_video(path: Path, frames: int, size: tuple[int, int] = (320, 180)) -> None:
    """A noisy wall with two coloured blocks that walk by, 30 frames a second."""
    random = np.random.default_rng(0)
    width, height = size
    wall = cv2.resize(random.integers(0, 255, (18, 32, 3), dtype=np.uint8), size, interpolation=cv2.INTER_CUBIC)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 30.0, size)
    for frame in range(frames):
        picture = wall.copy()
        for speed, color in ((1.3, (40, 60, 200)), (-0.7, (200, 160, 40))):
            left = int(speed * frame) % (width + 60) - 60
            picture[height // 3 :, max(left, 0) : max(left + 40, 0)] = color
        writer.write(picture)
    writer.release()


def main() -> int:
    """Print the measurements; always returns 0, for benchmarks assert nothing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=3000)
    parser.add_argument("--model", default="default")
    options = parser.parse_args()
    process = psutil.Process(os.getpid())
    resident: dict[int, float] = {}
    started = 0.0

    def sink(message: Message) -> None:
        nonlocal started
        if not isinstance(message, Frame):
            return
        done = message.index + 1
        started = started or time.perf_counter()
        if done % REFERENCE_FRAME == 0 or done == options.frames:
            resident[done] = process.memory_info().rss / 2**20
            rate = message.index / (time.perf_counter() - started)
            print(f"frame {done:6d}: {resident[done]:7.1f} MB, {rate:.1f} frames/s", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "long.mp4"
        write_video(video, options.frames)
        settings = CaptureSettings(
            source=str(video), take=str(Path(folder) / "long.h3r"), model=options.model, detection_threshold=0.1
        )
        result = run_capture(settings, sink, Interruption())
        size = Path(settings.take).stat().st_size / 2**20
    first, last = resident.get(REFERENCE_FRAME, 0.0), resident[options.frames]
    if first:
        growth = 100 * (last / first - 1)
        print(f"growth from frame {REFERENCE_FRAME} to {options.frames}: {growth:+.1f} % (aim: under 10 %)")
    print(f"{result.point_count} points of the place, {result.people_count} people, take {size:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
