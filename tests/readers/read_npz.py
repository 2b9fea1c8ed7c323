# SPDX-License-Identifier: GPL-3.0-or-later
"""AMASS-style npz by the `smplx` package, which lives in the engine's Python: one person in a file."""

import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

from .looks import Seen

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests" / "blender" / "export" / "smplx_joints.py"
BODY = ROOT / "engine" / "assets" / "mannequin.npz"


def read(path, times, rows):
    """The person, in all frames of the file."""
    python = os.environ.get("HUMAN3R_ENGINE_PYTHON") or ROOT / ".environments" / "engine" / "bin" / "python"
    if subprocess.run([python, "-c", "import smplx"], capture_output=True).returncode:
        pytest.skip("no engine's Python with smplx: set HUMAN3R_ENGINE_PYTHON or run build.py once")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "joints.npy"
        subprocess.run([python, SCRIPT, BODY, path, out], check=True)
        joints = np.load(out)
    with np.load(path) as file:
        keys = np.arange(len(file["poses"])) / float(file["mocap_frame_rate"])
    assert len(joints) == len(times)
    return Seen(keys, joints[None])
