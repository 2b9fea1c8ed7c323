# SPDX-License-Identifier: GPL-3.0-or-later
"""A checkout in Blender: switched on, and reloaded after an edit. Each in a Blender of its own."""

import json
import os
import shutil
import subprocess
import sys

import pytest

PARTS = ("__init__.py", "blender_manifest.toml", "human3r_blender", "engine", "weights_downloader", "requirements")

CHILD = """
import json, os, sys
from pathlib import Path
import bpy, addon_utils

ADDON = "bl_ext.user_default.human3r_blender"
copy = Path(os.environ["BLENDER_USER_RESOURCES"], "extensions", "user_default", "human3r_blender")
panel = copy / "human3r_blender" / "capture" / "panel.py"
said = {}


def label():
    return bpy.types.HUMAN3R_PT_capture.bl_label if hasattr(bpy.types, "HUMAN3R_PT_capture") else None


def edit(old, new):
    code = panel.read_text(encoding="utf-8")
    assert old in code, old
    panel.write_text(code.replace(old, new), encoding="utf-8")


def reload():
    assert bpy.ops.human3r.reload() == {"FINISHED"}
    step = sys.modules[ADDON + ".human3r_blender.setup.reloading"].reload
    assert bpy.app.timers.is_registered(step)  # in a window it runs now; a module of Python has no timers
    bpy.app.timers.unregister(step)
    step()


addon_utils.enable(ADDON, default_set=True)
bpy.context.preferences.view.show_developer_ui = False
said["for users"] = bpy.ops.human3r.reload.poll()
bpy.context.preferences.view.show_developer_ui = True
before = label()
bpy.context.preferences.addons[ADDON].preferences.body_file = "mannequin"
edit(f'bl_label = "{before}"', 'bl_label = "Edited by a Developer"')
addon_utils.disable(ADDON)
addon_utils.enable(ADDON)
said["off and on"] = label() == before
reload()
said["reloaded"] = label()
said["preferences"] = bpy.context.preferences.addons[ADDON].preferences.body_file

edit("import bpy", "import bpy, no_such_module")  # a slip
reload()
said["broken"] = label()
edit("import bpy, no_such_module", "import bpy")
edit("Edited by a Developer", "Edited Once More")
addon_utils.enable(ADDON)
said["mended"] = label()
addon_utils.disable(ADDON)
print(json.dumps(said), flush=True)
os._exit(0)  # 4.2 as a module of Python dies while it is taken down, if Blender still refers to forgotten modules
"""


@pytest.fixture
def resources(root, tmp_path):
    """An empty set-up of Blender with a copy of the extension."""
    copy = tmp_path / "extensions" / "user_default" / "human3r_blender"
    copy.mkdir(parents=True)
    for part in PARTS:
        if (root / part).is_dir():
            shutil.copytree(root / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(root / part, copy)
    return tmp_path


def test_an_edited_panel_shows_after_a_reload(resources):
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        env=os.environ | {"BLENDER_USER_RESOURCES": str(resources)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "for users": False,
        "off and on": True,
        "reloaded": "Edited by a Developer",
        "preferences": "mannequin",
        "broken": None,
        "mended": "Edited Once More",
    }


STARTED = """
import os, runpy, sys
import bpy
runpy.run_path(sys.argv[1])
print(bpy.ops.human3r.reload.poll(), flush=True)
os._exit(0)  # as above
"""


def test_a_linked_checkout_is_switched_on_for_developers(root, tmp_path):
    link = tmp_path / "extensions" / "user_default" / "human3r_blender"
    link.parent.mkdir(parents=True)
    link.symlink_to(root, target_is_directory=True)
    done = subprocess.run(
        [sys.executable, "-c", STARTED, str(root / "tools" / "start_in_blender.py")],
        env=os.environ | {"BLENDER_USER_RESOURCES": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-1:] == ["True"], done.stdout + done.stderr


def test_without_a_blender_the_command_says_how_to_name_one(root):
    command = [sys.executable, str(root / "build.py"), "blender", "/nowhere/blender"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and "python3 build.py blender /path/to/blender" in done.stderr
