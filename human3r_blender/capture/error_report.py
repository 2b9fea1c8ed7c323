# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything about a run's failure that helps to understand it."""

import bpy

from .session import Session


def error_report(run: Session) -> str:
    """A failure as text, for whoever reports it."""
    lines = [f"Blender {bpy.app.version_string} on {bpy.app.build_platform.decode(errors='replace')}"]
    if run.error is not None:
        lines += [f"code: {run.error.code}", f"message: {run.error.message}", f"remedy: {run.error.remedy}"]
    lines += [
        f"progress: {run.progress.phase}, {run.progress.describe()}",
        f"take: {run.take}",
        f"header: {run.header}",
        "engine's log:",
        *run.log,
    ]
    return "\n".join(lines)
