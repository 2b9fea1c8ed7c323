# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the final pass over camera and surroundings cost, and does its memory grow with the clip?

    python -m benchmarks.camera_pass [--clip-cache FOLDER] [--memory-frames 300]

Makes three synthetic clips (a camera that moves, one that stands still, one that pans), and takes of them that are a
little wrong, as those of a live camera are. The pass alone goes through each twice, in a process of its own and on one
core: once for seconds, by the processor and by the clock, and once under the profiler for the shares of its parts.
People are moved as they are; how long a model's own fit of them takes, :mod:`benchmarks.landmarks` says.

Then the footage goes to and fro for so many frames, and for four times as many: the peaks of resident memory should be
the same. Linux.
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
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import psutil

from benchmarks.landmarks import shares_of_parts
from engine.camera_pass.clip import Clip
from engine.camera_pass.following_camera import follow_camera
from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.messages import PROTOCOL_VERSION, FocalLength, TakeEnd, TakeHeader
from engine.contract.rotations import axis_angle_to_matrix
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeWriter
from engine.ground_truth import ClipTruth
from engine.refinement import refit_people
from engine.surroundings.finding import surroundings_of
from tools.truth_take import true_frame

ROOT = Path(__file__).resolve().parents[1]
TIMES_AS_LONG = 4

FOCAL_OFF, PATH_OFF = 1.05, 1.2
JITTER_M, JITTER_RAD = 0.01, 0.003
"""How wrong a take is: its focal length and the size of its path, and each of its poses."""

PARTS = {
    "reading": ("engine/video/", "contract/take", "contract/framing", "contract/message", "camera_pass/clip"),
    "people's masks": ("camera_pass/pictures", "camera_pass/scaling", "stages/place_depth"),
    "corners": ("camera_pass/long_tracks",),
    "stillness": ("camera_pass/stillness",),
    "turning": ("camera_pass/turning", "stages/turning"),
    "start": ("camera_pass/growing",),
    "adjustment": ("camera_pass/bundle", "camera_pass/adjusting", "camera_pass/triangulation"),
    "frames between": ("camera_pass/locating",),
    "floor and scale": ("camera_pass/metric", "camera_pass/lowest_plane", "landmarks/camera/"),
}
"""As those of :mod:`benchmarks.landmarks`: what several share belongs to the one that calls it."""
LEAST_MS = 0.1

Result = TypeVar("Result")


class Stopwatch:
    """Seconds of work that comes in slices."""

    def __init__(self) -> None:
        self.processor_s = self.clock_s = self.longest_slice_s = 0.0

    def run(self, steps: Generator[float, None, Result]) -> Result:
        """Go through all slices."""
        while True:
            clock, processor = time.perf_counter(), time.process_time()
            try:
                next(steps)
            except StopIteration as end:
                result: Result = end.value
                return result
            finally:
                self.clock_s += time.perf_counter() - clock
                took = time.process_time() - processor
                self.processor_s += took
                self.longest_slice_s = max(self.longest_slice_s, took)


