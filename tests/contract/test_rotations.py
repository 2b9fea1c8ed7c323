# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations agree with scipy, survive round trips at the awkward angles, and stay continuous in time."""

import numpy as np
import pytest

from engine.contract import rotations, skeleton

ANGLES = (0.0, 1e-300, 1e-12, 1e-9, 1e-7, 1e-4, 0.5, 2.0, np.pi - 1e-4, np.pi - 1e-7, np.pi - 1e-9, np.pi)


def _axes(count: int) -> np.ndarray:
    rng = np.random.default_rng(7)
    axes = np.concatenate([np.eye(3), -np.eye(3), rng.normal(size=(count, 3))])
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def _vectors() -> np.ndarray:
    """(axes, angles, 3): every axis at every awkward angle."""
    return _axes(200)[:, None, :] * np.array(ANGLES)[None, :, None]


@pytest.fixture(scope="module")
def reference():
    """scipy's rotations for the same vectors (Blender's Python has no scipy)."""
    rotation = pytest.importorskip("scipy.spatial.transform").Rotation
    return rotation.from_rotvec(_vectors().reshape(-1, 3))


def test_quaternions_agree_with_scipy(reference):
    ours = rotations.axis_angle_to_quaternion(_vectors()).reshape(-1, 4)
    np.testing.assert_allclose(ours, np.roll(reference.as_quat(), 1, axis=-1), atol=1e-14)


def test_matrices_agree_with_scipy(reference):
    ours = rotations.axis_angle_to_matrix(_vectors()).reshape(-1, 3, 3)
    np.testing.assert_allclose(ours, reference.as_matrix(), atol=1e-14)


def test_matrices_are_rotations():
    matrices = rotations.axis_angle_to_matrix(_vectors() * 5.0)
    identity = np.broadcast_to(np.eye(3), matrices.shape)
    np.testing.assert_allclose(matrices @ np.swapaxes(matrices, -1, -2), identity, atol=1e-14)
    np.testing.assert_allclose(np.linalg.det(matrices), 1.0, atol=1e-14)


def test_matrix_to_quaternion_agrees_with_scipy_up_to_sign(reference):
    matrices = rotations.axis_angle_to_matrix(_vectors())
    ours = rotations.matrix_to_quaternion(matrices).reshape(-1, 4)
    expected = np.roll(reference.as_quat(), 1, axis=-1)
    assert (ours[:, 0] >= 0).all()
    np.testing.assert_allclose(np.abs(np.sum(ours * expected, axis=-1)), 1.0, atol=1e-14)


def test_axis_angle_survives_both_round_trips():
    vectors = _vectors()[:, :-1]  # at exactly pi the axis may turn round; that is the next test
    by_matrix = rotations.matrix_to_axis_angle(rotations.axis_angle_to_matrix(vectors))
    by_quaternion = rotations.quaternion_to_axis_angle(rotations.axis_angle_to_quaternion(vectors))
    np.testing.assert_allclose(by_quaternion, vectors, atol=1e-12, rtol=1e-12)
    np.testing.assert_allclose(by_matrix, vectors, atol=1e-7)
    tiny = np.array([1e-9, -2e-9, 3e-10])
    np.testing.assert_allclose(rotations.matrix_to_axis_angle(rotations.axis_angle_to_matrix(tiny)), tiny, rtol=1e-6)


def test_half_turns_keep_axis_and_angle():
    axes = _axes(300)
    recovered = rotations.matrix_to_axis_angle(rotations.axis_angle_to_matrix(np.pi * axes))
    np.testing.assert_allclose(np.linalg.norm(recovered, axis=-1), np.pi, atol=1e-14)
    np.testing.assert_allclose(np.abs(np.sum(recovered * axes, axis=-1)), np.pi, atol=1e-12)


