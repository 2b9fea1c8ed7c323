# SPDX-License-Identifier: GPL-3.0-or-later
"""The walk of one frame: model, tracking, intrinsics, body, fusion, and the messages that come out of it."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch

from .contract.body_model import BodyModel
from .contract.messages import Frame, Message, PointMap, ScenePoints, pack_mask
from .contract.rotations import axis_angle_to_matrix
from .contract.settings import CaptureSettings
from .model.human3r import Human3R
from .model.precision import DTYPES
from .model.prediction import FramePrediction, StepOptions
from .model.rollout import ChunkedRollout, RolloutFrame, RolloutSettings
from .resuming.state_reader import StateReader, unfit
from .stages.body import Bodies, standard_bodies
from .stages.camera_tracking import CameraTracker
from .stages.intrinsics import Intrinsics, IntrinsicsEstimator
from .stages.person_tracking import PersonTracker, TrackerSettings
from .stages.place_depth import place_depth
from .stages.point_fusion import FusionSettings, PointFusion, Points
from .video.picture import PictureMap
from .video.reading import PreparedFrame

Stage = ChunkedRollout | PersonTracker | IntrinsicsEstimator | CameraTracker | PointFusion

PERSON_PIXEL = 0.5
"""Least probability of a pixel that shows a person."""


@dataclass(frozen=True)
class ModelOutput:
    """What the model said about one prepared frame; not yet part of the pipeline's state."""

    prepared: PreparedFrame
    passes: list[RolloutFrame]
    """A replay where one was due, then the frame itself."""
    rollout: ChunkedRollout
    """The rollout as it is after them."""


