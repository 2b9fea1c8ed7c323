# SPDX-License-Identifier: GPL-3.0-or-later
"""AMASS-style npz, the exchange format of motion capture with SMPL-X bodies: numpy alone, never a pickle.

`poses` is (N, 165): axis-angle vectors of the 55 joints, relative to the parents, the root's relative to a world with
z up; `trans` is SMPL-X's `transl` in metres; `betas`, `gender` and `mocap_frame_rate` are what they say. The rate is
written under both spellings that programs read. Hands are relative to flat ones. `scene/motion_files` reads it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ....engine.contract.skeleton import BODY, JAW, JOINT_COUNT, LEFT_EYE, LEFT_HAND, RIGHT_EYE, RIGHT_HAND
from ...scene.motion_files.people import HIDDEN
from ...scene.motion_files.reading import BODY_NAME, SCALE

RATE_KEYS = ("mocap_frame_rate", "mocap_framerate")


@dataclass(frozen=True)
class AmassMotion:
    """N frames of one person, z up, metres, radians."""

    frame_rate: float
    """Frames per second."""
    poses: np.ndarray
    """(N, 55, 3) axis-angle, float64."""
    trans: np.ndarray
    """(N, 3) SMPL-X's `transl`, for a body of its natural size."""
    betas: np.ndarray
    """(10,) shape."""
    gender: str = "neutral"
    expression: np.ndarray | None = None
    """(N, 10), or None where there is none."""
    scale: float = 1.0
    """How much larger than the body the scene showed the person. Bodies of this format have their natural size, and the
    motion in the file fits them: what the scene showed is all of it times this."""
    hidden: np.ndarray | None = None
    """(N,) whether the person is hidden; None for never."""
    body: str = ""
    """Which body the betas belong to, where the file says."""


def write(path: Path, motion: AmassMotion) -> None:
    """Write a motion to `path`."""
    poses = motion.poses.reshape(len(motion.poses), JOINT_COUNT, 3)
    parts = {
        "root_orient": slice(0, 1),
        "pose_body": BODY,
        "pose_hand": slice(LEFT_HAND.start, RIGHT_HAND.stop),
        "pose_jaw": slice(JAW, JAW + 1),
        "pose_eye": slice(LEFT_EYE, RIGHT_EYE + 1),
    }
    values: dict[str, Any] = {name: poses[:, part].reshape(len(poses), -1) for name, part in parts.items()}
    values |= dict.fromkeys(RATE_KEYS, motion.frame_rate)
    values |= {
        "poses": poses.reshape(len(poses), -1),
        "trans": motion.trans,
        "betas": motion.betas,
        "num_betas": len(motion.betas),
        "gender": motion.gender,
        "surface_model_type": "smplx",
        "mocap_time_length": len(poses) / motion.frame_rate,
        SCALE: motion.scale,
        BODY_NAME: motion.body,
    }
    if motion.expression is not None:
        values["expression"] = motion.expression
    if motion.hidden is not None:
        values[HIDDEN] = motion.hidden
    with open(path, "wb") as file:
        np.savez_compressed(file, **values)
