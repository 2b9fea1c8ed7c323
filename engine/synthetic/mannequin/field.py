# SPDX-License-Identifier: GPL-3.0-or-later
"""All solids of the mannequin put together: which field each part of the mesh is drawn to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import anatomy
from .anatomy import Proportions
from .head import head_solid
from .surface import Ellipsoid, HalfSpace, Loft, Melted, Piece

FINGERS = ("index", "middle", "ring", "pinky", "thumb")
TOES = tuple(anatomy.TOES)


@dataclass(frozen=True)
class Anatomy:
    """Everything about one set of proportions that the mesh is fitted to."""

    proportions: Proportions
    joints: dict[str, np.ndarray]
    """Joints and fingertips of the left side and the middle."""
    lofts: dict[str, Loft]
    """The loft of each part of the lattice that is a tube."""
    body: Melted
    """Everything."""
    digits: dict[str, Melted]
    """Each finger with the palm and each toe with the foot, so that no vertex is drawn to a neighbouring digit."""


def build_anatomy(p: Proportions) -> Anatomy:
    """Joints, lofts and fields for the proportions."""
    joints = anatomy.left_and_middle_joints(p)
    lofts = {
        "torso": anatomy.torso_loft(p),
        "leg": anatomy.leg_loft(p, joints),
        "arm": anatomy.arm_loft(p, joints),
        "palm": anatomy.palm_loft(p, joints),
        "foot": anatomy.foot_loft(p, joints),
        "neck": anatomy.neck_loft(p),
        **{finger: anatomy.finger_loft(finger, joints) for finger in FINGERS},
        **{toe: anatomy.toe_loft(toe, p, joints) for toe in TOES},
    }
    hand = [
        Piece(lofts["palm"], 0.01),
        Piece(lofts["arm"], 0.02),
        Piece(lofts["thumb"], 0.016),
    ]
    thenar = joints["left_thumb1"] + np.array([0.022, -0.004, 0.004])
    hand.append(Piece(Ellipsoid(thenar, (0.026, 0.014, 0.017)), 0.012))
    digits = {finger: Melted([*hand, Piece(lofts[finger], 0.010)]) for finger in FINGERS if finger != "thumb"}
    digits["thumb"] = Melted(hand)
    floor = Piece(HalfSpace((0, p.floor, 0), (0, -1, 0)), 0.006, carve=True)
    foot = Piece(lofts["foot"], 0.03)
    digits |= {toe: Melted([foot, Piece(lofts[toe], 0.008), floor]) for toe in TOES}
    body = [
        Piece(lofts["torso"], 0.02),
        *_trunk_muscles(p, joints),
        Piece(lofts["leg"], 0.035),
        *_leg_muscles(p, joints),
        Piece(lofts["arm"], 0.045),
        *_arm_muscles(p, joints),
        Piece(lofts["neck"], 0.06),
        Piece(head_solid(p.head_scale), 0.025),
        Piece(lofts["palm"], 0.02),
        Piece(Ellipsoid(thenar, (0.026, 0.014, 0.017)), 0.012),
        *(Piece(lofts[finger], 0.008) for finger in FINGERS),
        foot,
        *(Piece(lofts[toe], 0.006) for toe in TOES),
        floor,
    ]
    return Anatomy(p, joints, lofts, Melted(body), digits)


def _trunk_muscles(p: Proportions, joints: dict[str, np.ndarray]) -> list[Piece]:
    chest, weight = 0.010 * p.chest, 0.006 * p.weight
    buttock = 0.008 * p.weight + 0.004 * p.hips
    return [
        Piece(Ellipsoid((0.070, 0.030, 0.052 + chest + weight), (0.078, 0.062, 0.052), (0, 0, -12)), 0.05),
        Piece(Ellipsoid((0.075 + 0.004 * p.hips, -0.415, -0.055 - buttock), (0.082, 0.088, 0.080)), 0.05),
        Piece(Ellipsoid((0.082, 0.118, -0.042), (0.080, 0.026, 0.042), (0, 0, -14)), 0.05),
        Piece(Ellipsoid((0.085, 0.045, -0.080), (0.062, 0.085, 0.040), (0, 0, 12)), 0.05),
    ]


def _leg_muscles(p: Proportions, joints: dict[str, np.ndarray]) -> list[Piece]:
    knee, ankle = joints["left_knee"], joints["left_ankle"]
    return [
        Piece(Ellipsoid(knee + np.array([0, 0.012, 0.036]), (0.028, 0.036, 0.026)), 0.04),
        Piece(Ellipsoid(ankle + np.array([0.026, 0.002, 0.002]), (0.013, 0.018, 0.014)), 0.02),
        Piece(Ellipsoid(ankle + np.array([-0.025, 0.008, 0.008]), (0.013, 0.018, 0.014)), 0.02),
    ]


def _arm_muscles(p: Proportions, joints: dict[str, np.ndarray]) -> list[Piece]:
    shoulder, elbow = joints["left_shoulder"], joints["left_elbow"]
    size = p.muscle_girth
    return [
        Piece(Ellipsoid(shoulder + np.array([0.014, 0.000, 0]), (0.066 * size, 0.048 * size, 0.054 * size)), 0.04),
        Piece(Ellipsoid(elbow + np.array([0.004, -0.004, -0.026]), (0.022, 0.018, 0.018)), 0.02),
    ]
