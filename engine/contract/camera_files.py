# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera of a matchmove, from a file (`.npz`) of anybody: never a pickle.

``world_from_camera`` (T, 4, 4), OpenCV axes (x right, y down, z ahead), meters; or ``camera_from_world``, which may
also be called ``extrinsics``, its inverse. Optional: ``focal_px`` of one number or T, or ``intrinsics`` (3, 3) or
(T, 3, 3); ``footage_size`` (width, height), in whose pixels they are, where that is not the footage's own; and which
frames the rows tell of: ``source_frame`` (T,) counting the footage's frames from 0, or ``time_s`` (T,), seconds from
the footage's beginning, between which poses are interpolated. Without either, row 0 is the footage's first frame. The
ground truth of synthetic clips is such a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .array_archive import BadArchive, read_arrays
from .errors import UserError
from .known_facts import KnownFacts, given_focal_px
from .rotations import axis_angle_to_matrix, matrix_to_axis_angle
from .sentences import Sentence

_MAX_BYTES = 1 << 28
_RIGID = 1e-3
"""By how much a rotation may be off one."""
_FARTHEST_M = 1e7
_NAMES = (
    *("world_from_camera", "camera_from_world", "extrinsics", "focal_px", "intrinsics"),
    *("footage_size", "source_frame", "time_s"),
)
_REMEDY = Sentence("Write it as the documentation on known facts says, or choose another file.")
_OF_BLENDER = (".fbx", ".usd", ".usda", ".usdc", ".usdz", ".blend")
"""What Blender reads and this program does not."""


@dataclass(frozen=True)
class CameraFile:
    """A known camera in T frames."""

    path: Path
    world_from_camera: np.ndarray
    """(T, 4, 4) float64 rigid, OpenCV axes, meters; the world is the file's own. A take's is its first camera."""
    focal: float | None
    """Median focal length, pixels of `footage_size`; None where the file tells none."""
    footage_size: tuple[int, int] | None
    """Width and height; None for the footage's own."""
    source_frame: np.ndarray | None
    """(T,) int64."""
    time_s: np.ndarray | None
    """(T,) float64, increasing."""

    def focal_px(self, size: tuple[int, int]) -> float | None:
        """In pixels of footage of this (width, height)."""
        if self.focal is None or self.footage_size is None:
            return self.focal
        return self.focal * max(size) / max(self.footage_size)

    def pose(self, source_frame: int, time_s: float) -> np.ndarray:
        """(4, 4) of a frame of the footage. Raises UserError (``camera-file-short``) for one that the file lacks."""
        if self.source_frame is None and self.time_s is not None:
            found = self._between(time_s)
        else:
            rows = np.arange(len(self.world_from_camera)) if self.source_frame is None else self.source_frame
            found = next(iter(self.world_from_camera[rows == source_frame]), None)
        if found is None:
            raise UserError(
                "camera-file-short",
                "The camera file {path} says nothing of the footage's frame {frame}.",
                "Write it for all frames that are captured, or choose the frames that it has with Start and End.",
                path=self.path,
                frame=source_frame,
            )
        return np.array(found)

    def _between(self, time_s: float) -> np.ndarray | None:
        """(4, 4) at a time between two rows, or within half a row of the first or last; else None."""
        times, poses = np.asarray(self.time_s), self.world_from_camera
        reach = 1e-3 + (0.5 * float(np.median(np.diff(times))) if len(times) > 1 else 0.0)
        if not times[0] - reach <= time_s <= times[-1] + reach:
            return None
        row = int(np.clip(np.searchsorted(times, time_s) - 1, 0, max(0, len(times) - 2)))
        if len(times) == 1 or time_s <= times[0]:
            return np.asarray(poses[0])
        share = min(1.0, (time_s - times[row]) / (times[row + 1] - times[row]))
        first, second = poses[row], poses[row + 1]
        turn = axis_angle_to_matrix(share * matrix_to_axis_angle(first[:3, :3].T @ second[:3, :3]))
        found = first + share * (second - first)
        found[:3, :3] = first[:3, :3] @ turn
        return np.asarray(found)


