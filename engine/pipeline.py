# SPDX-License-Identifier: GPL-3.0-or-later
"""The walk of one frame: model, tracking, intrinsics, body, fusion, and the messages that come out of it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .camera_pass.clip import Clip
from .contract.body_model import BodyModel
from .contract.errors import UserError
from .contract.messages import CameraMotion, Frame, Message, PointMap, ScenePoints, pack_mask
from .contract.rotations import axis_angle_to_matrix
from .contract.settings import BUILT_IN, CaptureSettings
from .estimate import CameraPath, FrameEstimate, Model, States
from .refinement import final_points, not_refined, refine, refit_people, scene_points
from .resuming.state_reader import StateReader, unfit
from .stages.camera_kind import CameraKindTracker
from .stages.camera_tracking import CameraTracker
from .stages.known_camera import known_camera
from .stages.place_depth import PlaceDepth, people_cover, place_depth
from .stages.point_fusion import FusionSettings, PointFusion
from .video.picture import PictureMap
from .video.reading import PreparedFrame


@dataclass(frozen=True)
class Predicted:
    """What the model said about one prepared frame; not yet part of the pipeline's state."""

    prepared: PreparedFrame
    by_model: Any


class FramePipeline:
    """The model and all stages in their order, and all they carry from frame to frame.

    A frame goes through in two parts: `predict` takes long and may be interrupted anywhere, because it changes nothing;
    `finish` is quick, must not be interrupted, and makes the frame part of the state.
    """

    def __init__(self, settings: CaptureSettings, model: Model, body_model: BodyModel, picture_map: PictureMap) -> None:
        """`settings` as :func:`.capture.resolved` gives them."""
        self._settings = settings
        self._body_model = body_model
        self._map = picture_map
        self._pixel_grid = picture_map.pixel_grid()
        self._estimator = model.begin(settings, body_model, picture_map)
        self._known = known_camera(settings)
        is_tracked = settings.camera == "tracked" and self._known is None
        self._camera = CameraTracker() if is_tracked else None
        # Not for Human3R, whose depth has yet to be shown to gain by it.
        tells_kind = settings.model == BUILT_IN
        self._kind = CameraKindTracker(self._camera) if self._camera is not None and tells_kind else None
        self._fusion = (
            PointFusion(FusionSettings(settings.voxel_size, settings.point_confidence, settings.max_points))
            if settings.voxel_size
            else None
        )
        self._poses: list[np.ndarray] = []
        self._origin: np.ndarray | None = None  # of a known camera, the first pose
        self.frame_count = 0
        """Frames finished so far."""
        self.not_refined: UserError | None = None
        """Why :meth:`conclude` could not follow the camera once more; None where it did, or was not to."""

    def predict(self, prepared: PreparedFrame) -> Predicted:
        """Run the model on the next frame."""
        return Predicted(prepared, self._estimator.predict(prepared))

    def finish(self, predicted: Predicted) -> list[Message]:
        """Take the frame into the state; returns its messages."""
        messages = self._messages(predicted.prepared, self._estimator.finish(predicted.by_model))
        self.frame_count += 1
        return messages

    def conclude(self, clip: Clip) -> Generator[float, None, list[Message]]:
        """The passes over the whole clip in slices: yields the share that is done, returns what they found; may be
        interrupted anywhere.

        `clip` is the take so far with its footage. Where scene points are among what was found, they are the final
        ones: :meth:`final_points` has only those from before. Footage that cannot be read once more costs no more than
        what would have been found in it: :attr:`not_refined` says so.
        """
        if not self.frame_count:
            return []
        motion = self._motion() or "moving"
        told: list[Message] = []
        if self._settings.refine_camera == "on":
            fit = self._estimator.conclude if self._estimator.has_last_pass else refit_people(clip)
            try:
                return (yield from refine(clip, self._settings, self._estimator.focal(), fit))
            except UserError as error:
                self.not_refined = error
                told.append(not_refined(motion))
        has_own, focal = self._estimator.has_last_pass, None
        if not has_own and self._settings.constant_focal:
            focal = self._estimator.focal()
        fit = self._estimator.conclude if has_own or focal is None else refit_people(clip)
        found = yield from fit(CameraPath(np.stack(self._poses), motion, focal))
        told += found.messages
        if found.place is not None and self._fusion is not None:
            told.append(final_points(self.frame_count, found.place, self._settings))
        return told

    def final_points(self) -> ScenePoints | None:
        """The whole cloud with averaged positions; None when there is none."""
        if self._fusion is None:
            return None
        return scene_points(self.frame_count - 1, True, self._fusion.cloud())

    @property
    def point_count(self) -> int:
        """Points of the place so far."""
        return len(self._fusion) if self._fusion is not None else 0

    def check_frames(self, source_frames: range, frame_rate: float) -> None:
        """Whether all that can be known of the footage's frames is: before hours of work, not after.

        Raises UserError (``camera-file-short``).
        """
        if self._known is not None:
            for source_frame in source_frames:
                self._known.pose(source_frame, source_frame / frame_rate)

    def export_state(self) -> States:
        """The state of every stage after the last finished frame, as plain arrays by the stage's name."""
        states = self._estimator.export_state()
        states |= {name: stage.export_state() for name, stage in self._stages().items()}
        own = {"frame_count": np.array(self.frame_count), "poses": np.array(self._poses).reshape(-1, 4, 4)}
        own |= {} if self._origin is None else {"origin": self._origin}
        return states | {"pipeline": own}

    def restore_state(self, states: States) -> None:
        """Go on from `export_state`, under the same settings and with the same model.

        Raises UserError (``resume-unreadable``) for what is no such state.
        """
        self._estimator.restore_state(states)
        for name, stage in self._stages().items():
            stage.restore_state(states.get(name, {}))
        own = StateReader("the pipeline", states.get("pipeline", {}))
        self.frame_count = own.count("frame_count")
        # Resume files of earlier versions have no poses; their models have no pass over the whole clip.
        self._poses = list(own.pose("poses", "frames")) if "poses" in own else [np.eye(4)] * self.frame_count
        self._origin = own.pose("origin") if "origin" in own else None
        own.require(len(self._poses) == self.frame_count, "poses are not one for each frame")
        if not all(part.fits(*self._map.tracking_size) for part in (self._camera, self._kind) if part is not None):
            raise unfit("the pipeline", "it belongs to frames of another size")

    def _stages(self) -> dict[str, CameraTracker | CameraKindTracker | PointFusion]:
        stages: dict[str, CameraTracker | CameraKindTracker | PointFusion] = {}
        if self._camera is not None:
            stages["camera"] = self._camera
        if self._kind is not None:
            stages["camera_kind"] = self._kind
        if self._fusion is not None:
            stages["fusion"] = self._fusion
        return stages

    def _messages(self, prepared: PreparedFrame, estimate: FrameEstimate) -> list[Message]:
        before = self._motion() if self.frame_count else ""
        world_from_camera = self._world_from_camera(prepared, estimate)
        self._poses.append(world_from_camera)
        self._estimator.locate(world_from_camera)
        messages: list[Message] = [] if estimate.focal is None else [estimate.focal]
        if (motion := self._motion()) != before:
            messages.append(CameraMotion(self.frame_count, motion))
        messages.append(self._frame(prepared, estimate, world_from_camera))
        fused = self._fusion if estimate.points_are_news else None
        if fused is None and not self._settings.point_maps:
            return messages
        place = self._estimator.place(world_from_camera)
        if fused is not None:
            new = fused.update(place.points, place.confidence, prepared.rgb, estimate.people_mask, world_from_camera)
            if len(new.position):
                messages.append(scene_points(self.frame_count, False, new))
        if self._settings.point_maps:
            messages.append(
                PointMap(
                    frame_index=self.frame_count,
                    point_camera=place.points,
                    pixel_px=self._pixel_grid,
                    color=prepared.rgb,
                    confidence=place.confidence,
                )
            )
        return messages

    def _motion(self) -> str:
        """How the camera moves so far; empty where nothing tells."""
        if self._known is not None:
            return self._known.motion
        return self._kind.motion if self._kind is not None else ""

    def _world_from_camera(self, prepared: PreparedFrame, estimate: FrameEstimate) -> np.ndarray:
        """(4, 4) pose of the camera: the known one, or the model's, or the tracked one where that was asked for."""
        if self._known is not None:
            return self._known_pose(self._known.pose(prepared.source_frame, prepared.time_s))
        if self._camera is None:
            return estimate.world_from_camera
        bodies = estimate.bodies
        camera = self._map.tracking_camera(estimate.focal_px, estimate.principal_point_px)
        joints = self._body_model.posed_joints(
            axis_angle_to_matrix(bodies.pose_axis_angle), bodies.betas, bodies.expression, bodies.translation
        )
        people = people_cover(estimate.people_mask, joints, camera, self._map.tracking_size)

        def depth_at(pose: np.ndarray) -> PlaceDepth:
            place = self._estimator.place(pose)
            return place_depth(place.points[..., 2], place.log_sigma, people)

        if self._kind is not None:
            return self._kind.update(prepared.grey, people, depth_at, camera)
        return self._camera.update(prepared.grey, depth_at(estimate.world_from_camera).depth, camera)

    def _known_pose(self, pose: np.ndarray) -> np.ndarray:
        """(4, 4) in the take's world, which is the first frame's camera whatever the file's own world is; exactly that
        for a camera that has not moved."""
        origin = self._origin = pose if self._origin is None else self._origin
        found = np.eye(4)
        if not np.array_equal(pose[:3, :3], origin[:3, :3]):
            found[:3, :3] = origin[:3, :3].T @ pose[:3, :3]
        found[:3, 3] = origin[:3, :3].T @ (pose[:3, 3] - origin[:3, 3])
        return found

    def _frame(self, prepared: PreparedFrame, estimate: FrameEstimate, world_from_camera: np.ndarray) -> Frame:
        bodies = estimate.bodies
        return Frame(
            index=self.frame_count,
            source_frame=prepared.source_frame,
            time_s=prepared.time_s,
            focal_px=estimate.focal_px,
            world_from_camera=world_from_camera,
            principal_point_px=estimate.principal_point_px,
            track_id=estimate.track_id,
            score=estimate.score,
            pose_axis_angle=bodies.pose_axis_angle,
            betas=bodies.betas,
            expression=bodies.expression,
            translation=bodies.translation,
            head_point=bodies.head_point,
            head_px=estimate.head_px,
            mask_size=self._map.network_size,
            mask_box_px=self._map.box,
            mask_bits=pack_mask(estimate.people_mask),
        )
