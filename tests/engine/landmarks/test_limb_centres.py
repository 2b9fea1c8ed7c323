# SPDX-License-Identifier: GPL-3.0-or-later
"""Landmarks at the edge of a limb move to its middle, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.landmarks.body.limb_centres import centred
from engine.landmarks.body.mask_view import MASK_SIZE, MaskView
from engine.landmarks.observations import Crops

from .perfect_landmarks import as_fitted, mannequin, random_poses, see, silhouettes

ELBOWS, KNEES = [13, 14], [25, 26]


@pytest.fixture(scope="module")
def seen():
    """People with arms and legs spread, and their masks."""
    body = mannequin()
    marks, truth = see(body, np.zeros((6, 10)), *random_poses(6, seed=2, facing=0.6))
    return replace(marks, mask=silhouettes(body, marks, as_fitted(body, truth)))


def test_a_landmark_at_the_edge_moves_to_the_middle(seen):
    away = np.zeros_like(seen.point_px)
    for joint, (above, below) in {13: (11, 15), 14: (12, 16), 25: (23, 27), 26: (24, 28)}.items():
        along = seen.point_px[:, below] - seen.point_px[:, above]
        across = np.stack([-along[:, 1], along[:, 0]], axis=-1) / np.linalg.norm(along, axis=-1, keepdims=True)
        away[:, joint] = 0.02 * seen.crop.side_px[:, None] * across
    moved = centred(replace(seen, point_px=seen.point_px + away))
    before = np.linalg.norm(away[:, ELBOWS + KNEES], axis=-1)
    after = np.linalg.norm((moved - seen.point_px)[:, ELBOWS + KNEES], axis=-1)
    assert after.mean() < 0.6 * before.mean()


def test_a_landmark_in_the_middle_stays(seen):
    moved = np.linalg.norm(centred(seen) - seen.point_px, axis=-1) / seen.crop.side_px[:, None]
    assert np.median(moved[:, ELBOWS + KNEES]) < 0.006
    assert moved[:, :11].max() < 1e-9  # the head


def test_nothing_moves_without_a_mask(seen):
    assert np.allclose(centred(replace(seen, mask=np.zeros_like(seen.mask))), seen.point_px)
    assert np.allclose(centred(replace(seen, mask=np.ones_like(seen.mask))), seen.point_px)


def test_hidden_limbs_stay(seen):
    assert np.allclose(centred(replace(seen, visibility=np.zeros_like(seen.visibility))), seen.point_px)


def test_places_in_a_mask_and_in_the_frame_are_inverse():
    random = np.random.default_rng(0)
    crops = Crops(random.uniform(0, 500, (5, 2)), random.uniform(50, 900, 5), random.uniform(-3, 3, 5))
    view = MaskView(crops)
    points = random.uniform(0, 1000, (5, 7, 2))
    assert np.allclose(view.pixels(view.places(points)), points)
    assert np.allclose(view.places(crops.centre_px[:, None]), MASK_SIZE / 2)
    up = np.stack([np.sin(crops.angle), -np.cos(crops.angle)], axis=-1)[:, None]
    above = view.places(crops.centre_px[:, None] + up * crops.side_px[:, None, None] / 2)
    assert np.allclose(above[:, 0], [MASK_SIZE / 2, 0])
