# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands posed with known angles are recovered from their points; derivatives, mirror images, bodies of any shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from engine.contract.skeleton import JOINT_COUNT, LEFT_HAND, LEFT_WRIST, RIGHT_HAND, RIGHT_WRIST
from engine.landmarks.extremities.hand_fit import SeenHands, fit_hands, hand_problem, span_of
from engine.landmarks.extremities.hand_priors import HIGHEST, LOWEST, RELAXED, SPREAD_OF_PRIOR
from engine.landmarks.extremities.hand_skeleton import (
    BEND,
    END,
    LEFT,
    MIDDLE,
    MIRROR,
    RIGHT,
    HandAnatomy,
    HandSkeletons,
    mirrored,
    point_derivatives,
    pose_hands,
    to_body_order,
)

FOCAL_PX = 900.0


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return BodyModel.load(default_body_path())


@pytest.fixture(scope="module")
def anatomy(body: BodyModel) -> HandAnatomy:
    return HandAnatomy(body)


def random_angles(rng: np.random.Generator, count: int) -> np.ndarray:
    """Hands that people can have."""
    angles = RELAXED + 0.6 * rng.normal(size=(count, 21)) * SPREAD_OF_PRIOR
    angles = angles.clip(0.9 * LOWEST, 0.9 * HIGHEST)
    angles[:, END] = 0.6 * angles[:, MIDDLE]
    return angles


def seen_from(
    skeletons: HandSkeletons, angles: np.ndarray, wrist: np.ndarray, side: np.ndarray, forearm: np.ndarray
) -> SeenHands:
    """What a far camera sees of hands with a wrist (n, 3, 3) as of left hands."""
    points = pose_hands(skeletons, angles).points @ np.swapaxes(wrist, -1, -2)
    points = np.where((side == RIGHT)[:, None, None], points @ MIRROR, points)
    return SeenHands(side, points[..., :2] * FOCAL_PX + (320.0, 200.0), points, mirrored(forearm, side))


def some_hands(
    anatomy: HandAnatomy, seed: int, count: int = 40
) -> tuple[HandSkeletons, np.ndarray, np.ndarray, SeenHands]:
    rng = np.random.default_rng(seed)
    side = np.arange(count) % 2
    skeletons = anatomy.skeletons(rng.normal(size=(count, 10)) * 0.5, side)
    angles, wrist = random_angles(rng, count), axis_angle_to_matrix(rng.normal(size=(count, 3)))
    forearm = wrist @ axis_angle_to_matrix(0.2 * rng.normal(size=(count, 3)))
    return skeletons, angles, wrist, seen_from(skeletons, angles, wrist, side, forearm)


