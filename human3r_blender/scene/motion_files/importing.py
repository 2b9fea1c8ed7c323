# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion file becomes people in the scene.

It goes the way of a take: the motion is told as frames of a camera that stands at the scene's origin, and the scene
builder makes of it what it makes of every take.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import bpy
import numpy as np

from ....engine.contract.body_choice import body_file, choose_body
from ....engine.contract.body_model import BETA_COUNT, EXPRESSION_COUNT, BodyModel
from ....engine.contract.errors import UserError
from ....engine.contract.messages import PROTOCOL_VERSION, Frame, Message, TakeEnd, TakeHeader
from ....engine.contract.rotations import (
    axis_angle_to_matrix,
    axis_angle_to_quaternion,
    matrix_to_axis_angle,
    matrix_to_quaternion,
    quaternion_to_axis_angle,
    quaternion_to_matrix,
)
from ....engine.contract.sentences import Sentence
from ....engine.contract.settings import CaptureSettings
from ....engine.contract.skeleton import HEAD, PELVIS
from ....engine.installed import locations
from ....engine.motion.body_motion import BodyMotion
from ....engine.motion.resampling import exact_rate, frame_count, frame_times, resample
from ...blender import coordinates, timing, turns
from ...blender.slices import GOES_ON, Slices, sliceable
from ..builder import SceneBuilder
from ..import_options import ImportOptions
from .motion import FoundMotion, FoundPerson
from .options import MotionOptions
from .people import MOST_FRAMES
from .reading import read
from .up_axis import find_up_axis

GENDER = "human3r_gender"
"""On the root of an imported motion: the body's gender that its file names."""

USUAL_RATE = 30.0
"""Frames per second of files that do not say, and of most programs that write them."""

_PICTURE = (1920, 1080)


@dataclass(frozen=True)
class ImportedMotion:
    """What was made of a motion file."""

    root: bpy.types.Object
    people: int
    frames: int
    """Of the scene."""
    notes: tuple[str, ...]
    """What of the file could not be used, and what was assumed."""


@sliceable
def import_motion(
    path: Path,
    scene: bpy.types.Scene,
    body_setting: str = "",
    set_scene_timing: bool = False,
    options: MotionOptions | None = None,
    absence_s: float = ImportOptions.absence_s,
) -> Slices[ImportedMotion]:
    """Make people of a motion file, with keys on whole frames of the scene from its start on.

    The scene keeps its frame rate, and the motion is resampled by time; with `set_scene_timing` the scene takes the
    file's rate and range, from frame 1 on. Frames that the file lacks are gaps, after `absence_s` seconds of which a
    person is hidden. Raises UserError, and then has not touched the scene.
    """
    options = options or MotionOptions()
    yield Sentence("Reading {name}", name=path.name)
    found = with_rate((yield from turns.result_of(turns.submit("human3r-motion", read, path))), options)
    body_choice = choose_body(body_setting, locations.body_path())
    body = yield from turns.result_of(turns.submit("human3r-body", BodyModel.load, body_file(body_choice)))
    found = upright(found, options, body)
    own_rate = _exact_rate(path, found)
    rate = own_rate if set_scene_timing else exact_rate(timing.rate_for(scene, None))
    _check_length(path, found, own_rate, rate)
    header = _header(path, found, float(rate), body_choice)
    if set_scene_timing:
        timing.set_scene_rate(scene, float(rate))
    first = timing.FIRST_FRAME if set_scene_timing else scene.frame_start
    builder = SceneBuilder(scene, header, _import_options(body_choice, found, absence_s, first))
    last = float(first)
    for message in frames(found, own_rate, rate, body):
        builder.add(message)
        last = builder.latest_frame
        yield GOES_ON
    builder.finish()
    while builder.work(0.0):
        yield GOES_ON
    root = builder.root
    assert root is not None
    root.scale = (found.scale,) * 3
    root[GENDER] = found.gender
    if set_scene_timing:
        timing.set_range(scene, first, last)
    bpy.context.view_layer.update()
    notes = (*found.notes, *((builder.warning,) if builder.warning else ()))
    return ImportedMotion(root, len(found.people), round(last) - first + 1, notes)


