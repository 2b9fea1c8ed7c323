# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages without what no scene can hold: numbers that are none, and such as nothing on earth has.

A damaged take, one that somebody has made, or a model that went astray can say anything. What is sound arrives; bad
rows are left out and counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from typing import Any

import numpy as np

from .messages import Backdrop, CameraSummary, FinalFrame, FocalLength, Frame, Message, ScenePoints, TakeHeader
from .sentences import Sentence

FARTHEST_M = 1e5
"""Coordinates beyond that are none."""
LARGEST_NUMBER = 1e4
"""Of angles and of the numbers that shapes and faces are made of."""
LATEST_S = 1e6
MOST_RATE = 1000.0
LEAST_RATE = 1e-3
MOST_SIDE = 1 << 16
ASSUMED_RATE, ASSUMED_SIZE = 24.0, (1920, 1080)
_FOCAL_PX = (1e-2, 1e7)
_LEAST_SCALE = 0.5
"""Of a pose's axes, which are 1 long."""

_PERSON = {
    "pose_axis_angle": LARGEST_NUMBER, "betas": LARGEST_NUMBER, "expression": LARGEST_NUMBER,
    "translation": FARTHEST_M, "head_point": FARTHEST_M,
}  # fmt: skip
_SAID = {
    "frames": "{count} frames with impossible values were left out.",
    "people": "{count} times a person's values in a frame were impossible, and were left out.",
    "points": "{count} scene points with impossible coordinates were left out.",
    "others": "{count} other records with impossible values were left out.",
    "rate": "The take's frame rate is impossible: 24 frames per second were assumed.",
    "size": "The take's image size is impossible: 1920 x 1080 pixels were assumed.",
}


class Sieve:
    """Lets through what is sound, and counts the rest."""

    def __init__(self) -> None:
        self._left_out: Counter[str] = Counter()

    def header(self, header: TakeHeader) -> TakeHeader:
        """A header whose rate and size are possible."""
        if not LEAST_RATE <= header.frame_rate <= MOST_RATE:
            self._left_out["rate"] = 1
            header = replace(header, frame_rate=ASSUMED_RATE)
        if max(header.footage_size) > MOST_SIDE:
            self._left_out["size"] = 1
            header = replace(header, footage_size=ASSUMED_SIZE)
        return header

    def sound(self, message: Message) -> Message | None:
        """A message, or what of it is sound; None where nothing is."""
        if isinstance(message, Frame | FinalFrame):
            return self._frame(message)
        if isinstance(message, ScenePoints):
            return self._points(message)
        if isinstance(message, FocalLength | CameraSummary | Backdrop) and not _has_sound_numbers(message):
            self._left_out["others"] += 1
            return None
        return message

    @property
    def notes(self) -> list[Sentence]:
        """What was left out, a sentence each."""
        return [Sentence(said, count=self._left_out[kind]) for kind, said in _SAID.items() if self._left_out[kind]]

    def _frame(self, frame: Frame | FinalFrame) -> Frame | FinalFrame | None:
        time_s = frame.time_s if isinstance(frame, Frame) else 0.0
        if not (_is_camera(frame) and 0 <= time_s <= LATEST_S):
            self._left_out["frames"] += 1
            return None
        if all(_all_within(getattr(frame, name), most) for name, most in _PERSON.items()):
            return frame
        sound = np.ones(len(frame.track_id), dtype=bool)
        for name, most in _PERSON.items():
            rows = getattr(frame, name)
            sound &= _within(rows.reshape(len(rows), int(np.prod(rows.shape[1:]))), most).all(axis=1)
        self._left_out["people"] += int((~sound).sum())
        return replace(frame, **{name: getattr(frame, name)[sound] for name in _columns(frame)})

    def _points(self, points: ScenePoints) -> ScenePoints:
        sound = _within(points.position, FARTHEST_M).all(axis=1)
        if sound.all():
            return points
        self._left_out["points"] += int((~sound).sum())
        columns: dict[str, Any] = {name: getattr(points, name)[sound] for name in ("position", "color", "confidence")}
        return replace(points, **columns)


def _is_camera(frame: Frame | FinalFrame) -> bool:
    """Whether a frame's camera is one."""
    pose = frame.world_from_camera
    if not (_all_within(pose, FARTHEST_M) and _all_within(frame.principal_point_px, float(1 << 20))):
        return False
    squares = (pose[:3, :3] ** 2).sum(axis=0).tolist()
    is_rigid = all(_LEAST_SCALE**2 < square < _LEAST_SCALE**-2 for square in squares)
    return is_rigid and np.linalg.det(pose[:3, :3]) > 0 and _FOCAL_PX[0] <= frame.focal_px <= _FOCAL_PX[1]


def _columns(frame: Frame | FinalFrame) -> list[str]:
    """The fields that have a row for each person."""
    return [item.name for item in fields(frame) if item.metadata.get("shape", ())[:1] == ("people",)]


def _has_sound_numbers(message: Message) -> bool:
    values = [np.asarray(getattr(message, item.name)) for item in fields(message)]
    return all(_within(value, 1e9).all() for value in values if value.dtype.kind == "f")


def _all_within(values: np.ndarray, most: float) -> bool:
    """Whether that holds for all of some numbers, which is found in a tenth of the time."""
    return not values.size or bool(np.abs(values).max() <= most)  # which no number's absence is


def _within(values: np.ndarray, most: float) -> np.ndarray:
    """Whether numbers are numbers, and not larger than `most`."""
    with np.errstate(invalid="ignore"):
        found: np.ndarray = np.abs(values) <= most
    return found
