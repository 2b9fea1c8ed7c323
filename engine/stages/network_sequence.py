# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a clip of the frames that the network saw: who is who, focal length, heights. Sequential and cheap."""

from __future__ import annotations

import numpy as np

from ..contract.body_model import BodyModel
from ..contract.camera_files import known_focal_px
from ..contract.known_facts import heights_of
from ..contract.messages import FocalLength
from ..contract.settings import CaptureSettings
from ..estimate import FrameEstimate, PlacePoints, States
from ..video.picture import PictureMap
from .body import bodies_of
from .intrinsics import IntrinsicsEstimator
from .known_heights import KnownHeights
from .network_frame import NetworkFrame
from .person_tracking import PersonTracker, TrackerSettings

MODEL_SIGMA = 0.1
"""Of the logarithm of a focal length that is the mean of the frames' own."""


class NetworkSequence:
    """Takes in the frames of a clip one after the other."""

    def __init__(self, settings: CaptureSettings, body_model: BodyModel, picture_map: PictureMap) -> None:
        self._body_model, self._map = body_model, picture_map
        self._tracker = PersonTracker(TrackerSettings(settings.track_memory))
        known = known_focal_px(settings, picture_map.footage_size)
        told = None if known is None else known / picture_map.focal_to_footage(1.0)
        self._intrinsics = IntrinsicsEstimator(told_px=told, is_constant=settings.constant_focal)
        self._known = None if known is None else FocalLength(known, 0.0, "given")
        self._is_constant = settings.constant_focal
        self._heights = KnownHeights(body_model, settings.stature, heights_of(settings.height))
        self._place: PlacePoints | None = None

    def take_in(self, frame: NetworkFrame, world_from_camera: np.ndarray) -> FrameEstimate:
        """The next frame, whose camera is at this (4, 4) pose."""
        if frame.replayed is not None:
            self._tracker.update(frame.replayed)
        track_id = self._tracker.update(frame.token)
        is_first = self._intrinsics.mean_px is None
        intrinsics = self._intrinsics.take_in(frame.focal, self._map.network_size)
        # What the network sees keeps its place in the picture and its size across; only how far it is away follows.
        away = np.array([1.0, 1.0, intrinsics.depth_factor], np.float32)
        self._place = PlacePoints(frame.points * away, frame.confidence)
        betas, head_point = self._heights.update(track_id, frame.betas, frame.head_point * away)
        return FrameEstimate(
            track_id=track_id,
            score=frame.score,
            bodies=bodies_of(frame.rotations, betas, frame.expression, head_point, self._body_model),
            head_px=self._map.edges_to_footage(frame.head_px),
            people_mask=frame.people_mask,
            focal_px=self._map.focal_to_footage(intrinsics.focal_px),
            principal_point_px=self._map.centres_to_footage(np.array(intrinsics.principal_point)),
            world_from_camera=world_from_camera,
            focal=self._known if is_first else None,
        )

    @property
    def place(self) -> PlacePoints:
        """The surroundings in the last frame."""
        assert self._place is not None, "a frame was finished"
        return self._place

    def focal(self) -> FocalLength | None:
        """As :meth:`~..estimate.FrameEstimator.focal` has it."""
        mean = self._intrinsics.mean_px
        if self._known is not None or not self._is_constant or mean is None:
            return self._known
        return FocalLength(self._map.focal_to_footage(mean), MODEL_SIGMA, "model")

    def fits(self, token_width: int) -> bool:
        """Whether the people that are remembered can be compared with tokens of this width."""
        return self._tracker.fits(token_width)

    def export_state(self) -> States:
        """By stage, everything needed to go on elsewhere."""
        return {name: stage.export_state() for name, stage in self._stages().items()}

    def restore_state(self, states: States) -> None:
        """Go on from `export_state`. Raises UserError (``resume-unreadable``) for what is no such state."""
        for name, stage in self._stages().items():
            stage.restore_state(states.get(name, {}))

    def _stages(self) -> dict[str, PersonTracker | IntrinsicsEstimator | KnownHeights]:
        return {"tracker": self._tracker, "intrinsics": self._intrinsics, "heights": self._heights}
