# SPDX-License-Identifier: GPL-3.0-or-later
"""The heading of a body, known by how it was turned."""

import numpy as np
import pytest

from engine.contract.rotations import axis_angle_to_quaternion, matrix_to_quaternion, quaternion_to_matrix
from engine.motion.root_motion import headings

UP = np.array([0.0, 0.0, 1.0])


def _turned(angles, tilt_axis_angle):
    """Bodies that are tilted first and then turned about the vertical."""
    turn = quaternion_to_matrix(axis_angle_to_quaternion(np.asarray(angles)[:, None] * UP))
    return matrix_to_quaternion(turn @ quaternion_to_matrix(axis_angle_to_quaternion(np.asarray(tilt_axis_angle))))


@pytest.mark.parametrize("tilt", [[0, 0, 0], [-np.pi / 2, 0, 0], [0.4, -0.7, 0]], ids=["upright", "lying", "bowed"])
def test_many_turns_are_counted_through(tilt):
    wanted = np.linspace(0, 6 * np.pi, 200)
    found = headings(_turned(wanted, tilt), UP)
    np.testing.assert_allclose(found - found[0], wanted, atol=1e-9)


def test_signs_of_quaternions_do_not_matter():
    turns = _turned(np.linspace(0, 3, 50), [0.2, 0.1, 0])
    turns[::2] *= -1
    np.testing.assert_allclose(np.diff(headings(turns, UP)), 3 / 49, atol=1e-9)


def test_a_somersault_keeps_its_heading():
    tilts = np.linspace(0, 2 * np.pi, 120)[:, None] * np.array([1.0, 0, 0])
    turns = np.array([_turned([0.5], tilt)[0] for tilt in tilts])
    found = headings(turns, UP)
    assert np.abs(np.diff(found)).max() < 0.1
