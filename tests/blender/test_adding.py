# SPDX-License-Identifier: GPL-3.0-or-later
"""A new thing takes a new file: the examples of CONTRIBUTING pass their tests in a copy of the checkout."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLE = re.compile(r"^```python\n# (\S+\.py)\n(.*?)^```$", re.M | re.S)
COPIED = ("human3r_blender", "tests")


def copy_of(root: Path, folder: Path) -> None:
    """The checkout with those folders of its own that examples are written to; the rest is linked."""
    for item in root.iterdir():
        if item.name in COPIED:
            shutil.copytree(item, folder / item.name, ignore=shutil.ignore_patterns("__pycache__", "fixtures"))
        elif not item.name.startswith("."):
            (folder / item.name).symlink_to(item)


def test_the_examples_of_contributing(root, tmp_path):
    examples = EXAMPLE.findall((root / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    tests = [path for path, _ in examples if path.startswith("tests/")]
    assert len(tests) == 2
    copy_of(root, tmp_path)
    for path, text in examples:
        assert not (tmp_path / path).exists(), path
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and f"{len(tests)} passed" in done.stdout, done.stdout + done.stderr
