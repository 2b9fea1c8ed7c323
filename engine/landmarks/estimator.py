# SPDX-License-Identifier: GPL-3.0-or-later
"""The landmarks model in a capture: who is there, where their landmarks lie, and bodies, camera and floor from them.

One frame: the `Follower` finds people and their landmarks, `BodyFitter` fits bodies, `HandsAndFace` completes them;
`FocalEstimator`, `ShapeEstimator` and `FloorEstimator` learn from frame to frame.
"""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..contract.body_model import BodyModel
from ..contract.camera_files import known_focal_px
from ..contract.known_facts import heights_of
from ..contract.messages import FOCAL_SOURCES, FinalFrame, FocalLength, Message
from ..contract.rotations import matrix_to_axis_angle
from ..contract.settings import BUILT_IN, CaptureSettings
from ..contract.skeleton import HEAD, PELVIS
from ..estimate import Bodies, CameraPath, Conclusion, FrameEstimate, PlacePoints, PlaceView, States
from ..resuming.state_reader import StateReader
from ..video.picture import PictureMap
from ..video.reading import PreparedFrame
from .body.body_fit import BodyFitter
from .body.shape import ShapeEstimator
from .camera.floor import FloorEstimator, backdrop_behind, floor_from_people
from .camera.focal import GIVEN, TAGS, FocalEstimate, FocalEstimator, focal_from_mm, given_focal
from .camera.focal_tags import focal_mm_of_footage
from .camera.surroundings import Surroundings
from .extremities.hands_and_face import HandsAndFace, HandsAndFaceSettings
from .following.following import Follower, FollowingSettings
from .networks.body_landmarks import BodyLandmarker
from .networks.detector import Detector
from .networks.networks import Networks
from .observations import FittedBodies, FollowedPeople, Pinhole
from .people_mask import people_mask
from .whole_clip.clip_record import ClipRecord
from .whole_clip.final_pass import final_pass
from .whole_clip.key_pictures import KeyPicture, KeyPictures
from .whole_clip.track_depth import ClipCamera
from .whole_clip.track_sides import ARMS, TORSO

PICTURE_SIDE = 512
"""Long side of the pictures that masks and surroundings are made on, pixels."""

FLOOR_CONFIDENCE, BACKDROP_CONFIDENCE = 3.0, 1.5
"""Of the points of the surroundings; they get none as long as no floor is known."""

FLOOR_SIGMA, BACKDROP_SIGMA = 0.15, 1.0
"""Of the logarithm of their depth: the backdrop is only so far away that it is behind everybody."""

_FUSED_EVERY = 5
"""Frames of which one adds scene points: a still camera's floor changes little, and the last pass makes all anew."""

_TOLD_CHANGE = 0.01
"""The focal length is told anew when its logarithm has changed by more."""

_THRESHOLD_SHARE = 0.6
"""The detector's scores are products, and so lower than those of Human3R that the setting was made for."""

_LEFT_EAR, _RIGHT_EAR = 7, 8


class LandmarksModel:
    """The loaded networks; fulfils :class:`~engine.estimate.Model`."""

    needs_footage_pixels = True

    def __init__(self, networks: Networks) -> None:
        self.networks = networks
        self.name = f"{BUILT_IN} ({networks.fingerprint})"

    @classmethod
    def load(cls, device: torch.device, dtype: torch.dtype) -> LandmarksModel:
        """Raises UserError as :meth:`.networks.Networks.load` does."""
        return cls(Networks.load(device, dtype))

    def picture_map(self, footage_size: tuple[int, int]) -> PictureMap:
        return PictureMap.whole(footage_size, PICTURE_SIDE)

    def begin(self, settings: CaptureSettings, body_model: BodyModel, picture_map: PictureMap) -> LandmarksEstimator:
        return LandmarksEstimator(settings, self.networks, body_model, picture_map)


