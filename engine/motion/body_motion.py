# SPDX-License-Identifier: GPL-3.0-or-later
"""One person's motion, the thing that clean-up, retargeting and export work on."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..contract.body_model import joint_transforms
from ..contract.rotations import continuous_quaternions, quaternion_to_matrix
from ..contract.skeleton import JOINT_COUNT, PELVIS

GAP_FACTOR = 2.5
"""Neighbouring frames that are further apart than so many typical steps have a gap between them."""


@dataclass(frozen=True)
class BodyMotion:
    """T frames of one person with a constant shape, in any right-handed world whose unit is the meter."""

    time_s: np.ndarray
    """(T,) rising times in seconds."""
    rotations: np.ndarray
    """(T, 55, 4) quaternions wxyz relative to the parent joint, the pelvis's relative to the world; continuous."""
    pelvis: np.ndarray
    """(T, 3) where the pelvis joint is, world."""
    rest_joints: np.ndarray
    """(55, 3) joints at rest, meters."""

    @classmethod
    def make(cls, time_s: np.ndarray, rotations: np.ndarray, pelvis: np.ndarray, rest_joints: np.ndarray) -> BodyMotion:
        """A motion out of arrays of any float type; signs of quaternions are made continuous.

        Raises ValueError for shapes that do not fit or times that do not rise.
        """
        time_s, pelvis = np.asarray(time_s, dtype=np.float64), np.asarray(pelvis, dtype=np.float64)
        rotations, rest = np.asarray(rotations, dtype=np.float64), np.asarray(rest_joints, dtype=np.float64)
        count = len(time_s)
        if rotations.shape != (count, JOINT_COUNT, 4) or pelvis.shape != (count, 3) or rest.shape != (JOINT_COUNT, 3):
            raise ValueError(f"shapes do not fit: {time_s.shape}, {rotations.shape}, {pelvis.shape}, {rest.shape}")
        if count > 1 and not (np.diff(time_s) > 0).all():
            raise ValueError("the times do not rise")
        return cls(time_s, continuous_quaternions(rotations), pelvis, rest)

    def __len__(self) -> int:
        return len(self.time_s)

    @property
    def step_s(self) -> float:
        """Typical time between neighbouring frames, seconds; 1 / 30 for a single frame."""
        return float(np.median(np.diff(self.time_s))) if len(self) > 1 else 1 / 30

    def transforms(self) -> np.ndarray:
        """(T, 55, 4, 4) world pose of each joint."""
        transforms = joint_transforms(quaternion_to_matrix(self.rotations), self.rest_joints)
        transforms[..., :3, 3] += (self.pelvis - self.rest_joints[PELVIS])[:, None]
        return transforms

    def joints(self) -> np.ndarray:
        """(T, 55, 3) world positions of the joints, meters; found out once, not to be written to."""
        return self._joints

    @cached_property
    def _joints(self) -> np.ndarray:
        joints = self.transforms()[..., :3, 3].copy()
        joints.flags.writeable = False
        return joints

    def moved(self, by: np.ndarray) -> BodyMotion:
        """The same motion elsewhere: (T, 3) meters, world, in each frame."""
        motion = replace(self, pelvis=self.pelvis + by)
        if "_joints" in self.__dict__:
            motion.__dict__["_joints"] = self._joints + by[:, None]
        return motion

    def stretches(self) -> list[slice]:
        """The frames without gaps between them, in order."""
        cuts = np.flatnonzero(np.diff(self.time_s) > GAP_FACTOR * self.step_s) + 1
        edges = [0, *cuts.tolist(), len(self)]
        return [slice(first, last) for first, last in itertools.pairwise(edges) if last > first]

    def part(self, frames: slice) -> BodyMotion:
        """Some frames of it."""
        motion = replace(self, time_s=self.time_s[frames], rotations=self.rotations[frames], pelvis=self.pelvis[frames])
        if "_joints" in self.__dict__:
            motion.__dict__["_joints"] = self._joints[frames]
        return motion


def joined(parts: list[BodyMotion]) -> BodyMotion:
    """The frames of several parts of a motion in the order of their times, the inverse of cutting it into them."""
    order = np.argsort(np.concatenate([part.time_s for part in parts]), kind="stable")

    def whole(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])[order]

    return BodyMotion.make(whole("time_s"), whole("rotations"), whole("pelvis"), parts[0].rest_joints)
