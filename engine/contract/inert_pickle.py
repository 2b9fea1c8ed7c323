# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading arrays out of a pickle without unpickling: its instructions are followed, and nothing is ever called.

A pickle is a program that may call any function by its name. `pickletools` decodes its instructions; the small machine
here follows them with plain data only. Where the program names a class, an inert note of the name takes its place;
a name that its reader does not expect (in body files; `saved_values` expects some more) ends the reading. Afterwards
:func:`as_array` makes arrays of the notes of numpy arrays, of scipy's compressed sparse matrices and of chumpy's
constants; none of the three is imported for it, and numpy's own unpickling (with its objects and states) is not used.
Reads what Python 2 and 3 wrote.
"""

from __future__ import annotations

import math
import mmap
import pickletools
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

MAX_INSTRUCTIONS = 500_000
"""Body files have some thousands; more would take long and is no body."""

MAX_ARRAY_BYTES = 1 << 28
"""The largest array of a SMPL-X body has 122 MB."""

_ARRAYS = frozenset({"numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"})
_BUFFERS = frozenset({"numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer"})
_SCALARS = frozenset({"numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"})
_TABLES = frozenset({"collections.OrderedDict", "collections.defaultdict"})
_SPARSE = re.compile(r"scipy\.sparse\._?(csc|csr)\.\1_(matrix|array)")
_CHUMPY = re.compile(r"chumpy\.[A-Za-z_.]+")
_INERT = _ARRAYS | _BUFFERS | _SCALARS | {
    "numpy.ndarray", "numpy.dtype", "_codecs.encode",
    "copy_reg._reconstructor", "copyreg._reconstructor", "__builtin__.object", "builtins.object",
}  # fmt: skip
_NUMBER = re.compile(r"[<>|=]?[biuf][1248]")


MALFORMED = (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError, struct.error)
"""What following a damaged pickle raises."""


class BadPickle(Exception):
    """The bytes are no pickle, or none that is read. Its text completes "cannot be read: ..."."""


class UnsafePickle(BadPickle):
    """The pickle names something that such files do not name, such as a function to be called."""


@dataclass(frozen=True, eq=False)
class Named:
    """Takes the place of a class or function: its full name, and nothing that could be called."""

    name: str


@dataclass(eq=False)
class Made:
    """Takes the place of what a class or function would have returned."""

    maker: Named
    arguments: Any
    state: Any = None

    @property
    def kind(self) -> str:
        """The full name of what would have been made."""
        is_rebuilt = self.maker.name.endswith("._reconstructor") and isinstance(self.arguments, tuple)
        if is_rebuilt and self.arguments and isinstance(self.arguments[0], Named):
            return self.arguments[0].name
        return self.maker.name


def read_items(path: Path) -> dict[str, Any]:
    """The entries of a pickled dictionary whose keys are text, for :func:`as_array`. Raises BadPickle or OSError."""
    with open(path, "rb") as file:
        try:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:  # reads no more than there is
                found = Machine().run(content)
        except MALFORMED as error:
            raise BadPickle(str(error).strip().partition("\n")[0] or type(error).__name__) from error
    if not isinstance(found, dict):
        raise BadPickle("it holds no table of named arrays")
    return found


def as_array(value: Any) -> np.ndarray:
    """The numbers in an entry: an array, a sparse matrix (made dense), or chumpy's constant. Raises BadPickle."""
    try:
        if isinstance(value, Made) and _CHUMPY.fullmatch(value.kind):
            value = value.state["x"]
        if isinstance(value, Made) and _SPARSE.fullmatch(value.kind):
            return _dense(value.state, by_column=".csc_" in value.kind)
        return _plain_array(value)
    except (ValueError, TypeError, IndexError, KeyError, UnicodeError) as error:
        raise BadPickle(f"it holds a malformed array ({error})") from error


def _plain_array(value: Any) -> np.ndarray:
    if not isinstance(value, Made):
        raise BadPickle(f"it holds {type(value).__name__} where an array is expected")
    shape: Any = ()
    is_fortran = False
    if value.kind in _SCALARS:
        described, raw = value.arguments
    elif value.kind in _ARRAYS:
        shape, described, is_fortran, raw = value.state[-4:]
    elif value.kind in _BUFFERS:
        raw, described, shape, order = value.arguments
        is_fortran = order == "F"
    else:
        raise BadPickle(f"it holds {value.kind} where an array is expected")
    dtype = number_type(described)
    if not isinstance(shape, tuple) or not all(type(side) is int and side >= 0 for side in shape):
        raise BadPickle("it holds an array without a shape")
    size = math.prod(shape) * dtype.itemsize
    if size > MAX_ARRAY_BYTES:
        raise BadPickle(f"it holds an array of {size} bytes, more than any body has")
    data = _bytes(raw)
    if len(data) != size:
        raise BadPickle(f"it holds an array of {len(data)} bytes that should be {size}")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if is_fortran else "C")


