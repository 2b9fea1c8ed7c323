# SPDX-License-Identifier: GPL-3.0-or-later
"""The final pass on people who walk and jump before a known camera, and what it keeps of a clip."""

from __future__ import annotations

import copy
from functools import cache

import numpy as np
import pytest

from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.errors import UserError
from engine.landmarks.body.body_fit import BodyFitter
from engine.landmarks.body.shape import ShapePrior
from engine.landmarks.observations import BodyLandmarks, Crops, FollowedPeople, Pinhole
from engine.landmarks.whole_clip.clip_observations import ClipObservations, ObservationStore
from engine.landmarks.whole_clip.final_pass import FinalBodies, final_pass, run_final_pass, size_from_flights
from engine.landmarks.whole_clip.track_depth import ClipCamera
from engine.motion.flights import centre_of_mass

from .standing_people import SIZE, Seen, pitched, see

RATE, FOCAL = 30.0, 1100.0
CAMERA = ClipCamera(Pinhole(FOCAL, (np.array(SIZE) - 1) / 2))


@cache
def fitter() -> BodyFitter:
    return BodyFitter(BodyModel.load(default_body_path()))


def observed(seen: Seen, track: int = 0) -> ClipObservations:
    """One person, a frame a row; how large he looks wobbles with the pose, as networks' landmarks do."""
    count = len(seen.point_px)
    crop = np.concatenate([seen.point_px[:, 33], np.full((count, 1), 400.0), np.zeros((count, 1))], axis=-1)
    return ClipObservations(
        np.arange(count), np.arange(count) / RATE, np.full(count, track), np.ones(count, np.float32),
        crop.astype(np.float32), seen.point_px.astype(np.float32), seen.world.astype(np.float32),
        seen.visibility.astype(np.float32), seen.inside, np.zeros((count, 3), np.float32),
    )  # fmt: skip


@cache
def walk() -> tuple[Seen, ClipObservations, FinalBodies]:
    time_s = np.arange(60) / RATE
    places = np.stack([-0.8 + 0.8 * time_s, 5 - 0.5 * time_s], axis=-1)
    seen = see(places, np.full(60, 0.5), FOCAL, noise=0.02)
    return seen, observed(seen), run_final_pass(observed(seen), fitter(), CAMERA, {})


def test_depth_of_a_walk_wobbles_less_and_the_picture_fits_as_well() -> None:
    seen, observations, final = walk()
    alone = fitter().fit(observations.landmarks(), observations.inside, CAMERA.pinhole, np.zeros((60, 10)))
    truth = seen.hips[:, 2]
    # The person's size is not the body's: a common share of the depth is allowed.
    off = [np.log(bodies.pelvis[:, 2] / truth) for bodies in (alone, final.bodies)]
    assert off[1].std() < 0.5 * off[0].std()
    assert abs(off[1].mean()) < 0.08
    assert final.bodies.error.mean() < 1.1 * alone.error.mean() + 0.001
    assert final.flights == ()


def test_a_jump_falls_with_gravity_and_tells_the_size() -> None:
    time_s = np.arange(66) / RATE
    air = (time_s - 0.7).clip(0, 0.8)
    places = np.stack([-0.4 + 0.8 * air, np.full(66, 4.5)], axis=-1)
    seen = see(places, np.full(66, 0.4), FOCAL, noise=0.01, lift=9.81 / 2 * air * (0.8 - air))
    down = pitched(0.25) @ np.array((0.0, 1.0, 0.0))
    final = run_final_pass(observed(seen, 3), fitter(), ClipCamera(CAMERA.pinhole, down=down), {})
    (flight,) = final.flights
    assert (flight.track_id, flight.first_frame, flight.last_frame) == (
        3,
        pytest.approx(21, abs=3),
        pytest.approx(45, abs=3),
    )
    within = slice(flight.first_frame, flight.last_frame + 1)
    fall = np.polyfit(time_s[within], centre_of_mass(final.bodies.joints[within]) @ down, 2)[0] * 2
    assert fall == pytest.approx(9.81, rel=0.12)
    factor, log_sigma = size_from_flights(final.flights, 3)
    assert abs(np.log(factor * fall / 9.81)) < 2 * log_sigma
    assert log_sigma < 0.053 == size_from_flights(final.flights, 4)[1]


