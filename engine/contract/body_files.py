# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing the user's SMPL-X body from what the publisher hands out: the zip, or a loose `.npz` or `.pkl` of it.

Nothing in the file is executed and no name in an archive becomes a path; the one member that is wanted is streamed to
a temporary file beside the target. What is kept is a smaller `.npz` of the arrays that bodies are made of. The usual
wrong files are called by their names.
"""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from .array_archive import BROKEN_ZIP, BadArchive, read_arrays
from .body_model import MAX_FILE_BYTES, REQUIRED, BodyModel, used_directions
from .disk_space import is_full
from .errors import UserError
from .inert_pickle import BadPickle, UnsafePickle, as_array, read_items
from .whole_file import explained_write_errors, whole_file

GENDERS = ("neutral", "male", "female")

REMEDY = (
    "Download 'SMPL-X v1.1 (NPZ+PKL)', models_smplx_v1_1.zip, from smpl-x.is.tue.mpg.de, and choose that zip, or the "
    "SMPLX_NEUTRAL.npz inside it."
)

_HANDS = {"hands_componentsl": (45, 45), "hands_componentsr": (45, 45), "hands_meanl": (45,), "hands_meanr": (45,)}
"""Not used here, but what tells SMPL-X v1.1 from the first locked-head files; kept for other programs."""

_DOUBLE = frozenset({"v_template", "shapedirs", "J_regressor"})
"""Kept in the file's own precision, because joints are computed in float64."""

_CHUNK = 1 << 20

_OTHER_VARIANTS = (
    (re.compile(r"locked[-_ ]?head|head[-_ ]?bun", re.I),
     "the SMPL-X variant with a locked head (\"removed head bun\"), whose shape parameters (betas) differ from those "
     "that Human3R predicts"),
    (re.compile(r"smplx_neutral_2020", re.I),
     "the SMPL-X variant of 2020 with FLAME expressions, which differ from those that Human3R predicts"),
)  # fmt: skip

_OTHER_FAMILIES = (
    (re.compile(r"smpl-?h_|smplh/|(^|/)smplh?/(male|female|neutral)/model\.", re.I), "SMPL-H"),
    (re.compile(r"mano_(left|right)|mano_v", re.I), "MANO"),
    (re.compile(r"flame|generic_model\.pkl", re.I), "FLAME"),
    (re.compile(r"basicmodel_|(^|/)smpl_(neutral|male|female)", re.I), "SMPL"),
)
"""Members' names in the other models' downloads."""

_NOT_BODIES = (
    (re.compile(rb"\s*<(!doctype|html|head|\?xml)", re.I), "a web page, such as the login page of the download site"),
    (re.compile(rb"version https://git-lfs"), "a git-lfs pointer instead of the file itself"),
    (re.compile(rb"BZh|\x1f\x8b|7z\xbc\xaf|Rar!|\xfd7zXZ"), "an archive, but not a zip"),
    (re.compile(rb"BLENDER"), "a Blender file"),
)
"""First bytes of what people choose by mistake."""


def install_body(source: Path, target: Path, gender: str = "neutral") -> Path:
    """Check the SMPL-X body in `source` (zip, `.npz` or `.pkl`) and write it to `target`; returns `target`.

    `gender` chooses the file in a zip (:data:`GENDERS`). `target` is replaced as a whole or untouched. Raises
    UserError: ``bad-setting``, ``body-missing``, ``body-unreadable``, ``body-unsafe``, ``body-not-smplx``,
    ``body-damaged``, ``body-unwritable``, ``disk-full``.
    """
    source, target = Path(source), Path(target)
    if gender not in GENDERS:
        raise UserError(
            "bad-setting",
            "There is no body of gender {gender}.",
            "Use one of {genders}.",
            gender=repr(gender),
            genders=", ".join(GENDERS),
        )
    if not source.is_file():
        raise UserError("body-missing", "There is no file {source}.", REMEDY, source=source)
    problem = f"The body could not be copied from {source} to {target}"
    remedy = "Free some space, or check the permissions of both files."
    with explained_write_errors(problem, "body-unwritable", remedy), whole_file(target) as written:
        arrays = _clean(_read(source, written.parent, gender), source.name)
        with open(written, "wb") as file:
            np.savez(file, **arrays)
    return target


def _clean(arrays: Mapping[str, np.ndarray], label: str) -> dict[str, Any]:
    """The arrays to keep, of a file that is a SMPL-X body. Raises UserError."""
    if "v_template" not in arrays and "poses" in arrays:
        raise UserError("body-not-smplx", "{label} is a motion (poses over time), not a body.", REMEDY, label=label)
    BodyModel.from_arrays(arrays, label, REMEDY)
    without_hands = [name for name, shape in _HANDS.items() if name not in arrays or arrays[name].shape != shape]
    if without_hands:
        raise UserError(
            "body-not-smplx",
            "{label} has the size of SMPL-X but no hand poses ({missing}), like the first files with a locked head. "
            "Their shape parameters (betas) differ from those that Human3R predicts.",
            REMEDY,
            label=label,
            missing=", ".join(without_hands),
        )
    kept = {name: arrays[name] for name in (*REQUIRED, *_HANDS)}
    kept["shapedirs"] = used_directions(kept["shapedirs"])
    return {
        name: array.astype(np.float32) if array.dtype.kind == "f" and name not in _DOUBLE else array
        for name, array in kept.items()
    }