def test_float32_matrices_with_noise_give_unit_quaternions():
    rng = np.random.default_rng(3)
    matrices = rotations.axis_angle_to_matrix(rng.normal(size=(500, 3)) * 2).astype(np.float32)
    quaternions = rotations.matrix_to_quaternion(matrices + rng.normal(size=matrices.shape).astype(np.float32) * 1e-5)
    np.testing.assert_allclose(np.linalg.norm(quaternions, axis=-1), 1.0, atol=1e-14)
    np.testing.assert_allclose(rotations.quaternion_to_matrix(quaternions), matrices, atol=1e-4)


def test_multiplication_composes_like_matrices():
    rng = np.random.default_rng(11)
    first, second = rng.normal(size=(2, 4, 5, 4))
    product = rotations.quaternion_multiply(first, second)
    composed = rotations.quaternion_to_matrix(first) @ rotations.quaternion_to_matrix(second)
    np.testing.assert_allclose(rotations.quaternion_to_matrix(product), composed, atol=1e-13)
    unit = first / np.linalg.norm(first, axis=-1, keepdims=True)
    identity = rotations.quaternion_multiply(unit, rotations.quaternion_conjugate(unit))
    np.testing.assert_allclose(identity, np.broadcast_to([1.0, 0, 0, 0], identity.shape), atol=1e-14)


def test_random_signs_become_continuous_again():
    rng = np.random.default_rng(5)
    time = np.linspace(0.0, 6 * np.pi, 400)  # three full turns: the angle passes pi, where w changes sign
    smooth = rotations.axis_angle_to_quaternion(time[:, None, None] * _axes(3)[None])
    flipped = smooth * rng.choice([-1.0, 1.0], size=(400, smooth.shape[1], 1))
    flipped[0] = smooth[0]
    np.testing.assert_allclose(rotations.continuous_quaternions(flipped), smooth, atol=0)


def test_appended_quaternions_continue_the_track():
    time = np.linspace(0.0, 2 * np.pi, 50)
    smooth = rotations.axis_angle_to_quaternion(time[:, None] * np.array([0.0, 1.0, 0.0]))
    canonical = np.where(smooth[:, :1] < 0, -smooth, smooth)
    first = rotations.continuous_quaternions(canonical[:30])
    rest = rotations.continuous_quaternions(canonical[30:], previous=first[-1])
    np.testing.assert_array_equal(np.concatenate([first, rest]), rotations.continuous_quaternions(canonical))
    assert rotations.continuous_quaternions(np.zeros((0, 55, 4))).shape == (0, 55, 4)


def test_skeleton_is_a_tree_whose_parents_come_first():
    assert len(skeleton.JOINT_NAMES) == len(set(skeleton.JOINT_NAMES)) == len(skeleton.PARENTS) == 55
    assert all(parent < joint for joint, parent in enumerate(skeleton.PARENTS))
    for joint, mirror in enumerate(skeleton.MIRRORED):
        assert skeleton.MIRRORED[mirror] == joint
        if joint:
            assert skeleton.MIRRORED[skeleton.PARENTS[joint]] == skeleton.PARENTS[mirror]


def test_skeleton_names_are_those_of_smplx():
    names = pytest.importorskip("smplx.joint_names").JOINT_NAMES[:55]
    assert [name.removesuffix("_smplhf") for name in names] == list(skeleton.JOINT_NAMES)


def test_human3r_rotations_find_their_joints():
    codes = np.arange(53, dtype=np.float64)[:, None, None] * np.ones((2, 1, 3, 3))
    joints = skeleton.rotations_from_human3r(codes)
    assert joints.shape == (2, 55, 3, 3)
    assert joints[0, skeleton.JAW, 0, 0] == 52
    assert joints[0, skeleton.JOINT_INDEX["left_index1"], 0, 0] == 22
    assert joints[0, skeleton.JOINT_INDEX["right_index1"], 0, 0] == 37
    np.testing.assert_array_equal(joints[1, skeleton.LEFT_EYE], np.eye(3))
    with pytest.raises(ValueError, match="53"):
        skeleton.rotations_from_human3r(joints)
