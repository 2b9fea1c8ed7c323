# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads `annotations.json`: joints of real people in some frames of some clips, noted by eye, in pixels.

A clip's entry has `frames`: by the number of a frame (in decoding order, from 0) the people in it, and an empty list
where nobody is. A person has `box` (left, top, right, bottom of what can be seen), `joints` (by the names of `points`;
left and right are the person's own; what cannot be seen is not listed) and maybe `id`, the same for the same person all
over the clip. `facts` may have `camera`, "fixed" where it stands still, a `flight` and `centre_of_mass_px` in some of
its frames. The clip lies beside the file under its name, or is the `member` of a wheel, `package` (NAME==VERSION).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...contract.errors import UserError
from ...contract.json_checks import read_json
from .falling import TrueFlight, read_flight
from .points import POINT_NAMES

FILE_NAME = "annotations.json"


@dataclass(frozen=True)
class AnnotatedPerson:
    """Somebody in one frame."""

    box_px: np.ndarray
    """(4,) left, top, right, bottom of what can be seen."""
    joints_px: Mapping[str, np.ndarray]
    """(2,) by name; those that can be seen."""
    name: str | None
    """The same for the same person all over the clip; None where the file does not say."""

    @property
    def height_px(self) -> float:
        """What errors are shares of."""
        return float(self.box_px[3] - self.box_px[1])


@dataclass(frozen=True)
class FootagePlace:
    """Where a clip is to be found: beside the file under its name, or in a wheel."""

    name: str
    package: str = ""
    """NAME==VERSION, or empty."""
    member: str = ""
    sha256: str = ""
    """Of the wheel, where the file gives it."""


@dataclass(frozen=True)
class AnnotatedClip:
    """What is known of one clip."""

    place: FootagePlace
    frames: Mapping[int, tuple[AnnotatedPerson, ...]]
    flight: TrueFlight | None = None
    camera_is_fixed: bool = False
    """Whether it is known to stand still."""

    @property
    def name(self) -> str:
        return self.place.name

    @property
    def person_count(self) -> int | None:
        """How many different people there are among those annotated; None where the file does not tell them apart."""
        people = [person for people in self.frames.values() for person in people]
        names = {person.name for person in people if person.name is not None}
        return len(names) if people and all(person.name is not None for person in people) else None


def read_annotations(folder: Path) -> list[AnnotatedClip]:
    """The clips of a folder's `annotations.json`. Raises UserError (`annotations-unreadable`)."""
    path = folder / FILE_NAME
    with explained_reading(path):
        clips = read_json(path)["clips"]
        return [_clip(name, entry) for name, entry in clips.items()]


@contextmanager
def explained_reading(path: Path) -> Iterator[None]:
    """Turn whatever is wrong in a file of notes into UserError (`annotations-unreadable`)."""
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        reason = f"there is no {error}" if isinstance(error, KeyError) else getattr(error, "strerror", None) or error
        raise UserError(
            "annotations-unreadable",
            "{path} cannot be read: {reason}.",
            "Give a folder with annotations.json, in the layout that docs/build/evaluation.md describes.",
            path=path,
            reason=reason,
        ) from error


def _clip(name: str, entry: dict[str, Any]) -> AnnotatedClip:
    place = FootagePlace(name, entry.get("package", ""), entry.get("member", ""), entry.get("sha256", ""))
    frames = {int(number): tuple(map(_person, people)) for number, people in entry["frames"].items()}
    facts = entry.get("facts", {})
    fixed = facts.get("camera") == "fixed"
    return AnnotatedClip(place, dict(sorted(frames.items())), read_flight(facts), fixed)


def _person(entry: dict[str, Any]) -> AnnotatedPerson:
    box = np.array(entry["box"], dtype=np.float64)
    # What has another name, such as the tip of a nose, is not measured.
    joints = {
        name: np.array(entry["joints"][name], dtype=np.float64) for name in POINT_NAMES if name in entry["joints"]
    }
    if box.shape != (4,) or not box[3] > box[1]:
        raise ValueError(f"{entry['box']} is no box")
    if any(place.shape != (2,) for place in joints.values()):
        raise ValueError("a joint is two numbers, x and y")
    return AnnotatedPerson(box, joints, entry.get("id"))