def with_rate(found: FoundMotion, options: MotionOptions) -> FoundMotion:
    """The motion with the rate that the user gives, or its own, or the usual one, which is told."""
    if options.motion_frame_rate:
        return found.at_rate(options.motion_frame_rate)
    if found.frame_rate:
        return found
    said = "The file does not say its frame rate: {rate} frames per second were assumed."
    return found.at_rate(USUAL_RATE).with_notes(Sentence(said, rate=f"{USUAL_RATE:g}"))


def upright(found: FoundMotion, options: MotionOptions, body: BodyModel) -> FoundMotion:
    """The motion with z up: from the axis that the user gives, that its layout has, or that its people tell."""
    if options.up_axis != "auto":
        return found.turned(options.up_axis)
    if found.up:
        return found.turned(found.up)
    up = find_up_axis(found.people, body.rest_joints(np.zeros(BETA_COUNT)))
    if not up:
        said = "People do not tell which axis points up: Z was assumed. Set Up Axis to Y if they lie."
        return found.turned("z").with_notes(Sentence(said))
    if up == "z":
        return found.turned(up)
    return found.turned(up).with_notes(Sentence("The axis {axis} points up in the file. Z does now.", axis=up.upper()))


def _exact_rate(path: Path, found: FoundMotion) -> Fraction:
    try:
        return exact_rate(found.frame_rate)
    except ValueError as error:
        said, remedy = "{path} cannot be read as a motion: {error}.", "Save the file again with its true frame rate."
        raise UserError("motion-unreadable", said, remedy, path=path, error=error) from error


def _check_length(path: Path, found: FoundMotion, own_rate: Fraction, rate: Fraction) -> None:
    count = frame_count(Fraction(_last_frame(found)) / own_rate, rate)
    if count > MOST_FRAMES:
        raise UserError(
            "motion-unreadable",
            "{path} cannot be read as a motion: at its frame rate it has {count} frames.",
            "Give its true frame rate.",
            path=path,
            count=count,
        )


def _header(path: Path, found: FoundMotion, rate: float, shown_with: str) -> TakeHeader:
    settings = CaptureSettings(source=str(path), take=str(path.with_suffix(".h3r")))
    has_shape = any(person.betas.any() for person in found.people)
    body = found.body or ("SMPL-X" if has_shape else Path(shown_with).name)
    return TakeHeader(PROTOCOL_VERSION, found.maker, _PICTURE, rate, None, found.maker, body, settings)


def _import_options(body: str, found: FoundMotion, absence_s: float, first: int) -> ImportOptions:
    hides = any(person.hidden is not None for person in found.people)
    return ImportOptions(
        body_path=body,
        import_camera=False,
        import_points=False,
        show_footage=False,
        set_scene_timing=False,
        start_at="first" if first == timing.FIRST_FRAME else "scene",
        absence_s=0.0 if hides else absence_s,  # the file says itself when people are hidden
        clean=0.0,
        ground="off",
    )


def frames(found: FoundMotion, own_rate: Fraction, rate: Fraction, body: BodyModel) -> Iterator[Message]:
    """The motion as a take's messages: one for each frame at `rate`, people in the axes of a take."""
    wanted = frame_times(frame_count(Fraction(_last_frame(found)) / own_rate, rate), rate)
    rows = [_rows(person, own_rate, wanted, body) for person in found.people]
    for index, time_s in enumerate(wanted.tolist()):
        yield _frame(index, time_s, rows)
    yield TakeEnd("complete", len(wanted))


def _last_frame(found: FoundMotion) -> int:
    return max(int(person.frames[-1]) for person in found.people)


