# SPDX-License-Identifier: GPL-3.0-or-later
"""USDZ: a USD file and its pictures in one package, y up, as viewers on phones want it."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..backdrops import StagedBackdrop, picture_of
from ..file_format import Format, Request
from ..motion import PersonMotion
from . import usd

_ALIGNMENT = 64
"""Bytes: a package's files begin at multiples of this, so that they can be used where they lie."""
_LOCAL_HEADER = 30
_PADDING = struct.Struct("<HH")
"""Kind and size of what stands between a file's header and the file."""
_PADDING_KIND = 0x1986


def write(path: Path, people: Sequence[PersonMotion], request: Request) -> None:
    """Write people. Raises UserError (see `run_exporter`)."""
    pictured = [_with_picture(one, path.with_name(f"backdrop_{n}.png")) for n, one in enumerate(request.backdrops, 1)]
    layer = path.with_suffix(".usdc")
    usd.write(layer, people, replace(request, backdrops=tuple(pictured)), y_up=True)
    pack(path, [layer, *(one.picture for one in pictured if one.picture is not None)])


def pack(path: Path, files: Sequence[Path]) -> None:
    """Put files into a package, the one that the others belong to first: not compressed, and aligned."""
    with path.open("wb") as file_of_package, zipfile.ZipFile(file_of_package, "w", zipfile.ZIP_STORED) as package:
        for file in files:
            entry = zipfile.ZipInfo(file.name)
            start = file_of_package.tell() + _LOCAL_HEADER + len(file.name.encode()) + _PADDING.size
            padding = bytes(-start % _ALIGNMENT)
            entry.extra = _PADDING.pack(_PADDING_KIND, len(padding)) + padding
            package.writestr(entry, file.read_bytes())


def _with_picture(one: StagedBackdrop, picture: Path) -> StagedBackdrop:
    data = picture_of(one.item)
    if data is None:
        return one
    picture.write_bytes(data)
    return replace(one, picture=picture)


FORMAT = Format(
    "usdz",
    6,
    "USDZ",
    "USD with its pictures in one file, for phones and viewers",
    write,
    usd.check,
)
