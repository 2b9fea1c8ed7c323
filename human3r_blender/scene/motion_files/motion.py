# SPDX-License-Identifier: GPL-3.0-or-later
"""What a motion file says, whatever program wrote it: people with SMPL-X poses in one world. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ...blender import coordinates

SMPL_PELVIS = np.array([0.0, -0.23, 0.03])
"""Where the pelvis of an average SMPL and SMPL-H body is from the origin that `trans` moves, meters, within 2 cm. In
SMPL-X it lies lower, so that the same `trans` means another height."""

TURNS = {
    "z": np.eye(3),
    "y": coordinates.BODY_TO_ROOT,
    "-y": coordinates.TAKE_TO_ROOT,
}
"""Rotations into a world with z up, by the axis that points up in the file."""


@dataclass(frozen=True)
class FoundPerson:
    """T frames of one person."""

    frames: np.ndarray
    """(T,) rising numbers of the frames, at the file's rate; those that are missing are gaps."""
    poses: np.ndarray
    """(T, 55, 3) axis-angle, radians, the root's relative to `rotations`."""
    trans: np.ndarray
    """(T, 3) as SMPL-X's `transl`, meters, for a body of its natural size."""
    betas: np.ndarray
    """(10,) shape."""
    expression: np.ndarray | None = None
    """(T, 10), or None where there is none."""
    hidden: np.ndarray | None = None
    """(T,) whether the person is hidden; None for never."""
    pelvis_at_rest: np.ndarray | None = None
    """(3,) of the body that `trans` was made for; None for the one that shows the person."""
    rotations: np.ndarray = field(default_factory=lambda: np.eye(3)[None])
    """(T or 1, 3, 3) from the axes of poses and `trans` into the world."""
    offsets: np.ndarray = field(default_factory=lambda: np.zeros((1, 3)))
    """(T or 1, 3) where the origin of these axes is in the world, meters."""

    def pelvis_of(self, rest_joints: np.ndarray) -> np.ndarray:
        """(3,) where `trans` has the pelvis, from the (55, 3) joints at rest of the body that shows the person."""
        return rest_joints[0] if self.pelvis_at_rest is None else self.pelvis_at_rest

    def part(self, rows: np.ndarray) -> FoundPerson:
        """Some of the frames, (N,) rows in order."""
        changes = {
            name: values[rows]
            for name in ("frames", "poses", "trans", "expression", "hidden", "rotations", "offsets")
            if (values := getattr(self, name)) is not None and len(values) == len(self.frames)
        }
        return replace(self, **changes)


@dataclass(frozen=True)
class FoundMotion:
    """What a file holds."""

    people: tuple[FoundPerson, ...]
    frame_rate: float = 0.0
    """Frames per second; 0 where the file does not say."""
    up: str = ""
    """The axis that points up, a key of :data:`TURNS`; empty where the file does not say."""
    maker: str = "AMASS"
    """Whose layout it is."""
    gender: str = "neutral"
    scale: float = 1.0
    """How much larger than the body the scene showed people, in files that this add-on wrote."""
    body: str = ""
    """Which body the betas belong to, where the file says."""
    notes: tuple[str, ...] = ()
    """What of the file could not be used, and what was assumed."""

    def turned(self, up: str) -> FoundMotion:
        """The same in a world with z up, where now the axis `up` points up."""
        turn = TURNS[up]
        people = tuple(
            replace(person, rotations=turn @ person.rotations, offsets=person.offsets @ turn.T)
            for person in self.people
        )
        return replace(self, people=people, up="z")

    def at_rate(self, frame_rate: float) -> FoundMotion:
        """The same at so many frames per second."""
        return replace(self, frame_rate=frame_rate)

    def with_notes(self, *notes: str) -> FoundMotion:
        """The same with more to say."""
        return replace(self, notes=(*self.notes, *notes))
