# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage of stick people that are where a test says, with a detector and landmarks that see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from engine.landmarks.observations import LANDMARKS_OF_KEYPOINTS, BodyLandmarks, Crops, Detections

WIDTH, HEIGHT = 640, 360

RED, BLUE, GREEN = (200, 30, 30), (30, 30, 200), (30, 160, 30)

_KEYPOINTS = np.array(
    [
        (0, -0.42), (0.02, -0.44), (-0.02, -0.44), (0.05, -0.43), (-0.05, -0.43),
        (0.11, -0.3), (-0.11, -0.3), (0.14, -0.13), (-0.14, -0.13), (0.15, 0.02), (-0.15, 0.02),
        (0.08, 0.02), (-0.08, 0.02), (0.09, 0.25), (-0.09, 0.25), (0.09, 0.46), (-0.09, 0.46),
    ]
)  # fmt: skip
"""Of somebody who faces the camera, in heights of the person from the middle of the body."""


@dataclass(frozen=True)
class Person:
    """Somebody on the stage."""

    x: float
    y: float = 180.0
    """Middle of the body, pixels."""
    height: float = 200.0
    color: tuple[int, int, int] = RED
    is_detected: bool = True
    score: float = 0.7
    is_thing: bool = False
    """The detector takes it for somebody; the landmarks that are found there lie elsewhere."""

    @property
    def keypoint_px(self) -> np.ndarray:
        return np.array([self.x, self.y]) + self.height * _KEYPOINTS

    @property
    def box_px(self) -> np.ndarray:
        return np.array([self.x, self.y, self.x, self.y]) + self.height * np.array([-0.18, -0.5, 0.18, 0.5])


def detections(people: Sequence[Person]) -> Detections:
    """The people as the detector gives them."""
    count = len(people)
    return Detections(
        score=np.array([person.score for person in people]),
        keypoint_px=np.array([person.keypoint_px for person in people]).reshape(count, 17, 2),
        keypoint_score=np.full((count, 17), 0.8),
        box_px=np.array([person.box_px for person in people]).reshape(count, 4),
    )


def landmarks(person: Person) -> np.ndarray:
    """(39, 2) as the landmarks are of a person."""
    points = np.tile(np.array([person.x, person.y + 0.02 * person.height]), (39, 1))
    points[list(LANDMARKS_OF_KEYPOINTS)] = person.keypoint_px
    points[34] = points[33] - (0, 0.5 * person.height)
    return points + (0.4 * person.height if person.is_thing else 0.0)


class Stage:
    """Networks for :class:`engine.landmarks.following.Follower`, and the frame that they are asked about."""

    def __init__(self) -> None:
        self.people: Sequence[Person] = ()
        self.looks = 0
        """How often the detector looked at a whole frame."""

    def frame(self, people: Sequence[Person]) -> np.ndarray:
        """(HEIGHT, WIDTH, 3) uint8 of these people, the last in front; the networks see them from now on."""
        self.people = people
        rgb = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
        for person in people:
            low, high = person.box_px.reshape(2, 2).round().astype(int).tolist()
            cv2.rectangle(rgb, low, high, person.color, -1)
        return rgb

    def detect(self, rgb: np.ndarray, long_side: int) -> Detections:
        """Whoever may be detected, in whole frames only."""
        if rgb.shape != (HEIGHT, WIDTH, 3):
            return detections([])
        self.looks += 1
        return detections([person for person in self.people if person.is_detected])

    def land(self, rgb: np.ndarray, crops: Crops) -> BodyLandmarks:
        """In each crop the person whose hips lie nearest to its centre."""
        found, presence = [], []
        for centre, side in zip(crops.centre_px, crops.side_px, strict=True):
            away = [np.linalg.norm(np.array([one.x, one.y + 0.02 * one.height]) - centre) for one in self.people]
            near = int(np.argmin(away)) if away else -1
            is_there = near >= 0 and away[near] < side / 2
            found.append(landmarks(self.people[near] if is_there else Person(*centre, side / 2)))
            presence.append(0.99 if is_there else 0.1)
        count = len(crops)
        return BodyLandmarks(
            presence=np.array(presence).reshape(count),
            point_px=np.array(found).reshape(count, 39, 2),
            visibility=np.full((count, 39), 0.9),
            world=np.zeros((count, 39, 3)),
            crop=crops,
            mask=np.zeros((count, 256, 256), np.float16),
        )