def test_whoever_flies_gets_the_size_with_which_he_falls_as_everybody_does() -> None:
    time_s = np.arange(66) / RATE
    air = (time_s - 0.7).clip(0, 0.8)
    places = np.stack([-0.4 + 0.8 * air, np.full(66, 4.5)], axis=-1)
    # He falls too slowly for the size that the fit gives him.
    seen = see(places, np.full(66, 0.4), FOCAL, noise=0.004, lift=0.9 * 9.81 / 2 * air * (0.8 - air))
    down = pitched(0.25) @ np.array((0.0, 1.0, 0.0))
    camera, shape = ClipCamera(CAMERA.pinhole, down=down), ShapePrior(BodyModel.load(default_body_path()))
    falls, statures = [], []
    for resized in (None, shape.resized):
        final = run_final_pass(observed(seen), fitter(), camera, {}, resized)
        (flight,) = final.flights
        within = slice(flight.first_frame, flight.last_frame + 1)
        falls.append(np.polyfit(time_s[within], centre_of_mass(final.bodies.joints[within]) @ down, 2)[0] * 2)
        statures.append(final.bodies.joints[0, 15, 1] - final.bodies.joints[0, 7, 1])
    assert abs(falls[1] - 9.81) < abs(falls[0] - 9.81)
    assert falls[1] / falls[0] == pytest.approx(statures[1] / statures[0], abs=0.02)


def test_a_stature_that_was_given_is_kept() -> None:
    body = BodyModel.load(default_body_path())
    betas = np.full(10, 0.3)
    np.testing.assert_array_equal(ShapePrior(body, 1.8).resized(betas, 1.1), betas)
    larger = ShapePrior(body).resized(betas, 1.1)
    heights = [np.ptp(body.rest_vertices(one[None])[0, :, 1]) for one in (betas, larger)]
    assert heights[1] / heights[0] == pytest.approx(1.1, abs=0.01)


def test_a_camera_that_rolls_along_does_not_count_as_the_persons_movement() -> None:
    _, observations, still = walk()
    poses = np.tile(np.eye(4), (60, 1, 1))
    poses[:, 2, 3] = 0.7 * np.arange(60) / RATE
    rolling = run_final_pass(observations, fitter(), ClipCamera(CAMERA.pinhole, poses), {})
    np.testing.assert_allclose(rolling.bodies.pelvis, still.bodies.pelvis, atol=0.01)


def test_it_reports_its_progress_gives_the_same_again_and_can_be_left() -> None:
    _, observations, final = walk()
    shares = list(final_pass(observations, fitter(), CAMERA, {}))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    again = run_final_pass(observations, fitter(), CAMERA, {})
    np.testing.assert_array_equal(again.bodies.rotations, final.bodies.rotations)
    steps = final_pass(observations, fitter(), CAMERA, {})
    next(steps)
    steps.close()


def test_a_clip_without_anybody_ends_with_nobody() -> None:
    final = run_final_pass(ClipObservations.empty(), fitter(), CAMERA, {})
    assert len(final.bodies) == 0
    assert final.flights == ()


def test_short_unsure_tracks_are_refined_like_all_others() -> None:
    """The take has them: left out, they would stand there as seen with another focal length."""
    _, observations, _ = walk()
    track = np.zeros(60, np.int64)
    score = np.full(60, 0.4, np.float32)
    track[:3], track[10] = 1, 2
    clip = ClipObservations.restored({**observations.export_state(), "track_id": track, "score": score})
    final = run_final_pass(clip, fitter(), CAMERA, {2: np.full(10, 0.5)})
    assert len(final.bodies) == 60
    np.testing.assert_array_equal(np.flatnonzero((final.bodies.betas == 0.5).all(axis=1)), [10])


def test_a_store_gives_back_what_came_and_goes_on_elsewhere() -> None:
    _, observations, _ = walk()
    store, copied = ObservationStore(), None
    for frame in range(60):
        if frame == 30:
            copied = copy.copy(store)
        part = observations.select(np.array([frame]))
        crops = Crops(part.crop[:, :2], part.crop[:, 2], part.crop[:, 3])
        mask = np.zeros((1, 256, 256), np.float16)
        marks = BodyLandmarks(part.score, part.point_px, part.visibility, part.world, crops, mask)
        store.add(frame, frame / RATE, FollowedPeople(part.track_id, part.score, marks, part.inside, part.sides))
    assert copied is not None
    assert len(copied.observations()) == 30
    restored = ObservationStore()
    restored.restore_state(store.export_state())
    for name, value in observations.export_state().items():
        np.testing.assert_allclose(restored.export_state()[name], value, rtol=1e-5)
    with pytest.raises(UserError, match="resume"):
        ObservationStore().restore_state({**store.export_state(), "time_s": -np.arange(60.0)})
