# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads the checkout as what it is, an extension, into the Blender that runs the tests.

It happens while this file is imported, because test modules import `bl_ext.user_default.human3r_blender...` at their
head. It is switched off at the end: classes that are still registered when the process ends crash Blender 4.2.
"""

import os
import tempfile
from pathlib import Path

# Of this process alone: tests may run in several at once.
os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp(prefix="human3r-blender-")

import bpy  # first: it brings Blender's own modules

import addon_utils  # isort: skip

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = "bl_ext.user_default.human3r_blender"


def _enable() -> None:
    folder = Path(bpy.utils.user_resource("EXTENSIONS", path="user_default", create=True))
    link = folder / "human3r_blender"
    if not link.exists():
        link.symlink_to(ROOT)
    assert addon_utils.enable(EXTENSION, default_set=True) is not None, "the extension could not be enabled"


_enable()

from .fixtures import addon, engine_python, is_running, patient, scene, settings, stand_in  # noqa: E402, F401
from .takes import armatures, body, build, go_to, mesh_of, synthetic  # noqa: E402, F401


def pytest_unconfigure() -> None:
    if addon_utils.check(EXTENSION)[1]:
        addon_utils.disable(EXTENSION)
