# SPDX-License-Identifier: GPL-3.0-or-later
"""A take with its footage, of which all is known: cameras, points, depth, and where each of two people is seen."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from engine.contract import rotations
from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.messages import (
    PROTOCOL_VERSION,
    FinalFrame,
    Frame,
    PointMap,
    ScenePoints,
    TakeEnd,
    TakeHeader,
    pack_mask,
)
from engine.contract.settings import CaptureSettings
from engine.contract.skeleton import BODY_JOINT_COUNT, PARENTS
from engine.contract.take import TakeWriter

SIZE = (320, 180)
PRINCIPAL = (163.25, 86.5)
FRAMES, STRIDE = 4, 2
FOCAL_LIVE, FOCAL = 240.0, 300.0
MASK_SIZE, MASK_BOX = (64, 32), (-0.5, 9.5, 319.5, 169.5)
"""The network sees all columns and most rows, as it does of footage in 16:9."""
MAP_SIZE = (64, 32)


@cache
def body() -> BodyModel:
    return BodyModel.load(default_body_path())


def camera(index: int) -> np.ndarray:
    """(4, 4) world from camera after the final pass."""
    pose = np.eye(4)
    pose[:3, :3] = rotations.axis_angle_to_matrix(index * np.array([0.02, -0.15, 0.05]))
    pose[:3, 3] = index * np.array([0.3, -0.05, 0.1])
    return pose


def picture(source_frame: int) -> np.ndarray:
    """(180, 320, 3) uint8 RGB that tells its number by its color."""
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    image[:] = (20 * source_frame + 10, 200, 40)
    image[:, : SIZE[0] // 2, 1] = 90
    return image


def person(x: float) -> dict[str, np.ndarray]:
    """One row of a frame's columns: somebody who stands upright, as far away as the scene goes."""
    pose = np.zeros((55, 3))
    pose[0] = (np.pi, 0.0, 0.0)
    head = np.array([x, -0.6, 4.0])
    turns = rotations.axis_angle_to_matrix(pose)
    translation = body().translation_from_head(turns, np.zeros(10), np.zeros(10), head)
    return {
        "pose_axis_angle": pose,
        "betas": np.zeros(10),
        "expression": np.zeros(10),
        "head_point": head,
        "translation": translation,
    }


def joints(x: float) -> np.ndarray:
    """(55, 3) camera frame."""
    row = person(x)
    turns = rotations.axis_angle_to_matrix(row["pose_axis_angle"])
    return body().posed_joints(turns, row["betas"], row["expression"], row["translation"])


def drawn_mask(places: list[float]) -> np.ndarray:
    """(32, 64) bool: the bones of people who stand at these x, as thick lines."""
    mask = np.zeros(MASK_SIZE[::-1], np.uint8)
    cell = np.array([MASK_BOX[2] - MASK_BOX[0], MASK_BOX[3] - MASK_BOX[1]]) / MASK_SIZE
    for x in places:
        found = joints(x)[:BODY_JOINT_COUNT]
        pixel = FOCAL * found[:, :2] / found[:, 2:] + PRINCIPAL
        at = np.round((pixel - MASK_BOX[:2]) / cell - 0.5).astype(int)
        for end in range(1, BODY_JOINT_COUNT):
            cv2.line(mask, at[PARENTS[end]].tolist(), at[end].tolist(), 1, 2)
    return mask > 0


@dataclass(frozen=True)
class Filmed:
    """A take on the disk."""

    take: Path
    footage: Path
    position: np.ndarray
    color: np.ndarray


PLACES = {0: [-1.2, 1.2], 1: [-1.2, 1.2], 2: [-0.1, 0.1], 3: [1.2]}
"""By frame where people stand: apart, apart, one before the other, one alone."""


