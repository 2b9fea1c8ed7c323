# SPDX-License-Identifier: GPL-3.0-or-later
"""The mannequin's proportions: where its joints are and how thick it is, as functions of ten shape parameters.

Metres, y up, facing +z, the person's left at +x; the soles at y = FLOOR, 1.70 m tall, the pelvis at (0, -0.33, 0)
as in SMPL-X, whose origin lies in the chest. Lengths follow the usual tables of body segments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...contract.skeleton import JOINT_COUNT, JOINT_INDEX, JOINT_NAMES, MIRRORED
from .head import EYE, HEAD_JOINT, scaled
from .surface import Loft

FLOOR = -1.27
"""Height of the soles."""

WRIST_TO_KNUCKLE = {
    "index": (0.086, 0.001, 0.024),
    "middle": (0.088, 0.003, 0.002),
    "ring": (0.083, 0.001, -0.018),
    "pinky": (0.075, -0.002, -0.036),
    "thumb": (0.020, -0.010, 0.020),
}
"""First joint of each finger of the left hand, from the wrist."""

FINGER_LENGTHS = {
    "index": (0.041, 0.025, 0.021),
    "middle": (0.045, 0.028, 0.022),
    "ring": (0.042, 0.026, 0.022),
    "pinky": (0.033, 0.020, 0.019),
    "thumb": (0.042, 0.034, 0.027),
}
"""The three segments of each finger, the last up to the tip."""

FINGER_DIRECTIONS = {
    "index": (1.0, -0.03, 0.075),
    "middle": (1.0, -0.03, 0.0),
    "ring": (1.0, -0.03, -0.07),
    "pinky": (1.0, -0.04, -0.15),
    "thumb": (0.72, -0.14, 0.68),
}

FINGER_RADII = {"index": 0.0096, "middle": 0.0098, "ring": 0.0094, "pinky": 0.0084, "thumb": 0.0112}


TOES = {
    "toe1": (-0.018, 0.172, 0.0135), "toe2": (0.0060, 0.173, 0.0094), "toe3": (0.0230, 0.166, 0.0088),
    "toe4": (0.0390, 0.156, 0.0084), "toe5": (0.0530, 0.143, 0.0084),
}  # fmt: skip
"""From the big toe outwards: x from the ankle, z of the tip, radius."""


@dataclass(frozen=True)
class Proportions:
    """Shape parameters in units of a beta; all zero is the template."""

    weight: float = 0.0
    """Girth of trunk and limbs."""
    legs: float = 0.0
    """Length of the legs."""
    arms: float = 0.0
    """Length of the arms."""
    shoulders: float = 0.0
    """Breadth of the shoulders."""
    hips: float = 0.0
    """Breadth of the hips."""
    belly: float = 0.0
    """Roundness of the belly."""
    chest: float = 0.0
    """Depth of the chest."""
    muscles: float = 0.0
    """Thickness of upper arms, thighs and calves."""
    head: float = 0.0
    """Size of the head."""

    @property
    def leg_scale(self) -> float:
        return 1 + 0.04 * self.legs

    @property
    def arm_scale(self) -> float:
        return 1 + 0.04 * self.arms

    @property
    def head_scale(self) -> float:
        return 1 + 0.045 * self.head

    @property
    def limb_girth(self) -> float:
        return 1 + 0.055 * self.weight

    @property
    def muscle_girth(self) -> float:
        return self.limb_girth + 0.05 * self.muscles

    @property
    def trunk_girth(self) -> float:
        return 1 + 0.075 * self.weight

    @property
    def floor(self) -> float:
        """The soles go down when the legs grow; what is above the hips stays."""
        return FLOOR - (self.leg_scale - 1) * (-0.40 - FLOOR)


def left_and_middle_joints(p: Proportions) -> dict[str, np.ndarray]:
    """Joint positions of the middle and of the left side, by SMPL-X name."""
    shoulder_x = 0.174 + 0.010 * p.shoulders + 0.004 * p.weight
    hip_x = 0.085 + 0.005 * p.hips + 0.002 * p.weight
    low = p.floor

    def along_leg(height: float) -> float:
        """Heights above the floor of the template, stretched between floor and hip."""
        return low + height * p.leg_scale

    joints = {
        "pelvis": (0.0, -0.33, 0.0),
        "left_hip": (hip_x, -0.40, 0.0),
        "left_knee": (hip_x + 0.017, along_leg(0.475), 0.004),
        "left_ankle": (hip_x + 0.026, along_leg(0.078), -0.035),
        "left_foot": (hip_x + 0.036, along_leg(0.022), 0.088),
        "spine1": (0.0, -0.225, -0.012),
        "spine2": (0.0, -0.10, -0.022),
        "spine3": (0.0, -0.045, -0.022),
        "neck": (0.0, 0.165, -0.038),
        "left_collar": (0.040, 0.095, -0.018),
        "head": HEAD_JOINT,
        "left_shoulder": (shoulder_x, 0.092, -0.028),
        "left_elbow": (shoulder_x + 0.262 * p.arm_scale, 0.087, -0.042),
        "left_wrist": (shoulder_x + 0.507 * p.arm_scale, 0.087, -0.027),
        "jaw": scaled(np.array([0.0, 0.283, 0.012]), p.head_scale),
        "left_eye": scaled(EYE, p.head_scale),
    }
    result = {name: np.array(position) for name, position in joints.items()}
    hand_scale = 1 + 0.5 * (p.arm_scale - 1)
    for finger, offset in WRIST_TO_KNUCKLE.items():
        direction = np.array(FINGER_DIRECTIONS[finger])
        direction /= np.linalg.norm(direction)
        position = result["left_wrist"] + np.array(offset) * hand_scale
        for segment, length in enumerate(FINGER_LENGTHS[finger], start=1):
            result[f"left_{finger}{segment}"] = position
            position = position + direction * length * hand_scale
        result[f"left_{finger}_tip"] = position
    return result


def skeleton_joints(p: Proportions) -> np.ndarray:
    """(55, 3) joints in SMPL-X order."""
    known = left_and_middle_joints(p)
    joints = np.empty((JOINT_COUNT, 3))
    for index, name in enumerate(JOINT_NAMES):
        if name in known:
            joints[index] = known[name]
        else:
            joints[index] = known[JOINT_NAMES[MIRRORED[index]]] * np.array([-1.0, 1.0, 1.0])
    assert JOINT_INDEX["pelvis"] == 0
    return joints


def torso_loft(p: Proportions) -> Loft:
    """Crotch to the root of the neck; stations: y, centre z, centre x, front, back, half width twice."""
    rows = [
        # y, front, back, half width, belly, hips, shoulders, chest
        (-0.490, 0.070, 0.080, 0.105, 0.0, 0.4, 0.0, 0.0),
        (-0.450, 0.084, 0.100, 0.138, 0.0, 1.0, 0.0, 0.0),
        (-0.400, 0.096, 0.114, 0.155, 0.2, 1.0, 0.0, 0.0),
        (-0.350, 0.104, 0.115, 0.157, 0.5, 0.9, 0.0, 0.0),
        (-0.290, 0.107, 0.100, 0.149, 0.9, 0.6, 0.0, 0.0),
        (-0.230, 0.105, 0.086, 0.134, 1.0, 0.3, 0.0, 0.0),
        (-0.180, 0.103, 0.082, 0.129, 0.9, 0.1, 0.0, 0.1),
        (-0.110, 0.107, 0.090, 0.137, 0.5, 0.0, 0.1, 0.5),
        (-0.050, 0.112, 0.104, 0.149, 0.2, 0.0, 0.2, 0.9),
        (0.000, 0.113, 0.114, 0.156, 0.0, 0.0, 0.4, 1.0),
        (0.050, 0.100, 0.118, 0.152, 0.0, 0.0, 0.7, 0.8),
        (0.090, 0.080, 0.112, 0.132, 0.0, 0.0, 0.8, 0.4),
        (0.125, 0.056, 0.095, 0.100, 0.0, 0.0, 0.5, 0.1),
        (0.160, 0.036, 0.074, 0.064, 0.0, 0.0, 0.2, 0.0),
    ]
    stations = []
    for y, front, back, half, belly, hips, shoulders, chest in rows:
        front = front * p.trunk_girth + 0.018 * p.belly * belly + 0.010 * p.chest * chest
        back = back * (1 + 0.6 * (p.trunk_girth - 1)) + 0.004 * p.hips * hips + 0.003 * p.chest * chest
        half = half * p.trunk_girth + 0.006 * p.belly * belly + 0.010 * p.hips * hips + 0.008 * p.shoulders * shoulders
        stations.append((y, 0.0, 0.0, front, back, half, half))
    return Loft((0, 0, 0), (0, 1, 0), (0, 0, 1), stations, exponent=2.25, cap=0.02)


def leg_loft(p: Proportions, joints: dict[str, np.ndarray]) -> Loft:
    """Hip to ankle; stations along -y; outside, inside, front, back."""
    hip, knee, ankle = (joints[f"left_{name}"] for name in ("hip", "knee", "ankle"))
    rows = [
        # fraction (0 hip, 1 knee, 2 ankle), outside, inside, front, back, share of muscle
        (-0.25, 0.050, 0.060, 0.066, 0.066, 0.2),
        (0.00, 0.078, 0.076, 0.088, 0.098, 0.5),
        (0.18, 0.081, 0.079, 0.088, 0.092, 1.0),
        (0.45, 0.075, 0.073, 0.084, 0.080, 1.0),
        (0.75, 0.061, 0.060, 0.070, 0.063, 0.8),
        (0.92, 0.054, 0.055, 0.060, 0.052, 0.3),
        (1.00, 0.052, 0.054, 0.059, 0.050, 0.1),
        (1.12, 0.050, 0.050, 0.052, 0.052, 0.2),
        (1.32, 0.053, 0.049, 0.047, 0.064, 1.0),
        (1.50, 0.047, 0.044, 0.042, 0.058, 0.9),
        (1.75, 0.035, 0.034, 0.035, 0.041, 0.3),
        (1.90, 0.033, 0.033, 0.036, 0.036, 0.0),
        (2.00, 0.035, 0.034, 0.040, 0.037, 0.0),
    ]
    stations = []
    for s, outside, inside, front, back, share in rows:
        center = hip + s * (knee - hip) if s <= 1 else knee + (s - 1) * (ankle - knee)
        girth = p.limb_girth + share * (p.muscle_girth - p.limb_girth)
        radii = (outside * girth, inside * girth, front * girth, back * girth)
        stations.append((-center[1], center[0], center[2], *radii))
    return Loft((0, 0, 0), (0, -1, 0), (1, 0, 0), stations, exponent=2.1, cap=0.03)


def arm_loft(p: Proportions, joints: dict[str, np.ndarray]) -> Loft:
    """Shoulder to wrist; stations along +x; up, down, front, back."""
    shoulder, elbow, wrist = (joints[f"left_{name}"] for name in ("shoulder", "elbow", "wrist"))
    rows = [
        # fraction (0 shoulder, 1 elbow, 2 wrist), up, down, front, back, share of muscle
        (-0.20, 0.040, 0.056, 0.048, 0.056, 0.3),
        (0.00, 0.044, 0.056, 0.052, 0.054, 0.7),
        (0.25, 0.046, 0.052, 0.051, 0.052, 1.0),
        (0.50, 0.044, 0.046, 0.046, 0.048, 1.0),
        (0.80, 0.038, 0.038, 0.041, 0.041, 0.5),
        (1.00, 0.035, 0.036, 0.040, 0.041, 0.1),
        (1.22, 0.037, 0.036, 0.045, 0.041, 0.6),
        (1.50, 0.033, 0.032, 0.039, 0.036, 0.5),
        (1.80, 0.025, 0.024, 0.031, 0.029, 0.0),
        (2.00, 0.0215, 0.021, 0.029, 0.028, 0.0),
        (2.10, 0.020, 0.020, 0.030, 0.029, 0.0),
    ]
    stations = []
    for s, up, down, front, back, share in rows:
        center = shoulder + s * (elbow - shoulder) if s <= 1 else elbow + (s - 1) * (wrist - elbow)
        girth = p.limb_girth + share * (p.muscle_girth - p.limb_girth)
        if s > 1.7:
            girth = 1 + 0.4 * (p.limb_girth - 1)
        stations.append((*center, up * girth, down * girth, front * girth, back * girth))
    return Loft((0, 0, 0), (1, 0, 0), (0, 1, 0), stations, cap=0.02)


def palm_loft(p: Proportions, joints: dict[str, np.ndarray]) -> Loft:
    """Wrist to the knuckles; stations along +x; up, down, front, back."""
    wrist = joints["left_wrist"]
    length = joints["left_middle1"][0] - wrist[0]
    rows = [
        # fraction (1 at the knuckles), centre z, up, down, half width
        (-0.25, 0.000, 0.020, 0.020, 0.029),
        (0.05, 0.000, 0.018, 0.019, 0.030),
        (0.35, -0.003, 0.0155, 0.018, 0.036),
        (0.70, -0.005, 0.0145, 0.016, 0.041),
        (0.86, -0.006, 0.0130, 0.0145, 0.0405),
    ]
    stations = [(wrist[0] + s * length, wrist[1], wrist[2] + z, up, down, half, half) for s, z, up, down, half in rows]
    return Loft((0, 0, 0), (1, 0, 0), (0, 1, 0), stations, exponent=2.6, cap=0.004)


def finger_loft(finger: str, joints: dict[str, np.ndarray]) -> Loft:
    """First joint to tip; stations along the finger from the first joint; up, down, and both sides."""
    first, second, third, tip = (joints[f"left_{finger}{end}"] for end in ("1", "2", "3", "_tip"))
    total = float(np.linalg.norm(tip - first))
    a, b = (float(np.linalg.norm(joint - first)) / total for joint in (second, third))
    radius = FINGER_RADII[finger]
    base = 1.45 if finger == "thumb" else 1.12
    rows = [
        (-0.025 / total, 0.95 * base), (0.0, base), (0.55 * a, 0.5 * base + 0.5), (a, 1.0), (0.5 * (a + b), 0.93),
        (b, 0.94), (1.0 - 1.5 * radius / total, 0.90), (1.0 - 0.42 * radius / total, 0.70),
    ]  # fmt: skip
    stations = [
        (s * total, 0.0, 0.0, radius * size * 0.94, radius * size, radius * size, radius * size) for s, size in rows
    ]
    return Loft(first, tip - first, (0, 1, 0), stations, cap=0.42 * radius)


def foot_loft(p: Proportions, joints: dict[str, np.ndarray]) -> Loft:
    """Heel to ball; stations along +z; outside, inside, up, down. The floor cuts off what is below it."""
    ankle = joints["left_ankle"]
    rows = [
        # z, centre x from the ankle, outside, inside, height
        (-0.072, -0.002, 0.027, 0.027, 0.052),
        (-0.040, -0.001, 0.033, 0.032, 0.072),
        (0.000, 0.001, 0.035, 0.032, 0.080),
        (0.040, 0.005, 0.038, 0.032, 0.068),
        (0.075, 0.009, 0.043, 0.037, 0.051),
        (0.105, 0.011, 0.046, 0.042, 0.038),
        (0.124, 0.012, 0.044, 0.042, 0.029),
    ]
    middle = 0.018
    stations = [
        (z, ankle[0] + x, p.floor + middle, outside, inside, height - middle, middle + 0.012)
        for z, x, outside, inside, height in rows
    ]
    return Loft((0, 0, 0), (0, 0, 1), (1, 0, 0), stations, exponent=2.2, cap=0.010)


def toe_loft(toe: str, p: Proportions, joints: dict[str, np.ndarray]) -> Loft:
    """Ball to tip of a toe; stations along +z; outside, inside, up, down."""
    x, tip, radius = TOES[toe]
    root, middle = 0.105, 0.80 * radius
    rows = [(root, 0.95), (0.5 * (root + tip), 0.90), (tip - 1.4 * radius, 1.0), (tip - 0.45 * radius, 0.82)]
    stations = [
        (z, joints["left_ankle"][0] + x, p.floor + middle, *(radius * size * np.array([1, 1, 1.05, 1.0])))
        for z, size in rows
    ]
    return Loft((0, 0, 0), (0, 0, 1), (1, 0, 0), stations, cap=0.45 * radius)


def neck_loft(p: Proportions) -> Loft:
    """Between the shoulders up into the skull; stations along +y; front, back, half width."""
    girth = 1 + 0.04 * p.weight + 0.02 * p.muscles
    rows = [
        # y, centre z, front, back, half width
        (0.100, -0.045, 0.060, 0.060, 0.070),
        (0.150, -0.038, 0.055, 0.055, 0.060),
        (0.190, -0.030, 0.052, 0.052, 0.054),
        (0.230, -0.022, 0.052, 0.052, 0.053),
        (0.280, -0.015, 0.050, 0.055, 0.053),
    ]
    stations = [(y, z, 0.0, *(girth * np.array([front, back, half, half]))) for y, z, front, back, half in rows]
    return Loft((0, 0, 0), (0, 1, 0), (0, 0, 1), stations, cap=0.02)
