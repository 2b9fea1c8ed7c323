# SPDX-License-Identifier: GPL-3.0-or-later
"""BVH by `bvhio`: one person in a file, in centimeters, y up."""

import bvhio
import numpy as np

from .looks import Z_UP, Seen, in_order


def read(path, times, rows):
    """The person, in all frames of the file."""
    file = bvhio.readAsBvh(str(path))
    found = {}

    def follow(joint, above):
        """`above`: the parent's turn and place in each frame."""
        here = [
            (turn * pose.Rotation, place + turn * pose.Position)
            for pose, (turn, place) in zip(joint.Keyframes, above, strict=True)
        ]
        found[joint.Name] = np.array([place for _, place in here])
        for child in joint.Children:
            follow(child, here)

    start = bvhio.Transform()
    follow(file.Root, [(start.Rotation, start.Position)] * file.FrameCount)
    keys = np.arange(file.FrameCount) * file.FrameTime
    nearest = np.abs(keys[:, None] - times).argmin(axis=0)
    joints = in_order(found)[nearest] @ Z_UP.T / 100
    return Seen(keys, joints[None])
