# SPDX-License-Identifier: GPL-3.0-or-later
"""Records on a byte stream: the one format of the pipe between the two programs and of the take on disk.

A record is self-describing and checked::

    4 bytes  b"H3R1"
    4 bytes  length of the header, unsigned little-endian
    8 bytes  length of the payload, unsigned little-endian
    header   UTF-8 JSON: {"kind": ..., "values": {...}, "arrays": [[name, dtype, shape], ...]}
    payload  the arrays' raw little-endian bytes, C order, one after the other
    4 bytes  CRC-32 of header and payload

Reading never executes anything and never allocates more than :data:`MAX_PAYLOAD` bytes, whatever the stream claims.
"""

from __future__ import annotations

import json
import math
import os
import struct
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from .json_checks import parse_json

MAGIC = b"H3R1"
MAX_HEADER = 1 << 20
MAX_PAYLOAD = 1 << 30
_PREFIX = struct.Struct("<4sIQ")
_CHECKSUM = struct.Struct("<I")
_DTYPES = {
    np.dtype(name).newbyteorder("<").str: np.dtype(name).newbyteorder("<")
    for name in ("uint8", "int32", "int64", "float16", "float32", "float64")
}


@dataclass(frozen=True)
class Record:
    """One record: a kind, JSON values, and named arrays."""

    kind: str
    values: dict[str, Any]
    arrays: dict[str, np.ndarray]


class CorruptRecord(Exception):
    """The bytes are not a record: wrong mark, wrong checksum, impossible sizes, malformed header."""


class TruncatedRecord(CorruptRecord):
    """The stream ends inside a record."""


def write_record(stream: BinaryIO, record: Record) -> int:
    """Write one record and flush, so that a crash loses at most the record being written. Returns its bytes."""
    described = [[name, _dtype_name(array), list(array.shape)] for name, array in record.arrays.items()]
    header = json.dumps(
        {"kind": record.kind, "values": record.values, "arrays": described}, separators=(",", ":"), allow_nan=False
    ).encode("utf-8")
    payload = b"".join(np.ascontiguousarray(array).tobytes() for array in record.arrays.values())
    if len(header) > MAX_HEADER or len(payload) > MAX_PAYLOAD:
        raise ValueError(f"record {record.kind!r} is too large: {len(header)} + {len(payload)} bytes")
    checksum = zlib.crc32(payload, zlib.crc32(header))
    data = b"".join((_PREFIX.pack(MAGIC, len(header), len(payload)), header, payload, _CHECKSUM.pack(checksum)))
    stream.write(data)
    stream.flush()
    return len(data)


def read_record(stream: BinaryIO) -> Record | None:
    """Read one record; None at the end of the stream. Raises :class:`CorruptRecord` or :class:`TruncatedRecord`."""
    lengths = _read_prefix(stream)
    if lengths is None:
        return None
    header_length, payload_length = lengths
    header = _read(stream, header_length)
    payload = _read(stream, payload_length)
    tail = _read(stream, _CHECKSUM.size)
    if len(header) < header_length or len(payload) < payload_length or len(tail) < _CHECKSUM.size:
        raise TruncatedRecord("the stream ends inside a record")
    if zlib.crc32(payload, zlib.crc32(header)) != _CHECKSUM.unpack(tail)[0]:
        raise CorruptRecord("the checksum does not match")
    return _parse(header, payload)


def skip_record(file: BinaryIO) -> bool:
    """Go to the end of the record that begins here, unread; False where none does. Its end may lie beyond the file's.

    Raises :class:`CorruptRecord` or :class:`TruncatedRecord`."""
    lengths = _read_prefix(file)
    if lengths is not None:
        file.seek(sum(lengths) + _CHECKSUM.size, os.SEEK_CUR)
    return lengths is not None


def _read_prefix(stream: BinaryIO) -> tuple[int, int] | None:
    """The lengths of header and payload; None at the end of the stream."""
    prefix = _read(stream, _PREFIX.size)
    if not prefix:
        return None
    if len(prefix) < _PREFIX.size:
        raise TruncatedRecord("the stream ends inside a record's prefix")
    magic, header_length, payload_length = _PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise CorruptRecord(f"expected the mark {MAGIC!r}, found {magic!r}")
    if header_length > MAX_HEADER or payload_length > MAX_PAYLOAD:
        raise CorruptRecord(f"impossible record size: {header_length} + {payload_length} bytes")
    return header_length, payload_length


def hop_record(stream: BinaryIO) -> int:
    """Go past one record by what its prefix says, without reading it; returns its bytes, 0 at the end of the stream.

    Nothing is checked but the prefix. Raises :class:`CorruptRecord` or :class:`TruncatedRecord`.
    """
    prefix = _read(stream, _PREFIX.size)
    if not prefix:
        return 0
    if len(prefix) < _PREFIX.size:
        raise TruncatedRecord("the stream ends inside a record's prefix")
    magic, header_length, payload_length = _PREFIX.unpack(prefix)
    if magic != MAGIC or header_length > MAX_HEADER or payload_length > MAX_PAYLOAD:
        raise CorruptRecord("that is no record")
    rest = header_length + payload_length + _CHECKSUM.size
    stream.seek(rest, 1)
    return _PREFIX.size + rest


def _parse(header: bytes, payload: bytes) -> Record:
    try:
        description = parse_json(header)
        kind, values, described = description["kind"], description["values"], description["arrays"]
        if not isinstance(kind, str) or not isinstance(values, dict):
            raise TypeError("kind or values")
        arrays: dict[str, np.ndarray] = {}
        offset = 0
        for name, dtype_name, shape in described:
            dtype = _DTYPES[dtype_name]
            if not isinstance(name, str) or not all(type(size) is int and size >= 0 for size in shape):
                raise TypeError("array name or shape")
            count = math.prod(shape)
            if count * dtype.itemsize > len(payload) - offset:
                raise ValueError("arrays exceed the payload")
            arrays[name] = np.frombuffer(payload, dtype, count, offset).reshape(shape)
            offset += count * dtype.itemsize
        if offset != len(payload):
            raise ValueError("the payload exceeds its arrays")
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptRecord(f"malformed record header: {error!r}") from error
    return Record(kind, values, arrays)


def _dtype_name(array: np.ndarray) -> str:
    name = array.dtype.newbyteorder("<").str
    if name not in _DTYPES or array.dtype.byteorder == ">":
        raise ValueError(f"arrays of dtype {array.dtype} cannot be sent")
    return name


def _read(stream: BinaryIO, size: int) -> bytes:
    """Read exactly ``size`` bytes, fewer only at the end of the stream (raw pipes return short reads)."""
    chunks = []
    missing = size
    while missing:
        chunk = stream.read(min(missing, 1 << 20))
        if not chunk:
            break
        chunks.append(chunk)
        missing -= len(chunk)
    return b"".join(chunks)
