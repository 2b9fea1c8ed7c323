# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera that filmed the footage: keyed pose and lens, and the footage as its background.

What the final pass found takes the place of the live keys at the end. Where the user has changed the camera meanwhile,
its keys stay as they are, and the refined path goes into an Action of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np

from ...engine.contract.errors import UserError
from ...engine.contract.media import has_picture_signature, image_sequence
from ...engine.contract.messages import FinalFrame, Frame
from ...engine.contract.rotations import continuous_quaternions
from ...engine.contract.sentences import Sentence
from ..blender import coordinates, key_seal, keyframes, tags, timing

SENSOR_MM = 36.0
"""Sensor width. Only its quotient with the lens means anything, so any constant serves."""

_POSE = (("location", 3), ("rotation_quaternion", 4))
_LENS = (("lens", 1), ("shift_x", 1), ("shift_y", 1))

NAME = "Footage camera"


def create(take_id: str, root: bpy.types.Object, collection: bpy.types.Collection) -> bpy.types.Object:
    """A camera under the root, with empty F-curves that `CameraKeys` fills."""
    data = bpy.data.cameras.new(NAME)
    # Fitting the width, always: by itself Blender fits the longer side, and lens and shifts would change meaning.
    data.sensor_fit = "HORIZONTAL"
    data.sensor_width = SENSOR_MM
    data.clip_start, data.clip_end = 0.01, 1000.0
    data.display_size = 0.3
    item = bpy.data.objects.new(NAME, data)
    item.rotation_mode = "QUATERNION"
    item.parent = root
    collection.objects.link(item)
    tags.mark(item, take_id, tags.CAMERA)
    keyframes.animate(item, NAME)
    keyframes.animate(data, NAME, "lens", share=item)
    for block, properties in ((item, _POSE), (data, _LENS)):
        for path, size in properties:
            keyframes.add_curves(block, path, size)
    return item