@dataclass(frozen=True)
class _Rows:
    """One person at the times of all messages."""

    poses: np.ndarray
    """(K, 55, 3) axis-angle, the root's in a take's axes."""
    betas: np.ndarray
    """(10,)"""
    expressions: np.ndarray
    """(K, 10)"""
    heads: np.ndarray
    """(K, 3) meters, a take's axes."""
    is_there: np.ndarray
    """(K,)"""


def _rows(person: FoundPerson, own_rate: Fraction, wanted: np.ndarray, body: BodyModel) -> _Rows:
    times = person.frames * own_rate.denominator / own_rate.numerator
    motion = resample(_body_motion(person, times, body), wanted)
    expression = np.zeros((len(wanted), EXPRESSION_COUNT))
    if person.expression is not None:
        expression = np.stack([np.interp(wanted, times, column) for column in person.expression.T], axis=-1)
    poses = quaternion_to_axis_angle(motion.rotations)
    turned = coordinates.TAKE_TO_ROOT.T @ quaternion_to_matrix(motion.rotations[:, PELVIS])
    poses[:, PELVIS] = matrix_to_axis_angle(turned)
    heads = coordinates.points_from_root(motion.joints()[:, HEAD]) + _moved_by_expression(
        poses, person.betas, expression, body
    )
    return _Rows(poses, person.betas, expression, heads, _is_there(person, np.rint(wanted * float(own_rate))))


def _body_motion(person: FoundPerson, times: np.ndarray, body: BodyModel) -> BodyMotion:
    """The person's frames in the scene's axes, with z up."""
    rest = body.rest_joints(person.betas)
    rotations = axis_angle_to_quaternion(person.poses)
    rotations[:, PELVIS] = matrix_to_quaternion(person.rotations @ axis_angle_to_matrix(person.poses[:, PELVIS]))
    place = (person.trans + person.pelvis_of(rest))[..., None]
    return BodyMotion.make(times, rotations, (person.rotations @ place)[..., 0] + person.offsets, rest)


def _moved_by_expression(poses: np.ndarray, betas: np.ndarray, expression: np.ndarray, body: BodyModel) -> np.ndarray:
    """(K, 3) by which the expression moves the head's joint, where the builder puts the head of such a body."""
    matrices, shapes = axis_angle_to_matrix(poses), np.broadcast_to(betas, (len(poses), BETA_COUNT))
    plain, shown = (body.posed_joints(matrices, shapes, given) for given in (None, expression))
    return (shown[:, HEAD] - shown[:, PELVIS]) - (plain[:, HEAD] - plain[:, PELVIS])


def _is_there(person: FoundPerson, nearest: np.ndarray) -> np.ndarray:
    """(K,) whether the file has the person in the (K,) frames."""
    seen = person.frames if person.hidden is None else person.frames[~person.hidden]
    return np.isin(nearest.astype(np.int64), seen)


def _frame(index: int, time_s: float, people: Sequence[_Rows]) -> Frame:
    """What a take says of one frame."""
    there = [(number, rows) for number, rows in enumerate(people) if rows.is_there[index]]

    def stacked(values: list[np.ndarray], *shape: int) -> np.ndarray:
        return np.array(values, dtype=np.float32).reshape(len(there), *shape)

    return Frame(
        index=index, source_frame=index, time_s=time_s, focal_px=float(_PICTURE[0]), world_from_camera=np.eye(4),
        principal_point_px=np.array(_PICTURE) / 2.0, track_id=np.array([number for number, _ in there], np.int32),
        score=np.ones(len(there), np.float32), pose_axis_angle=stacked([rows.poses[index] for _, rows in there], 55, 3),
        betas=stacked([rows.betas for _, rows in there], BETA_COUNT),
        expression=stacked([rows.expressions[index] for _, rows in there], EXPRESSION_COUNT),
        translation=np.zeros((len(there), 3), np.float32),
        head_point=stacked([rows.heads[index] for _, rows in there], 3), head_px=np.zeros((len(there), 2), np.float32),
        mask_size=(8, 1), mask_box_px=(-0.5, -0.5, 7.5, 0.5), mask_bits=np.zeros(1, np.uint8),
    )  # fmt: skip
