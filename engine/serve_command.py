# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine serve`: what Blender starts. What it does is in :mod:`.serve`, which loads torch."""

from __future__ import annotations

import argparse
import sys
from typing import BinaryIO


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has no options: every request has its settings."""


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Serve on standard input and `stdout`; returns the exit code."""
    from .serve import serve

    return serve(sys.stdin.buffer, stdout)
