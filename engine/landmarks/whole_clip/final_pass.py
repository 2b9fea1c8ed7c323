# SPDX-License-Identifier: GPL-3.0-or-later
"""The last look at a clip, when all of it has been seen: one focal length, one shape a person, depth smooth in time.

Single pictures tell least how far away somebody is. So every body is fitted as if alone, its distance is smoothed over
the person's whole track (in a flight gravity alone moves him), and it is fitted again at that distance. Everything else
is left as the pictures tell it: further smoothing is the clean-up's work, and so is the filling of gaps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...motion.flights import GRAVITY, Flight
from ..body.body_fit import BodyFitter, DepthPrior
from ..observations import FittedBodies, Pinhole
from .clip_observations import ClipObservations
from .track_depth import ClipCamera, smooth_track
from .track_sides import with_sides_of_tracks

_SLICE = 128
"""Rows that are fitted between two reports."""

_REFIT_LOG_SIGMA = 0.004
"""How closely the second fit keeps to the smoothed distance."""

_ENOUGH = 0.003
"""Bodies whose distance changes by a smaller share are moved along their ray; the pose need not know."""

_PERSON_LOG_SIGMA = 0.053
"""Spread of people's stature: 1.70 m give or take 0.09."""

_BETAS = 10


Resized = Callable[[np.ndarray, float], np.ndarray]
"""(10,) betas and a factor -> the betas of a body so many times as tall."""


@dataclass(frozen=True)
class TrackFlight:
    """A flight of one person."""

    track_id: int
    first_frame: int
    last_frame: int
    """Frames of the capture, both inside."""
    flight: Flight
    """What was found; its indices count the rows of the track."""


@dataclass(frozen=True)
class FinalBodies:
    """What the final pass says."""

    bodies: FittedBodies
    """Of all rows of the observations, in order."""
    depth_log_sigma: np.ndarray
    """(n,) standard error of the logarithm of each distance, without the common one of focal length and stature."""
    flights: tuple[TrackFlight, ...]
    exchanged: np.ndarray
    """(n, 3) bool: whose torso, arms and legs had left and right exchanged, before."""


def final_pass(
    observations: ClipObservations,
    fitter: BodyFitter,
    camera: ClipCamera,
    betas: Mapping[int, np.ndarray],
    resized: Resized | None = None,
    known: Collection[int] = (),
) -> Generator[float, None, FinalBodies]:
    """Yields how much is done, 0 to 1, after each slice, and returns the bodies; to cancel, close the generator.

    `betas` has the (10,) shape of each track; tracks that it lacks have the mean shape. With `resized`, people who fly
    get the size with which they fall as everybody does, but for the tracks of those whose size is `known`.
    """
    seen, exchanged = with_sides_of_tracks(observations)
    shape = np.zeros((len(seen), _BETAS))
    for track in np.unique(seen.track_id):
        shape[seen.track_id == track] = betas.get(int(track), 0.0)
    alone = yield from _fitted(seen, fitter, camera.pinhole, shape, None, 0.0)
    depth, log_sigma, flights = _smooth_all(seen, alone, camera.with_down(alone.joints, seen.frame_index))
    if resized is not None:
        telling = [flight for flight in flights if flight.track_id not in known]
        depth, shape = _resized(seen.track_id, depth, shape, telling, resized)
    moved = _moved_along_rays(alone, depth)
    changed = np.flatnonzero(np.abs(np.log(depth / alone.pelvis[:, 2])) > _ENOUGH)
    prior = DepthPrior(np.log(depth[changed]), np.full(len(changed), _REFIT_LOG_SIGMA))
    again = yield from _fitted(seen.select(changed), fitter, camera.pinhole, shape[changed], prior, 0.5)
    return FinalBodies(_replaced(moved, changed, again), log_sigma, tuple(flights), exchanged)


def run_final_pass(
    observations: ClipObservations,
    fitter: BodyFitter,
    camera: ClipCamera,
    betas: Mapping[int, np.ndarray],
    resized: Resized | None = None,
) -> FinalBodies:
    """The final pass in one go."""
    steps = final_pass(observations, fitter, camera, betas, resized)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: FinalBodies = end.value
            return result


