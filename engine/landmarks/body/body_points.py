# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the landmarks lie on a body in the SMPL-X format, as linear functions of its betas.

Only landmarks that mean a definite point of the body are used: USED of the 39. Each moves with one of the 22 body
joints; fingers and toes are taken as stiff. m rows, K used landmarks; metres, the body's rest frame.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...contract.body_model import BETA_COUNT, BodyModel
from ...contract.skeleton import (
    BODY_JOINT_COUNT,
    HEAD,
    JOINT_INDEX,
    LEFT_ANKLE,
    LEFT_ELBOW,
    LEFT_HIP,
    LEFT_KNEE,
    LEFT_SHOULDER,
    LEFT_WRIST,
    PELVIS,
    RIGHT_ANKLE,
    RIGHT_ELBOW,
    RIGHT_HIP,
    RIGHT_KNEE,
    RIGHT_SHOULDER,
    RIGHT_WRIST,
)  # fmt: skip
from ..observations import LANDMARK_COUNT

HIPS_OF_SHOULDERS = 0.5
"""Distance of the landmarks at the hips as a share of that of the shoulder joints. BlazePose's own differs too much
from clip to clip to go by (0.47 to 0.7 in six); a real man's is 0.46, the mannequin's 0.49. SMPL-X's hip joints, which
only serve its skinning, lie much closer together."""

_VERTICES: dict[int, tuple[int, int]] = {
    0: (HEAD, 9120), 2: (HEAD, 9448), 5: (HEAD, 9929), 7: (HEAD, 6), 8: (HEAD, 616),
    29: (LEFT_ANKLE, 8846), 30: (RIGHT_ANKLE, 8635), 31: (LEFT_ANKLE, 5770), 32: (RIGHT_ANKLE, 8463),
}  # fmt: skip
"""Landmarks that are vertices: the joint they move with and the vertex. Nose, eyes, ears; heels, big toes. The numbers
are those of SMPL-X's mesh; the mannequin has its points there too."""

_JOINTS: dict[int, tuple[int, int]] = {
    11: (LEFT_SHOULDER, LEFT_SHOULDER), 12: (RIGHT_SHOULDER, RIGHT_SHOULDER),
    13: (LEFT_ELBOW, LEFT_ELBOW), 14: (RIGHT_ELBOW, RIGHT_ELBOW),
    15: (LEFT_WRIST, LEFT_WRIST), 16: (RIGHT_WRIST, RIGHT_WRIST),
    17: (LEFT_WRIST, JOINT_INDEX["left_pinky1"]), 18: (RIGHT_WRIST, JOINT_INDEX["right_pinky1"]),
    19: (LEFT_WRIST, JOINT_INDEX["left_index1"]), 20: (RIGHT_WRIST, JOINT_INDEX["right_index1"]),
    25: (LEFT_KNEE, LEFT_KNEE), 26: (RIGHT_KNEE, RIGHT_KNEE),
    27: (LEFT_ANKLE, LEFT_ANKLE), 28: (RIGHT_ANKLE, RIGHT_ANKLE),
}  # fmt: skip
"""Landmarks that are joints: the joint they move with and the joint that they are (of fingers: the first knuckle)."""

_HIPS = {23: (LEFT_HIP, 0.5), 24: (RIGHT_HIP, -0.5)}
"""Landmarks at the hips: the joint whose height and depth they have, and their side."""

USED = tuple(sorted({*_VERTICES, *_JOINTS, *_HIPS}))
"""(K,) numbers of the used landmarks among the 39."""

PLACE = {landmark: row for row, landmark in enumerate(USED)}
"""Row of a landmark among the used ones."""

HIPS = [PLACE[23], PLACE[24]]
SHOULDERS = [PLACE[11], PLACE[12]]

BONES = np.array(
    [(PLACE[first], PLACE[second]) for first, second in (
        (11, 13), (13, 15), (12, 14), (14, 16), (23, 25), (25, 27), (24, 26), (26, 28), (11, 23), (12, 24),
    )]
)  # fmt: skip
"""(10, 2) used landmarks at the ends of arms, legs and flanks: lengths that do not change, or hardly, with the pose."""


_SPANS: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((23, 24), (11, 12)), ((23,), (11,)), ((24,), (12,)), ((12,), (11,)), ((24,), (23,)),
    ((11,), (13,)), ((12,), (14,)), ((13,), (15,)), ((14,), (16,)),
    ((15,), (17, 19)), ((16,), (18, 20)), ((17,), (19,)), ((18,), (20,)),
    ((23,), (25,)), ((24,), (26,)), ((25,), (27,)), ((26,), (28,)),
    ((27,), (29,)), ((28,), (30,)), ((29,), (31,)), ((30,), (32,)),
    ((11, 12), (7, 8)), ((8,), (7,)), ((5,), (2,)), ((7, 8), (0,)),
)  # fmt: skip
"""From the middle of some landmarks to the middle of some others: along the torso and limbs, across shoulders, hips,
hands, head and face, and along the feet."""