def number_type(described: Any) -> np.dtype:
    """The type of numbers that a note of a dtype stands for. Raises BadPickle."""
    code = described.arguments[0] if isinstance(described, Made) and described.kind == "numpy.dtype" else None
    if not isinstance(code, str) or not _NUMBER.fullmatch(code):
        raise BadPickle("it holds an array of something other than numbers")
    dtype = np.dtype(code)
    is_swapped = described.state is not None and described.state[1] == ">"
    return dtype.newbyteorder(">") if is_swapped else dtype


def _bytes(raw: Any) -> bytes:
    if isinstance(raw, Made) and raw.kind == "_codecs.encode":
        raw = raw.arguments[0]
    if isinstance(raw, str):  # Python 2 had no other type for bytes
        raw = raw.encode("latin-1")
    if not isinstance(raw, bytes | bytearray):
        raise BadPickle("it holds an array of objects")
    return bytes(raw)


def _dense(state: dict[str, Any], by_column: bool) -> np.ndarray:
    shape = state["_shape"] if "_shape" in state else state["shape"]
    values, indices, starts = (_plain_array(state[name]) for name in ("data", "indices", "indptr"))
    rows, columns = shape
    if type(rows) is not int or type(columns) is not int or not 0 <= rows * columns <= MAX_ARRAY_BYTES // 8:
        raise BadPickle("it holds a matrix of impossible size")
    dense = np.zeros((columns, rows) if by_column else (rows, columns))
    counts = np.diff(starts)
    if starts.shape != (len(dense) + 1,) or starts[0] != 0 or starts[-1] != len(values) or np.any(counts < 0):
        raise BadPickle("it holds a damaged sparse matrix")
    if np.any(indices < 0):  # too large ones numpy refuses itself
        raise BadPickle("it holds a damaged sparse matrix")
    np.add.at(dense, (np.repeat(np.arange(len(dense)), counts), indices), values)
    return dense.T if by_column else dense


class Machine:
    """Follows the instructions of one pickle with plain data.

    A reader of other files than bodies names in `expected` what its files may name besides, says in `recall_outside`
    what takes the place of what the pickle keeps outside of itself, and sees in `built` every object once its state is
    there, to put something else in its place.
    """

    def __init__(
        self,
        expected: Callable[[str], bool] = lambda name: False,
        recall_outside: Callable[[Any], Any] | None = None,
        built: Callable[[Made], Any] = lambda made: made,
        most_instructions: int = MAX_INSTRUCTIONS,
    ) -> None:
        self._expected, self._recall_outside, self._built = expected, recall_outside, built
        self._most_instructions = most_instructions
        self.stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def run(self, content: Any) -> Any:
        """What the pickle in an open file (or a map of one) leaves behind, classes replaced by notes."""
        for count, (instruction, argument, _) in enumerate(pickletools.genops(content)):
            if count >= self._most_instructions:
                raise BadPickle(f"it has more than {self._most_instructions} instructions")
            name = instruction.name
            if name in _PUSHES_ITS_ARGUMENT:
                self.stack.append(argument)
            elif name in _PUSHES:
                self.stack.append(_PUSHES[name]())
            elif name in _ACTIONS:
                _ACTIONS[name](self, argument)
            elif name not in _IGNORED:
                raise UnsafePickle(f"it uses the instruction {name}, which such files do not need")
        return self.stack.pop()

    def mark(self) -> None:
        self._below.append(self.stack)
        self.stack = []

    def take_to_mark(self) -> list[Any]:
        taken, self.stack = self.stack, self._below.pop()
        return taken

    def drop_to_mark(self) -> None:
        self.take_to_mark()

    def push_tuple(self, values: Any) -> None:
        self.stack.append(tuple(values))

    def push_list(self) -> None:
        taken = self.take_to_mark()  # before the stack is looked up, which this changes
        self.stack.append(taken)

    def take(self, count: int) -> tuple[Any, ...]:
        """The uppermost `count` values, in order."""
        if len(self.stack) < count:
            raise IndexError("an instruction without its operands")
        taken = tuple(self.stack[-count:])
        del self.stack[-count:]
        return taken

    def pop(self) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.stack = self._below.pop()

    def remember(self, place: int | None) -> None:
        self._memo[len(self._memo) if place is None else place] = self.stack[-1]

    def recall(self, place: int) -> None:
        self.stack.append(self._memo[place])

    def extend(self, values: Any) -> None:
        if not isinstance(self.stack[-1], list):
            raise TypeError("an item is added to something that is not a list")
        self.stack[-1].extend(values)

    def set_items(self, flat: Any) -> None:
        """Keeps entries named by text or by a number: nothing else is asked for, and hashing it can take forever."""
        target = self.stack[-1]
        if isinstance(target, Made):
            return  # an object that takes entries, which nothing here reads
        if not isinstance(target, dict):
            raise TypeError("an entry is added to something that is not a table")
        pairs = zip(map(_plain_key, flat[::2]), flat[1::2], strict=True)
        target.update((key, value) for key, value in pairs if key is not None)

    def new_dict(self) -> None:
        flat = self.take_to_mark()
        self.stack.append({})
        self.set_items(flat)

    def name(self, name: str) -> None:
        is_known = name in _INERT or name in _TABLES or _SPARSE.fullmatch(name) or _CHUMPY.fullmatch(name)
        if not is_known and not self._expected(name):
            raise UnsafePickle(f"it asks for {name[:80]!r}, which such files do not need")
        self.stack.append(Named(name))

    def name_from_stack(self) -> None:
        module, name = self.take(2)
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError("a name that is not text")
        self.name(f"{module}.{name}")

    def make(self, maker: Any, arguments: Any) -> None:
        if not isinstance(maker, Named):
            raise TypeError("a call of something that is not a name")
        self.stack.append({} if maker.name in _TABLES else Made(maker, arguments))

    def make_from_mark(self) -> None:
        maker, *arguments = self.take_to_mark()
        self.make(maker, tuple(arguments))

    def instantiate(self, name: str) -> None:
        arguments = tuple(self.take_to_mark())
        self.name(name)
        self.make(self.stack.pop(), arguments)

    def set_state(self) -> None:
        (state,) = self.take(1)
        if isinstance(self.stack[-1], dict):
            return  # the attributes of a table
        if not isinstance(self.stack[-1], Made):
            raise TypeError("a state for something that is not an object")
        self.stack[-1].state = state
        self.stack[-1] = self._built(self.stack[-1])

    def recall_outside(self) -> None:
        (name,) = self.take(1)
        if self._recall_outside is None:
            raise UnsafePickle("it keeps something outside of itself, which such files do not need")
        self.stack.append(self._recall_outside(name))


