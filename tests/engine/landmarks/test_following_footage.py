# SPDX-License-Identifier: GPL-3.0-or-later
"""Following on real footage, where it is beside the checkout: who is annotated is found, and nobody else."""

import json

import cv2
import numpy as np
import pytest
import torch

from engine.landmarks.following.following import Follower
from engine.landmarks.following.looking import FollowingSettings
from engine.landmarks.networks.body_landmarks import BodyLandmarker
from engine.landmarks.networks.detector import Detector
from engine.landmarks.networks.networks import Networks

LANDMARKS = {
    "l_shoulder": 11, "r_shoulder": 12, "l_elbow": 13, "r_elbow": 14, "l_wrist": 15, "r_wrist": 16,
    "l_knee": 25, "r_knee": 26, "l_ankle": 27, "r_ankle": 28,
}  # fmt: skip


@pytest.fixture(scope="module")
def networks():
    return Networks.load(torch.device("cpu"))


@pytest.fixture
def media(shared):
    if not (shared / "media" / "annotations.json").is_file():
        pytest.skip("the real footage (../shared/media) is not beside this checkout")
    return shared / "media"


def frames(path, first, last, step=1):
    """Number and (H, W, 3) RGB of some frames."""
    capture = cv2.VideoCapture(str(path))
    for index in range(last + 1):
        is_read, bgr = capture.read()
        assert is_read
        if index >= first and (index - first) % step == 0:
            yield index, np.ascontiguousarray(bgr[..., ::-1])


def follow(networks, path, fps, first, last, step=1, quality="preview"):
    follower = Follower(Detector(networks), BodyLandmarker(networks), FollowingSettings(quality=quality))
    return {index: follower.update(rgb, index / fps) for index, rgb in frames(path, first, last, step)}


def errors(people, annotated):
    """Mean distance of the joints of the best of the people, as a share of the box's height."""
    height = annotated["box"][3] - annotated["box"][1]
    joints = {LANDMARKS[name]: place for name, place in annotated["joints"].items() if name in LANDMARKS}
    seen = people.landmarks.point_px[:, list(joints)]
    return min((np.linalg.norm(one - list(joints.values()), axis=1).mean() / height for one in seen), default=np.inf)


def annotated(media, clip):
    return json.loads((media / "annotations.json").read_text())["clips"][clip]["frames"]


def test_a_worker_who_enters_is_followed_as_one(networks, media):
    clip = "worker-zone-detection.gif"
    given = follow(networks, media / clip, 10, 0, 54, step=3)
    assert {one for people in given.values() for one in people.track_id.tolist()} == {0}
    for index in (18, 36, 54):
        assert errors(given[index], annotated(media, clip)[str(index)][0]) < 0.08


def test_nobody_is_in_the_empty_room(networks, media):
    clip = "one-by-one-person-detection.mp4"
    empty = [int(index) for index, people in annotated(media, clip).items() if not people]
    for index, rgb in frames(media / clip, empty[0], empty[-1]):
        if index in empty:
            follower = Follower(Detector(networks), BodyLandmarker(networks), FollowingSettings(quality="best"))
            assert [len(follower.update(rgb, time_s)) for time_s in (0.0, 0.1, 0.2)] == [0] * 3


def test_somebody_leaves_and_somebody_else_enters(networks, media):
    given = follow(networks, media / "one-by-one-person-detection.mp4", 10, 1184, 1252, step=4)
    assert given[1188].track_id.tolist() == [0]
    assert given[1224].track_id.tolist() == []
    assert given[1252].track_id.tolist() == [1]


@pytest.mark.slow
@pytest.mark.parametrize("quality", ["preview", "standard"])
def test_three_people_one_by_one_are_three(networks, media, quality):
    clip = "one-by-one-person-detection.mp4"
    given = follow(networks, media / clip, 10, 745, 1380, quality=quality)
    assert {one for people in given.values() for one in people.track_id.tolist()} == {0, 1, 2}
    for index, people in annotated(media, clip).items():
        assert len(given[int(index)]) == len(people)
        assert all(errors(given[int(index)], person) < 0.1 for person in people)