class FramePipeline:
    """All stages in their order, and all they carry from frame to frame.

    A frame goes through in two parts: `predict` takes long and may be interrupted anywhere, because it changes nothing;
    `finish` is quick, must not be interrupted, and makes the frame part of the state.
    """

    def __init__(
        self, settings: CaptureSettings, model: Human3R, body_model: BodyModel, picture_map: PictureMap
    ) -> None:
        """`settings` as :func:`.capture.resolved` gives them."""
        self._settings = settings
        self._body_model = body_model
        self._map = picture_map
        self._pixel_grid = picture_map.pixel_grid()
        options = StepOptions(ttt3r=settings.ttt3r, detection_threshold=settings.detection_threshold)
        autocast = None if settings.precision == "float32" else DTYPES[settings.precision]
        self._rollout = ChunkedRollout(model, RolloutSettings(settings.reset_interval, options, autocast))
        self._tracker = PersonTracker(TrackerSettings(settings.track_memory))
        self._intrinsics = IntrinsicsEstimator()
        self._camera = CameraTracker() if settings.camera == "tracked" else None
        self._fusion = (
            PointFusion(FusionSettings(settings.voxel_size, settings.point_confidence, settings.max_points))
            if settings.voxel_size
            else None
        )
        self.frame_count = 0
        """Frames finished so far."""

    def predict(self, prepared: PreparedFrame) -> ModelOutput:
        """Run the model on the next frame."""
        picture = torch.from_numpy(prepared.rgb).permute(2, 0, 1).float() / 255.0 * 2.0 - 1.0
        # The rollout replaces what it carries and never changes it in place, so a shallow copy can be thrown away.
        rollout = copy.copy(self._rollout)
        return ModelOutput(prepared, rollout.push(picture), rollout)

    def finish(self, output: ModelOutput) -> list[Message]:
        """Take the frame into the state; returns its messages."""
        self._rollout = output.rollout
        messages: list[Message] = []
        for passed in output.passes:
            track_id = self._tracker.update(passed.prediction.people.token.float().cpu().numpy())
            if passed.emitted:
                messages = self._messages(output.prepared, passed, track_id)
        self.frame_count += 1
        return messages

    def final_points(self) -> ScenePoints | None:
        """The whole cloud with averaged positions; None when there is none."""
        if self._fusion is None:
            return None
        return _scene_points(self.frame_count - 1, True, self._fusion.cloud())

    @property
    def point_count(self) -> int:
        """Points of the place so far."""
        return len(self._fusion) if self._fusion is not None else 0

    def export_state(self) -> dict[str, dict[str, np.ndarray]]:
        """The state of every stage after the last finished frame, as plain arrays by the stage's name."""
        states = {name: stage.export_state() for name, stage in self._stages().items()}
        return states | {"pipeline": {"frame_count": np.array(self.frame_count)}}

    def restore_state(self, states: dict[str, dict[str, np.ndarray]]) -> None:
        """Go on from `export_state`, under the same settings and with the same model.

        Raises UserError (``resume-unreadable``) for what is no such state.
        """
        for name, stage in self._stages().items():
            stage.restore_state(states.get(name, {}))
        self.frame_count = StateReader("the pipeline", states.get("pipeline", {})).count("frame_count")
        if not (
            self._rollout.fits(*self._map.network_size)
            and self._tracker.fits(self._rollout.model.config.decoder_width)
            and (self._camera is None or self._camera.fits(*self._map.tracking_size))
        ):
            raise unfit("the pipeline", "it belongs to frames or a model of another size")

    def _stages(self) -> dict[str, Stage]:
        stages: dict[str, Stage] = {"rollout": self._rollout, "tracker": self._tracker, "intrinsics": self._intrinsics}
        if self._camera is not None:
            stages["camera"] = self._camera
        if self._fusion is not None:
            stages["fusion"] = self._fusion
        return stages

    def _messages(self, prepared: PreparedFrame, passed: RolloutFrame, track_id: np.ndarray) -> list[Message]:
        prediction = passed.prediction
        points = self._map.onto_footage_rays(prediction.points_self[0].float().cpu().numpy())
        confidence = prediction.confidence[0].float().cpu().numpy()
        people_mask = (prediction.mask[0] > PERSON_PIXEL).cpu().numpy()
        intrinsics = self._intrinsics.update(prediction.points_self[0])
        head_point = self._map.onto_footage_rays(prediction.people.head_point.float().cpu().numpy())
        bodies = standard_bodies(prediction.people, head_point, self._body_model)
        world_from_camera = self._world_from_camera(prepared, passed, intrinsics, points[..., 2], people_mask, bodies)
        messages: list[Message] = [
            self._frame(prepared, prediction, track_id, people_mask, intrinsics, bodies, world_from_camera)
        ]
        if self._fusion is not None:
            new = self._fusion.update(points, confidence, prepared.rgb, people_mask, world_from_camera)
            if len(new.position):
                messages.append(_scene_points(self.frame_count, False, new))
        if self._settings.point_maps:
            messages.append(
                PointMap(
                    frame_index=self.frame_count,
                    point_camera=points,
                    pixel_px=self._pixel_grid,
                    color=prepared.rgb,
                    confidence=confidence,
                )
            )
        return messages

    def _world_from_camera(
        self,
        prepared: PreparedFrame,
        passed: RolloutFrame,
        intrinsics: Intrinsics,
        depth: np.ndarray,
        people_mask: np.ndarray,
        bodies: Bodies,
    ) -> np.ndarray:
        """(4, 4) pose of the camera: the network's, or the tracked one where that was asked for."""
        if self._camera is None:
            return passed.world_from_camera
        camera = self._map.tracking_camera(
            self._map.focal_to_footage(intrinsics.focal_px),
            self._map.centres_to_footage(np.array(intrinsics.principal_point)),
        )
        joints = self._body_model.posed_joints(
            axis_angle_to_matrix(bodies.pose_axis_angle), bodies.betas, bodies.expression, bodies.translation
        )
        placed = place_depth(depth, people_mask, joints, camera, self._map.tracking_size)
        return self._camera.update(prepared.grey, placed, camera)

    def _frame(
        self,
        prepared: PreparedFrame,
        prediction: FramePrediction,
        track_id: np.ndarray,
        people_mask: np.ndarray,
        intrinsics: Intrinsics,
        bodies: Bodies,
        world_from_camera: np.ndarray,
    ) -> Frame:
        people = prediction.people
        return Frame(
            index=self.frame_count,
            source_frame=prepared.source_frame,
            time_s=prepared.time_s,
            focal_px=self._map.focal_to_footage(intrinsics.focal_px),
            world_from_camera=world_from_camera,
            principal_point_px=self._map.centres_to_footage(np.array(intrinsics.principal_point)),
            track_id=track_id,
            score=people.score.float().cpu().numpy(),
            pose_axis_angle=bodies.pose_axis_angle,
            betas=bodies.betas,
            expression=bodies.expression,
            translation=bodies.translation,
            head_point=bodies.head_point,
            head_px=self._map.edges_to_footage(people.head_px.float().cpu().numpy()),
            mask_size=self._map.network_size,
            mask_box_px=self._map.box,
            mask_bits=pack_mask(people_mask),
        )


def _scene_points(frame_index: int, replaces_all: bool, points: Points) -> ScenePoints:
    return ScenePoints(
        frame_index=frame_index,
        replaces_all=replaces_all,
        position=points.position,
        color=points.color,
        confidence=points.confidence,
    )
