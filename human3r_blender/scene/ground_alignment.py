# SPDX-License-Identifier: GPL-3.0-or-later
"""The take set upright on its floor: one matrix on the root empty, found again as the take grows. No key changes."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import asdict, fields
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...engine.contract.body_model import BodyModel
from ...engine.contract.errors import UserError
from ...engine.contract.final_frames import with_final
from ...engine.contract.messages import CameraSummary, FinalFrame, Frame
from ...engine.motion.ground import Ground
from ...engine.motion.ground_evidence import GroundEvidence as GroundFacts
from ...engine.motion.ground_of_take import ground_of_frames
from ..blender import coordinates, tags, turns

ESTIMATE = "human3r_ground"
"""On the root: the last estimate's matrix, row by row; the root follows new estimates only while it stands there."""
SOURCE = "human3r_ground_from"
"""On the root: what the floor was read from, one of the words of :attr:`~engine.motion.ground.Ground.source`
or `FINAL`."""

EVIDENCE = "human3r_ground_evidence"
"""On the root: what the floor rests on, the fields of :class:`~engine.motion.ground_evidence.GroundEvidence`."""

FINAL = "whole take"
"""As such a word: the floor that the final pass over the whole take found, which its backdrop stands on, too."""

_GROWTH = 1.5
"""A new estimate is made when the take has grown by this factor since the last."""
_FIRST_FRAMES = 10
_MOST_FRAMES = 400
"""Frames whose people are looked at; longer takes are sampled evenly."""


class GroundEvidence:
    """What a take says about its ground, collected frame by frame; estimates run on a thread of their own."""

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._every = 1
        self._seen = 0
        self._estimated = 0
        self._concluded = False
        self._pending: Future[Ground] | None = None
        self._known: Ground | None = None
        self._told: Ground | None = None

    def add(self, frame: Frame) -> None:
        """Take a frame in."""
        if self._seen % self._every == 0:
            self._frames.append(frame)
            if len(self._frames) > _MOST_FRAMES:
                self._frames, self._every = self._frames[::2], 2 * self._every
        self._seen += 1

    def replace(self, final: FinalFrame) -> None:
        """Take over what the final pass says of a frame."""
        for place, frame in enumerate(self._frames):
            if frame.index == final.index:
                self._frames[place] = with_final(frame, final)

    def conclude(self, summary: CameraSummary) -> None:
        """Take over the floor that the final pass found, where it found one; what agrees with it is measured next."""
        if summary.floor_known:
            self._known = self._told = Ground(summary.up.copy(), -summary.floor_height, FINAL)
            self._concluded, self._pending = False, None

    def is_due(self, finished: bool) -> bool:
        """Whether an estimate should start: enough is new, and none is on its way."""
        if self._pending is not None or self._seen == 0 or self._concluded:
            return False
        return finished or self._known is not None or self._seen >= max(_FIRST_FRAMES, _GROWTH * self._estimated)

    def start(self, root_positions: list[np.ndarray], body: BodyModel | None, last: bool) -> None:
        """Begin an estimate from the frames so far and the place's points, parts of (N, 3) in the root frame.

        The last one is made from the whole take, even if nothing is new, for the points' final positions."""
        self._estimated, self._concluded = self._seen, last or self._known is not None
        evidence = list(self._frames), list(root_positions)
        self._pending = turns.submit("human3r-ground", _estimate, *evidence, body, self._known)

    @property
    def is_running(self) -> bool:
        """Whether an estimate is on its way."""
        return self._pending is not None

    def result(self) -> Ground | None:
        """What the final pass found, or a finished estimate, once; None while there is none."""
        if self._told is not None:
            ground, self._told = self._told, None
            return ground
        if self._pending is None or not self._pending.done():
            return None
        ground, self._pending = self._pending.result(), None
        return ground


def apply(root: bpy.types.Object, ground: Ground) -> bool:
    """Set the take on its ground, unless somebody has moved the root since the last estimate; whether it was set."""
    if not follows_estimates(root):
        return False
    estimate = coordinates.level_matrix(ground.up, ground.height)
    root[ESTIMATE], root[SOURCE] = [float(value) for value in estimate.ravel()], ground.source
    if ground.evidence is not None:
        root[EVIDENCE] = asdict(ground.evidence)
    else:
        root.pop(EVIDENCE, None)  # it was another floor's
    root.matrix_basis = Matrix(estimate)
    return True


def follows_estimates(root: bpy.types.Object) -> bool:
    """Whether the root stands where the last estimate put it, or where it was made."""
    return bool(np.allclose(root.matrix_basis, found_matrix(root), atol=1e-4))


def found_matrix(root: bpy.types.Object) -> Matrix:
    """Where the last estimate put the root; where it was made without one."""
    found = _estimate_on(root)
    return Matrix.Identity(4) if found is None else Matrix(found)


def evidence_of(root: bpy.types.Object) -> GroundFacts | None:
    """What the floor of a take rests on; None where earlier versions set it, or nobody did."""
    told: dict[str, Any] = dict(tags.named_numbers(root, EVIDENCE))
    return GroundFacts(**told) if told.keys() == {item.name for item in fields(GroundFacts)} else None


def return_to_estimate(root: bpy.types.Object) -> None:
    """Put the root back to the last estimate. Raises UserError (``no-estimate``) where there was none."""
    found = _estimate_on(root)
    if found is None:
        raise UserError(
            "no-estimate",
            "No floor was found for this take.",
            "Import it again with Floor set to Automatic, or set the floor by hand.",
        )
    root.matrix_basis = Matrix(found)


def _estimate_on(root: bpy.types.Object) -> np.ndarray | None:
    """(4, 4) as the root keeps it; None where there is none."""
    found = tags.numbers(root, ESTIMATE, 16)
    return found.reshape(4, 4) if len(found) == 1 else None


def _estimate(
    frames: list[Frame], root_positions: list[np.ndarray], body: BodyModel | None, known: Ground | None
) -> Ground:
    points = np.concatenate(root_positions) if root_positions else np.zeros((0, 3))
    return ground_of_frames(frames, coordinates.points_from_root(points), body, known)
