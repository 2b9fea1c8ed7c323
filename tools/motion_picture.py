# SPDX-License-Identifier: GPL-3.0-or-later
"""An animated picture of one person of a take, seen from the side: as captured, smoothed, and with the place refined.

    python -m tools.motion_picture TAKE.h3r PICTURE.webp [--person 0] [--every 2]        in the engine's environment

Below each figure lies the path of its feet: standing feet leave dots, sliding ones lines.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from engine.contract.body_choice import body_file, choose_body_of_take
from engine.contract.body_model import BodyModel
from engine.contract.messages import CameraSummary, Frame
from engine.contract.skeleton import BODY_JOINT_COUNT, LEFT_FOOT, PARENTS, RIGHT_FOOT
from engine.contract.take import SettledTakeReader
from engine.installed.locations import body_path
from engine.motion.body_motion import BodyMotion
from engine.motion.clean_up import CleanUpSettings, clean_up
from engine.motion.people_of_take import people_of_take

_SIZE = 240
"""Pixels of each figure's square."""
_MARGIN = 0.1
_FEET = (LEFT_FOOT, RIGHT_FOOT)
_COLORS = ((200, 120, 40), (40, 120, 220))
"""Blue-green-red of the left and the right foot."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("take", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--person", type=int, default=0)
    parser.add_argument("--every", type=int, default=2, help="frames of the take for each of the picture")
    options = parser.parse_args()
    versions, up = _versions(options.take, options.person)
    side = {name: _from_the_side(motion, versions["as captured"], up) for name, motion in versions.items()}
    corner, scale = _frame_of(np.concatenate(list(side.values())))
    count = len(versions["as captured"])
    pictures = [
        np.hstack([_drawn(name, (points - corner) * scale, row) for name, points in side.items()])
        for row in range(0, count, options.every)
    ]
    animation = cv2.Animation()
    animation.frames, animation.durations = (
        pictures,
        [round(1000 * options.every * versions["as captured"].step_s)] * len(pictures),
    )
    cv2.imwriteanimation(str(options.picture), animation)


def _versions(take: Path, person: int) -> tuple[dict[str, BodyMotion], np.ndarray]:
    up, frames = np.array([0.0, -1.0, 0.0]), []
    with SettledTakeReader(take) as reader:
        body = BodyModel.load(body_file(choose_body_of_take(reader.header, body_path())))
        for message in reader:
            if isinstance(message, Frame):
                frames.append(message)
            elif isinstance(message, CameraSummary) and message.floor_known:
                up = message.up
    found = next(one for one in people_of_take(frames, body) if one.track_id == person)
    smoothed = clean_up(found.motion, up, CleanUpSettings(lock_feet=False, refine=False)).motion
    refined = clean_up(found.motion, up, camera=found.cameras[:, :3, 3]).motion
    return {"as captured": found.motion, "smoothed": smoothed, "cleaned up": refined}, up


def _from_the_side(motion: BodyMotion, captured: BodyMotion, up: np.ndarray) -> np.ndarray:
    """(T, 22, 2) joints in the plane of the person's way and up, meters, down positive."""
    way = captured.pelvis - captured.pelvis.mean(axis=0)
    way -= (way @ up)[:, None] * up
    along = np.linalg.svd(way, full_matrices=False)[2][0]
    joints = motion.joints()[:, :BODY_JOINT_COUNT]
    return np.stack([joints @ along, -(joints @ up)], axis=-1)


def _frame_of(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Corner and pixels per meter that show all points."""
    low, high = points.min(axis=(0, 1)) - _MARGIN, points.max(axis=(0, 1)) + _MARGIN
    return low, _SIZE / float((high - low).max())


def _drawn(name: str, points: np.ndarray, row: int) -> np.ndarray:
    picture = np.full((_SIZE + 24, _SIZE, 3), 255, np.uint8)
    for foot, color in zip(_FEET, _COLORS, strict=True):
        trail = np.round(points[: row + 1, foot]).astype(np.int32)
        cv2.polylines(picture, [trail], False, color, 1, cv2.LINE_AA)
    pose = np.round(points[row]).astype(int)
    for joint in range(1, BODY_JOINT_COUNT):
        cv2.line(picture, pose[PARENTS[joint]].tolist(), pose[joint].tolist(), (60, 60, 60), 2, cv2.LINE_AA)
    for foot, color in zip(_FEET, _COLORS, strict=True):
        cv2.circle(picture, pose[foot].tolist(), 4, color, -1, cv2.LINE_AA)
    cv2.putText(picture, name, (8, _SIZE + 16), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (40, 40, 40), 1, cv2.LINE_AA)
    return picture


if __name__ == "__main__":
    main()
