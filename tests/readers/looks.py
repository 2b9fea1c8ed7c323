# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reader sees in a file, and how it is compared with what Blender showed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.contract.skeleton import JOINT_COUNT, JOINT_NAMES

SEEN_VERTICES = 97
"""Every so many-th vertex is looked for."""
Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""From axes with y up."""


@dataclass
class Seen:
    """The people of a file, in meters, z up, in the reader's own order."""

    key_times: np.ndarray
    """All moments, in seconds, at which anything in the file has keys; rising."""
    joints: np.ndarray
    """(P, T, 55, 3) at the moments that were asked for."""
    surfaces: list[np.ndarray] | None = None
    """P times (K, V, 3), at some of the moments; None where the format has no surfaces."""


Reader = Callable[[str, np.ndarray, np.ndarray], Seen]
"""Reads a file at (T,) moments in seconds; (K,) rows of these are those of the surfaces."""


@dataclass
class Truth:
    """What Blender showed."""

    times: np.ndarray
    joints: np.ndarray
    rows: np.ndarray
    vertices: np.ndarray

    @classmethod
    def load(cls, path):
        with np.load(path) as file:
            return cls(*(file[name] for name in ("times", "joints", "rows", "vertices")))


def joint_of(name):
    """The number of the joint that a bone's or node's name ends in, whatever stands before it; None without."""
    found = [joint for joint in JOINT_NAMES if name == joint or name.endswith(("_" + joint, ":" + joint, "." + joint))]
    return JOINT_NAMES.index(max(found, key=len)) if found else None


def in_order(places):
    """(T, 55, 3) of {name: (T, 3)}; every joint has to be there once."""
    rows = {}
    for name, values in places.items():
        joint = joint_of(name)
        if joint is not None:
            assert joint not in rows, f"{JOINT_NAMES[joint]} is there twice"
            rows[joint] = values
    assert sorted(rows) == list(range(JOINT_COUNT)), f"missing: {set(range(JOINT_COUNT)) - set(rows)}"
    return np.stack([rows[joint] for joint in range(JOINT_COUNT)], axis=1)


@dataclass
class Deviation:
    """How far a file is from what Blender showed."""

    time_s: float
    """The largest distance of a key from the nearest frame, and of first and last frame from first and last key."""
    joints_m: float
    surfaces_m: float


def deviation(truth, seen):
    """Compare the people of a file, or of several files together, with all people of the scene."""
    whose = [int(np.abs(truth.joints[:, 0] - person[0]).max(axis=(1, 2)).argmin()) for person in seen.joints]
    assert sorted(whose) == list(range(len(truth.joints))), f"the file's people are the scene's {whose}"
    keys = seen.key_times
    off = np.abs(keys[:, None] - truth.times).min(axis=1).max()
    ends = max(abs(keys[0] - truth.times[0]), abs(keys[-1] - truth.times[-1]))
    joints = max(
        np.linalg.norm(own - truth.joints[who], axis=-1).max() for who, own in zip(whose, seen.joints, strict=True)
    )
    surfaces = 0.0
    assert seen.surfaces is None or len(seen.surfaces) == len(whose)
    for who, person in zip(whose, seen.surfaces or [], strict=False):
        for found, wanted in zip(person, truth.vertices[who], strict=True):
            surfaces = max(surfaces, farthest(wanted[::SEEN_VERTICES], found), farthest(found[::SEEN_VERTICES], wanted))
    return Deviation(float(max(off, ends)), float(joints), float(surfaces))


def farthest(points, others):
    """The largest distance of (N, 3) points from the nearest of (V, 3) others."""
    return max(float(np.linalg.norm(others - point, axis=-1).min()) for point in points)


def together(seen):
    """Several files as one."""
    parts = list(seen)
    surfaces = [surface for part in parts for surface in part.surfaces or []]
    keys = np.unique(np.concatenate([part.key_times for part in parts]))
    return Seen(keys, np.concatenate([part.joints for part in parts]), surfaces or None)
