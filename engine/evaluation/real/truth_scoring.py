# SPDX-License-Identifier: GPL-3.0-or-later
"""How far bodies are from true joints in metres, in the frame of the camera that saw them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ...contract.body_model import BodyModel
from ...contract.messages import Frame
from ..local_body import mpjpe_mm, pa_mpjpe_mm
from .points import HIPS, INDEX, body_points, project
from .scoring import FOUND_WITHIN
from .truth import TrueCamera, Truth


@dataclass(frozen=True)
class ViewErrors:
    """One person in one frame of one camera."""

    mpjpe_mm: float
    """Over all joints that are known, after moving the middle of the hips on to the true one."""
    pa_mpjpe_mm: float
    joints_mm: np.ndarray
    """(joints,) what the first is the mean of."""
    root_m: float
    """Of the middle of the hips, in the frame of the camera as it was calibrated."""
    root_along_m: float
    """The part of it along the ray to the true one."""
    root_across_m: float
    root_seen_m: float
    """Of the middle of the hips, from where a camera without distortion sees it that has the true focal length and
    the take's principal point: what no model can know of the lens is left out."""
    focal_relative: float
    """|f - f*| / f*."""


@dataclass(frozen=True)
class TruthScore:
    """What was measured over the views of one set of captures."""

    names: tuple[str, ...]
    views: int
    found: tuple[ViewErrors, ...]

    def mean(self, name: str) -> float | None:
        """The mean of one of the errors over those found."""
        return float(np.mean([getattr(view, name) for view in self.found])) if self.found else None

    def joints_mm(self) -> dict[str, float]:
        """The mean error of every joint."""
        if not self.found:
            return {}
        means = np.mean([view.joints_mm for view in self.found], axis=0)
        return {name: float(value) for name, value in zip(self.names, means, strict=True)}


def score_views(truth: Truth, body: BodyModel, takes: Mapping[str, Mapping[int, Frame]]) -> TruthScore:
    """Measure the frames of one take for each camera; a frame that a take lacks counts as somebody not found."""
    views = [
        (camera, frames.get(number), joints)
        for camera in truth.cameras
        if (frames := takes.get(camera.name)) is not None
        for number, joints in truth.joints.items()
    ]
    found = [
        errors
        for camera, frame, joints in views
        if frame is not None
        for errors in _nearest(truth.names, camera, frame, camera.in_camera(joints), body)
    ]
    return TruthScore(truth.names, len(views), tuple(found))


def _nearest(
    names: tuple[str, ...], camera: TrueCamera, frame: Frame, joints: np.ndarray, body: BodyModel
) -> Iterator[ViewErrors]:
    """The errors of whoever is seen nearest to the true person, if anybody is near."""
    true_px = camera.project(joints)
    people = body_points(frame, body)[:, [INDEX[name] for name in names]]
    distances = np.median(np.linalg.norm(project(people, frame) - true_px, axis=-1), axis=-1)
    if len(people) and distances.min() <= FOUND_WITHIN * np.ptp(true_px[:, 1]):
        yield _errors(names, camera, frame, people[distances.argmin()], joints)


def _errors(
    names: tuple[str, ...], camera: TrueCamera, frame: Frame, joints: np.ndarray, true_joints: np.ndarray
) -> ViewErrors:
    hips = (names.index(HIPS[0]), names.index(HIPS[1]))
    root, true_root = joints[list(hips)].mean(axis=0), true_joints[list(hips)].mean(axis=0)
    offset, ray = root - true_root, true_root / np.linalg.norm(true_root)
    along = float(offset @ ray)
    return ViewErrors(
        float(mpjpe_mm(joints, true_joints, hips)),
        float(pa_mpjpe_mm(joints, true_joints)),
        1000 * np.linalg.norm((joints - root) - (true_joints - true_root), axis=-1),
        float(np.linalg.norm(offset)),
        abs(along),
        float(np.linalg.norm(offset - along * ray)),
        float(np.linalg.norm(root - _as_seen(camera, frame, true_root))),
        abs(frame.focal_px - camera.focal_px) / camera.focal_px,
    )


def _as_seen(camera: TrueCamera, frame: Frame, point: np.ndarray) -> np.ndarray:
    """Where a point lies, at its own depth, on the ray of a pinhole with the take's principal point."""
    across = (camera.project(point[None])[0] - frame.principal_point_px) / camera.focal_px
    return point[2] * np.append(across, 1.0)
