# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage of the textured room with somebody walking through it, and the take that belongs to it; all is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from engine.camera_pass.clip import Clip
from engine.camera_pass.found import FoundCamera
from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.messages import PROTOCOL_VERSION, CameraSummary, FocalLength, Frame, TakeHeader, pack_mask
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeWriter
from engine.estimate import CameraPath
from engine.surroundings.finding import FoundSurroundings, surroundings_of
from tests.engine.stages.textured_room import pinhole, see

SIZE = 320, 240
FOCAL = 260.0
FLOOR_M = 1.4
"""The room's floor lies so far under the world's origin."""
PERSON = 90, 30, 30
"""Nothing in the room has this color."""


@dataclass
class RoomFootage:
    """A camera goes along poses through the room; a person of `person_px` (width, height) stands before it."""

    poses: np.ndarray
    person_at: list[tuple[float, float] | None]
    """Middle of the person in each frame, pixels; None where nobody is seen."""
    person_px: tuple[int, int] = (40, 120)
    size: tuple[int, int] = SIZE
    focal: float = FOCAL
    brightness: list[float] = field(default_factory=list)
    """Factor on each frame; empty for none."""
    overlooked: tuple[int, ...] = ()
    """Frames whose mask in the take has nobody."""
    people_at: list[tuple[float, float, float]] = field(default_factory=list)
    """Translation of bodies in the take, camera frame; they are not drawn."""
    lag: int = 0
    """The mask in the take is that of so many frames before."""

    @property
    def camera(self) -> np.ndarray:
        return pinhole(self.size, self.focal)

    def empty(self, index: int) -> np.ndarray:
        """(h, w, 3) uint8 what the camera would see without the person."""
        grey, _ = see(self.poses[index], self.camera, self.size)
        return np.repeat(grey[..., None], 3, axis=-1)

    def depth(self, index: int) -> np.ndarray:
        return see(self.poses[index], self.camera, self.size)[1]

    def person(self, index: int) -> np.ndarray:
        """(h, w) bool what shows the person."""
        mask = np.zeros(self.size[::-1], np.uint8)
        middle = self.person_at[index]
        if middle is not None:
            half = (self.person_px[0] // 2, self.person_px[1] // 2)
            cv2.ellipse(mask, (round(middle[0]), round(middle[1])), half, 0, 0, 360, 1, -1)
        return mask > 0

    def mask_in_take(self, index: int) -> np.ndarray:
        """(h, w) bool."""
        mask = self.person(max(index - self.lag, 0))
        return np.zeros_like(mask) if index in self.overlooked else mask

    def write(self, folder: Path) -> Clip:
        """Write images and take."""
        pictures, take = folder / "images", folder / "take.h3r"
        pictures.mkdir()
        settings = CaptureSettings(source=str(pictures), take=str(take))
        with TakeWriter(take) as writer:
            writer.write(TakeHeader(PROTOCOL_VERSION, "test", self.size, 24.0, len(self.poses), "", "", settings))
            for index in range(len(self.poses)):
                rgb, mask = self.empty(index).astype(np.float64), self.person(index)
                rgb[mask] = PERSON
                rgb *= self.brightness[index] if self.brightness else 1.0
                cv2.imwrite(str(pictures / f"{index:04d}.png"), rgb[..., ::-1].round().clip(0, 255).astype(np.uint8))
                writer.write(self._frame(index, self.mask_in_take(index)))
        return Clip(take, settings, _body())

    def found(self, motion: str, refined: bool = True, floor: bool = True) -> FoundCamera:
        """The truth about the camera."""
        up = np.array([0.0, -1.0, 0.0])
        focal = FocalLength(self.focal, 0.01, "camera")
        path = CameraPath(self.poses, motion, focal, up if floor else None, FLOOR_M if floor else None)
        summary = CameraSummary(
            motion=motion, refined=refined, note="", residual_px=0.3, ray_angle_deg=3.0, floor_known=floor, up=up
        )
        followed = range(0, len(self.poses), 5) if motion == "moving" else ()
        points = [np.zeros((0, 3)), *(self._corners(index) for index in followed)]
        return FoundCamera(path, summary, np.concatenate(points))

    def _corners(self, index: int) -> np.ndarray:
        rows, columns = np.mgrid[20 : self.size[1] : 40, 20 : self.size[0] : 40]
        rays = np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ np.linalg.inv(self.camera).T
        points = (rays * self.depth(index)[rows, columns][..., None]).reshape(-1, 3)
        return points @ self.poses[index][:3, :3].T + self.poses[index][:3, 3]

    def _frame(self, index: int, mask: np.ndarray) -> Frame:
        width, height = self.size
        count = len(self.people_at)
        people = {
            "track_id": np.arange(count), "score": np.ones(count), "pose_axis_angle": np.zeros((count, 55, 3)),
            "betas": np.zeros((count, 10)), "expression": np.zeros((count, 10)),
            "translation": np.reshape(self.people_at, (count, 3)), "head_point": np.zeros((count, 3)),
            "head_px": np.zeros((count, 2)),
        }  # fmt: skip
        return Frame(
            index=index,
            source_frame=index,
            time_s=index / 24,
            focal_px=0.9 * self.focal,
            world_from_camera=np.eye(4),
            principal_point_px=self.camera[:2, 2],
            mask_size=self.size,
            mask_box_px=(-0.5, -0.5, width - 0.5, height - 0.5),
            mask_bits=pack_mask(mask),
            **people,
        )


@cache
def _body() -> BodyModel:
    return BodyModel.load(default_body_path())


def looked_at(clip: Clip, found: FoundCamera, with_backdrop: bool = True) -> FoundSurroundings:
    """What comes out in the end; the shares told on the way go up to 1."""
    steps, last = surroundings_of(clip, found, with_backdrop), 0.0
    while True:
        try:
            share = next(steps)
        except StopIteration as end:
            return end.value
        assert last - 1e-9 <= share <= 1.0 + 1e-9
        last = share
