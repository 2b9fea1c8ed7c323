# SPDX-License-Identifier: GPL-3.0-or-later
"""The bones of a body's hands, and where its 21 points lie for given angles of the fingers.

Right hands are mirrored, so that all are left hands: one set of angles, limits and axes serves both sides. A hand's
frame is that of its wrist joint (at rest: x along the arm, y up, the palm down, the thumb towards +z). Points are in
MediaPipe's order: wrist, then four of each finger from thumb to little finger, the tip last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...contract.body_model import BodyModel
from ...contract.rotations import axis_angle_to_matrix, unit
from ...contract.skeleton import LEFT_HAND, LEFT_WRIST, RIGHT_HAND, RIGHT_WRIST
from ..turns import left_jacobian, turn_about

LEFT, RIGHT = 0, 1
"""The two sides, as indices."""

POINT_COUNT = 21
FINGER_COUNT = 5

FINGERS_OF_BODY = (4, 0, 1, 3, 2)
"""Thumb to little finger: the place of each among a body's (index, middle, little, ring, thumb)."""

THUMB_BASE, THUMB_MIDDLE, THUMB_END = slice(0, 3), 3, 4
"""Angles of the thumb: an axis-angle vector where it starts at the wrist, then two hinges."""

BEND, SPREAD, MIDDLE, END = (np.array([5, 9, 13, 17]) + k for k in range(4))
"""Angles of the four fingers, index to little finger: the knuckle's bend and spread, the two hinges after it."""

ANGLE_COUNT = 21

MIRROR = np.diag([-1.0, 1.0, 1.0])

_BEND_AXIS = np.array([0.0, 0.0, -1.0])
"""Fingers of a left hand at rest point to +x with the palm down: this turns them to the palm."""

_THUMB_PALMWARD = np.array([0.55, -0.5, -0.67])
"""Where the thumb of a left hand goes when it bends (seen on the mannequin, and where thumbs of people end)."""


@dataclass(frozen=True)
class HandSkeletons:
    """The bones of n hands at rest, all as left hands."""

    base: np.ndarray
    """(n, 5, 3) where the fingers start, metres from the wrist."""
    bones: np.ndarray
    """(n, 5, 3, 3) from joint to joint and on to the tip; the second axis counts the bones, the third is xyz."""
    hinge: np.ndarray
    """(n, 5, 3) unit axis that each finger bends about."""
    spread: np.ndarray
    """(n, 4, 3) unit axis that the four fingers spread about (towards the little finger)."""

    @property
    def palm_length(self) -> np.ndarray:
        """(n,) mean distance of the four fingers' knuckles from the wrist, metres."""
        return np.linalg.norm(self.base[:, 1:], axis=-1).mean(axis=1)


@dataclass(frozen=True)
class PosedHands:
    """Hands with bent fingers, in the wrists' frames."""

    points: np.ndarray
    """(n, 21, 3) metres."""
    rotations: np.ndarray
    """(n, 5, 3, 3, 3) of each finger's three joints in their parents' frames, thumb to little finger."""
    axes: np.ndarray
    """(n, 21, 3) what each angle turns about, now."""
    pivots: np.ndarray
    """(n, 21, 3) where that axis lies, metres."""


def _moved() -> np.ndarray:
    moved = np.zeros((POINT_COUNT, ANGLE_COUNT), bool)
    for first, thumb_angles in ((2, [0, 1, 2]), (3, [THUMB_MIDDLE]), (4, [THUMB_END])):
        moved[first:5, thumb_angles] = True
    for finger in range(4):
        knuckle = 5 + 4 * finger
        for behind, angles in ((1, BEND), (1, SPREAD), (2, MIDDLE), (3, END)):
            moved[knuckle + behind : knuckle + 4, angles[finger]] = True
    return moved


_MOVED = _moved()
"""(21, 21) which points an angle moves."""


class HandAnatomy:
    """What of a body model makes its hands."""

    def __init__(self, body_model: BodyModel) -> None:
        self._model = body_model
        self._tips = np.stack([_tip_vertices(body_model, hand) for hand in (LEFT_HAND, RIGHT_HAND)])

    def skeletons(self, betas: np.ndarray, side: np.ndarray) -> HandSkeletons:
        """The hands of bodies with (n, 10) betas, on (n,) sides."""
        joints = self._model.rest_joints(betas)
        first = np.where(side == LEFT, LEFT_HAND.start, RIGHT_HAND.start)
        rows, wrist = np.arange(len(side)), np.where(side == LEFT, LEFT_WRIST, RIGHT_WRIST)
        fingers = first[:, None, None] + 3 * np.array(FINGERS_OF_BODY)[:, None] + np.arange(3)
        chain = np.concatenate([joints[rows[:, None, None], fingers], self._tip(betas, side)[:, :, None]], axis=2)
        chain = chain - joints[rows, wrist][:, None, None]
        return _skeletons(np.where((side == RIGHT)[:, None, None, None], chain @ MIRROR, chain))

    def _tip(self, betas: np.ndarray, side: np.ndarray) -> np.ndarray:
        """(n, 5, 3) fingertips at rest, thumb to little finger."""
        tips = self._tips[side]
        moved = np.einsum("nfkc,nc->nfk", self._model.shape_directions[tips].astype(float), betas)
        return self._model.template[tips] + moved


