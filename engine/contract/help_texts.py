# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a command's ``--help``: examples to copy, and what its exit code says."""

from __future__ import annotations

import argparse
import textwrap

from .exit_codes import EXPLANATION

WIDTH = 78


def add_examples(parser: argparse.ArgumentParser, *examples: str, note: str = "") -> None:
    """Show examples, one a line and as they are, and below them the exit codes and a note."""
    lines = "\n".join(f"  {example}" for example in examples)
    words = textwrap.fill(f"{EXPLANATION} {note}".strip(), WIDTH)
    parser.epilog = f"examples:\n{lines}\n\n{words}"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
