# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the facts that the preferences show: what is installed here, and what stands in the way of the rest.

Everything is read from small files, so that it can be done while drawing; once a second is enough for that.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import bpy

from ...engine.contract.errors import UserError
from ...engine.installed import inventory, locations, registry
from . import choices, installation, self_test_record, tasks
from .engine_python import PYTHON_VARIABLE, find_python
from .overview import EngineFacts, Facts, ModelFacts

FRESH_S = 1.0
ORIGINAL_AND_INSTALLED = 2.0
"""Weights need room for the publisher's file and, while they are converted, for what is installed from it."""

_found: tuple[float, Facts] | None = None
_plan: installation.InstallPlan | None = None
_planning: threading.Thread | None = None


def facts() -> Facts:
    """What is here now; for a second the answer of the last call."""
    global _found
    now = time.monotonic()
    if _found is None or now - _found[0] > FRESH_S:
        _found = now, _find()
    return _found[1]


def forget() -> None:
    """Something has changed: look again at the next call."""
    global _found
    _found = None


def engine_python() -> Path | None:
    """The Python that would run the engine; None when there is none."""
    try:
        return find_python(choices.chosen().engine_python)
    except UserError:
        return None


def weights() -> list[inventory.Status]:
    """All released weights, installed or not, the largest first."""
    return [inventory.status(item) for item in registry.ITEMS if item.kind == "weights"]


def body() -> inventory.Status:
    """The SMPL-X body, installed or not."""
    return inventory.status(next(item for item in registry.ITEMS if item.kind == "body"))


def recommended_weights() -> str:
    """The variant to propose: the smallest where the processor does the work, else the largest."""
    record = self_test_record.read(engine_python())
    names = [status.item.name for status in weights()]
    return names[-1] if record is not None and record.device == "cpu" else names[0]


def best_installed() -> inventory.Status | None:
    """The weights to use unless the person chose others: the proposed ones, else the largest that are installed."""
    installed = [status for status in weights() if status.installed]
    return next(
        (status for status in installed if status.item.name == recommended_weights()),
        installed[0] if installed else None,
    )


def _find() -> Facts:
    chosen = choices.chosen()
    body_file = bpy.path.abspath(chosen.body_file) if chosen.body_file not in ("", "mannequin") else ""
    if body_file:
        body_state = "chosen" if Path(body_file).is_file() else "absent"
    else:
        body_state = "installed" if body().installed and chosen.body_file != "mannequin" else "mannequin"
    task = tasks.current()
    return Facts(
        engine=_find_engine(chosen),
        model=_find_model(),
        body=body_state,
        body_detail=chosen.body_file,
        is_online=bpy.app.online_access,
        is_online_locked=bpy.app.online_access_override,
        free_bytes=_free_bytes(locations.data_folder()),
        task=task.title if task is not None and task.is_active else "",
    )


def _find_engine(chosen: choices.Choices) -> EngineFacts:
    python = engine_python()
    record = self_test_record.read(python)
    tested = "unknown" if record is None else "passed" if record.passed else "failed"
    tested_detail = record.detail if record is not None else ""
    if chosen.engine_python or os.environ.get(PYTHON_VARIABLE):
        origin = "chosen" if chosen.engine_python else "environment"
        state = "absent" if python is None else "ready"
        named = chosen.engine_python or os.environ[PYTHON_VARIABLE]
        return EngineFacts(state, origin, f"{named}.", 0.0, tested, tested_detail)
    found = installation.status(locations.data_folder())
    detail = f"{found.detail}." if found.detail and not found.detail.endswith(".") else found.detail
    needed = 0.0 if found.state == "ready" and tested != "failed" else _proposed_bytes()
    return EngineFacts(found.state, "own", detail, needed, tested, tested_detail)


def _find_model() -> ModelFacts:
    found = weights()
    damaged = [status for status in found if not status.installed and status.path.exists()]
    name = damaged[0].item.name if damaged else recommended_weights()
    item = next(status.item for status in found if status.item.name == name)
    return ModelFacts(
        tuple(status.item.name for status in found if status.installed),
        tuple(status.item.name for status in damaged),
        name,
        ORIGINAL_AND_INSTALLED * (item.size or item.about_bytes or 0),
    )


def _proposed_bytes() -> float:
    """Disk space that installing the engine takes; 0 until the machine has been asked, which takes a second or two."""
    global _planning
    if _plan is None and _planning is None:
        _planning = threading.Thread(
            target=_make_plan, args=(locations.data_folder(),), name="human3r-plan", daemon=True
        )
        _planning.start()
    return float(_plan.disk_bytes) if _plan is not None else 0.0


def _make_plan(folder: Path) -> None:
    global _plan
    try:
        _plan = installation.plan(folder)
    except UserError:
        return  # the dialog of the installation says it, with its remedy


def _free_bytes(folder: Path) -> float:
    try:
        return float(shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.exists())).free)
    except OSError:
        return float("inf")
