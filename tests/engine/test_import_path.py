# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs run nothing that happens to lie in the folder where they are started."""

import os
import shutil
import subprocess
import sys

import pytest

FOREIGN = ("argparse", "cv2", "enum", "json", "numpy", "pathlib", "re", "torch", "typing")
LOADED_BY_PYTHON = ("contextlib", "collections", "functools")
"""What ``-m`` itself needs, before any line of ours."""


@pytest.fixture
def foreign_folder(tmp_path):
    """A folder of modules that leave a mark when they are executed."""
    add_foreign(tmp_path, FOREIGN)
    return tmp_path


def add_foreign(folder, names):
    for name in names:
        (folder / f"{name}.py").write_text(f"open({str(folder / 'executed')!r}, 'a').write({name!r} + ' ')\n")


def start(folder, module, *arguments, path, options=()):
    done = subprocess.run(
        [sys.executable, *options, "-m", module, *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    mark = folder / "executed"
    return done.returncode, done.stderr, mark.read_text() if mark.exists() else ""


@pytest.mark.parametrize("before", ["", os.pathsep], ids=["module", "empty entry"])
@pytest.mark.parametrize("command", [
    ("engine", "serve"), ("engine", "--help"), ("engine.synthetic", "--help"), ("weights_downloader", "list"),
], ids=" ".join)  # fmt: skip
def test_modules_of_the_current_folder_are_not_executed(root, foreign_folder, command, before):
    code, errors, executed = start(foreign_folder, *command, path=f"{before}{root}")
    assert (code, executed) == (0, ""), errors


def test_the_downloader_s_engine_is_the_one_beside_it(root, foreign_folder):
    (foreign_folder / "engine").mkdir()
    (foreign_folder / "engine" / "__init__.py").write_text("raise SystemExit('a foreign engine')\n")
    code, errors, executed = start(foreign_folder, "weights_downloader", "list", path=str(root))
    assert (code, executed) == (0, ""), errors


def test_with_p_not_even_what_python_loads_first_is_executed(root, foreign_folder):
    """How `build.py engine` starts it."""
    add_foreign(foreign_folder, (*LOADED_BY_PYTHON, "engine"))
    code, errors, executed = start(foreign_folder, "engine", "--help", path=str(root), options=["-P"])
    assert (code, executed) == (0, ""), errors


@pytest.mark.parametrize("command", [("engine", "serve"), ("weights_downloader", "list")], ids=" ".join)
def test_nor_are_those_of_the_extension_s_folder(root, foreign_folder, command):
    """Which is the current one where Blender starts these programs."""
    for package in ("engine", "weights_downloader"):
        shutil.copytree(root / package, foreign_folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    code, errors, executed = start(foreign_folder, *command, path="")
    assert (code, executed) == (0, ""), errors
