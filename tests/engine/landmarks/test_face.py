# SPDX-License-Identifier: GPL-3.0-or-later
"""Which faces are looked at; heads, jaws and eyelids from meshes whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from engine.landmarks.extremities.face import (
    FaceSettings,
    eyes_open,
    face_candidates,
    fine_face_crops,
    head_rotations,
    is_frontal,
    jaw_angles,
    rough_face_crops,
)

from .seen_people import people_of, standing

FACING = axis_angle_to_matrix(np.array([np.pi, 0.0, 0.0]))
"""A head that looks at the camera: y up to y down, +z to the camera."""

TILT = np.radians(4.5)


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return BodyModel.load(default_body_path())


def mesh(turn: np.ndarray, lips: float = 0.0, lids: float = 0.3, size: float = 100.0) -> np.ndarray:
    """(1, 468, 3) a face of which only the points that are read lie where they should, seen without perspective.

    `lips` is their gap in widths between the outer corners of the eyes, `lids` theirs in widths of an eye.
    """
    point = np.zeros((468, 3))
    point[[263, 362, 33, 133]] = [(0.45, 0.1, 0.0), (0.15, 0.1, 0.05), (-0.45, 0.1, 0.0), (-0.15, 0.1, 0.05)]
    under_nose, up = np.array([0.0, -0.3, 0.2]), np.array([0.0, np.cos(TILT), -np.sin(TILT)])
    point[2], point[10] = under_nose, under_nose + 0.8 * up
    point[13], point[14] = (0.0, -0.45, 0.15), (0.0, -0.45 - 0.9 * lips, 0.15)
    eye = 0.3 * np.hypot(1, 0.05 / 0.3)
    for pairs, x in ((((386, 374), (385, 380), (387, 373)), 0.3), (((159, 145), (158, 153), (160, 144)), -0.3)):
        for upper, lower in pairs:
            point[upper], point[lower] = (x, 0.1 + 0.5 * lids * eye, 0.06), (x, 0.1 - 0.5 * lids * eye, 0.06)
    return (size * point @ turn.T)[None] + (320.0, 200.0, 0.0)


@pytest.mark.parametrize("turn", [(0, 0, 0), (0, 40, 0), (0, -40, 0), (25, 10, 0), (-20, 0, 30)])
def test_heads_turn_as_their_meshes_do(turn: tuple[float, float, float]) -> None:
    true = FACING @ axis_angle_to_matrix(np.radians(turn))
    found = head_rotations(mesh(true))[0]
    assert np.degrees(np.linalg.norm(matrix_to_axis_angle(true.T @ found))) < 1e-6
    assert is_frontal(found[None])[0] == (-true[2, 2] > np.cos(np.radians(35)))


def test_mirrored_faces_turn_to_the_other_side() -> None:
    partner = np.arange(468)
    for first, second in ((263, 33), (362, 133), (386, 159), (374, 145)):
        partner[[first, second]] = second, first
    seen = mesh(FACING @ axis_angle_to_matrix(np.radians([10, 30, 5])))
    mirror = np.diag([-1.0, 1.0, 1.0])
    image = (seen @ mirror)[:, partner]
    np.testing.assert_allclose(head_rotations(image), mirror @ head_rotations(seen) @ mirror, atol=1e-9)


def test_jaws_open_with_the_gap_between_the_lips() -> None:
    angles = np.degrees([jaw_angles(mesh(FACING, lips=gap))[0] for gap in (0.0, 0.015, 0.1, 0.3, 2.0)])
    assert angles[0] == angles[1] == 0
    assert angles[2] == pytest.approx(np.degrees(0.085 * 0.089 / 0.087), rel=1e-6)
    assert angles[2] < angles[3]
    assert angles[4] == pytest.approx(28)
    turned_aside = mesh(FACING @ axis_angle_to_matrix(np.radians([0, 40, 0])), lips=0.1)
    assert np.degrees(jaw_angles(turned_aside)[0]) == pytest.approx(angles[2], rel=1e-6)


def test_shut_eyes_have_no_gaze() -> None:
    assert eyes_open(mesh(FACING, lids=0.3))[0]
    assert not eyes_open(mesh(FACING, lids=0.05))[0]


def test_the_second_crop_is_level_with_the_eyes() -> None:
    roll = np.radians(25)
    seen = mesh(axis_angle_to_matrix(np.array([0.0, 0.0, roll])) @ FACING)
    seen[:] = np.where((seen == (320.0, 200.0, 0.0)).all(-1, keepdims=True), seen[:, 2:3], seen)  # no stray points
    crop = fine_face_crops(seen[..., :2])
    np.testing.assert_allclose(crop.angle, roll, atol=1e-9)
    away = np.linalg.norm(seen[0, :, :2] - crop.centre_px, axis=-1)
    assert away.max() < 0.5 * crop.side_px[0]


def test_near_faces_are_looked_at_and_far_ones_are_not(body: BodyModel) -> None:
    bodies = standing(body, [(0.0, 0.2, 3.0), (0.5, 0.2, 14.0)])
    assert face_candidates(people_of(bodies), bodies, FaceSettings()).tolist() == [0]


@pytest.mark.parametrize(("degrees", "looked_at"), [(0, True), (90, True), (-90, True), (150, False), (180, False)])
def test_heads_from_behind_are_not_looked_at(body: BodyModel, degrees: float, looked_at: bool) -> None:
    bodies = standing(body, [(0.0, 0.2, 3.0)], degrees)
    seen = people_of(standing(body, [(0.0, 0.2, 3.0)]))  # landmarks are put on faces that cannot be seen, too
    assert (len(face_candidates(seen, bodies, FaceSettings())) == 1) == looked_at


def test_faces_outside_the_frame_are_not_looked_at(body: BodyModel) -> None:
    bodies = standing(body, [(0.0, 0.2, 3.0)])
    people = people_of(bodies)
    cut = replace(people, inside=np.zeros_like(people.inside))
    assert len(face_candidates(cut, bodies, FaceSettings())) == 0


def test_the_first_crop_holds_the_face_upright(body: BodyModel) -> None:
    people = people_of(standing(body, [(0.0, 0.2, 3.0)]))
    point = people.landmarks.point_px
    crop = rough_face_crops(point)
    np.testing.assert_allclose(crop.angle, 0.0, atol=0.05)
    assert (np.abs(point[0, [2, 5, 7, 8, 9, 10]] - crop.centre_px) < 0.45 * crop.side_px).all()
