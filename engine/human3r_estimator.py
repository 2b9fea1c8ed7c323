# SPDX-License-Identifier: GPL-3.0-or-later
"""Human3R in a capture: the rollout, and what makes standard numbers of its predictions."""

from __future__ import annotations

import copy
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .contract.body_model import BodyModel
from .contract.errors import UserError
from .contract.messages import FocalLength
from .contract.settings import CaptureSettings
from .estimate import CameraPath, Conclusion, FrameEstimate, PlacePoints, States
from .model.human3r import Human3R
from .model.precision import product_type
from .model.prediction import StepOptions
from .model.rollout import ChunkedRollout, RolloutFrame, RolloutSettings
from .model.weights import NamedModel
from .resuming.state_reader import unfit
from .stages.network_frame import network_frame
from .stages.network_sequence import NetworkSequence
from .video.picture import PictureMap
from .video.reading import PreparedFrame

CHAIN = "chain"
"""The state of a capture that several workers share: where the camera is. Nobody has the network's state then."""


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


class SequenceEstimator:
    """What an estimator says whose frames all go through one :class:`.stages.network_sequence.NetworkSequence`."""

    has_last_pass = False
    _sequence: NetworkSequence

    def place(self, world_from_camera: np.ndarray) -> PlacePoints:
        return self._sequence.place

    def locate(self, world_from_camera: np.ndarray) -> None:
        """The network keeps its own account of the place."""

    def focal(self) -> FocalLength | None:
        return self._sequence.focal()

    def conclude(self, path: CameraPath) -> Generator[float, None, Conclusion]:
        yield from ()
        return Conclusion([])


class Human3REstimator(SequenceEstimator):
    """Human3R in one capture; fulfils :class:`.estimate.FrameEstimator`."""

    def __init__(
        self, settings: CaptureSettings, model: Human3R, body_model: BodyModel, picture_map: PictureMap
    ) -> None:
        self._map = picture_map
        self._rollout = ChunkedRollout(model, rollout_settings(settings, model))
        self._sequence = NetworkSequence(settings, body_model, picture_map)

    def predict(self, prepared: PreparedFrame) -> ModelOutput:
        # The rollout replaces what it carries and never changes it in place, so a shallow copy can be thrown away.
        rollout = copy.copy(self._rollout)
        return ModelOutput(rollout.push(network_image(prepared.rgb)), rollout)

    def finish(self, predicted: ModelOutput) -> FrameEstimate:
        self._rollout = predicted.rollout
        frame = network_frame(predicted.passes, self._map)
        return self._sequence.take_in(frame, predicted.passes[-1].world_from_camera)

    def export_state(self) -> States:
        return {"rollout": self._rollout.export_state(), **self._sequence.export_state()}

    def restore_state(self, states: States) -> None:
        if CHAIN in states:
            raise UserError(
                "resume-mismatch",
                "Several workers shared this capture, so nobody has the state of the network where it was interrupted.",
                "Resume it with --workers 2 (or more), or start again with --overwrite.",
            )
        self._rollout.restore_state(states.get("rollout", {}))
        self._sequence.restore_state(states)
        if not (
            self._rollout.fits(*self._map.network_size)
            and self._sequence.fits(self._rollout.model.config.decoder_width)
        ):
            raise unfit("the model", "it belongs to frames or a model of another size")


def rollout_settings(settings: CaptureSettings, model: Human3R) -> RolloutSettings:
    """How the network runs under a capture's settings."""
    options = StepOptions(ttt3r=settings.ttt3r, detection_threshold=settings.detection_threshold)
    autocast = product_type(settings.precision, next(model.parameters()).device)
    return RolloutSettings(settings.reset_interval, options, autocast)


def network_image(rgb: np.ndarray) -> Tensor:
    """A (H, W, 3) uint8 picture as the network takes it: (3, H, W) float32 in [-1, 1]."""
    return torch.from_numpy(rgb).permute(2, 0, 1).float() / 255.0 * 2.0 - 1.0
