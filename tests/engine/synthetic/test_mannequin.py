# SPDX-License-Identifier: GPL-3.0-or-later
"""The bundled mannequin is a sound mesh, a plausible person, symmetric, and what its generator makes."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.rotations import axis_angle_to_matrix
from engine.contract.skeleton import (
    HEAD,
    JAW,
    JOINT_INDEX,
    JOINT_NAMES,
    LEFT_ELBOW,
    LEFT_EYE,
    LEFT_FOOT,
    LEFT_HAND,
    LEFT_KNEE,
    MIRRORED,
    RIGHT_EYE,
)  # fmt: skip
from engine.synthetic.mannequin import build
from engine.synthetic.mannequin.anatomy import FLOOR, Proportions, skeleton_joints
from engine.synthetic.mannequin.face import EXPRESSIONS
from engine.synthetic.mannequin.field import build_anatomy
from engine.synthetic.mannequin.lattice import build_lattice
from engine.synthetic.mannequin.mesh import fitted_vertices

MIRROR = np.array([-1.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return BodyModel.load(default_body_path())


@pytest.fixture(scope="module")
def twins(body) -> np.ndarray:
    """(V,) the vertex on the other side."""
    return cKDTree(body.template).query(body.template * MIRROR)[1]


def _beta(name: str, value: float) -> np.ndarray:
    return value * np.eye(10)[build.SHAPES.index(name)]


def _expression(name: str, value: float) -> np.ndarray:
    return value * np.eye(10)[EXPRESSIONS.index(name)]


def _pose(**degrees: tuple[float, float, float]) -> np.ndarray:
    pose = np.zeros((55, 3))
    for name, angles in degrees.items():
        pose[JOINT_INDEX[name]] = np.radians(angles)
    return pose


def _volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = np.moveaxis(vertices[faces].astype(np.float64), 1, 0)
    return float(np.sum(a * np.cross(b, c)) / 6)


def _turns(point: np.ndarray, vertices: np.ndarray, faces: np.ndarray) -> float:
    """How often the surface encloses the point: one inside, zero outside."""
    a, b, c = np.moveaxis(vertices[faces] - point, 1, 0)
    la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
    top = np.sum(a * np.cross(b, c), axis=1)
    ab, bc, ca = np.sum(a * b, axis=1), np.sum(b * c, axis=1), np.sum(c * a, axis=1)
    return float(np.sum(2 * np.arctan2(top, la * lb * lc + ab * lc + bc * la + ca * lb)) / (4 * np.pi))


def test_surface_is_closed_and_consistently_oriented(body):
    edges = np.concatenate([body.faces[:, [a, (a + 1) % 3]] for a in range(3)])
    directed = set(map(tuple, edges.tolist()))
    assert len(directed) == len(edges)
    assert all((b, a) in directed for a, b in directed)
    # Three closed surfaces without handles: the body and two eyeballs.
    assert len(body.template) - len(edges) // 2 + len(body.faces) == 6
    assert len(np.unique(body.faces)) == len(body.template)
    corners = body.template[body.faces].astype(np.float64)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    assert area.min() > 1e-9


def test_height_and_volume_are_human(body):
    assert np.ptp(body.template[:, 1]) == pytest.approx(1.70, abs=0.005)
    assert np.ptp(body.template[:, 0]) == pytest.approx(1.70, abs=0.08)  # span about height
    assert 0.055 < _volume(body.template, body.faces) < 0.08  # 55 to 80 kg


def test_left_and_right_are_mirror_images(body, twins):
    np.testing.assert_allclose(body.template[twins], body.template * MIRROR, atol=2e-6)
    sided = list(MIRRORED)
    np.testing.assert_allclose(body.weights[twins][:, sided], body.weights, atol=2e-3)
    np.testing.assert_allclose(body.shape_directions[twins], body.shape_directions * MIRROR[:, None], atol=2e-5)
    rest = body.rest_joints(np.zeros(10))
    np.testing.assert_allclose(rest[sided], rest * MIRROR, atol=1e-6)


def test_soles_stand_on_one_level(body):
    for side in (1, -1):
        sole = body.template[(body.template[:, 0] * side > 0) & (body.template[:, 1] < FLOOR + 1e-4)]
        assert len(sole) > 40
        assert np.ptp(sole[:, 2]) > 0.15
    assert body.template[:, 1].min() == pytest.approx(FLOOR, abs=1e-5)


def test_joints_lie_inside(body):
    for name, joint in zip(JOINT_NAMES, body.rest_joints(np.zeros(10)), strict=True):
        inside = _turns(joint, body.template.astype(np.float64), body.faces)
        assert inside > 0.9, f"{name} is outside ({inside:.2f})"


def test_regressed_joints_are_those_of_the_generator(body):
    np.testing.assert_allclose(body.rest_joints(np.zeros(10)), skeleton_joints(Proportions()), atol=1e-5)
    for name in build.SHAPES[1:]:
        wanted = skeleton_joints(Proportions(**{name: 1.0})) - skeleton_joints(Proportions(**{name: -1.0}))
        moved = body.rest_joints(_beta(name, 1)) - body.rest_joints(_beta(name, -1))
        np.testing.assert_allclose(moved, wanted, atol=0.006, err_msg=name)


def test_weights_are_few_smooth_and_whole(body):
    assert np.abs(body.weights.sum(axis=1) - 1).max() < 1e-6
    assert body.weights.min() >= 0
    assert (body.weights > 0).sum(axis=1).max() <= 4
    edges = np.concatenate([body.faces[:, [a, (a + 1) % 3]] for a in range(3)])
    jump = np.abs(body.weights[edges[:, 0]] - body.weights[edges[:, 1]]).max(axis=1)
    assert np.quantile(jump, 0.99) < 0.45


def test_weights_do_not_leak_to_the_other_side(body):
    for joint, name in enumerate(JOINT_NAMES):
        if name.startswith("left_"):
            reached = body.template[body.weights[:, joint] > 0.02]
            assert reached[:, 0].min() > -0.045, name  # at the crotch the hips share
    leg = [JOINT_INDEX[name] for name in ("left_knee", "left_ankle", "left_foot")]
    assert body.template[body.weights[:, leg].any(axis=1)][:, 0].min() > 0.01


def test_fingers_do_not_leak_into_each_other(body):
    fingers = body.weights[:, LEFT_HAND].reshape(-1, 5, 3)
    beyond_the_knuckle = fingers[:, :, 1:].sum(axis=2)
    for finger in range(5):
        others = np.delete(fingers.sum(axis=2), finger, axis=1).sum(axis=1)
        assert others[beyond_the_knuckle[:, finger] > 0.5].max() < 0.02


def test_vertices_that_programs_know_by_number_are_in_their_places(body):
    ids = pytest.importorskip("smplx.vertex_ids").vertex_ids["smplx"]
    rest, template = body.rest_joints(np.zeros(10)), body.template
    assert sorted(ids.values()) == sorted(build.FIXED_VERTICES.values())
    ends = np.array([joint for joint, name in enumerate(JOINT_NAMES) if name[-1] == "3" and "spine" not in name])
    for letter, side in (("l", "left"), ("r", "right")):
        sign = 1 if side == "left" else -1
        for finger in ("thumb", "index", "middle", "ring", "pinky"):
            tip = template[ids[letter + finger]]
            gaps = np.linalg.norm(rest[ends] - tip, axis=1)
            assert JOINT_NAMES[ends[np.argmin(gaps)]] == f"{side}_{finger}3"
            assert 0.012 < gaps.min() < 0.035
        eye = rest[LEFT_EYE if side == "left" else RIGHT_EYE]
        np.testing.assert_allclose(template[ids[f"{letter}eye"]], eye + np.array([0, 0, 0.013]), atol=2e-3)
        assert sign * template[ids[f"{letter}ear"]][0] > 0.075
        toe, small = template[ids[f"{side[0].upper()}BigToe"]], template[ids[f"{side[0].upper()}SmallToe"]]
        heel, ball = template[ids[f"{side[0].upper()}Heel"]], rest[LEFT_FOOT] * [sign, 1, 1]
        assert toe[2] > ball[2] + 0.06
        assert sign * small[0] > sign * toe[0] + 0.05
        assert heel[2] < ball[2] - 0.16
    assert ids["nose"] == np.argmax(np.where(template[:, 1] > 0.2, template[:, 2], -np.inf))


def test_landmarks_lie_on_the_face(body):
    with np.load(default_body_path()) as file:
        triangles, shares = file["lmk_faces_idx"], file["lmk_bary_coords"]
    points = np.einsum("nc,ncd->nd", shares, body.template[body.faces[triangles]])
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    assert points[:, 2].min() > 0.04
    brows, eyes, nose_tip, mouth = points[:10, 1], points[19:31, 1], points[13], points[31:51, 1]
    assert brows.min() > eyes.max() > eyes.min() > nose_tip[1] > mouth.max()
    assert mouth[9] < mouth.min() + 1e-3  # the middle of the lower rim
    assert nose_tip[2] == points[:, 2].max()


@pytest.mark.parametrize(
    ("name", "grows"),
    [("height", (0.10, 0.13)), ("legs", (0.06, 0.08)), ("head", (0.01, 0.025)), ("weight", (-0.005, 0.01))],
)
def test_stature_follows_the_betas(body, name, grows):
    taller = [np.ptp(body.rest_vertices(_beta(name, value))[:, 1]) for value in (-1, 1)]
    assert grows[0] / 2 < (taller[1] - taller[0]) / 2 < grows[1]


def test_shapes_change_what_their_names_say(body):
    def half_width(vertices, low, high):
        belt = vertices[(vertices[:, 1] > low) & (vertices[:, 1] < high) & (np.abs(vertices[:, 0]) < 0.3)]
        return belt[:, 0].max(), belt[:, 2].max()

    thin, stout = (body.rest_vertices(_beta("weight", value)) for value in (-2, 2))
    assert _volume(stout, body.faces) > 1.3 * _volume(thin, body.faces)
    flat, round_ = (half_width(body.rest_vertices(_beta("belly", value)), -0.3, -0.2) for value in (-1, 1))
    assert round_[1] > flat[1] + 0.02
    narrow, broad = (half_width(body.rest_vertices(_beta("hips", value)), -0.45, -0.35) for value in (-1, 1))
    assert broad[0] > narrow[0] + 0.01
    reach = [np.ptp(body.rest_vertices(_beta("arms", value))[:, 0]) for value in (-1, 1)]
    assert reach[1] > reach[0] + 0.06


def test_bodies_stay_sound_within_everyday_betas(body):
    rng = np.random.default_rng(1)
    for betas in rng.uniform(-2, 2, size=(6, 10)):
        vertices = body.rest_vertices(betas)
        assert _volume(vertices, body.faces) > 0.03
        joints = body.rest_joints(betas)
        for joint in (HEAD, LEFT_ELBOW, LEFT_KNEE):
            assert _turns(joints[joint], vertices.astype(np.float64), body.faces) > 0.9


def test_expressions_move_the_face_alone(body, twins):
    moved = np.abs(body.expression_directions).max(axis=(1, 2)) > 0
    assert 100 < moved.sum() < 1500
    assert body.template[moved][:, 1].min() > 0.2
    assert body.template[moved][:, 2].min() > 0.0
    assert (np.abs(body.expression_directions).max(axis=(0, 1)) > 0.0015).all()
    directions = body.expression_directions
    np.testing.assert_allclose(directions[twins], directions * MIRROR[:, None], atol=2e-4)
    joints = body.rest_joints(np.zeros(10), np.full(10, 2.0))
    np.testing.assert_allclose(joints, body.rest_joints(np.zeros(10)), atol=1e-6)


def test_smile_lifts_and_widens_the_mouth_and_lids_close(body):
    corner = np.argmin(np.linalg.norm(body.template - [0.0235, 0.2565, 0.080], axis=1))
    smile = body.rest_vertices(np.zeros(10), _expression("smile", 2))[corner] - body.template[corner]
    assert smile[0] > 0.006
    assert smile[1] > 0.006
    closed = body.rest_vertices(np.zeros(10), _expression("eyes_closed", 2)) - body.template
    assert closed[:, 1].min() < -0.007


def test_jaw_opens_the_mouth(body):
    wide = body.vertices(np.zeros(10), None, _pose(jaw=(20, 0, 0))) - body.template
    chin = np.argmin(np.linalg.norm(body.template - [0, 0.231, 0.093], axis=1))
    nose = build.FIXED_VERTICES["nose"]
    assert wide[chin, 1] < -0.02
    np.testing.assert_allclose(wide[nose], 0, atol=1e-4)
    lip = [np.linalg.norm(body.template - [0, y, 0.098], axis=1).argmin() for y in (0.262, 0.251)]
    assert wide[lip[0], 1] > -0.002
    assert wide[lip[1], 1] < -0.015


def test_eyes_turn_alone(body):
    turned = np.abs(body.vertices(np.zeros(10), None, _pose(left_eye=(0, 20, 0))) - body.template).max(axis=1) > 1e-5
    ball = np.linalg.norm(body.template - body.rest_joints(np.zeros(10))[LEFT_EYE], axis=1) < 0.0135
    assert turned.sum() > 150
    assert not (turned & ~ball).any()


@pytest.mark.parametrize("bend", [{"left_elbow": (0, -100, 0)}, {"left_knee": (100, 0, 0)}, {"left_hip": (-90, 0, 0)}])
def test_correctives_give_back_volume(body, bend):
    pose = _pose(**bend)
    rest = _volume(body.template, body.faces)
    plain, corrected = (
        _volume(body.vertices(np.zeros(10), None, pose, None, with_pose_correctives=flag), body.faces)
        for flag in (False, True)
    )
    assert abs(corrected - rest) < abs(plain - rest)


def test_correctives_are_modest_and_sparse(body):
    used = body.pose_directions != 0
    assert 0.001 < used.mean() < 0.02
    assert np.abs(body.pose_directions).max() < 0.0125
    rest = body.pose_corrective_offsets(np.tile(np.eye(3), (55, 1, 1)))
    assert not rest.any()


def test_bending_the_left_arm_leaves_the_right_side_alone(body):
    rng = np.random.default_rng(0)
    pose = _pose(left_shoulder=(0, 0, -60), left_elbow=(0, -90, 0))
    pose[LEFT_HAND] = rng.normal(size=(15, 3)) * 0.5
    moved = np.linalg.norm(body.vertices(np.zeros(10), None, pose) - body.template, axis=1)
    assert moved[body.template[:, 0] < -0.02].max() < 1e-6


def test_head_carries_the_face_and_the_jaw_joint(body):
    pose = _pose(head=(0, 40, 0))
    joints = body.posed_joints(axis_angle_to_matrix(pose), np.zeros(10))
    rest = body.rest_joints(np.zeros(10))
    np.testing.assert_allclose(joints[HEAD], rest[HEAD], atol=1e-12)
    offset = axis_angle_to_matrix(pose[HEAD]) @ (rest[JAW] - rest[HEAD])
    np.testing.assert_allclose(joints[JAW], rest[HEAD] + offset, atol=1e-12)
    nose = build.FIXED_VERTICES["nose"]
    face = body.vertices(np.zeros(10), None, pose)[nose]
    wanted = rest[HEAD] + axis_angle_to_matrix(pose[HEAD]) @ (body.template[nose] - rest[HEAD])
    np.testing.assert_allclose(face, wanted, atol=1e-3)


def test_file_is_small_and_says_where_it_comes_from():
    assert default_body_path().stat().st_size < 1.5e6
    with np.load(default_body_path(), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    assert str(arrays["generator"].item()) == build.GENERATOR
    assert "CC0" in str(arrays["licence"].item())


def test_template_is_what_the_generator_makes(body):
    fitted = fitted_vertices(build_lattice(), build_anatomy(Proportions()))
    gap, _ = cKDTree(body.template).query(fitted)
    assert gap.max() < 1e-5


@pytest.mark.slow
def test_file_is_what_the_generator_makes(tmp_path):
    arrays = build.build_arrays()
    with np.load(default_body_path()) as file:
        assert set(file.files) == set(arrays)
        for name in file.files:
            if file[name].dtype.kind == "f":
                np.testing.assert_allclose(file[name], arrays[name], atol=1e-4, err_msg=name)
            else:
                np.testing.assert_array_equal(file[name].ravel(), arrays[name].ravel(), err_msg=name)
    for name in ("first.npz", "second.npz"):
        build.write(tmp_path / name, arrays)
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()
