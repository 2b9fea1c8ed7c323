# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files are footage: the one listing of videos and of picture sequences, for the engine and for the add-on."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

VIDEO_SUFFIXES = frozenset(
    (".mp4", ".mov", ".m4v", ".mkv", ".avi", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".wmv", ".ogv")
)
"""What counts as a video in a folder."""

PICTURE_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".jp2", ".hdr", ".exr", ".ppm", ".pgm", ".avif")
)
"""What counts as a picture in a folder."""

_SYSTEM_FILES = frozenset(("thumbs.db", "ehthumbs.db", "desktop.ini"))

_PICTURE_SIGNATURE = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|II[*+]\0|MM\0[*+]|BM|RIFF....WEBP|\0\0\0\x0cjP  |\xff\x4f\xff\x51|#\?"
    rb"|\x76\x2f\x31\x01|P[1-7]\s|....ftyp(?:avif|avis|mif1|msf1)",
    re.DOTALL,
)
"""PNG, JPEG, TIFF, BMP, WebP, JPEG 2000 (file and bare stream), Radiance HDR, OpenEXR, PPM and PGM, AVIF."""

_SIGNATURE_BYTES = 16


def is_hidden(path: Path) -> bool:
    """Whether an operating system keeps this file for itself: macOS puts a ``._shot.jpg`` beside every ``shot.jpg``."""
    return path.name.startswith(".") or path.name.lower() in _SYSTEM_FILES


def files_in(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """The files of a folder with one of these suffixes, hidden ones left out, in natural order."""
    return sorted(
        (
            path
            for path in folder.iterdir()
            if path.suffix.lower() in suffixes and not is_hidden(path) and path.is_file()
        ),
        key=natural_order,
    )


def picture_sequence(source: Path) -> list[Path] | None:
    """The pictures in order that a folder, one picture or a pattern (``shot.%04d.png``, ``shot.####.png``) stands for.

    None where the source is none of these: a video, or nothing at all.
    """
    if source.is_dir():
        return files_in(source, PICTURE_SUFFIXES)
    if source.is_file():
        return [source] if source.suffix.lower() in PICTURE_SUFFIXES else None
    pattern = _number_pattern(source.name)
    if pattern is None or not source.parent.is_dir():
        return None
    numbered = {
        int(match[1]): path
        for path in sorted(source.parent.iterdir())
        if (match := pattern.fullmatch(path.name)) and path.is_file()
    }
    return [numbered[number] for number in sorted(numbered)]


def has_picture_signature(path: Path) -> bool:
    """Whether a file begins as pictures do. Blender ends at once when it is given other data as a JPEG."""
    try:
        with path.open("rb") as file:
            return _PICTURE_SIGNATURE.match(file.read(_SIGNATURE_BYTES)) is not None
    except OSError:
        return False


def natural_order(path: Path) -> list[tuple[int, int, str]]:
    """Sort key in which numbers in names count as numbers: shot9 comes before shot10."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts]


def _number_pattern(name: str) -> re.Pattern[str] | None:
    """``%04d``, ``%d`` or ``####`` in a file's name as a regular expression; None when there is none of them."""
    found = re.search(r"%(?:0(\d+))?d|(#+)", name)
    if found is None:
        return None
    digits = int(found[1] or 1) if found[2] is None else len(found[2])
    return re.compile(f"{re.escape(name[: found.start()])}(\\d{{{digits},}}){re.escape(name[found.end() :])}")
