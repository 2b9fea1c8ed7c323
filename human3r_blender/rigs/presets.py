# SPDX-License-Identifier: GPL-3.0-or-later
"""Rig presets: which bones of a kind of rig fill which slots, as JSON files, the shipped ones and the user's own.

docs/use/retargeting.md describes the file. Everything is checked on reading; nothing in a file is executed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...engine.contract.errors import UserError
from ...engine.contract.json_checks import BadJson, is_number, read_json
from ...engine.contract.sentences import Sentence
from ...engine.contract.whole_file import explained_write_errors, whole_file
from .slots import CENTRAL, CHAINS, PAIRED, SIDES, SLOTS

SCHEMA = 1
SHIPPED = Path(__file__).parent / "presets"

EVIDENCE = {
    "rig": "Run on the real rig",
    "skeleton": "Run on the real rig's skeleton, not on a whole character",
    "reconstruction": "This preset has not been run on its rig, only on a reconstruction of it",
    "none": "This preset has not been run on its rig",
}
"""What `tested_on` in a preset can say, and how the panel and the documentation put it."""

_KEYS = {
    "schema",
    "name",
    "description",
    "tested_on",
    "tested",
    "sides",
    "prefix",
    "bones",
    "measured",
    "ik",
    "switches",
}
_LIMBS = ("arm", "leg")
_LONGEST = 200
"""Characters of a preset's name, of a bone's with all its alternatives, of a side and of a prefix."""
_MOST_BYTES = 1 << 20
_MOST_REPETITIONS = 3
"""In a prefix. A name of 63 letters is tried in 63 ways for each."""


@dataclass(frozen=True)
class IkLimb:
    """The inverse-kinematics controls of one limb; empty names where the rig has none."""

    target: str
    """Control that the hand or the foot follows in place and rotation."""
    pole: str = ""
    """Control that the elbow or the knee points at."""
    toe: str = ""
    """Control of the toes while the leg is on IK, where it is another than with FK."""


@dataclass(frozen=True)
class Switch:
    """A custom property of a pose bone and its value for FK and for IK controls."""

    bone: str
    property: str
    fk: float
    ik: float


@dataclass(frozen=True)
class Preset:
    """Bone names by slot. A name may hold alternatives between `|`, of which the first that the rig has is meant."""

    name: str
    bones: Mapping[str, tuple[str, ...]]
    description: str = ""
    tested_on: str = "none"
    """A key of `EVIDENCE`."""
    tested: str = ""
    """What it was tested on, in a sentence."""
    prefix: str = ""
    """Regular expression of what stands before every bone's name in some files (`mixamorig:`), or nothing."""
    measured: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By slot, the bones that show where limbs are, where controls do not: one per bone of the slot."""
    ik: Mapping[str, IkLimb] = field(default_factory=dict)
    """By `left_arm`, `right_arm`, `left_leg`, `right_leg`."""
    switches: tuple[Switch, ...] = ()

    def describe(self) -> str:
        """What it is for and whether it was run there, as a tooltip; empty for a preset that says neither."""
        tested = f"{EVIDENCE[self.tested_on]}: {self.tested}" if self.tested else ""
        return ". ".join(part for part in (self.description, tested) if part)


def read(path: Path) -> Preset:
    """Read and check one file. Raises UserError (``preset-unreadable``, ``preset-invalid``)."""
    try:
        found = _read(path, path.stat().st_mtime_ns)
    except (OSError, ValueError) as error:
        found = _unreadable(path, error)
    if isinstance(found, UserError):
        raise found.with_traceback(None)
    return found


@lru_cache(maxsize=1024)  # the panel asks for all presets whenever it is drawn, and those that are wrong remain so
def _read(path: Path, changed_ns: int) -> Preset | UserError:
    try:
        return parse(read_json(path, _MOST_BYTES), path.name)
    except UserError as error:
        return error
    except BadJson as error:
        return _unreadable(path, error)


def _unreadable(path: Path, error: Exception) -> UserError:
    return UserError(
        "preset-unreadable",
        "The rig preset {name} cannot be read: {error}.",
        "Correct the file, or delete it.",
        name=path.name,
        error=error,
    )


def parse(values: Any, source: str) -> Preset:
    """A preset from decoded JSON; `source` names it in errors. Raises UserError (``preset-invalid``)."""
    _check(isinstance(values, dict), source, "it is not a JSON object")
    _check(values.get("schema") == SCHEMA, source, f"its schema is {values.get('schema')!r} instead of {SCHEMA}")
    unknown = sorted(values.keys() - _KEYS)
    _check(not unknown, source, f"unknown keys: {', '.join(unknown)}")
    for key in ("name", "description", "tested", "tested_on", "prefix"):
        _check(isinstance(values.get(key, ""), str), source, f"{key} is not text")
    _check(bool(values.get("name", "").strip()), source, "it has no name")
    _check(values["name"].isprintable() and len(values["name"]) <= _LONGEST, source, "its name cannot be shown")
    _check(values.get("tested_on", "none") in EVIDENCE, source, f"tested_on is not one of {', '.join(EVIDENCE)}")
    _check_prefix(values.get("prefix", ""), source)
    sides = values.get("sides", ["L", "R"])
    _check(
        isinstance(sides, list) and len(sides) == 2 and all(_is_name(side) for side in sides),
        source,
        "sides is not a list of two short texts, for left and right",
    )
    bones = _slots(values.get("bones"), sides, "bones", source)
    measured = _slots(values.get("measured", {}), sides, "measured", source)
    for slot, names in measured.items():
        _check(
            slot in bones and len(names) == len(bones[slot]),
            source,
            f"measured {slot} does not have as many bones as {slot}",
        )
    return Preset(
        name=values["name"], bones=bones, description=values.get("description", ""),
        tested_on=values.get("tested_on", "none"), tested=values.get("tested", ""), prefix=values.get("prefix", ""),
        measured=measured, ik=_limbs(values.get("ik", {}), sides, source),
        switches=_switches(values.get("switches", []), sides, source),
    )  # fmt: skip


def _check_prefix(prefix: str, source: str) -> None:
    """A regular expression that is quick on every name: few repetitions, and none of something that repeats."""
    _check(len(prefix) <= _LONGEST, source, "prefix is too long")
    repeated = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]|\(\?", "x", prefix)
    slow = len(re.findall(r"[*+?{]", repeated)) > _MOST_REPETITIONS or re.search(r"\)[*+{]", repeated)
    _check(not slow, source, "prefix repeats too much")
    _check(not re.search(r"\(\?[a-zA-Z]*x", prefix), source, "prefix is a regular expression with comments")
    try:
        re.compile(prefix, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise _invalid(source, f"prefix is not a regular expression: {error}") from error


def as_json(preset: Preset) -> dict[str, Any]:
    """The file's content, every side spelt out."""
    return {
        "schema": SCHEMA, "name": preset.name, "description": preset.description, "tested_on": preset.tested_on,
        "tested": preset.tested, "prefix": preset.prefix,
        "bones": {slot: list(names) for slot, names in preset.bones.items()},
        "measured": {slot: list(names) for slot, names in preset.measured.items()},
        "ik": {limb: {key: value for key, value in vars(controls).items() if value}
               for limb, controls in preset.ik.items()},
        "switches": [vars(switch) for switch in preset.switches],
    }  # fmt: skip


