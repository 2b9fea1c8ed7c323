# SPDX-License-Identifier: GPL-3.0-or-later
"""What earlier versions wrote (`tests/fixtures/version-*`, made by `tests/fixtures/make.py`) keeps working.

These tests reach the program as its users do, by operators, properties and command lines, wherever the code lies.
"""

import importlib.util
import json
import shutil
from pathlib import Path

import pytest

collect_ignore = []
if importlib.util.find_spec("bpy"):
    from ..blender.conftest import pytest_unconfigure  # noqa: F401  it loads the extension
else:
    collect_ignore += [
        "test_blend_file.py",
        "test_import.py",
        "test_operators.py",
        "test_presets.py",
        "test_registered.py",
    ]
if not importlib.util.find_spec("torch"):
    collect_ignore.append("test_takes.py")

VERSIONS = sorted(Path(__file__).resolve().parents[1].glob("fixtures/version-*"))


@pytest.fixture(params=VERSIONS, ids=lambda folder: folder.name)
def written(request, tmp_path):
    """A copy of what a version wrote."""
    return Path(shutil.copytree(request.param, tmp_path / request.param.name))


@pytest.fixture
def known(written):
    """What is true of it."""
    return json.loads((written / "known.json").read_text(encoding="utf-8"))


@pytest.fixture
def opened(written, monkeypatch):
    """The scene of the .blend file, with a data folder that has the user's rig preset in it."""
    import bpy

    presets = written / "data" / "rig-presets"
    presets.mkdir(parents=True)
    shutil.copy(written / "rig_preset.json", presets)
    monkeypatch.setenv("HUMAN3R_DATA", str(written / "data"))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(written / "people.blend"), load_ui=False)
    return bpy.context.scene
