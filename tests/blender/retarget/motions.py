# SPDX-License-Identifier: GPL-3.0-or-later
"""A made-up motion on the SMPL-X skeleton whose planted feet stand perfectly still: wave, crouch, walk."""

from dataclasses import dataclass

import numpy as np
from bl_ext.user_default.human3r_blender.engine.contract import rotations
from bl_ext.user_default.human3r_blender.engine.contract.body_model import (
    BodyModel,
    default_body_path,
    joint_transforms,
)
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_INDEX, PELVIS

SIDES = ("left", "right")


class Motion:
    """T frames in the body frame (y up, z to the front)."""

    def __init__(self, rest, frames=60, seed=0):
        self.rest, count = rest, frames
        random = np.random.default_rng(seed)
        t = np.linspace(0, 1, count)
        axis_angle = np.zeros((count, 55, 3))

        def turn(joint, axis, values):
            axis_angle[:, JOINT_INDEX[joint], axis] += values

        wave, crouch, walk = t < 0.3, (t >= 0.3) & (t < 0.5), t >= 0.5
        depth = np.where(crouch, np.sin(np.clip((t - 0.3) / 0.2, 0, 1) * np.pi) ** 2, 0)
        stride = np.where(walk, (t - 0.5) * 2, 0) * 4 * np.pi
        going = np.where(walk, np.minimum(1, (t - 0.5) * 12), 0)
        for sign, side in ((1, "left"), (-1, "right")):
            turn(f"{side}_shoulder", 2, sign * (-1.2 + 1.0 * depth))  # arms down, out in the crouch
            turn(f"{side}_elbow", 1, -sign * (0.35 + 0.5 * depth))
            swing = sign * np.sin(stride) * going
            lift = np.maximum(0, np.cos(stride + (0 if sign > 0 else np.pi))) * going
            turn(f"{side}_hip", 0, -0.45 * swing - 0.9 * depth - 0.4 * lift)
            turn(f"{side}_knee", 0, 0.08 + 1.6 * depth + 0.9 * lift)
            turn(f"{side}_ankle", 0, 0.45 * swing - 0.08 - 0.7 * depth - 0.5 * lift)
            turn(f"{side}_shoulder", 1, 0.5 * swing)
            for finger in ("index", "middle", "ring", "pinky"):
                for segment in (1, 2, 3):
                    turn(f"{side}_{finger}{segment}", 2, -sign * (0.35 + 0.3 * np.sin(9 * t + segment)))
            turn(f"{side}_thumb2", 1, sign * 0.3)
        up = np.where(wave, np.sin(np.clip(t / 0.3, 0, 1) * np.pi), 0)
        turn("right_shoulder", 2, -2.2 * up)
        turn("right_elbow", 1, 1.0 * up + 0.6 * up * np.sin(40 * t))
        for joint in (
            "spine1",
            "spine2",
            "spine3",
            "neck",
            "head",
            "left_collar",
            "right_collar",
            "left_wrist",
            "right_wrist",
        ):
            for axis in range(3):
                turn(joint, axis, 0.08 * np.sin(6 * t * (1 + axis) + random.uniform(0, 6)))
        turn("spine1", 0, 0.5 * depth)
        turn("pelvis", 1, np.where(walk, 0.8 * (t - 0.5) * 2, 0))
        turn("pelvis", 0, 0.15 * depth)
        self.quaternions = rotations.continuous_quaternions(rotations.axis_angle_to_quaternion(axis_angle))
        transforms = joint_transforms(rotations.axis_angle_to_matrix(axis_angle), rest)
        balls = transforms[..., :3, 3][:, [JOINT_INDEX[f"{side}_foot"] for side in SIDES]]
        # The foot that is lower carries the body: the pelvis goes where that foot stays in its place.
        self.standing = np.argmin(balls[..., 1], axis=1)
        start, place = balls[0].copy(), np.zeros((count, 3))
        carrying = self.standing[0]
        held = start[carrying]
        for row in range(count):
            if self.standing[row] != carrying:
                carrying = self.standing[row]
                held = balls[row, carrying] + place[row - 1]
                held[1] = start[:, 1].min()
            place[row] = held - balls[row, carrying]
        self.pelvis = place  # from its rest position
        self.transforms = transforms
        self.transforms[..., :3, 3] += place[:, None]

    def joints(self):
        """(T, 55, 3) positions, body frame."""
        return self.transforms[..., :3, 3]

    def turns(self):
        """(T, 55, 3, 3) rotations from rest, body frame."""
        return self.transforms[..., :3, :3]


@dataclass
class Recorded:
    """A motion that lies in a file, body frame (y up, z to the front)."""

    rest: np.ndarray
    pelvis: np.ndarray
    """(T, 3) from its rest position."""
    quaternions: np.ndarray


def demo(truth_file, number):
    """What is true of a person of the demo, whose world has y down."""
    with np.load(truth_file) as truth:
        poses, betas = truth["people.pose_axis_angle"][:, number].astype(float), truth["people.betas"][number]
        places, cameras = truth["people.translation"][:, number].astype(float), truth["world_from_camera"]
    rest = BodyModel.load(default_body_path()).rest_joints(betas.astype(float))
    y_up = np.diag([1.0, -1.0, -1.0])
    matrices = rotations.axis_angle_to_matrix(poses)
    matrices[:, PELVIS] = y_up @ cameras[:, :3, :3] @ matrices[:, PELVIS]
    # the translation moves the body after its turn about the pelvis
    pelvis = np.einsum("tij,tj->ti", cameras[:, :3, :3], rest[PELVIS] + places) + cameras[:, :3, 3]
    quaternions = rotations.continuous_quaternions(rotations.matrix_to_quaternion(matrices))
    return Recorded(rest, pelvis @ y_up - rest[PELVIS], quaternions)


assert PELVIS == 0