def degrees_apart(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.degrees(np.linalg.norm(matrix_to_axis_angle(np.swapaxes(first, -1, -2) @ second), axis=-1))


def test_known_hands_are_recovered(anatomy: HandAnatomy) -> None:
    skeletons, angles, wrist, seen = some_hands(anatomy, seed=1)
    fitted = fit_hands(skeletons, seen)
    off = np.linalg.norm(fitted.point_px - seen.point_px, axis=-1) / span_of(seen.point_px)[:, None]
    assert np.median(off) < 0.02
    assert np.median(degrees_apart(fitted.wrist, mirrored(wrist, seen.side))) < 5
    # The prior pulls each angle a little towards the relaxed hand's, of which they are 20 degrees off on average.
    assert np.degrees(np.abs(fitted.angles - angles)).mean() < 8
    assert np.percentile(fitted.cost, 90) < 40


def test_the_picture_leads_when_depth_is_flat_and_noisy(anatomy: HandAnatomy) -> None:
    skeletons, _, wrist, seen = some_hands(anatomy, seed=2)
    rng = np.random.default_rng(3)
    world = seen.world * (1.0, 1.0, 0.6) + 0.006 * rng.normal(size=seen.world.shape)
    fitted = fit_hands(skeletons, replace(seen, world=world))
    off = np.linalg.norm(fitted.point_px - seen.point_px, axis=-1) / span_of(seen.point_px)[:, None]
    assert np.median(off) < 0.04
    assert np.median(degrees_apart(fitted.wrist, mirrored(wrist, seen.side))) < 20


def test_neither_size_nor_place_in_the_picture_matters(anatomy: HandAnatomy) -> None:
    skeletons, _, _, seen = some_hands(anatomy, seed=4, count=6)
    moved = replace(seen, point_px=3.0 * seen.point_px + 70.0, world=0.5 * seen.world - 0.3)
    first, second = fit_hands(skeletons, seen), fit_hands(skeletons, moved)
    np.testing.assert_allclose(second.angles, first.angles, atol=1e-6)
    np.testing.assert_allclose(second.point_px, 3.0 * first.point_px + 70.0, atol=1e-3)


def test_hands_of_a_batch_do_not_disturb_each_other(anatomy: HandAnatomy) -> None:
    skeletons, _, _, seen = some_hands(anatomy, seed=5, count=4)
    together = fit_hands(skeletons, seen)
    for row in range(4):
        alone = fit_hands(
            HandSkeletons(*(getattr(skeletons, name)[[row]] for name in ("base", "bones", "hinge", "spread"))),
            SeenHands(*(getattr(seen, name)[[row]] for name in ("side", "point_px", "world", "forearm"))),
        )
        np.testing.assert_allclose(alone.angles[0], together.angles[row], atol=1e-8)


def test_no_hand_is_no_hand(anatomy: HandAnatomy) -> None:
    skeletons, _, _, seen = some_hands(anatomy, seed=5, count=0)
    assert fit_hands(skeletons, seen).fingers.shape == (0, 15, 3, 3)


def test_derivatives_are_those_of_finite_differences(anatomy: HandAnatomy) -> None:
    skeletons, angles, wrist, seen = some_hands(anatomy, seed=6, count=6)
    rng = np.random.default_rng(7)
    noisy = replace(seen, world=seen.world + 0.02 * rng.normal(size=seen.world.shape))
    problem = hand_problem(skeletons, noisy)
    far = angles + 0.5 * rng.normal(size=angles.shape)  # beyond some limits, too
    state = replace(problem.start(), angles=far, wrist=wrist @ axis_angle_to_matrix(rng.normal(size=(6, 3))))
    _, jacobian = problem.residuals(state)
    step = 1e-6 * np.eye(27)
    for unknown in range(27):
        ahead, behind = (problem.residuals(state.moved(np.tile(sign * step[unknown], (6, 1))))[0] for sign in (1, -1))
        np.testing.assert_allclose(jacobian[..., unknown], (ahead - behind) / 2e-6, atol=1e-5, rtol=1e-5)


def test_points_move_with_angles_as_they_say(anatomy: HandAnatomy) -> None:
    skeletons, angles, _, _ = some_hands(anatomy, seed=8, count=3)
    moves = point_derivatives(pose_hands(skeletons, angles))
    for angle in range(21):
        step = 1e-6 * np.eye(21)[angle]
        ahead, behind = (pose_hands(skeletons, angles + sign * step).points for sign in (1, -1))
        np.testing.assert_allclose(moves[..., angle], (ahead - behind) / 2e-6, atol=1e-8)


def test_a_mirrored_hand_is_the_mirror_image(anatomy: HandAnatomy) -> None:
    rng = np.random.default_rng(9)
    left, right = np.array([LEFT]), np.array([RIGHT])
    skeletons = anatomy.skeletons(np.zeros((1, 10)), left)
    angles, wrist = random_angles(rng, 1), axis_angle_to_matrix(rng.normal(size=(1, 3)))
    seen = seen_from(skeletons, angles, wrist, left, wrist)
    image = SeenHands(right, seen.point_px * (-1.0, 1.0), seen.world @ MIRROR, MIRROR @ seen.forearm @ MIRROR)
    first, second = fit_hands(skeletons, seen), fit_hands(anatomy.skeletons(np.zeros((1, 10)), right), image)
    np.testing.assert_allclose(second.cost, first.cost, rtol=1e-4)
    np.testing.assert_allclose(second.wrist, MIRROR @ first.wrist @ MIRROR, atol=1e-4)
    np.testing.assert_allclose(second.fingers, MIRROR @ first.fingers @ MIRROR, atol=1e-4)


@pytest.mark.parametrize("side", [LEFT, RIGHT])
def test_a_body_with_these_rotations_has_these_points(body: BodyModel, anatomy: HandAnatomy, side: int) -> None:
    rng = np.random.default_rng(10)
    betas, sides = rng.normal(size=(1, 10)), np.array([side])
    posed = pose_hands(anatomy.skeletons(betas, sides), random_angles(rng, 1))
    hand, wrist = (LEFT_HAND, LEFT_WRIST) if side == LEFT else (RIGHT_HAND, RIGHT_WRIST)
    rotations = np.tile(np.eye(3), (1, JOINT_COUNT, 1, 1))
    rotations[:, hand] = to_body_order(posed.rotations, sides)
    joints = body.posed_joints(rotations, betas)[0]
    points = posed.points[0] if side == LEFT else posed.points[0] @ MIRROR
    for finger, first in enumerate((12, 0, 3, 9, 6)):  # thumb to little finger among the body's joints
        own = joints[hand.start + first : hand.start + first + 3] - joints[wrist]
        np.testing.assert_allclose(points[1 + 4 * finger : 4 + 4 * finger], own, atol=1e-6)


def test_fingers_bend_to_the_palm(anatomy: HandAnatomy) -> None:
    side = np.array([LEFT])
    straight, bent = np.zeros((1, 21)), np.zeros((1, 21))
    bent[:, BEND] = np.radians(60)
    skeletons = anatomy.skeletons(np.zeros((1, 10)), side)
    tips = [pose_hands(skeletons, angles).points[0, [8, 12, 16, 20]] for angles in (straight, bent)]
    assert ((tips[1] - tips[0])[:, 1] < -0.02).all()  # the palm is down at rest


def test_what_no_hand_can_do_costs_too_much(anatomy: HandAnatomy) -> None:
    skeletons, _, _, seen = some_hands(anatomy, seed=11, count=8)
    rng = np.random.default_rng(12)
    span = span_of(seen.point_px)[:, None, None]
    scattered = replace(seen, point_px=seen.point_px + 0.25 * span * rng.normal(size=seen.point_px.shape))
    assert (fit_hands(skeletons, scattered).cost > 120).all()
