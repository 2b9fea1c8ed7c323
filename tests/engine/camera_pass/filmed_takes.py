# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes whose footage is real, of cameras in the textured room: pictures in a folder, and frames that say what a live
camera might have said of them.
"""

from pathlib import Path

import cv2
import numpy as np

from engine.contract.messages import PROTOCOL_VERSION, Frame, Message, TakeEnd, TakeHeader, pack_mask
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeWriter
from tests.engine.stages.textured_room import pinhole, see

SIZE, FOCAL_PX, RATE = (320, 240), 300.0, 15.0


def film(folder: Path, true_poses: np.ndarray, noise: float = 1.0) -> Path:
    """A folder of pictures of the room, with camera noise (grey levels)."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    for number, pose in enumerate(true_poses):
        grey, _ = see(pose, pinhole(SIZE, FOCAL_PX), SIZE)
        grey = (grey + random.normal(0, noise, grey.shape)).round().clip(0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number:04d}.png"), np.repeat(grey[..., None], 3, axis=-1))
    return folder


def empty_frame(index: int, live_pose: np.ndarray, focal_px: float = FOCAL_PX) -> Frame:
    """A frame without people."""
    none = {"track_id": (), "score": (), "pose_axis_angle": (55, 3), "betas": (10,), "expression": (10,)}
    none |= {"translation": (3,), "head_point": (3,), "head_px": (2,)}
    return Frame(
        index=index,
        source_frame=index,
        time_s=index / RATE,
        focal_px=focal_px,
        world_from_camera=live_pose,
        principal_point_px=np.array([SIZE[0] // 2, SIZE[1] // 2], np.float64),
        mask_size=(32, 24),
        mask_box_px=(-0.5, -0.5, SIZE[0] - 0.5, SIZE[1] - 0.5),
        mask_bits=pack_mask(np.zeros((24, 32), bool)),
        **{name: np.zeros((0, *shape)) for name, shape in none.items()},
    )


def write_take(
    path: Path, footage: Path, frames: list[Frame], *more: Message, protocol: int = PROTOCOL_VERSION
) -> Path:
    """A whole take of these frames, `more` records after them."""
    settings = CaptureSettings(source=str(footage), take=str(path), model="landmarks", frame_rate=RATE)
    with TakeWriter(path) as writer:
        writer.write(TakeHeader(protocol, "test", SIZE, RATE, len(frames), "none", "mannequin", settings))
        for message in (*frames, *more, TakeEnd("complete", len(frames))):
            writer.write(message)
    return path
