# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast captures were on this computer, by model, quality, device and final pass: to say how long the next takes."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from ...engine.contract.json_checks import BadJson, is_number, read_json
from ...engine.contract.settings import CaptureSettings
from ...engine.installed import locations
from ..setup import probe, self_test_record
from ..setup.installation.store import write_json

LEAST_FRAMES = 10
"""Fewer say little of the pace."""
MOST_KINDS = 64
"""Of captures that are remembered."""


def kind(model: str, settings: Any) -> str:
    """What captures of one pace have in common: the model, and of a capture's or a scene's settings what costs time."""
    words = (settings.quality, settings.device, settings.precision, settings.refine_camera)
    return " ".join((Path(model).stem, *words, *(["people"] if settings.refine_people else [])))


def kind_of(settings: CaptureSettings) -> str:
    """The kind of one capture."""
    return kind(settings.model, settings)


def frames_per_second(wanted: str) -> float | None:
    """The pace of the last capture of this kind, final pass included; else that of the self-test; None without both."""
    known = _read().get(wanted)
    if known is not None:
        return known
    tested = self_test_record.read(probe.engine_python())
    return tested.frames_per_second or None if tested is not None else None


def remember(seen: str, frames: int, seconds: float) -> None:
    """Keep the pace of a capture that went through. A disk that cannot be written to only means no estimate."""
    if frames < LEAST_FRAMES or seconds <= 0:
        return
    kept = _read()
    kept.pop(seen, None)
    newest = {**dict(list(kept.items())[1 - MOST_KINDS :]), seen: round(frames / seconds, 4)}
    with contextlib.suppress(OSError):
        write_json(_path(), newest)


def _read() -> dict[str, float]:
    try:
        held = read_json(_path())
    except (OSError, BadJson):
        return {}
    named = held if isinstance(held, dict) else {}
    return {name: float(rate) for name, rate in named.items() if is_number(rate) and rate > 0}


def _path() -> Path:
    return locations.data_folder() / "pace.json"
