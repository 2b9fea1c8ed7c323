# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion with known joints, in the layouts of many programs; and where Blender shows the people made of it."""

import functools
from dataclasses import dataclass

import bpy
import numpy as np
from bl_ext.user_default.human3r_blender.engine.contract.body_model import BodyModel, default_body_path
from bl_ext.user_default.human3r_blender.engine.contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_NAMES

MILLIMETER = 0.001
RATE = 30.0
Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""From a world with y up."""
SMPL_PELVIS = np.array([0.0, -0.23, 0.03])
"""Where `trans` has the pelvis of SMPL and SMPL-H, as the pages say."""


@functools.cache
def body() -> BodyModel:
    return BodyModel.load(default_body_path())


@dataclass(frozen=True)
class Known:
    """A walk along x and a turn, with moving joints; y up as SMPL-X's body is."""

    poses: np.ndarray
    """(N, 55, 3)"""
    trans: np.ndarray
    betas: np.ndarray

    @classmethod
    def make(cls, frames=24, seed=3, face=True, hands=True):
        rng = np.random.default_rng(seed)
        phase = np.linspace(0.0, 2.0, frames)[:, None, None]
        poses = 0.25 * np.sin(phase + rng.uniform(0, 6, (1, 55, 3)))
        poses[:, 0] = phase[:, 0] * [0.0, 0.7, 0.0]
        if not hands:
            poses[:, 25:] = 0.0
        if not face:
            poses[:, 22:25] = 0.0
        trans = np.concatenate([phase[:, 0], 1.3 + 0 * phase[:, 0], 0.2 * phase[:, 0]], axis=1)
        return cls(poses, trans, rng.normal(0, 1, 10))

    def turned(self, turn):
        """The same in another world; `trans` keeps the pelvis where it belongs."""
        poses, pelvis = self.poses.copy(), body().rest_joints(self.betas)[0]
        poses[:, 0] = matrix_to_axis_angle(turn @ axis_angle_to_matrix(poses[:, 0]))
        return Known(poses, (self.trans + pelvis) @ turn.T - pelvis, self.betas)

    def joints(self, pelvis_at_rest=None, betas=None):
        """(N, 55, 3) by the body model, z up, of a motion with y up."""
        shape = np.tile(self.betas if betas is None else betas, (len(self.poses), 1))
        trans = self.trans
        if pelvis_at_rest is not None:
            trans = trans + pelvis_at_rest - body().rest_joints(shape[0])[0]
        return body().posed_joints(axis_angle_to_matrix(self.poses), shape, None, trans) @ Z_UP.T

    def of(self, *joints):
        """(N, 3 J) axis-angle of some joints."""
        return self.poses[:, list(joints)].reshape(len(self.poses), -1)


def shown(item):
    """(55, 3) where Blender shows the joints of an armature now."""
    seen = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([seen.matrix_world @ seen.pose.bones[name].head for name in JOINT_NAMES])


def shown_at(item, frame):
    whole = int(np.floor(frame))
    bpy.context.scene.frame_set(whole, subframe=float(frame - whole))
    return shown(item)


def away(item, expected, frames):
    """How far joints are from where they should be, meters, in some frames of a motion at the scene's rate."""
    return max(np.linalg.norm(shown_at(item, 1 + frame) - expected[frame], axis=-1).max() for frame in frames)
