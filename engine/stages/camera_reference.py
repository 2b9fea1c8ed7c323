# SPDX-License-Identifier: GPL-3.0-or-later
"""What tracking a camera remembers: the picture that others are located against, and the last one that was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..resuming.state_reader import MOST, StateReader
from .place_adjustment import rays
from .place_depth import PlaceDepth
from .point_tracking import nearest

MOST_LOG = 80.0
"""Bound of a logarithm in a state that is restored: its exponential is a number that float32 holds."""


PREDICTED_SIGMA, CARRIED_SIGMA = 0.08, 0.05
"""Relative uncertainty of depths that the network predicted, and of those that an earlier reference adjusted."""

WIDE_SIGMA, NEIGHBOR_SIGMA, NEIGHBORS = 0.3, 0.4, 5
"""Where a model says that its depth is less certain than the first, new corners take the median of so many carried ones
around them, which is as uncertain as the second."""

LEAST_CARRIED = 8
"""Least points still seen that hand their scale on to a new reference."""


@dataclass(frozen=True)
class Reference:
    """A picture and its N points; V views that saw them. Nothing in it is changed in place."""

    picture: np.ndarray
    """(h, w) uint8, light evened out."""
    camera: np.ndarray
    """(3, 3) pinhole of this picture and of all that are located against it."""
    world_from_reference: np.ndarray
    """(4, 4)"""
    pixel: np.ndarray
    """(N, 2)"""
    prior: np.ndarray
    """(N,) log depth as it was known here at first."""
    prior_sigma: np.ndarray
    """(N,)"""
    log_depth: np.ndarray
    """(N,) adjusted."""
    view_from_reference: np.ndarray
    """(V, 4, 4)"""
    view_pixel: np.ndarray
    """(V, N, 2)"""
    view_seen: np.ndarray
    """(V, N) bool"""

    @property
    def points(self) -> np.ndarray:
        """(N, 3) in the reference's camera frame, metres."""
        return rays(self.pixel, self.camera) * np.exp(self.log_depth)[:, None]


@dataclass(frozen=True)
class Located:
    """A picture that was located against the reference."""

    grey: np.ndarray
    """(h, w) uint8, as it came."""
    camera_from_reference: np.ndarray
    """(4, 4)"""
    pixel: np.ndarray
    """(N, 2) where the reference's points are, valid where `seen`."""
    seen: np.ndarray
    """(N,) bool: found, and in agreement with the pose."""


def new_reference(
    picture: np.ndarray,
    camera: np.ndarray,
    world_from_reference: np.ndarray,
    old: tuple[np.ndarray, np.ndarray],
    new: np.ndarray,
    place: PlaceDepth,
) -> Reference:
    """A picture, light evened out, as the reference: with (N, 2) pixels and (N,) log depths of `old` points that go on,
    and (M, 2) pixels of `new` ones, which lie where the place's depth is known."""
    new_depth, new_sigma = _depth_of_new(new, place, *old)
    pixel, log_depth = np.concatenate([old[0], new]), np.concatenate([old[1], new_depth])
    return Reference(
        picture,
        camera,
        world_from_reference,
        pixel,
        log_depth,
        np.concatenate([np.full(len(old[0]), CARRIED_SIGMA), new_sigma]),
        log_depth,
        np.empty((0, 4, 4)),
        np.empty((0, len(pixel), 2)),
        np.empty((0, len(pixel)), bool),
    )


def read_reference(state: StateReader) -> Reference:
    """The reference of a tracker's state. Raises UserError (``resume-unreadable``)."""
    camera = state.array("reference_camera", np.float64, 3, 3)
    state.require(bool((camera[[0, 1], [0, 1]] > 0).all()), "reference_camera has no focal length")
    sigma = state.array("reference_prior_sigma", np.float64, "points")
    state.require(bool((sigma > 0).all()), "reference_prior_sigma is no deviation")
    return Reference(
        state.array("reference_picture", np.uint8, "height", "width"),
        camera,
        state.pose("reference_world_from_reference"),
        state.array("reference_pixel", np.float64, "points", 2),
        state.array("reference_prior", np.float64, "points", most=MOST_LOG),
        sigma,
        state.array("reference_log_depth", np.float64, "points", most=MOST_LOG),
        state.pose("reference_view_from_reference", "views"),
        *_read_pixels(state, "reference_view_pixel", "reference_view_seen", "views"),
    )


def read_located(state: StateReader) -> Located:
    """The picture that was located last, of the same state and after its reference. Raises as that."""
    pixel, seen = _read_pixels(state, "last_pixel", "last_seen")
    return Located(
        state.array("last_grey", np.uint8, "height", "width"), state.pose("last_camera_from_reference"), pixel, seen
    )


def _read_pixels(state: StateReader, name: str, seen_name: str, *leading: str) -> tuple[np.ndarray, np.ndarray]:
    """(..., N, 2) pixels, numbers where the (..., N) mask says that they were seen, and that mask."""
    pixel = state.array(name, np.float64, *leading, "points", 2, most=None)
    seen = state.array(seen_name, np.bool_, *leading, "points")
    state.require(bool((np.abs(pixel[seen]) < MOST).all()), f"{name} is outside the frame")
    return pixel, seen


def _depth_of_new(
    new: np.ndarray, place: PlaceDepth, old: np.ndarray, old_depth: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(M,) log depths of a reference's new corners at (M, 2) pixels, and their sigmas; (N, 2) `old` ones go on."""
    depth = np.log(place.depth[nearest(new, place.depth)].astype(np.float64))
    if place.log_sigma is None:
        if len(old) >= LEAST_CARRIED:
            depth += np.median(old_depth - np.log(place.depth[nearest(old, place.depth)]))
        return depth, np.full(len(new), PREDICTED_SIGMA)
    sigma = place.log_sigma[nearest(new, place.depth)].astype(np.float64)
    unknown = sigma > WIDE_SIGMA
    if len(old) >= LEAST_CARRIED and unknown.any():
        distance = np.linalg.norm(new[unknown, None] - old, axis=-1)
        around = np.argsort(distance, axis=1, kind="stable")[:, :NEIGHBORS]
        depth[unknown], sigma[unknown] = np.median(old_depth[around], axis=1), NEIGHBOR_SIGMA
    return depth, sigma
