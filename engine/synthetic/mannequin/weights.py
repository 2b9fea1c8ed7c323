# SPDX-License-Identifier: GPL-3.0-or-later
"""Skinning weights of the mannequin: written down joint by joint where a person bends, then smoothed over the mesh.

A vertex only ever hears of the limb it belongs to (known from the lattice), so that nothing leaks from leg to leg or
from finger to finger. Left and middle are computed; the right side is their mirror image.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ...contract.skeleton import JOINT_COUNT, JOINT_INDEX, MIRRORED
from .field import FINGERS, TOES

_STEPS = 4096
"""Weights are multiples of 1/4096: exact in float32, so that each row sums to one exactly."""


def skinning_weights(
    vertices: np.ndarray,
    part: np.ndarray,
    below_lips: np.ndarray,
    joints: dict[str, np.ndarray],
    average: sparse.csr_matrix,
    mirror: np.ndarray,
) -> np.ndarray:
    """(N, 55) weights, at most four per vertex, rows summing to one.

    `vertices` (N, 3) at rest; `part` (N,) the name of the part each belongs to; `below_lips` (N,) +1 for the
    lower lip and the floor of the mouth, -1 for the upper, 0 elsewhere; `joints` of the left side and middle;
    `average` (N, N) the mean over neighbours; `mirror` (N,) the vertex on the other side.
    """
    raw = np.zeros((len(vertices), JOINT_COUNT))
    folded = np.abs(vertices) * [1, 0, 0] + vertices * [0, 1, 1]
    for name in np.unique(part):
        members = np.nonzero(part == name)[0]
        _add_part(str(name), folded[members], joints, raw, members)
    _add_jaw(folded, np.isin(part, ["head"]), below_lips, joints, raw)
    right = vertices[:, 0] < 0
    raw[right] = raw[right][:, list(MIRRORED)]
    seam = 0.5 * (1 + np.tanh(vertices[:, :1] / 0.012))
    trunk = np.isin(part, ["torso"])[:, None]
    other = raw[:, list(MIRRORED)]
    own = np.where(vertices[:, :1] >= 0, seam, 1 - seam)
    raw = np.where(trunk, own * raw + (1 - own) * other, raw)
    for _ in range(3):
        raw = 0.5 * raw + 0.5 * (average @ raw)
    raw = 0.5 * (raw + raw[mirror][:, list(MIRRORED)])
    return _quantised(raw)


def _quantised(raw: np.ndarray) -> np.ndarray:
    """The four largest weights of each row as multiples of 1/4096 that sum to one."""
    order = np.argsort(-raw, axis=1, kind="stable")
    kept = np.take_along_axis(raw, order[:, :4], axis=1)
    kept = np.where(kept < 0.004, 0.0, kept)
    kept /= kept.sum(axis=1, keepdims=True)
    steps = np.rint(kept * _STEPS)
    steps[:, 0] += _STEPS - steps.sum(axis=1)
    result = np.zeros_like(raw)
    np.put_along_axis(result, order[:, :4], steps / _STEPS, axis=1)
    return result


def _ramp(value: np.ndarray, center: np.ndarray | float, width: np.ndarray | float) -> np.ndarray:
    """0 to 1 over `width`, smoothly, one half at `center`."""
    x = np.clip((value - center) / width + 0.5, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def _chain(names: list[str], ramps: list[np.ndarray], share: np.ndarray, raw: np.ndarray, members: np.ndarray) -> None:
    """Share out along a chain: each ramp hands the rest on to the next joint."""
    rest = share
    for name, following in zip(names, [*ramps, np.zeros_like(share)], strict=True):
        raw[members, JOINT_INDEX[name]] += rest * (1 - following)
        rest = rest * following


def _add_part(
    part: str, points: np.ndarray, joints: dict[str, np.ndarray], raw: np.ndarray, members: np.ndarray
) -> None:
    whole = np.ones(len(points))
    if part in ("torso", "neck", "head"):
        arm, leg = _arm_share(points, joints), _leg_share(points, joints)
        arm, leg = (arm, leg) if part == "torso" else (0 * arm, 0 * leg)
        _add_trunk(part, points, joints, whole - arm - leg, raw, members)
        _add_arm(points, joints, arm, raw, members)
        _add_leg(points, joints, leg, raw, members)
    elif part in ("leg", "foot", *TOES):
        leg = _leg_share(points, joints)
        raw[members, JOINT_INDEX["pelvis"]] += 1 - leg
        _add_leg(points, joints, leg, raw, members)
    elif part == "arm":
        arm = _arm_share(points, joints)
        _add_trunk("torso", points, joints, 1 - arm, raw, members)
        _add_arm(points, joints, arm, raw, members)
    elif part == "palm":
        _add_palm(points, joints, raw, members)
    else:
        _add_finger(part, points, joints, whole, raw, members)


def _add_trunk(
    part: str,
    points: np.ndarray,
    joints: dict[str, np.ndarray],
    share: np.ndarray,
    raw: np.ndarray,
    members: np.ndarray,
) -> None:
    x, y, z = points.T
    collar = 0.85 * _ramp(x, 0.085, 0.11) * _ramp(y, 0.07, 0.13)
    if part != "torso":
        collar = np.zeros_like(collar)
    raw[members, JOINT_INDEX["left_collar"]] += share * collar
    tilted = y + 0.75 * (z + 0.02)
    ramps = [
        _ramp(y, joints["spine1"][1] - 0.005, 0.12),
        _ramp(y, joints["spine2"][1] - 0.005, 0.09),
        _ramp(y, joints["spine3"][1] + 0.005, 0.08),
        _ramp(y, joints["neck"][1] + 0.004 + 0.25 * x, 0.07),
        _ramp(tilted, 0.236, 0.055) if part != "torso" else np.zeros_like(y),
    ]
    _chain(["pelvis", "spine1", "spine2", "spine3", "neck", "head"], ramps, share * (1 - collar), raw, members)


def _add_jaw(
    points: np.ndarray, is_head: np.ndarray, below_lips: np.ndarray, joints: dict[str, np.ndarray], raw: np.ndarray
) -> None:
    """The jaw takes from the head what lies below the line from its joint to the mouth: all of it at the lips."""
    jaw = joints["jaw"]
    line = jaw[1] + (points[:, 2] - jaw[2]) * -0.33
    width = np.interp(np.hypot(points[:, 0], 1.2 * (points[:, 2] - 0.10)), [0.015, 0.06], [0.010, 0.05])
    share = _ramp(line - points[:, 1], 0.35 * width, width) * _ramp(points[:, 2], 0.022, 0.05)
    share = np.where(below_lips == 0, share, below_lips > 0) * is_head
    head = raw[:, JOINT_INDEX["head"]].copy()
    raw[:, JOINT_INDEX["jaw"]] += head * share
    raw[:, JOINT_INDEX["head"]] = head * (1 - share)


def _arm_share(points: np.ndarray, joints: dict[str, np.ndarray]) -> np.ndarray:
    shoulder = joints["left_shoulder"]
    low = np.clip((shoulder[1] - points[:, 1]) / 0.06, 0, 1)
    return _ramp(points[:, 0], shoulder[0] + 0.004 - 0.004 * low, 0.105 - 0.025 * low) * _ramp(points[:, 1], 0.01, 0.06)


def _leg_share(points: np.ndarray, joints: dict[str, np.ndarray]) -> np.ndarray:
    x, y, z = points.T
    back = _ramp(-z, 0.02, 0.10)
    front_line = np.interp(x, [0.0, 0.05, 0.085, 0.17], [-0.502, -0.452, -0.416, -0.370])
    back_line = np.interp(x, [0.0, 0.05, 0.085, 0.17], [-0.502, -0.462, -0.440, -0.413])
    line = front_line + back * (back_line - front_line)
    return _ramp(line - y, 0.0, 0.115)


def _add_arm(
    points: np.ndarray, joints: dict[str, np.ndarray], share: np.ndarray, raw: np.ndarray, members: np.ndarray
) -> None:
    x = points[:, 0]
    ramps = [_ramp(x, joints["left_elbow"][0], 0.085), _ramp(x, joints["left_wrist"][0], 0.05)]
    _chain(["left_shoulder", "left_elbow", "left_wrist"], ramps, share, raw, members)


def _add_leg(
    points: np.ndarray, joints: dict[str, np.ndarray], share: np.ndarray, raw: np.ndarray, members: np.ndarray
) -> None:
    _, y, z = points.T
    ankle, ball = joints["left_ankle"], joints["left_foot"]
    below = ankle[1] - y + 0.35 * np.maximum(z - ankle[2], 0)
    ramps = [
        _ramp(joints["left_knee"][1] - y, 0.0, 0.10),
        _ramp(below, -0.004, 0.065),
        _ramp(z, ball[2] - 0.002, 0.045),
    ]
    _chain(["left_hip", "left_knee", "left_ankle", "left_foot"], ramps, share, raw, members)


def _along_finger(finger: str, points: np.ndarray, joints: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Distance along the finger from its first joint, and distance from its axis."""
    first = joints[f"left_{finger}1"]
    axis = joints[f"left_{finger}_tip"] - first
    axis = axis / np.linalg.norm(axis)
    along = (points - first) @ axis
    return along, np.linalg.norm(points - first - along[:, None] * axis, axis=1)


