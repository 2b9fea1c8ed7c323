# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the take and the footage of a root lie, also when they and the .blend file moved together.

A root holds both as whole paths and, from the moment that the file is saved, as paths from the file's folder. The
latter count first, as Blender's own relative paths do; then the whole ones; then what lies beside the file.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import bpy
from bpy.app.handlers import persistent

from ...engine.contract.file_names import name_alone
from ...engine.contract.whole_file import final_place
from ..blender import lookout, tags

Look = Callable[[Path], bool | None]
"""Says whether something is there; None where it does not know."""

_RELATIVE = {tags.TAKE_FILE: tags.TAKE_RELATIVE, tags.SOURCE: tags.SOURCE_RELATIVE}


def take_file(root: bpy.types.Object, look: Look = lookout.is_there) -> Path | None:
    """Where a root's take lies, or where it lay if it is not found; None where the root does not say.

    What is drawn looks as it is; who needs the truth now gives `os.path.exists`.
    """
    return _place(root, tags.TAKE_FILE, look)


def footage(root: bpy.types.Object, look: Look = lookout.is_there) -> Path | None:
    """The same of the footage that a root's take was made from."""
    return _place(root, tags.SOURCE, look)


def is_missing(path: Path | None, look: Look = lookout.is_there) -> bool:
    """Whether something is known not to be where it was."""
    return path is not None and look(_seen_of(path)) is False


def note(root: bpy.types.Object, name: str, path: Path) -> None:
    """Write down where the take (`tags.TAKE_FILE`) or the footage (`tags.SOURCE`) of a root lies now."""
    root[name] = str(path)
    _note_relative(root, name, path, _folder(root))


def _place(root: bpy.types.Object, name: str, look: Look) -> Path | None:
    recorded = tags.text(root, name)
    if not recorded:
        return None
    relative, folder = tags.text(root, _RELATIVE[name]), _folder(root)
    found = [Path(recorded)]
    if folder is not None:
        beside = [folder / name_alone(recorded)]
        found = [*([Path(os.path.normpath(folder / relative))] if relative else []), *found, *beside]
    return next((path for path in found if look(_seen_of(path))), Path(recorded))


def _seen_of(path: Path) -> Path:
    """What there is to look for: of a pattern of images its folder."""
    return path.parent if "%" in path.name or "#" in path.name else path


def _folder(root: bpy.types.Object) -> Path | None:
    """The folder of the .blend file that a root is from; None before it is saved."""
    is_saved = bool(bpy.data.filepath if root.library is None else root.library.filepath)
    return Path(bpy.path.abspath("//", library=root.library)) if is_saved else None


def _note_relative(root: bpy.types.Object, name: str, path: Path, folder: Path | None) -> None:
    try:
        relative = os.path.relpath(path, folder) if folder is not None else ""
    except ValueError:  # another drive
        relative = ""
    root[_RELATIVE[name]] = relative.replace("\\", "/")


@persistent
def _note_all(path: str, *_: object) -> None:
    """The file is about to be saved there."""
    if not path:
        return
    folder = final_place(Path(path).absolute()).parent
    for root in [item for item in bpy.data.objects if tags.is_root(item) and item.library is None]:
        for name in _RELATIVE:
            place = _place(root, name, os.path.exists)
            if place is not None and os.path.exists(_seen_of(place)):  # noqa: PTH110 - takes any name
                root[name] = str(place)
                _note_relative(root, name, place, folder)


HANDLERS = (("save_pre", _note_all),)
