# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages that cross between the engine and the add-on, each with its conventions.

Conventions for every array here: OpenCV camera axes (x right, y down, z forward), metres, radians, seconds,
quaternions w first, poses as ``world_from_camera``; pixel coordinates are those of the FOOTAGE (after its rotation
metadata was applied) with the centre of the top-left pixel at (0, 0). The world is the camera frame of the first frame.

A message is a frozen dataclass with a ``kind``. Array fields are declared with :func:`array`, which fixes dtype and
shape; a shape entry that is a string is a free dimension which must agree within one message. `message_records` turns
messages into :class:`~.framing.Record` and back and checks all of that on both ways.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np

from .errors import UserError
from .sentences import Sentence
from .settings import CaptureSettings

PROTOCOL_VERSION = 3
"""Raised whenever a reader of the old version would misread the new one. 2 added what a final pass finds about people,
3 what is known about the camera, and the backdrop."""

READABLE = (1, 2, PROTOCOL_VERSION)
"""Versions that this one reads."""

FOCAL_SOURCES = {
    "given": "given",
    "tags": "from the file's own tags",
    "people": "from the people's posture",
    "prior": "assumed, as most phones and cameras have",
    "model": "predicted by the model",
    "camera": "from the camera's own motion",
}
"""Where a focal length comes from, in words."""

CAMERA_MOTIONS = {
    "still": "The camera stands still",
    "turning": "The camera turns on the spot",
    "moving": "The camera moves",
}
"""How a camera moves over a clip, in words. A still camera has one pose, a turning one no translation."""

CAMERA_NOTES = {
    "": "",
    "little-parallax": "Near and distant things hardly shift against each other, so the camera's path and the "
    "environment could not be refined: the path found while the footage ran was kept",
    "little-detail": "There is too little detail around the people to follow the camera: the path found while the "
    "footage ran was kept",
    "not-done": "The final pass over the camera could not be made, so the path found while the footage ran was kept",
    "known": "The camera's motion was given, so it was not looked for",
    "lost": "The camera could not be followed through the whole footage: the path found while it ran was kept",
    "no-people": "No feet on a floor were seen, so the scale of the environment is that of the path found while the "
    "footage ran",
}
"""What the final pass has to say about the camera besides how it moves, in words."""


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

    Sent after all frames. It replaces the frame's camera, and the people whose ids it has; the others stay. Of several
    for one frame the last one counts.
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
    refined: bool = False
    """Whether these people are refined (`motion.refined_people`): the records before it tell how they were seen."""


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
class CameraMotion:
    """How the camera moves, told while the footage runs: sent when that changes."""

    kind: ClassVar[str] = "camera_motion"
    frame_index: int
    """:attr:`Frame.index` of the first frame for which it holds."""
    motion: str
    """One of :data:`CAMERA_MOTIONS`. It only ever goes from still over turning to moving."""


@dataclass(frozen=True, kw_only=True)
class CameraSummary:
    """What the final pass found about the camera over the whole clip; its poses are those of the final frames."""

    kind: ClassVar[str] = "camera_summary"
    motion: str
    """One of :data:`CAMERA_MOTIONS`."""
    refined: bool
    """Whether the path is better than the live one; False where that was kept, and :attr:`note` says why."""
    note: str
    """One of :data:`CAMERA_NOTES`."""
    residual_px: float
    """Median distance of tracked corners from where the path says they are, pixels of a picture 640 pixels long; 0
    where nothing was adjusted."""
    ray_angle_deg: float
    """Median over the tracked corners of the largest angle under which one was seen: what parallax there was."""
    floor_known: bool
    """Whether the following two are known."""
    up: np.ndarray = array("float64", 3)
    """Unit vector away from the earth, world frame."""
    floor_height: float = 0.0
    """The floor is the plane of the points p with ``up . p == -floor_height``: so far is the world's origin above."""


@dataclass(frozen=True, kw_only=True)
class Backdrop:
    """The environment of a still or turning camera as one photograph without people, to be shown on the floor and an
    upright card.

    A grid of rays from :attr:`center`; each ends on the floor or on the card, whichever is nearer. The picture's
    corners belong to the grid's corners, row 0 to its top; its pixels are spread evenly over the grid.
    """

    kind: ClassVar[str] = "backdrop"
    center: np.ndarray = array("float64", 3)
    """World frame: where the camera stands."""
    direction: np.ndarray = array("float32", "rows", "columns", 3)
    """Unit vectors, world frame. Two or more rows and columns."""
    picture: np.ndarray = array("uint8", "height", "width", 3)
    """sRGB."""
    up: np.ndarray = array("float64", 3)
    """As in :class:`CameraSummary`."""
    forward: np.ndarray = array("float64", 3)
    """Unit vector, level: the card stands across it."""
    floor_height: float
    """As in :class:`CameraSummary`; where no floor is known, so low that no ray meets it before the card."""
    card_distance: float
    """Level distance of the card from the center, metres."""
    is_round: bool
    """Whether the card is a round wall about the center (turning cameras) instead of a flat one."""


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
    share: float | None = None
    """How much of it is done, 0..1; None where that is not known, or frames tell it."""
    template: str = ""
    """What the text was made of (:class:`~.sentences.Sentence`); empty for one without values."""
    values: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, phase: str, text: str, share: float | None = None) -> Status:
        """With the template and the values of a :class:`Sentence`."""
        if not isinstance(text, Sentence):
            return cls(phase, text, share)
        return cls(phase, str(text), share, text.template, tuple((name, str(at)) for name, at in text.values.items()))

    @property
    def sentence(self) -> str:
        """The text, which whoever shows it can translate."""
        return Sentence(self.template, **dict(self.values)) if self.template else self.text


@dataclass(frozen=True)
class FrameImage:
    """A small image of a frame with what was found in it, for the person who waits, once a second at most. On the wire
    only, never in a take."""

    kind: ClassVar[str] = "frame_image"
    frame_index: int
    """:attr:`Frame.index`."""
    image: np.ndarray = array("uint8", "height", "width", 3)
    """sRGB, upright; people are tinted."""


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
    resume: bool = False
    """Go on with the take of these settings, which was interrupted. What it has is streamed first."""


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
    | CameraMotion
    | CameraSummary
    | Backdrop
    | ScenePoints
    | PointMap
    | TakeEnd
    | Status
    | FrameImage
    | Failure
    | StartCapture
    | CancelCapture
    | Shutdown
)


def pack_mask(mask: np.ndarray) -> np.ndarray:
    """(H, W) bool -> the bytes of :attr:`Frame.mask_bits`."""
    return np.packbits(np.asarray(mask, dtype=bool).ravel())


def unpack_mask(frame: Frame) -> np.ndarray:
    """(H, W) bool mask of all people of a frame, at ``frame.mask_size``."""
    width, height = frame.mask_size
    return np.unpackbits(frame.mask_bits, count=width * height).astype(bool).reshape(height, width)
