# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages to the records that are framed and stored, and back, everything checked on both ways."""

from __future__ import annotations

import typing
from dataclasses import MISSING, asdict, fields
from typing import Any

import numpy as np

from .errors import UserError
from .framing import CorruptRecord, Record
from .json_checks import BadJson, checked
from .messages import (
    CAMERA_MOTIONS,
    CAMERA_NOTES,
    FOCAL_SOURCES,
    PROTOCOL_VERSION,
    READABLE,
    Backdrop,
    CameraMotion,
    CameraSummary,
    Failure,
    FocalLength,
    Frame,
    FrameImage,
    Message,
    Status,
    TakeHeader,
)
from .settings import CaptureSettings
from .shapes import has_shape

MESSAGE_TYPES: dict[str, type[Message]] = {message_type.kind: message_type for message_type in typing.get_args(Message)}
"""Every kind of message by its name."""

PASSING = (Status, FrameImage, Failure)
"""What is on the wire only: no take has them."""

_HINTS = {kind: typing.get_type_hints(message_type) for kind, message_type in MESSAGE_TYPES.items()}
"""The types of its fields: found out once, not once a frame."""


def encode(message: Message) -> Record:
    """Message -> record. Raises ``ValueError`` for an array of the wrong dtype kind or shape (a programming error)."""
    values: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    for declared in fields(message):
        value = getattr(message, declared.name)
        if "dtype" in declared.metadata:
            arrays[declared.name] = np.ascontiguousarray(value, dtype=declared.metadata["dtype"])
        else:
            values[declared.name] = asdict(value) if isinstance(value, CaptureSettings) else value
    problem = _shape_problem(type(message), arrays)
    if problem:
        raise ValueError(problem)
    return Record(message.kind, values, arrays)


def decode(record: Record) -> Message:
    """Record -> message. Raises :class:`~.framing.CorruptRecord` for an unknown kind, field, dtype or shape."""
    message_type = MESSAGE_TYPES.get(record.kind)
    if message_type is None:
        raise CorruptRecord(f"unknown message kind {record.kind!r}")
    if message_type is TakeHeader and record.values.get("protocol") not in READABLE:
        raise UserError(
            "protocol-mismatch",
            "This was written with protocol {written}, but this version reads protocol {read}.",
            "Make sure that the add-on and the engine have the same version (Preferences > Add-ons > Human3R), or "
            "capture the footage again.",
            written=repr(record.values.get("protocol")),
            read=PROTOCOL_VERSION,
        )
    hints = _HINTS[record.kind]
    arguments: dict[str, Any] = {}
    for declared in fields(message_type):
        source = record.arrays if "dtype" in declared.metadata else record.values
        if declared.name not in source:
            if declared.default is not MISSING:  # a field that earlier versions did not write
                continue
            raise CorruptRecord(f"{record.kind}: field {declared.name!r} is missing")
        value = source[declared.name]
        if "dtype" in declared.metadata:
            if value.dtype != declared.metadata["dtype"]:
                raise CorruptRecord(f"{record.kind}: {declared.name} has dtype {value.dtype}")
        else:
            value = _checked(value, hints[declared.name], f"{record.kind}.{declared.name}")
        arguments[declared.name] = value
    problem = _shape_problem(message_type, record.arrays)
    if problem:
        raise CorruptRecord(problem)
    message = message_type(**arguments)
    problem = _content_problem(message)
    if problem:
        raise CorruptRecord(problem)
    return message


def _checked(value: Any, hint: Any, where: str) -> Any:
    try:
        return checked(value, hint, where)
    except BadJson as error:
        raise CorruptRecord(str(error)) from error


def _content_problem(message: Message) -> str | None:
    """What does not fit together in a message whose fields are sound each for itself."""
    if isinstance(message, Frame):
        width, height = message.mask_size
        if min(width, height) < 0 or len(message.mask_bits) != (width * height + 7) // 8:
            return f"frame: {len(message.mask_bits)} bytes are no mask of {width} x {height}"
    if isinstance(message, FocalLength) and message.source not in FOCAL_SOURCES:
        return f"focal_length: source {message.source!r}"
    if isinstance(message, CameraMotion | CameraSummary) and message.motion not in CAMERA_MOTIONS:
        return f"{message.kind}: motion {message.motion!r}"
    if isinstance(message, CameraSummary) and message.note not in CAMERA_NOTES:
        return f"camera_summary: note {message.note!r}"
    if isinstance(message, Backdrop) and min(message.direction.shape[:2]) < 2:
        return f"backdrop: a grid of {message.direction.shape[:2]}"
    if isinstance(message, TakeHeader) and not (min(message.footage_size) > 0 < message.frame_rate):
        return f"header: footage of {message.footage_size} at {message.frame_rate} frames per second"
    return None


def _shape_problem(message_type: type[Message], arrays: dict[str, np.ndarray]) -> str | None:
    sizes: dict[str, int] = {}
    for declared in fields(message_type):
        if "dtype" not in declared.metadata:
            continue
        shape, actual = declared.metadata["shape"], arrays[declared.name].shape
        if not has_shape(actual, shape, sizes):
            return f"{message_type.kind}: {declared.name} has shape {actual}, expected {shape} with {sizes}"
    return None
