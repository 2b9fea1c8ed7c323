# SPDX-License-Identifier: GPL-3.0-or-later
"""The layouts of motion capture's results: a function each, which finds the people in what a file holds.

The layouts are those that the programs document; of their code nothing was looked at. What holds people in one world
gives it; what knows people in a camera only is told so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ....engine.contract.inert_pickle import BadPickle
from ....engine.contract.saved_values import read_values
from ....engine.contract.sentences import Sentence
from .motion import FoundMotion, FoundPerson
from .people import MOST_FRAMES, find_person, without_bad_frames
from .poses import HUMAN3R_WHOLE, NoPoses, has_poses
from .tables import Table

CAMERA = "-y"
"""What points up in a camera's axes."""

_IN_CAMERA = (
    "The file knows people as the camera saw them, and not where they are in the world: where the camera moved, people "
    "move with it."
)
_FAR = "How far people are from the camera was guessed with a long lens: they stand farther away than they were."

_PHALP_FRAME = ("smpl", "tid")
CAMERA_POSES = ("world_from_camera", "cam2world", "c2w", "camera_poses", "camera_pose")
"""Names of (F, 4, 4) poses of a camera in the world."""

_TRAM_WORLD, _TRAM_CAMERA = ("world_cam_r", "world_cam_t"), ("pred_cam_r", "pred_cam_t")


def find_result(table: Table, path: Path) -> FoundMotion | None:
    """The people in what `path` holds, if it has a layout that is known. Raises NoPoses."""
    return next((found for find in _LAYOUTS if (found := find(table, path)) is not None), None)


def _gvhmr(table: Table, path: Path) -> FoundMotion | None:
    """`smpl_params_global` in a world with y up, `smpl_params_incam`: one person."""
    world, camera = table.table("smpl_params_global"), table.table("smpl_params_incam")
    if world is None and camera is None:
        return None
    person, notes = find_person(world or camera or table)
    if world is None:
        return FoundMotion((person,), up=CAMERA, maker="GVHMR", notes=(*notes, Sentence(_IN_CAMERA)))
    return FoundMotion((person,), up="y", maker="GVHMR", notes=notes)


def _prompthmr(table: Table, path: Path) -> FoundMotion | None:
    """`people`: by their numbers, `frames` and `smplx_world` (or only `smplx_cam`) each."""
    people = table.table("people")
    kept = _tables(people) if people is not None else {}
    worlds = {name: (entry.table("smplx_world"), entry) for name, entry in kept.items()}
    if not any(entry.table("smplx_world", "smplx_cam") for entry in kept.values()):
        return None
    has_world = all(world is not None for world, _ in worlds.values())
    found = {}
    for name, (world, entry) in worlds.items():
        chosen = (world if has_world else None) or entry.table("smplx_cam") or entry
        frames = {key: entry.entries[key] for key in ("frames", "frame_ids") if key in entry.entries}
        found[name] = Table({**frames, **chosen.entries})
    return _several(found, "PromptHMR", "" if has_world else CAMERA)


def _phalp(table: Table, path: Path) -> FoundMotion | None:
    """4D-Humans: frame by frame, lists of who (`tid`), their `smpl` in matrices, and where in the camera (`camera`)."""
    frames = [Table(entry) for entry in table.entries.values() if isinstance(entry, Mapping)]
    if not frames or any(name not in frame.entries for frame in frames for name in _PHALP_FRAME):
        return None
    rows: dict[int, list[dict[str, Any]]] = {}
    for index, frame in enumerate(frames):
        for who, smpl, place in zip(*(frame.list_of(key) for key in ("tid", "smpl", "camera")), strict=False):
            if isinstance(smpl, Mapping) and not any(row["frames"] == index for row in rows.get(_number(who), ())[-1:]):
                rows.setdefault(_number(who), []).append({**smpl, "transl": place, "frames": index})
    people = {str(who): Table(_columns(found)) for who, found in sorted(rows.items())}
    found = _several(people, "4D-Humans", CAMERA)
    return found.with_notes(Sentence(_FAR))


def _tram(table: Table, path: Path) -> FoundMotion | None:
    """`pred_rotmat`, `pred_trans`, `frame` in the camera; the camera in the world is in `camera.npy` nearby."""
    if table.name(("pred_rotmat", "pred_pose")) is None or "pred_trans" not in table.entries:
        return None
    person, notes = find_person(table)
    camera = _tram_camera(path)
    if camera is None:
        return FoundMotion((person,), up=CAMERA, maker="TRAM", notes=(*notes, Sentence(_IN_CAMERA)))
    person, said = _seen_by(person, *camera)
    return FoundMotion((person,), maker="TRAM", notes=(*notes, *said))


