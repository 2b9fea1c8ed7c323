# SPDX-License-Identifier: GPL-3.0-or-later
"""A COLMAP model: `cameras`, `images` and `points3D`, as text and as binary.

COLMAP's cameras look along +z with y down, as the take's do. It counts pixels from the image's corner, the take from
the first pixel's center: half a pixel lies between. There is one camera for each lens that the take has, and points
have no tracks, because a take does not hold them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..contract.rotations import matrix_to_quaternion
from .shots import Cloud

_PINHOLE = 1
"""COLMAP's number for a camera with fx, fy, cx, cy."""
_ERROR_UNKNOWN = -1.0
"""What COLMAP says of points whose reprojection error nobody has computed."""


@dataclass(frozen=True)
class View:
    """An image of a model."""

    name: str
    """Of its file, from the folder `images` on."""
    focal_px: float
    principal_point_px: np.ndarray
    """(2,) with integers on the pixels' centers."""
    world_from_camera: np.ndarray
    """(4, 4) rigid."""


@dataclass(frozen=True)
class _Image:
    """An image as COLMAP says it."""

    name: str
    camera: int
    quaternion: np.ndarray
    """(4,) w first, camera from world."""
    translation: np.ndarray
    """(3,) camera from world."""


def write_model(
    folder: Path, views: Sequence[View], cloud: Cloud, footage_size: tuple[int, int], form: str = "binary"
) -> None:
    """Write a model to a folder that is there, as ``binary``, ``text`` or ``both``. Raises OSError."""
    numbers = {lens: number for number, lens in enumerate(dict.fromkeys(map(_lens, views)), 1)}
    images = [_image(view, numbers[_lens(view)]) for view in views]
    if form in ("binary", "both"):
        (folder / "cameras.bin").write_bytes(_cameras_binary(numbers, footage_size))
        (folder / "images.bin").write_bytes(_images_binary(images))
        (folder / "points3D.bin").write_bytes(_points_binary(cloud))
    if form in ("text", "both"):
        _write_text(folder / "cameras.txt", _camera_lines(numbers, footage_size))
        _write_text(folder / "images.txt", _image_lines(images))
        _write_text(folder / "points3D.txt", _point_lines(cloud))


def _lens(view: View) -> tuple[float, float, float]:
    """Focal length and principal point as COLMAP counts pixels."""
    x, y = np.asarray(view.principal_point_px, np.float64) + 0.5
    return float(view.focal_px), float(x), float(y)


def _image(view: View, camera: int) -> _Image:
    turn = view.world_from_camera[:3, :3].T
    return _Image(view.name, camera, matrix_to_quaternion(turn), -turn @ view.world_from_camera[:3, 3])


def _cameras_binary(numbers: dict[tuple[float, float, float], int], size: tuple[int, int]) -> bytes:
    rows = [
        struct.pack("<iiQQ4d", number, _PINHOLE, *size, focal, focal, x, y) for (focal, x, y), number in numbers.items()
    ]
    return struct.pack("<Q", len(rows)) + b"".join(rows)


def _camera_lines(numbers: dict[tuple[float, float, float], int], size: tuple[int, int]) -> list[str]:
    return [
        f"{number} PINHOLE {size[0]} {size[1]} {focal!r} {focal!r} {x!r} {y!r}"
        for (focal, x, y), number in numbers.items()
    ]


def _images_binary(images: Sequence[_Image]) -> bytes:
    rows = [
        struct.pack("<I7dI", number, *image.quaternion, *image.translation, image.camera)
        + image.name.encode()
        + b"\0"
        + struct.pack("<Q", 0)
        for number, image in enumerate(images, 1)
    ]
    return struct.pack("<Q", len(rows)) + b"".join(rows)


def _image_lines(images: Sequence[_Image]) -> list[str]:
    """Two for each image, of which the second, for its points, is empty."""
    lines = []
    for number, image in enumerate(images, 1):
        values = [*image.quaternion.tolist(), *image.translation.tolist()]
        lines += [" ".join([str(number), *map(repr, values), str(image.camera), image.name]), ""]
    return lines


def _points_binary(cloud: Cloud) -> bytes:
    kinds = [("id", "<u8"), ("xyz", "<f8", 3), ("rgb", "u1", 3), ("error", "<f8"), ("track", "<u8")]
    rows = np.zeros(len(cloud), dtype=kinds)
    rows["id"], rows["error"] = np.arange(1, len(cloud) + 1), _ERROR_UNKNOWN
    rows["xyz"], rows["rgb"] = cloud.position, cloud.color
    return struct.pack("<Q", len(rows)) + rows.tobytes()


def _point_lines(cloud: Cloud) -> list[str]:
    places, colors = np.asarray(cloud.position, np.float64).tolist(), cloud.color.tolist()
    return [
        f"{number} {x!r} {y!r} {z!r} {red} {green} {blue} {_ERROR_UNKNOWN}"
        for number, ((x, y, z), (red, green, blue)) in enumerate(zip(places, colors, strict=True), 1)
    ]


def _write_text(path: Path, lines: Sequence[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
