# SPDX-License-Identifier: GPL-3.0-or-later
"""One frame in the middle of a take with its people drawn into it: enough to see whether a clip came out right."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..contract.body_choice import body_file, choose_body_of_take
from ..contract.body_model import BodyModel
from ..contract.errors import UserError
from ..contract.logs import log
from ..contract.messages import Frame, TakeHeader
from ..contract.rotations import axis_angle_to_matrix
from ..contract.skeleton import BODY_JOINT_COUNT, PARENTS
from ..contract.take import SettledTakeReader
from ..contract.whole_file import whole_file
from ..farm.places import picture_path
from ..installed import locations
from ..video.footage import open_footage

WIDTH, HEIGHT = 480, 270
"""Pixels that a picture fits into."""
_COLORS = ((80, 200, 255), (255, 170, 60), (120, 230, 120), (220, 120, 255), (90, 120, 255), (255, 255, 120))
"""BGR, by track."""
_NEAREST_M = 0.05


def draw_picture(take: Path, source: str) -> None:
    """Write the picture of a take of this footage. What goes wrong is logged: nothing but a contact sheet needs it."""
    try:
        header, frame = _middle(take)
        image = _footage_image(source, header, frame)
        for number in range(len(frame.track_id)):
            _draw_person(image, header, frame, number)
        scale = min(WIDTH / image.shape[1], HEIGHT / image.shape[0], 1.0)
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        with whole_file(picture_path(take)) as written:
            written.write_bytes(cv2.imencode(".jpg", image)[1].tobytes())
    except (UserError, OSError, ValueError, IndexError, cv2.error) as error:
        log.warning("no picture was made of a take: %s", type(error).__name__)


def _middle(take: Path) -> tuple[TakeHeader, Frame]:
    """The header, and of the frames around the middle the one with most people. Raises UserError, IndexError."""
    with SettledTakeReader(take) as reader:
        frames = [message for message in reader if isinstance(message, Frame)]
    third = frames[len(frames) // 3 : len(frames) - len(frames) // 3] or frames
    return reader.header, sorted(third, key=lambda frame: -len(frame.track_id))[0]


def _footage_image(source: str, header: TakeHeader, frame: Frame) -> np.ndarray:
    """(h, w, 3) uint8 BGR. Raises UserError, IndexError."""
    footage = open_footage(source, header.settings.frame_rate)
    try:
        for picture in footage.pictures(frame.source_frame, frame.source_frame + 1):
            return np.ascontiguousarray(picture.rgb[..., ::-1])
        raise IndexError("the footage ends before that frame")
    finally:
        footage.close()


def _draw_person(image: np.ndarray, header: TakeHeader, frame: Frame, number: int) -> None:
    body = BodyModel.load(body_file(choose_body_of_take(header, locations.body_path())))
    joints = body.posed_joints(
        axis_angle_to_matrix(frame.pose_axis_angle[number]),
        frame.betas[number],
        frame.expression[number],
        frame.translation[number],
    )[:BODY_JOINT_COUNT]
    if not (joints[:, 2] > _NEAREST_M).all():
        return
    spots = frame.focal_px * joints[:, :2] / joints[:, 2:] + frame.principal_point_px
    places = np.clip(np.round(spots), -1 << 14, 1 << 14).astype(int)
    color = _COLORS[int(frame.track_id[number]) % len(_COLORS)]
    thick = max(2, round(min(image.shape[:2]) / 150))
    for joint, parent in enumerate(PARENTS[:BODY_JOINT_COUNT]):
        if parent >= 0:
            cv2.line(image, tuple(places[parent]), tuple(places[joint]), color, thick, cv2.LINE_AA)