def read_camera_file(path: str | Path) -> CameraFile:
    """Read a camera. Raises UserError (``camera-file-unreadable``) for what is none."""
    path = Path(path).expanduser()
    if path.suffix.lower() in _OF_BLENDER:
        raise UserError(
            "camera-file-unreadable",
            "The camera file {path} is one that only Blender can read.",
            "Give it to human3r convert, or import it into Blender and choose the camera in the panel.",
            path=path,
        )
    try:
        arrays = read_arrays(path, _MAX_BYTES, _NAMES)
        poses = _poses(arrays)
        count = len(poses)
        size, frames = _numbers(arrays, "footage_size", 2), _numbers(arrays, "source_frame", count)
        times = _numbers(arrays, "time_s", count)
        if times is not None and (np.diff(times) <= 0).any():
            raise BadArchive("time_s does not increase")
        if size is not None and not ((size >= 1) & (size <= 1_000_000)).all():
            raise BadArchive("footage_size is no width and height")
        if frames is not None and (len(np.unique(frames)) != count or (np.abs(frames) > 1e9).any()):
            raise BadArchive("source_frame does not count frames")
        return CameraFile(
            path,
            poses,
            _focal(arrays, count),
            None if size is None else (int(size[0]), int(size[1])),
            None if frames is None else frames.astype(np.int64),
            times,
        )
    except BadArchive as error:
        raise UserError(
            "camera-file-unreadable",
            "The camera file {path} cannot be used: {reason}.",
            _REMEDY,
            path=path,
            reason=str(error),
        ) from error


def _poses(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """(T, 4, 4) `world_from_camera`. Raises BadArchive."""
    name = next((name for name in _NAMES[:3] if name in arrays), None)
    if name is None:
        raise BadArchive("it has no world_from_camera")
    poses = _float64(arrays[name], name)
    if poses.ndim != 3 or poses.shape[1:] != (4, 4) or not len(poses):
        raise BadArchive(f"{name} is not of the shape (frames, 4, 4)")
    for row, pose in enumerate(poses):
        if not _is_rigid(pose):
            raise BadArchive(f"{name} is no rotation and place in row {row}")
    turns, places = _rotations(poses[:, :3, :3]), poses[:, :3, 3]
    if name != "world_from_camera":
        turns = np.swapaxes(turns, 1, 2)
        places = -np.einsum("tij,tj->ti", turns, places)
    found = np.tile(np.eye(4), (len(poses), 1, 1))
    found[:, :3, :3], found[:, :3, 3] = turns, places
    return found


def _is_rigid(pose: np.ndarray) -> bool:
    if not np.isfinite(pose).all() or np.abs(pose[:3, 3]).max() > _FARTHEST_M or np.abs(pose[:3, :3]).max() > 2:
        return False
    off = np.abs(pose[:3, :3] @ pose[:3, :3].T - np.eye(3)).max()
    return bool(off < _RIGID and np.linalg.det(pose[:3, :3]) > 0 and np.abs(pose[3] - (0, 0, 0, 1)).max() < _RIGID)


def _rotations(nearly: np.ndarray) -> np.ndarray:
    """(T, 3, 3) the nearest rotations; single precision leaves a little to mend."""
    left, _, right = np.linalg.svd(nearly)
    return np.asarray(left @ right)


def _focal(arrays: dict[str, np.ndarray], count: int) -> float | None:
    if "focal_px" in arrays:
        focal = _float64(arrays["focal_px"], "focal_px")
    elif "intrinsics" in arrays:
        matrix = _float64(arrays["intrinsics"], "intrinsics")
        if matrix.shape not in ((3, 3), (count, 3, 3)):
            raise BadArchive("intrinsics are not of the shape (3, 3) or (frames, 3, 3)")
        focal = matrix[..., 0, 0]
    else:
        return None
    if focal.shape not in ((), (1,), (count,)) or not ((focal > 1) & (focal < 1e6)).all():
        raise BadArchive("its focal length is not one number of pixels, or one for each frame")
    return float(np.median(focal))


def _numbers(arrays: dict[str, np.ndarray], name: str, count: int) -> np.ndarray | None:
    if name not in arrays:
        return None
    values = _float64(arrays[name], name)
    if values.shape != (count,) or not np.isfinite(values).all():
        raise BadArchive(f"{name} is not {count} numbers")
    return values


def _float64(array: np.ndarray, name: str) -> np.ndarray:
    if array.dtype.kind not in "iuf":
        raise BadArchive(f"{name} holds no numbers")
    with np.errstate(all="ignore"):  # extended precision may hold more than fits; what is not finite is refused
        return np.asarray(array, np.float64)


def known_focal_px(settings: KnownFacts, size: tuple[int, int]) -> float | None:
    """The focal length given, or else that of the camera file, in pixels of footage of this (width, height)."""
    given = given_focal_px(settings, size)
    if given is not None or not settings.camera_file:
        return given
    return read_camera_file(settings.camera_file).focal_px(size)
