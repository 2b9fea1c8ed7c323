# SPDX-License-Identifier: GPL-3.0-or-later
"""How long does a full-size model take to convert, and then to start, cold and warm?

    python -m benchmarks.model_start --folder SCRATCH [--variant 896L] [--half] [--keep]

Writes recipe weights as a released-format pickle (896L: 4.67 GB) into the folder, converts them into its ``weights``,
and starts them by name, each in a process of its own: cold, with the file dropped from the page cache
(posix_fadvise DONTNEED), and warm, right after. "Loaded" is when the model could take a picture; "read" is when every
weight has been touched once, for a mapped file is read as it is used. Linux. The files are removed unless --keep.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil

VARIANTS = ("672S", "672B", "672L", "896L")


def write_released_file(path: Path, variant: str) -> None:
    """A pickle as the released ones are: all tensors of the architecture, and the training arguments."""
    import torch

    from engine.model.config import released
    from engine.model.human3r import Human3R
    from engine.model.recipe_weights import Recipe, fill_with_recipe
    from engine.model.weights import tame_recipe

    with torch.device("meta"):
        model = Human3R(released(variant))
    model.to_empty(device="cpu")
    fill_with_recipe(model, Recipe())
    tame_recipe(model)
    state = dict(model.state_dict())
    arguments = argparse.Namespace(model=f"Model(Config(mhmr_img_res={variant[:3]}, depth_mode=('exp', -inf, inf)))")
    torch.save({"model": state, "args": arguments}, path)


def convert(source: Path, target: Path, half: bool) -> None:
    """Convert and print seconds and memory."""
    from engine.model.conversion import convert_checkpoint

    process, anonymous = psutil.Process(), 0
    before = process.memory_info()

    def watch(done: int, total: int) -> None:
        nonlocal anonymous
        memory = process.memory_info()
        anonymous = max(anonymous, memory.rss - memory.shared)

    started = time.perf_counter()
    manifest = convert_checkpoint(source, target, half=half, progress=watch)
    print(
        f"converted to {manifest.variant} {manifest.precision}, {manifest.tensors} tensors, "
        f"{manifest.bytes / 1e9:.2f} GB: {time.perf_counter() - started:.1f} s, memory of its own "
        f"{(anonymous - before.rss + before.shared) / 2**20:.0f} MB above the libraries'",
        flush=True,
    )


def start(name: str, precision: str, label: str) -> None:
    """Start the model by name and print the seconds."""
    began = time.perf_counter()
    import torch

    from engine.model.weights import load_named_model

    libraries = time.perf_counter()
    model = load_named_model(name, torch.device("cpu"), precision).model
    loaded = time.perf_counter()
    for parameter in model.parameters():
        parameter.view(-1)[::512].sum()  # one number of every page
    read = time.perf_counter()
    print(
        f"{label} start of {Path(name).name} in {precision}: loaded after {loaded - libraries:.2f} s, read after "
        f"{read - libraries:.2f} s (and {libraries - began:.1f} s for the libraries)",
        flush=True,
    )


def drop_from_cache(path: Path) -> None:
    """Ask the system to forget what it holds of the file."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> int:
    """Print the measurements; always returns 0, for benchmarks assert nothing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--variant", default="896L", choices=VARIANTS)
    parser.add_argument("--half", action="store_true", help="convert to half precision and start in bfloat16 as well")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--part", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    source = options.folder / f"human3r_{options.variant}.pth"
    target = options.folder / "weights" / f"{options.variant}.safetensors"
    os.environ["HUMAN3R_DATA"] = str(options.folder)
    if options.part:
        work, *arguments = options.part
        if work == "write":
            write_released_file(source, options.variant)
        elif work == "convert":
            convert(source, target, options.half)
        else:
            start(*arguments)
        return 0

    def part(*arguments: str) -> None:
        half = ["--half"] if options.half else []
        subprocess.run(
            [
                sys.executable,
                "-m",
                "benchmarks.model_start",
                "--folder",
                options.folder,
                "--variant",
                options.variant,
                *half,
                "--part",
                *arguments,
            ],
            check=True,
        )

    options.folder.mkdir(parents=True, exist_ok=True)
    if not source.is_file():
        began = time.perf_counter()
        part("write")
        print(f"wrote {source.stat().st_size / 1e9:.2f} GB: {time.perf_counter() - began:.1f} s", flush=True)
    part("convert")
    for precision in ("float32", "bfloat16") if not options.half else ("float32", "bfloat16", "float16"):
        drop_from_cache(target)
        part("start", options.variant, precision, "cold")
        part("start", options.variant, precision, "warm")
    drop_from_cache(source)
    part("start", str(source), "float32", "for comparison, cold")
    if not options.keep:
        source.unlink()
        shutil.rmtree(target.parent)
    return 0


if __name__ == "__main__":
    sys.exit(main())
