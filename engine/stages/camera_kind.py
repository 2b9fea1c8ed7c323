# SPDX-License-Identifier: GPL-3.0-or-later
"""How a camera moves, told while the footage runs: it stands still, turns on the spot, or moves.

A camera is taken to stand still as long as the picture says so; its pose is then the identity, exactly. When corners
spread over most of the picture leave their places together, it turns: poses are rotations and nothing else. When no
turn explains where they go, it moves, and `CameraTracker` goes on from the present pose. Only where it moves fast from
the beginning is the anchor gone back to, so that the motion of the first pictures does not stay a turn for good. The
kind never goes back: a camera that rests for a while keeps the pose that it has.

Parts of the picture are counted and not corners (`picture_cells`), because a car or somebody overlooked may have more
corners than the place. Corners that stay where they are while the picture moves under them are burnt in (a logo, a
clock): they are left out from then on. Where too little is seen nothing is decided and the pose stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ..contract.messages import CAMERA_MOTIONS
from ..resuming.state_reader import StateReader
from .anchor import (
    Anchor,
    Sight,
    anchor_state,
    begin_anchor,
    look,
    moved_together,
    read_anchor,
    seen_again,
    unchanged,
    unit_px,
)
from .camera_tracking import HOLD_GAIN, NOISE_FLOOR_PX, CameraTracker
from .picture_cells import cells_of, over_cells
from .place_adjustment import huber_costs
from .place_depth import PlaceDepth
from .point_tracking import corner_gap, even_light
from .turning import turn_between, turned

STILL, TURNING, MOVING = CAMERA_MOTIONS

STILL_PX, WORST_STILL_PX = 0.7, 1.0
"""A still camera's corners are off by less than the first as a rule, and by less than the second in any picture.
Pixels here and below are those of a picture with a long side of :data:`.anchor.UNIT_SIDE`."""

LARGE_PX = 4.0
"""A motion of the whole picture that no noise, flash or passer-by looks like."""

IN_A_ROW = 3
"""Pictures in a row that have to say the same; and that may be lost (blurred, covered) before the place is taken to be
another one."""

TURN_PX, WORST_TURN_PX = 0.6, 2.0
"""Corners of a camera that only turns are off by less than the first; once it has turned so for a while, it is taken to
move only beyond the second."""

SURE_AFTER_PX = 8.0
"""Motion from which a turn that explains it is one for sure."""

LEAST_CORNERS = 12
"""With fewer corners nothing is decided."""

LEAST_FOUND, LEAST_SURVIVORS = 0.25, 0.35
"""Share of the corners expected in a picture without which it shows something else; and of all, without which a turning
camera gets a new anchor."""

LEAST_TOGETHER = 0.3
"""Share of the corners found that have to move together: where the picture was cut, what is found goes anywhere."""

PASSING_PX = 3.0
"""A corner is burnt in that stays just as it is where the picture moves by more."""

_FOCALS = (1.0, 0.6, 0.7, 0.8, 0.9, 1.1, 1.25, 1.45, 1.7)
"""Of the focal length that is assumed: it may be wrong by so much, which must not make a turn a motion."""

_WATCHED = 20
"""Pictures after the last new anchor, or the first motion, for which a moving camera's anchor still serves to find what
is burnt in."""

DepthAt = Callable[[np.ndarray], PlaceDepth]
"""What is known about the place as seen from a pose (4, 4), people left out."""


@dataclass(frozen=True)
class _Seen:
    """The anchor's corners that one picture shows, K of them."""

    before: np.ndarray
    """(K, 2) in the anchor, pixels."""
    after: np.ndarray
    """(K, 2) in the picture."""
    cell: np.ndarray
    """(K,) of the anchor's cells."""
    motion: np.ndarray
    """(K,) how far they went, pixels of the unit size."""

    @property
    def typical_px(self) -> float:
        """How far most of the picture moved."""
        return float(np.median(over_cells(self.motion, self.cell)))


