# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture whose corners later ones are compared with as long as no depth is needed: by the picture alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ..resuming.state_reader import MOST, StateReader
from .point_tracking import COARSE_LEVELS, FINE_LEVELS, WINDOW_PX, corners, follow, nearest, well_inside

MOST_CORNERS = 300

SURE_SHARE = 0.6
"""Share of the corners last seen with which a search near their last places is believed at once."""

_COHERENT_PX, _COHERENT_SHARE = 0.75, 0.25
"""Corners that move together are within so many pixels of one smooth motion, or so much of the motion itself. Pixels
here and below are those of a picture with a long side of :data:`UNIT_SIDE`."""

_UNCHANGED_SHARE = 0.35
"""Of the contrast around a corner: what differs by less is noise, and what moved by a pixel or two differs by more."""

_AFFINE_TRIES, _AFFINE_CONFIDENCE = 200, 0.99

UNIT_SIDE = 640
"""Long side of the picture whose pixels thresholds are given in."""


@dataclass(frozen=True)
class Anchor:
    """A picture and its N corners. Nothing in it is changed in place."""

    picture: np.ndarray
    """(h, w) uint8, light evened out."""
    camera: np.ndarray
    """(3, 3) pinhole of this picture and of all that are compared with it."""
    world_from_anchor: np.ndarray
    """(4, 4)"""
    pixel: np.ndarray
    """(N, 2)"""
    kept: np.ndarray
    """(N,) bool: false for corners that turned out to be no part of the place."""
    last_grey: np.ndarray
    """(h, w) uint8, the last picture in which corners were found, as it came."""
    last_pixel: np.ndarray
    """(N, 2) where they were there, valid where `last_found`."""
    last_found: np.ndarray
    """(N,) bool"""


@dataclass(frozen=True)
class Sight:
    """What one picture shows of an anchor's N corners."""

    pixel: np.ndarray
    """(N, 2), valid where `found`."""
    found: np.ndarray
    """(N,) bool"""
    expected: int
    """Corners that neither people nor the border were expected to hide."""


def unit_px(picture: np.ndarray) -> float:
    """How many pixels of a (h, w) picture make one of a picture with a long side of :data:`UNIT_SIDE`."""
    return max(picture.shape) / UNIT_SIDE


def begin_anchor(
    grey: np.ndarray, picture: np.ndarray, free: np.ndarray, camera: np.ndarray, world_from_camera: np.ndarray
) -> Anchor:
    """This picture as the anchor, with its corners where `free` (h, w) is true; there may be none."""
    pixel = corners(picture, well_inside(free), MOST_CORNERS)
    everything = np.ones(len(pixel), bool)
    return Anchor(picture, camera, world_from_camera, pixel, everything, grey, pixel, everything)


def look(anchor: Anchor, grey: np.ndarray, picture: np.ndarray, free: np.ndarray) -> Sight:
    """Find the corners in the next picture: near their last places, then where all of it seems to have gone.

    `grey` (h, w) is that picture as it came, `picture` the same with its light evened out.
    """
    known = anchor.last_found & anchor.kept
    shift = np.median((anchor.last_pixel - anchor.pixel)[known], axis=0) if known.any() else np.zeros(2)
    guess = np.where(anchor.last_found[:, None], anchor.last_pixel, anchor.pixel + shift)
    near = _look_from(anchor, picture, free, guess)
    if near.found.sum() >= SURE_SHARE * known.sum():
        return near
    # Large motions show in the picture as it came; in its detail alone far places look alike.
    moved, found = follow(anchor.last_grey, grey, guess, guess, COARSE_LEVELS)
    found &= known
    if found.any():
        guess = guess + np.median((moved - guess)[found], axis=0)
        guess[found] = moved[found]
    far = _look_from(anchor, picture, free, guess)
    return max(near, far, key=lambda sight: int(sight.found.sum()))