def _tip_vertices(model: BodyModel, hand: slice) -> np.ndarray:
    """(5,) of each finger the vertex that lies farthest along its last bone."""
    joints, tips = model.rest_joints(np.zeros(10)), []
    for finger in FINGERS_OF_BODY:
        last = hand.start + 3 * finger + 2
        own = np.nonzero(model.weights[:, last] > 0.5)[0]
        tips.append(own[(model.template[own] @ (joints[last] - joints[last - 1])).argmax()])
    return np.array(tips)


def _skeletons(chain: np.ndarray) -> HandSkeletons:
    """From (n, 5, 4, 3) joints and tips of left hands, relative to the wrist."""
    bones = np.diff(chain, axis=2)
    first = unit(bones[:, :, 0])
    flat = unit(first[:, 1:] - _BEND_AXIS * (first[:, 1:] @ _BEND_AXIS)[..., None])
    palmward = _THUMB_PALMWARD - first[:, 0] * (first[:, 0] @ _THUMB_PALMWARD)[:, None]
    hinge = np.broadcast_to(_BEND_AXIS, (len(chain), FINGER_COUNT, 3)).copy()
    hinge[:, 0] = unit(np.cross(first[:, 0], palmward))
    return HandSkeletons(chain[:, :, 0], bones, hinge, np.cross(flat, _BEND_AXIS))


def pose_hands(skeletons: HandSkeletons, angles: np.ndarray) -> PosedHands:
    """Hands with (n, 21) angles."""
    hinge, count = skeletons.hinge, len(angles)
    bent = turn_about(hinge[:, 1:], angles[:, BEND])
    rotations = np.empty((count, FINGER_COUNT, 3, 3, 3))
    rotations[:, 0, 0] = axis_angle_to_matrix(angles[:, THUMB_BASE])
    rotations[:, 1:, 0] = bent @ turn_about(skeletons.spread, angles[:, SPREAD])
    rotations[:, 0, 1:] = turn_about(hinge[:, :1], angles[:, [THUMB_MIDDLE, THUMB_END]])
    rotations[:, 1:, 1] = turn_about(hinge[:, 1:], angles[:, MIDDLE])
    rotations[:, 1:, 2] = turn_about(hinge[:, 1:], angles[:, END])
    second = rotations[:, :, 0] @ rotations[:, :, 1]
    turned = np.stack([rotations[:, :, 0], second, second @ rotations[:, :, 2]], axis=2)
    steps = (turned @ skeletons.bones[..., None])[..., 0]
    chain = np.cumsum(np.concatenate([skeletons.base[:, :, None], steps], axis=2), axis=2)
    points = np.concatenate([np.zeros((count, 1, 3)), chain.reshape(count, POINT_COUNT - 1, 3)], axis=1)
    axes, pivots = np.empty((count, ANGLE_COUNT, 3)), np.empty((count, ANGLE_COUNT, 3))
    after = (turned[:, :, :2] @ hinge[:, :, None, :, None])[..., 0]
    axes[:, THUMB_BASE] = np.swapaxes(left_jacobian(angles[:, THUMB_BASE]), -1, -2)
    axes[:, THUMB_MIDDLE : THUMB_END + 1], pivots[:, THUMB_MIDDLE : THUMB_END + 1] = after[:, 0], chain[:, 0, 1:3]
    axes[:, BEND], axes[:, SPREAD] = hinge[:, 1:], (bent @ skeletons.spread[..., None])[..., 0]
    axes[:, MIDDLE], axes[:, END] = after[:, 1:, 0], after[:, 1:, 1]
    pivots[:, THUMB_BASE], pivots[:, BEND], pivots[:, SPREAD] = chain[:, :1, 0], chain[:, 1:, 0], chain[:, 1:, 0]
    pivots[:, MIDDLE], pivots[:, END] = chain[:, 1:, 1], chain[:, 1:, 2]
    return PosedHands(points, rotations, axes, pivots)


def point_derivatives(posed: PosedHands) -> np.ndarray:
    """(n, 21, 3, 21) how the points move with the angles, metres per radian."""
    arms = posed.points[:, :, None] - posed.pivots[:, None]
    moves = np.cross(posed.axes[:, None], arms) * _MOVED[..., None]
    return np.swapaxes(moves, -1, -2)


def to_body_order(rotations: np.ndarray, side: np.ndarray) -> np.ndarray:
    """(n, 5, 3, 3, 3) rotations of left hands, thumb first, to the (n, 15, 3, 3) of a body's hands on their sides."""
    ordered = rotations[:, np.argsort(FINGERS_OF_BODY)].reshape(len(rotations), 15, 3, 3)
    return mirrored(ordered, side)


def mirrored(rotations: np.ndarray, side: np.ndarray) -> np.ndarray:
    """(n, ..., 3, 3) rotations, those of right hands as a mirror shows them; it undoes itself."""
    right = (side == RIGHT).reshape(-1, *[1] * (rotations.ndim - 1))
    return np.where(right, MIRROR @ rotations @ MIRROR, rotations)
