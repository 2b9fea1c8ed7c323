# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files are footage: the one listing of videos and of picture sequences, for the engine and for the add-on."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from .errors import UserError

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

_SPARSEST = 20
"""Fewer than one image in so many numbers is no sequence with gaps."""


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


@dataclass(frozen=True)
class ImageSequence:
    """The images that a source stands for."""

    paths: tuple[Path, ...]
    numbers: tuple[int, ...]
    """By image, which frame of the footage it is, from 0 on: where numbered files are missing, numbers are."""
    left_out: tuple[Path, ...] = ()
    """Images in the same folder that do not belong to the sequence."""


def image_sequence(source: Path) -> ImageSequence | None:
    """What a folder, one image or a pattern (``shot.%04d.png``, ``shot.####.png``) stands for.

    None where the source is none of these: a video, or nothing at all. Raises UserError (``footage-several-sequences``)
    for a folder with more than one sequence.
    """
    if source.is_dir():
        return _in_folder(source)
    if source.is_file():
        return ImageSequence((source,), (0,)) if source.suffix.lower() in PICTURE_SUFFIXES else None
    pattern = _number_pattern(source.name)
    if pattern is None or not source.parent.is_dir():
        return None
    return _by_number(
        {
            int(match[1]): path
            for path in sorted(source.parent.iterdir())
            if (match := pattern.fullmatch(path.name)) and path.is_file()
        }
    )


def _in_folder(folder: Path) -> ImageSequence:
    """The one numbered sequence of a folder, or all images in natural order where none is numbered."""
    images = files_in(folder, PICTURE_SUFFIXES)
    groups: dict[tuple[str, ...], list[Path]] = {}
    for path in images:
        groups.setdefault(tuple(re.split(r"\d+", path.name.lower())), []).append(path)
    sequences = [part for group in groups.values() if len(group) > 1 for part in _sequences(group)]
    if len(sequences) > 1:
        raise UserError(
            "footage-several-sequences",
            "There is more than one image sequence in {folder}: {names}.",
            "Choose one by its first image with #### in the place of its number, or give each a folder of its own.",
            folder=folder,
            names=", ".join(_name_of(sequence) for sequence in sequences),
        )
    if not sequences or 2 * len(sequences[0]) <= len(images):
        return ImageSequence(tuple(images), tuple(range(len(images))))
    left_out = tuple(path for path in images if path not in sequences[0].values())
    return replace(_by_number(sequences[0]), left_out=left_out)


def _sequences(group: list[Path]) -> list[dict[int, Path]]:
    """Files whose names differ in numbers alone, as the sequences that they are, by number.

    The last number that differs counts the images; those before it tell sequences apart where it repeats.
    """
    numbers = [[int(part) for part in re.findall(r"\d+", path.name)] for path in group]
    differing = [place for place, column in enumerate(zip(*numbers, strict=True)) if len(set(column)) > 1]
    if not differing:  # 1.png and 01.png
        return [dict(enumerate(group))]
    last = differing[-1]
    found: dict[tuple[int, ...], dict[int, Path]] = {}
    repeats = len({row[last] for row in numbers}) < len(group)
    for path, row in zip(group, numbers, strict=True):
        shot = tuple(row[:last]) if repeats else ()
        found.setdefault(shot, {})[row[last]] = path
    return list(found.values())


def _by_number(numbered: Mapping[int, Path]) -> ImageSequence:
    """Numbered images at their places; numbers that are far apart, as times of day are, are only an order."""
    numbers = sorted(numbered)
    if numbers and numbers[-1] - numbers[0] >= _SPARSEST * len(numbers):
        places = tuple(range(len(numbers)))
    else:
        places = tuple(number - numbers[0] for number in numbers)
    return ImageSequence(tuple(numbered[number] for number in numbers), places)


def _name_of(sequence: Mapping[int, Path]) -> str:
    first, last = sequence[min(sequence)].name, sequence[max(sequence)].name
    return f"{first} to {last}" if len(sequence) > 1 else first


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
