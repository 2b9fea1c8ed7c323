# SPDX-License-Identifier: GPL-3.0-or-later
"""What is believed of a body's pose before it is seen: about which pose each joint swings, how far, which way it bends.

A standard deviation is per axis of the joint's parent, radians. They are wide: landmarks decide wherever they are seen;
the prior settles what they do not tell (twists, how a bend is shared along the spine).
"""

from __future__ import annotations

import numpy as np

from ..contract.skeleton import (
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
    SPINE1: (0.11, 0.11, 0.11), SPINE2: (0.11, 0.11, 0.11), SPINE3: (0.11, 0.11, 0.11),
    NECK: (0.4, 0.4, 0.4), HEAD: (0.45, 0.45, 0.45),
    LEFT_COLLAR: (0.2, 0.2, 0.2), RIGHT_COLLAR: (0.2, 0.2, 0.2),
    LEFT_SHOULDER: (1.3, 1.3, 1.3), RIGHT_SHOULDER: (1.3, 1.3, 1.3),
    LEFT_ELBOW: (0.5, 2.7, 0.5), RIGHT_ELBOW: (0.5, 2.7, 0.5),
    LEFT_WRIST: (0.5, 0.5, 0.5), RIGHT_WRIST: (0.5, 0.5, 0.5),
    LEFT_HIP: (1.2, 0.45, 0.6), RIGHT_HIP: (1.2, 0.45, 0.6),
    LEFT_KNEE: (2.7, 0.27, 0.2), RIGHT_KNEE: (2.7, 0.27, 0.2),
    LEFT_ANKLE: (0.45, 0.45, 0.45), RIGHT_ANKLE: (0.45, 0.45, 0.45),
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