def main() -> int:
    """Print the measurements; always returns 0, for benchmarks assert nothing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="of the clips (%(default)s)")
    parser.add_argument("--frames", type=int, default=40, help="of each clip (%(default)s)")
    parser.add_argument("--clip-cache", type=Path, metavar="FOLDER", help="keep the clips there, and look for them")
    parser.add_argument("--memory-frames", type=int, default=300, metavar="N", help="0 leaves memory out (%(default)s)")
    parser.add_argument("--case", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        take, profile = options.case
        print(json.dumps(run_case(Path(take), profile == "profile")))
        return 0
    from engine.evaluation.camera.clips import CameraClips
    from engine.evaluation.synthetic_set import NamedBody

    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; one core is used", flush=True)
    clips = CameraClips(
        range(options.seed, options.seed + 1), NamedBody.load(), options.frames, cache=options.clip_cache
    )
    with tempfile.TemporaryDirectory(prefix="human3r-camera-pass-") as scratch:
        for clip in clips.clips():
            folder = Path(scratch) / clip.motion
            take = write_swinging(folder / "once", Path(clip.source), clip.truth, options.frames)
            _print_cost(clip.name, in_process(take), in_process(take, "profile"))
            if options.memory_frames:
                _print_memory(folder, Path(clip.source), clip.truth, options.memory_frames)
    return 0


def _print_cost(name: str, case: dict[str, Any], profiled: dict[str, Any]) -> None:
    frames = case["frames"]

    def per_frame(part: str) -> str:
        processor, clock = (1000 * case[f"{part}_{which}_s"] / frames for which in ("processor", "clock"))
        return f"{part} {processor:.1f} ({clock:.1f})"

    parts = ("camera", "people", "surroundings")
    total = sum(1000 * case[f"{part}_processor_s"] / frames for part in parts)
    print(f"{name}, {frames} frames: told {case['motion']}")
    told = ", ".join(map(per_frame, parts))
    print(f"  {total:.1f} ms of processor time a frame (by the clock): {told}; longest slice {case['slice_s']:.2f} s")
    shares = sorted(profiled["shares"].items(), key=lambda item: -item[1])
    ms = 1000 * case["camera_processor_s"] / frames
    print("  camera: " + ", ".join(f"{part} {ms * share:.1f}" for part, share in shares if ms * share > LEAST_MS))
    if case["views"]:
        each = case["surroundings_processor_s"] / case["views"]
        print(f"  surroundings: {case['views']} references, {each:.2f} s each")
    else:
        print(f"  surroundings: {case['surroundings_processor_s']:.2f} s for the photograph")
    sys.stdout.flush()


def _print_memory(folder: Path, pictures: Path, truth: ClipTruth, frames: int) -> None:
    counts = (frames, TIMES_AS_LONG * frames)
    cases = [in_process(write_swinging(folder / str(count), pictures, truth, count)) for count in counts]
    for count, case in zip(counts, cases, strict=True):
        seconds = sum(case[f"{part}_processor_s"] for part in ("camera", "people", "surroundings"))
        print(
            f"  {count} frames, told {case['motion']}: peak {case['peak_mb']:.1f} MB, {case['own_mb']:.1f} MB above "
            f"the start ({case['camera_own_mb']:.1f} MB when the camera is followed); {1000 * seconds / count:.1f} ms "
            f"a frame, longest slice {case['slice_s']:.2f} s",
            flush=True,
        )


def write_swinging(folder: Path, pictures: Path, truth: ClipTruth, frames: int) -> Path:
    """A take of so many frames, for which a clip is gone through to and fro; its pictures are links."""
    footage, take, body = folder / "pictures", folder / "take.h3r", BodyModel.load(default_body_path())
    footage.mkdir(parents=True)
    settings = CaptureSettings(source=str(footage), take=str(take), model="landmarks", frame_rate=truth.frame_rate)
    header = TakeHeader(
        PROTOCOL_VERSION, "benchmark", truth.footage_size, truth.frame_rate, frames, "", truth.body, settings
    )
    random, files = np.random.default_rng(0), sorted(pictures.glob("*.png"))
    first_from_world = np.linalg.inv(truth.world_from_camera[0])
    with TakeWriter(take) as writer:
        writer.write(header)
        for index, row in enumerate(to_and_fro(len(truth), frames)):
            (footage / f"{index:06d}.png").symlink_to(files[row].absolute())
            pose = first_from_world @ truth.world_from_camera[row]
            pose[:3, 3] = PATH_OFF * pose[:3, 3] + random.normal(0, JITTER_M, 3)
            pose[:3, :3] = pose[:3, :3] @ axis_angle_to_matrix(random.normal(0, JITTER_RAD, 3))
            frame = true_frame(truth, body, row, pose if index else np.eye(4))
            writer.write(
                replace(
                    frame,
                    index=index,
                    source_frame=index,
                    time_s=index / truth.frame_rate,
                    focal_px=FOCAL_OFF * frame.focal_px,
                    translation=frame.translation * (1.0, 1.0, FOCAL_OFF),
                )
            )
        writer.write(TakeEnd("complete", frames))
    return take


def to_and_fro(rows: int, frames: int) -> Iterator[int]:
    """0, 1, ... rows - 1, rows - 2, ... 0, 1, ..."""
    for index in range(frames):
        place = index % max(2 * rows - 2, 1)
        yield min(place, 2 * rows - 2 - place)


def in_process(take: Path, how: str = "plain") -> dict[str, Any]:
    """What :func:`run_case` says, in a process of its own that has one core's threads."""
    command = [sys.executable, "-m", "benchmarks.camera_pass", "--case", str(take), how]
    one_core = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | one_core, check=True)
    result: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return result


def run_case(take: Path, profiled: bool) -> dict[str, Any]:
    """The pass over one take: its seconds and memory, or with `profiled` the shares of following the camera."""
    cv2.setNumThreads(1)
    from engine.contract.take import TakeReader

    with TakeReader(take) as reader:
        settings = reader.header.settings
    clip = Clip(take, settings, BodyModel.load(default_body_path()))
    first = next(clip.frames())
    focal = FocalLength(first.focal_px, 0.1, "people")
    process = psutil.Process()
    before = process.memory_info().rss
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew: loading the body had one
    camera, people, surroundings = Stopwatch(), Stopwatch(), Stopwatch()
    profile = cProfile.Profile()
    if profiled:
        profile.enable()
    found = camera.run(follow_camera(clip, focal))
    profile.disable()
    if profiled:
        stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
        return {"shares": shares_of_parts(stats, PARTS)}
    camera_peak = peak_bytes(process)
    concluded = people.run(refit_people(clip)(found.path))
    place = surroundings.run(surroundings_of(clip, found, True))
    peak = peak_bytes(process)
    result: dict[str, Any] = {
        "frames": len(found.path.world_from_camera),
        "motion": found.summary.motion + (f" ({found.summary.note})" if found.summary.note else ""),
        "views": len(place.views or ()),
        "changed": len(concluded.messages),
        "slice_s": max(watch.longest_slice_s for watch in (camera, people, surroundings)),
        "peak_mb": peak / 2**20,
        "own_mb": (peak - before) / 2**20,
        "camera_own_mb": (camera_peak - before) / 2**20,
    }
    for name, watch in (("camera", camera), ("people", people), ("surroundings", surroundings)):
        result |= {f"{name}_processor_s": watch.processor_s, f"{name}_clock_s": watch.clock_s}
    return result


def peak_bytes(process: psutil.Process) -> int:
    """The most resident memory that this process had; unlike what `wait` says, without its parent's."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    raise OSError("/proc does not say how much memory the process had")


if __name__ == "__main__":
    sys.exit(main())
