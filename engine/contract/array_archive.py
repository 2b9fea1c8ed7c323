# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading `.npz` files from anybody: no pickles, and no allocation before the size that the file claims was checked.

`numpy.load` allocates whatever an array's header says, 2**60 bytes included, and inflates without an end. Here every
array's size is compared with its member's, and the sum of the members' with a limit, before anything is allocated.
"""

from __future__ import annotations

import lzma
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

_CHUNK = 1 << 20
_KINDS = "biufUS"
"""Booleans, integers, floating-point numbers, text and bytes; never objects, which would have to be unpickled."""

_HEADER_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}

BROKEN_ZIP = (
    OSError,
    ValueError,
    KeyError,
    IndexError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    OverflowError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
"""What `zipfile` raises for damaged files; RuntimeError for a password, NotImplementedError for an odd compression."""

BROKEN_HEADER = (TypeError, SyntaxError, MemoryError, RecursionError, tokenize.TokenError)
"""What numpy raises besides for a header that is no description of an array."""


class BadArchive(Exception):
    """The file is no archive of arrays, or one that is not read. Its text completes "cannot be read: ..."."""


def read_arrays(
    path: str | Path, limit_bytes: int, names: Iterable[str] | None = None, unreadable: dict[str, str] | None = None
) -> dict[str, np.ndarray]:
    """The arrays of a `.npz` with these names (all where none are given); those that it lacks are left out.

    Raises BadArchive for everything that is wrong with the file; `limit_bytes` bounds what is allocated. With
    `unreadable`, an array that is none, or is damaged, does not end the reading: its name goes there, with the reason.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {
                info.filename.removesuffix(".npy"): info
                for info in archive.infolist()
                if info.filename.endswith(".npy")
            }
            wanted = list(members) if names is None else [name for name in names if name in members]
            total = sum(members[name].file_size for name in wanted)
            if total > limit_bytes:
                raise BadArchive(f"its arrays claim to hold {total} bytes, more than the allowed {limit_bytes}")
            read = _read_member if unreadable is None else partial(_read_or_tell, unreadable)
            found = {name: read(archive, members[name]) for name in wanted}
            return {name: array for name, array in found.items() if array is not None}
    except (*BROKEN_ZIP, *BROKEN_HEADER) as error:
        raise BadArchive(str(error).strip().partition("\n")[0] or type(error).__name__) from error


def _read_or_tell(unreadable: dict[str, str], archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray | None:
    try:
        return _read_member(archive, info)
    except (BadArchive, *BROKEN_ZIP, *BROKEN_HEADER) as error:
        unreadable[info.filename.removesuffix(".npy")] = str(error).strip().partition("\n")[0]
        return None


def array_header(file: Any) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether columns come first, and type of the array in an open `.npy`. Raises BadArchive, ValueError."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADER_READERS:
        raise BadArchive(f"it has the unknown format {version}")
    return _HEADER_READERS[version](file)


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(info) as member:
        shape, is_fortran, dtype = array_header(member)
        if dtype.kind not in _KINDS or dtype.itemsize == 0:
            raise BadArchive(f"{info.filename} holds objects, which are never read, or nothing (dtype {dtype})")
        size = math.prod(shape) * dtype.itemsize
        if any(side < 0 for side in shape) or size != info.file_size - member.tell():
            raise BadArchive(f"the length of {info.filename} does not match its shape {shape}")
        return _read_bytes(member, size).view(dtype).reshape(shape, order="F" if is_fortran else "C")


def _read_bytes(member: IO[bytes], size: int) -> np.ndarray:
    """(size,) bytes, piece by piece, so that at no time there are two copies of them."""
    raw = np.empty(size, dtype=np.uint8)
    start = 0
    while start < size:
        piece = member.read(min(_CHUNK, size - start))
        if not piece:
            raise EOFError("it ends inside an array")
        raw[start : start + len(piece)] = np.frombuffer(piece, dtype=np.uint8)
        start += len(piece)
    return raw
