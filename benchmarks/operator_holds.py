# SPDX-License-Identifier: GPL-3.0-or-later
"""The longest time that each operator, and the undo step at a run's end, holds Blender's window.

    .environments/blender-5.0/bin/python benchmarks/operator_holds.py [--frames 3000] [--people 2] [--exporters]

For each it prints the longest slice (of operators that work in slices: the window answers between two) and the whole
work, on the clock and of the thread's own time, which is the measure where other programs compete for the processor.
With `--exporters` also the formats that exporters of Blender's write, which takes minutes: each file is one slice, and
of it what is not the exporter's is told.
"""

import argparse
import contextlib
import importlib
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import main_thread  # noqa: E402

bpy = main_thread.bpy  # which has set the folder for Blender's files before

OURS, THEIRS = ("NPZ", "BVH"), ("FBX", "GLB", "USD", "USDZ", "ABC")


class Holds:
    """The slices of what is measured now."""

    def __init__(self) -> None:
        self.slices: list[tuple[float, float]] = []

    def hold(self, work):
        """Do something that nothing interrupts."""
        wall, own = time.perf_counter(), time.thread_time()
        try:
            return work()
        finally:
            self.slices.append((time.perf_counter() - wall, time.thread_time() - own))

    def run_through(self, steps):
        """As that of the add-on, slice by slice."""
        while True:
            try:
                self.hold(lambda: next(steps))
            except StopIteration as stop:
                return stop.value

    def report(self, name, whole_wall, whole_own):
        wall, own = (1000 * max(part[column] for part in self.slices) for column in (0, 1))
        print(
            f"{name:34s} longest {wall:7.0f} ms, own {own:7.0f} ms;  all {1000 * whole_wall:8.0f} ms, "
            f"own {1000 * whole_own:7.0f} ms;  slices: {len(self.slices)}",
            flush=True,
        )


def measure(slices, name, call):
    """Call an operator and print what holds the window longest."""
    found, kept = Holds(), slices.run_through
    slices.run_through = lambda steps: run_outermost(slices, kept, found, steps)
    wall, own = time.perf_counter(), time.thread_time()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            call()
    except RuntimeError as error:
        print(f"{name:34s} {error}".rstrip())
        return
    finally:
        slices.run_through = kept
    wall, own = time.perf_counter() - wall, time.thread_time() - own
    if not found.slices:
        found.slices.append((wall, own))
    found.report(name, wall, own)


def run_outermost(slices, at_once, found, steps):
    """Measure the slices of the operator; what it does at once meanwhile is part of a slice."""
    measuring, slices.run_through = slices.run_through, at_once
    try:
        return found.run_through(steps)
    finally:
        slices.run_through = measuring


def import_take(module, take):
    """Import as a window does, and take the undo step."""
    sessions, options = module("capture.session"), module("scene.import_options")
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    run, holds = sessions.start_import(bpy.context.scene, take, options.ImportOptions()), Holds()
    wall, own = time.perf_counter(), time.thread_time()
    while holds.hold(lambda: run.pump_messages(0.006)):
        pass
    holds.report("import", time.perf_counter() - wall, time.thread_time() - own)
    for name in ("undo step at the end", "undo step after it"):
        holds = Holds()
        holds.hold(lambda name=name: bpy.ops.ed.undo_push(message=name))
        holds.report(name, *holds.slices[0])


def people():
    return [item for item in bpy.context.scene.objects if item.type == "ARMATURE" and "human3r_track" in item]


def select(*items):
    for item in bpy.context.selected_objects:
        item.select_set(False)
    for item in items:
        item.select_set(True)
    bpy.context.view_layer.objects.active = items[0]


def character(module):
    """Somebody's rig with the bones that are known best."""
    joints = importlib.import_module(f"{main_thread.EXTENSION}.engine.contract.body_model")
    body = joints.BodyModel.load(joints.default_body_path())
    item = module("person.armature").create("Character", body.rest_joints([0.0] * 10))
    bpy.context.scene.collection.objects.link(item)
    return item


def measure_all(module, options, folder):
    slices, scene, human3r = module("blender.slices"), bpy.context.scene, bpy.ops.human3r

    def operator(called, told="", **properties):
        measure(slices, told or called, lambda: getattr(human3r, called)(**properties))

    select(people()[0])
    operator("clean_up")
    for version in ("RAW", "LIVE", "CLEAN"):
        operator("show_version", f"show_version {version}", version=version)
    operator("fill_gaps")
    for called in ("floor_from_cursor", "floor_from_selection", "face_camera", "found_ground", "hide_people"):
        operator(called)
    operator("show_people")
    operator("set_height", height=1.8)
    scene.frame_set(options.frames // 2)
    select(people()[0])
    operator("split_people")
    select(people()[0], people()[-1])
    operator("merge_people")
    scene.frame_set(options.frames // 2)
    select(*people()[:2])
    operator("swap_people")
    settings = scene.human3r_retarget
    settings.source, settings.character = people()[0], character(module)
    operator("retarget")
    settings.controls = "FK"
    for kind in (*OURS, *(THEIRS if options.exporters else ())):
        scene.human3r_export.formats = {kind}
        export(module, slices, kind, folder)
    select(people()[0])
    operator("bake_correctives")
    operator("rename_person", name="Ann")
    operator("delete_people")


def export(module, slices, kind, folder):
    """Export, and tell how long Blender's own exporter took."""
    writing, spent = module("sections.export.writing"), []
    names = [
        name for name, found in sys.modules.items() if getattr(found, "run_exporter", None) is writing.run_exporter
    ]

    def timed(label, work, written):
        own = time.thread_time()
        writing_kept(label, work, written)
        spent.append(time.thread_time() - own)

    writing_kept = writing.run_exporter
    for name in names:
        sys.modules[name].run_exporter = timed
    try:
        measure(slices, f"export {kind}", lambda: bpy.ops.human3r.export(filepath=str(folder / kind.lower())))
    finally:
        for name in names:
            sys.modules[name].run_exporter = writing_kept
    if spent:
        print(f"{'':34s} of which Blender's exporter, own: {', '.join(f'{1000 * part:.0f}' for part in spent)} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=3000)
    parser.add_argument("--people", type=int, default=2)
    parser.add_argument("--take", type=Path, help="where the take is kept; one that is there is imported as it is")
    parser.add_argument("--exporters", action="store_true", help="Blender's own exporters, too")
    options = parser.parse_args()
    main_thread.enable_extension()

    def module(name):
        return importlib.import_module(f"{main_thread.EXTENSION}.human3r_blender.{name}")

    with tempfile.TemporaryDirectory() as folder:
        take = options.take or Path(folder) / "benchmark.h3r"
        if not take.exists():
            sizes = ("--frames", str(options.frames), "--people", str(options.people), "--write-only")
            made = ROOT / "benchmarks" / "take_import.py"
            subprocess.run([sys.executable, made, "--take", take, *sizes], check=True)
        import_take(module, take)
        measure_all(module, options, Path(folder))


if __name__ == "__main__":
    main()
