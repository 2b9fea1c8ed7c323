# SPDX-License-Identifier: GPL-3.0-or-later
"""People exported by Blender once, for all readers, which run in a Python of their own (build.py test --readers)."""

import importlib.util
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

if not importlib.util.find_spec("ufbx"):
    collect_ignore_glob = ["test_*.py"]

ROOT = Path(__file__).resolve().parents[2]
RATES = ("7.5", "12.5", "23.976", "29.97", "59.94")
PEOPLE = (1, 3)
FORMATS = ("fbx", "glb", "usd", "abc", "bvh", "npz")


@pytest.fixture(scope="session")
def exports(tmp_path_factory):
    """A folder with the exports of each number of people at each rate, and with what Blender showed."""
    python = os.environ.get("HUMAN3R_BLENDER_PYTHON") or ROOT / ".environments" / "blender-5.0" / "bin" / "python"
    if not Path(python).is_file():
        pytest.skip("no Blender as a Python module: run build.py test --readers, or set HUMAN3R_BLENDER_PYTHON")
    folder = tmp_path_factory.mktemp("exports")
    cases = [str(part) for people in PEOPLE for rate in RATES for part in (people, rate)]
    script = Path(__file__).with_name("make_exports.py")
    done = subprocess.run(
        [python, script, folder, ",".join(FORMATS), *cases], capture_output=True, text=True, env=variables()
    )
    assert (folder / f"{PEOPLE[-1]}-{RATES[-1]}" / "truth.npz").is_file(), done.stdout + done.stderr
    return folder


def variables():
    return dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")


@pytest.fixture(scope="session")
def validated():
    """What Khronos's validator says of a GLB file: a function of the path."""
    modules = Path(os.environ.get("HUMAN3R_NODE_MODULES") or ROOT / ".environments" / "readers-node" / "node_modules")
    node = shutil.which("node")
    if node is None or not (modules / "gltf-validator").is_dir():
        pytest.skip("no node with gltf-validator: run build.py test --readers, or set HUMAN3R_NODE_MODULES")
    script = Path(__file__).with_name("validate_glb.mjs")

    def run(path):
        done = subprocess.run([node, script, modules.parent, path], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return run
