# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a worker when a session of Open Job Description begins: finds the engine, or installs it, for its tasks.

    enter.py find PYTHON_VARIABLE FOLDER_VARIABLE
    enter.py install ARCHIVE FOLDER

Tasks then find `python` and the module `engine`. It is a file of the bundle, so it knows the standard library alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Find or install, and tell the session. Ends the process where that fails."""
    what, *places = arguments
    python, folder = (find if what == "find" else install)(*places)
    print(f"openjd_env: PATH={Path(python).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    print(f"openjd_env: PYTHONPATH={folder}", flush=True)


def find(python_variable: str, folder_variable: str) -> tuple[str, str]:
    """The engine that this worker's variables name."""
    python, folder = os.environ.get(python_variable, ""), os.environ.get(folder_variable, "")
    if not Path(python).is_file():
        fail(f"The variable {python_variable} of this worker does not name the engine's Python ({python or 'empty'}).")
    if not (Path(folder) / "engine").is_dir():
        fail(
            f"The variable {folder_variable} of this worker does not name the extension's folder ({folder or 'empty'})."
        )
    return python, folder


def install(archive: str, folder: str) -> tuple[str, str]:
    """An engine of the bundle's own, with packages whose hashes are those of the lock file."""
    place = Path(folder) / "human3r-engine"
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(place)
    environment = place / "environment"
    run([sys.executable, "-m", "venv", str(environment)])
    windows = os.name == "nt"
    python = environment / ("Scripts" if windows else "bin") / ("python.exe" if windows else "python")
    lock = place / "requirements" / "lock" / "engine.txt"
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:"]
    run([*pip, "--require-hashes", "--requirement", str(lock)])
    return str(python), str(place)


def run(command: list[str]) -> None:
    """One step of the installation."""
    print(f"openjd_status: {' '.join(command[:5])}", flush=True)
    code = subprocess.call(command)
    if code:
        fail(f"The engine could not be installed: {' '.join(command[1:5])} ended with {code}; its own words are above.")


def fail(problem: str) -> None:
    """Say it once, with the remedy, and end."""
    remedy = "Install the engine on this worker (human3r install-engine) and set both variables, or give --engine."
    print(f"openjd_fail: {problem} {remedy}", flush=True)
    sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
