# SPDX-License-Identifier: GPL-3.0-or-later
"""What the running engine loads: nothing of the laboratory, which only its own commands need."""

import subprocess
import sys

import pytest

ASK = """
import sys
from engine.__main__ import _parser
_parser(sys.argv[1]).parse_args(sys.argv[1:])
print(*sorted(name for name in sys.modules if name.startswith("engine.")))
"""
LABORATORY = ("engine.evaluation", "engine.synthetic", "engine.training")


def loaded_for(root, *arguments):
    asked = subprocess.run(
        [sys.executable, "-c", ASK, *arguments], cwd=root, capture_output=True, text=True, check=True
    )
    return asked.stdout.split()


@pytest.mark.parametrize("arguments", [("serve",), ("run", "clip.mp4", "--take", "clip.h3r"), ("self-test",)])
def test_the_running_engine_starts_without_the_laboratory(root, arguments):
    assert not [name for name in loaded_for(root, *arguments) if name.startswith(LABORATORY)]


def test_a_command_of_the_laboratory_loads_its_own_options(root):
    assert "engine.evaluation.command" in loaded_for(root, "evaluate", "--synthetic-seeds", "0:1")