def frame(index: int) -> tuple[Frame, FinalFrame]:
    """As told while the footage ran, and after the final pass."""
    places = PLACES[index]
    rows = [person(x) for x in places]
    columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    tracks = np.array([0, 1] if len(places) == 2 else [1], np.int32)
    final = FinalFrame(
        index=index,
        focal_px=FOCAL,
        world_from_camera=camera(index),
        principal_point_px=np.array(PRINCIPAL),
        track_id=tracks,
        **columns,
    )
    shared = {item.name: getattr(final, item.name) for item in fields(FinalFrame) if item.name != "refined"}
    live = Frame(
        **shared
        | {"focal_px": FOCAL_LIVE, "world_from_camera": np.eye(4), "head_point": final.head_point * (1, 1, 0.8)},
        source_frame=STRIDE * index,
        time_s=STRIDE * index / 24.0,
        score=np.ones(len(places)),
        head_px=np.zeros((len(places), 2)),
        mask_size=MASK_SIZE,
        mask_box_px=MASK_BOX,
        mask_bits=pack_mask(drawn_mask(places)),
    )
    return live, final


def true_depth(pixel: np.ndarray) -> np.ndarray:
    """(...) meters at (..., 2) footage pixels after the final pass: a slope, and a near thing in the middle."""
    slope = 3.0 + 0.01 * pixel[..., 0]
    return np.where(np.abs(pixel[..., 0] - 160.0) < 30.0, 1.5, slope)


def point_map(index: int) -> PointMap:
    """What the network said under the focal length of then: nearer by as much as that was shorter."""
    columns, rows = np.meshgrid(np.arange(MAP_SIZE[0]), np.arange(MAP_SIZE[1]))
    pixel = np.stack([columns * 5.0 + 2.0, rows * 5.0 + 12.0], axis=-1)
    depth = true_depth(pixel) * FOCAL_LIVE / FOCAL
    points = np.concatenate([(pixel - PRINCIPAL) / FOCAL_LIVE * depth[..., None], depth[..., None]], axis=-1)
    points[0, 0] = np.nan
    color = np.tile(np.array([index, 100, 200], np.uint8), (*pixel.shape[:2], 1))
    return PointMap(index, points, pixel, color, np.full(pixel.shape[:2], 2.0))


def write(folder: Path, with_point_maps: bool = True, with_points: bool = True) -> Filmed:
    """A take and its footage, a folder of PNG files."""
    footage = folder / "footage"
    footage.mkdir(parents=True)
    for number in range(STRIDE * FRAMES):
        cv2.imwrite(str(footage / f"{number:04d}.png"), picture(number)[..., ::-1])
    random = np.random.default_rng(4)
    position = random.uniform((-2, -1, 2), (2, 1, 8), (500, 3)).astype(np.float32)
    color = random.integers(0, 256, (500, 3), dtype=np.uint8)
    settings = CaptureSettings(source=str(footage), take="walk.h3r", stride=STRIDE, point_maps=with_point_maps)
    header = TakeHeader(PROTOCOL_VERSION, "test", SIZE, 24.0, FRAMES, "none", "mannequin", settings)
    take = folder / "walk.h3r"
    with TakeWriter(take) as writer:
        writer.write(header)
        for index in range(FRAMES):
            writer.write(frame(index)[0])
            if with_points:
                writer.write(ScenePoints(index, False, position[:7] + 1, color[:7], np.ones(7)))
            if with_point_maps:
                writer.write(point_map(index))
        for index in range(FRAMES):
            writer.write(frame(index)[1])
        if with_points:
            writer.write(ScenePoints(FRAMES - 1, True, position, color, np.linspace(1, 5, 500)))
        writer.write(TakeEnd("complete", FRAMES))
    return Filmed(take, footage, position, color)


def write_long(folder: Path, count: int = 3000) -> Path:
    """A take of the same frame over and over, whose export takes a while. Returns its path."""
    footage = folder / "footage"
    footage.mkdir(parents=True)
    image = folder / "image.png"
    cv2.imwrite(str(image), picture(0)[..., ::-1])
    live, _ = frame(0)
    settings = CaptureSettings(source=str(footage), take="long.h3r")
    with TakeWriter(folder / "long.h3r") as writer:
        writer.write(TakeHeader(PROTOCOL_VERSION, "test", SIZE, 24.0, count, "none", "mannequin", settings))
        for index in range(count):
            (footage / f"{index:04d}.png").symlink_to(image)
            writer.write(replace(live, index=index, source_frame=index, time_s=index / 24.0))
        writer.write(TakeEnd("complete", count))
    return folder / "long.h3r"
