# SPDX-License-Identifier: GPL-3.0-or-later
"""How long Blender's main thread is held while a take becomes a scene, and how the scene plays.

    .environments/blender-5.0/bin/python benchmarks/scene_building.py --people 5 --frames 1000

Run it in any Blender's Python module. Prints, and asserts nothing. On a busy machine look at the CPU times: the wall
times then are those of the other processes.
"""

import argparse
import importlib
import importlib.util
import sys
import time
from pathlib import Path

import bpy
import numpy as np

ROOT = Path(__file__).resolve().parents[1]


def import_extension():
    """The checkout as a package, as Blender imports an installed extension."""
    init, folder = ROOT / "__init__.py", [str(ROOT)]
    spec = importlib.util.spec_from_file_location("human3r", init, submodule_search_locations=folder)
    sys.modules["human3r"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["human3r"])
    names = ("engine.contract.messages", "engine.contract.settings", "human3r_blender.scene.builder")
    return [importlib.import_module(f"human3r.{name}") for name in names]


messages, settings, builder = import_extension()


def make_messages(frames: int, people: int, points: int):
    """A header and the messages of people who swing all their joints, in a cloud that comes in ten parts."""
    rng = np.random.default_rng(0)
    header = messages.TakeHeader(
        messages.PROTOCOL_VERSION,
        "benchmark",
        (1280, 720),
        30.0,
        frames,
        "none",
        "mannequin",
        settings.CaptureSettings(source="benchmark.mp4", take="benchmark.h3r"),
    )
    phase = rng.uniform(0, 6, (people, 55, 3))
    cloud = rng.uniform(-5, 5, (points, 3)).astype(np.float32)
    colors = rng.integers(0, 256, (points, 3), dtype=np.uint8)
    confidence = np.full(points, 2.0, np.float32)
    result = []
    for index in range(frames):
        pose = 0.3 * np.sin(phase * (1 + index / 300) + index / 8) + rng.normal(0, 0.01, phase.shape)
        result.append(messages.Frame(
            index=index, source_frame=index, time_s=index / 30, focal_px=900.0, world_from_camera=np.eye(4),
            principal_point_px=np.array([639.5, 359.5]), track_id=np.arange(people, dtype=np.int32),
            score=np.ones(people, np.float32), pose_axis_angle=pose.astype(np.float32),
            betas=rng.normal(0, 1, (people, 10)).astype(np.float32),
            expression=rng.normal(0, 1, (people, 10)).astype(np.float32),
            translation=np.zeros((people, 3), np.float32),
            head_point=rng.normal((0, 0, 4), 0.01, (people, 3)).astype(np.float32),
            head_px=np.zeros((people, 2), np.float32), mask_size=(8, 1), mask_box_px=(0.0, 0.0, 1.0, 1.0),
            mask_bits=np.zeros(1, np.uint8),
        ))  # fmt: skip
        if index % max(1, frames // 10) == 0:
            part = slice(points * (index // max(1, frames // 10)) // 10, None)
            part = slice(part.start, min(points, part.start + points // 10))
            result.append(messages.ScenePoints(index, False, cloud[part], colors[part], confidence[part]))
    result.append(messages.ScenePoints(frames - 1, True, cloud, colors, confidence))
    return header, result


class Slices:
    """Wall and CPU time of every slice of work."""

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.cpu: list[float] = []

    def run(self, work):
        wall, cpu = time.perf_counter(), time.thread_time()
        result = work()
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.thread_time() - cpu)
        return result

    def describe(self) -> str:
        wall, cpu = 1000 * np.array(self.wall), 1000 * np.array(self.cpu)
        return (
            f"{len(wall)} slices; longest {wall.max():.1f} ms wall, {cpu.max():.1f} ms CPU; "
            f"99 % under {np.percentile(wall, 99):.1f} ms wall, {np.percentile(cpu, 99):.1f} ms CPU; "
            f"{wall.sum() / 1000:.2f} s wall, {cpu.sum() / 1000:.2f} s CPU in all"
        )


def empty_scene() -> bpy.types.Scene:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy.context.scene


def measure_live(header, stream, options) -> None:
    made = builder.SceneBuilder(empty_scene(), header, options)
    # While a real capture loads its model, the body file is read on a thread: wait for it, as that does.
    made.work()
    adding, running, finishing = Slices(), Slices(), Slices()
    for message in stream:
        adding.run(lambda message=message: made.add(message))
        # A budget of nothing is one slice.
        while running.run(lambda: made.work(0.0)):
            pass
    made.finish()
    while finishing.run(lambda: made.work(0.0)):
        pass
    print("live, taking in:", adding.describe())
    print("live, building: ", running.describe())
    print("live, finishing:", finishing.describe())


def measure_import(header, stream, options) -> None:
    scene = empty_scene()
    start, own = time.perf_counter(), time.process_time()
    made = builder.SceneBuilder(scene, header, options)
    for message in stream:
        made.add(message)
    made.finish()
    made.work()
    print(f"import at once:  {time.perf_counter() - start:.2f} s, {time.process_time() - own:.2f} s CPU")
    times = []
    for frame in range(2, min(scene.frame_end, 62)):
        start = time.perf_counter()
        scene.frame_set(frame)
        times.append(time.perf_counter() - start)
    print(f"frame_set:       {1000 * np.median(times):.1f} ms median, {1000 * min(times):.1f} ms best")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--people", type=int, default=5)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--pose-correctives", action="store_true")
    parser.add_argument(
        "--clean",
        type=float,
        default=builder.ImportOptions.clean,
        metavar="STRENGTH",
        help="of the clean-up, 0 for none",
    )
    given = parser.parse_args()
    options = builder.ImportOptions(pose_correctives=given.pose_correctives, clean=given.clean)
    header, stream = make_messages(given.frames, given.people, given.points)
    print(f"Blender {bpy.app.version_string}: {given.people} people, {given.frames} frames, {given.points} points")
    measure_live(header, stream, options)
    measure_import(header, stream, options)


if __name__ == "__main__":
    main()