def write(preset: Preset, folder: Path) -> Path:
    """Save a preset in a folder, whole or not at all; one of the same name is replaced. Raises UserError."""
    stem = re.sub(r"[^\w-]+", "_", preset.name).strip("_").lower()
    if not stem:
        raise UserError("preset-unnamed", "The rig preset has no name.", "Enter a name with letters or digits.")
    path, remedy = folder / f"{stem}.json", "Free some space, or check the permissions."
    with (
        explained_write_errors(Sentence("{path} cannot be written", path=path), "preset-unwritable", remedy),
        whole_file(path) as written,
    ):
        written.write_text(json.dumps(as_json(preset), indent=2), encoding="utf-8")
    return path


def path_of(name: str, folder: Path) -> Path | None:
    """The file in a folder that holds the preset called `name`; None where there is none."""
    for path in sorted(folder.glob("*.json")):
        try:
            if read(path).name == name:
                return path
        except UserError:
            continue
    return None


def find_all(*folders: Path) -> tuple[dict[str, Preset], list[UserError]]:
    """Presets by their names out of the shipped folder and the given ones, later ones first in their place; and what is
    wrong with files that cannot be used."""
    found: dict[str, Preset] = {}
    problems = []
    for folder in (SHIPPED, *folders):
        for path in sorted(folder.glob("*.json")):
            try:
                preset = read(path)
            except UserError as error:
                problems.append(error)
            else:
                found[preset.name] = preset
    return found, problems


