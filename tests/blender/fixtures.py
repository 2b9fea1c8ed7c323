# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's modules as Blender knows them, an empty scene for each test, and the engines to talk to."""

import importlib
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import bpy
import pytest

from tests.waiting import HANG_S

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = "bl_ext.user_default.human3r_blender"


@pytest.fixture(scope="session")
def addon():
    """The add-on's modules by their names, the contract's among them."""
    places = {
        "human3r_blender.batch": ("command_line", "paths"),
        "human3r_blender.blender": ("child_process", "progress", "redaction", "tags"),
        "human3r_blender.person": ("family",),
        "human3r_blender.capture": ("engine_process", "properties", "session", "sources", "timer"),
        "human3r_blender.report": ("diagnostics",),
        "human3r_blender.scene": ("builder",),
        "human3r_blender.sections": ("search_menu",),
        "human3r_blender.setup": (
            "background_task",
            "choices",
            "credentials",
            "engine_check",
            "engine_python",
            "install_operators",
            "jobs",
            "overview",
            "page",
            "preferences",
            "probe",
            "self_test_record",
            "tasks",
        ),
        "engine.contract": ("errors", "framing", "messages", "settings", "take"),
    }
    return SimpleNamespace(
        **{
            name: importlib.import_module(f"{EXTENSION}.{place}.{name}")
            for place, names in places.items()
            for name in names
        }
    )


@pytest.fixture
def scene(addon):
    """The scene of an empty file; the run of the test before is forgotten afterwards."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    yield bpy.context.scene
    addon.session.forget()


@pytest.fixture
def stand_in(addon, tmp_path, monkeypatch):
    """Make every engine of this test the stand-in, which does what the source's name says."""
    folder = tmp_path / "stand-in"
    (folder / "engine").mkdir(parents=True)
    (folder / "engine" / "__init__.py").touch()
    for room in ("contract", "installed"):
        (folder / "engine" / room).symlink_to(ROOT / "engine" / room)
    (folder / "engine" / "__main__.py").symlink_to(
        Path(__file__).parent / "capture" / "stand_in_engine" / "__main__.py"
    )
    monkeypatch.setattr(addon.engine_process, "EXTENSION_ROOT", folder)
    monkeypatch.setenv("HUMAN3R_ENGINE_PYTHON", sys.executable)
    yield folder
    addon.child_process.end_all(0.3)


@pytest.fixture
def engine_python(monkeypatch):
    """The Python that has the real engine's packages, named by the environment variable or lying in the checkout."""
    for candidate in (os.environ.get("HUMAN3R_ENGINE_PYTHON"), ROOT / ".environments" / "engine" / "bin" / "python"):
        if candidate and Path(candidate).is_file():
            monkeypatch.setenv("HUMAN3R_ENGINE_PYTHON", str(candidate))
            return Path(candidate)
    pytest.skip("no engine's Python: set HUMAN3R_ENGINE_PYTHON or run build.py once")


@pytest.fixture
def settings(addon, tmp_path):
    """Capture settings for a source, with the take in the test's folder."""

    def make(source, **changes):
        return addon.settings.CaptureSettings(source=source, take=str(tmp_path / "take.h3r"), **changes)

    return make


@pytest.fixture(autouse=True)
def patient(addon, monkeypatch):
    """On a slow machine, too, what ends by itself is not ended; tests of what does not end shorten the grace."""
    monkeypatch.setattr(addon.background_task, "CANCEL_GRACE_S", HANG_S)
    monkeypatch.setattr(addon.engine_process, "LAST_WORDS_S", HANG_S)
    monkeypatch.setattr(addon.sources, "CANCEL_GRACE_S", HANG_S)


@pytest.fixture
def is_running():
    """Whether a process lives, by its id; one that has ended but was not collected by its parent does not."""

    def ask(process_id):
        try:
            return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False

    return ask
