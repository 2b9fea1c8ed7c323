# SPDX-License-Identifier: GPL-3.0-or-later
"""Human3R in a capture: the rollout, and what makes standard numbers of its predictions."""

from __future__ import annotations

import copy
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch

from .contract.body_model import BodyModel
from .contract.camera_files import known_focal_px
from .contract.known_facts import heights_of
from .contract.messages import FocalLength
from .contract.settings import CaptureSettings
from .estimate import CameraPath, Conclusion, FrameEstimate, PlacePoints, States
from .model.human3r import Human3R
from .model.precision import product_type
from .model.prediction import StepOptions
from .model.rollout import ChunkedRollout, RolloutFrame, RolloutSettings
from .model.weights import NamedModel
from .resuming.state_reader import unfit
from .stages.body import standard_bodies
from .stages.intrinsics import IntrinsicsEstimator
from .stages.known_heights import KnownHeights
from .stages.person_tracking import PersonTracker, TrackerSettings
from .video.picture import PictureMap
from .video.reading import PreparedFrame

MODEL_SIGMA = 0.1
"""Of the logarithm of a focal length that is the mean of the frames' own."""

PERSON_PIXEL = 0.5
"""Least probability of a pixel that shows a person."""


class Human3RModel:
    """A loaded Human3R; fulfils :class:`.estimate.Model`."""

    needs_footage_pixels = False

    def __init__(self, named: NamedModel) -> None:
        self.model, self.name = named.model, named.name

    def picture_map(self, footage_size: tuple[int, int]) -> PictureMap:
        return PictureMap.plan(footage_size, self.model.config.image_size)

    def begin(self, settings: CaptureSettings, body_model: BodyModel, picture_map: PictureMap) -> Human3REstimator:
        return Human3REstimator(settings, self.model, body_model, picture_map)


@dataclass(frozen=True)
class ModelOutput:
    """What the network said about one prepared frame; not yet part of the state."""

    passes: list[RolloutFrame]
    """A replay where one was due, then the frame itself."""
    rollout: ChunkedRollout
    """The rollout as it is after them."""


class Human3REstimator:
    """Human3R in one capture; fulfils :class:`.estimate.FrameEstimator`."""

    has_last_pass = False

    def __init__(
        self, settings: CaptureSettings, model: Human3R, body_model: BodyModel, picture_map: PictureMap
    ) -> None:
        options = StepOptions(ttt3r=settings.ttt3r, detection_threshold=settings.detection_threshold)
        autocast = product_type(settings.precision, next(model.parameters()).device)
        self._body_model, self._map = body_model, picture_map
        self._rollout = ChunkedRollout(model, RolloutSettings(settings.reset_interval, options, autocast))
        self._tracker = PersonTracker(TrackerSettings(settings.track_memory))
        known = known_focal_px(settings, picture_map.footage_size)
        told = None if known is None else known / picture_map.focal_to_footage(1.0)
        self._intrinsics = IntrinsicsEstimator(told_px=told, is_constant=settings.constant_focal)
        self._known = None if known is None else FocalLength(known, 0.0, "given")
        self._is_constant = settings.constant_focal
        self._heights = KnownHeights(body_model, settings.stature, heights_of(settings.height))
        self._place: PlacePoints | None = None

    def predict(self, prepared: PreparedFrame) -> ModelOutput:
        picture = torch.from_numpy(prepared.rgb).permute(2, 0, 1).float() / 255.0 * 2.0 - 1.0
        # The rollout replaces what it carries and never changes it in place, so a shallow copy can be thrown away.
        rollout = copy.copy(self._rollout)
        return ModelOutput(rollout.push(picture), rollout)

    def finish(self, predicted: ModelOutput) -> FrameEstimate:
        self._rollout = predicted.rollout
        for passed in predicted.passes:
            track_id = self._tracker.update(passed.prediction.people.token.float().cpu().numpy())
        assert passed.emitted, "a rollout's last pass is the frame itself"
        return self._estimate(passed, track_id)

    def place(self, world_from_camera: np.ndarray) -> PlacePoints:
        assert self._place is not None, "a frame was finished"
        return self._place

    def locate(self, world_from_camera: np.ndarray) -> None:
        """The network keeps its own account of the place."""

    def focal(self) -> FocalLength | None:
        mean = self._intrinsics.mean_px
        if self._known is not None or not self._is_constant or mean is None:
            return self._known
        return FocalLength(self._map.focal_to_footage(mean), MODEL_SIGMA, "model")

    def conclude(self, path: CameraPath) -> Generator[float, None, Conclusion]:
        yield from ()
        return Conclusion([])

    def export_state(self) -> States:
        return {name: stage.export_state() for name, stage in self._stages().items()}

    def restore_state(self, states: States) -> None:
        for name, stage in self._stages().items():
            stage.restore_state(states.get(name, {}))
        if not (
            self._rollout.fits(*self._map.network_size) and self._tracker.fits(self._rollout.model.config.decoder_width)
        ):
            raise unfit("the model", "it belongs to frames or a model of another size")

    def _stages(self) -> dict[str, ChunkedRollout | PersonTracker | IntrinsicsEstimator | KnownHeights]:
        return {
            "rollout": self._rollout,
            "tracker": self._tracker,
            "intrinsics": self._intrinsics,
            "heights": self._heights,
        }

    def _estimate(self, passed: RolloutFrame, track_id: np.ndarray) -> FrameEstimate:
        prediction, people = passed.prediction, passed.prediction.people
        is_first = self._intrinsics.mean_px is None
        intrinsics = self._intrinsics.update(prediction.points_self[0])
        # What the network sees keeps its place in the picture and its size across; only how far it is away follows.
        away = np.array([1.0, 1.0, intrinsics.depth_factor], np.float32)
        self._place = PlacePoints(
            self._map.onto_footage_rays(prediction.points_self[0].float().cpu().numpy()) * away,
            prediction.confidence[0].float().cpu().numpy(),
        )
        head_point = self._map.onto_footage_rays(people.head_point.float().cpu().numpy()) * away
        betas, head_point = self._heights.update(track_id, people.betas.float().cpu().numpy(), head_point)
        return FrameEstimate(
            track_id=track_id,
            score=people.score.float().cpu().numpy(),
            bodies=standard_bodies(people, betas, head_point, self._body_model),
            head_px=self._map.edges_to_footage(people.head_px.float().cpu().numpy()),
            people_mask=(prediction.mask[0] > PERSON_PIXEL).cpu().numpy(),
            focal_px=self._map.focal_to_footage(intrinsics.focal_px),
            principal_point_px=self._map.centres_to_footage(np.array(intrinsics.principal_point)),
            world_from_camera=passed.world_from_camera,
            focal=self._known if is_first else None,
        )
