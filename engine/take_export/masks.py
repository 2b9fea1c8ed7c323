# SPDX-License-Identifier: GPL-3.0-or-later
"""Where people are in the footage's frames, everyone together and each person alone.

A take has one mask of all people for each frame. It falls into patches; a patch belongs to whoever's bones lie in it.
People who touch or cover each other in the frame share a patch, and it is in the mask of each of them: the take does
not say where one ends and the other begins.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from ..contract.messages import Frame, unpack_mask
from ..contract.skeleton import PARENTS

_ON_A_BONE = np.linspace(0.0, 1.0, 5)
"""Where on a bone it is looked which patch it lies in."""
_NEAREST_M = 0.01
"""Nearer to the camera nothing is seen."""
_PART = 0.25
"""Who has less than this share of the bones that the foremost person has in a patch only reaches into it."""


def people_of_footage(mask: np.ndarray, frame: Frame, size: tuple[int, int]) -> np.ndarray:
    """(height, width) uint8, 255 for people, of footage of a size (width, height), from an (h, w) bool mask in the
    place of the frame's own."""
    left, top, right, bottom = frame.mask_box_px
    cell = np.array([right - left, bottom - top]) / frame.mask_size
    start = (0.0 - np.array([left, top])) / cell - 0.5
    to_mask = np.array([[1 / cell[0], 0.0, start[0]], [0.0, 1 / cell[1], start[1]]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    share = cv2.warpAffine(mask.astype(np.float32), to_mask, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    seen = np.outer(_inside(size[1], top, bottom), _inside(size[0], left, right))
    return np.where(seen & (share > 0.5), 255, 0).astype(np.uint8)


def patches_of_people(frame: Frame, joints: np.ndarray) -> tuple[Mapping[int, np.ndarray], bool]:
    """By track id the (h, w) bool part of the frame's mask that shows the person, and whether people share a patch.

    `joints` are the (n, 55, 3) of the frame's people, camera frame.
    """
    _, patches = cv2.connectedComponents(unpack_mask(frame).astype(np.uint8), connectivity=8)
    bones = np.stack([_bones_by_patch(frame, one, patches) for one in joints]) if len(joints) else np.zeros((0, 1))
    bones[:, 0] = 0  # which is no patch, but what lies between them
    has = (bones > 0) & (bones >= _PART * bones.max(axis=0, initial=0))
    shown = {int(track): has[row][patches] for row, track in enumerate(frame.track_id)}
    return shown, bool((has.sum(axis=0) > 1).any())


def _bones_by_patch(frame: Frame, joints: np.ndarray, patches: np.ndarray) -> np.ndarray:
    """(patches + 1,) how much of a person's bones, in meters, lies in each patch of the (h, w) numbered mask."""
    count = int(patches.max(initial=0)) + 1
    child, parent = joints[1:], joints[list(PARENTS[1:])]
    length = np.repeat(np.linalg.norm(parent - child, axis=-1) / len(_ON_A_BONE), len(_ON_A_BONE))
    places = (child[:, None] + (parent - child)[:, None] * _ON_A_BONE[:, None]).reshape(-1, 3)
    before = places[:, 2] > _NEAREST_M
    places, length = places[before], length[before]
    pixel = frame.focal_px * places[:, :2] / places[:, 2:] + frame.principal_point_px
    left, top, right, bottom = frame.mask_box_px
    cell = np.array([right - left, bottom - top]) / frame.mask_size
    place = (pixel - (left, top)) / cell
    inside = ((place >= 0) & (place < frame.mask_size)).all(axis=1)
    columns, rows = place[inside].astype(np.int64).T
    return np.bincount(patches[rows, columns], weights=length[inside], minlength=count)


def _inside(count: int, first: float, last: float) -> np.ndarray:
    """(count,) bool: pixels whose centers lie between two edges."""
    centers = np.arange(count)
    return (centers >= first) & (centers <= last)
