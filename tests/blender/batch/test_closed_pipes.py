# SPDX-License-Identifier: GPL-3.0-or-later
"""A summary and progress that nobody reads any more do not stop the work."""

import sys

import pytest

from tests.closed_pipes import run_unheard


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_an_import_goes_on_when_the_pipe_is_closed(synthetic, tmp_path, root, closed):
    take = synthetic(frames=2, people=1, points=0).write(tmp_path / "take.h3r")
    command = [sys.executable, root / "tools" / "run_in_module.py", "import", take, "--output", tmp_path / "a.blend"]
    ended = run_unheard([*command, "--json", "-"], root, closed)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "a.blend").exists()
    assert "Traceback" not in (ended.stderr or "") and "Exception" not in (ended.stderr or "")
