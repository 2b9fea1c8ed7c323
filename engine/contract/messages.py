# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages that cross between the engine and the add-on, each with its conventions.

Conventions for every array here: OpenCV camera axes (x right, y down, z forward), metres, radians, seconds,
quaternions w first, poses as ``world_from_camera``; pixel coordinates are those of the FOOTAGE (after its rotation
metadata was applied) with the centre of the top-left pixel at (0, 0). The world is the camera frame of the first frame.

A message is a frozen dataclass with a ``kind``. Array fields are declared with :func:`array`, which fixes dtype and
shape; a shape entry that is a string is a free dimension which must agree within one message. ``encode`` and
``decode`` turn messages into :class:`~.framing.Record` and back and check all of that on both ways.
"""

from __future__ import annotations

import typing
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from typing import Any, ClassVar

import numpy as np

from .errors import UserError
from .framing import CorruptRecord, Record
from .json_checks import BadJson, checked
from .settings import CaptureSettings
from .shapes import has_shape

PROTOCOL_VERSION = 2
"""Raised whenever a reader of the old version would misread the new one. 2 added what a final pass finds."""

READABLE = (1, PROTOCOL_VERSION)
"""Versions that this one reads."""

FOCAL_SOURCES = {
    "given": "given",
    "tags": "from the file's own tags",
    "people": "from the people's posture",
    "prior": "assumed, as most phones and cameras have",
}
"""Where a focal length comes from, in words."""


def array(dtype: str, *shape: int | str) -> Any:
    """Declare an array field of a message: its dtype (little-endian) and its shape, free dimensions by name."""
    return field(metadata={"dtype": np.dtype(dtype).newbyteorder("<"), "shape": shape})


@dataclass(frozen=True)
class TakeHeader:
    """First record of every take and of every streamed capture."""

    kind: ClassVar[str] = "header"
    protocol: int
    """:data:`PROTOCOL_VERSION` of the writer."""
    generator: str
    """Program and version that wrote it."""
    footage_size: tuple[int, int]
    """Width and height of the footage in pixels, upright."""
    frame_rate: float
    """Nominal frames per second of the footage (29.97, ...), before the stride."""
    frame_count: int | None
    """How many frames the capture will process; None where the container does not tell."""
    model: str
    """Which weights: a name and a digest, for people and for resuming."""
    body: str
    """Which body file the parameters belong to: ``mannequin`` or the file's name."""
    settings: CaptureSettings
    """The settings of the capture, the source's path among them."""
    body_fingerprint: str = ""
    """Of that body's shapes (`body_model.BodyModel.fingerprint`); empty in takes of earlier versions."""
    person_names: tuple[tuple[int, str], ...] = ()
    """Track ids with the names that somebody has given them; people without one are numbered."""
    hidden_people: tuple[int, ...] = ()
    """Track ids of people whom somebody has hidden; their motion is in the take nevertheless."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Camera, people and mask of one processed frame. ``people`` is the number of people in it, possibly 0."""

    kind: ClassVar[str] = "frame"
    index: int
    """0, 1, 2, ... in the order of processing."""
    source_frame: int
    """Index of the picture in the footage, counted from 0."""
    time_s: float
    """Presentation time in the footage, seconds from its first picture."""
    focal_px: float
    """Focal length in footage pixels, the same in x and y (square pixels)."""
    world_from_camera: np.ndarray = array("float64", 4, 4)
    """Rigid camera pose."""
    principal_point_px: np.ndarray = array("float64", 2)
    """(x, y) in footage pixels."""
    track_id: np.ndarray = array("int32", "people")
    """Identity of each person, stable over the take, never reused."""
    score: np.ndarray = array("float32", "people")
    """Detection score in 0..1."""
    pose_axis_angle: np.ndarray = array("float32", "people", 55, 3)
    """SMPL-X pose, 55 joints in SMPL-X order; joint 0 is the global orientation in the camera frame."""
    betas: np.ndarray = array("float32", "people", 10)
    """SMPL-X shape, as predicted in this frame."""
    expression: np.ndarray = array("float32", "people", 10)
    """SMPL-X expression coefficients."""
    translation: np.ndarray = array("float32", "people", 3)
    """Standard SMPL-X ``transl`` for exactly these betas and this expression, camera frame."""
    head_point: np.ndarray = array("float32", "people", 3)
    """Head joint (SMPL-X joint 15) in the camera frame: what the network predicts, independent of the body's shape."""
    head_px: np.ndarray = array("float32", "people", 2)
    """Detected head position in footage pixels."""
    mask_size: tuple[int, int]
    """Width and height of the mask; the mask covers :attr:`mask_box_px` of the footage."""
    mask_box_px: tuple[float, float, float, float]
    """Left, top, right, bottom of the masked region in footage pixels (edges: the top-left corner is (-0.5, -0.5))."""
    mask_bits: np.ndarray = array("uint8", "mask_bytes")
    """``numpy.packbits`` of the row-major boolean mask of all people; see :func:`unpack_mask`."""


@dataclass(frozen=True, kw_only=True)
class FinalFrame:
    """What a pass over the whole clip found for one frame, better than what its :class:`Frame` said while it ran.

    Sent after all frames. It replaces the frame's camera, and the people whose ids it has; the others stay.
    """

    kind: ClassVar[str] = "final_frame"
    index: int
    """:attr:`Frame.index`."""
    focal_px: float
    """This and the following as in :class:`Frame`."""
    world_from_camera: np.ndarray = array("float64", 4, 4)
    principal_point_px: np.ndarray = array("float64", 2)
    track_id: np.ndarray = array("int32", "people")
    pose_axis_angle: np.ndarray = array("float32", "people", 55, 3)
    betas: np.ndarray = array("float32", "people", 10)
    expression: np.ndarray = array("float32", "people", 10)
    translation: np.ndarray = array("float32", "people", 3)
    head_point: np.ndarray = array("float32", "people", 3)


