# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert footage and draw what was found over some of its pictures, as one sheet to look at.

    python tools/overlay_sheet.py FOOTAGE SHEET.jpg [--pictures 12] [settings of a capture, such as --start 740]

Run in the engine's environment. Blue: the people mask. Lines: the skeleton seen through the estimated camera (orange is
the person's left, cyan the right), a ring at the detected head; beside it track, score, and the head's distance in
metres. What was found is counted on standard output.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the checkout, whose engine this belongs to

from engine.capture import run_capture
from engine.contract.arguments import add_setting_options, settings_from_options
from engine.contract.body_choice import body_file
from engine.contract.body_model import BodyModel
from engine.contract.messages import Frame, unpack_mask
from engine.contract.rotations import axis_angle_to_matrix
from engine.contract.skeleton import BODY_JOINT_COUNT, HEAD, JOINT_NAMES, PARENTS
from engine.contract.take import SettledTakeReader
from engine.interruption import Interruption
from engine.supply import ModelShelf
from engine.video.footage import open_footage

COLUMNS, WIDTH, QUALITY = 4, 384, 82
MASK, MIDDLE, LEFT, RIGHT, INK = (255, 120, 40), (90, 255, 90), (0, 140, 255), (255, 220, 0), (0, 0, 255)  # BGR


@dataclass
class Found:
    """What is counted over all frames."""

    frames: int = 0
    people: Counter[int] = field(default_factory=Counter)
    """How many frames have so many people."""
    tracks: set[int] = field(default_factory=set)
    distance_m: list[float] = field(default_factory=list)
    focal_px: list[float] = field(default_factory=list)
    camera_m: float = 0.0
    """How far the camera went at most from where it began."""

    def add(self, frame: Frame) -> None:
        self.frames += 1
        self.people[len(frame.track_id)] += 1
        self.tracks.update(frame.track_id.tolist())
        self.distance_m += frame.head_point[:, 2].tolist()
        self.focal_px.append(frame.focal_px)
        self.camera_m = max(self.camera_m, float(np.linalg.norm(frame.world_from_camera[:3, 3])))

    def text(self) -> str:
        counts = ", ".join(f"{count} with {people}" for people, count in sorted(self.people.items()))
        near, far = np.quantile(self.distance_m, [0.05, 0.95]) if self.distance_m else (np.nan, np.nan)
        return (
            f"{self.frames} frames: {counts} people; {len(self.tracks)} identities; heads {near:.1f} to {far:.1f} "
            f"m away (5 to 95 %); focal length {np.median(self.focal_px):.0f} px; the camera went up to "
            f"{self.camera_m:.2f} m away."
        )


def draw(picture: np.ndarray, frame: Frame, body: BodyModel) -> np.ndarray:
    """The (h, w, 3) BGR picture with mask, skeletons and numbers."""
    drawn = _tinted(picture, frame)
    joints = body.posed_joints(
        axis_angle_to_matrix(frame.pose_axis_angle), frame.betas, frame.expression, frame.translation
    )[:, :BODY_JOINT_COUNT]
    pixels = frame.focal_px * joints[..., :2] / np.maximum(joints[..., 2:], 0.05) + frame.principal_point_px
    thick = max(2, picture.shape[1] // 300)
    for person, points in enumerate(pixels.round().astype(int)):
        for joint in range(1, BODY_JOINT_COUNT):
            color = next(
                (c for side, c in (("left", LEFT), ("right", RIGHT)) if JOINT_NAMES[joint].startswith(side)), MIDDLE
            )
            cv2.line(drawn, tuple(points[PARENTS[joint]]), tuple(points[joint]), color, thick, cv2.LINE_AA)
        head = tuple(frame.head_px[person].round().astype(int))
        cv2.circle(drawn, head, 4 * thick, INK, thick, cv2.LINE_AA)
        label = f"{frame.track_id[person] + 1}: {frame.score[person]:.2f}, {joints[person, HEAD, 2]:.1f} m"
        _write(drawn, label, (head[0] + 6 * thick, max(head[1], 12 * thick)))
    _write(drawn, str(frame.source_frame), (4 * thick, picture.shape[0] - 5 * thick))
    return drawn


def _tinted(picture: np.ndarray, frame: Frame) -> np.ndarray:
    left, top, right, bottom = (round(edge + 0.5) for edge in frame.mask_box_px)
    mask = cv2.resize(unpack_mask(frame).astype(np.uint8), (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
    whole = np.zeros(picture.shape[:2], bool)
    whole[top:bottom, left:right] = mask[: picture.shape[0] - top, : picture.shape[1] - left] > 0
    tinted = picture.copy()
    tinted[whole] = (0.5 * picture[whole] + 0.5 * np.array(MASK)).astype(np.uint8)
    return tinted


def _write(picture: np.ndarray, text: str, place: tuple[int, int]) -> None:
    size = picture.shape[1] / 900
    for color, thickness in (((255, 255, 255), 4), (INK, 1)):
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, color, thickness, cv2.LINE_AA)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", metavar="FOOTAGE")
    parser.add_argument("sheet", type=Path, metavar="SHEET.jpg")
    parser.add_argument("--pictures", type=int, default=12, help="pictures on the sheet (%(default)s)")
    add_setting_options(parser, leave_out=("source", "take"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "footage.h3r"
        settings = settings_from_options(options, source=options.source, take=str(path))
        run_capture(settings, lambda _: None, Interruption(), ModelShelf())
        with SettledTakeReader(path) as take:
            frames = {message.source_frame: message for message in take if isinstance(message, Frame)}
    found = Found()
    for frame in frames.values():
        found.add(frame)
    body = BodyModel.load(body_file(settings.body))
    shown = {list(frames)[int(place)] for place in np.linspace(0, len(frames) - 1, options.pictures)}
    tiles = []
    for picture in open_footage(settings.source).pictures(settings.start, settings.end):
        if picture.source_frame in shown:
            drawn = draw(cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2BGR), frames[picture.source_frame], body)
            height = round(WIDTH * drawn.shape[0] / drawn.shape[1])
            tiles.append(cv2.resize(drawn, (WIDTH, height), interpolation=cv2.INTER_AREA))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % COLUMNS)
    rows = [np.concatenate(tiles[start : start + COLUMNS], axis=1) for start in range(0, len(tiles), COLUMNS)]
    if not cv2.imwrite(str(options.sheet), np.concatenate(rows), [cv2.IMWRITE_JPEG_QUALITY, QUALITY]):
        sys.exit(f"{options.sheet} cannot be written.")
    print(found.text())


if __name__ == "__main__":
    main()
