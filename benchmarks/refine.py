# SPDX-License-Identifier: GPL-3.0-or-later
"""How long refining people's places takes.

    python -m benchmarks.refine        in the engine's environment

What it does to takes is measured by `python3 build.py evaluate --motion refined` (docs/build/evaluation.md).
"""

import time
import tracemalloc
from dataclasses import replace

import numpy as np

from engine.motion.body_motion import BodyMotion, joined
from engine.motion.refine import refine
from tests.engine.motion import people as walkers

PEOPLE, COUNTS = 5, (10_000, 20_000)


def main() -> None:
    """Seconds of processor time for 5 people of 10,000 and of 20,000 frames, and the memory that one of them needs."""
    for count in COUNTS:
        motion, camera = walking(count), np.tile([0.0, -1.5, -5.0], (count, 1))
        started = time.process_time()
        for _ in range(PEOPLE):
            refine(motion, camera, walkers.UP)
        seconds = time.process_time() - started
        print(f"refining {PEOPLE} people of {count} frames: {seconds:.1f} s, {megabytes(motion, camera):.0f} MB")


def walking(count: int) -> BodyMotion:
    """Somebody noisy who walks, stands and turns over and over again."""
    walker = walkers.noisy(walkers.walkers()[0], 1)
    parts = [replace(walker, time_s=walker.time_s + 6.0 * number) for number in range(-(-count // len(walker)))]
    return joined(parts).part(slice(0, count))


def megabytes(motion: BodyMotion, camera: np.ndarray) -> float:
    """What refining a person takes beside the motion itself, at most: traced, which takes longer."""
    tracemalloc.start()
    refine(motion, camera, walkers.UP)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


if __name__ == "__main__":
    main()