def _read(source: Path, folder: Path, gender: str) -> dict[str, np.ndarray]:
    """The arrays of a zip's body or of a loose one."""
    _refuse_variants(source.name, source.name)
    if _first_bytes(source).startswith(b"PK"):
        try:
            with zipfile.ZipFile(source) as archive:
                if not all(info.filename.endswith(".npy") for info in archive.infolist()):
                    return _read_from_zip(archive, source.name, folder, gender)
        except BROKEN_ZIP as error:
            if is_full(error):
                raise
            raise _unreadable(source.name, f"it is damaged or cut off ({error})") from error
    return _read_loose(source, source.name)


def _read_from_zip(archive: zipfile.ZipFile, label: str, folder: Path, gender: str) -> dict[str, np.ndarray]:
    member = _find_member(archive, label, gender)
    label = f"{member.filename} in {label}"
    if member.flag_bits & 1:
        raise _unreadable(label, "it is protected by a password. Unpack it with another program first")
    if member.file_size > MAX_FILE_BYTES:
        raise _unreadable(label, f"it claims to hold {member.file_size} bytes, more than any body has")
    loose = folder / f"unpacked{PurePosixPath(member.filename).suffix}"
    with archive.open(member) as packed, open(loose, "wb") as unpacked:
        shutil.copyfileobj(packed, unpacked, _CHUNK)  # zipfile ends at the size that was checked
    return _read_loose(loose, label)


def _find_member(archive: zipfile.ZipFile, label: str, gender: str) -> zipfile.ZipInfo:
    """The body's entry, the `.npz` rather than the `.pkl`. Raises UserError that says what the zip is instead."""
    entries = [info for info in archive.infolist() if _is_plain_file(info)]
    wanted = re.compile(rf"(^|/)smplx_{gender}\.(npz|pkl)$", re.I)
    found = [info for info in entries if wanted.search(info.filename)]
    if found:
        usual = [info for info in found if not _variant(info.filename)]
        best = min(usual or found, key=lambda info: (info.filename.lower().endswith(".pkl"), len(info.filename)))
        _refuse_variants(best.filename, f"{best.filename} in {label}")
        return best
    for info in entries:
        _refuse_variants(info.filename, f"{info.filename} in {label}")
    for pattern, family in _OTHER_FAMILIES:
        if any(pattern.search(info.filename) for info in entries):
            raise UserError(
                "body-not-smplx", "{label} contains {family} bodies, not SMPL-X.", REMEDY, label=label, family=family
            )
    raise UserError(
        "body-not-smplx",
        "{label} does not contain SMPLX_{gender}.npz or .pkl.",
        REMEDY,
        label=label,
        gender=gender.upper(),
    )


def _is_plain_file(info: zipfile.ZipInfo) -> bool:
    """Whether an entry is a file with an honest name: names never become paths, but a dishonest one is not taken."""
    path = PurePosixPath(info.filename.replace("\\", "/"))
    mode = info.external_attr >> 16
    return not (
        info.is_dir()
        or path.is_absolute()
        or ".." in path.parts
        or ":" in info.filename
        or (stat.S_IFMT(mode) not in (0, stat.S_IFREG))
    )


def _read_loose(path: Path, label: str) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` or of a pickle, told apart by their content."""
    first = _first_bytes(path)
    for pattern, what in _NOT_BODIES:
        if pattern.match(first):
            raise UserError("body-not-smplx", "{label} is {what}.", REMEDY, label=label, what=what)
    names = (*REQUIRED, *_HANDS, "poses")
    try:
        if first.startswith(b"PK"):
            return read_arrays(path, MAX_FILE_BYTES, names)
        if not first.startswith(b"\x80") and not label.lower().endswith(".pkl"):
            raise BadArchive("it is neither an .npz file nor a pickle" if first else "it is empty")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BadPickle("it is larger than any body")
        items = read_items(path)
        return {name: as_array(items[name]) for name in names if name in items}
    except UnsafePickle as error:
        said = "{label} holds more than a body: {error}. Nothing in it was executed."
        raise UserError("body-unsafe", said, REMEDY, label=label, error=error) from error
    except (BadArchive, BadPickle) as error:
        raise _unreadable(label, str(error)) from error


def _first_bytes(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(64)


def _variant(name: str) -> str:
    """Which other SMPL-X a name tells of; empty for the usual one."""
    return next((what for pattern, what in _OTHER_VARIANTS if pattern.search(name)), "")


def _refuse_variants(name: str, label: str) -> None:
    variant = _variant(name)
    if variant:
        raise UserError("body-not-smplx", "{label} is {variant}.", REMEDY, label=label, variant=variant)


def _unreadable(label: str, reason: str) -> UserError:
    return UserError(
        "body-unreadable", "{label} cannot be read as a body: {reason}.", REMEDY, label=label, reason=reason
    )
