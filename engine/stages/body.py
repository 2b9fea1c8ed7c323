# SPDX-License-Identifier: GPL-3.0-or-later
"""From what the network says about people to SMPL-X parameters in standard form."""

from __future__ import annotations

import numpy as np

from ..contract.body_model import BodyModel
from ..contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from ..contract.skeleton import rotations_from_human3r
from ..estimate import Bodies
from ..model.prediction import People


def standard_bodies(people: People, betas: np.ndarray, head_point: np.ndarray, body_model: BodyModel) -> Bodies:
    """The people of one frame, with (n, 10) betas; `head_point` (n, 3) is where their head joints lie in the
    contract's camera frame."""
    rotations = rotations_from_human3r(people.rotations.float().cpu().numpy())  # Metal has no float64
    pose_axis_angle = matrix_to_axis_angle(rotations)
    expression = people.expression.float().cpu().numpy()
    # In reduced precision the network's matrices are not quite rotations: what is sent must fit together.
    rotations = axis_angle_to_matrix(pose_axis_angle)
    translation = body_model.translation_from_head(rotations, betas, expression, head_point)
    return Bodies(pose_axis_angle, betas, expression, translation, head_point)
