# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion files: which there are, and what one holds. Nothing in a file is ever executed. Numpy only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ....engine.contract.array_archive import BadArchive, read_arrays
from ....engine.contract.errors import UserError
from ....engine.contract.framing import MAGIC
from ....engine.contract.inert_pickle import BadPickle, UnsafePickle
from ....engine.contract.media import files_in
from ....engine.contract.saved_values import read_values
from ....engine.contract.sentences import Sentence
from . import people, poses
from .motion import FoundMotion
from .poses import NoPoses
from .results import CAMERA_POSES, find_result
from .tables import Table

SUFFIXES = (".npz", ".pkl", ".pickle", ".pt", ".pth", ".npy")

RATES = ("mocap_frame_rate", "mocap_framerate", "fps", "frame_rate", "framerate", "mocap_fps")
SCALE = "human3r_scale"
"""How much larger than the body the scene showed the person, in files that this add-on wrote."""
BODY_NAME = "human3r_body"

REMEDY = (
    "Import a take (.h3r), a motion with SMPL-X, SMPL-H or SMPL poses (.npz, such as those of AMASS), or the results "
    "of GVHMR, WHAM, 4D-Humans, TRAM, PromptHMR or Human3R (.pt, .pkl, .npy, .npz)."
)

_RESULTS = ("hmr4d_results.pt", "wham_output.pkl", "results.pkl")
"""The file that matters in a folder of results."""
_IN_FOLDERS = (".npz", ".pkl", ".pt", ".pth")
_LIMIT_BYTES = 1 << 30
_BODY = "v_template"
_ARCHIVE_NAMES = (*poses.NAMES, *people.NAMES, *CAMERA_POSES, *RATES, "gender", SCALE, BODY_NAME, _BODY)


def sources_in(folder: Path) -> list[Path]:
    """The motion files that a folder stands for: its results where it has some, TRAM's tracks, or all motions in it."""
    results = [folder / name for name in _RESULTS if (folder / name).is_file()]
    tracks = files_in(folder / "hps", (".npy",)) if (folder / "hps").is_dir() else []
    if results or tracks:
        return results or [folder]
    return files_in(folder, _IN_FOLDERS)


def is_motion(path: Path) -> bool:
    """Whether a path is meant for a motion: whatever is no take, by its name and by its first bytes."""
    if path.suffix.lower() == ".h3r":
        return False
    try:
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) != MAGIC
    except OSError:
        return True


def read(path: Path) -> FoundMotion:
    """What a motion file holds. Raises UserError: ``motion-missing``, ``motion-unreadable``, ``motion-unsafe``,
    ``motion-not-smplx``."""
    if path.is_dir() and sources_in(path) == [path]:
        return _together([_read(track) for track in files_in(path / "hps", (".npy",))])
    if path.is_dir():
        raise UserError("motion-missing", "There is nothing in {path} that can be imported.", REMEDY, path=path)
    if not path.is_file():
        raise UserError("motion-missing", "There is no file {path}.", REMEDY, path=path)
    return _read(path)


def _read(path: Path) -> FoundMotion:
    try:
        with open(path, "rb") as file:
            first = file.read(2)
        is_archive = first == b"PK" and path.suffix.lower() not in (".pt", ".pth")
        return _from_archive(path) if is_archive else _from_values(path)
    except UnsafePickle as error:
        said = "{path} holds more than a motion: {error}. Nothing in it was executed."
        raise UserError("motion-unsafe", said, REMEDY, path=path, error=error) from error
    except (BadArchive, BadPickle, OSError) as error:
        said = "{path} cannot be read: {error}."
        raise UserError("motion-unreadable", said, REMEDY, path=path, error=error) from error
    except NoPoses as error:
        code = "motion-unreadable" if "impossible" in str(error) or "positions" in str(error) else "motion-not-smplx"
        raise UserError(code, "{path} cannot be imported: it has {what}.", REMEDY, path=path, what=error) from error


def _from_archive(path: Path) -> FoundMotion:
    unreadable: dict[str, str] = {}
    table = Table(read_arrays(path, _LIMIT_BYTES, _ARCHIVE_NAMES, unreadable))
    table.unreadable |= set(unreadable)
    found = find_result(table, path)
    if found is None and _BODY in table.entries:
        raise UserError("motion-not-smplx", "{path} is a body, not a motion.", REMEDY, path=path)
    if found is None:
        raise _unknown(path, next(iter(unreadable.values()), "it has no poses"))
    return _described(replace(found, maker="AMASS") if found.maker == "SMPL" else found, table)


def _from_values(path: Path) -> FoundMotion:
    value = read_values(path)
    table = Table(value if isinstance(value, dict) else dict(enumerate(value)) if isinstance(value, list) else {})
    found = find_result(table, path)
    if found is None:
        raise _unknown(path, "it has no poses")
    return _described(found, table)


def _described(found: FoundMotion, table: Table) -> FoundMotion:
    """The motion with what the table says about all of it, and with what was left out."""
    rate, scale, gender = table.numbers(*RATES), table.numbers(SCALE), table.text("gender")
    if scale is not None and not _one(scale):
        table.unreadable.add(SCALE)
    found = replace(
        found,
        frame_rate=_one(rate),
        scale=_one(scale) or 1.0,
        gender=gender or "neutral",
        body=table.text(BODY_NAME),
        up=found.up or ("z" if BODY_NAME in table.entries else ""),  # which this add-on wrote
    )
    if gender not in ("", "neutral"):
        said = "The motion was made with a {gender} body. Shape and height differ slightly on the neutral body."
        found = found.with_notes(Sentence(said, gender=gender))
    if table.unreadable:
        said = "These entries of the file cannot be read and were left out: {names}."
        found = found.with_notes(Sentence(said, names=", ".join(sorted(table.unreadable))))
    return found


def _one(given: np.ndarray | None) -> float:
    """The number that an array holds, where it is one that is possible; else 0."""
    if given is None or not given.size or not (given == given.flat[0]).all() or not 1e-3 <= given.flat[0] <= 1e5:
        return 0.0
    return float(given.flat[0])


def _together(found: Iterable[FoundMotion]) -> FoundMotion:
    """Files of one person each as one motion, in the same world."""
    motions = list(found)
    several = [person for motion in motions for person in motion.people]
    notes = dict.fromkeys(note for motion in motions for note in motion.notes)
    return replace(motions[0], people=tuple(several), notes=tuple(notes))


def _unknown(path: Path, why: str) -> UserError:
    said = "{path} is not a motion that can be imported: {why}."
    return UserError("motion-not-smplx", said, REMEDY, path=path, why=why)