@dataclass(frozen=True)
class FocalLength:
    """How well the clip's focal length is known: sent when that changes, and for good by the final pass."""

    kind: ClassVar[str] = "focal_length"
    focal_px: float
    """Footage pixels."""
    relative_sigma: float
    """Standard deviation as a share of the focal length; 0 where it was given."""
    source: str
    """One of :data:`FOCAL_SOURCES`."""


@dataclass(frozen=True)
class ScenePoints:
    """Points of the static place, people left out. They add to those sent before, or replace them all."""

    kind: ClassVar[str] = "points"
    frame_index: int
    """:attr:`Frame.index` after which they were sent."""
    replaces_all: bool
    """True for the final cloud with averaged positions: forget all points sent before."""
    position: np.ndarray = array("float32", "points", 3)
    """World frame."""
    color: np.ndarray = array("uint8", "points", 3)
    """sRGB."""
    confidence: np.ndarray = array("float32", "points")
    """Model confidence, 1 and upwards; the best seen for this point."""


@dataclass(frozen=True)
class PointMap:
    """The whole point map of one frame (optional, ``settings.point_maps``)."""

    kind: ClassVar[str] = "point_map"
    frame_index: int
    point_camera: np.ndarray = array("float32", "height", "width", 3)
    """One point per network pixel, camera frame of that frame."""
    pixel_px: np.ndarray = array("float32", "height", "width", 2)
    """(x, y) in the footage of the centre of each network pixel."""
    color: np.ndarray = array("uint8", "height", "width", 3)
    """sRGB."""
    confidence: np.ndarray = array("float32", "height", "width")
    """Model confidence, 1 and upwards."""


@dataclass(frozen=True)
class TakeEnd:
    """Last record of a take that was closed in order."""

    kind: ClassVar[str] = "end"
    status: str
    """``complete`` or ``cancelled`` or ``failed``."""
    frame_count: int
    """Number of :class:`Frame` records in the take."""
    note: str = ""
    """One sentence for the person when something announced is missing (a damaged end of the footage); or empty."""


@dataclass(frozen=True)
class Status:
    """What the engine is doing, for the person who waits. On the wire only, never in a take."""

    kind: ClassVar[str] = "status"
    phase: str
    """``loading`` (model), ``opening`` (footage), ``running``, ``refining`` (the final pass), ``finishing``."""
    text: str


@dataclass(frozen=True)
class Failure:
    """A :class:`UserError` on the wire. The capture that it belongs to is over."""

    kind: ClassVar[str] = "failure"
    code: str
    message: str
    remedy: str
    message_template: str = ""
    """What the message was made of (:class:`~.sentences.Sentence`); empty for one without values."""
    remedy_template: str = ""
    values: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, error: UserError) -> Failure:
        parts = error.as_dict()
        values = parts.pop("values", {})
        return cls(**parts, values=tuple(values.items()))  # type: ignore[arg-type, attr-defined]

    def as_error(self) -> UserError:
        return UserError.from_dict({**asdict(self), "values": dict(self.values)})


@dataclass(frozen=True)
class StartCapture:
    """Request to the engine: run one capture, stream its records."""

    kind: ClassVar[str] = "start"
    settings: CaptureSettings


@dataclass(frozen=True)
class CancelCapture:
    """Request to the engine: stop the running capture within a second and close its take."""

    kind: ClassVar[str] = "cancel"


@dataclass(frozen=True)
class Shutdown:
    """Request to the engine: end the process (closing its standard input does the same)."""

    kind: ClassVar[str] = "shutdown"


Message = (
    TakeHeader
    | Frame
    | FinalFrame
    | FocalLength
    | ScenePoints
    | PointMap
    | TakeEnd
    | Status
    | Failure
    | StartCapture
    | CancelCapture
    | Shutdown
)
_TYPES: dict[str, type[Message]] = {message_type.kind: message_type for message_type in typing.get_args(Message)}


def with_final(frame: Frame, final: FinalFrame) -> Frame:
    """A frame with what the final pass found for it in place of what was said while it ran."""
    columns: dict[str, Any] = {item.name: getattr(frame, item.name) for item in fields(FinalFrame)}
    columns.update({name: getattr(final, name) for name in ("focal_px", "world_from_camera", "principal_point_px")})
    row_of = {int(track_id): row for row, track_id in enumerate(final.track_id)}
    shared = [(row, row_of[int(track_id)]) for row, track_id in enumerate(frame.track_id) if int(track_id) in row_of]
    if shared:
        here, there = map(list, zip(*shared, strict=True))
        for name in ("pose_axis_angle", "betas", "expression", "translation", "head_point"):
            columns[name] = np.array(columns[name])
            columns[name][here] = getattr(final, name)[there]
    return replace(frame, **columns)


def pack_mask(mask: np.ndarray) -> np.ndarray:
    """(H, W) bool -> the bytes of :attr:`Frame.mask_bits`."""
    return np.packbits(np.asarray(mask, dtype=bool).ravel())


def unpack_mask(frame: Frame) -> np.ndarray:
    """(H, W) bool mask of all people of a frame, at ``frame.mask_size``."""
    width, height = frame.mask_size
    return np.unpackbits(frame.mask_bits, count=width * height).astype(bool).reshape(height, width)


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
    message_type = _TYPES.get(record.kind)
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
    hints = typing.get_type_hints(message_type)
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
