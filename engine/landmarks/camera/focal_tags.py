# SPDX-License-Identifier: GPL-3.0-or-later
"""The focal length that a file's tags tell, in millimetres for a 36 mm wide sensor.

Videos of phones (MP4, QuickTime) carry it as a key of their metadata, pictures in their EXIF data. Nothing here raises:
what cannot be read, or tells nothing believable, is no tag.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from PIL import ExifTags, Image

from ...contract.media import image_sequence
from .focal import LEAST_MM, MOST_MM

_KEY = b"focal_length.35mm_equivalent"
"""End of the key's name: `com.apple.quicktime.camera.` stands before it."""

_HOLDERS = (b"moov", b"trak", b"udta", b"meta")
"""Atoms in which the metadata may lie."""

_MOST_ATOMS = 10_000
_MOST_BYTES = 1 << 20
"""Bounds of what a damaged file can make us read."""

_UTF8, _FLOAT, _SIGNED, _UNSIGNED = 1, (23, 24), (21, 65, 66, 67, 74), (22, 75, 76, 77, 78)
"""Types of values in QuickTime's metadata."""


def focal_mm_of_footage(source: str | os.PathLike[str]) -> float | None:
    """Of a video, or of the first of a sequence of pictures; None without a tag."""
    path = Path(source).expanduser()
    images = image_sequence(path)
    value = (
        _of_picture(images.paths[0])
        if images is not None and images.paths
        else _of_video(path)
        if path.is_file()
        else None
    )
    return value if value is not None and LEAST_MM <= value <= MOST_MM else None


def _of_picture(path: Path) -> float | None:
    try:
        with Image.open(path) as picture:
            details = picture.getexif().get_ifd(ExifTags.IFD.Exif)
            return float(details[ExifTags.Base.FocalLengthIn35mmFilm])
    # Pillow lets every error of its many readers through.
    except Exception:
        return None


def _of_video(path: Path) -> float | None:
    try:
        with path.open("rb") as file:
            return _find(file, 0, path.stat().st_size, [0])
    except (OSError, struct.error, ValueError):
        return None


def _find(file: BinaryIO, start: int, end: int, seen: list[int]) -> float | None:
    """Look through the atoms from `start` to `end`, and into those that may hold the metadata."""
    keys: list[bytes] = []
    for kind, first, last in _atoms(file, start, end, seen):
        if kind == b"keys":
            keys = _names(_read(file, first, last))
        elif kind == b"ilst" and keys:
            value = _value_of(file, first, last, keys, seen)
        elif kind in _HOLDERS:
            # MP4 has four bytes of version and flags in `meta` where QuickTime has none.
            skip = 4 if kind == b"meta" and _read(file, first + 4, first + 8) != b"hdlr" else 0
            value = _find(file, first + skip, last, seen)
        else:
            continue
        if kind != b"keys" and value is not None:
            return value
    return None


def _atoms(file: BinaryIO, start: int, end: int, seen: list[int]) -> Iterator[tuple[bytes, int, int]]:
    """Kind, first byte and end of the content of each atom."""
    while start + 8 <= end and seen[0] < _MOST_ATOMS:
        seen[0] += 1
        size, kind = struct.unpack(">I4s", _read(file, start, start + 8))
        head = 8
        if size == 1:
            size, head = struct.unpack(">Q", _read(file, start + 8, start + 16))[0], 16
        last = end if size == 0 else start + size
        if (size != 0 and size < head) or last > end:
            return
        yield kind, start + head, last
        start = last


def _names(content: bytes) -> list[bytes]:
    """Names of the keys, in order."""
    names, place = [], 8
    while place + 8 <= len(content):
        size = int.from_bytes(content[place : place + 4], "big")
        if size < 8:
            break
        names.append(content[place + 8 : place + size])
        place += size
    return names


def _value_of(file: BinaryIO, start: int, end: int, keys: list[bytes], seen: list[int]) -> float | None:
    """The number under our key: an item is named by its key's place, from 1, and holds one atom `data`."""
    for kind, first, last in _atoms(file, start, end, seen):
        place = int.from_bytes(kind, "big")
        if 1 <= place <= len(keys) and keys[place - 1].endswith(_KEY):
            for inner, data, data_end in _atoms(file, first, last, seen):
                if inner == b"data":
                    return _number(_read(file, data, data_end))
    return None


def _number(content: bytes) -> float | None:
    kind, value = int.from_bytes(content[:4], "big"), content[8:]
    if kind == _UTF8:
        return float(value.decode("utf-8", "replace").split()[0]) if value.strip() else None
    if kind in _FLOAT and len(value) in (4, 8):
        return float(struct.unpack(">f" if len(value) == 4 else ">d", value)[0])
    if kind in _SIGNED or kind in _UNSIGNED:
        return float(int.from_bytes(value, "big", signed=kind in _SIGNED))
    return None


def _read(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(min(end - start, _MOST_BYTES))
