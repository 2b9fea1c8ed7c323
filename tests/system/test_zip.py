# SPDX-License-Identifier: GPL-3.0-or-later
"""The installable zip: what is in it, and that Blender installs it and converts a video with what it installed."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import bpy
import pytest

from tests.waiting import HANG_S

INSTALL_AND_CONVERT = """
import importlib, sys
import bpy, addon_utils
archive, video, output = sys.argv[1:]
bpy.ops.extensions.package_install_files(filepath=archive, repo="user_default", enable_on_install=True)
name = "bl_ext.user_default.human3r_blender"
cli = importlib.import_module(name + ".human3r_blender.batch.command_line")
print("installed in", cli.__file__)
code = cli.main(["convert", video, "--output", output, "--device", "cpu", "--end", "4"])
print("people:", sum(item.type == "ARMATURE" for item in bpy.data.objects))
addon_utils.disable(name)  # classes left registered at the end crash Blender 4.2
sys.exit(code)
"""


@pytest.fixture(scope="module")
def archive(root, tmp_path_factory):
    """The zip, made by Blender's own tool from the manifest's rules."""
    tool = Path(bpy.utils.script_paths(subdir="addons_core")[0]) / "bl_pkg" / "cli" / "blender_ext.py"
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, str(tool), "build", "--source-dir", str(root), "--output-dir", str(folder)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (made,) = folder.glob("*.zip")
    return made


def test_the_zip_has_the_extension_and_nothing_else(archive):
    names = zipfile.ZipFile(archive).namelist()
    top = {name.partition("/")[0] for name in names}
    assert {"__init__.py", "blender_manifest.toml", "LICENSE", "engine", "human3r_blender", "weights_downloader"} <= top
    assert not top & {"tests", "docs", "benchmarks", "build.py", "tools", "demo", ".environments", ".git", "outputs"}
    assert {"engine/assets/landmarks.safetensors", "engine/assets/LICENSE-Apache-2.0.txt", "NOTICE"} <= set(names)
    assert "engine/assets/small.safetensors" not in names, "a Human3R for tests and training only"
    assert "engine/assets/mannequin.npz" in names and "engine/contract/messages.py" in names
    assert {
        "requirements/lock/engine.txt",
        "requirements/lock/base.txt",
        "requirements/lock/uv.txt",
        "requirements/lock/torch-cpu-linux.txt",
        "requirements/lock/sizes.json",
        "human3r_blender/setup/installation/installer.py",
    } <= set(names)
    assert not [name for name in names if "__pycache__" in name]
    assert archive.stat().st_size < 50e6


def test_blender_installs_the_zip_and_converts_with_the_model_in_it(archive, root, engine_python, tmp_path):
    resources = tmp_path / "resources"
    environment = os.environ | {"BLENDER_USER_RESOURCES": str(resources), "HUMAN3R_ENGINE_PYTHON": engine_python}
    environment["HUMAN3R_DATA"] = str(tmp_path / "data")  # where nothing is installed
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            INSTALL_AND_CONVERT,
            str(archive),
            str(root / "demo" / "demo.mp4"),
            str(tmp_path / "clip.blend"),
        ],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=HANG_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"installed in {resources}" in done.stdout and (tmp_path / "clip.blend").is_file()
    assert "people: 2" in done.stdout
