# SPDX-License-Identifier: GPL-3.0-or-later
"""A report on this installation, as text to send to somebody; what names a person or their folders is taken out."""

from __future__ import annotations

import argparse
import platform

import bpy

from ...engine.installed import inventory, locations
from ..blender.child_process import EXTENSION_ROOT
from ..blender.progress import format_bytes
from ..blender.redaction import redact
from ..capture import session as sessions
from ..capture.session import Session
from ..setup import choices, engine_check, overview, probe, tasks
from ..setup.background_task import Task

LOG_LINES = 50
HASHES = ("source_sha256", "sha256")
"""What a manifest says of the publisher's file and of the converted one."""


def report() -> str:
    """Everything that helps to understand a failure. Starts the engine's Python once: takes seconds."""
    sections = {
        "Versions": _versions(),
        "Graphics": _graphics(),
        "Engine": _engine(),
        "Installed": _installed(),
        "Overview": _overview(),
        "Settings": _settings(),
        "Last error": _errors(),
        "Log": _log(),
    }
    parts = [f"{title}\n" + "\n".join(f"  {line}" for line in lines) for title, lines in sections.items()]
    return redact("Human3R for Blender, diagnostics\n\n" + "\n\n".join(parts) + "\n")


def _versions() -> list[str]:
    return [
        f"add-on {_addon_version()}",
        f"Blender {bpy.app.version_string}, "
        f"{bpy.app.build_hash.decode(errors='replace')}, {bpy.app.build_platform.decode(errors='replace')}",
        f"Blender's Python {platform.python_version()}",
        f"system {platform.platform()}, {platform.machine()}",
    ]


def _addon_version() -> str:
    """From the manifest, which is what Blender shows."""
    import tomllib

    manifest = EXTENSION_ROOT / "blender_manifest.toml"
    try:
        return str(tomllib.loads(manifest.read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return "unknown version"


def _graphics() -> list[str]:
    """As Blender sees it; the engine's device is in its own section."""
    if bpy.app.background:
        return ["Blender is running without a window."]
    import gpu

    return [
        f"{gpu.platform.vendor_get()}, {gpu.platform.renderer_get()}, {gpu.platform.version_get()}, "
        f"{gpu.platform.backend_type_get()}"
    ]


def _engine() -> list[str]:
    python = probe.engine_python()
    if python is None:
        return ["no Python to run it"]
    engine_check.start(python).join(engine_check.TIMEOUT_S)
    facts = probe.facts().engine
    return [
        f"{python} ({facts.origin})",
        *(text for _, text in engine_check.findings()),
        f"self-test: {facts.self_test}. {facts.self_test_detail}",
    ]


def _installed() -> list[str]:
    lines = [f"data folder {locations.data_folder()}"]
    for status in inventory.statuses():
        state = f"installed, {format_bytes(status.bytes)} {status.precision}" if status.installed else "not installed"
        if status.unfinished_bytes:
            state += f", {format_bytes(status.unfinished_bytes)} of an unfinished download"
        manifest = inventory.read_manifest(status.path) if status.item.kind == "weights" else {}
        hashes = [f"{key} {manifest[key]}" for key in HASHES if status.installed and key in manifest]
        lines += [f"{status.item.name}: {state}", *(f"  {line}" for line in hashes)]
    return lines


def _overview() -> list[str]:
    view = overview.overview(probe.facts())
    return [*(f"{row.mark}: {row.what}: {row.detail}" for row in view.rows), f"next: {view.step.sentence}"]


def _settings() -> list[str]:
    lines = [f"online access {bpy.app.online_access}"]
    scene = bpy.context.scene
    for group in bpy.types.Scene.bl_rna.properties if scene is not None else ():
        if group.identifier.startswith("human3r") and group.type == "POINTER":
            lines += _values(getattr(scene, group.identifier), group.identifier)
    chosen = choices.chosen().body_file
    return [*lines, f"body file {'chosen' if chosen else 'not chosen'}"]


def _values(group: bpy.types.PropertyGroup, title: str) -> list[str]:
    """All that a group of properties holds, but for texts, objects and lists made on the fly: paths and names in them
    are the person's own business.
    """
    lines = []
    for item in group.bl_rna.properties:
        if item.type in ("BOOLEAN", "INT", "FLOAT") or (item.type == "ENUM" and item.enum_items_static):
            value = getattr(group, item.identifier)
            text = (
                f"{value:.6g}"
                if item.type == "FLOAT"
                else ", ".join(sorted(value))
                if isinstance(value, set)
                else value
            )
            lines.append(f"{title}.{item.identifier} {text}")
    return lines


def _errors() -> list[str]:
    lines = [
        f"{title}: [{work.error.code}] {work.error.message} {work.error.remedy}"
        for title, work in _last_works()
        if work.error is not None
    ]
    return lines or ["none"]


def _log() -> list[str]:
    """The last lines of the engine's last run and of the last task."""
    lines = [f"{title}: {line}" for title, work in _last_works() for line in list(work.log)[-LOG_LINES:]]
    return lines or ["empty"]


def _last_works() -> list[tuple[str, Session | Task]]:
    """The last capture and the last task, with their names."""
    run, task = sessions.current(), tasks.current()
    works: list[tuple[str, Session | Task]] = [("capture", run)] if run is not None else []
    return works + ([(task.title, task)] if task is not None else [])


def run(options: argparse.Namespace, interrupted: object) -> list[object]:
    """The command ``human3r diagnostics``: the report on standard output."""
    print(report(), flush=True)
    return []
