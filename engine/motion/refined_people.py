# SPDX-License-Identifier: GPL-3.0-or-later
"""All people of a take cleaned up and their places refined, as final frames that follow those the take has."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from ..contract.body_model import BodyModel
from ..contract.errors import UserError
from ..contract.messages import CameraSummary, FinalFrame, Frame, Message, ScenePoints
from ..contract.soundness import Sieve
from ..contract.take import SettledTakeReader
from ..contract.take_rewriting import refuse_unfinished
from .clean_up import CleanUpSettings, clean_up
from .ground_of_take import ground_of_frames
from .people_of_take import PersonOfTake, motion_in_frames, people_of_take

_MOST_FRAMES = 400
"""Frames that tell where up is, where the final pass does not; longer takes are sampled evenly."""

_OF_PEOPLE = ("pose_axis_angle", "betas", "expression", "translation", "head_point")


@dataclass(frozen=True)
class SeenTake:
    """What a take says of its people before they are refined: its sound frames without their masks, and up."""

    frames: list[Frame]
    up: np.ndarray
    """(3,) unit vector away from the floor, take world."""

    @classmethod
    def read(cls, path: Path, body: BodyModel, finished: bool = True) -> SeenTake:
        """From a take, as its final pass left it; one that is still being written only where it need not be `finished`.

        Raises UserError (``take-unreadable``, ``take-unfinished``, ``take-without-camera``).
        """
        seen, frame_count = _Seen(), 0
        with SettledTakeReader(path, refined=False) as reader:
            for message in reader:
                seen.add(message)
                frame_count += isinstance(message, Frame)
            if finished:
                refuse_unfinished(reader, frame_count)
        if frame_count and not seen.frames:
            raise UserError(
                "take-without-camera",
                "No frame of the take {path} has a camera that can be used.",
                "Capture the footage again.",
                path=path,
            )
        return cls(seen.frames, seen.up(body))


class _Seen:
    """What was read so far."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self._sieve, self._points = Sieve(), list[np.ndarray]()
        self._up: np.ndarray | None = None

    def add(self, message: Message) -> None:
        match self._sieve.sound(message):
            case Frame() as frame:
                self.frames.append(_without_mask(frame))
            case ScenePoints() as points:
                self._points = [*([] if points.replaces_all else self._points), points.position.copy()]
            case CameraSummary(floor_known=True, up=up):
                self._up = up

    def up(self, body: BodyModel) -> np.ndarray:
        """Where the final pass found it, or else people, cameras and points tell."""
        if self._up is not None or not self.frames:
            return np.array([0.0, -1.0, 0.0]) if self._up is None else self._up
        sample = self.frames[:: -(-len(self.frames) // _MOST_FRAMES)]
        return ground_of_frames(sample, np.concatenate([np.zeros((0, 3)), *self._points]), body).up


def refined_people(
    take: SeenTake, body: BodyModel, settings: CleanUpSettings | None = None
) -> Generator[float, None, list[FinalFrame]]:
    """Yields the share that is done; returns a final frame for each frame with people. `body` is the take's.

    Everybody has one shape, the median of what was seen. Raises UserError (``take-damaged``) as
    :func:`.people_of_take.people_of_take` does.
    """
    people = people_of_take(take.frames, body)
    rows: list[dict[int, dict[str, np.ndarray]]] = [{} for _ in take.frames]
    for number, person in enumerate(people):
        for place, row in zip(person.places.tolist(), _refined(person, take.up, body, settings), strict=True):
            rows[place][person.track_id] = row
        yield (number + 1) / len(people)
    return [_final(frame, own) for frame, own in zip(take.frames, rows, strict=True) if own]


def _refined(
    person: PersonOfTake, up: np.ndarray, body: BodyModel, settings: CleanUpSettings | None
) -> Iterator[dict[str, np.ndarray]]:
    """What final frames say of a person, one frame after the other."""
    motion = clean_up(person.motion, up, settings, person.cameras[:, :3, 3]).motion
    poses, translation, heads = motion_in_frames(motion, person.betas, person.expression, person.cameras, body)
    betas = np.broadcast_to(person.betas, (len(motion), len(person.betas)))
    columns = [np.asarray(values, np.float32) for values in (poses, betas, person.expression, translation, heads)]
    return (dict(zip(_OF_PEOPLE, row, strict=True)) for row in zip(*columns, strict=True))


def _final(frame: Frame, people: dict[int, dict[str, np.ndarray]]) -> FinalFrame:
    own = [people[int(track)] for track in frame.track_id]
    return FinalFrame(
        index=frame.index,
        focal_px=frame.focal_px,
        world_from_camera=frame.world_from_camera,
        principal_point_px=frame.principal_point_px,
        track_id=frame.track_id,
        refined=True,
        **{name: np.stack([one[name] for one in own]) for name in _OF_PEOPLE},
    )


def _without_mask(frame: Frame) -> Frame:
    """Copies, because a frame's arrays are views of its whole record, mask and all."""
    arrays = {item.name: getattr(frame, item.name).copy() for item in fields(frame) if "dtype" in item.metadata}
    return replace(frame, mask_size=(0, 0), **arrays | {"mask_bits": np.zeros(0, np.uint8)})
