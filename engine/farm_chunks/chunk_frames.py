# SPDX-License-Identifier: GPL-3.0-or-later
"""One frame as a chunk file has it: what the network said, and of its picture what later stages look at.

Nothing is rounded, so that the take made of it is the same to the last bit. Where only the fused scene points need the
point map, the pixels are kept that the fusion can take of this frame; where the camera is tracked, or the take is to
have point maps, all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..contract.errors import UserError
from ..contract.framing import Record
from ..contract.json_checks import BadJson, build
from ..contract.settings import CaptureSettings
from ..resuming.state_reader import ANY, StateReader
from ..stages.network_frame import NetworkFrame
from ..stages.point_fusion import pixels_of_frame
from ..video.picture import PictureMap
from ..video.reading import PreparedFrame

KIND = "chunk_frame"

_PEOPLE: dict[str, tuple[int, ...]] = {
    "score": (), "head_px": (2,), "rotations": (53, 3, 3), "betas": (10,), "expression": (10,), "head_point": (3,),
}  # fmt: skip
"""What there is of each person besides the token, and its shape."""


@dataclass(frozen=True, kw_only=True)
class ChunkFrame(PreparedFrame):
    """A frame of the footage that the network has seen already. What the chunk file does not keep is 0."""

    network: NetworkFrame


@dataclass(frozen=True)
class _Values:
    """What a record has beside arrays."""

    source_frame: int
    time_s: float


class CheckedArrays(StateReader):
    """Takes arrays out of a record. All methods raise UserError (``chunk-unreadable``)."""

    def __init__(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        super().__init__(name, arrays)
        self._name = name

    def require(self, holds: bool, what: str) -> None:
        if not holds:
            raise unreadable(self._name, what)


def unreadable(name: str, what: object) -> UserError:
    """The error of a file that is no chunk, or a damaged one."""
    return UserError(
        "chunk-unreadable",
        "{name} cannot be read as a chunk of a capture: {what}.",
        "Run this chunk again with engine farm-chunk.",
        name=name,
        what=what,
    )


class FrameRecords:
    """Frames to records and back, for captures under the same settings."""

    def __init__(self, settings: CaptureSettings, picture_map: PictureMap, token_width: int) -> None:
        self._settings, self._map, self._token_width = settings, picture_map, token_width
        is_known = settings.fixed_camera or bool(settings.camera_file)
        self._is_tracked = settings.camera == "tracked" and not is_known
        self._is_whole = self._is_tracked or settings.point_maps

    def record(self, frame: ChunkFrame, place: int) -> Record:
        """`place` is the frame's in the row of the whole capture."""
        network = frame.network
        arrays = {name: getattr(network, name) for name in ("token", *_PEOPLE)}
        arrays["focal"] = np.array(network.focal)
        arrays["mask_bits"] = np.packbits(network.people_mask)
        if network.motion is not None:
            arrays["motion"] = network.motion
        if network.replayed is not None:
            arrays["replayed"] = network.replayed
        if self._is_whole:
            arrays |= {"points": network.points, "confidence": network.confidence, "color": frame.rgb}
        elif self._settings.voxel_size:
            pixel = np.flatnonzero(self._may_be_fused(network, place)).astype(np.int32)
            arrays |= {"pixel": pixel, "points": network.points.reshape(-1, 3)[pixel]}
            arrays |= {"confidence": network.confidence.ravel()[pixel], "color": frame.rgb.reshape(-1, 3)[pixel]}
        if self._is_tracked:
            arrays["grey"] = frame.grey
        return Record(KIND, {"source_frame": frame.source_frame, "time_s": frame.time_s}, arrays)

    def frame(self, record: Record, name: str) -> ChunkFrame:
        """The frame of a record in the file called `name`. Raises UserError (``chunk-unreadable``)."""
        try:
            values = build(_Values, record.values)
        except BadJson as error:
            raise unreadable(name, error) from error
        read = CheckedArrays(name, record.arrays)
        read.require(0 <= values.source_frame < 1 << 53 and values.time_s >= 0, "a frame has an impossible number")
        width, height = self._map.network_size
        people = {item: read.array(item, np.float32, "people", *shape, most=ANY) for item, shape in _PEOPLE.items()}
        points, confidence, rgb = self._picture(read)
        network = NetworkFrame(
            replayed=self._tokens(read, "replayed", "replayed people") if "replayed" in read else None,
            motion=read.pose("motion") if "motion" in read else None,
            focal=float(read.array("focal", np.float64, most=None)),
            token=self._tokens(read, "token", "people"),
            **people,
            people_mask=self._mask(read, width, height),
            points=points,
            confidence=confidence,
        )
        grey = np.zeros((0, 0), np.uint8)
        if self._is_tracked:
            wide, high = self._map.tracking_size
            grey = read.array("grey", np.uint8, high, wide)
        return ChunkFrame(values.source_frame, values.time_s, rgb, grey, network=network)

    def _may_be_fused(self, network: NetworkFrame, place: int) -> np.ndarray:
        """(H, W) bool: whatever the focal length comes to, and whoever is in the way."""
        every = pixels_of_frame(place)
        near = (network.points[..., 2] > 0) & (network.confidence >= self._settings.point_confidence)
        kept = np.zeros(near.shape, bool)
        kept[every] = near[every]
        return kept

    def _tokens(self, read: CheckedArrays, name: str, many: str) -> np.ndarray:
        return read.array(name, np.float32, many, self._token_width, most=ANY)

    def _mask(self, read: CheckedArrays, width: int, height: int) -> np.ndarray:
        bits = read.array("mask_bits", np.uint8, (width * height + 7) // 8)
        return np.unpackbits(bits, count=width * height).reshape(height, width).astype(bool)

    def _picture(self, read: CheckedArrays) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Points, confidence and colors of all pixels; 0 for those that are not kept."""
        width, height = self._map.network_size
        size: tuple[int | str, ...] = (height, width) if self._is_whole else ("pixels",)
        points = np.zeros((height, width, 3), np.float32)
        confidence, rgb = np.zeros((height, width), np.float32), np.zeros((height, width, 3), np.uint8)
        if not (self._is_whole or self._settings.voxel_size):
            return points, confidence, rgb
        kept = (
            read.array("points", np.float32, *size, 3, most=ANY),
            read.array("confidence", np.float32, *size, most=ANY),
            read.array("color", np.uint8, *size, 3),
        )
        if self._is_whole:
            return kept
        pixel = read.array("pixel", np.int32, "pixels")
        is_inside = not len(pixel) or (pixel[0] >= 0 and pixel[-1] < width * height)
        read.require(bool(is_inside and (pixel[1:] > pixel[:-1]).all()), "its pixels are not in the frame, in order")
        row, column = np.divmod(pixel, width)
        points[row, column], confidence[row, column], rgb[row, column] = kept
        return points, confidence, rgb
