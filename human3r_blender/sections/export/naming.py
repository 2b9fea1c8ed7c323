# SPDX-License-Identifier: GPL-3.0-or-later
"""What things are called in files, and room for those names in a .blend file that has some of them already."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence

import bpy

from ....engine.contract.file_names import not_reserved
from ....engine.contract.skeleton import JOINT_NAMES

MESH_END = "_mesh"
"""Ends the name of a person's mesh."""

_BLENDERS_LONGEST = 63
"""Bytes of a name that every Blender takes whole."""
_SPARE = 5
"""Bytes for what a name gets: a separator, a number, and what makes it an identifier."""
_PLAIN_ASCII = re.compile(r"[A-Za-z0-9_-]")
_JOINERS = "\u200c\u200d"
"""Characters that are not seen, and that words of some scripts and some emoji are written with."""
_BLANK_CATEGORIES = ("C", "Z")
"""Of Unicode: control characters and spaces."""

_COLLECTIONS = {
    "SCENE": "scenes", "OBJECT": "objects", "ARMATURE": "armatures", "MESH": "meshes", "CAMERA": "cameras",
    "ACTION": "actions", "MATERIAL": "materials",
}  # fmt: skip
"""Where `bpy.data` has blocks, by their `id_type`."""


def safe_name(name: str, otherwise: str = "person", beside: int = len(max(JOINT_NAMES, key=len))) -> str:
    """A name that every file system and every program takes: letters and digits of any script, ``-`` and ``_``.

    `otherwise` is what it is where nothing of it can stay. It leaves room for `beside` bytes, such as a bone's name.
    """
    shown = unicodedata.normalize("NFC", name)
    plain = re.sub("_+", "_", "".join(char if _may_stay(char) else "_" for char in shown)).strip("_")
    plain = cut(plain, _BLENDERS_LONGEST - _SPARE - beside).rstrip("_") or otherwise
    return not_reserved(plain)


def identifier(safe: str) -> str:
    """A safe name as USD takes it: letters, digits and ``_``, without a digit in front."""
    plain = re.sub("_+", "_", "".join(char if f"a{char}".isidentifier() else "_" for char in safe))
    return plain if plain.isidentifier() else f"_{plain}"


def cut(name: str, longest: int) -> str:
    """The beginning of a name that takes no more than so many bytes."""
    return name.encode()[:longest].decode(errors="ignore")


def labels(names: Sequence[str], bones: Collection[str], as_identifiers: bool = False) -> list[str]:
    """A name in files for each person, no two the same on any file system, and none that a bone or a mesh has.

    `bones` are the names of the bones, each of which fits behind it.
    """
    made: list[str] = []
    taken = {name.casefold() for name in bones}

    def is_free(label: str) -> bool:
        return not _both(label) & taken

    for name in names:
        safe = safe_name(name, beside=max(map(len, bones)))
        label = numbered(identifier(safe) if as_identifiers else safe, is_free)
        taken.update(_both(label))
        made.append(label)
    return made


class Room:
    """Gives data-blocks exactly the names that files are to show, and their owners theirs back at the end."""

    def __init__(self) -> None:
        self._given: set[tuple[str, str]] = set()
        self._moved: list[tuple[bpy.types.ID, str]] = []

    def name(self, block: bpy.types.ID, name: str) -> None:
        """Call a data-block so, whoever of the .blend file was called so before; with a number behind it, if another
        one was given this name.
        """
        kind = _COLLECTIONS[block.id_type]
        given = {other.casefold() for found, other in self._given if found == kind}
        name = numbered(name, lambda tried: tried.casefold() not in given)
        self._given.add((kind, name))
        block.name = name
        other = getattr(bpy.data, kind).get((name, None))
        if block.name != name and other is not None:
            self._moved.append((other, name))
            other.name = f"{cut(name, 40)} (while exporting)"
            block.name = name

    def own_name(self, block: bpy.types.ID) -> str:
        """What a data-block of the .blend file is called, though its name may be lent now."""
        return next((name for other, name in self._moved if other == block), block.name)

    def give_back(self) -> None:
        """Once the exported data-blocks are gone."""
        for block, name in reversed(self._moved):
            block.name = name
        self._moved.clear()


def numbered(name: str, is_free: Callable[[str], bool]) -> str:
    """The name itself, or with the first number behind it that makes it free."""
    found, number = name, 2
    while not is_free(found):
        found, number = f"{name}_{number}", number + 1
    return found


def _both(label: str) -> set[str]:
    """What a person's armature and mesh are called, to be compared."""
    return {label.casefold(), (label + MESH_END).casefold()}


def _may_stay(char: str) -> bool:
    if char.isascii():
        return bool(_PLAIN_ASCII.match(char))
    return char in _JOINERS or unicodedata.category(char)[0] not in _BLANK_CATEGORIES