class CameraKindTracker:
    """World poses of a camera, as free as its motion has turned out to be."""

    def __init__(self, tracker: CameraTracker) -> None:
        """`tracker` follows the camera once it moves; it is exported and restored by whoever owns it."""
        self.motion = STILL
        """One of :data:`~engine.contract.messages.CAMERA_MOTIONS`."""
        self._tracker = tracker
        self._world_from_camera = np.eye(4)
        # Pictures in a row that were lost, that moved while the camera was still, that no turn explains; and pictures
        # that a turn explains for sure.
        self._missed = self._opening = self._beyond = self._sure = 0
        self._anchor: Anchor | None = None
        self._fixed_for = np.zeros(0, np.int64)  # pictures for which each of the anchor's corners looked burnt in
        self._people: np.ndarray | None = None
        self._burnt_in: np.ndarray | None = None

    def update(self, grey: np.ndarray, people: np.ndarray, depth_at: DepthAt, camera: np.ndarray) -> np.ndarray:
        """The (4, 4) float64 pose `world_from_camera` of the next picture, the first one's being the identity.

        `grey` is (h, w) uint8, always of one size; `people` (h, w) bool; `camera` (3, 3) the picture's pinhole.
        """
        before = people if self._people is None else self._people
        burnt_in = np.zeros_like(people) if self._burnt_in is None else self._burnt_in
        self._people, self._burnt_in = people, burnt_in
        if self._anchor is not None or self.motion != MOVING:
            # Outlines shiver: what somebody covered a moment ago is left out too.
            self._compare(grey, ~(people | before | burnt_in), depth_at, camera)
        if self.motion == MOVING:
            return self._tracker.follow(grey, ~(people | self._burnt_in), depth_at, camera)
        return self._world_from_camera.copy()

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on elsewhere but for the tracker, as plain arrays."""
        counters = [self._missed, self._opening, self._beyond, self._sure]
        state = {
            "motion": np.array(list(CAMERA_MOTIONS).index(self.motion)),
            "world_from_camera": self._world_from_camera,
            "counters": np.array(counters),
        }
        if self._people is not None and self._burnt_in is not None:
            state |= {"people": self._people, "burnt_in": self._burnt_in}
        if self._anchor is not None:
            state |= anchor_state(self._anchor) | {"fixed_for": self._fixed_for}
        return state

    def restore_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from :meth:`export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        state = StateReader("the camera's kind of motion", arrays)
        motion = state.count("motion")
        state.require(motion < len(CAMERA_MOTIONS), "it is no kind of motion")
        self.motion = list(CAMERA_MOTIONS)[motion]
        pose = state.pose("world_from_camera")
        state.require(not pose[:3, 3].any(), "a camera moved before it was known to move")
        state.require(self.motion != STILL or bool((pose == np.eye(4)).all()), "a still camera turned")
        self._world_from_camera = pose
        self._missed, self._opening, self._beyond, self._sure = state.counts("counters", 4)
        self._people = self._burnt_in = self._anchor = None
        self._fixed_for = np.zeros(0, np.int64)
        if "people" in state:
            self._people = state.array("people", np.bool_, "height", "width")
            self._burnt_in = state.array("burnt_in", np.bool_, "height", "width")
        if "anchor_picture" in state:
            state.require(self._people is not None, "there are no people to its frame")
            self._anchor = read_anchor(state)
            self._fixed_for = state.array("fixed_for", np.int64, "corners")

    def fits(self, width: int, height: int) -> bool:
        """Whether what is remembered goes with pictures of this size."""
        return self._people is None or self._people.shape == (height, width)

    def _compare(self, grey: np.ndarray, free: np.ndarray, depth_at: DepthAt, camera: np.ndarray) -> None:
        """Compare the picture with the anchor, and take what it says."""
        anchor, picture = self._anchor, even_light(grey)
        if anchor is None or anchor.kept.sum() < LEAST_CORNERS:
            self._begin_anchor(grey, picture, free, camera)
            return
        sight = look(anchor, grey, picture, free)
        if sight.expected < LEAST_CORNERS:  # somebody stands before the lens
            return
        seen = _seen(anchor, sight)
        affine, together = moved_together(seen.before, seen.after, grey)
        shown = len(seen.before) >= max(LEAST_CORNERS, LEAST_FOUND * sight.expected)
        if affine is None or not shown or together.mean() < LEAST_TOGETHER:
            self._missed += 1
            if self._missed >= IN_A_ROW:
                self._begin_anchor(grey, picture, free, camera)
            return
        self._missed = 0
        if self.motion == STILL and self._opens(seen, grey):
            self.motion = TURNING
            # By now more is known about the focal length than in the first picture.
            anchor = replace(anchor, camera=np.array(camera, np.float64))
        if self.motion == TURNING:
            self._turn(seen, anchor, depth_at)
        self._anchor = seen_again(anchor, grey, sight)
        if self.motion != STILL:
            self._leave_out_burnt_in(picture, sight, affine)
            if self._is_worn(sight):
                self._begin_anchor(grey, picture, free, camera)

    def _opens(self, seen: _Seen, grey: np.ndarray) -> bool:
        """Whether a camera that stood still does so no longer."""
        typical, moving = seen.typical_px, seen.motion > WORST_STILL_PX
        if typical < WORST_STILL_PX:
            self._opening = 0 if typical < STILL_PX else self._opening
            return False
        _, together = moved_together(seen.before[moving], seen.after[moving], grey)
        if together.sum() < max(LEAST_CORNERS, 0.5 * moving.sum()):
            return False
        self._opening += 1
        share_moving = float((over_cells(seen.motion, seen.cell) > WORST_STILL_PX).mean())
        return self._opening >= IN_A_ROW or (typical > LARGE_PX and share_moving > 0.75)

    def _turn(self, seen: _Seen, anchor: Anchor, depth_at: DepthAt) -> None:
        """Take the turn since the anchor into the pose, or find that the camera moves."""
        turn = turn_between(seen.before, seen.after, anchor.camera)
        pose = anchor.world_from_anchor.copy()
        pose[:3, :3] = pose[:3, :3] @ turn.second_from_first.T
        held = self._world_from_camera[:3, :3].T @ anchor.world_from_anchor[:3, :3]
        costs = [turned(seen.before, way, anchor.camera) - seen.after for way in (turn.second_from_first, held)]
        noise = max(NOISE_FLOOR_PX, 1.4826 * float(np.median(turn.off_px)))
        if huber_costs(costs[1], noise).sum() - huber_costs(costs[0], noise).sum() >= HOLD_GAIN:
            self._world_from_camera = pose
        typical, limit = seen.typical_px, WORST_TURN_PX if self._sure >= IN_A_ROW else TURN_PX
        off = _off_px(seen, anchor)
        if off < TURN_PX and typical > SURE_AFTER_PX:
            self._sure += 1
        self._beyond = self._beyond + 1 if off > limit else 0
        if self._beyond >= IN_A_ROW:
            self.motion = MOVING
            self._tracker.begin_at(self._world_from_camera)
            if self._sure < IN_A_ROW and off > WORST_TURN_PX:
                # It moved fast, and what of it was told as a turn is far off: that is taken back.
                self._tracker.begin_from(anchor, depth_at(anchor.world_from_anchor), self._world_from_camera)

    def _leave_out_burnt_in(self, picture: np.ndarray, sight: Sight, affine: np.ndarray) -> None:
        """Corners that stay where they are while the picture moves there are none of the place's."""
        anchor = self._anchor
        assert anchor is not None and self._burnt_in is not None
        passing = np.linalg.norm(anchor.pixel @ affine[:, :2].T + affine[:, 2] - anchor.pixel, axis=-1)
        fixed = unchanged(anchor, picture) & anchor.kept & (passing > PASSING_PX * unit_px(picture))
        cell = cells_of(anchor.pixel, anchor.picture)
        wide, narrow = (len(np.unique(cell[which])) for which in (sight.found & ~fixed, fixed))
        self._fixed_for = np.where(fixed & (narrow < wide), self._fixed_for + 1, 0)
        found = anchor.kept & (self._fixed_for >= IN_A_ROW)
        if not found.any():
            return
        self._anchor = replace(anchor, kept=anchor.kept & ~found)
        gap = corner_gap(anchor.picture)
        marks = self._burnt_in.astype(np.uint8)
        for x, y in anchor.pixel[found]:
            cv2.circle(marks, (round(x), round(y)), gap, 1, -1)
        self._burnt_in = cv2.morphologyEx(marks, cv2.MORPH_CLOSE, np.ones((2 * gap + 1,) * 2, np.uint8)) > 0

    def _is_worn(self, sight: Sight) -> bool:
        """Whether the anchor of a camera that no longer stands still has served."""
        anchor = self._anchor
        assert anchor is not None
        self._opening += 1
        if self.motion == MOVING and self._opening > _WATCHED:
            return True
        return bool(sight.found.sum() < LEAST_SURVIVORS * anchor.kept.sum())

    def _begin_anchor(self, grey: np.ndarray, picture: np.ndarray, free: np.ndarray, camera: np.ndarray) -> None:
        """Compare with this picture from now on, or with none any more where `CameraTracker` does."""
        self._missed = self._opening = self._beyond = 0
        self._anchor = None
        if self.motion != MOVING:
            self._anchor = begin_anchor(grey, picture, free, np.array(camera, np.float64), self._world_from_camera)
            self._fixed_for = np.zeros(len(self._anchor.pixel), np.int64)


def _seen(anchor: Anchor, sight: Sight) -> _Seen:
    before, after = anchor.pixel[sight.found], sight.pixel[sight.found]
    motion = np.linalg.norm(after - before, axis=-1) / unit_px(anchor.picture)
    return _Seen(before, after, cells_of(before, anchor.picture), motion)


def _off_px(seen: _Seen, anchor: Anchor) -> float:
    """How far most of the picture is from where a turn puts it, unit pixels: with the focal length that suits best,
    where the one assumed does not do."""
    best = np.inf
    for share in _FOCALS:
        camera = anchor.camera.copy()
        camera[[0, 1], [0, 1]] *= share
        off = over_cells(turn_between(seen.before, seen.after, camera).off_px, seen.cell)
        best = min(best, float(np.median(off)) / unit_px(anchor.picture))
        if best < TURN_PX:
            break
    return best


def motion_of(world_from_camera: np.ndarray) -> str:
    """How the camera of (N, 4, 4) poses moves, in the take's word."""
    if (world_from_camera[:, :3, 3] != world_from_camera[0, :3, 3]).any():
        return "moving"
    return "turning" if (world_from_camera != world_from_camera[0]).any() else "still"
