# SPDX-License-Identifier: GPL-3.0-or-later
"""The bundled clip: its video, its truth and today's mannequin belong together."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.skeleton import LEFT_KNEE, PELVIS, RIGHT_KNEE, SPINE3
from engine.ground_truth import ClipTruth, read_truth

DEMO = Path(__file__).parents[3] / "demo"
FRAMES = range(0, 81, 10)


@pytest.fixture(scope="module")
def truth() -> ClipTruth:
    return read_truth(DEMO / "demo_truth.npz")


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    footage = cv2.VideoCapture(str(DEMO / "demo.mp4"))
    frames = []
    while (read := footage.read())[0]:
        frames.append(read[1][..., ::-1].astype(int))
    return frames


@pytest.fixture(scope="module")
def vertices(truth) -> np.ndarray:
    """(frames, people, V, 3) in the camera frame, by the numpy body."""
    body, people = BodyModel.load(default_body_path()), truth.people
    picked = list(FRAMES)
    return body.vertices(np.broadcast_to(people.betas, (len(picked), *people.betas.shape)), people.expression[picked],
                         people.pose_axis_angle[picked], people.translation[picked])  # fmt: skip


def test_it_is_small_enough_and_complete(truth, pictures):
    assert sum(path.stat().st_size for path in DEMO.iterdir()) < 3_000_000
    assert len(pictures) == len(truth) == 81
    assert pictures[0].shape[1::-1] == truth.footage_size
    assert truth.expected.all()


def test_depth_and_masks_show_todays_mannequin(truth, vertices):
    """Fails when the mannequin has changed since the clip was made: then make it again (demo/README.md)."""
    for row, frame in enumerate(FRAMES):
        z = truth.depth_m[frame]
        grid = np.stack(np.meshgrid(*(np.arange(4, size, 8) for size in truth.footage_size)), axis=-1)
        points = np.concatenate(
            [(grid - truth.principal_point_px[frame]) / truth.focal_px[frame], np.ones((*z.shape, 1))], -1
        )
        points = points * z[..., None]
        for person in range(2):
            mine = points[truth.person_mask[frame] == person + 1]
            assert len(mine) > 40
            gap = np.linalg.norm(mine[:, None] - vertices[row, person, ::2], axis=-1).min(axis=1)
            assert np.median(gap) < 0.01 and np.quantile(gap, 0.95) < 0.03


def test_the_video_shows_left_and_right_where_the_truth_has_them(truth, pictures, vertices):
    body = BodyModel.load(default_body_path())
    weights = body.weights.argmax(-1)
    warmth = {LEFT_KNEE: [], RIGHT_KNEE: []}
    for row, frame in enumerate(FRAMES):
        for person in range(2):
            for joint in warmth:
                shank = vertices[row, person, weights == joint]
                pixel = np.round(truth.focal_px[frame] * shank[:, :2] / shank[:, 2:] + truth.principal_point_px[frame])
                x, y = np.median(pixel, axis=0).astype(int)
                if not (0 <= x < 512 and 0 <= y < 384):
                    continue
                red, _, blue = pictures[frame][y, x]
                # The other leg may stand in front: count only what the depth map says is this one.
                seen = truth.depth_m[frame][min(y // 8, 47), min(x // 8, 63)]
                if abs(seen - np.median(shank[:, 2])) < 0.07:
                    warmth[joint].append(red - blue)
    assert min(len(values) for values in warmth.values()) >= 5
    assert np.median(warmth[LEFT_KNEE]) > 40 and np.median(warmth[RIGHT_KNEE]) < -40


def test_people_stand_upright_on_one_floor(truth):
    """World poses: y points down, and all soles are at one height (the truth's world has its floor at 0)."""
    body, people = BodyModel.load(default_body_path()), truth.people
    for frame in FRAMES:
        pose, where = truth.world_from_camera[frame, :3, :3], truth.world_from_camera[frame, :3, 3]
        for person in range(2):
            mesh = body.vertices(people.betas[person], people.expression[frame, person],
                                 people.pose_axis_angle[frame, person], people.translation[frame, person])  # fmt: skip
            world = mesh @ pose.T + where
            assert abs(world[:, 1].max()) < 0.03
            labels = body.weights.argmax(-1)
            assert world[labels == SPINE3, 1].mean() < world[labels == PELVIS, 1].mean() - 0.1
