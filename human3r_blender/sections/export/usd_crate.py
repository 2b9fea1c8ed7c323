# SPDX-License-Identifier: GPL-3.0-or-later
"""Additions to binary USD files ("crate" files), which Blender leaves out and its Python cannot write.

A crate file is a heap of values, and behind it tables that say which values are which fields of which places; a table
of contents says where those are. So a file is changed by writing new values and new tables behind the old ones, and
pointing to them: all that is there stays as it is.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from . import usd_compression as compression

_MAGIC = b"PXR-USDC"
_CONTENTS_AT = 16
"""Where the file says where its table of contents is."""
_SECTION = struct.Struct("<16sqq")
_COUNT = struct.Struct("<Q")
_END = 0xFFFFFFFF
"""Ends a set of fields."""
_ATTRIBUTE = 1
"""Kind of place: an attribute."""

_ARRAY, _INLINE = 1 << 63, 1 << 62
_DOUBLE, _STRING, _TOKEN, _VEC3F, _TOKENS = (kind << 48 for kind in (9, 10, 11, 24, 41))
_OFFSET = (1 << 48) - 1

_CHILD, _LEAF = -1, -2
"""Jumps in the tree of paths: what follows is a child and the last of its parents' children; nothing follows."""


class Crate:
    """A crate file that is being changed."""

    def __init__(self, path: Path) -> None:
        self._path, self._data = path, bytearray(path.read_bytes())
        if self._data[: len(_MAGIC)] != _MAGIC:
            raise ValueError(f"{path.name} is no binary USD file")
        self._sections = self._contents()
        self._tokens = self._read_tokens()
        self._strings = np.frombuffer(self._section("STRINGS"), "<u4", offset=_COUNT.size).tolist()
        self._fields = self._read_fields()
        self._sets = self._read_sets()
        self._read_paths()
        self._specs = dict(self._read_specs())

    def paths(self, type_name: str) -> list[str]:
        """The places of prims of a type, such as ``SkelRoot``."""
        wanted = self._inline(_TOKEN, self._token(type_name))
        return [path for path in self._places if self._fields_of(path).get("typeName") == wanted]

    def double(self, path: str, field: str) -> float:
        """A number of a place that stands among the values."""
        return float(struct.unpack_from("<d", self._data, self._fields_of(path)[field] & _OFFSET)[0])

    def text(self, path: str, field: str) -> str:
        """A text of a place."""
        return self._tokens[self._strings[self._fields_of(path)[field] & _OFFSET]]

    def corners(self, path: str) -> np.ndarray:
        """(2, 3) an extent that was added."""
        start = (self._fields_of(path)["default"] & _OFFSET) + _COUNT.size
        return np.frombuffer(self._data, "<f4", 6, start).reshape(2, 3)

    def set_double(self, path: str, field: str, value: float) -> None:
        """Set a number of a place; ``/`` is the file's own."""
        self._set(path, field, _DOUBLE | self._write(struct.pack("<d", value)))

    def set_string(self, path: str, field: str, value: str) -> None:
        """Set a text of a place."""
        self._strings.append(self._token(value))
        self._set(path, field, self._inline(_STRING, len(self._strings) - 1))

    def set_token(self, path: str, field: str, value: str) -> None:
        """Set a word of a place."""
        self._set(path, field, self._inline(_TOKEN, self._token(value)))

    def add_extent(self, path: str, corners: np.ndarray) -> None:
        """Give a prim without one an extent, (2, 3) its least and its greatest corner."""
        values = _COUNT.pack(len(corners)) + corners.astype("<f4").tobytes()
        attribute = self._add_attribute(path, "extent")
        self._set(attribute, "typeName", self._inline(_TOKEN, self._token("float3[]")))
        self._set(attribute, "default", _ARRAY | _VEC3F | self._write(values))

    def save(self) -> None:
        """Write the file anew."""
        names = [entry[0] for entry in self._sections]
        made = {
            "TOKENS": self._tokens_written(),
            "STRINGS": _COUNT.pack(len(self._strings)) + np.array(self._strings, "<u4").tobytes(),
            "FIELDS": self._fields_written(),
            "FIELDSETS": _COUNT.pack(len(self._sets)) + _sized(compression.compress_integers(self._sets)),
            "PATHS": self._paths_written(),
            "SPECS": self._specs_written(),
        }
        places = [(name, self._write(made[name]), len(made[name])) for name in names if name in made]
        contents = [entry for entry in self._sections if entry[0] not in made] + places
        table = b"".join(_SECTION.pack(name.encode(), start, size) for name, start, size in contents)
        struct.pack_into("<q", self._data, _CONTENTS_AT, self._write(_COUNT.pack(len(contents)) + table))
        self._path.write_bytes(self._data)

    def _write(self, values: bytes) -> int:
        """Put values behind all others; returns where they are."""
        self._data += bytes(-len(self._data) % 8)
        start = len(self._data)
        self._data += values
        return start

    def _contents(self) -> list[tuple[str, int, int]]:
        (start,) = struct.unpack_from("<q", self._data, _CONTENTS_AT)
        (count,) = _COUNT.unpack_from(self._data, start)
        entries = [
            _SECTION.unpack_from(self._data, start + _COUNT.size + index * _SECTION.size) for index in range(count)
        ]
        return [(name.rstrip(b"\0").decode(), at, size) for name, at, size in entries]

    def _section(self, name: str) -> bytes:
        start, size = next((first, size) for found, first, size in self._sections if found == name)
        return bytes(self._data[start : start + size])

    def _read_tokens(self) -> list[str]:
        data = self._section("TOKENS")
        count, _, size = struct.unpack_from("<QQQ", data)
        return compression.decompress(data[24 : 24 + size]).decode().split("\0")[:count]

    def _tokens_written(self) -> bytes:
        text = "".join(f"{token}\0" for token in self._tokens).encode()
        packed = compression.compress(text)
        return struct.pack("<QQQ", len(self._tokens), len(text), len(packed)) + packed

    def _read_fields(self) -> list[tuple[int, int]]:
        """A token and a value each."""
        tables = _Tables(self._section("FIELDS"))
        return list(zip(tables.integers().tolist(), np.frombuffer(tables.block(), "<u8").tolist(), strict=True))

    def _fields_written(self) -> bytes:
        values = np.array([value for _, value in self._fields], "<u8").tobytes()
        tokens = compression.compress_integers([token for token, _ in self._fields])
        return _COUNT.pack(len(self._fields)) + _sized(tokens) + _sized(compression.compress(values))

    def _read_sets(self) -> list[int]:
        """The fields of each set, and what ends it, one set after the other."""
        return _Tables(self._section("FIELDSETS")).integers().tolist()

    def _read_paths(self) -> None:
        """Indexes, names (of properties negative) and jumps of the tree of paths; and which place is where in it."""
        tables = _Tables(self._section("PATHS"))
        tables.skip_count()  # of what is encoded, as many
        self._indexes, self._names, self._jumps = (tables.signed_integers().tolist() for _ in range(3))
        self._places: dict[str, int] = {}
        waiting: list[tuple[int, str | None]] = []
        above: str | None = None
        place: int | None = 0
        while place is not None:
            path, jump = self._path_of(above, self._names[place]), self._jumps[place]
            self._places[path] = place
            if jump > 0:
                waiting.append((place + jump, above))
            if jump > 0 or jump == _CHILD:
                place, above = place + 1, path
            elif jump == 0:
                place += 1
            else:
                place, above = waiting.pop() if waiting else (None, None)

    def _path_of(self, above: str | None, name: int) -> str:
        if above is None:
            return "/"
        return f"{above}.{self._tokens[-name]}" if name < 0 else f"{above.rstrip('/')}/{self._tokens[name]}"

    def _paths_written(self) -> bytes:
        tables = (self._indexes, self._names, self._jumps)
        count = _COUNT.pack(len(self._indexes))
        return 2 * count + b"".join(_sized(compression.compress_integers(table)) for table in tables)

    def _read_specs(self) -> list[tuple[int, tuple[int, int]]]:
        """By index of the path, where its set of fields begins and what kind of place it is."""
        tables = _Tables(self._section("SPECS"))
        paths, sets, kinds = (tables.integers().tolist() for _ in range(3))
        return list(zip(paths, zip(sets, kinds, strict=True), strict=True))

    def _specs_written(self) -> bytes:
        rows = [(path, first, kind) for path, (first, kind) in self._specs.items()]
        return _COUNT.pack(len(rows)) + b"".join(
            _sized(compression.compress_integers(list(column))) for column in zip(*rows, strict=True)
        )

    def _fields_of(self, path: str) -> dict[str, int]:
        """Values by the names of fields."""
        first = self._specs[self._indexes[self._places[path]]][0]
        last = self._sets.index(_END, first)
        return {
            self._tokens[token]: value for token, value in (self._fields[field] for field in self._sets[first:last])
        }

    def _set(self, path: str, field: str, value: int) -> None:
        index = self._indexes[self._places[path]]
        values = self._fields_of(path) | {field: value}
        self._specs[index] = len(self._sets), self._specs[index][1]
        for name, one in values.items():
            self._sets.append(len(self._fields))
            self._fields.append((self._token(name), one))
        self._sets.append(_END)

    def _add_attribute(self, path: str, name: str) -> str:
        """A new place under a prim, without any field yet: in the tree it is the prim's first child."""
        prim, token = self._places[path], self._token(name)
        names = [*self._token_list(self._fields_of(path).get("properties")), token]
        values = _COUNT.pack(len(names)) + np.array(names, "<u4").tobytes()
        self._set(path, "properties", _TOKENS | self._write(values))
        self._jumps = [jump + (place <= prim < place + jump) for place, jump in enumerate(self._jumps)]
        has_child, has_sibling = self._jumps[prim] > 0 or self._jumps[prim] == _CHILD, self._jumps[prim] >= 0
        if not has_child:
            self._jumps[prim] = 2 if has_sibling else _CHILD
        self._jumps.insert(prim + 1, 0 if has_child else _LEAF)
        self._names.insert(prim + 1, -token)
        self._indexes.insert(prim + 1, max(self._indexes) + 1)
        self._places = {other: place + (place > prim) for other, place in self._places.items()}
        self._places[f"{path}.{name}"] = prim + 1
        self._specs[self._indexes[prim + 1]] = len(self._sets), _ATTRIBUTE
        self._sets.append(_END)
        return f"{path}.{name}"

    def _token_list(self, value: int | None) -> list[int]:
        if value is None:
            return []
        start = value & _OFFSET
        (count,) = _COUNT.unpack_from(self._data, start)
        return np.frombuffer(self._data, "<u4", count, start + _COUNT.size).tolist()

    def _token(self, text: str) -> int:
        if text not in self._tokens:
            self._tokens.append(text)
        return self._tokens.index(text)

    def _inline(self, kind: int, value: int) -> int:
        return _INLINE | kind | value


class _Tables:
    """Reads a section's parts one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        (self._count,) = _COUNT.unpack_from(data)
        self._at = _COUNT.size

    def skip_count(self) -> None:
        """Pass over a second count."""
        self._at += _COUNT.size

    def block(self) -> bytes:
        """The next part, unpacked."""
        (size,) = _COUNT.unpack_from(self._data, self._at)
        start = self._at + _COUNT.size
        self._at = start + size
        return compression.decompress(self._data[start : self._at])

    def signed_integers(self) -> np.ndarray:
        """The next part as (count,) whole numbers."""
        return compression.integers(self.block(), self._count)

    def integers(self) -> np.ndarray:
        """The next part as (count,) whole numbers from 0 on."""
        return self.signed_integers().astype(np.uint32)


def _sized(data: bytes) -> bytes:
    return _COUNT.pack(len(data)) + data
