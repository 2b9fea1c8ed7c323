# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen of hands and faces goes on to bodies: real networks, rendered heads, bodies that are fitted anew."""

from __future__ import annotations

import copy
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.errors import UserError
from engine.contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from engine.contract.skeleton import (
    HEAD,
    JAW,
    LEFT_ELBOW,
    LEFT_HAND,
    LEFT_WRIST,
    NECK,
    PELVIS,
    RIGHT_HAND,
    RIGHT_WRIST,
    SPINE3,
)
from engine.landmarks.extremities import extremities
from engine.landmarks.extremities.extremities import Extremities, nothing_seen, rotation_of, stored
from engine.landmarks.extremities.hands import Refusal
from engine.landmarks.extremities.hands_and_face import HandsAndFace, HandsAndFaceSettings
from engine.landmarks.networks.networks import Networks
from engine.landmarks.observations import FittedBodies, Pinhole
from engine.landmarks.turns import turn_to_ray

from .seen_people import CAMERA, HEIGHT, WIDTH, people_of, project, standing

BLACK = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return BodyModel.load(default_body_path())


@pytest.fixture(scope="module")
def networks() -> Networks:
    return Networks.load(torch.device("cpu"))


def some_extremities(seed: int, count: int = 1) -> Extremities:
    """Both hands and the face of each seen, turned a little against a body that faces the camera."""
    rng = np.random.default_rng(seed)
    facing = axis_angle_to_matrix(np.array([np.pi, 0.0, 0.0]))

    def turns(degrees: float, *shape: int) -> np.ndarray:
        return axis_angle_to_matrix(np.radians(degrees) * rng.normal(size=(count, *shape, 3)))

    return replace(
        nothing_seen(count),
        refusal=np.zeros((count, 2), np.int64), fingers=turns(15, 2, 15), wrist=facing @ turns(25, 2),
        hand_px=rng.uniform((100, 100), (500, 400), (count, 2, 2)), face_seen=np.ones(count, bool),
        head=facing @ turns(20), face_px=rng.uniform((200, 50), (400, 150), (count, 2)), jaw=np.full(count, 0.2),
    )  # fmt: skip


def place(
    stage: HandsAndFace, seen: Extremities, track_id: np.ndarray, bodies: FittedBodies, camera: Pinhole, time_s: float
) -> FittedBodies:
    return stage.apply(bodies, stage.turns(seen, track_id, bodies, camera, time_s))


