# SPDX-License-Identifier: GPL-3.0-or-later
"""What a farm's task leaves beside a take."""

from __future__ import annotations

from pathlib import Path


def note_path(take: Path) -> Path:
    """What the task says of itself, for the report: ``NAME.task.json`` beside ``NAME.h3r``."""
    return take.with_suffix(".task.json")


def picture_path(take: Path) -> Path:
    """One frame of the footage with the people found in it, for the contact sheet."""
    return take.with_suffix(".task.jpg")
