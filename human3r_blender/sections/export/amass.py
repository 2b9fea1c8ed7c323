# SPDX-License-Identifier: GPL-3.0-or-later
"""AMASS-style npz, the exchange format of motion capture with SMPL-X bodies: numpy alone, never a pickle.

`poses` is (N, 165): axis-angle vectors of the 55 joints, relative to the parents, the root's relative to a world with
z up; `trans` is SMPL-X's `transl` in metres; `betas`, `gender` and `mocap_frame_rate` are what they say. The rate is
written under both spellings that programs read. Hands are relative to flat ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ....engine.contract.array_archive import BadArchive, read_arrays
from ....engine.contract.body_model import BETA_COUNT, EXPRESSION_COUNT
from ....engine.contract.errors import UserError
from ....engine.contract.sentences import Sentence
from ....engine.contract.skeleton import (
    BODY,
    BODY_JOINT_COUNT,
    HAND_JOINT_COUNT,
    JAW,
    JOINT_COUNT,
    LEFT_EYE,
    LEFT_HAND,
    RIGHT_EYE,
    RIGHT_HAND,
)

RATE_KEYS = ("mocap_frame_rate", "mocap_framerate")
SCALE = "human3r_scale"
"""How much larger than the body the scene showed the person. Bodies of this format have their natural size, and the
motion in the file fits them: what the scene showed is all of it times this."""
HIDDEN = "human3r_hidden"
BODY_NAME = "human3r_body"

_KEYS = ("poses", "trans", "betas", "gender", "expression", *RATE_KEYS, SCALE, HIDDEN, BODY_NAME)
_LIMIT_BYTES = 1 << 30
_LARGEST = 1e5
"""Above every number that a motion can have: metres, radians, betas."""

_SMPLH_JOINTS = BODY_JOINT_COUNT + 2 * HAND_JOINT_COUNT
_SMPLH_TO_JOINT = (*range(BODY_JOINT_COUNT), *range(JOINT_COUNT)[LEFT_HAND], *range(JOINT_COUNT)[RIGHT_HAND])
"""SMPL-H is SMPL-X without jaw and eyes."""

_REMEDY = "Choose a motion file with SMPL-X poses (N x 165), such as an 'SMPL-X N' file from AMASS."
_FAMILIES = {
    72: "SMPL poses (24 joints, no fingers)",
    63: "body poses without the root",
    66: "body poses without hands",
    159: "poses without the eyes",
}


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
    """See :data:`SCALE`."""
    hidden: np.ndarray | None = None
    """(N,) whether the person is hidden; None for never."""
    body: str = ""
    """Which body the betas belong to, where the file says."""
    notes: tuple[str, ...] = field(default=())
    """What of the file could not be used."""


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


def read(path: Path) -> AmassMotion:
    """Read a motion. Raises UserError (``motion-missing``, ``motion-unreadable``, ``motion-not-smplx``)."""
    if not path.is_file():
        raise UserError("motion-missing", "There is no file {path}.", _REMEDY, path=path)
    try:
        arrays = read_arrays(path, _LIMIT_BYTES, (*_KEYS, "v_template"))
    except BadArchive as error:
        raise UserError(
            "motion-unreadable", "{path} cannot be read: {error}.", _REMEDY, path=path, error=error
        ) from error
    if "poses" not in arrays:
        said = (
            "{path} is a body, not a motion."
            if "v_template" in arrays
            else "{path} is not a motion: it has no array called poses."
        )
        raise UserError("motion-not-smplx", said, _REMEDY, path=path)
    poses, notes = _poses(path, arrays["poses"])
    count = len(poses)
    rate = next((arrays[name] for name in RATE_KEYS if name in arrays), None)
    if rate is None:
        raise _damaged(path, f"it lacks the frame rate ({' or '.join(RATE_KEYS)})")
    frame_rate = float(_numbers(path, "frame rate", rate, 1)[0])
    if frame_rate <= 0:
        raise _damaged(path, f"its frame rate is {frame_rate}")
    if "trans" not in arrays:
        raise _damaged(path, "it lacks the positions of the person (trans)")
    trans = _numbers(path, "trans", arrays["trans"], 3 * count).reshape(count, 3)
    betas = np.zeros(BETA_COUNT)
    if "betas" in arrays and not notes:  # SMPL-H's betas mean other shapes
        given = _numbers(path, "betas", arrays["betas"])[:BETA_COUNT]
        betas[: len(given)] = given
    expression = None
    if "expression" in arrays:
        expression = _numbers(path, "expression", arrays["expression"], EXPRESSION_COUNT * count).reshape(count, -1)
    hidden = arrays[HIDDEN].astype(bool) if HIDDEN in arrays and arrays[HIDDEN].shape == (count,) else None
    scale = float(_numbers(path, SCALE, arrays[SCALE], 1)[0]) if SCALE in arrays else 1.0
    if scale <= 0:
        raise _damaged(path, f"its scale is {scale}")
    gender, body = _text(arrays.get("gender")) or "neutral", _text(arrays.get(BODY_NAME))
    if gender != "neutral":
        notes = (
            *notes,
            Sentence(
                "The motion was made with a {gender} body. Shape and height differ slightly on the neutral body.",
                gender=gender,
            ),
        )
    return AmassMotion(frame_rate, poses, trans, betas, gender, expression, scale, hidden, body, notes)


def _poses(path: Path, given: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """(N, 55, 3) and what is to be said about them."""
    width = given.size // len(given) if given.ndim >= 2 and len(given) else 0
    if width == 3 * JOINT_COUNT:
        return _numbers(path, "poses", given).reshape(-1, JOINT_COUNT, 3), ()
    if width == 3 * _SMPLH_JOINTS:
        poses = np.zeros((len(given), JOINT_COUNT, 3))
        poses[:, _SMPLH_TO_JOINT] = _numbers(path, "poses", given).reshape(-1, _SMPLH_JOINTS, 3)
        return poses, (
            Sentence(
                "The motion was made for SMPL-H: body and finger poses are used, but not the shape, because SMPL-H's "
                "shape numbers mean something else. The person may stand slightly too low or too high."
            ),
        )
    what = _FAMILIES.get(width, f"poses of {width} numbers per frame" if width else "no frames")
    raise UserError(
        "motion-not-smplx",
        "{path} has {what}. SMPL-X has 165 numbers per frame, SMPL-H 156.",
        _REMEDY,
        path=path,
        what=what,
    )


def _numbers(path: Path, name: str, given: np.ndarray, size: int | None = None) -> np.ndarray:
    """The numbers of an array, flat, float64."""
    if given.dtype.kind not in "iuf" or (size is not None and given.size != size):
        raise _damaged(path, f"{name} has shape {given.shape} and type {given.dtype}")
    flat = given.astype(np.float64).ravel()
    if not (np.abs(flat) < _LARGEST).all():
        raise _damaged(path, f"{name} has impossible values")
    return flat


def _text(given: np.ndarray | None) -> str:
    if given is None or given.dtype.kind not in "US" or given.size != 1:
        return ""
    return str(np.char.decode(given, "utf-8", "replace") if given.dtype.kind == "S" else given.reshape(-1)[0])


def _damaged(path: Path, why: str) -> UserError:
    return UserError("motion-unreadable", "{path} cannot be read as a motion: {why}.", _REMEDY, path=path, why=why)
