# SPDX-License-Identifier: GPL-3.0-or-later
"""Smoothing while a motion is still arriving: only the past is known, so that fast limbs are followed at once.

The 1-euro filter (Casiez et al., 2012) over quaternions, limb by limb: the faster a limb turns, the higher the cutoff.
Several of them follow each other. Each lets more through than one alone would have to, so fast movement is kept as
well, but what trembles is cut off far more steeply.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from ..contract.rotations import quaternion_conjugate, quaternion_multiply, quaternion_to_axis_angle
from ..contract.skeleton import JOINT_COUNT
from .smoothing import LIMBS

_CALM_HZ = (8.0, 1.2)
"""Cutoff of a limb at rest at the smallest and at full strength."""
_SPEED_HZ = 7.0
"""What a limb's speed in radians a second adds to its cutoff; three times as much per meter a second of the pelvis."""
_SPEED_CUTOFF_HZ = 4.0
_LONGEST_STEP_S = 0.5
"""After a longer pause the filter starts anew."""
_FILTERS = 4
"""That follow each other: of 2, 3 and 4, with cutoffs for each, these tremble least for what is kept of a 5 Hz wave."""
_BY_LIMB = np.concatenate([list(limb) for limb in LIMBS.values()])
"""All joints, limb by limb..."""
_FIRST_OF_LIMB = np.cumsum([0, *map(len, LIMBS.values())])[:-1]
"""...where in that list each limb begins..."""
_LIMB_OF = np.repeat(np.arange(len(LIMBS)), [len(limb) for limb in LIMBS.values()])[np.argsort(_BY_LIMB)]
"""...and the limb of each joint."""


class CausalSmoother:
    """One person's filters. Every result depends on the frames before it alone."""

    def __init__(self, strength: float = 0.5) -> None:
        """`strength` 0 (nothing) to 1."""
        self._filters = [_Filter(strength) for _ in range(_FILTERS)]

    def update(self, time_s: float, rotations: np.ndarray, pelvis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The next frame: (55, 4) quaternions wxyz and the pelvis (3,) in meters, both smoothed."""
        for one in self._filters:
            rotations, pelvis = one.update(time_s, rotations, pelvis)
        return rotations, pelvis


class _Filter:
    """One of them, with what it remembers of the frames before."""

    def __init__(self, strength: float) -> None:
        self._strength = strength
        self._calm_hz = _CALM_HZ[0] * (_CALM_HZ[1] / _CALM_HZ[0]) ** strength
        self._time_s: float | None = None

    def update(self, time_s: float, rotations: np.ndarray, pelvis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As that of the smoother."""
        rotations, pelvis = np.array(rotations, dtype=np.float64), np.array(pelvis, dtype=np.float64)
        step = np.inf if self._time_s is None else time_s - self._time_s
        self._time_s = time_s
        if self._strength <= 0 or not 0 < step < _LONGEST_STEP_S:
            self._last, self._rotations, self._pelvis = (rotations, pelvis), rotations, pelvis
            self._turning, self._going = np.zeros((JOINT_COUNT, 3)), np.zeros(3)
            return rotations, pelvis
        rotations = rotations * np.where((rotations * self._rotations).sum(-1, keepdims=True) < 0, -1.0, 1.0)
        before, pelvis_before = self._last
        self._last = rotations, pelvis
        calm = _share(_SPEED_CUTOFF_HZ, step)
        # Velocities are averaged as vectors, in which noise cancels out, not as speeds, in which it adds up.
        turned = quaternion_to_axis_angle(quaternion_multiply(rotations, quaternion_conjugate(before)))
        self._turning += calm * (turned / step - self._turning)
        self._going += calm * ((pelvis - pelvis_before) / step - self._going)
        speed = np.linalg.norm(self._turning, axis=-1)
        fastest = np.maximum.reduceat(speed[_BY_LIMB], _FIRST_OF_LIMB)[_LIMB_OF]
        share = _share(self._calm_hz + _SPEED_HZ * fastest, step)[:, None]
        mixed = self._rotations + share * (rotations - self._rotations)
        smoothed = mixed / np.linalg.norm(mixed, axis=-1, keepdims=True)
        share = _share(self._calm_hz + 3 * _SPEED_HZ * float(np.linalg.norm(self._going)), step)
        pelvis = self._pelvis + share * (pelvis - self._pelvis)
        self._rotations, self._pelvis = smoothed, pelvis
        return smoothed, pelvis


Cutoff = TypeVar("Cutoff", float, np.ndarray)


def _share(cutoff_hz: Cutoff, step_s: float) -> Cutoff:
    """How far a first-order low pass goes towards a new sample."""
    time_constant = 1 / (2 * np.pi * cutoff_hz)
    return step_s / (step_s + time_constant)
