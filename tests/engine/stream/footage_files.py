# SPDX-License-Identifier: GPL-3.0-or-later
"""Real footage, written by OpenCV: videos whose every picture tells its number, and the mp4 boxes to change by hand."""

import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

Draw = Callable[[int, tuple[int, int]], np.ndarray]


NUMBERS = 25
"""Pictures that can be told apart before the numbers repeat."""


def numbered_picture(number: int, size: tuple[int, int] = (96, 64)) -> np.ndarray:
    """A picture (h, w, 3) BGR: its brightness tells its number (of 25), a red block its top left corner."""
    width, height = size
    picture = np.full((height, width, 3), 40 + 8 * (number % NUMBERS), np.uint8)
    picture[: height // 4, : width // 4] = (0, 0, 255)
    return picture


def picture_number(rgb: np.ndarray) -> int:
    """The number that `numbered_picture` wrote, from the picture's middle."""
    height, width = rgb.shape[:2]
    middle = rgb[height // 2 - 4 : height // 2 + 4, width // 2 - 4 : width // 2 + 4]
    return round((float(middle.mean()) - 40) / 8)


def busy_picture(number: int, size: tuple[int, int] = (160, 120)) -> np.ndarray:
    """A picture with detail in it, for the model to see: a fixed texture and a block that walks."""
    width, height = size
    wall = np.random.default_rng(7).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    picture = cv2.resize(wall, size, interpolation=cv2.INTER_CUBIC)
    left = 3 * number % width
    picture[height // 3 :, left : left + width // 8] = (30, 60, 200)
    return picture


def write_video(
    path: Path,
    frames: int,
    rate: float = 25.0,
    codec: str = "mp4v",
    size: tuple[int, int] = (96, 64),
    draw: Draw = numbered_picture,
) -> Path:
    """A video of numbered (or, with `draw=busy_picture`, busy) pictures."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), rate, size)
    assert writer.isOpened()
    for number in range(frames):
        writer.write(draw(number, size))
    writer.release()
    return path


def _children(data: bytes, start: int, end: int):
    while start < end:
        size, kind = struct.unpack(">I4s", data[start : start + 8])
        yield kind.decode("latin-1"), start, start + size
        start += size


def _find(data: bytes, path: str) -> list[tuple[int, int]]:
    """Begin and end of the boxes on the way to `moov/trak/...`."""
    spans, start, end = [], 0, len(data)
    for wanted in path.split("/"):
        start, end = next((begin, stop) for kind, begin, stop in _children(data, start, end) if kind == wanted)
        spans.append((start, end))
        start += 8
    return spans


def rotate_mp4(path: Path) -> None:
    """Write "show this a quarter turn clockwise" into the video track's header, as phones do."""
    data = bytearray(path.read_bytes())
    start = _find(data, "moov/trak/tkhd")[-1][0]
    height = struct.unpack(">I", data[start + 88 : start + 92])[0] >> 16
    one = 1 << 16
    data[start + 48 : start + 84] = struct.pack(">9i", 0, one, 0, -one, 0, 0, height * one, 0, 1 << 30)
    path.write_bytes(data)


def set_mp4_durations(path: Path, seconds: list[float]) -> list[float]:
    """Give every picture its own duration (the stts box); returns their true times, as far as the time scale goes."""
    data = path.read_bytes().replace(b"edts", b"free", 1)  # the edit list knows the old duration
    header = _find(data, "moov/trak/mdia/mdhd")[-1][0]
    scale = struct.unpack(">I", data[header + 20 : header + 24])[0]
    ticks = [round(duration * scale) for duration in seconds]
    spans = _find(data, "moov/trak/mdia/minf/stbl/stts")
    start, end = spans[-1]
    body = struct.pack(">II", 0, len(ticks)) + b"".join(struct.pack(">II", 1, tick) for tick in ticks)
    data = data[:start] + struct.pack(">I4s", 8 + len(body), b"stts") + body + data[end:]
    grown = bytearray(data)
    for begin, stop in spans[:-1]:
        grown[begin : begin + 4] = struct.pack(">I", stop - begin + 8 + len(body) - (end - start))
    path.write_bytes(grown)
    return [sum(ticks[:number]) / scale for number in range(len(ticks))]
