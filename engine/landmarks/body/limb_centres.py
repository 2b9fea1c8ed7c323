# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves the landmarks of arms and legs to the middle of the limbs as the mask shows them.

The network's landmarks often lie at the edge of a limb, elbows and knees above all, while its mask is right. Across a
limb the mask tells where its middle is, along it nothing: a landmark only moves across. m rows, 4 limbs of two bones.
"""

from __future__ import annotations

import numpy as np

from ..observations import BodyLandmarks
from .mask_view import INSIDE_MASK, MASK_SIZE, MaskView

LIMBS = np.array([(11, 13, 15), (12, 14, 16), (23, 25, 27), (24, 26, 28)])
"""(4, 3) landmarks of the limbs, from the torso outwards."""

PLACES = np.array([0.55, 0.7, 0.85, 1.2, 1.5, 1.8])
"""Where the limb's middle is looked for, in bones from the torso: the first half of the first bone lies in the torso's
outline."""

WIDEST = np.array([0.27, 0.27, 0.44, 0.44, 0.22, 0.22, 0.31, 0.31]).reshape(2, 4)
"""Of upper and lower bones of each limb: widths in lengths of the torso beyond which an outline has taken in something
else. Loose sleeves and trousers are narrower."""

SHORTEST = 0.8
"""A bone has a direction in the picture where it is at least this long, in the widest width of its limb."""

LANDMARK_DEVIATION = 0.012
"""Error of a limb's landmarks, as a share of the crop's side."""

MIDDLE_DEVIATION = 0.010
"""Error of the middle that the mask tells, as a share of the crop's side."""

LEAST_VISIBILITY = 0.3
"""Of both ends of a bone: behind something else the mask shows that."""

_STEPS = np.arange(-MASK_SIZE // 6, MASK_SIZE // 6 + 1)
"""Pixels of the mask across a limb that are looked at."""


def centred(landmarks: BodyLandmarks) -> np.ndarray:
    """(m, 39, 2) the landmarks' pixels, those of limbs moved to the limbs' middle; hands and feet follow.

    Landmarks without masks (of no size, as a clip's observations have them) stay where they are: they were moved when
    the masks were there.
    """
    if not landmarks.mask.shape[-1]:
        return landmarks.point_px
    view = MaskView(landmarks.crop)
    places = view.places(landmarks.point_px)
    points = places[:, LIMBS]
    across, middle, known = _middles(landmarks, places, points)
    shift = _shifts(points, across, middle, known)
    whole = np.zeros(places.shape)
    whole[:, LIMBS] = shift
    for end, followers in _FOLLOWERS.items():
        whole[:, followers] = whole[:, [end]]
    # What does not move stays exactly as it was.
    return landmarks.point_px + view.directions(whole) / view.scale[:, None, None]


def _middles(
    landmarks: BodyLandmarks, places: np.ndarray, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of 6 places along 4 limbs: (m, 4, 6, 2) directions across, (m, 4, 6) where the middle is, (m, 4, 6) known."""
    bone = PLACES.astype(int)
    along = np.diff(points, axis=2)
    length = np.linalg.norm(along, axis=-1)
    across = np.stack([-along[..., 1], along[..., 0]], axis=-1) / np.maximum(length, 1e-9)[..., None]
    torso = np.linalg.norm(places[:, [11, 12]].mean(axis=1) - places[:, [23, 24]].mean(axis=1), axis=-1)
    widest = WIDEST.T * torso[:, None, None]
    centre = points[:, :, bone] + (PLACES - bone)[:, None] * along[:, :, bone]
    start, end = _runs(landmarks.mask, centre, across[:, :, bone])
    known = np.isfinite(start) & (end - start < widest[:, :, bone]) & (length > SHORTEST * widest)[:, :, bone]
    visible = landmarks.visibility[:, LIMBS] >= LEAST_VISIBILITY
    known &= (visible[..., :-1] & visible[..., 1:])[:, :, bone]
    return across[:, :, bone], np.where(known, 0.5 * (start + end), 0.0), known


def _runs(mask: np.ndarray, centre: np.ndarray, across: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the person begins and ends along the lines across: (m, 4, 6) pixels from the centre; NaN if not there.

    Of several stretches the one at the centre counts, or else the nearest.
    """
    places = np.floor(centre[..., None, :] + _STEPS[:, None] * across[..., None, :]).astype(int)
    x, y = np.moveaxis(places.clip(0, MASK_SIZE - 1), -1, 0)
    rows = np.arange(len(mask)).reshape(-1, 1, 1, 1)
    person = mask[rows, y, x] >= INSIDE_MASK
    distance = np.where(person, np.abs(_STEPS), MASK_SIZE)
    first = distance.argmin(axis=-1)[..., None]
    index = np.arange(len(_STEPS))
    before = np.where(~person & (index <= first), index, -1).max(axis=-1)
    after = np.where(~person & (index >= first), index, len(_STEPS)).min(axis=-1)
    there = np.take_along_axis(person, first, axis=-1)[..., 0] & (before >= 0) & (after < len(_STEPS))
    start, end = before + 0.5 + _STEPS[0], after - 0.5 + _STEPS[0]
    return np.where(there, start, np.nan), np.where(there, end, np.nan)


def _shifts(points: np.ndarray, across: np.ndarray, middle: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(m, 4, 3, 2) most likely errors of the limbs' landmarks, in pixels of the mask."""
    bone = PLACES.astype(int)
    share = np.zeros((len(PLACES), 3))
    share[np.arange(len(PLACES)), bone] = 1 + bone - PLACES
    share[np.arange(len(PLACES)), bone + 1] = PLACES - bone
    slopes = (share[:, :, None] * across[..., None, :]).reshape(*across.shape[:3], 6)
    weighted = slopes * (known / (MIDDLE_DEVIATION * MASK_SIZE) ** 2)[..., None]
    normal = slopes.swapaxes(-1, -2) @ weighted
    normal += np.eye(6) / (LANDMARK_DEVIATION * MASK_SIZE) ** 2
    aims = weighted.swapaxes(-1, -2) @ middle[..., None]
    return np.linalg.solve(normal, aims)[..., 0].reshape(points.shape)


_FOLLOWERS = {15: [17, 19, 21], 16: [18, 20, 22], 27: [29, 31], 28: [30, 32]}
