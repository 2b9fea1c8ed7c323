# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes of people who come, go and are missed, before a camera that moves; and ways to look into takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np

from engine.contract import rotations
from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.messages import (
    PROTOCOL_VERSION,
    Backdrop,
    CameraMotion,
    CameraSummary,
    FinalFrame,
    Frame,
    Message,
    PointMap,
    ScenePoints,
    TakeEnd,
    TakeHeader,
)
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeReader, TakeWriter, records

FRAMES, RATE, FOCAL_PX = 60, 30.0, 500.0


@cache
def body() -> BodyModel:
    return BodyModel.load(default_body_path())


def _wave(seed: int, *shape: int, scale: float) -> np.ndarray:
    """(FRAMES, *shape) slow sines."""
    random = np.random.default_rng(seed)
    time_s = (np.arange(FRAMES) / RATE).reshape(-1, *(1 for _ in shape))
    speed, phase = random.uniform(1, 3, shape), random.uniform(0, 6, shape)
    return scale * np.sin(speed * time_s + phase)


@cache
def cameras() -> np.ndarray:
    """(FRAMES, 4, 4) world from camera."""
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    poses[:, :3, :3] = rotations.axis_angle_to_matrix(_wave(50, 3, scale=0.2))
    poses[:, :3, 3] = _wave(51, 3, scale=0.3)
    return poses


@cache
def person(number: int) -> dict[str, np.ndarray]:
    """What a frame says of a person, for all FRAMES of them, the shape predicted anew in each."""
    turns = _wave(number, 55, 3, scale=0.3)
    turns[:, 0] += (np.pi, 0.0, 0.0)
    world = rotations.axis_angle_to_matrix(turns)
    camera = cameras()
    local = world.copy()
    local[:, 0] = np.swapaxes(camera[:, :3, :3], -1, -2) @ world[:, 0]
    pose = rotations.matrix_to_axis_angle(local)
    random = np.random.default_rng(number)
    betas = random.normal(size=10) + 0.1 * random.normal(size=(FRAMES, 10))
    expression = _wave(number + 10, 10, scale=0.5)
    place = np.array([number - 1.0, 0.0, 4.0]) + _wave(number + 20, 3, scale=0.4)
    head = ((place - camera[:, :3, 3])[:, None] @ camera[:, :3, :3])[:, 0]
    return {
        "pose_axis_angle": pose,
        "betas": betas,
        "expression": expression,
        "head_point": head,
        "translation": body().translation_from_head(local, betas, expression, head),
        "head_px": FOCAL_PX * head[:, :2] / head[:, 2:] + (320.0, 180.0),
    }


def frame(index: int, shown: Sequence[int]) -> Frame:
    values = {
        name: np.stack([person(one)[name][index] for one in shown]) if shown else np.zeros((0, *array.shape[1:]))
        for name, array in person(0).items()
    }
    return Frame(
        index=index,
        source_frame=2 * index,
        time_s=index / RATE,
        focal_px=FOCAL_PX,
        world_from_camera=cameras()[index],
        principal_point_px=np.array([320.0, 180.0]),
        track_id=np.array(shown, dtype=np.int32),
        score=np.full(len(shown), 0.9),
        mask_size=(8, 1),
        mask_box_px=(-0.5, -0.5, 7.5, 0.5),
        mask_bits=np.array([index], np.uint8),
        **values,
    )


def moved_final(frame: Frame) -> FinalFrame:
    """A final frame that puts everybody a metre further on each axis."""
    values = {item.name: getattr(frame, item.name) for item in fields(FinalFrame) if item.name != "refined"}
    return FinalFrame(**values | {"translation": frame.translation + 1, "head_point": frame.head_point + 1})


def write(path: Path, seen: Mapping[int, Sequence[int]], closed: bool = True) -> Path:
    """A take in which people are seen in the frames that `seen` names for each."""
    points = ScenePoints(0, False, np.ones((5, 3)), np.full((5, 3), 200), np.full(5, 2.5))
    with TakeWriter(path) as writer:
        writer.write(
            TakeHeader(
                PROTOCOL_VERSION,
                "test",
                (640, 360),
                RATE,
                FRAMES,
                "none",
                "mannequin",
                CaptureSettings(source="walk.mp4", take="take.h3r"),
                body().fingerprint,
            )
        )
        for index in range(FRAMES):
            writer.write(frame(index, [one for one, frames in seen.items() if index in frames]))
            if index % 7 == 0:
                writer.write(points)
                writer.write(PointMap(index, *(np.zeros((2, 2, size)) for size in (3, 2, 3)), np.ones((2, 2))))
        if closed:
            writer.write(TakeEnd("complete", FRAMES))
    return path


def with_camera(source: Path, target: Path) -> Path:
    """A take with what a final pass found about the camera before its end."""
    up, forward = np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0])
    rays = np.tile(forward, (2, 3, 1))
    told = (
        CameraMotion(3, "turning"),
        CameraSummary(
            motion="turning", refined=True, note="", residual_px=0.2, ray_angle_deg=0.0, floor_known=True, up=up,
            floor_height=1.5,
        ),
        Backdrop(
            center=np.zeros(3), direction=rays, picture=np.full((4, 6, 3), 90), up=up, forward=forward,
            floor_height=1.5, card_distance=6.0, is_round=True,
        ),
    )  # fmt: skip
    with TakeReader(source) as reader, TakeWriter(target) as writer:
        writer.write(reader.header)
        for message in reader:
            for other in told if isinstance(message, TakeEnd) else ():
                writer.write(other)
            writer.write(message)
    return target


def parts(path: Path) -> list[tuple[Message, bytes]]:
    """All messages after the header with their bytes."""
    data = path.read_bytes()
    with TakeReader(path) as reader:
        return [(message, data[start:end]) for message, start, end in records(reader)]


def frames(path: Path) -> list[Frame]:
    return [message for message, _ in parts(path) if isinstance(message, Frame)]


def rows(path: Path, track_id: int) -> dict[int, np.ndarray]:
    """By index of the frames with a person: the person's pose."""
    return {
        one.index: one.pose_axis_angle[one.track_id == track_id][0] for one in frames(path) if track_id in one.track_id
    }