def _add_finger(
    finger: str,
    points: np.ndarray,
    joints: dict[str, np.ndarray],
    share: np.ndarray,
    raw: np.ndarray,
    members: np.ndarray,
) -> None:
    along, _ = _along_finger(finger, points, joints)
    first, second, third = (joints[f"left_{finger}{n}"] for n in (1, 2, 3))
    a, b = float(np.linalg.norm(second - first)), float(np.linalg.norm(third - first))
    start = _ramp(along, 0.0, 0.026) if finger != "thumb" else _ramp(along, 0.004, 0.036)
    ramps = [start, _ramp(along, a, 0.014), _ramp(along, b, 0.011)]
    _chain(["left_wrist", *(f"left_{finger}{n}" for n in (1, 2, 3))], ramps, share, raw, members)


def _add_palm(points: np.ndarray, joints: dict[str, np.ndarray], raw: np.ndarray, members: np.ndarray) -> None:
    """The palm follows the wrist, its edge the nearest finger, the ball of the thumb the thumb."""
    along, across = _along_finger("thumb", points, joints)
    thumb = _ramp(along, 0.012, 0.04) * (1 - _ramp(across, 0.026, 0.020))
    closeness = np.stack(
        [np.exp(-((_along_finger(f, points, joints)[1] / 0.009) ** 2)) for f in FINGERS if f != "thumb"], axis=1
    )
    closeness /= np.maximum(closeness.sum(axis=1, keepdims=True), 1e-12)
    rest = 1 - thumb
    forearm = 1 - _ramp(points[:, 0], joints["left_wrist"][0], 0.05)
    raw[members, JOINT_INDEX["left_elbow"]] += rest * forearm
    rest = rest * (1 - forearm)
    _add_finger("thumb", points, joints, thumb, raw, members)
    for number, finger in enumerate(f for f in FINGERS if f != "thumb"):
        _add_finger(finger, points, joints, rest * closeness[:, number], raw, members)