def size_from_flights(flights: tuple[TrackFlight, ...], track_id: int) -> tuple[float, float]:
    """By what a person's size is to be multiplied so that he falls with 9.81 m/s2, and its logarithm's standard error.

    Weighed against people's spread about the shape that was given: 1 and 0.053 without a flight. The surest flight
    speaks alone, because errors of one person's flights are alike.
    """
    own = [item.flight for item in flights if item.track_id == track_id]
    if not own:
        return 1.0, _PERSON_LOG_SIGMA
    best = min(own, key=lambda flight: flight.log_sigma)
    weight, prior = best.log_sigma**-2, _PERSON_LOG_SIGMA**-2
    told = float(np.log(GRAVITY / best.gravity))
    return float(np.exp(told * weight / (weight + prior))), (weight + prior) ** -0.5


def _fitted(
    seen: ClipObservations,
    fitter: BodyFitter,
    pinhole: Pinhole,
    betas: np.ndarray,
    prior: DepthPrior | None,
    done: float,
) -> Generator[float, None, FittedBodies]:
    """Fit in slices; this is half of the work, `done` is what was done before."""
    landmarks, parts = seen.landmarks(), []
    for first in range(0, max(len(seen), 1), _SLICE):
        rows = np.arange(first, min(first + _SLICE, len(seen)))
        own = None if prior is None else DepthPrior(prior.log_depth[rows], prior.deviation[rows])
        if len(rows):
            parts.append(fitter.fit(landmarks.select(rows), seen.inside[rows], pinhole, betas[rows], own))
        yield done + 0.5 * min(1.0, (first + _SLICE) / max(len(seen), 1))
    return _joined(parts)


def _smooth_all(
    seen: ClipObservations, alone: FittedBodies, camera: ClipCamera
) -> tuple[np.ndarray, np.ndarray, list[TrackFlight]]:
    depth, log_sigma, flights = alone.pelvis[:, 2].copy(), np.zeros(len(seen)), []
    for track in np.unique(seen.track_id):
        rows = np.flatnonzero(seen.track_id == track)
        smoothed = smooth_track(seen.select(rows), alone.select(rows), camera)
        depth[rows], log_sigma[rows] = smoothed.depth, smoothed.log_sigma
        frames = seen.frame_index[rows]
        flights += [
            TrackFlight(int(track), int(frames[flight.first]), int(frames[flight.last - 1]), flight)
            for flight in smoothed.flights
        ]
    return depth, log_sigma, flights


def _resized(
    track_id: np.ndarray, depth: np.ndarray, shape: np.ndarray, flights: list[TrackFlight], resized: Resized
) -> tuple[np.ndarray, np.ndarray]:
    """Depths and shapes of the rows, those of people who fly as their flights tell; who is larger is farther away."""
    depth, shape = depth.copy(), shape.copy()
    for track in {flight.track_id for flight in flights}:
        rows = track_id == track
        factor, _ = size_from_flights(tuple(flights), track)
        changed = resized(shape[rows][0], factor)
        if not np.array_equal(changed, shape[rows][0]):
            shape[rows], depth[rows] = changed, depth[rows] * factor
    return depth, shape


def _moved_along_rays(bodies: FittedBodies, depth: np.ndarray) -> FittedBodies:
    pelvis = bodies.pelvis * (depth / bodies.pelvis[:, 2])[:, None]
    return replace(bodies, pelvis=pelvis, joints=bodies.joints + (pelvis - bodies.pelvis)[:, None])


def _replaced(bodies: FittedBodies, rows: np.ndarray, by: FittedBodies) -> FittedBodies:
    values = {name: getattr(bodies, name).copy() for name in _FIELDS}
    for name, value in values.items():
        if len(rows):
            value[rows] = getattr(by, name)
    return FittedBodies(**values)


def _joined(parts: list[FittedBodies]) -> FittedBodies:
    if not parts:
        return FittedBodies(
            np.zeros((0, 55, 3, 3)), np.zeros((0, _BETAS)), np.zeros((0, 3)), np.zeros((0, 55, 3)), np.zeros(0)
        )
    return FittedBodies(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS})


_FIELDS = tuple(FittedBodies.__dataclass_fields__)
