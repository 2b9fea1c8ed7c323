# SPDX-License-Identifier: GPL-3.0-or-later
"""Joint regressor of the mannequin: joints as weighted means of nearby vertices, right for every shape."""

from __future__ import annotations

import numpy as np

from ...contract.skeleton import JOINT_COUNT, LEFT_EYE, MIRRORED, RIGHT_EYE

_NEAREST = 300
"""Vertices that a joint is averaged from (with their mirror images for a joint of the middle)."""

_EXACT, _CLOSE = 1e5, 1e3
"""How much the joint of the template and the joints of other shapes count against an uneven mean."""


def joint_regressor(
    vertices: np.ndarray,
    shape_directions: np.ndarray,
    joints: np.ndarray,
    joint_directions: np.ndarray,
    weights: np.ndarray,
    may_be_used: np.ndarray,
    mirror: np.ndarray,
) -> np.ndarray:
    """(55, N) rows summing to one with `row @ vertices` the joint: exactly for the template, closely for every shape.

    `vertices` (N, 3), `shape_directions` (N, 3, K), `joints` (55, 3), `joint_directions` (55, 3, K), `weights`
    (N, 55) the skinning weights; `may_be_used` (N,) leaves out the skin that expressions move; `mirror` (N,) is the
    vertex on the other side.
    Each row is a bell-shaped mean changed as little as these conditions allow (ridge regression).
    """
    rows = np.zeros((JOINT_COUNT, len(vertices)))
    for joint in range(JOINT_COUNT):
        own = weights[:, joint] > 0.02
        if joint in (LEFT_EYE, RIGHT_EYE):
            rows[joint, weights[:, joint] == 1.0] = 1.0
            rows[joint] /= rows[joint].sum()
            continue
        near = _nearest(vertices, joints[joint], own & may_be_used, mirror if MIRRORED[joint] == joint else None)
        gap = np.linalg.norm(vertices[near] - joints[joint], axis=1)
        bell = np.exp(-((gap / gap.max()) ** 2) * 4)
        bell /= bell.sum()
        places = (vertices[near] - joints[joint]).T
        shapes = (shape_directions[near] - joint_directions[joint]).reshape(len(near), -1).T
        conditions = np.concatenate([0.1 * _EXACT * np.ones((1, len(near))), _EXACT * places, _CLOSE * shapes])
        wanted = np.zeros(len(conditions))
        wanted[0] = 0.1 * _EXACT
        scaled = conditions * np.sqrt(bell)
        correction = scaled.T @ np.linalg.solve(scaled @ scaled.T + np.eye(len(wanted)), wanted - conditions @ bell)
        rows[joint, near] = bell + np.sqrt(bell) * correction
    for joint in range(JOINT_COUNT):
        if MIRRORED[joint] > joint:
            rows[MIRRORED[joint]] = rows[joint][mirror]
    return rows


def _nearest(vertices: np.ndarray, joint: np.ndarray, allowed: np.ndarray, mirror: np.ndarray | None) -> np.ndarray:
    """The nearest allowed vertices, with their mirror images for a joint of the middle."""
    gap = np.where(allowed, np.linalg.norm(vertices - joint, axis=1), np.inf)
    order = np.argsort(gap, kind="stable")[: min(_NEAREST, int(allowed.sum()))]
    return np.unique(np.concatenate([order, mirror[order]])) if mirror is not None else np.sort(order)
