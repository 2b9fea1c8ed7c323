# SPDX-License-Identifier: GPL-3.0-or-later
"""All solids of the mannequin put together: which field each part of the mesh is drawn to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import mannequin_anatomy as anatomy
from .mannequin_anatomy import HEAD_JOINT, Proportions
from .mannequin_surface import Field, Loft, Piece, ellipsoid, melted

FINGERS = ("index", "middle", "ring", "pinky", "thumb")


@dataclass(frozen=True)
class Anatomy:
    """Everything about one set of proportions that the mesh is fitted to."""

    proportions: Proportions
    joints: dict[str, np.ndarray]
    """Joints and fingertips of the left side and the middle."""
    lofts: dict[str, Loft]
    """The loft of each part of the lattice that is a tube."""
    body: Field
    """Everything but the fingers beyond their first halves."""
    fingers: dict[str, Field]
    """Each finger together with the palm, so that no vertex is drawn to its neighbour's finger."""
    head_scale: float
    """Size of the head relative to the template's."""


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
    }
    scale = 1 + 0.045 * p.head
    hand = [
        Piece(lofts["palm"].distance, 0.01),
        Piece(lofts["arm"].distance, 0.02),
        Piece(lofts["thumb"].distance, 0.016),
    ]
    thenar = joints["left_thumb1"] + np.array([0.022, -0.004, 0.004])
    hand.append(Piece(ellipsoid(thenar, (0.026, 0.014, 0.017)), 0.012))
    fingers = {f: melted([*hand, Piece(lofts[f].distance, 0.006)]) for f in FINGERS if f != "thumb"}
    fingers["thumb"] = melted(hand)
    body = [
        Piece(lofts["torso"].distance, 0.02),
        *_trunk_muscles(p, joints),
        Piece(lofts["leg"].distance, 0.035),
        *_leg_muscles(p, joints),
        Piece(lofts["arm"].distance, 0.045),
        *_arm_muscles(p, joints),
        Piece(lofts["neck"].distance, 0.05),
        *_head(scale),
        Piece(lofts["palm"].distance, 0.02),
        Piece(ellipsoid(thenar, (0.026, 0.014, 0.017)), 0.012),
        *(Piece(lofts[finger].distance, 0.005) for finger in FINGERS),
        Piece(lofts["foot"].distance, 0.03),
        Piece(_below(p.floor), 0.006, carve=True),
    ]
    return Anatomy(p, joints, lofts, melted(body), fingers, scale)


def _below(height: float) -> Field:
    return lambda points: points[:, 1] - height


def _trunk_muscles(p: Proportions, joints: dict[str, np.ndarray]) -> list[Piece]:
    chest, weight = 0.010 * p.chest, 0.006 * p.weight
    buttock = 0.008 * p.weight + 0.004 * p.hips
    return [
        Piece(ellipsoid((0.068, 0.022, 0.062 + chest + weight), (0.078, 0.060, 0.052), tilt_z=-12), 0.04),
        Piece(ellipsoid((0.075 + 0.004 * p.hips, -0.415, -0.055 - buttock), (0.082, 0.088, 0.080)), 0.05),
        Piece(ellipsoid((0.085, 0.045, -0.080), (0.062, 0.085, 0.040), tilt_z=12), 0.05),
    ]


def _leg_muscles(p: Proportions, joints: dict[str, np.ndarray]) -> list[Piece]:
    knee, ankle = joints["left_knee"], joints["left_ankle"]
    return [
        Piece(ellipsoid(knee + np.array([0, 0.012, 0.036]), (0.026, 0.032, 0.026)), 0.03),
        Piece(ellipsoid(ankle + np.array([0.026, 0.002, 0.002]), (0.013, 0.018, 0.014)), 0.02),
        Piece(ellipsoid(ankle + np.array([-0.025, 0.008, 0.008]), (0.013, 0.018, 0.014)), 0.02),
    ]


def _arm_muscles(p: Proportions, joints: dict[str, np.ndarray]) -> list[Piece]:
    shoulder, elbow = joints["left_shoulder"], joints["left_elbow"]
    size = p.muscle_girth
    return [
        Piece(ellipsoid(shoulder + np.array([0.012, 0.006, 0]), (0.068 * size, 0.055 * size, 0.060 * size)), 0.04),
        Piece(ellipsoid(elbow + np.array([0.004, -0.004, -0.026]), (0.022, 0.018, 0.018)), 0.02),
    ]


def _head(scale: float) -> list[Piece]:
    """Skull and face; written for the template and scaled about the head joint."""

    def solid(center: tuple[float, float, float], radii: tuple[float, float, float], tilt_x: float = 0.0,
              tilt_z: float = 0.0) -> Field:  # fmt: skip
        middle = HEAD_JOINT + scale * (np.array(center) - HEAD_JOINT)
        return ellipsoid(middle, tuple(scale * r for r in radii), tilt_x, tilt_z)

    return [
        Piece(solid((0, 0.342, -0.014), (0.076, 0.088, 0.096)), 0.03),
        Piece(solid((0, 0.300, 0.030), (0.060, 0.085, 0.062)), 0.03),
        Piece(solid((0, 0.243, 0.040), (0.046, 0.040, 0.052)), 0.025),
        Piece(solid((0, 0.224, 0.072), (0.022, 0.017, 0.018)), 0.02),
        Piece(solid((0.040, 0.298, 0.062), (0.022, 0.018, 0.020)), 0.02),
        Piece(solid((0.020, 0.346, 0.078), (0.026, 0.011, 0.014)), 0.016),
        Piece(solid((0.032, 0.323, 0.092), (0.019, 0.012, 0.018)), 0.012, carve=True),
        Piece(solid((0, 0.312, 0.092), (0.0105, 0.030, 0.016), tilt_x=-22), 0.012),
        Piece(solid((0, 0.292, 0.106), (0.0125, 0.011, 0.013)), 0.010),
        Piece(solid((0.011, 0.288, 0.098), (0.008, 0.008, 0.010)), 0.008),
        Piece(solid((0, 0.262, 0.085), (0.026, 0.007, 0.012)), 0.008),
        Piece(solid((0, 0.250, 0.083), (0.022, 0.008, 0.012)), 0.008),
        Piece(solid((0.077, 0.308, -0.012), (0.010, 0.032, 0.019), tilt_x=-12), 0.010),
    ]
