# SPDX-License-Identifier: GPL-3.0-or-later
"""A person's shape comes out of landmarks and masks, once for the whole clip, and as tall as it is said to be."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest

from engine.contract.errors import UserError
from engine.landmarks.body.body_fit import BodyFitter
from engine.landmarks.body.shape import STATURE_M, ShapeEstimator, ShapePrior, shape_of_each
from engine.landmarks.body.shape_evidence import BONES, ShapeWitness
from engine.landmarks.observations import FittedBodies

from .perfect_landmarks import CAMERA, as_fitted, mannequin, random_poses, see, silhouettes

FRAMES = 12


@pytest.fixture(scope="module")
def body():
    return mannequin()


@pytest.fixture(scope="module")
def clip(body):
    """Two people of other shapes than the mean, as seen in twelve frames each; their true betas."""
    betas = np.zeros((2, 10))
    betas[0, [1, 2, 3, 4]] = 1.5, -1.5, 1.2, 1.2  # heavy, short legs, long arms, broad shoulders
    betas[1, [1, 2, 3, 4]] = -1.5, 1.5, -1.2, -1.2
    track_id = np.repeat([7, 3], FRAMES)
    marks, truth = see(body, betas.repeat(FRAMES, axis=0), *random_poses(2 * FRAMES, seed=11, facing=0.8))
    marks = replace(marks, mask=silhouettes(body, marks, as_fitted(body, truth)))
    return marks, track_id, betas


def inside(marks):
    return np.ones((len(marks), 39), bool)


def learned(body, clip, stature_m=None, rounds=3):
    """The shapes of a whole clip: (k, 10) in the order of the ids 3, 7."""
    marks, track_id, _ = clip
    fitter, witness, prior = BodyFitter(body), ShapeWitness(body), ShapePrior(body, stature_m)
    betas = np.zeros((len(marks), 10))
    for _ in range(rounds):
        bodies = fitter.fit(marks, inside(marks), CAMERA, betas)
        people, shapes = shape_of_each(prior, witness.look(marks, inside(marks), bodies, CAMERA), track_id)
        betas = shapes[np.searchsorted(people, track_id)]
    return people, shapes


def stature(body, betas):
    return np.ptp(body.rest_vertices(betas)[..., 1], axis=-1)


def proportions(body, betas):
    lengths = np.log(BodyFitter(body).points.lengths(betas, BONES))
    return lengths - lengths.mean(axis=1, keepdims=True)


def test_proportions_are_recovered(body, clip):
    people, shapes = learned(body, clip)
    assert people.tolist() == [3, 7]
    true = proportions(body, clip[2][::-1])
    off = np.abs(proportions(body, shapes) - true)
    neutral = np.abs(proportions(body, np.zeros((2, 10))) - true)
    assert off.mean() < 0.5 * neutral.mean()


def test_the_heavy_one_comes_out_heavier(body, clip):
    _, (slim, heavy) = learned(body, clip)
    assert heavy[1] > 0.5
    assert slim[1] < -0.5


def test_bodies_are_as_tall_as_given(body, clip):
    for stature_m in (1.52, 1.85):
        _, shapes = learned(body, clip, stature_m)
        assert np.abs(stature(body, shapes) - stature_m).max() < 0.015


def test_of_somebody_new_the_likeliest_is_believed(body):
    estimator = ShapeEstimator(body)
    betas = estimator.betas(np.array([5, 6]))
    assert np.abs(stature(body, betas) - STATURE_M).max() < 0.02
    assert np.abs(betas).max() < 0.2
    tall = ShapeEstimator(body, stature_m=1.9).betas(np.array([5]))
    assert np.abs(stature(body, tall) - 1.9) < 0.02


def test_a_larger_body_farther_away_is_no_evidence(body, clip):
    """What is seen is the same, so the evidence must not favour either size."""
    marks, _, _ = clip
    witness = ShapeWitness(body)
    some = marks.select(np.arange(FRAMES))
    bodies = BodyFitter(body).fit(some, inside(some), CAMERA, np.zeros((FRAMES, 10)))
    evidence = witness.look(some, inside(some), bodies, CAMERA)
    taller = np.zeros(10)
    taller[0] = 1.0  # the mannequin's first beta is its size
    along = np.einsum("i,mij,j->m", taller, evidence.matrix, taller)
    across = np.einsum("mii->m", evidence.matrix)
    assert (along < 0.02 * across).all()


def frames_of(clip):
    """The clip frame by frame: both people at once."""
    marks, track_id, _ = clip
    for frame in range(FRAMES):
        rows = np.array([frame, FRAMES + frame])
        yield track_id[rows], marks.select(rows)


def test_streaming_ends_where_the_whole_clip_does(body, clip):
    marks, track_id, _ = clip
    bodies = BodyFitter(body).fit(marks, inside(marks), CAMERA, np.zeros((len(marks), 10)))
    people, shapes = shape_of_each(
        ShapePrior(body), ShapeWitness(body).look(marks, inside(marks), bodies, CAMERA), track_id
    )
    estimator = ShapeEstimator(body)
    for frame, (ids, seen) in enumerate(frames_of(clip)):
        estimator.update(ids, seen, inside(seen), rows_of(bodies, [frame, FRAMES + frame]), CAMERA)
    assert np.allclose(estimator.betas(people), shapes, atol=1e-9)


def rows_of(bodies: FittedBodies, rows) -> FittedBodies:
    return bodies.select(np.array(rows))


def test_a_copy_goes_its_own_way_and_state_goes_round(body, clip):
    fitter, estimator = BodyFitter(body), ShapeEstimator(body)
    ids, seen = next(frames_of(clip))
    before = estimator.betas(ids)
    other = copy.copy(estimator)
    other.update(ids, seen, inside(seen), fitter.fit(seen, inside(seen), CAMERA, before), CAMERA)
    assert np.array_equal(estimator.betas(ids), before)
    assert not np.allclose(other.betas(ids), before)
    again = ShapeEstimator(body)
    again.restore_state(other.export_state())
    assert np.array_equal(again.betas(ids), other.betas(ids))


@pytest.mark.parametrize(
    "change",
    [
        {"track_id": np.array([4, 4])},
        {"matrix": -np.tile(np.eye(10), (2, 1, 1))},
        {"frames": np.array([-1.0, 2.0])},
        {"vector": np.zeros((2, 9))},
    ],
)
def test_states_that_nobody_exported_are_refused(body, clip, change):
    estimator = ShapeEstimator(body)
    ids, seen = next(frames_of(clip))
    bodies = BodyFitter(body).fit(seen, inside(seen), CAMERA, np.zeros((2, 10)))
    estimator.update(ids, seen, inside(seen), bodies, CAMERA)
    with pytest.raises(UserError):
        ShapeEstimator(body).restore_state({**estimator.export_state(), **change})


def test_nobody_changes_nothing(body, clip):
    estimator = ShapeEstimator(body)
    nobody = clip[0].select(np.zeros(0, int))
    bodies = BodyFitter(body).fit(nobody, inside(nobody), CAMERA, np.zeros((0, 10)))
    estimator.update(np.zeros(0, np.int64), nobody, inside(nobody), bodies, CAMERA)
    assert estimator.betas(np.zeros(0, np.int64)).shape == (0, 10)


def test_the_height_of_one_person_leaves_the_others_alone(body):
    people = np.array([4, 5, 6])
    plain = ShapeEstimator(body).betas(people)
    told = ShapeEstimator(body, heights_m={5: 1.9}).betas(people)
    np.testing.assert_array_equal(told[[0, 2]], plain[[0, 2]])
    assert np.abs(stature(body, told[1]) - 1.9) < 0.02
    assert ShapeEstimator(body, heights_m={5: 1.9}).known == {5}
