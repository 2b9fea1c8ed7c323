# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion from an AMASS-style file becomes a person in the scene.

It goes the way of a take: the motion is told as frames of a camera that stands at the scene's origin, and the scene
builder makes of it what it makes of every take.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import bpy
import numpy as np

from ....engine.contract.body_choice import body_file, choose_body
from ....engine.contract.body_model import EXPRESSION_COUNT, BodyModel
from ....engine.contract.errors import UserError
from ....engine.contract.messages import PROTOCOL_VERSION, Frame, Message, TakeEnd, TakeHeader
from ....engine.contract.rotations import (
    axis_angle_to_matrix,
    axis_angle_to_quaternion,
    matrix_to_axis_angle,
    quaternion_to_axis_angle,
)
from ....engine.contract.settings import CaptureSettings
from ....engine.contract.skeleton import HEAD, PELVIS
from ....engine.installed import locations
from ....engine.motion.body_motion import BodyMotion
from ....engine.motion.resampling import exact_rate, frame_count, frame_times, resample
from ...blender import coordinates, timing
from ...scene.builder import SceneBuilder
from ...scene.import_options import ImportOptions
from . import amass

GENDER = "human3r_gender"
"""On the root of an imported motion: the body's gender that its file names."""

SUFFIX = ".npz"

_PICTURE = (1920, 1080)


def import_motion(
    path: Path,
    scene: bpy.types.Scene,
    body_setting: str = "",
    set_scene_timing: bool = False,
) -> tuple[bpy.types.Object, tuple[str, ...]]:
    """Make a person of the AMASS-style file `path`, with keys on whole frames of the scene from frame 1 on.

    The scene keeps its frame rate, and the motion is resampled by time; with `set_scene_timing` the scene takes the
    file's rate and range. Returns the root empty, and notes on what of the file could not be used. Raises UserError.
    """
    found = amass.read(path)
    try:
        own_rate = exact_rate(found.frame_rate)
        rate = own_rate if set_scene_timing else exact_rate(timing.rate_for(scene, None))
    except ValueError as error:
        raise UserError(
            "motion-unreadable",
            "{path} cannot be read as a motion: {error}.",
            "Save the file again with its true frame rate.",
            path=path,
            error=error,
        ) from error
    body_choice = choose_body(body_setting, locations.body_path())
    body = BodyModel.load(body_file(body_choice))
    settings = CaptureSettings(source=str(path), take=str(path.with_suffix(".h3r")))
    made_with = found.body or "SMPL-X"
    header = TakeHeader(PROTOCOL_VERSION, "AMASS", _PICTURE, float(rate), None, "AMASS", made_with, settings)
    options = ImportOptions(
        body_path=body_choice,
        import_camera=False,
        import_points=False,
        show_footage=False,
        set_scene_timing=False,
        absence_s=0.0,
        clean=0.0,
        ground="off",
    )
    if set_scene_timing:
        timing.set_scene_rate(scene, float(rate))
    builder = SceneBuilder(scene, header, options)
    last = float(timing.FIRST_FRAME)
    for message in frames(found, own_rate, rate, body):
        builder.add(message)
        last = builder.latest_frame
    builder.finish()
    builder.work()
    root = builder.root
    assert root is not None
    root.scale = (found.scale,) * 3
    root[GENDER] = found.gender
    if set_scene_timing:
        timing.set_range(scene, timing.FIRST_FRAME, last)
    bpy.context.view_layer.update()
    return root, (*found.notes, *((builder.warning,) if builder.warning else ()))


def frames(found: amass.AmassMotion, own_rate: Fraction, rate: Fraction, body: BodyModel) -> Iterator[Message]:
    """The motion as a take's messages: one for each frame at `rate`, people in the axes of a take."""
    times = frame_times(len(found.poses), own_rate)
    rest = body.rest_joints(found.betas)
    motion = BodyMotion.make(times, axis_angle_to_quaternion(found.poses), found.trans + rest[PELVIS], rest)
    wanted = frame_times(frame_count(Fraction(len(found.poses) - 1) / own_rate, rate), rate)
    motion = resample(motion, wanted)
    nearest = np.clip(np.rint(wanted * float(own_rate)).astype(int), 0, len(found.poses) - 1)
    expression = np.zeros((len(wanted), EXPRESSION_COUNT))
    if found.expression is not None:
        expression = np.stack([np.interp(wanted, times, column) for column in found.expression.T], axis=-1)
    hidden = np.zeros(len(wanted), dtype=bool) if found.hidden is None else found.hidden[nearest]
    poses = quaternion_to_axis_angle(motion.rotations)
    turned = coordinates.TAKE_TO_ROOT.T @ axis_angle_to_matrix(poses[:, PELVIS])
    poses[:, PELVIS] = matrix_to_axis_angle(turned)
    heads = coordinates.points_from_root(motion.joints()[:, HEAD])
    # The builder puts the pelvis where the head is, of a body with this expression, which moves the head's joint.
    matrices = axis_angle_to_matrix(poses)
    plain, shown = (
        body.posed_joints(matrices, np.broadcast_to(found.betas, (len(wanted), 10)), given)
        for given in (None, expression)
    )
    heads += (shown[:, HEAD] - shown[:, PELVIS]) - (plain[:, HEAD] - plain[:, PELVIS])
    for index, time_s in enumerate(wanted.tolist()):
        yield _frame(index, time_s, poses[index], found.betas, expression[index], heads[index], bool(hidden[index]))
    yield TakeEnd("complete", len(wanted))


def _frame(
    index: int,
    time_s: float,
    pose: np.ndarray,
    betas: np.ndarray,
    expression: np.ndarray,
    head: np.ndarray,
    hidden: bool,
) -> Frame:
    people = slice(0, 0) if hidden else slice(0, 1)

    def rows(values: np.ndarray) -> np.ndarray:
        return np.asarray(values, dtype=np.float32)[None][people]

    return Frame(
        index=index, source_frame=index, time_s=time_s, focal_px=float(_PICTURE[0]), world_from_camera=np.eye(4),
        principal_point_px=np.array(_PICTURE) / 2.0, track_id=np.zeros(1, np.int32)[people],
        score=np.ones(1, np.float32)[people], pose_axis_angle=rows(pose), betas=rows(betas),
        expression=rows(expression), translation=rows(np.zeros(3)), head_point=rows(head), head_px=rows(np.zeros(2)),
        mask_size=(8, 1), mask_box_px=(-0.5, -0.5, 7.5, 0.5), mask_bits=np.zeros(1, np.uint8),
    )  # fmt: skip