def seen_again(anchor: Anchor, grey: np.ndarray, sight: Sight) -> Anchor:
    """The anchor after a picture in which its corners were found."""
    return replace(anchor, last_grey=grey, last_pixel=sight.pixel, last_found=sight.found)


def unchanged(anchor: Anchor, picture: np.ndarray) -> np.ndarray:
    """(N,) bool: corners in whose places a picture, its light evened out, shows just what the anchor did."""
    if not len(anchor.pixel):
        return np.zeros(0, bool)
    offset = np.arange(WINDOW_PX) - WINDOW_PX // 2
    column, row = np.round(anchor.pixel).astype(int).T
    height, width = picture.shape
    at = (
        (row[:, None] + offset).clip(0, height - 1)[:, :, None],
        (column[:, None] + offset).clip(0, width - 1)[:, None, :],
    )
    before, after = anchor.picture[at].astype(np.float32), picture[at].astype(np.float32)
    return np.abs(after - before).mean(axis=(1, 2)) < _UNCHANGED_SHARE * before.std(axis=(1, 2))


def moved_together(before: np.ndarray, after: np.ndarray, picture: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """The (2, 3) affine motion that most of (N, 2) pixels share, None where there is none, and (N,) who shares it."""
    unit, motion = unit_px(picture), np.linalg.norm(after - before, axis=-1)
    together = np.zeros(len(before), bool)
    if len(before) < 4:
        return None, together
    cv2.setRNGSeed(0)  # the same corners give the same motion in every run
    bound = max(_COHERENT_PX * unit, _COHERENT_SHARE * float(np.median(motion)))
    affine, inside = cv2.estimateAffine2D(before, after, None, cv2.RANSAC, bound, _AFFINE_TRIES, _AFFINE_CONFIDENCE)
    if affine is None:
        return None, together
    return affine, inside.ravel() > 0


def read_anchor(state: StateReader) -> Anchor:
    """The anchor of a state that :func:`anchor_state` gave. Raises UserError (``resume-unreadable``)."""
    camera = state.array("anchor_camera", np.float64, 3, 3)
    state.require(bool((camera[[0, 1], [0, 1]] > 0).all()), "anchor_camera has no focal length")
    pixel = state.array("anchor_last_pixel", np.float64, "corners", 2, most=None)
    found = state.array("anchor_last_found", np.bool_, "corners")
    state.require(bool((np.abs(pixel[found]) < MOST).all()), "anchor_last_pixel is outside the frame")
    picture = state.array("anchor_picture", np.uint8, "height", "width")
    corner = state.array("anchor_pixel", np.float64, "corners", 2)
    inside = (corner >= 0) & (corner <= (picture.shape[1] - 1, picture.shape[0] - 1))
    state.require(bool(inside.all()), "anchor_pixel is outside the frame")
    return Anchor(
        picture,
        camera,
        state.pose("anchor_world_from_anchor"),
        corner,
        state.array("anchor_kept", np.bool_, "corners"),
        state.array("anchor_last_grey", np.uint8, "height", "width"),
        pixel,
        found,
    )


def anchor_state(anchor: Anchor) -> dict[str, np.ndarray]:
    """The anchor as plain arrays."""
    return {f"anchor_{name}": np.array(value) for name, value in vars(anchor).items()}


def _look_from(anchor: Anchor, picture: np.ndarray, free: np.ndarray, guess: np.ndarray) -> Sight:
    height, width = picture.shape
    inside = (guess >= 0).all(axis=-1) & (guess <= (width - 1, height - 1)).all(axis=-1)
    expected = anchor.kept & inside & free[nearest(guess, free)]
    if not len(guess):
        return Sight(guess, expected, 0)
    pixel, found = follow(anchor.picture, picture, anchor.pixel, guess, FINE_LEVELS)
    return Sight(pixel, found & anchor.kept & free[nearest(pixel, free)], int(expected.sum()))
