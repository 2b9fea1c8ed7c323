# SPDX-License-Identifier: GPL-3.0-or-later
"""What tracking a camera remembers: the picture that others are located against, and the last one that was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..resuming.state_reader import MOST, StateReader
from .place_adjustment import rays

MOST_LOG = 80.0
"""Bound of a logarithm in a state that is restored: its exponential is a number that float32 holds."""


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
