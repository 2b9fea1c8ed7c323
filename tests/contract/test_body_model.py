# SPDX-License-Identifier: GPL-3.0-or-later
"""The body model agrees with smplx, puts heads where they were predicted, and refuses what is not a SMPL-X body."""

import shutil

import numpy as np
import pytest

from engine.contract.body_model import (
    VERTEX_COUNT,
    BodyModel,
    default_body_path,
    joint_transforms,
    pose_corrective_weights,
)
from engine.contract.errors import UserError
from engine.contract.rotations import axis_angle_to_matrix
from engine.contract.skeleton import HEAD, LEFT_ELBOW, LEFT_HAND, LEFT_WRIST, PARENTS, PELVIS, RIGHT_HAND


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return BodyModel.load(default_body_path())


@pytest.fixture(scope="module")
def file_arrays() -> dict[str, np.ndarray]:
    with np.load(default_body_path()) as archive:
        return dict(archive)


def _parameters(seed: int, *batch: int, spread: float = 0.5) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "betas": rng.normal(size=(*batch, 10)) * 1.5,
        "expression": rng.normal(size=(*batch, 10)),
        "pose_axis_angle": rng.normal(size=(*batch, 55, 3)) * spread,
        "translation": rng.normal(size=(*batch, 3)) * 3,
    }


