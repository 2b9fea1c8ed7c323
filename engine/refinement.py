# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens when the last frame is in: the camera is followed once more, people and surroundings are made anew."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable

import numpy as np

from .camera_pass.clip import Clip
from .camera_pass.following_camera import follow_camera
from .camera_pass.known_path import known_path
from .camera_pass.refit import refitted
from .contract.messages import CameraSummary, FocalLength, Message, ScenePoints
from .contract.settings import BUILT_IN, CaptureSettings
from .estimate import CameraPath, Conclusion, PlaceView
from .slices import part
from .stages.point_fusion import PIXEL_STEP, FusionSettings, PointFusion, Points
from .surroundings.finding import surroundings_of

_CAMERA_DONE, _PEOPLE_DONE = 0.5, 0.7
"""Share of the work that is done when the camera has been followed, and when the people have been fitted again."""

FitPeople = Callable[[CameraPath], Generator[float, None, Conclusion]]
"""Fits the people of a clip to a camera's path: a model's own last pass, or :func:`refit_people`."""


def refine(
    clip: Clip, settings: CaptureSettings, focal: FocalLength | None, fit_people: FitPeople
) -> Generator[float, None, list[Message]]:
    """Yields the share that is done; returns the records that follow the frames of the take. Changes nothing, so it may
    be interrupted anywhere.

    `focal` is the best that is known of the clip's focal length, None for the frames' own. Raises UserError where the
    footage cannot be read any more.
    """
    is_known = settings.fixed_camera or bool(settings.camera_file)
    follow = known_path(clip, focal, settings) if is_known else follow_camera(clip, focal)
    found = yield from part(follow, 0.0, _CAMERA_DONE)
    people = yield from part(fit_people(found.path), _CAMERA_DONE, _PEOPLE_DONE)
    messages: list[Message] = [found.summary, *people.messages]
    # A model that predicts depth knows more of a still camera's surroundings than one photograph.
    with_backdrop = settings.backdrop and settings.model == BUILT_IN
    place = yield from part(surroundings_of(clip, found, with_backdrop), _PEOPLE_DONE, 1.0)
    if place.backdrop is not None:
        messages.append(place.backdrop)
    if not settings.voxel_size:
        return messages
    views = people.place if place.views is None else place.views
    if place.backdrop is not None:
        messages.append(final_points(len(found.path.world_from_camera), [], settings))
    elif views is not None:
        messages.append(final_points(len(found.path.world_from_camera), views, settings))
    return messages


def not_refined(motion: str) -> CameraSummary:
    """What the take says where the pass could not be made and the path found while the footage ran was kept."""
    return CameraSummary(
        motion=motion,
        refined=False,
        note="not-done",
        residual_px=0.0,
        ray_angle_deg=0.0,
        floor_known=False,
        up=np.zeros(3),
    )


def refit_people(clip: Clip) -> FitPeople:
    """Fits the people that a take has, as they are, to another focal length: for a model without a pass of its own.

    Frames that nothing changes for get no record.
    """

    def fit(path: CameraPath) -> Generator[float, None, Conclusion]:
        messages: list[Message] = [] if path.focal is None else [path.focal]
        count = max(len(path.world_from_camera), 1)
        for frame in clip.frames():
            focal_px = frame.focal_px if path.focal is None else path.focal.focal_px
            pose = path.world_from_camera[frame.index]
            if focal_px != frame.focal_px or not np.array_equal(pose, frame.world_from_camera):
                messages.append(refitted(frame, pose, focal_px, clip.body_model))
            yield (frame.index + 1) / count
        return Conclusion(messages)

    return fit


def final_points(frame_count: int, views: Iterable[PlaceView], settings: CaptureSettings) -> ScenePoints:
    """The scene points of some views, of all their pixels, which replace those that came before."""
    fusion = PointFusion(FusionSettings(settings.voxel_size, settings.point_confidence, settings.max_points))
    for view in views:
        for _ in range(PIXEL_STEP**2):
            fusion.update(view.points, view.confidence, view.rgb, view.people_mask, view.world_from_camera)
    return scene_points(frame_count - 1, True, fusion.cloud())


def scene_points(frame_index: int, replaces_all: bool, points: Points) -> ScenePoints:
    """Fused points as the take holds them."""
    return ScenePoints(
        frame_index=frame_index,
        replaces_all=replaces_all,
        position=points.position,
        color=points.color,
        confidence=points.confidence,
    )
