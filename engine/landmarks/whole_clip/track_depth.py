# SPDX-License-Identifier: GPL-3.0-or-later
"""The distance of one person over a whole track: from how large he looks in every frame, smoothed, and from flights.

Feet on a floor were tried as a second measure and left out: on clips with known distances they took away another 4
percent of the wobble on average, and stairs deceive them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...motion.flights import GRAVITY, Flight, centre_of_mass, find_flights, sight_of
from ..camera.floor import floor_from_people
from ..camera.placing import PLACED
from ..observations import FittedBodies, Pinhole
from .clip_observations import ClipObservations
from .depth_smoothing import accelerations_of, noise_of, smooth_depth

_FLIGHT_ACCELERATION = 0.05
"""m/s2 besides gravity that a flight leaves anybody."""

_NEAREST_M = 0.3
_LEAST_SHARE = 0.2
_LEAST_FRAMES = 3


@dataclass(frozen=True)
class ClipCamera:
    """The camera of a clip."""

    pinhole: Pinhole
    world_from_camera: np.ndarray | None = None
    """(F, 4, 4) of every frame of the capture; None for a still camera."""
    down: np.ndarray | None = None
    """(3,) unit vector towards the earth, world; None to read it off the people."""

    def poses(self, frame_index: np.ndarray) -> np.ndarray:
        """(N, 4, 4) world from camera."""
        if self.world_from_camera is None:
            return np.broadcast_to(np.eye(4), (len(frame_index), 4, 4))
        return self.world_from_camera[frame_index]

    def with_down(self, joints: np.ndarray, frame_index: np.ndarray) -> ClipCamera:
        """The same that knows where the earth is: told, from the (N, 55, 3) people, or the picture's own down."""
        if self.down is not None:
            return replace(self, down=self.down / np.linalg.norm(self.down))
        poses = self.poses(frame_index)
        floor = floor_from_people(np.einsum("nij,nkj->nki", poses[:, :3, :3], joints) + poses[:, None, :3, 3])
        return replace(self, down=np.array((0.0, 1.0, 0.0)) if floor is None else -floor.up)


@dataclass(frozen=True)
class TrackDepth:
    """The T rows of one track."""

    depth: np.ndarray
    """(T,) of the pelvis, metres along the camera's axis."""
    log_sigma: np.ndarray
    """(T,)"""
    flights: list[Flight]


def smooth_track(seen: ClipObservations, alone: FittedBodies, camera: ClipCamera) -> TrackDepth:
    """Of bodies that were fitted alone; the camera knows `down`.

    The centre of mass is what moves smoothly: a pelvis turns about it in a somersault.
    """
    if len(seen) < _LEAST_FRAMES:
        depth = alone.pelvis[:, 2]
        return TrackDepth(depth, noise_of(seen.time_s, depth) / depth, [])
    poses, centre = camera.poses(seen.frame_index), centre_of_mass(alone.joints)
    raw = np.maximum(centre[:, 2], _NEAREST_M)
    # How far the camera has gone: with this the depth is the person's own movement.
    ahead, aside = _gone(poses, 2), _gone(poses, 0)
    acceleration = accelerations_of(seen.time_s, centre[:, 0] / raw * float(np.median(raw)) + aside)
    sigma, known = _deviation(seen, raw), np.zeros(len(raw))
    first, _ = smooth_depth(seen.time_s, raw + ahead, sigma, acceleration, known)
    flights = _flights(seen.time_s, centre * ((first - ahead) / raw)[:, None], poses, camera)
    for flight in flights:
        within = slice(flight.first, flight.last)
        acceleration[within], known[within] = _FLIGHT_ACCELERATION, GRAVITY * (poses[within, :3, 2] @ _down(camera))
    smooth, error = smooth_depth(seen.time_s, raw + ahead, sigma, acceleration, known)
    wanted = np.maximum(smooth - ahead, _NEAREST_M)
    return TrackDepth(np.maximum(wanted + alone.pelvis[:, 2] - centre[:, 2], _NEAREST_M), error / wanted, flights)


def _deviation(seen: ClipObservations, raw: np.ndarray) -> np.ndarray:
    """(T,) of the depths, metres: bodies that are cut off or hidden tell them less and less."""
    share = (seen.visibility[:, PLACED] * seen.inside[:, PLACED]).mean(axis=1)
    return noise_of(seen.time_s, raw) / np.maximum(share, _LEAST_SHARE) ** 2


def _flights(time_s: np.ndarray, centre: np.ndarray, poses: np.ndarray, camera: ClipCamera) -> list[Flight]:
    """Of (T, 3) centres of mass in the camera frame."""
    turned = np.einsum("tij,tj->ti", poses[:, :3, :3], centre)
    return find_flights(time_s, turned + poses[:, :3, 3], sight_of(turned, _down(camera)))


def _down(camera: ClipCamera) -> np.ndarray:
    assert camera.down is not None, "with_down comes first"
    return camera.down


def _gone(poses: np.ndarray, axis: int) -> np.ndarray:
    """(T,) metres that the camera has gone along one of its own axes."""
    steps = np.diff(poses[:, :3, 3], axis=0, prepend=poses[:1, :3, 3])
    return np.cumsum((steps * poses[:, :3, axis]).sum(axis=-1))
