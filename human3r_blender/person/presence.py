# SPDX-License-Identifier: GPL-3.0-or-later
"""When a person is seen, when hidden because nobody sees the person, and when the pose is held for that. Numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..blender.keyframes import CONSTANT, LINEAR


@dataclass(kw_only=True)
class Presence:
    """One person's comings and goings, told picture by picture."""

    frames: list[float] = field(default_factory=list)
    """Scene frames of the pictures with the person, ascending."""
    holds: list[int] = field(default_factory=list)
    """Rows of `frames` whose pose is held, because the person is then gone for long."""
    visibility: list[tuple[float, bool]] = field(default_factory=list)
    """(scene frame, hidden) changes; none for a person who is there from the take's first picture on."""
    absent_since: float | None = None
    """Scene frame of the first picture without the person, if the last one did not show the person."""

    @property
    def is_hidden(self) -> bool:
        """Whether the person is hidden after the last picture."""
        return bool(self.visibility) and self.visibility[-1][1]

    def begin(self, first_picture: float, scene_frame: float) -> None:
        """Tell where the take begins, and where the first picture with the person is."""
        if scene_frame > first_picture:
            self.visibility += [(first_picture, True), (scene_frame, False)]

    def see(self, scene_frame: float) -> None:
        """A picture shows the person."""
        if self.is_hidden:
            self.visibility.append((scene_frame, False))
        self.absent_since = None
        self.frames.append(scene_frame)

    def miss(self, scene_frame: float, absence_frames: float) -> None:
        """A picture does not show the person, who counts as gone after `absence_frames` scene frames of this."""
        if self.absent_since is None:
            self.absent_since = scene_frame
        if scene_frame - self.frames[-1] > absence_frames and not self.is_hidden:
            self._hide(self.absent_since)
            self.holds.append(len(self.frames) - 1)

    def finish(self) -> None:
        """The take is over: hide for good who was not in its last picture."""
        if self.absent_since is not None and not self.is_hidden:
            self._hide(self.absent_since)

    def _hide(self, scene_frame: float) -> None:
        if not self.visibility:  # a first key holds for all time before it
            self.visibility.append((self.frames[0], False))
        self.visibility.append((scene_frame, True))

    def interpolation(self, first: int, end: int) -> np.ndarray:
        """(end - first,) uint8 interpolation of the keys of the rows `first` to `end`, exclusive."""
        kinds = np.full(end - first, LINEAR, dtype=np.uint8)
        kinds[[row - first for row in self.holds if first <= row < end]] = CONSTANT
        return kinds


def presence(seen: Sequence[float], pictures: Sequence[float], absence_frames: float) -> Presence:
    """The presence of a person who is seen at some scene frames, of all those of a take's pictures, both ascending."""
    told = Presence()
    told.begin(min(pictures[0], seen[0]), seen[0])
    shown = set(seen)
    for frame in sorted({*shown, *pictures}):
        if frame in shown:
            told.see(frame)
        elif told.frames:
            told.miss(frame, absence_frames)
    told.finish()
    return told
