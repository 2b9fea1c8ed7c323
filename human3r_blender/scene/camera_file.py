# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera in a Blender scene, as the camera file that a capture takes (`engine/contract/camera_files.py`)."""

from __future__ import annotations

import hashlib
from pathlib import Path

import bpy
import numpy as np

from ...engine.contract.sentences import Sentence
from ...engine.contract.whole_file import explained_write_errors, whole_file
from ...engine.installed.locations import cameras_folder
from ..blender import coordinates
from . import camera_samples


def write(camera: bpy.types.Object, scene: bpy.types.Scene, *, by_time: bool = False) -> Path:
    """Write where a camera is in the frames of a scene, the first of which shows the footage's first frame.

    With `by_time` the scene's frames tell seconds, and footage of another frame rate finds its frames between them;
    else they are the footage's own frames one by one. The file lies in the data folder under a name of its contents, so
    that a capture that goes on later finds it again. Raises UserError (``camera-unwritable``).
    """
    frames = np.arange(scene.frame_start, scene.frame_end + 1)
    seen, render = camera_samples.sample_aside(camera, scene, frames), scene.render
    width, height = render.resolution_x * render.pixel_aspect_x, render.resolution_y * render.pixel_aspect_y
    poses = seen.worlds.copy()
    poses[:, :3, :3] = poses[:, :3, :3] @ coordinates.VIEW_TO_CAMERA
    arrays = {
        "world_from_camera": poses,
        "focal_px": width / (seen.edges[:, 1] - seen.edges[:, 0]),
        "footage_size": np.array((round(width), round(height))),
    }
    arrays |= (
        {"time_s": (frames - frames[0]) * (render.fps_base / render.fps)}
        if by_time
        else {"source_frame": frames - frames[0]}
    )
    return _written(arrays)


def _written(arrays: dict[str, np.ndarray]) -> Path:
    name = hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays.values())).hexdigest()
    path = cameras_folder() / f"{name[:16]}.npz"
    explained = explained_write_errors(Sentence("{path} cannot be written", path=path), "camera-unwritable")
    with explained, whole_file(path) as written:
        np.savez(written, **arrays)  # type: ignore[arg-type]
    return path
