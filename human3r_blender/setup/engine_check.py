# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the engine's Python has what the engine needs: asked in a thread, for importing torch takes seconds."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path

from ...engine.contract.sentences import Sentence
from ..blender.child_process import EXTENSION_ROOT, clean_environment
from .installation import import_failures

TIMEOUT_S = 600.0
"""A virus scanner that looks at every file of a new torch takes minutes."""
FIRST_START = "The first start after an installation can take some minutes: the system looks at every file."
_QUESTION = """
import json, platform
answer = {"python": platform.python_version()}
for name in ("numpy", "cv2", "torch"):
    try:
        answer[name] = __import__(name).__version__
    except Exception as error:
        answer[name] = None
        answer["said"] = f"{type(error).__name__}: {error}"
if answer["torch"]:
    import torch
    answer["cuda"] = torch.cuda.get_device_name() if torch.cuda.is_available() else None
print(json.dumps(answer))
"""

_INSTALL = "Install the engine's packages in it, or choose another Python."

_findings: list[tuple[str, str]] = []


def start(python: Path) -> threading.Thread:
    """Ask in the background; :func:`findings` has the answer later."""
    _findings[:] = [("SORTTIME", "Checking the engine's Python..."), ("BLANK1", FIRST_START)]
    thread = threading.Thread(target=_ask, args=(python,), name="human3r-check", daemon=True)
    thread.start()
    return thread


def findings() -> list[tuple[str, str]]:
    """(icon, sentence) of the last check; empty before the first."""
    return list(_findings)


def _ask(python: Path) -> None:
    try:
        done = subprocess.run(
            [str(python), "-c", _QUESTION],
            cwd=EXTENSION_ROOT,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        answer = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        _findings[:] = [("ERROR", Sentence("{python} did not respond: {error}", python=python, error=error))]
        return
    missing = [name for name in ("numpy", "cv2", "torch") if answer[name] is None]
    if missing:
        _findings[:] = [
            (
                "ERROR",
                Sentence("Python {version} has no {packages}.", version=answer["python"], packages=", ".join(missing)),
            ),
            ("BLANK1", import_failures.remedy(answer["said"]) or _INSTALL),
        ]
    else:
        text = Sentence(
            "Python {version} with torch {torch}, running on {device}.",
            version=answer["python"],
            torch=answer["torch"],
            device=answer["cuda"] or Sentence("the CPU (no CUDA device found)"),
        )
        _findings[:] = [("CHECKMARK", text)]
