# SPDX-License-Identifier: GPL-3.0-or-later
"""How many frames of synthetic clips are made per second: `python -m benchmarks.synthetic_clips [--device cuda]`.

On a shared machine the figure per second of processor time tells more than the one by the clock.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import torch

from engine.synthetic.clips import make_clips
from engine.synthetic.settings import TIERS

SIZES = ((128, 96), (224, 160))


def frames_per_second(
    tier: str, size: tuple[int, int], clips: int, frames: int, device: str, seconds: float
) -> tuple[float, float]:
    """Frames made per second of the clock and of the processor, in batches of `clips` clips with labels."""
    settings = replace(TIERS[tier], size=size, frames=frames, labels=True)
    make_clips(range(clips), settings, device)  # loads the body, draws the patterns
    made, begin, worked = 0, _now(device), time.process_time()
    while _now(device) - begin < seconds:
        make_clips(range(made, made + clips), settings, device)
        made += clips
    return made * frames / (_now(device) - begin), made * frames / (time.process_time() - worked)


def _now(device: str) -> float:
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--clips", type=int, default=16, help="clips per batch; some hundred on a GPU")
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=3.0, help="least time per measurement")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"{options.device}, {options.threads} threads, {options.clips} clips of {options.frames} frames at a time")
    for tier in TIERS:
        rates = [
            frames_per_second(tier, size, options.clips, options.frames, options.device, options.seconds)
            for size in SIZES
        ]
        print(
            f"{tier:>14}: "
            + ", ".join(
                f"{width}x{height} {clock:7.1f} frames/s ({processor:.1f} per CPU second)"
                for (width, height), (clock, processor) in zip(SIZES, rates, strict=True)
            )
        )


if __name__ == "__main__":
    main()
