# SPDX-License-Identifier: GPL-3.0-or-later
"""What Python programs save with pickle, joblib, torch and numpy, read without executing anything.

:func:`read_values` follows the file's instructions with the inert machine of `inert_pickle` and leaves tables, lists
and notes of arrays; :func:`as_numbers` makes an array of a note when it is asked for, so that what nobody asks for
(meshes, images) takes no memory. Neither torch nor joblib is imported: their files are laid out as follows.

* torch: a zip with `data.pkl`, which names storages, and a member for each storage; older files are pickles in a row
  with the storages behind them.
* joblib: a pickle with the numbers of each array in the middle of it, right behind the array's description; the whole
  may be compressed.
* numpy: `.npy` files of objects are a header and a pickle.
"""

from __future__ import annotations

import bz2
import lzma
import math
import mmap
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .array_archive import BROKEN_HEADER, BROKEN_ZIP, BadArchive, array_header
from .inert_pickle import MALFORMED, BadPickle, Machine, Made, Named, as_array, number_type

MAX_INSTRUCTIONS = 20_000_000
"""An hour of results with ten people has some millions."""

MAX_BYTES = 1 << 32
"""The most that a compressed file may become, and that one array may have."""

_REBUILT = re.compile(r"torch\._utils\._rebuild_tensor(_v2)?")
_PARAMETER = "torch._utils._rebuild_parameter"
_LOADED = "torch.storage._load_from_bytes"
_JOBLIB_ARRAY = "joblib.numpy_pickle.NumpyArrayWrapper"
_STORAGES = {
    "Double": "<f8", "Float": "<f4", "Half": "<f2", "BFloat16": "<u2", "Long": "<i8", "Int": "<i4", "Short": "<i2",
    "Char": "<i1", "Byte": "<u1", "Bool": "<b1",
}  # fmt: skip
_EXPECTED = re.compile(
    r"torch\._utils\._rebuild_(tensor(_v2)?|parameter)|torch\.storage\._load_from_bytes|torch\.device|torch\.Size"
    rf"|torch\.({'|'.join(_STORAGES)})Storage|torch\.storage\.(Typed|Untyped)Storage|torch\.(u?int|b?float|complex|bool)[0-9]*"
    r"|joblib\.numpy_pickle\.NumpyArrayWrapper|pathlib\.(Pure)?(Posix|Windows)?Path|datetime\.(datetime|date|timedelta)"
    r"|(builtins|__builtin__)\.(set|frozenset|complex|slice|range|bytearray|bytes|list|dict|tuple|int|float|str|bool)"
)
"""What the results of motion capture may name: of none of it anything is made but tables and arrays of numbers."""

_LEGACY_TORCH = 0x1950A86A20F9469CFC6C
_CHUNK = 1 << 24
_PLAIN_DEPTH = 4
_MOST_IN_LISTS = 10_000_000


@dataclass(frozen=True, eq=False)
class Stored:
    """Numbers that lie somewhere in a file and are read when they are asked for."""

    read: Callable[[], bytes]
    dtype: np.dtype
    shape: tuple[int, ...]
    order: str = "C"
    is_bfloat16: bool = False

    def array(self) -> np.ndarray:
        """The numbers. Raises BadPickle."""
        raw = self.read()
        if len(raw) != math.prod(self.shape) * self.dtype.itemsize:
            raise BadPickle("it is cut off inside an array")
        values = np.frombuffer(raw, self.dtype).reshape(self.shape, order="F" if self.order == "F" else "C")
        return (values.astype(np.uint32) << 16).view(np.float32) if self.is_bfloat16 else values


def read_values(path: Path) -> Any:
    """What a file holds: tables, lists, texts, numbers, and notes of arrays for :func:`as_numbers`.

    Raises BadPickle (UnsafePickle where the file names a function that such files do not need), OSError.
    """
    with open(path, "rb") as file:
        first = file.read(16)
    try:
        return _torch_zip(path) if first.startswith(b"PK") else _from_bytes(_content(path, first))
    except (*MALFORMED, *BROKEN_ZIP, *BROKEN_HEADER, BadArchive) as error:
        raise BadPickle(str(error).strip().partition("\n")[0] or type(error).__name__) from error


def as_numbers(value: Any) -> np.ndarray:
    """The numbers of a note, a number, or lists of these of equal size. Raises BadPickle for everything else."""
    try:
        return _numbers(value, _PLAIN_DEPTH)
    except (*MALFORMED, *BROKEN_ZIP) as error:
        raise BadPickle(f"it holds a malformed array ({error})") from error


