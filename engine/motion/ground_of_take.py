# SPDX-License-Identifier: GPL-3.0-or-later
"""The ground of a take, from its frames and points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..contract.body_model import BodyModel
from ..contract.errors import UserError
from ..contract.messages import Frame
from ..contract.rotations import axis_angle_to_matrix
from ..contract.skeleton import JOINT_COUNT
from .body_motion import BodyMotion
from .ground import Ground, estimate_ground, levelled_on_feet, with_evidence
from .people_of_take import people_of_take
from .standing_feet import find_standing_feet


def ground_of_frames(
    frames: Sequence[Frame], points: np.ndarray, body: BodyModel | None, known: Ground | None = None
) -> Ground:
    """The ground from one frame or more, (N, 3) points in the take's world and, with a body, the frames' people.

    A `known` ground stays where it is, and is told what agrees with it.
    """
    cameras = np.stack([frame.world_from_camera for frame in frames]).astype(np.float64)
    places = np.asarray(points, dtype=np.float64)
    parts = [_world_joints(frame, body) for frame in frames if body is not None and len(frame.track_id)]
    joints = np.concatenate(parts) if parts else np.zeros((0, JOINT_COUNT, 3))
    motions = _motions(frames, body)
    ground = estimate_ground(places, cameras, joints) if known is None else known
    feet = find_standing_feet(motions, ground.up)
    if known is None:
        ground = levelled_on_feet(ground, feet)
    return with_evidence(ground, places, cameras, joints, feet)


def _motions(frames: Sequence[Frame], body: BodyModel | None) -> list[BodyMotion]:
    """The people as motions; nobody where frames are out of order, for then nothing tells how fast feet are."""
    if body is None:
        return []
    try:
        return [person.motion for person in people_of_take(frames, body)]
    except UserError:
        return []


def _world_joints(frame: Frame, body: BodyModel) -> np.ndarray:
    """(n, 55, 3) joints of a frame's people, take world."""
    turns = axis_angle_to_matrix(frame.pose_axis_angle)
    translation = body.translation_from_head(turns, frame.betas, frame.expression, frame.head_point)
    joints = body.posed_joints(turns, frame.betas, frame.expression, translation)
    pose = np.asarray(frame.world_from_camera, dtype=np.float64)
    return joints @ pose[:3, :3].T + pose[:3, 3]
