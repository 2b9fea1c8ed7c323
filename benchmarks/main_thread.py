# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a run holds Blender's main thread up: every slice of work that the timer does, timed.

    python benchmarks/main_thread.py VIDEO [--end 200] [--model recipe:small]     a capture, with the engine
    python benchmarks/main_thread.py TAKE.h3r                                     an import

Run with a Python that has bpy (.environments/blender-5.0/bin/python); HUMAN3R_ENGINE_PYTHON names the engine's. It
calls what the timer calls in a window, at the timer's pace: messages, building, the playhead's move, which evaluates
the scene. Drawing is not in it. Where other programs compete for the processor, the thread's own time is the measure.
"""

import argparse
import gc
import importlib
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("BLENDER_USER_RESOURCES", tempfile.mkdtemp(prefix="human3r-benchmark-"))
os.environ.setdefault("HUMAN3R_ENGINE_PYTHON", str(ROOT / ".environments" / "engine" / "bin" / "python"))

import bpy  # noqa: E402  after the folder for its files is set

EXTENSION = "bl_ext.user_default.human3r_blender"


def enable_extension():
    """Link the checkout into Blender's folder for extensions, and switch it on."""
    import addon_utils

    folder = Path(bpy.utils.user_resource("EXTENSIONS", path="user_default", create=True))
    (folder / "human3r_blender").symlink_to(ROOT)
    addon_utils.enable(EXTENSION, default_set=True)
    return addon_utils


def start(options, take):
    """Begin the run in an empty file."""
    sessions = importlib.import_module(f"{EXTENSION}.human3r_blender.capture.session")
    builder = importlib.import_module(f"{EXTENSION}.human3r_blender.scene.builder")
    settings = importlib.import_module(f"{EXTENSION}.engine.contract.settings")
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    source, imported = options.source.resolve(), builder.ImportOptions(clean=options.clean)
    if source.suffix == ".h3r":
        return sessions.start_import(bpy.context.scene, source, imported)
    return sessions.start_capture(
        bpy.context.scene, settings.CaptureSettings(str(source), take, model=options.model, end=options.end), imported
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--end", type=int, default=200)
    parser.add_argument("--model", default="recipe:small")
    parser.add_argument("--clean", type=float, default=0.75, metavar="STRENGTH", help="0 for none")
    options = parser.parse_args()
    addon_utils = enable_extension()
    live = importlib.import_module(f"{EXTENSION}.human3r_blender.capture.timer")
    slices, wall = [], time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        session = start(options, str(Path(folder) / "benchmark.h3r"))
        gc.collect()
        wait = 0.0
        while wait is not None:
            time.sleep(wait)
            phase, started, own = session.progress.phase, time.perf_counter(), time.thread_time()
            wait = live.pump()
            slices.append(
                (time.perf_counter() - started, time.thread_time() - own, phase, session.progress.frames_done)
            )
    wall = time.perf_counter() - wall
    print(f"{session.progress.phase}: {session.progress.describe()}, {session.people_count} people, {wall:.1f} s")
    print(f"{len(slices)} slices on the main thread")
    for name, column in (("on the clock", 0), ("the thread's own", 1)):
        slices.sort(key=lambda slice_: slice_[column], reverse=True)
        shares = ", ".join(
            f"{share:.0%} within {1000 * slices[int(len(slices) * (1 - share))][column]:.1f} ms"
            for share in (0.5, 0.9, 0.99)
        )
        print(f"  {name}: {sum(slice_[column] for slice_ in slices):.2f} s in all, {shares}")
        print(
            "    the longest: "
            + ", ".join(f"{1000 * slice_[column]:.1f} ms ({slice_[2]}, frame {slice_[3]})" for slice_ in slices[:5])
        )
    addon_utils.disable(EXTENSION)
    return 1 if session.error else 0


if __name__ == "__main__":
    sys.exit(main())
