# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage that lies elsewhere now: a take's root and the picture behind its camera get it from there."""

from __future__ import annotations

import os
import re
from pathlib import Path

import bpy

from ...engine.contract.errors import UserError
from ...engine.contract.media import PICTURE_SUFFIXES, image_sequence
from ...engine.contract.messages import TakeHeader
from ...engine.contract.take import TakeReader
from ..blender import tags, timing
from . import camera, take_places

_ALIKE = 0.02
"""By so much the shape of a frame may differ: copies in other sizes are rounded to whole pixels."""
_KEPT = ("alpha", "display_depth", "frame_method", "show_background_image")


def footage_of(path: Path) -> Path:
    """The footage that somebody means who chooses a video, a folder, or one image of a sequence."""
    if path.suffix.lower() not in PICTURE_SUFFIXES or not path.is_file():
        return path
    try:
        sequence = image_sequence(path.parent)
    except UserError:
        sequence = None  # there are several: the one of this image's name is meant
    if sequence is not None and path in sequence.paths:
        return path.parent
    return path.with_name(re.sub(r"\d+(?=\D*$)", lambda number: "#" * len(number[0]), path.stem) + path.suffix)


def relink(root: bpy.types.Object, path: Path) -> None:
    """Let a take have its footage from `path`.

    Raises UserError (``footage-unreadable``, ``other-footage``) and then leaves all as it was.
    """
    header, item = _header(root), _camera(root)
    old = [] if item is None else [image for image in item.data.background_images if image.source == "MOVIE_CLIP"]
    before = {image.as_pointer() for image in old}
    size = _checked_size(path, header)
    if item is not None:
        if not camera.show_footage(item, str(path), header.footage_size if header else size, _first(root, old)):
            raise UserError("footage-unreadable", "{path} cannot be shown.", "Choose a video or an image.", path=path)
        shown = next(image for image in item.data.background_images if image.as_pointer() not in before)
        for name in _KEPT if old else ():
            setattr(shown, name, getattr(old[0], name))
        for image in [image for image in item.data.background_images if image.as_pointer() in before]:
            item.data.background_images.remove(image)
    take_places.note(root, tags.SOURCE, path)


def _checked_size(path: Path, header: TakeHeader | None) -> tuple[int, int]:
    """Width and height of the footage. Raises UserError where it is not that of the take."""
    size = _size(path)
    wanted = header.footage_size if header is not None else size
    if abs(size[0] * wanted[1] - size[1] * wanted[0]) > _ALIKE * wanted[0] * size[1]:
        raise UserError(
            "other-footage",
            "{name} is {size} pixels large, and the footage of the take {wanted}.",
            "Choose the footage that the take was made from.",
            name=path.name,
            size=f"{size[0]} x {size[1]}",
            wanted=f"{wanted[0]} x {wanted[1]}",
        )
    return size


def _size(path: Path) -> tuple[int, int]:
    """Of the footage as Blender shows it. Raises UserError (``footage-unreadable``)."""
    known = set(bpy.data.movieclips)
    source = camera.file_to_load(path)
    try:
        clip = bpy.data.movieclips.load(str(source), check_existing=True) if source is not None else None
    except RuntimeError:
        clip = None
    if clip is None or not all(clip.size) or not clip.frame_duration:
        _forget(clip, known)
        raise UserError(
            "footage-unreadable",
            "{path} is no footage that Blender can show.",
            "Choose a video, or an image of a sequence.",
            path=path,
        )
    size = clip.size[0], clip.size[1]
    _forget(clip, known)
    return size


def _forget(clip: bpy.types.MovieClip | None, known: set[bpy.types.MovieClip]) -> None:
    if clip is not None and clip not in known:
        bpy.data.movieclips.remove(clip)


def _header(root: bpy.types.Object) -> TakeHeader | None:
    """What the take says of its footage, where the take is there."""
    take = take_places.take_file(root, os.path.exists)
    try:
        if take is None:
            return None
        with TakeReader(take) as reader:
            return reader.header
    except UserError:
        return None


def _camera(root: bpy.types.Object) -> bpy.types.Object | None:
    """The camera of a root's take, in the root's own scene."""
    beside = (item for scene in root.users_scene for item in scene.objects)
    return next((item for item in beside if _is_camera_of(item, root)), None)


def _is_camera_of(item: bpy.types.Object, root: bpy.types.Object) -> bool:
    return item.type == "CAMERA" and item.get(tags.ROLE) == tags.CAMERA and item.get(tags.TAKE) == root[tags.TAKE]


def _first(root: bpy.types.Object, old: list[bpy.types.CameraBackgroundImage]) -> int:
    """Scene frame of the footage's first picture."""
    if old and old[0].clip is not None:
        return int(old[0].clip.frame_start)
    pictures = tags.numbers(root, tags.PICTURES).ravel()
    return int(pictures[0]) if len(pictures) else timing.FIRST_FRAME