def _smplx_result(folder, parameters: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and 55 joints from the smplx package, whose model lies in folder/smplx/SMPLX_NEUTRAL.npz."""
    smplx, torch = pytest.importorskip("smplx"), pytest.importorskip("torch")
    model = smplx.create(
        str(folder), model_type="smplx", gender="neutral", ext="npz", use_pca=False, flat_hand_mean=True,
        num_betas=10, num_expression_coeffs=10,
    )  # fmt: skip

    def row(values: np.ndarray):
        return torch.tensor(values, dtype=torch.float32).reshape(1, -1)

    pose = parameters["pose_axis_angle"]
    with torch.no_grad():
        output = model(
            betas=row(parameters["betas"]), expression=row(parameters["expression"]), global_orient=row(pose[0]),
            body_pose=row(pose[1:22]), jaw_pose=row(pose[22]), leye_pose=row(pose[23]), reye_pose=row(pose[24]),
            left_hand_pose=row(pose[LEFT_HAND]), right_hand_pose=row(pose[RIGHT_HAND]),
            transl=row(parameters["translation"]),
        )  # fmt: skip
    return output.vertices[0].numpy(), output.joints[0, :55].numpy()


def _assert_agrees(body: BodyModel, folder, parameters: dict[str, np.ndarray]) -> None:
    vertices, joints = _smplx_result(folder, parameters)
    np.testing.assert_allclose(body.vertices(**parameters), vertices, atol=1e-5)
    rotations = axis_angle_to_matrix(parameters["pose_axis_angle"])
    ours = body.posed_joints(rotations, parameters["betas"], parameters["expression"], parameters["translation"])
    np.testing.assert_allclose(ours, joints, atol=1e-5)


def _save(folder, arrays: dict[str, np.ndarray]):
    (folder / "smplx").mkdir()
    path = folder / "smplx" / "SMPLX_NEUTRAL.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_smplx(body, tmp_path, seed):
    (tmp_path / "smplx").mkdir()
    shutil.copy(default_body_path(), tmp_path / "smplx" / "SMPLX_NEUTRAL.npz")
    _assert_agrees(body, tmp_path, _parameters(seed))


def test_agrees_with_smplx_on_a_released_size_file(tmp_path, file_arrays):
    rng = np.random.default_rng(5)
    wide = rng.normal(size=(VERTEX_COUNT, 3, 400)).astype(np.float32) * 2e-3
    path = _save(tmp_path, {**file_arrays, "shapedirs": wide, "joint2num": np.array({"released": "a pickle"})})
    body = BodyModel.load(path)
    np.testing.assert_array_equal(body.expression_directions, wide[..., 300:310])
    _assert_agrees(body, tmp_path, _parameters(9))


def test_pose_correctives_are_what_smplx_adds(body):
    parameters = _parameters(4) | {"betas": np.zeros(10), "expression": np.zeros(10)}
    rotations = axis_angle_to_matrix(parameters["pose_axis_angle"])
    offsets = body.pose_corrective_offsets(rotations)
    expected = body.pose_directions @ pose_corrective_weights(rotations)
    np.testing.assert_allclose(offsets, expected, atol=1e-6)
    assert np.abs(offsets).max() > 1e-3
    skinned = body.vertices(**parameters, with_pose_correctives=False)
    moved = body.skin(body.template + offsets, rotations, body.rest_joints(np.zeros(10)), parameters["translation"])
    np.testing.assert_allclose(moved, body.vertices(**parameters), atol=1e-6)
    assert np.abs(moved - skinned).max() > 1e-3


def test_batches_equal_single_bodies(body):
    parameters = _parameters(2, 2, 3)
    vertices = body.vertices(**parameters)
    rotations = axis_angle_to_matrix(parameters["pose_axis_angle"])
    joints = body.posed_joints(rotations, parameters["betas"], parameters["expression"])
    assert vertices.shape == (2, 3, VERTEX_COUNT, 3)
    assert joints.shape == (2, 3, 55, 3)
    one = {name: values[1, 2] for name, values in parameters.items()}
    np.testing.assert_allclose(vertices[1, 2], body.vertices(**one), atol=2e-6)
    np.testing.assert_allclose(joints[1, 2], body.posed_joints(rotations[1, 2], one["betas"], one["expression"]))


def test_one_shape_for_many_frames(body):
    rotations = axis_angle_to_matrix(_parameters(6, 7)["pose_axis_angle"])
    betas = _parameters(6)["betas"]
    joints = body.posed_joints(rotations, betas)
    assert joints.shape == (7, 55, 3)
    np.testing.assert_allclose(joints[3], body.posed_joints(rotations[3], betas))


def test_forward_kinematics_by_hand(body):
    rest = body.rest_joints(np.zeros(10))
    rotations = np.tile(np.eye(3), (55, 1, 1))
    np.testing.assert_allclose(joint_transforms(rotations, rest)[:, :3, 3], rest, atol=1e-15)
    rotations[LEFT_ELBOW] = axis_angle_to_matrix([0.0, -np.pi / 2, 0.0])  # the forearm swings from +x to +z
    forearm = rest[LEFT_WRIST] - rest[LEFT_ELBOW]
    transforms = joint_transforms(rotations, rest)
    expected = rest[LEFT_ELBOW] + [-forearm[2], forearm[1], forearm[0]]
    np.testing.assert_allclose(transforms[LEFT_WRIST, :3, 3], expected, atol=1e-12)
    np.testing.assert_array_equal(transforms[:, 3], np.tile([0.0, 0, 0, 1], (55, 1)))


def test_bones_keep_their_lengths(body):
    parameters = _parameters(8, 20, spread=2.0)
    rest = body.rest_joints(parameters["betas"])
    posed = body.posed_joints(axis_angle_to_matrix(parameters["pose_axis_angle"]), parameters["betas"])
    parents = list(PARENTS[1:])
    lengths = [np.linalg.norm(joints[:, 1:] - joints[:, parents], axis=-1) for joints in (rest, posed)]
    np.testing.assert_allclose(lengths[0], lengths[1], atol=1e-12)


def test_head_lands_on_the_predicted_point(body):
    parameters = _parameters(3, 50)
    rotations = axis_angle_to_matrix(parameters["pose_axis_angle"])
    betas, expression, head = parameters["betas"], parameters["expression"], parameters["translation"] + [0, 0, 5]
    translation = body.translation_from_head(rotations, betas, expression, head)
    joints = body.posed_joints(rotations, betas, expression, translation)
    np.testing.assert_allclose(joints[:, HEAD], head, atol=1e-12)
    pelvis = body.pelvis_from_head(rotations, betas, expression, head)
    np.testing.assert_allclose(joints[:, PELVIS], pelvis, atol=1e-12)


def test_translation_is_the_formula_of_the_model(body):
    """t_head - R (j_head - j_pelvis) - j_pelvis, joints of the posed body before its root rotation."""
    parameters = _parameters(12)
    rotations = axis_angle_to_matrix(parameters["pose_axis_angle"])
    upright = rotations.copy()
    upright[PELVIS] = np.eye(3)
    joints = body.posed_joints(upright, parameters["betas"])
    head = np.array([0.3, -0.2, 4.0])
    expected = head - rotations[PELVIS] @ (joints[HEAD] - joints[PELVIS]) - joints[PELVIS]
    given = rotations.copy()
    np.testing.assert_allclose(body.translation_from_head(given, parameters["betas"], None, head), expected, atol=1e-12)
    np.testing.assert_array_equal(given, rotations)


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"J_regressor": np.zeros((24, 6890)), "v_template": np.zeros((6890, 3))}, "body-not-smplx", "SMPL body"),
        ({"J_regressor": np.zeros((52, 6890)), "v_template": np.zeros((6890, 3))}, "body-not-smplx", "SMPL-H body"),
        ({"v_template": np.zeros((6890, 3))}, "body-not-smplx", "6890"),
        ({"posedirs": np.zeros((VERTEX_COUNT, 3, 207))}, "body-damaged", "posedirs"),
        ({"shapedirs": np.zeros((VERTEX_COUNT, 3, 10))}, "body-damaged", "shapedirs"),
        ({"kintree_table": np.zeros((2, 55), dtype=int)}, "body-not-smplx", "order"),
        ({"weights": None}, "body-not-smplx", "weights"),
        ({"v_template": np.array([{"a": "pickle"}])}, "body-unreadable", "cannot be read"),
    ],
)
def test_other_bodies_are_refused(tmp_path, file_arrays, changes, code, says):
    arrays = {name: array for name, array in (file_arrays | changes).items() if array is not None}
    path = _save(tmp_path, arrays)
    with pytest.raises(UserError) as caught:
        BodyModel.load(path)
    assert caught.value.code == code
    assert says in caught.value.message
    assert path.name in caught.value.message
    assert caught.value.remedy


def test_other_files_are_refused(tmp_path):
    with pytest.raises(UserError, match="body-missing"):
        BodyModel.load(tmp_path / "nothing.npz")
    for content in (b"", b"a text", b"\x80\x04\x95 a pickle", b"PK\x03\x04 half a zip"):
        path = tmp_path / "body.npz"
        path.write_bytes(content)
        with pytest.raises(UserError, match="body-unreadable"):
            BodyModel.load(path)
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(UserError, match="body-unreadable"):
        BodyModel.load(tmp_path / "array.npy")


def test_wrong_number_of_coefficients_is_an_error(body):
    with pytest.raises(ValueError, match="10"):
        body.rest_joints(np.zeros(16))