@dataclass(frozen=True)
class _Learnt:
    """All that goes from frame to frame; a frame works on copies, which can be thrown away."""

    follower: Follower
    focal: FocalEstimator
    shape: ShapeEstimator
    extremities: HandsAndFace
    floor: FloorEstimator
    clip: ClipRecord
    pictures: KeyPictures

    def copied(self) -> _Learnt:
        return _Learnt(**{name: copy.copy(part) for name, part in vars(self).items()})

    def export_state(self) -> States:
        return {name: part.export_state() for name, part in vars(self).items()}

    def restore_state(self, states: States) -> None:
        for name, part in vars(self).items():
            part.restore_state(states.get(name, {}))


@dataclass(frozen=True)
class _Predicted:
    """What one frame gave; not yet part of the state."""

    learnt: _Learnt
    focal: FocalEstimate
    estimate: FrameEstimate
    joints: np.ndarray | None
    """(n, 55, 3) of the frame's people, camera frame; None once they are part of the floor."""


class LandmarksEstimator:
    """The landmarks model in one capture; fulfils :class:`~engine.estimate.FrameEstimator`."""

    has_last_pass = True

    def __init__(
        self, settings: CaptureSettings, networks: Networks, body_model: BodyModel, picture_map: PictureMap
    ) -> None:
        self._body_model, self._map = body_model, picture_map
        width, height = picture_map.footage_size
        self._centre_px = np.array([(width - 1) / 2, (height - 1) / 2])
        self._pixel_px = (picture_map.pixel_grid() - self._centre_px).astype(np.float32)
        self._fitter = BodyFitter(body_model)
        threshold = _THRESHOLD_SHARE * settings.detection_threshold
        following = FollowingSettings(settings.quality, threshold, settings.least_height)
        extremities = HandsAndFaceSettings(settings.fingers_and_face, settings.fingers_and_face)
        self._learnt = _Learnt(
            Follower(Detector(networks), BodyLandmarker(networks), following),
            FocalEstimator(picture_map.footage_size, _told_focal(settings, picture_map.footage_size)),
            ShapeEstimator(body_model, settings.stature, heights_of(settings.height)),
            HandsAndFace(networks, body_model, extremities),
            FloorEstimator(),
            ClipRecord(),
            KeyPictures(picture_map.network_size),
        )
        self._told: FocalLength | None = None
        self._finished: _Predicted | None = None

    def predict(self, prepared: PreparedFrame) -> _Predicted:
        rgb = prepared.footage_rgb
        assert rgb is not None, "the model asked for the footage's own pixels"
        learnt = self._learnt.copied()
        people = learnt.follower.update(rgb, prepared.time_s)
        focal = learnt.focal.update(people, prepared.time_s)
        camera = Pinhole(focal.focal_px, self._centre_px)
        betas = learnt.shape.betas(people.track_id)
        bodies = self._fitter.fit(people.landmarks, people.inside, camera, betas)
        seen = learnt.extremities.look(rgb, people, bodies, camera)
        turns = learnt.extremities.turns(seen, people.track_id, bodies, camera, prepared.time_s)
        bodies = learnt.extremities.apply(bodies, turns)
        learnt.shape.update(people.track_id, people.landmarks, people.inside, bodies, camera)
        estimate = self._estimate(people, bodies, camera, learnt)
        learnt.pictures.add(learnt.clip.frame_count, prepared.rgb, estimate.people_mask)
        learnt.clip.add(prepared.time_s, people, turns)
        return _Predicted(learnt, focal, estimate, bodies.joints)

    def finish(self, predicted: _Predicted) -> FrameEstimate:
        self._learnt, self._finished = predicted.learnt, predicted
        return replace(predicted.estimate, focal=self._focal_to_tell(predicted.focal))

    def place(self, world_from_camera: np.ndarray) -> PlacePoints:
        finished, floor = self._finished, self._floor_seen_from(world_from_camera)
        assert finished is not None, "a frame was finished"
        camera = Pinhole(finished.estimate.focal_px, self._centre_px)
        # The backdrop goes with the camera: of a wall that stands behind everybody it would walk out.
        place = Surroundings(floor.floor(), floor.backdrop_m(), world_from_camera[:3, 3])
        return self._points_of(place, camera, world_from_camera)

    def locate(self, world_from_camera: np.ndarray) -> None:
        self._learnt = replace(self._learnt, floor=self._floor_seen_from(world_from_camera))
        if self._finished is not None:
            self._finished = replace(self._finished, joints=None)

    def _floor_seen_from(self, world_from_camera: np.ndarray) -> FloorEstimator:
        """The floor with the people of the frame that was finished last, if its pose was not told yet."""
        floor, finished = copy.copy(self._learnt.floor), self._finished
        if finished is not None and finished.joints is not None:
            floor.update(finished.joints, world_from_camera)
        return floor

    def focal(self) -> FocalLength | None:
        return focal_message(self._learnt.focal.final())

    def conclude(self, path: CameraPath) -> Generator[float, None, Conclusion]:
        learnt, world_from_camera = self._learnt, path.world_from_camera
        focal = path.focal or focal_message(learnt.focal.final())
        camera = Pinhole(focal.focal_px, self._centre_px)
        observations, turns = learnt.clip.observations(), learnt.clip.turns()
        people = np.unique(observations.track_id)
        betas = dict(zip(people.tolist(), learnt.shape.betas(people), strict=True))
        clip_camera = ClipCamera(camera, world_from_camera, None if path.up is None else -path.up)
        shape = learnt.shape
        found = yield from final_pass(observations, self._fitter, clip_camera, betas, shape.resized, shape.known)
        arms, torso = found.exchanged[:, ARMS], found.exchanged[:, TORSO]
        turns = learnt.extremities.without(found.bodies, turns, arms, torso)
        bodies = learnt.extremities.apply(found.bodies, turns)
        first_rows = np.searchsorted(observations.frame_index, np.arange(1, len(world_from_camera)))
        frames = np.split(np.arange(len(observations)), first_rows)
        messages: list[Message] = [
            focal,
            *(
                self._final_frame(index, pose, camera, observations.track_id[rows], bodies.select(rows))
                for index, (pose, rows) in enumerate(zip(world_from_camera, frames, strict=True))
            ),
        ]
        return Conclusion(messages, self._place(camera, world_from_camera, bodies.joints, observations.frame_index))

    def _place(
        self, camera: Pinhole, world_from_camera: np.ndarray, joints: np.ndarray, frame_index: np.ndarray
    ) -> Iterator[PlaceView] | None:
        """Floor and backdrop of all (N, 55, 3) joints, as the key pictures show them; None where no floor is found."""
        poses = world_from_camera[frame_index]
        joints = np.einsum("nij,nkj->nki", poses[:, :3, :3], joints) + poses[:, None, :3, 3]
        floor = floor_from_people(joints)
        if floor is None:
            return None
        pictures = self._learnt.pictures.pictures
        middle = world_from_camera[:, :3, 3].mean(axis=0)
        place = Surroundings(floor, backdrop_behind(joints - middle), middle)
        return (self._view(place, camera, kept, world_from_camera[kept.index]) for kept in pictures)

    def _view(self, place: Surroundings, camera: Pinhole, picture: KeyPicture, pose: np.ndarray) -> PlaceView:
        known = self._points_of(place, camera, pose)
        return PlaceView(known.points, known.confidence, picture.rgb, picture.people_mask, pose)

    def _final_frame(
        self, index: int, world_from_camera: np.ndarray, camera: Pinhole, track_id: np.ndarray, bodies: FittedBodies
    ) -> FinalFrame:
        return FinalFrame(
            index=index,
            focal_px=camera.focal_px,
            world_from_camera=world_from_camera,
            principal_point_px=camera.principal_point_px,
            track_id=track_id,
            **vars(standard_bodies(bodies, self._body_model)),
        )

    def export_state(self) -> States:
        told = self._told
        last = (
            {}
            if told is None
            else {
                "focal": np.array([told.focal_px, told.relative_sigma]),
                "source": np.array(list(FOCAL_SOURCES).index(told.source)),
            }
        )
        return self._learnt.export_state() | {"told": last}

    def restore_state(self, states: States) -> None:
        self._learnt.restore_state(states)
        self._finished = None
        last = StateReader("the focal length that was told", states.get("told", {}))
        self._told = None
        if "focal" in last:
            (focal_px, sigma), source = last.array("focal", np.float64, 2).tolist(), last.count("source")
            last.require(focal_px > 0 and source < len(FOCAL_SOURCES), "it is no focal length")
            self._told = FocalLength(focal_px, sigma, list(FOCAL_SOURCES)[source])

    def _estimate(
        self, people: FollowedPeople, bodies: FittedBodies, camera: Pinhole, learnt: _Learnt
    ) -> FrameEstimate:
        return FrameEstimate(
            track_id=people.track_id,
            score=people.score,
            bodies=standard_bodies(bodies, self._body_model),
            head_px=people.landmarks.point_px[:, [_LEFT_EAR, _RIGHT_EAR]].mean(axis=1),
            people_mask=people_mask(people.landmarks, self._map),
            focal_px=camera.focal_px,
            principal_point_px=camera.principal_point_px,
            world_from_camera=np.eye(4),
            points_are_news=learnt.clip.frame_count % _FUSED_EVERY == 0,
        )

    def _points_of(self, place: Surroundings, camera: Pinhole, pose: np.ndarray) -> PlacePoints:
        """Points on the floor and on an upright backdrop."""
        scale = float(self._map.scale[0])
        small = Pinhole(camera.focal_px * scale, (camera.principal_point_px + 0.5) * self._map.scale - 0.5)
        depth, is_floor = place.depth(small, self._map.network_size, pose)
        points = np.empty((*depth.shape, 3), np.float32)
        points[..., :2] = self._pixel_px * (depth / np.float32(camera.focal_px))[..., None]
        points[..., 2] = depth
        log_sigma = np.where(is_floor, np.float32(FLOOR_SIGMA), np.float32(BACKDROP_SIGMA))
        confidence = np.where(is_floor, np.float32(FLOOR_CONFIDENCE), np.float32(BACKDROP_CONFIDENCE))
        return PlacePoints(points, confidence if place.floor is not None else np.zeros_like(confidence), log_sigma)

    def _focal_to_tell(self, focal: FocalEstimate) -> FocalLength | None:
        """The focal length as a message, where it is news."""
        message = focal_message(focal)
        told = self._told
        if told is not None and told.source == focal.source:
            change = abs(np.log(told.focal_px / focal.focal_px))
            if change < _TOLD_CHANGE:
                return None
        self._told = message
        return message


def focal_message(focal: FocalEstimate) -> FocalLength:
    """A focal length as takes hold it."""
    return FocalLength(focal.focal_px, 0.0 if focal.source == GIVEN else focal.log_sigma, focal.source)


def standard_bodies(bodies: FittedBodies, body_model: BodyModel) -> Bodies:
    """Fitted bodies as SMPL-X parameters."""
    return Bodies(
        pose_axis_angle=matrix_to_axis_angle(bodies.rotations),
        betas=bodies.betas,
        expression=np.zeros((len(bodies), 10)),
        translation=bodies.pelvis - body_model.rest_joints(bodies.betas)[:, PELVIS],
        head_point=bodies.joints[:, HEAD],
    )


def _told_focal(settings: CaptureSettings, size: tuple[int, int]) -> FocalEstimate | None:
    """What the settings or the files say; None where nothing does."""
    known = known_focal_px(settings, size)
    if known is not None:
        return given_focal(known)
    tagged = focal_mm_of_footage(settings.source)
    return None if tagged is None else focal_from_mm(tagged, size, TAGS)
