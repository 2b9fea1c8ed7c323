# SPDX-License-Identifier: GPL-3.0-or-later
"""What a frame shows of people's hands and heads, and how it goes on to a body.

Fingers are relative to the wrist, and so hold for any body. Wrists and heads are kept as the picture shows them: turned
against the ray through them, not against a body. A body that is fitted again, or seen with another focal length, so
keeps the palm and the face that the picture shows: `seen_rotations` reads them relative to whichever body is given.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from ...contract.body_model import BodyModel, joint_transforms
from ...contract.skeleton import (
    HEAD,
    JAW,
    JOINT_COUNT,
    LEFT_ELBOW,
    LEFT_EYE,
    LEFT_HAND,
    LEFT_WRIST,
    NECK,
    PARENTS,
    RIGHT_ELBOW,
    RIGHT_EYE,
    RIGHT_HAND,
    RIGHT_WRIST,
    SPINE3,
)
from ..observations import FittedBodies, Pinhole, _People
from ..turns import part_of_turn, transposed, turn_about, turn_to_ray, twist_angle
from .hand_priors import RELAXED
from .hand_skeleton import LEFT, RIGHT, HandAnatomy, pose_hands, to_body_order
from .hands import Refusal

GROUPS = (
    (LEFT_WRIST, *range(LEFT_HAND.start, LEFT_HAND.stop)),
    (RIGHT_WRIST, *range(RIGHT_HAND.start, RIGHT_HAND.stop)),
    (NECK, HEAD),
    (JAW,),
    (LEFT_EYE, RIGHT_EYE),
)
"""Joints that are seen together: each hand, the head, the jaw, the eyes."""

REPLACED = tuple(joint for group in GROUPS for joint in group)
"""The joints that this module sets (and the elbows' twist)."""

GROUP_OF = np.repeat(np.arange(len(GROUPS)), [len(group) for group in GROUPS])
"""(37,) the group of each joint in REPLACED."""

_NECK_SHARE = 0.4
"""Of the head's turn against the chest: the neck takes this much, the head the rest."""
_GREATEST_HEAD_TURN = np.radians(85.0)
_TWIST_SHARE = 0.5
"""Of the wrist's roll that the forearm takes: its two bones cross, all along it."""
_ELBOWS, _WRISTS, HANDS = (LEFT_ELBOW, RIGHT_ELBOW), (LEFT_WRIST, RIGHT_WRIST), (LEFT_HAND, RIGHT_HAND)


@dataclass(frozen=True)
class Extremities(_People):
    """Hands and faces of n people in one frame, as the picture shows them. Left comes before right."""

    refusal: np.ndarray
    """(n, 2) int64, `hands.Refusal`: zero for hands that are used."""
    fingers: np.ndarray
    """(n, 2, 15, 3, 3) the hands' joints in their parents' frames; the identity where a hand is not used."""
    wrist: np.ndarray
    """(n, 2, 3, 3) the wrist joint's rotation in a camera that looks along the ray through the hand."""
    hand_px: np.ndarray
    """(n, 2, 2) the middle of the hand's points: where that ray goes."""
    face_seen: np.ndarray
    """(n,) bool"""
    head: np.ndarray
    """(n, 3, 3) the head joint's rotation in a camera that looks along the ray through the face."""
    face_px: np.ndarray
    """(n, 2)"""
    jaw: np.ndarray
    """(n,) radians that the mouth is open; NaN where it cannot be said."""
    gaze: np.ndarray
    """(n, 2) radians that the eyes look to the left of the head, and up; NaN where it cannot be said."""

    @property
    def seen(self) -> np.ndarray:
        """(n, 5) bool: which of GROUPS are seen."""
        face = np.stack([self.face_seen, np.isfinite(self.jaw), np.isfinite(self.gaze).all(-1)], axis=-1)
        return np.concatenate([self.refusal == Refusal.NONE, face], axis=-1)


def nothing_seen(count: int) -> Extremities:
    """No hand and no face of so many people."""

    def turns(*shape: int) -> np.ndarray:
        return np.tile(np.eye(3), (count, *shape, 1, 1))

    unknown = np.full(count, np.nan)
    return Extremities(
        np.full((count, 2), Refusal.NOT_LOOKED_AT, np.int64), turns(2, 15), turns(2), np.zeros((count, 2, 2)),
        np.zeros(count, bool), turns(), np.zeros((count, 2)), unknown, np.stack([unknown, unknown], axis=-1),
    )  # fmt: skip


def with_values(extremities: Extremities, **values: tuple[object, np.ndarray]) -> Extremities:
    """A copy in which each named field has (index, what stands there)."""
    copies = {}
    for name, (index, value) in values.items():
        copies[name] = getattr(extremities, name).copy()
        copies[name][index] = value
    return replace(extremities, **copies)


def rotation_of(rotations: np.ndarray, joint: int) -> np.ndarray:
    """(n, 55, 3, 3) relative rotations to the (n, 3, 3) of one joint in the camera frame."""
    total = rotations[:, joint]
    while PARENTS[joint] >= 0:
        joint = PARENTS[joint]
        total = rotations[:, joint] @ total
    return total


def relaxed_fingers(body_model: BodyModel) -> np.ndarray:
    """(2, 15, 3, 3) rotations of relaxed hands."""
    side = np.array([LEFT, RIGHT])
    skeletons = HandAnatomy(body_model).skeletons(np.zeros((2, 10)), side)
    return to_body_order(pose_hands(skeletons, np.tile(RELAXED, (2, 1))).rotations, side)


def own_rotations(bodies: FittedBodies, relaxed: np.ndarray) -> np.ndarray:
    """(n, 37, 3, 3) of REPLACED where nothing is seen: the body's own wrists and head, relaxed hands, mouth closed."""
    rotations = bodies.rotations.copy()
    rotations[:, [JAW, LEFT_EYE, RIGHT_EYE]] = np.eye(3)
    for hand, fingers in zip(HANDS, relaxed, strict=True):
        rotations[:, hand] = fingers
    return rotations[:, list(REPLACED)]


def seen_rotations(seen: Extremities, bodies: FittedBodies, camera: Pinhole) -> np.ndarray:
    """(n, 37, 3, 3) of REPLACED as the picture shows them, relative to these bodies; `seen.seen` says which hold."""
    rotations = np.tile(np.eye(3), (len(bodies), JOINT_COUNT, 1, 1))
    wrist = turn_to_ray(seen.hand_px, camera) @ seen.wrist
    for side in (LEFT, RIGHT):
        elbow = rotation_of(bodies.rotations, _ELBOWS[side])
        rotations[:, _WRISTS[side]] = transposed(elbow) @ wrist[:, side]
        rotations[:, HANDS[side]] = seen.fingers[:, side]
    head = turn_to_ray(seen.face_px, camera) @ seen.head
    rotations[:, NECK], rotations[:, HEAD] = _neck_and_head(rotation_of(bodies.rotations, SPINE3), head)
    rotations[:, JAW] = turn_about(np.array([1.0, 0.0, 0.0]), np.nan_to_num(seen.jaw))
    rotations[:, [LEFT_EYE, RIGHT_EYE]] = _eyes(np.nan_to_num(seen.gaze))[:, None]
    return rotations[:, list(REPLACED)]


def _neck_and_head(chest: np.ndarray, head: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotations of neck and head that turn a head (n, 3, 3) over a chest (n, 3, 3), as far as a neck lets it."""
    turn = transposed(chest) @ head
    angle = np.arccos(((np.trace(turn, axis1=-2, axis2=-1) - 1.0) / 2.0).clip(-1.0, 1.0))
    allowed = np.minimum(1.0, _GREATEST_HEAD_TURN / np.maximum(angle, 1e-9))
    neck = part_of_turn(turn, allowed * _NECK_SHARE)
    return neck, transposed(neck) @ part_of_turn(turn, allowed)


def _eyes(gaze: np.ndarray) -> np.ndarray:
    sideways = turn_about(np.array([0.0, 1.0, 0.0]), gaze[:, 0])
    return sideways @ turn_about(np.array([-1.0, 0.0, 0.0]), gaze[:, 1])


def apply(bodies: FittedBodies, rotations: np.ndarray, body_model: BodyModel) -> FittedBodies:
    """The bodies with (n, 37, 3, 3) rotations of REPLACED; half of the wrists' roll goes to the elbows."""
    turned = bodies.rotations.copy()
    turned[:, list(REPLACED)] = rotations
    rest = body_model.rest_joints(bodies.betas)
    for elbow, wrist in zip(_ELBOWS, _WRISTS, strict=True):
        bone = rest[:, wrist] - rest[:, elbow]
        bone = bone / np.linalg.norm(bone, axis=-1, keepdims=True)
        roll = turn_about(bone, _TWIST_SHARE * twist_angle(turned[:, wrist], bone))
        turned[:, elbow], turned[:, wrist] = turned[:, elbow] @ roll, transposed(roll) @ turned[:, wrist]
    joints = joint_transforms(turned, rest)[..., :3, 3]
    joints = joints + (bodies.pelvis - joints[:, 0])[:, None]
    return replace(bodies, rotations=turned, joints=joints)


def stored(extremities: Extremities) -> dict[str, np.ndarray]:
    """Its arrays by name, for a file."""
    return {item.name: getattr(extremities, item.name) for item in fields(Extremities)}
