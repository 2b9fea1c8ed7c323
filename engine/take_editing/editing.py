# SPDX-License-Identifier: GPL-3.0-or-later
"""A take with other people: read record by record, written to a new file. What no edit touches is copied byte by byte.

The take is read twice, and once more for filling gaps: first who is in which picture, then what is written. So memory
holds no pictures, masks or points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..contract.body_choice import body_file, choose_body_of_take, warning_about_body
from ..contract.body_model import BodyModel
from ..contract.errors import UserError
from ..contract.messages import FinalFrame, Frame, Message
from ..contract.take import SettledTakeReader, TakeReader, records
from ..contract.take_rewriting import refuse_existing, refuse_source, rewrite_take
from ..motion.people_of_take import PersonInFrame
from .bridging import BRIDGED_SCORE, OF_PEOPLE, bridges
from .edits import Edit
from .roll import Entry, Roll


@dataclass(frozen=True)
class FillGaps:
    """How pictures are filled that missed people. Raises UserError (``bad-edit``)."""

    limit_s: float
    """Longest time in seconds between two pictures with a person that is bridged; longer gaps stay."""
    body: str = ""
    """The body file to place people with; empty for the take's own."""
    installed_body: Path = Path()
    """Where an installed SMPL-X body would lie."""

    def __post_init__(self) -> None:
        if not self.limit_s > 0:
            raise UserError(
                "bad-edit",
                "The longest gap to fill is {limit_s} seconds.",
                "Use seconds above 0.",
                limit_s=self.limit_s,
            )


@dataclass(frozen=True)
class EditedTake:
    """What came out."""

    people: list[Entry]
    changed: int
    """Pictures whose people differ from those of the take that was read."""
    bridged: int
    """Pictures that people were added to."""
    notes: list[str]
    """Sentences for the person: where the take is cut off, or that the body is another than the take's."""


def list_people(path: Path) -> tuple[list[Entry], str | None]:
    """Who is in a take, and the sentence that says where it is cut off. Raises UserError."""
    with TakeReader(path) as reader:
        return Roll(reader).entries(), reader.problem


def edit_take(
    source: Path, target: Path, edits: Sequence[Edit], fill: FillGaps | None = None, overwrite: bool = False
) -> EditedTake:
    """Write the take `source` with edited people to `target`: the edits in their order, and the filling last.

    The source is only read. Raises UserError (``take-unreadable``, ``take-exists``, ``take-unwritable``, ``disk-full``,
    ``no-such-person`` and what else the edits raise); then there is no target, or the one there was.
    """
    with TakeReader(source) as reader:
        roll = Roll(reader)
        refuse_source(source, target)
        refuse_existing(target, overwrite)
        notes = [] if reader.problem is None else [reader.problem]
        for edit in edits:
            edit.apply(roll)
        added: dict[int, list[PersonInFrame]] = {}
        if fill is not None:
            body, warning = _body_of(reader, fill)
            added = bridges(_frames(source, roll.end), roll, fill.limit_s, body)
            notes += [warning] if warning else []
        edited_frames = _Edited(roll, added)
        rewrite_take(source, target, roll.on_header(reader.header), edited_frames.becomes, roll.end)
    with TakeReader(target) as edited:
        people = Roll(edited).entries()
    return EditedTake(people, edited_frames.changed, len(added), notes)


class _Edited:
    """What messages become, one after the other; `changed` counts the frames that are not copies."""

    def __init__(self, roll: Roll, added: dict[int, list[PersonInFrame]]) -> None:
        self._roll, self._added, self._picture = roll, added, 0
        self.changed = 0

    def becomes(self, message: Message) -> list[Message]:
        if isinstance(message, FinalFrame):
            return [_with_ids(message, self._roll)]
        if not isinstance(message, Frame):
            return [message]
        edited = _edited(message, self._roll, self._picture, self._added.get(self._picture, []))
        self._picture += 1
        self.changed += edited is not message
        return [edited]


def _edited(frame: Frame, roll: Roll, picture: int, added: list[PersonInFrame]) -> Frame:
    """A frame with the people that the roll and the bridges say; the same object where nothing differs."""
    rows = slice(roll.starts[picture], roll.starts[picture + 1])
    kept, track = roll.kept[rows], roll.track[rows]
    if kept.all() and np.array_equal(track, roll.read_as[rows]) and not added:
        return frame
    arrays: dict[str, Any] = {name: getattr(frame, name)[kept] for name in OF_PEOPLE}
    arrays["track_id"] = track[kept]
    edited = replace(frame, **arrays)
    for bridge in added:
        edited = _with(edited, bridge)
    return edited


def _with_ids(final: FinalFrame, roll: Roll) -> FinalFrame:
    """A final frame of the people that the roll keeps, under their new ids; the same object where nothing differs."""
    rows = slice(roll.starts[final.index], roll.starts[final.index + 1])
    became = dict(zip(roll.read_as[rows], np.where(roll.kept[rows], roll.track[rows], -1), strict=True))
    track = np.array([became.get(int(one), -1) for one in final.track_id], np.int32)
    if np.array_equal(track, final.track_id):
        return final
    kept = track >= 0
    arrays: dict[str, Any] = {name: getattr(final, name)[kept] for name in OF_PEOPLE if hasattr(final, name)}
    return replace(final, **arrays | {"track_id": track[kept]})


def _with(frame: Frame, bridge: PersonInFrame) -> Frame:
    """A frame with one more person, in the last row."""
    head = bridge.head_point
    depth = head[2] if abs(head[2]) > 1e-6 else 1e-6
    row = {
        "track_id": bridge.track_id, "score": BRIDGED_SCORE, "pose_axis_angle": bridge.pose_axis_angle,
        "betas": bridge.betas, "expression": bridge.expression, "translation": bridge.translation,
        "head_point": head, "head_px": frame.focal_px * head[:2] / depth + frame.principal_point_px,
    }  # fmt: skip
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(frame, name), np.asarray(row[name])[None]]) for name in OF_PEOPLE
    }
    return replace(frame, **arrays)


def _body_of(reader: TakeReader, fill: FillGaps) -> tuple[BodyModel, str]:
    choice = fill.body or choose_body_of_take(reader.header, fill.installed_body)
    body = BodyModel.load(body_file(choice))
    return body, warning_about_body(reader.header, choice, body)


def _frames(source: Path, end: int) -> Iterator[Frame]:
    with SettledTakeReader(source) as reader:
        for message, _, offset in records(reader):
            if offset > end:
                return
            if isinstance(message, Frame):
                yield message
