# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen of all people in all frames of a clip: kept small while the clip streams, for the final pass."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, fields

import numpy as np

from ...resuming.state_reader import StateReader
from ..body.limb_centres import centred
from ..camera.focal_evidence import Rows
from ..observations import LANDMARK_COUNT, BodyLandmarks, Crops, FollowedPeople


@dataclass(frozen=True)
class ClipObservations:
    """N rows, one a person in a frame, in the order of the frames. About a kilobyte each."""

    frame_index: np.ndarray
    """(N,) int64: of the capture, from 0."""
    time_s: np.ndarray
    """(N,) float64"""
    track_id: np.ndarray
    """(N,) int64"""
    score: np.ndarray
    """(N,) float32, 0..1"""
    crop: np.ndarray
    """(N, 4) float32: centre (2), side and angle of the crop."""
    point_px: np.ndarray
    """(N, 39, 2) float32"""
    world: np.ndarray
    """(N, 39, 3) float32, as `BodyLandmarks` has them."""
    visibility: np.ndarray
    """(N, 39) float32"""
    inside: np.ndarray
    """(N, 39) bool"""
    sides: np.ndarray
    """(N, 3) float32, as `FollowedPeople` has them."""

    def __len__(self) -> int:
        return len(self.frame_index)

    @classmethod
    def empty(cls) -> ClipObservations:
        return cls(*(np.zeros((0, *shape), dtype) for dtype, shape in _LAYOUT.values()))

    @classmethod
    def of_frame(cls, frame_index: int, time_s: float, people: FollowedPeople) -> ClipObservations:
        seen, count = people.landmarks, len(people)
        crop = np.concatenate([seen.crop.centre_px, seen.crop.side_px[:, None], seen.crop.angle[:, None]], axis=-1)
        values = (
            np.full(count, frame_index), np.full(count, time_s), people.track_id, people.score, crop,
            centred(seen), seen.world, seen.visibility, people.inside,
            people.sides,
        )  # fmt: skip
        return cls(*(np.asarray(value, layout[0]) for value, layout in zip(values, _LAYOUT.values(), strict=True)))

    @classmethod
    def joined(cls, parts: list[ClipObservations]) -> ClipObservations:
        parts = [cls.empty(), *parts]
        return cls(*(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(cls)))

    def select(self, rows: np.ndarray) -> ClipObservations:
        """Some rows: indices or a mask."""
        return ClipObservations(*(getattr(self, item.name)[rows] for item in fields(self)))

    def landmarks(self) -> BodyLandmarks:
        """As the body fit takes them; masks were not kept and are of no size."""
        crops = Crops(self.crop[:, :2], self.crop[:, 2], self.crop[:, 3])
        mask = np.zeros((len(self), 0, 0), np.float16)
        return BodyLandmarks(self.score, self.point_px, self.visibility, self.world, crops, mask)

    def rows(self) -> Rows:
        """As the evidence for the focal length takes them."""
        return Rows(self.time_s, self.track_id, self.point_px, self.world, self.visibility, self.inside)

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything as plain arrays."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def restored(cls, arrays: dict[str, np.ndarray]) -> ClipObservations:
        """From :meth:`export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        state = StateReader("the people seen so far", arrays)
        values = [state.array(name, dtype, "N", *shape) for name, (dtype, shape) in _LAYOUT.items()]
        in_order = bool((np.diff(values[0]) >= 0).all() and (np.diff(values[1]) >= 0).all())
        state.require(in_order, "frame_index or time_s goes back")
        return cls(*values)


_LAYOUT: dict[str, tuple[type, tuple[int, ...]]] = {
    "frame_index": (np.int64, ()),
    "time_s": (np.float64, ()),
    "track_id": (np.int64, ()),
    "score": (np.float32, ()),
    "crop": (np.float32, (4,)),
    "point_px": (np.float32, (LANDMARK_COUNT, 2)),
    "world": (np.float32, (LANDMARK_COUNT, 3)),
    "visibility": (np.float32, (LANDMARK_COUNT,)),
    "inside": (np.bool_, (LANDMARK_COUNT,)),
    "sides": (np.float32, (3,)),
}


class ObservationStore:
    """Collects a clip's observations frame by frame. Its state is replaced and never changed."""

    def __init__(self) -> None:
        # Neighbours of like size are joined, so that there are few parts however long the clip is.
        self._parts: tuple[ClipObservations, ...] = ()

    def add(self, frame_index: int, time_s: float, people: FollowedPeople) -> None:
        """Take in the people of the next frame."""
        if not len(people):
            return
        parts = [*self._parts, ClipObservations.of_frame(frame_index, time_s, people)]
        while len(parts) > 1 and len(parts[-2]) < 2 * len(parts[-1]):
            parts[-2:] = [ClipObservations.joined(parts[-2:])]
        self._parts = tuple(parts)

    def copied(self) -> ObservationStore:
        """One that goes its own way."""
        return copy(self)

    def observations(self) -> ClipObservations:
        """All so far."""
        return ClipObservations.joined(list(self._parts))

    def export_state(self) -> dict[str, np.ndarray]:
        """Everything needed to go on elsewhere, as plain arrays."""
        return self.observations().export_state()

    def restore_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from :meth:`export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        restored = ClipObservations.restored(arrays)
        self._parts = (restored,) if len(restored) else ()