def degrees_apart(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.degrees(np.linalg.norm(matrix_to_axis_angle(np.swapaxes(first, -1, -2) @ second), axis=-1))


def test_nobody_is_nobody(body: BodyModel, networks: Networks) -> None:
    bodies = standing(body, [])
    assert len(HandsAndFace(networks, body).update(BLACK, people_of(bodies), bodies, CAMERA, 0.0)) == 0


def test_where_nothing_is_seen_hands_hang_and_heads_stay(body: BodyModel, networks: Networks) -> None:
    bodies = standing(body, [(0.0, 0.2, 3.0), (0.4, 0.2, 14.0)])
    bodies.rotations[:, HEAD] = axis_angle_to_matrix(np.array([0.0, 0.4, 0.0]))
    bodies.rotations[:, LEFT_WRIST] = axis_angle_to_matrix(np.array([0.0, 0.0, -0.3]))
    stage = HandsAndFace(networks, body)
    seen = stage.look(BLACK, people_of(bodies), bodies, CAMERA)
    assert (seen.refusal[0] != Refusal.NOT_LOOKED_AT).all() and (seen.refusal[1] == Refusal.NOT_LOOKED_AT).all()
    assert not seen.seen.any()
    made = place(stage, seen, np.arange(2), bodies, CAMERA, 0.0)
    np.testing.assert_allclose(made.rotations[:, HEAD], bodies.rotations[:, HEAD], atol=1e-9)
    own = rotation_of(bodies.rotations, LEFT_WRIST)
    np.testing.assert_allclose(rotation_of(made.rotations, LEFT_WRIST), own, atol=1e-9)
    bend = np.degrees(np.linalg.norm(matrix_to_axis_angle(made.rotations[:, LEFT_HAND]), axis=-1))
    assert (bend[:, :12] > 5).all() and (bend < 50).all()
    np.testing.assert_allclose(made.joints[:, :22], standing_joints(body, bodies)[:, :22], atol=1e-9)


def standing_joints(body: BodyModel, bodies: FittedBodies) -> np.ndarray:
    joints = body.posed_joints(bodies.rotations, bodies.betas)
    return joints + (bodies.pelvis - joints[:, 0])[:, None]


def test_switched_off_nothing_is_looked_at(body: BodyModel, networks: Networks) -> None:
    bodies = standing(body, [(0.0, 0.2, 3.0)])
    stage = HandsAndFace(networks, body, HandsAndFaceSettings(fingers=False, faces=False))
    seen = stage.look(BLACK, people_of(bodies), bodies, CAMERA)
    assert (seen.refusal == Refusal.NOT_LOOKED_AT).all() and not seen.face_seen.any()


def test_palms_and_faces_are_turned_as_the_picture_shows_them(body: BodyModel, networks: Networks) -> None:
    bodies, seen = standing(body, [(0.1, 0.3, 3.0)], turn_degrees=20), some_extremities(1)
    made = place(HandsAndFace(networks, body), seen, np.array([4]), bodies, CAMERA, 0.0)
    for side, (wrist, hand) in enumerate(((LEFT_WRIST, LEFT_HAND), (RIGHT_WRIST, RIGHT_HAND))):
        true = turn_to_ray(seen.hand_px[:, side], CAMERA) @ seen.wrist[:, side]
        np.testing.assert_allclose(rotation_of(made.rotations, wrist), true, atol=1e-9)
        np.testing.assert_allclose(made.rotations[:, hand], seen.fingers[:, side], atol=1e-9)
    true = turn_to_ray(seen.face_px, CAMERA) @ seen.head
    np.testing.assert_allclose(rotation_of(made.rotations, HEAD), true, atol=1e-9)
    np.testing.assert_allclose(matrix_to_axis_angle(made.rotations[0, JAW]), [0.2, 0, 0], atol=1e-9)
    np.testing.assert_allclose(made.joints, standing_joints(body, made), atol=1e-9)


def test_a_body_fitted_anew_keeps_fingers_and_what_faces_the_camera(body: BodyModel, networks: Networks) -> None:
    """The final pass: other rotations, another depth, another focal length; read back from a file's arrays."""
    seen = Extremities(**stored(some_extremities(2)))
    first = standing(body, [(0.0, 0.2, 3.0)])
    other = standing(body, [(0.0, 0.25, 4.5)], turn_degrees=-15)
    other.rotations[:, LEFT_ELBOW] = axis_angle_to_matrix(np.array([0.1, 0.3, -0.2]))
    longer = Pinhole(1.5 * CAMERA.focal_px, CAMERA.principal_point_px)
    made = place(HandsAndFace(networks, body), seen, np.array([4]), first, CAMERA, 0.0)
    anew = place(HandsAndFace(networks, body), seen, np.array([4]), other, longer, 0.0)
    np.testing.assert_allclose(anew.rotations[:, LEFT_HAND], made.rotations[:, LEFT_HAND], atol=1e-9)
    true = turn_to_ray(seen.hand_px[:, 0], longer) @ seen.wrist[:, 0]
    np.testing.assert_allclose(rotation_of(anew.rotations, LEFT_WRIST), true, atol=1e-9)


@pytest.mark.parametrize("roll", [-100.0, -30.0, 60.0, 120.0])
def test_the_forearm_takes_half_of_the_wrists_roll_and_moves_nothing(body: BodyModel, roll: float) -> None:
    bodies = standing(body, [(0.0, 0.2, 3.0)])
    bone = bodies.joints[0, LEFT_WRIST] - bodies.joints[0, LEFT_ELBOW]
    bone = bodies.rotations[0, PELVIS].T @ bone / np.linalg.norm(bone)
    rotations = extremities.own_rotations(bodies, extremities.relaxed_fingers(body))
    rotations[0, 0] = axis_angle_to_matrix(np.radians(roll) * bone)
    made = extremities.apply(bodies, rotations, body)
    assert degrees_apart(made.rotations[0, LEFT_ELBOW], bodies.rotations[0, LEFT_ELBOW]) == pytest.approx(abs(roll) / 2)
    np.testing.assert_allclose(made.joints[:, LEFT_WRIST], bodies.joints[:, LEFT_WRIST], atol=1e-9)
    whole = rotation_of(bodies.rotations, LEFT_ELBOW) @ rotations[:, 0]
    np.testing.assert_allclose(rotation_of(made.rotations, LEFT_WRIST), whole, atol=1e-9)


def test_no_neck_turns_too_far(body: BodyModel, networks: Networks) -> None:
    bodies = standing(body, [(0.0, 0.2, 3.0)], turn_degrees=130)
    seen = replace(some_extremities(3), head=axis_angle_to_matrix(np.array([[np.pi, 0.0, 0.0]])))
    made = place(HandsAndFace(networks, body), seen, np.array([4]), bodies, CAMERA, 0.0)
    chest, head = (rotation_of(made.rotations, joint) for joint in (SPINE3, HEAD))
    assert degrees_apart(chest, head)[0] == pytest.approx(85, abs=1e-6)
    whole = np.linalg.norm(matrix_to_axis_angle(made.rotations[0, [NECK, HEAD]]), axis=-1)
    assert whole[0] / whole.sum() == pytest.approx(0.4, abs=1e-6)


def test_a_copy_goes_its_own_way_and_a_state_goes_on_elsewhere(body: BodyModel, networks: Networks) -> None:
    bodies, stage = standing(body, [(0.0, 0.2, 3.0)]), HandsAndFace(networks, body)
    place(stage, some_extremities(4), np.array([4]), bodies, CAMERA, 0.0)
    kept = stage.export_state()
    thrown_away = copy.copy(stage)
    place(thrown_away, some_extremities(5), np.array([4]), bodies, CAMERA, 0.05)
    for name, array in stage.export_state().items():
        np.testing.assert_array_equal(array, kept[name])
    elsewhere = HandsAndFace(networks, body)
    elsewhere.restore_state(kept)
    results = [place(one, some_extremities(6), np.array([4]), bodies, CAMERA, 0.1) for one in (stage, elsewhere)]
    np.testing.assert_array_equal(results[0].rotations, results[1].rotations)


def test_what_is_no_state_is_refused(body: BodyModel, networks: Networks) -> None:
    stage = HandsAndFace(networks, body)
    arrays = stage.export_state()
    for damaged in ({}, {**arrays, "faces_side": np.array([0.0])}, {**arrays, "time_s": np.zeros(3)}):
        with pytest.raises(UserError) as refused:
            stage.restore_state(damaged)
        assert refused.value.code == "resume-unreadable"


def rendered(body: BodyModel, bodies: FittedBodies) -> np.ndarray:
    """(HEIGHT, WIDTH, 3) bodies drawn back to front, lit from above the camera."""
    frame = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    light = np.array([0.3, -0.5, -0.8]) / np.linalg.norm([0.3, -0.5, -0.8])
    rest = body.rest_joints(bodies.betas)
    vertices = body.skin(body.rest_vertices(bodies.betas), bodies.rotations, rest, bodies.pelvis - rest[:, 0])[0]
    corners, shown = vertices[body.faces], project(vertices)[body.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    smooth = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(smooth, body.faces[:, corner], normals)
    shade = 0.35 + 0.65 * (smooth @ light / np.linalg.norm(smooth, axis=-1).clip(1e-12)).clip(0, 1)
    front = np.nonzero((normals * corners[:, 0]).sum(-1) < 0)[0]
    for face in front[np.argsort(-corners[front, :, 2].mean(-1))]:
        colour = tuple(float(part) for part in shade[body.faces[face]].mean() * np.array([225, 170, 140]))
        cv2.fillConvexPoly(frame, np.int32(np.round(8 * shown[face])), colour, cv2.LINE_AA, 3)
    return frame


def yaw(bodies: FittedBodies) -> float:
    """Degrees that the head looks to its own left of the camera."""
    forward = rotation_of(bodies.rotations, HEAD)[0, :, 2]
    return float(np.degrees(np.arctan2(forward[0], -forward[2])))


def test_heads_follow_faces_that_turn_aside(body: BodyModel, networks: Networks) -> None:
    """A rendered head turns; the body that was fitted to it has its head straight. Frame by frame, then in a jump."""
    stage, own = HandsAndFace(networks, body), standing(body, [(0.0, 0.6, 1.5)])
    for frame, degrees in enumerate((0, 15, 30, 30, 30, 30, -25, -25, -25, -25, -25)):
        true = standing(body, [(0.0, 0.6, 1.5)])
        true.rotations[:, HEAD] = axis_angle_to_matrix(np.array([0.0, np.radians(degrees), 0.0]))
        made = stage.update(rendered(body, true), people_of(own), own, CAMERA, frame / 15)
        if frame in (0, 5, 10):
            assert yaw(made) == pytest.approx(degrees, abs=6)
    assert yaw(own) == pytest.approx(0, abs=1e-6)
    elsewhere = HandsAndFace(networks, body)
    elsewhere.restore_state(stage.export_state())
    frame = rendered(body, true)
    results = [one.update(frame, people_of(own), own, CAMERA, 11 / 15) for one in (stage, elsewhere)]
    np.testing.assert_array_equal(results[0].rotations, results[1].rotations)


def test_hands_of_exchanged_arms_are_the_bodys_own(networks: Networks, body: BodyModel) -> None:
    stage = HandsAndFace(networks, body)
    bodies = standing(body, [(0.0, 0.0, 2.0), (0.5, 0.0, 2.5)])
    seen = some_extremities(3, 2)
    turns = stage.turns(seen, np.array([1, 2]), bodies, CAMERA, 0.0)
    own = extremities.own_rotations(bodies, extremities.relaxed_fingers(body))
    kept = stage.without(bodies, turns, np.array([False, True]), np.array([False, False]))
    is_hand = extremities.GROUP_OF < 2
    np.testing.assert_array_equal(kept[0], turns[0])
    np.testing.assert_array_equal(kept[1, is_hand], own[1, is_hand])
    np.testing.assert_array_equal(kept[1, ~is_hand], turns[1, ~is_hand])
    none = stage.without(bodies, turns, np.array([False, True]), np.array([False, True]))
    np.testing.assert_array_equal(none[1], own[1])
