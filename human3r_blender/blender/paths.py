# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths as Blender's file fields hold them."""

from pathlib import Path

import bpy


def absolute(path: str) -> str:
    """A path from a file field, free of Blender's ``//``; empty stays empty."""
    return str(Path(bpy.path.abspath(path)).absolute()) if path else ""
