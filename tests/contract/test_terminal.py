# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said into a closed pipe is lost, and nothing else is."""

import sys
from pathlib import Path

import pytest

from tests.closed_pipes import run_unheard

ROOT = Path(__file__).resolve().parents[2]
TALK = """
from engine.contract.terminal import answer, say
for number in range(3):
    say(f"said {number}")
    answer(f"answer {number}")
open("PATH", "w").write("done")
"""


@pytest.mark.parametrize("closed", [(), ("stdout",), ("stderr",), ("stdout", "stderr")])
def test_the_program_goes_on(tmp_path: Path, closed: tuple[str, ...]) -> None:
    done = tmp_path / "done"
    ended = run_unheard([sys.executable, "-c", TALK.replace("PATH", str(done))], ROOT, *closed)
    assert ended.returncode == 0 and done.read_text() == "done"
    expected = {"stdout": "answer 0\nanswer 1\nanswer 2\n", "stderr": "said 0\nsaid 1\nsaid 2\n"}
    heard = {"stdout": ended.stdout, "stderr": ended.stderr}
    assert {name: text for name, text in heard.items() if name not in closed} == {
        name: text for name, text in expected.items() if name not in closed
    }
