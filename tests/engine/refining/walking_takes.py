# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes of people who walk, stand and sit before a camera that turns, seen as a network does; and ways back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch

from engine.contract.messages import (
    PROTOCOL_VERSION,
    CameraMotion,
    CameraSummary,
    FinalFrame,
    Frame,
    ScenePoints,
    TakeEnd,
    TakeHeader,
)
from engine.contract.rotations import axis_angle_to_matrix
from engine.contract.settings import CaptureSettings
from engine.contract.take import SettledTakeReader, TakeReader, TakeWriter, records
from engine.motion.body_motion import BodyMotion
from engine.motion.people_of_take import PersonOfTake, motion_in_frames, people_of_take
from engine.synthetic.dice import Dice
from engine.synthetic.people import draw_betas
from tests.engine.motion import people

PLACE = np.array([0.0, -1.5, -8.0])
"""Where the camera stands, 1.5 m above the floor."""

COUNT = 3


@cache
def shapes() -> np.ndarray:
    """(COUNT, 10) betas of the walkers."""
    return draw_betas(Dice(torch.arange(6)), 1.0)[:COUNT].numpy()


@cache
def truths() -> tuple[BodyMotion, ...]:
    return people.walkers()[:COUNT]


def cameras(count: int) -> np.ndarray:
    """(T, 4, 4) world from camera: it turns slowly from side to side."""
    poses = np.tile(np.eye(4), (count, 1, 1))
    turns = 0.05 * np.sin(np.arange(count) / 20)
    poses[:, :3, :3] = axis_angle_to_matrix(np.outer(turns, [0.0, 1.0, 0.0]))
    poses[:, :3, 3] = PLACE
    return poses


@cache
def seen() -> tuple[BodyMotion, ...]:
    """The walkers with noise, and with distances to the camera that wander by shares of themselves."""
    found = []
    for seed, truth in enumerate(truths()):
        random = np.random.default_rng(seed)
        knots = np.arange(0, truth.time_s[-1] + 0.7, 0.3)
        share = np.interp(truth.time_s, knots, 0.04 * random.normal(size=len(knots)))
        found.append(people.noisy(truth, seed).moved((truth.pelvis - PLACE) * share[:, None]))
    return tuple(found)


def frames_of(motions: Sequence[BodyMotion]) -> list[Frame]:
    """What a take says of these people, all of whom are in every frame; the first of them is person 2."""
    poses = cameras(len(motions[0]))
    nothing = np.zeros((len(poses), 10))
    columns = [
        motion_in_frames(motion, betas, nothing, poses, people.body())
        for motion, betas in zip(motions, shapes(), strict=True)
    ]
    tracks = np.arange(len(motions)) + 2
    frames = []
    for index, (pose, time_s) in enumerate(zip(poses, motions[0].time_s.tolist(), strict=True)):
        turns, translation, head = (np.stack([column[part][index] for column in columns]) for part in range(3))
        frames.append(
            Frame(
                index=index, source_frame=index, time_s=time_s, focal_px=500.0, world_from_camera=pose,
                principal_point_px=np.array([320.0, 180.0]), track_id=tracks.astype(np.int32),
                score=np.full(len(tracks), 0.9), pose_axis_angle=turns, betas=shapes(),
                expression=np.zeros((len(tracks), 10)), translation=translation, head_point=head,
                head_px=np.zeros((len(tracks), 2)), mask_size=(8, 1), mask_box_px=(-0.5, -0.5, 7.5, 0.5),
                mask_bits=np.array([index % 256], np.uint8),
            )
        )  # fmt: skip
    return frames


def final(frame: Frame, away_m: float) -> FinalFrame:
    """What a final pass says of a frame: everybody is elsewhere in the world, that much farther to the right."""
    shift = frame.world_from_camera[:3, :3].T @ np.array([away_m, 0.0, 0.0])
    return FinalFrame(
        index=frame.index, focal_px=frame.focal_px, world_from_camera=frame.world_from_camera,
        principal_point_px=frame.principal_point_px, track_id=frame.track_id, pose_axis_angle=frame.pose_axis_angle,
        betas=frame.betas, expression=frame.expression, translation=frame.translation + shift,
        head_point=frame.head_point + shift,
    )  # fmt: skip


def summary(up: np.ndarray = people.UP) -> CameraSummary:
    return CameraSummary(
        motion="turning", refined=True, note="", residual_px=0.2, ray_angle_deg=0.0, floor_known=True, up=up
    )


def write(path: Path, frames: Sequence[Frame], *after: object, end: str = "complete") -> Path:
    """A take of these frames and of what stands after them; without an `end` nobody has closed it."""
    header = TakeHeader(
        PROTOCOL_VERSION, "test", (640, 360), 30.0, len(frames), "none", "mannequin",
        CaptureSettings(source="walk.mp4", take="take.h3r"), people.body().fingerprint,
    )  # fmt: skip
    with TakeWriter(path) as take:
        take.write(header)
        for frame in frames:
            take.write(frame)
            if frame.index == 3:
                take.write(CameraMotion(3, "turning"))
                take.write(ScenePoints(3, False, np.ones((5, 3)), np.full((5, 3), 200), np.full(5, 2.5)))
        for message in after:
            take.write(message)
        if end:
            take.write(TakeEnd(end, len(frames)))
    return path


def parts(path: Path) -> list[tuple[object, bytes]]:
    """All messages after the header with their bytes."""
    data = path.read_bytes()
    with TakeReader(path) as reader:
        return [(message, data[start:end]) for message, start, end in records(reader)]


def people_in(path: Path, refined: bool = True) -> list[PersonOfTake]:
    """Everybody in a take as any reader sees them."""
    with SettledTakeReader(path, refined=refined) as reader:
        return people_of_take([message for message in reader if isinstance(message, Frame)], people.body())
