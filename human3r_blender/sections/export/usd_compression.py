# SPDX-License-Identifier: GPL-3.0-or-later
"""How binary USD files pack their tables: LZ4 blocks, and in them whole numbers as steps of few bytes.

What is written is not made smaller: a block of LZ4 may consist of plain bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

_SHORT = 15
"""Lengths from here on go on in further bytes."""
_LEAST_MATCH = 4
_WIDTHS = ("<i1", "<i2", "<i4")
"""Of steps with the codes 1, 2 and 3; 0 stands for the commonest step."""


def decompress(data: bytes) -> bytes:
    """Unpack: a byte that counts chunks, or 0 for one alone, and the chunks with their sizes."""
    chunks, at = data[0], 1
    if not chunks:
        return _lz4(data[1:])
    parts = []
    for _ in range(chunks):
        (size,) = struct.unpack_from("<i", data, at)
        parts.append(_lz4(data[at + 4 : at + 4 + size]))
        at += 4 + size
    return b"".join(parts)


def compress(data: bytes) -> bytes:
    """Pack, as they are."""
    size = len(data)
    head = bytes([min(size, _SHORT) << 4])
    if size >= _SHORT:
        rest = size - _SHORT
        head += b"\xff" * (rest // 255) + bytes([rest % 255])
    return b"\0" + head + data


def integers(data: bytes, count: int) -> np.ndarray:
    """(count,) int32 of unpacked data: the commonest step, two bits for each step, and the other steps."""
    common = np.frombuffer(data, "<i4", 1)[0]
    coded = np.frombuffer(data, np.uint8, (count + 3) // 4, 4)
    codes = (coded[:, None] >> np.array([0, 2, 4, 6], np.uint8) & 3).ravel()[:count]
    steps, at = np.full(count, common, dtype=np.int64), 4 + len(coded)
    for place, code in enumerate(codes.tolist()):
        if code:
            kind = np.dtype(_WIDTHS[code - 1])
            steps[place] = np.frombuffer(data, kind, 1, at)[0]
            at += kind.itemsize
    return np.cumsum(steps).astype(np.uint32).astype(np.int32)


def compress_integers(values: Sequence[int]) -> bytes:
    """Pack whole numbers of 32 bits, signed or not."""
    numbers = np.array(values, dtype=np.int64).astype(np.uint32).astype(np.int32)
    steps = np.diff(numbers, prepend=np.int32(0)).astype("<i4")
    codes = np.full(-(-len(steps) // 4) * 4, 3, dtype=np.uint8)
    codes[len(steps) :] = 0
    coded = (codes.reshape(-1, 4) << np.array([0, 2, 4, 6], np.uint8)).sum(axis=1).astype(np.uint8)
    return compress(struct.pack("<i", 0) + coded.tobytes() + steps.tobytes())


def _lz4(data: bytes) -> bytes:
    """One LZ4 block: plain bytes and repetitions of what came before, in turn."""
    made, at = bytearray(), 0
    while at < len(data):
        token = data[at]
        length, at = _length(data, at + 1, token >> 4)
        made += data[at : at + length]
        at += length
        if at >= len(data):
            break
        back = data[at] | data[at + 1] << 8
        length, at = _length(data, at + 2, token & 15)
        start = len(made) - back
        for place in range(start, start + length + _LEAST_MATCH):
            made.append(made[place])
    return bytes(made)


def _length(data: bytes, at: int, length: int) -> tuple[int, int]:
    """A length that may go on in further bytes, and where those end."""
    if length == _SHORT:
        while True:
            length, at = length + data[at], at + 1
            if data[at - 1] != 255:
                break
    return length, at