def _spans() -> np.ndarray:
    matrix = np.zeros((len(_SPANS), len(USED)))
    for row, (tails, tips) in enumerate(_SPANS):
        for marks, sign in ((tails, -1.0), (tips, 1.0)):
            matrix[row, [PLACE[mark] for mark in marks]] = sign / len(marks)
    return matrix


SPANS = _spans()
"""(S, K) takes the used landmarks to the vectors of the body's spans."""


def _moves_with() -> tuple[int, ...]:
    joints = {mark: pair[0] for places in (_VERTICES, _JOINTS) for mark, pair in places.items()}
    return tuple(joints.get(mark, PELVIS) for mark in USED)


MOVES_WITH = _moves_with()
"""(K,) the body joint each used landmark moves with."""


_ROWS = [PLACE.get(mark, 0) for mark in range(LANDMARK_COUNT)]
"""(39,) row of each landmark among the used ones, 0 where it is none of them."""

Groups = Sequence[Sequence[tuple[int, int]]]


class BodyPoints:
    """Rest places of joints and landmarks on one body model, for any betas. Immutable."""

    def __init__(self, body: BodyModel) -> None:
        joints, joint_directions = _linear_joints(body)
        points, point_directions = _landmarks(body, joints, joint_directions)
        moves_with = list(MOVES_WITH)
        self._template = np.concatenate([joints[:BODY_JOINT_COUNT], points - joints[moves_with]])
        directions = np.concatenate(
            [joint_directions[:BODY_JOINT_COUNT], point_directions - joint_directions[moves_with]]
        )
        self._directions = directions.reshape(-1, BETA_COUNT).T

    def __call__(self, betas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(m, 10) betas to (m, 22, 3) joints at rest and (m, K, 3) offsets of the landmarks from their joints."""
        betas = np.asarray(betas, dtype=np.float64)
        places = self._template + (betas @ self._directions).reshape(len(betas), *self._template.shape)
        return places[:, :BODY_JOINT_COUNT], places[:, BODY_JOINT_COUNT:]

    def lengths(self, betas: np.ndarray, groups: Groups) -> np.ndarray:
        """(m, 10) betas to (m, B) metres: the lengths at rest of each group of bones, summed."""
        joints, offsets = self(betas)
        points = joints[:, list(MOVES_WITH)] + offsets
        return np.stack([group_length(points[:, _ROWS], group) for group in groups], axis=1)


def group_length(points: np.ndarray, bones: Sequence[tuple[int, int]]) -> np.ndarray:
    """(m,) sum of the lengths of some bones, given by their landmarks, between (m, 39, 3) points."""
    first, second = np.array(bones).T
    return np.linalg.norm(points[:, first] - points[:, second], axis=-1).sum(axis=-1)


def _linear_joints(body: BodyModel) -> tuple[np.ndarray, np.ndarray]:
    """(55, 3) joints for zero betas and (55, 3, 10) metres per unit of each beta."""
    joints = body.rest_joints(np.zeros(BETA_COUNT))
    return joints, np.moveaxis(body.rest_joints(np.eye(BETA_COUNT)) - joints, 0, -1)


def _landmarks(body: BodyModel, joints: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(K, 3) used landmarks for zero betas and (K, 3, 10) metres per unit of each beta."""
    points, slopes = np.zeros((len(USED), 3)), np.zeros((len(USED), 3, BETA_COUNT))
    for mark, (_, vertex) in _VERTICES.items():
        points[PLACE[mark]], slopes[PLACE[mark]] = body.template[vertex], body.shape_directions[vertex]
    for mark, (_, joint) in _JOINTS.items():
        points[PLACE[mark]], slopes[PLACE[mark]] = joints[joint], directions[joint]
    for mark, (joint, side) in _HIPS.items():
        for target, source in ((points, joints), (slopes, directions)):
            target[PLACE[mark]] = source[joint]
            shoulders, middle = source[LEFT_SHOULDER] - source[RIGHT_SHOULDER], source[LEFT_HIP] + source[RIGHT_HIP]
            target[PLACE[mark]][0] = middle[0] / 2 + side * HIPS_OF_SHOULDERS * shoulders[0]
    return points, slopes