class CameraKeys:
    """The camera's part of a take: what came, frame by frame, and how much of it is written."""

    def __init__(self, take_id: str, footage_size: tuple[int, int]) -> None:
        self._take_id = take_id
        self._footage_size = footage_size
        self.frames: list[float] = []
        """Scene frames, ascending."""
        self.written = 0
        """How many of them have keys."""
        self._poses: list[np.ndarray] = []
        self._focal_px: list[float] = []
        self._principal_points_px: list[np.ndarray] = []
        self._last_rotation: np.ndarray | None = None
        self._row_of: dict[int, int] = {}
        self._is_final = False
        self._seals = key_seal.Seal(), key_seal.Seal()
        """Of the keys of the object and of its data."""
        self.note = ""
        """What the user should know of how the keys ended; empty where there is nothing to say."""

    @property
    def pending(self) -> int:
        """Frames without keys."""
        return len(self.frames) - self.written

    def object(self) -> bpy.types.Object | None:
        """The camera; None before it was made and once the user deleted it."""
        return tags.find(self._take_id, tags.CAMERA, hint=NAME)

    def add(self, frame: Frame, scene_frame: float) -> None:
        """Take in the camera of one picture, shown at `scene_frame`."""
        self._row_of[frame.index] = len(self.frames)
        self.frames.append(scene_frame)
        # Copies, because these may be views into the bytes of the whole message, mask and all.
        self._poses.append(frame.world_from_camera.copy())
        self._focal_px.append(frame.focal_px)
        self._principal_points_px.append(frame.principal_point_px.copy())

    def replace(self, final: FinalFrame) -> None:
        """Take over what the final pass says of the camera of one picture."""
        row = self._row_of.get(final.index)
        if row is not None:
            self._poses[row] = final.world_from_camera.copy()
            self._focal_px[row] = final.focal_px
            self._principal_points_px[row] = final.principal_point_px.copy()
            self._is_final = True

    def write(self) -> None:
        """Append keys for the frames that have none yet."""
        first = self.written
        self.written = len(self.frames)
        if self.object() is None or first == self.written:
            return
        frames = np.array(self.frames[first:])
        kinds = np.full(len(frames), keyframes.LINEAR, dtype=np.uint8)
        for seal, block, columns in zip(self._seals, self._blocks(), self._columns(first), strict=True):
            for name, values, curve in _curves(block, columns):
                seal.add(name, frames, values)
                if curve is not None:
                    keyframes.append(curve, frames, values, kinds)

    def _blocks(self) -> tuple[bpy.types.ID, ...]:
        """What has keys: the object and its data."""
        item = self.object()
        return () if item is None else (item, item.data)

    def _columns(self, first: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """(T, n) values by data path for the frames from `first` on: of the object, and of its data."""
        location, rotation = coordinates.camera_to_root(np.stack(self._poses[first:]))
        rotation = continuous_quaternions(rotation, self._last_rotation if first else None)
        self._last_rotation = rotation[-1]
        lens = lens_and_shifts(
            np.array(self._focal_px[first:]), np.stack(self._principal_points_px[first:]), self._footage_size
        )
        return (
            {"location": location, "rotation_quaternion": rotation},
            {path: column[:, None] for (path, _), column in zip(_LENS, lens, strict=True)},
        )

    def settle(self) -> Iterator[None]:
        """What the final pass found, where there was one; finished F-curves."""
        blocks = self._blocks()
        if self._is_final and self.written and blocks:
            columns = self._columns(0)
            if self._is_edited(blocks):
                self._set_aside(blocks, columns)
            else:
                for block, own in zip(blocks, columns, strict=True):
                    for _, values, curve in _curves(block, own):
                        if curve is not None:
                            keyframes.set_values(curve, values)
            yield
        yield from keyframes.settle(self.object)
        yield from keyframes.settle(self._data)

    def _is_edited(self, blocks: tuple[bpy.types.ID, ...]) -> bool:
        """Whether the user has changed keys, plays something else, or moves the camera in other ways."""
        return bool(blocks[0].constraints) or any(
            seal.is_broken(keyframes.curves(block)) or keyframes.playing_strips(block) or keyframes.has_drivers(block)
            for seal, block in zip(self._seals, blocks, strict=True)
        )

    def _set_aside(self, blocks: tuple[bpy.types.ID, ...], columns: tuple[dict[str, np.ndarray], ...]) -> None:
        frames, (item, data), name = np.array(self.frames), blocks, f"{blocks[0].name} refined"
        action = keyframes.set_aside(item, name, columns[0], frames)
        keyframes.set_aside(data, name, columns[1], frames, "lens", action)
        self.note = Sentence(
            "{name} was changed while the footage ran, and stays as it is. Its refined path is in the Action {action}.",
            name=item.name,
            action=action.name,
        )

    def _data(self) -> bpy.types.Camera | None:
        item = self.object()
        return None if item is None else item.data


def _curves(
    block: bpy.types.ID, columns: dict[str, np.ndarray]
) -> Iterator[tuple[keyframes.CurveName, np.ndarray, bpy.types.FCurve | None]]:
    """Each F-curve's name with its (T,) values out of (T, n) by data path; None for a curve that is gone."""
    curves = keyframes.curves(block)
    for path, values in columns.items():
        for axis, column in enumerate(values.T):
            yield (path, axis), column, curves.get((path, axis))


def lens_and_shifts(
    focal_px: np.ndarray, principal_point_px: np.ndarray, footage_size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(T,) focal lengths and (T, 2) principal points, in pixels whose centers are at integers, to Blender's lens (mm)
    and shifts (in widths of the picture), (T,) each, for a camera that fits the width.
    """
    width, height = footage_size
    # Half a pixel, because Blender counts from the picture's edge and the take from the first pixel's center.
    from_centre_x = principal_point_px[:, 0] + 0.5 - width / 2
    from_centre_y = principal_point_px[:, 1] + 0.5 - height / 2
    return SENSOR_MM * focal_px / width, -from_centre_x / width, from_centre_y / width


def show_footage(
    item: bpy.types.Object, source: str, footage_size: tuple[int, int], first: int = timing.FIRST_FRAME
) -> bool:
    """Show the footage behind the scene in camera view, if `source` is a video or picture that is there.

    The footage's first picture lies on scene frame `first`. Returns whether it is shown: before 4.5 Blender does not
    turn a video upright that is stored lying on its side, and such a one would only mislead.
    """
    path = _file_to_load(Path(source))
    if path is None:
        return False
    try:
        clip = bpy.data.movieclips.load(str(path), check_existing=True)
    except RuntimeError:
        return False
    if tuple(clip.size) == footage_size[::-1] != footage_size:
        return False
    clip.frame_start = first
    background = item.data.background_images.new()
    background.source = "MOVIE_CLIP"
    background.clip = clip
    background.alpha = 1.0
    background.display_depth = "BACK"
    background.frame_method = "STRETCH"  # pixels that are not square are made so
    item.data.show_background_images = True
    return True


def _file_to_load(source: Path) -> Path | None:
    """The video itself, or the first picture of a sequence; None when nothing is there that Blender can be given."""
    try:
        images = image_sequence(source)
    except UserError:
        return None
    if images is None:
        return source if source.is_file() else None
    # All of them, because Blender comes to the others when they are shown.
    return images.paths[0] if images.paths and all(map(has_picture_signature, images.paths)) else None
