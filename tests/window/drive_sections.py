# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens every panel of the sidebar in a real Blender window, people in the scene, and takes pictures of them.

Run by hand as `driving.py` says, with

    export HUMAN3R_TAKE=outputs/truth.h3r                   a take; `python3 build.py demo` makes this one

No engine is needed. A panel that cannot be drawn is an error in what Blender prints.
"""

import os
import sys
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).parent))
from driving import drive, import_take, is_shown, mouse, panel_picture, panels, run

TAKE = Path(os.environ["HUMAN3R_TAKE"]).resolve()
NEEDS_A_CHARACTER = "HUMAN3R_PT_retarget_bones"  # which `drive_retarget.py` has


def steps():
    """What a person does, with the seconds to wait in between."""
    mouse("mousemove", 300, 200)
    yield from import_take(TAKE)
    run(bpy.ops.human3r.select_person, name=next(item.name for item in bpy.data.objects if item.type == "ARMATURE"))
    assert len(panels()) > 10
    assert [panel.__name__ for panel in panels() if not is_shown(panel)] == [NEEDS_A_CHARACTER]
    for panel in filter(is_shown, panels()):
        name = panel.__name__
        yield from panel_picture(name.removeprefix("HUMAN3R_PT_"), name)


drive(steps())