def _plain_key(key: Any) -> str | int | None:
    """An entry's name where it is text or a number, numpy's included; None else."""
    if isinstance(key, Made) and key.kind in _SCALARS:
        try:
            key = as_array(key).item()
        except BadPickle:
            return None
    return key if isinstance(key, str) or (type(key) is int and key.bit_length() < 64) else None


_PUSHES_ITS_ARGUMENT = frozenset({
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8",
    "SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8",
})  # fmt: skip

_PUSHES: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False, "EMPTY_LIST": list, "EMPTY_SET": list,
    "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple,
}  # fmt: skip

_IGNORED = frozenset({"PROTO", "FRAME", "STOP"})

_ACTIONS: dict[str, Callable[[Machine, Any], None]] = {
    "MARK": lambda machine, _: machine.mark(),
    "POP": lambda machine, _: machine.pop(),
    "POP_MARK": lambda machine, _: machine.drop_to_mark(),
    "DUP": lambda machine, _: machine.stack.append(machine.stack[-1]),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda machine, place: machine.recall(place)),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), lambda machine, place: machine.remember(place)),
    "MEMOIZE": lambda machine, _: machine.remember(None),
    "TUPLE": lambda machine, _: machine.push_tuple(machine.take_to_mark()),
    "TUPLE1": lambda machine, _: machine.push_tuple(machine.take(1)),
    "TUPLE2": lambda machine, _: machine.push_tuple(machine.take(2)),
    "TUPLE3": lambda machine, _: machine.push_tuple(machine.take(3)),
    "FROZENSET": lambda machine, _: machine.push_list(),
    "LIST": lambda machine, _: machine.push_list(),
    "APPEND": lambda machine, _: machine.extend(machine.take(1)),
    "ADDITEMS": lambda machine, _: machine.extend(machine.take_to_mark()),
    "APPENDS": lambda machine, _: machine.extend(machine.take_to_mark()),
    "DICT": lambda machine, _: machine.new_dict(),
    "SETITEM": lambda machine, _: machine.set_items(machine.take(2)),
    "SETITEMS": lambda machine, _: machine.set_items(machine.take_to_mark()),
    "GLOBAL": lambda machine, pair: machine.name(pair.replace(" ", ".")),
    "STACK_GLOBAL": lambda machine, _: machine.name_from_stack(),
    "INST": lambda machine, pair: machine.instantiate(pair.replace(" ", ".")),
    "OBJ": lambda machine, _: machine.make_from_mark(),
    "REDUCE": lambda machine, _: machine.make(*machine.take(2)),
    "NEWOBJ": lambda machine, _: machine.make(*machine.take(2)),
    "NEWOBJ_EX": lambda machine, _: machine.make(*machine.take(3)[:2]),
    "BUILD": lambda machine, _: machine.set_state(),
    "BINPERSID": lambda machine, _: machine.recall_outside(),
}
