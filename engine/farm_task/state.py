# SPDX-License-Identifier: GPL-3.0-or-later
"""What is there of a take, and whether it is the one that a task is to make. Asked without torch, within an instant.

A take counts as complete by its last record, a `TakeEnd` that says so, and not by its name: it has its own name from
the first frame on, so that an interrupted one goes on in place and can be looked at while it grows.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from ..contract.body_choice import body_file, choose_body
from ..contract.body_model import BodyModel
from ..contract.errors import UserError
from ..contract.file_names import name_alone
from ..contract.messages import TakeEnd, TakeHeader
from ..contract.settings import CaptureSettings
from ..contract.take import TakeReader, last_message, resume_path
from ..fingerprint import fingerprint
from ..installed import inventory, locations

NOTHING, INTERRUPTED, COMPLETE = "nothing", "interrupted", "complete"

_FREE = ("take", "body", "device")
"""Another worker has other places and other devices; of the body its shapes count."""

_BY_NAME = ("source", "camera_file")
"""Files that another worker may have in another folder."""


def state_of(take: Path) -> tuple[str, TakeHeader | None]:
    """What there is of a take, with its header unless it is `NOTHING` that could be gone on with."""
    try:
        with TakeReader(take) as reader:
            header = reader.header
        if resume_path(take).is_file():
            return INTERRUPTED, header
        end = last_message(take)
    except UserError:
        return NOTHING, None
    return (COMPLETE, header) if isinstance(end, TakeEnd) and end.status == "complete" else (NOTHING, None)


def require_same(header: TakeHeader, wanted: CaptureSettings) -> None:
    """Raises UserError (``take-of-others``) unless a take is of the clip, settings, model and body that are wanted."""
    differing = _differing(header, wanted)
    if differing is not None:
        name, before, now = differing
        raise UserError(
            "take-of-others",
            "The take {take} is there already, and was made with {name} = {before}, not {now}.",
            "Give --overwrite to replace it, or let the takes of this job go to another folder.",
            take=wanted.take,
            name=name,
            before=repr(before),
            now=repr(now),
        )


def _differing(header: TakeHeader, wanted: CaptureSettings) -> tuple[str, object, object] | None:
    """The first thing that is not the same: its name, what it was, and what is wanted."""
    before, now = asdict(header.settings), asdict(_filled_in(header, wanted))
    for name, value in before.items():
        pair = (value, now[name])
        if name in _BY_NAME:
            pair = (name_alone(pair[0]), name_alone(pair[1]))
        if name not in _FREE and pair[0] != pair[1]:
            return name, *pair
    body = body_file(choose_body(wanted.body, locations.body_path()))
    shapes = BodyModel.load(body).fingerprint
    if header.body_fingerprint and header.body_fingerprint != shapes:
        return "body", header.body, body.name
    weights = _weights_of(header.settings.model)
    if weights.is_file() and f"({fingerprint(weights)})" not in header.model:
        return "model", header.model, f"{weights.name} ({fingerprint(weights)})"
    return None


def _filled_in(header: TakeHeader, wanted: CaptureSettings) -> CaptureSettings:
    """What is wanted, with what is left to the engine as it comes to on the device that the take was made on."""
    on_cpu = header.settings.device == "cpu"
    model = inventory.default_model(on_cpu) if wanted.model == "default" else wanted.model
    precision = header.settings.precision if wanted.precision == "auto" else wanted.precision
    return replace(wanted, model=model, precision=precision).with_camera_chosen()


def _weights_of(model: str) -> Path:
    """The file of a model that has one of its own: released weights, or a checkpoint."""
    installed = locations.weights_folder() / f"{model}.safetensors"
    return installed if installed.is_file() else Path(model).expanduser()