def _slots(values: Any, sides: list[str], key: str, source: str) -> dict[str, tuple[str, ...]]:
    _check(
        isinstance(values, dict) and (bool(values) or key != "bones"),
        source,
        f"{key} is not an object with a bone for each slot",
    )
    found: dict[str, tuple[str, ...]] = {}
    for slot, names in values.items():
        names = [names] if isinstance(names, str) else names
        _check(
            isinstance(names, list) and bool(names) and all(_is_name(name) and name for name in names),
            source,
            f"{key} {slot} is neither a bone name nor a list of bone names",
        )
        _check(slot in CENTRAL or slot in PAIRED or slot in SLOTS, source, f"there is no slot {slot}")
        _check(len(names) == 1 or slot in CHAINS, source, f"{key} {slot} takes only one bone")
        for side, code in zip(SIDES, sides, strict=True) if slot in PAIRED else (("", ""),):
            found[f"{side}_{slot}" if side else slot] = tuple(name.replace("{side}", code) for name in names)
    return found


def _limbs(values: Any, sides: list[str], source: str) -> dict[str, IkLimb]:
    _check(isinstance(values, dict), source, "ik is not an object with controls for each limb")
    found = {}
    for limb, controls in values.items():
        both = limb in _LIMBS
        _check(
            both or limb in {f"{side}_{name}" for side in SIDES for name in _LIMBS}, source, f"there is no limb {limb}"
        )
        _check(
            isinstance(controls, dict)
            and "target" in controls
            and controls.keys() <= {"target", "pole", "toe"}
            and all(_is_name(name) for name in controls.values()),
            source,
            f"ik {limb} needs a target, and takes only a pole and a toe besides",
        )
        for side, code in zip(SIDES, sides, strict=True) if both else (("", ""),):
            names = {key: name.replace("{side}", code) for key, name in controls.items()}
            found[f"{side}_{limb}" if side else limb] = IkLimb(**names)
    return found


def _switches(values: Any, sides: list[str], source: str) -> tuple[Switch, ...]:
    _check(isinstance(values, list), source, "switches is not a list")
    found = []
    for item in values:
        _check(
            isinstance(item, dict)
            and item.keys() == {"bone", "property", "fk", "ik"}
            and _is_name(item["bone"])
            and _is_name(item["property"])
            and all(isinstance(item[mode], bool) or is_number(item[mode]) for mode in ("fk", "ik")),
            source,
            "a switch does not have a bone, a property, and numbers for fk and ik",
        )
        for code in sides if "{side}" in item["bone"] else ("",):
            found.append(
                Switch(item["bone"].replace("{side}", code), item["property"], float(item["fk"]), float(item["ik"]))
            )
    return tuple(found)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST


def _check(holds: bool, source: str, problem: str) -> None:
    if not holds:
        raise _invalid(source, problem)


def _invalid(source: str, problem: str) -> UserError:
    return UserError(
        "preset-invalid",
        "The rig preset {source} cannot be used: {problem}.",
        "Correct the file as described in docs/use/retargeting.md, or delete it.",
        source=source,
        problem=problem,
    )
