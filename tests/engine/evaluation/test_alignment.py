# SPDX-License-Identifier: GPL-3.0-or-later
"""Procrustes fits: known answers, and agreement with scipy on random points."""

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.spatial.transform import Rotation

from engine.evaluation.alignment import fit_rigid, fit_similarity


@pytest.mark.parametrize("batch", [(), (5,), (2, 3)])
def test_recovers_a_known_similarity(batch: tuple[int, ...]) -> None:
    random = np.random.default_rng(1)
    source = random.normal(size=(*batch, 12, 3))
    rotation = Rotation.random(int(np.prod(batch)), rng=random).as_matrix().reshape(*batch, 3, 3)
    scale, translation = random.uniform(0.2, 4.0, batch), random.normal(size=(*batch, 3))
    turned = np.einsum("...ij,...nj->...ni", rotation, source)
    target = np.asarray(scale)[..., None, None] * turned + translation[..., None, :]
    fit = fit_similarity(source, target)
    np.testing.assert_allclose(fit.scale, scale, rtol=1e-12)
    np.testing.assert_allclose(fit.rotation, rotation, atol=1e-12)
    np.testing.assert_allclose(fit.translation, translation, atol=1e-12)
    np.testing.assert_allclose(fit.apply(source), target, atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_scipy(seed: int) -> None:
    random = np.random.default_rng(seed)
    source, target = random.normal(size=(2, 9, 3))
    centred, aim = source - source.mean(axis=0), target - target.mean(axis=0)
    theirs, _ = Rotation.align_vectors(aim, centred)
    fit = fit_rigid(source, target)
    np.testing.assert_allclose(fit.rotation, theirs.as_matrix(), atol=1e-7)
    np.testing.assert_allclose(fit.apply(source).mean(axis=0), target.mean(axis=0), atol=1e-12)
    orthogonal, total = orthogonal_procrustes(centred, aim)
    if np.linalg.det(orthogonal) > 0:  # scipy's fit admits reflections; where it found none it must be ours
        similarity = fit_similarity(source, target)
        np.testing.assert_allclose(similarity.rotation, orthogonal.T, atol=1e-9)
        np.testing.assert_allclose(similarity.scale, total / np.sum(centred**2), rtol=1e-12)


def test_never_reflects() -> None:
    points = np.random.default_rng(3).normal(size=(10, 3))
    fit = fit_similarity(points, points * [1, 1, -1])
    assert np.linalg.det(fit.rotation) == pytest.approx(1.0)


def test_is_the_best_fit() -> None:
    """No small change of scale, rotation or translation does better."""
    random = np.random.default_rng(4)
    source, target = random.normal(size=(2, 7, 3))
    fit = fit_similarity(source, target)
    best = np.sum((fit.apply(source) - target) ** 2)
    for _ in range(50):
        rotation = Rotation.from_rotvec(random.normal(size=3) * 1e-2).as_matrix() @ fit.rotation
        scale = fit.scale * (1 + random.normal() * 1e-2)
        moved = scale * source @ rotation.T + fit.translation + random.normal(size=3) * 1e-2
        assert np.sum((moved - target) ** 2) > best


def test_coinciding_points_become_a_translation() -> None:
    """A camera that is predicted to stand still: no scale can be told, and none is made up."""
    truth = np.random.default_rng(5).normal(size=(6, 3))
    fit = fit_similarity(np.ones((6, 3)), truth)
    assert fit.scale == 1.0
    np.testing.assert_allclose(fit.apply(np.ones((6, 3))), np.broadcast_to(truth.mean(axis=0), (6, 3)), atol=1e-12)


def test_one_fit_moves_many_frames() -> None:
    random = np.random.default_rng(6)
    frames = random.normal(size=(4, 5, 3))
    fit = fit_similarity(frames.reshape(-1, 3), random.normal(size=(20, 3)))
    np.testing.assert_allclose(fit.apply(frames).reshape(-1, 3), fit.apply(frames.reshape(-1, 3)), atol=1e-14)


def test_refuses_different_shapes() -> None:
    with pytest.raises(ValueError, match="equal shapes"):
        fit_similarity(np.zeros((3, 3)), np.zeros((4, 3)))
