# SPDX-License-Identifier: GPL-3.0-or-later
"""What is believed of a body's pose before it is seen: about which pose each joint swings, how far, which way it bends.

A standard deviation is per axis of the joint's parent, radians. They are wide: landmarks decide wherever they are seen;
the prior settles what they do not tell (twists, how a bend is shared along the spine).
"""

from __future__ import annotations

import numpy as np

from ...contract.skeleton import (
    HEAD,
    LEFT_ANKLE,
    LEFT_COLLAR,
    LEFT_ELBOW,
    LEFT_HIP,
    LEFT_KNEE,
    LEFT_SHOULDER,
    LEFT_WRIST,
    NECK,
    PELVIS,
    RIGHT_ANKLE,
    RIGHT_COLLAR,
    RIGHT_ELBOW,
    RIGHT_HIP,
    RIGHT_KNEE,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
    SPINE1,
    SPINE2,
    SPINE3,
)  # fmt: skip

TURNED = (
    PELVIS, LEFT_HIP, RIGHT_HIP, SPINE1, LEFT_KNEE, RIGHT_KNEE, SPINE2, LEFT_ANKLE, RIGHT_ANKLE, SPINE3, NECK,
    LEFT_COLLAR, RIGHT_COLLAR, HEAD, LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_ELBOW, RIGHT_ELBOW, LEFT_WRIST, RIGHT_WRIST,
)  # fmt: skip
"""The joints that the fit turns, 20: the body's without the toes, of which nothing is seen."""

_DEVIATIONS: dict[int, tuple[float, float, float]] = {
    SPINE1: (0.13, 0.09, 0.09), SPINE2: (0.13, 0.09, 0.09), SPINE3: (0.13, 0.09, 0.09),
    NECK: (0.33, 0.33, 0.33), HEAD: (0.37, 0.37, 0.37),
    LEFT_COLLAR: (0.17, 0.17, 0.17), RIGHT_COLLAR: (0.17, 0.17, 0.17),
    LEFT_SHOULDER: (1.1, 1.1, 1.1), RIGHT_SHOULDER: (1.1, 1.1, 1.1),
    LEFT_ELBOW: (0.42, 2.2, 0.42), RIGHT_ELBOW: (0.42, 2.2, 0.42),
    LEFT_WRIST: (0.42, 0.42, 0.42), RIGHT_WRIST: (0.42, 0.42, 0.42),
    LEFT_HIP: (1.0, 0.38, 0.5), RIGHT_HIP: (1.0, 0.38, 0.5),
    LEFT_KNEE: (2.2, 0.22, 0.17), RIGHT_KNEE: (2.2, 0.22, 0.17),
    LEFT_ANKLE: (0.38, 0.38, 0.38), RIGHT_ANKLE: (0.38, 0.38, 0.38),
}  # fmt: skip
"""Of each joint, about x, y and z. The pelvis turns freely."""

_MIDDLE: dict[int, tuple[float, float, float]] = {
    LEFT_SHOULDER: (0.0, 0.0, -1.0), RIGHT_SHOULDER: (0.0, 0.0, 1.0),
    LEFT_COLLAR: (0.0, 0.0, -0.05), RIGHT_COLLAR: (0.0, 0.0, 0.05),
}  # fmt: skip
"""Axis-angle vectors of the joints that do not swing about the rest pose: the arms hang down."""

HINGES = ((LEFT_KNEE, 0, 1.0), (RIGHT_KNEE, 0, 1.0), (LEFT_ELBOW, 1, -1.0), (RIGHT_ELBOW, 1, 1.0))
"""Joints that bend one way: joint, axis, sign of the bend."""

HINGE_DEVIATION = 0.125
"""How far a hinge is bent the wrong way before that costs as much as a standard deviation, radians."""


def prior_weights() -> np.ndarray:
    """(20, 3) one over the standard deviation of each turned joint about each axis, 0 for the pelvis."""
    return np.array([1.0 / np.array(_DEVIATIONS[joint]) if joint in _DEVIATIONS else np.zeros(3) for joint in TURNED])


def prior_middle() -> np.ndarray:
    """(20, 3) axis-angle vector of the middle pose of each turned joint."""
    return np.array([_MIDDLE.get(joint, (0.0, 0.0, 0.0)) for joint in TURNED])
