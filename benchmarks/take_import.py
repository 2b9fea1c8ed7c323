# SPDX-License-Identifier: GPL-3.0-or-later
"""Processor time and memory of `human3r import`, phase by phase, for a take that is made here.

    .environments/blender-5.0/bin/python benchmarks/take_import.py --people 2 --frames 10000
    .environments/blender-5.0/bin/python benchmarks/take_import.py --people 10000 --one-by-one --most-people 10000

The take has smooth motions, and with `--one-by-one` a new person in every frame. It is written first, by a process of
its own, so that the memory is the import's. Prints, and asserts nothing: on a busy machine compare two checkouts in
turn (`--take` keeps the take for that, `--fingerprint` tells whether both made the same F-curves).
"""

import argparse
import hashlib
import importlib
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import numpy as np  # noqa: E402

RATE = 30.0


def extension(name: str) -> Any:
    """A module of the checkout, imported as Blender does."""
    if "human3r" not in sys.modules:
        from run_in_module import import_extension

        import_extension("human3r")
    return importlib.import_module(f"human3r.{name}")


def write_take(path: Path, frames: int, people: int, one_by_one: bool) -> None:
    """A take of people who swing all their joints, and walk."""
    import bpy  # noqa: F401  the extension's own modules need it

    messages, settings = extension("engine.contract.messages"), extension("engine.contract.settings")
    rng = np.random.default_rng(0)
    phase, size = rng.uniform(0, 6.3, (people, 55, 3)), rng.normal(0, 0.25, (people, 55, 3))
    shape = rng.normal(0, 1, (people, 10)).astype(np.float32)
    header = messages.TakeHeader(
        messages.PROTOCOL_VERSION, "benchmark", (1280, 720), RATE, frames, "none", "mannequin",
        settings.CaptureSettings(source="benchmark.mp4", take="benchmark.h3r"),
    )  # fmt: skip
    with extension("engine.contract.take").TakeWriter(path) as writer:
        writer.write(header)
        for index in range(frames):
            here = np.array([index % people]) if one_by_one else np.arange(people)
            pose = size[here] * np.sin(phase[here] + index / 12)
            pose[:, 0] = (np.pi, 0.0, 0.0)
            swing = np.stack([np.sin(index / 60 + here), 0.02 * np.sin(index / 5 + here), 4 + 0 * here], axis=-1)
            writer.write(messages.Frame(
                index=index, source_frame=index, time_s=index / RATE, focal_px=900.0,
                world_from_camera=np.eye(4), principal_point_px=np.array([639.5, 359.5]),
                track_id=here.astype(np.int32), score=np.ones(len(here), np.float32),
                pose_axis_angle=pose.astype(np.float32), betas=shape[here],
                expression=(shape[here] * np.sin(index / 9)).astype(np.float32),
                translation=np.zeros((len(here), 3), np.float32), head_point=swing.astype(np.float32),
                head_px=np.zeros((len(here), 2), np.float32), mask_size=(8, 1), mask_box_px=(0.0, 0.0, 1.0, 1.0),
                mask_bits=np.zeros(1, np.uint8),
            ))  # fmt: skip
        writer.write(messages.TakeEnd("complete", frames))


class Phases:
    """Processor time of the process by phase, and how high its memory had risen when the phase was last left."""

    def __init__(self) -> None:
        self.own: dict[str, float] = defaultdict(float)
        self.peak: dict[str, float] = {}
        self._open: list[str] = []
        self._since = time.process_time()

    @contextmanager
    def within(self, name: str) -> Iterator[None]:
        """Count what runs here to a phase, and not to the one around it."""
        self._count()
        self._open.append(name)
        try:
            yield
        finally:
            self._count()
            self.peak[name] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            self._open.pop()

    def _count(self) -> None:
        now = time.process_time()
        if self._open:
            self.own[self._open[-1]] += now - self._since
        self._since = now

    def watch(self, owner: Any, name: str, phase: str) -> None:
        """Count every call of a function to a phase; of one that works in slices, every slice."""
        function: Callable[..., Any] = getattr(owner, name)

        def watched(*arguments: Any, **options: Any) -> Any:
            with self.within(phase):
                result = function(*arguments, **options)
            return self._slices(result, phase) if hasattr(result, "__next__") else result

        setattr(owner, name, watched)

    def _slices(self, steps: Iterator[Any], phase: str) -> Iterator[Any]:
        while True:
            with self.within(phase):
                step = next(steps, self)
            if step is self:
                return
            yield step

    def print(self) -> None:
        for name, seconds in self.own.items():
            print(f"  {name:12s} {seconds:7.2f} s CPU   {self.peak[name]:6.0f} MB at most until its end")
        print(f"  {'in all':12s} {sum(self.own.values()):7.2f} s CPU   {max(self.peak.values()):6.0f} MB")


def measured(take: Path, most_people: int, clean: float, output: Path) -> Phases:
    """Import a take as the command line does, take an undo step and save."""
    import bpy

    people, sources = extension("human3r_blender.scene.people"), extension("human3r_blender.capture.sources")
    phases = Phases()
    phases.watch(sources.TakeSource, "receive", "reading")
    phases.watch(people.versions.LiveSmoothing, "add", "live motion")
    phases.watch(people.Person, "settle", "settling")
    phases.watch(people.Person, "clean_up", "clean-up")
    sessions, options = extension("human3r_blender.capture.session"), extension("human3r_blender.scene.import_options")
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with phases.within("building"):
        run = sessions.start_import(
            bpy.context.scene, take, options.ImportOptions(most_people=most_people, clean=clean)
        )
        while run.pump_messages(budget_s=0.25, wait_s=0.1):
            pass
    print(f"{run.progress.phase}: {run.progress.describe()} {run.note}")
    with phases.within("saving"):
        bpy.ops.wm.save_as_mainfile(filepath=str(output))
    with phases.within("undo"):
        bpy.ops.ed.undo_push(message="a step of the user's")
    return phases


def fingerprint() -> str:
    """What all F-curves of the file are, in a few letters."""
    import bpy

    keyframes, digest = extension("human3r_blender.blender.keyframes"), hashlib.sha256()
    for action in sorted(bpy.data.actions, key=lambda made: made.name):
        bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
        for curve in (curve for bag in bags for curve in bag.fcurves):
            digest.update(f"{action.name} {curve.data_path} {curve.array_index}".encode())
            digest.update(np.concatenate(keyframes.read(curve)).tobytes() + keyframes.interpolation(curve).tobytes())
    return digest.hexdigest()[:16]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--people", type=int, default=2)
    parser.add_argument("--one-by-one", action="store_true", help="one person in every frame")
    parser.add_argument("--most-people", type=int, default=100)
    parser.add_argument("--clean", type=float, default=0.75, metavar="STRENGTH", help="0 for none")
    parser.add_argument("--take", type=Path, help="where the take is kept; one that is there is imported as it is")
    parser.add_argument("--write-only", action="store_true")
    parser.add_argument("--fingerprint", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        take = given.take or Path(folder) / "benchmark.h3r"
        if given.write_only:
            write_take(take, given.frames, given.people, given.one_by_one)
            return
        if not take.exists():
            subprocess.run([sys.executable, *sys.argv, "--take", str(take), "--write-only"], check=True)
        phases = measured(take, given.most_people, given.clean, Path(folder) / "benchmark.blend")
        phases.print()
        if given.fingerprint:
            print("F-curves:", fingerprint())


if __name__ == "__main__":
    main()