def _numbers(value: Any, depth: int) -> np.ndarray:
    if isinstance(value, np.ndarray | bool | int | float):
        return _plain(np.asarray(value))
    if isinstance(value, Stored):
        return value.array()
    if isinstance(value, list | tuple) and depth and len(value):
        return _stacked(value, depth - 1)
    if isinstance(value, Made) and value.kind == _PARAMETER:
        return _numbers(value.arguments[0], depth - 1 if depth else 0)
    if isinstance(value, Made) and _REBUILT.fullmatch(value.kind):
        return _tensor(*value.arguments[:4])
    objects = object_of(value)
    return _numbers(objects, depth - 1) if objects is not None and depth else as_array(value)


def _stacked(parts: Any, depth: int) -> np.ndarray:
    first = _numbers(parts[0], depth)
    if len(parts) * max(first.size, 1) > _MOST_IN_LISTS:  # a list of the same lists again and again is a bomb
        raise BadPickle("it holds lists that are longer than any")
    stack = np.empty((len(parts), *first.shape), np.result_type(first.dtype, np.float64))
    for row, part in enumerate(parts):
        values = _numbers(part, depth)
        if values.shape != first.shape:
            raise BadPickle("it holds a list of arrays of different sizes")
        stack[row] = values
    return stack


def _plain(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind not in "biuf":
        raise BadPickle("it holds something other than numbers")
    return values


def object_of(value: Any) -> Any:
    """What is in an array of Python objects: the object where it holds one, else the list; None for other notes."""
    if not isinstance(value, Made) or not value.kind.endswith("multiarray._reconstruct"):
        return None
    shape, *_, items = value.state[-4:]
    if not isinstance(items, list):
        return None
    return items[0] if math.prod(shape) == 1 and items else items


def _tensor(storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> np.ndarray:
    values = _storage(storage).array()
    plain = (offset, *size, *stride)
    if len(size) != len(stride) or not all(type(number) is int and number >= 0 for number in plain):
        raise BadPickle("it holds a tensor of impossible size")
    last = offset + sum((side - 1) * step for side, step in zip(size, stride, strict=True))
    if math.prod(size) and last >= len(values):
        raise BadPickle("it holds a tensor that is larger than its numbers")
    if math.prod(size) > max(len(values), 1) * 64:
        raise BadPickle("it holds a tensor that repeats its numbers without end")
    steps = tuple(step * values.itemsize for step in stride)
    if not math.prod(size):
        return np.zeros(size, values.dtype)
    return np.lib.stride_tricks.as_strided(values[offset:], size, steps).copy()


def _storage(value: Any) -> Stored:
    """The numbers that tensors share."""
    if isinstance(value, Made) and value.kind == _LOADED:
        (inner,) = value.arguments
        if isinstance(inner, bytes | bytearray):
            value = _from_bytes(bytes(inner))
    if not isinstance(value, Stored):
        raise BadPickle("it holds a tensor without numbers")
    return value


def _content(path: Path, first: bytes) -> Any:
    """The bytes of a file, unpacked where they are compressed: a map of the file, or bytes."""
    unpack = _unpacker(first)
    if unpack is not None:
        return _unpacked(path, unpack)
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _unpacker(first: bytes) -> Any:
    if first[:1] == b"\x78" and len(first) > 1 and int.from_bytes(first[:2], "big") % 31 == 0:
        return zlib.decompressobj()
    if first.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(wbits=31)
    if first.startswith(b"BZh"):
        return bz2.BZ2Decompressor()
    if first.startswith((b"\xfd7zXZ", b"\x5d\x00\x00")):
        return lzma.LZMADecompressor()
    return None


def _unpacked(path: Path, unpack: Any) -> bytes:
    pieces, total = [], 0
    with open(path, "rb") as file:
        waiting = b""
        while not unpack.eof:
            if not waiting and getattr(unpack, "needs_input", True):
                waiting = file.read(_CHUNK)
                if not waiting:
                    raise EOFError("it is cut off")
            piece = unpack.decompress(waiting, _CHUNK)
            waiting = getattr(unpack, "unconsumed_tail", b"")
            total += len(piece)
            if total > MAX_BYTES:
                raise BadPickle(f"it unpacks to more than {MAX_BYTES} bytes")
            pieces.append(piece)
    return b"".join(pieces)


class _Stream:
    """Bytes as the file that `pickletools` reads, of which arrays remember their places."""

    def __init__(self, content: Any) -> None:
        self.content, self.position = content, 0

    def read(self, count: int) -> bytes:
        piece = bytes(self.content[self.position : self.position + max(count, 0)])
        self.position += len(piece)
        return piece

    def readline(self) -> bytes:
        end = self.content.find(b"\n", self.position) + 1
        return self.read((end or len(self.content)) - self.position)

    def tell(self) -> int:
        return self.position

    def take(self, size: int) -> Callable[[], bytes]:
        """Step over so many bytes; what returns them later."""
        start = self.position
        if not 0 <= size <= MAX_BYTES or start + size > len(self.content):
            raise BadPickle("it is cut off inside an array")
        self.position += size
        content = self.content
        return lambda: bytes(content[start : start + size])


def _from_bytes(content: Any) -> Any:
    stream = _Stream(content)
    if content[:6] == b"\x93NUMPY":
        return _npy(stream)
    first = _follow(stream)
    return _torch_legacy(stream) if first == _LEGACY_TORCH else first


def _follow(stream: _Stream, recall: Callable[[Any], Any] | None = None) -> Any:
    """What one pickle leaves, with the arrays that joblib puts into its middle."""

    def built(made: Made) -> Any:
        return _joblib_array(made.state, stream) if made.kind == _JOBLIB_ARRAY else made

    return Machine(_is_expected, recall, built, MAX_INSTRUCTIONS).run(stream)


def _is_expected(name: str) -> bool:
    return _EXPECTED.fullmatch(name) is not None


def _joblib_array(state: dict[str, Any], stream: _Stream) -> Any:
    """The array whose description was just read; its numbers follow, after some bytes that align them."""
    described = state["dtype"]
    code = described.arguments[0] if isinstance(described, Made) else None
    if code in ("O8", "O4", "O", "|O"):
        return _follow(stream)
    if state.get("numpy_array_alignment_bytes") is not None:
        (padding,) = stream.read(1)
        stream.read(padding)
    dtype = number_type(described)
    shape = tuple(int(as_array(side)) if isinstance(side, Made) else side for side in state["shape"])
    if not all(type(side) is int and side >= 0 for side in shape):
        raise BadPickle("it holds an array without a shape")
    return Stored(stream.take(math.prod(shape) * dtype.itemsize), dtype, shape, str(state.get("order", "C")))


def _npy(stream: _Stream) -> Any:
    shape, is_fortran, dtype = array_header(stream)
    if dtype.kind == "O":
        held = _follow(stream)
        return held if object_of(held) is None else object_of(held)
    if dtype.kind not in "biuf":
        raise BadPickle("it holds something other than numbers")
    return Stored(stream.take(math.prod(shape) * dtype.itemsize), dtype, shape, "F" if is_fortran else "C")


def _torch_zip(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: info for info in archive.infolist()}
        inside = [name for name in members if name.rpartition("/")[2] == "data.pkl" and name.count("/") <= 1]
        if not inside:
            raise BadPickle("it is a zip, but not one of torch's")
        folder = inside[0].removesuffix("data.pkl")
        if members[inside[0]].file_size > MAX_BYTES:
            raise BadPickle("its description is larger than any")
        is_big = f"{folder}byteorder" in members and archive.read(f"{folder}byteorder")[:3] == b"big"
        content = archive.read(inside[0])

    def recall(name: Any) -> Stored:
        _, kind, key, _, count = name[:5]
        member = f"{folder}data/{key}"
        size = members[member].file_size
        return _stored(kind, count, size, lambda: _member(path, member), is_big)

    return _follow(_Stream(content), recall)


def _member(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def _torch_legacy(stream: _Stream) -> Any:
    """Behind the first number come the version, what machine it was, the object, the storages' names and they."""
    waiting: dict[str, tuple[Any, int]] = {}
    places: dict[str, Callable[[], bytes]] = {}

    def recall(name: Any) -> Stored:
        _, kind, key, _, count = name[:5]
        waiting[str(key)] = kind, count
        return _stored(kind, count, None, lambda: places[str(key)](), False)

    for _ in range(2):
        _follow(stream)
    held, keys = _follow(stream, recall), _follow(stream)
    for key in keys:
        kind, _ = waiting[str(key)]
        (count,) = struct.unpack("<q", stream.read(8))
        places[str(key)] = stream.take(count * _type_of(kind).itemsize)
    return held


def _stored(kind: Any, count: Any, size: int | None, read: Callable[[], bytes], is_big: bool) -> Stored:
    dtype = _type_of(kind)
    if type(count) is not int or not 0 <= count * dtype.itemsize <= MAX_BYTES:
        raise BadPickle("it holds a tensor of impossible size")
    if size is not None and size != count * dtype.itemsize:
        raise BadPickle("it holds a tensor of another size than its numbers")
    return Stored(read, dtype.newbyteorder(">") if is_big else dtype, (count,), is_bfloat16="BFloat16" in kind.name)


def _type_of(kind: Any) -> np.dtype:
    name = kind.name if isinstance(kind, Named) else ""
    word = name.removeprefix("torch.").removesuffix("Storage")
    if word not in _STORAGES:
        raise BadPickle(f"it holds a tensor of {name[:40] or 'something else'}, which is not read")
    return np.dtype(_STORAGES[word])
