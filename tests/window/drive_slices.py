# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives long work in a real Blender window: it answers meanwhile, Escape cancels, and the file browser begins it, too.

Run by hand as `driving.py` says, with

    export HUMAN3R_TAKE=long.h3r        a long take: python benchmarks/take_import.py --take long.h3r --write-only \\
                                        --frames 3000 --people 2

No engine is needed. Prints the longest time between two turns of Blender's loop during each.
"""

import itertools
import os
import sys
import time
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from driving import PICTURES, addon_module, drive, import_take, mouse, picture, run

TAKE = Path(os.environ["HUMAN3R_TAKE"]).resolve()
EXPORT = (1120, 691)
"""The file browser's button."""
TURNS = []


def turn():
    """One of Blender's loop."""
    TURNS.append(time.perf_counter())
    return 0.001


def until_over(what):
    """Wait for the operator that works in slices, and print for how long the window stood still."""
    slices = addon_module("blender.slices")
    TURNS.clear()
    while slices.is_at_work():
        yield 0.2
    yield 0.5
    held = max((later - before for before, later in itertools.pairwise(TURNS)), default=0.0)
    print(f"{what}: longest turn {1000 * held:.0f} ms of {len(TURNS)}", flush=True)


def keys():
    family, keyframes = addon_module("person.family"), addon_module("blender.keyframes")
    action = family.action(bpy.data.objects["Person 01"], "clean")
    curve = keyframes.curves_in(action, 'pose.bones["pelvis"].location')['pose.bones["pelvis"].location', 0]
    return keyframes.read(curve)[1].tobytes()


def steps():
    """What a person does, with the seconds to wait in between."""
    mouse("mousemove", 300, 300)
    yield from import_take(TAKE)
    bpy.app.timers.register(turn)
    before = keys()
    assert run(bpy.ops.human3r.clean_up, "INVOKE_DEFAULT", True, strength=1.0) == {"RUNNING_MODAL"}
    assert not bpy.ops.human3r.clean_up.poll(), "nothing else may begin meanwhile"
    yield 0.3
    picture("1-cleaning")
    mouse("key", "Escape")
    yield from until_over("clean-up, canceled")
    assert keys() == before, "a canceled clean-up changed something"
    assert run(bpy.ops.human3r.clean_up, "INVOKE_DEFAULT", True, strength=1.0) == {"RUNNING_MODAL"}
    yield from until_over("clean-up")
    assert keys() != before
    picture("2-cleaned")
    bpy.ops.ed.undo()
    yield 1.0
    assert keys() == before, "undo takes the clean-up back"
    run(bpy.ops.human3r.show_version, "INVOKE_DEFAULT", True, version="RAW")
    yield from until_over("raw")
    bpy.context.scene.human3r_export.formats = {"BVH"}
    run(bpy.ops.human3r.export, "INVOKE_DEFAULT", filepath=str(PICTURES / "people"))
    yield 2.0
    picture("3-browser")
    mouse("mousemove", *EXPORT)
    mouse("click", 1)
    yield 0.5
    picture("4-exporting")
    yield from until_over("export")
    assert list(PICTURES.glob("people*.bvh")), "the file browser's button exports"
    picture("5-exported")


drive(steps(), in_slices=True)
