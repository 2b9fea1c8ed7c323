# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a file of true joints in metres: noted by eye in several calibrated views of one person, and triangulated.

`cameras` has by name `K`, `distortion_k1k2p1p2k3`, `R_world_to_camera`, `t_world_to_camera_m`, `video_size` and
`video_to_calibration_px` (a x + b, for x and y); `frames` has by number `joints_m` in the world; `source` says which
wheel the videos are in, which are called after the cameras.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np

from ...contract.json_checks import read_json
from .annotations import FootagePlace, explained_reading
from .points import POINT_NAMES

FILE_NAME = "truth_pose2sim.json"

SENSOR_MM = 36.0
"""Width of the sensor that focal lengths in millimetres are stated for, along the picture's long side."""


@dataclass(frozen=True)
class TrueCamera:
    """A calibrated camera that stands still."""

    name: str
    place: FootagePlace
    matrix: np.ndarray
    """(3, 3), in pixels of the calibration."""
    distortion: np.ndarray
    """(5,) k1, k2, p1, p2, k3."""
    rotation: np.ndarray
    """(3, 3) from the world to the camera."""
    translation: np.ndarray
    """(3,) metres."""
    video_size: tuple[int, int]
    calibration_of_video: np.ndarray
    """(2, 2): a and b, for x and for y, of calibration = a video + b."""

    @property
    def focal_px(self) -> float:
        """In pixels of the video."""
        return float(np.mean(self.matrix[[0, 1], [0, 1]] / self.calibration_of_video[:, 0]))

    @property
    def focal_mm(self) -> float:
        """For a sensor `SENSOR_MM` wide along the video's long side."""
        return SENSOR_MM * self.focal_px / max(self.video_size)

    def in_camera(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) points of the world in the camera's frame."""
        return points @ self.rotation.T + self.translation

    def project(self, points: np.ndarray) -> np.ndarray:
        """(n, 3) points of the camera's frame to (n, 2) pixels of the video, the lens's distortion included."""
        still = np.zeros(3)
        pixels = cv2.projectPoints(points[:, None], still, still, self.matrix, self.distortion)[0][:, 0]
        return (pixels - self.calibration_of_video[:, 1]) / self.calibration_of_video[:, 0]


@dataclass(frozen=True)
class Truth:
    """True joints of one person in some frames, and the cameras that saw them."""

    name: str
    names: tuple[str, ...]
    """Of the joints, as in `points`."""
    joints: Mapping[int, np.ndarray]
    """(joints, 3) by frame, world, metres."""
    cameras: tuple[TrueCamera, ...]


def read_truth(folder: Path) -> Truth | None:
    """The truth in a folder, if there is one. Raises UserError (`annotations-unreadable`)."""
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    with explained_reading(path):
        values = read_json(path)
        frames = {int(number): frame["joints_m"] for number, frame in values["frames"].items()}
        names = tuple(name for name in POINT_NAMES if all(name in joints for joints in frames.values()))
        joints = {
            number: np.array([frame[name] for name in names], dtype=np.float64) for number, frame in frames.items()
        }
        cameras = tuple(_camera(name, entry, values["source"]) for name, entry in values["cameras"].items())
    return Truth(FILE_NAME, names, joints, cameras)


def _camera(name: str, entry: dict[str, Any], source: dict[str, str]) -> TrueCamera:
    mapping = entry["video_to_calibration_px"]
    width, height = entry["video_size"]
    return TrueCamera(
        name,
        _place(name, source),
        np.array(entry["K"], dtype=np.float64),
        np.array(entry["distortion_k1k2p1p2k3"], dtype=np.float64),
        np.array(entry["R_world_to_camera"], dtype=np.float64),
        np.array(entry["t_world_to_camera_m"], dtype=np.float64),
        (int(width), int(height)),
        np.array([mapping["x"], mapping["y"]], dtype=np.float64),
    )


def _place(camera: str, source: dict[str, str]) -> FootagePlace:
    """The entry says in words which wheel and folder the videos are in: "pose2sim 0.10.49 (PyPI wheel)" and
    ".../videos/cam01..04.mp4".
    """
    package = re.match(r"([\w.-]+?)(?:==|\s+)([\w.]+)", source["package"])
    if package is None:
        raise ValueError(f"{source['package']!r} names no package with its version")
    videos = PurePosixPath(source["videos"])
    name = f"{camera}{videos.suffix}"
    return FootagePlace(name, f"{package[1]}=={package[2]}", str(videos.with_name(name)), source.get("sha256", ""))