def _tram_camera(path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """(F, 3, 3) and (F, 3) of the camera in the world, of the file beside the tracks or above them."""
    for folder in (path.parent, path.parent.parent):
        if (folder / "camera.npy").is_file():
            try:
                camera = read_values(folder / "camera.npy")
            except (BadPickle, OSError):
                return None
            table = Table(camera if isinstance(camera, Mapping) else {})
            turn, place = (table.numbers(world, own) for world, own in zip(_TRAM_WORLD, _TRAM_CAMERA, strict=True))
            if turn is not None and place is not None and turn.size == 3 * place.size == 9 * len(turn):
                return turn.reshape(-1, 3, 3), place.reshape(-1, 3)
    return None


def _seen_by(person: FoundPerson, turn: np.ndarray, place: np.ndarray) -> tuple[FoundPerson, tuple[str, ...]]:
    """A person whose axes are those of a moving camera, in the frames in which the camera is known."""
    person = person.part(np.flatnonzero(person.frames < len(turn)))
    if not len(person.frames):
        raise NoPoses("a camera that is known in no frame of the person")
    return without_bad_frames(replace(person, rotations=turn[person.frames], offsets=place[person.frames]))


def _human3r(table: Table, path: Path) -> FoundMotion | None:
    """Human3R's own rotation vectors, (frames, people, 53, 3) or of one person, in the camera; and where that was."""
    name = table.name(HUMAN3R_WHOLE)
    turns = table.numbers(name) if name is not None else None
    if turns is None:
        return None
    count = turns.shape[1] if turns.ndim == 4 else 0
    people = {str(who): _one_of(table, who, turns.shape[:2]) for who in range(count)} or {"": table}
    poses = table.numbers(*CAMERA_POSES)
    if poses is None or poses.shape != (len(turns), 4, 4):
        return _several(people, "Human3R", CAMERA)
    found = _several(people, "Human3R", "")
    placed = [_seen_by(person, poses[:, :3, :3], poses[:, :3, 3]) for person in found.people]
    notes = [note for _, said in placed for note in said]
    return replace(found, people=tuple(person for person, _ in placed)).with_notes(*notes)


def _one_of(table: Table, who: int, size: tuple[int, ...]) -> Table:
    """What arrays of frames and people have of one of these."""
    values = {name: table.numbers(name) for name in table.entries}
    return Table({
        name: array[:, who] for name, array in values.items() if array is not None and array.shape[:2] == size
    })  # fmt: skip


def _wham(table: Table, path: Path) -> FoundMotion | None:
    """By their numbers, `pose_world` and `trans_world` each, or `pose` and `trans` in the camera."""
    people = {name: entry for name, entry in _tables(table).items() if has_poses(entry)}
    if not people:
        return None
    has_world = all("pose_world" in entry.entries for entry in people.values())
    has_camera = any("trans_cam" in entry.entries or "verts" in entry.entries for entry in people.values())
    if has_world:
        for entry in people.values():
            for own, world in (("pose", "pose_world"), ("trans", "trans_world")):
                entry.entries[own] = entry.entries.get(world)
    return _several(people, "WHAM", CAMERA if has_camera and not has_world else "")


def _parameters(table: Table, path: Path) -> FoundMotion | None:
    """SMPL-X's parameters as they are, or in a table of their own."""
    if has_poses(table):
        return _several({"": table}, "SMPL", "")
    inner = table.table("smplx", "smpl", "smplx_params", "smpl_params", "params")
    return _several({"": inner}, "SMPL", "") if inner is not None and has_poses(inner) else None


_LAYOUTS: tuple[Callable[[Table, Path], FoundMotion | None], ...] = (
    _gvhmr,
    _prompthmr,
    _phalp,
    _tram,
    _human3r,
    _parameters,
    _wham,
)


def _several(tables: Mapping[str, Table], maker: str, up: str) -> FoundMotion:
    """The people of some tables; each sentence about them is said once. Raises NoPoses where there are none."""
    people, notes = [], {}
    problem = NoPoses("nobody in it")
    for table in tables.values():
        try:
            person, said = find_person(table)
        except NoPoses as error:
            problem = error
            continue
        people.append(person)
        notes.update(dict.fromkeys(said))
    if not people:
        raise problem
    if up == CAMERA:
        notes[Sentence(_IN_CAMERA)] = None
    if len(people) < len(tables):
        left_out = "{count} of the people were left out: {what}."
        notes[Sentence(left_out, count=len(tables) - len(people), what=problem)] = None
    return FoundMotion(tuple(people), up=up, maker=maker, notes=tuple(notes))


def _tables(table: Table) -> dict[str, Table]:
    return {name: Table(entry) for name, entry in table.entries.items() if isinstance(entry, Mapping)}


def _columns(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Values of frame after frame as lists, of the entries that all frames have."""
    names = set.intersection(*(set(row) for row in rows))
    return {name: [row[name] for row in rows] for name in names}


def _number(value: Any) -> int:
    """Somebody's number; what is none is -1."""
    number = Table({"it": value}).numbers("it")
    return int(number[0]) if number is not None and number.size == 1 and abs(number[0]) < MOST_FRAMES else -1
