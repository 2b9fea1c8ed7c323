# SPDX-License-Identifier: GPL-3.0-or-later
"""Two-bone inverse kinematics: the end arrives, the joint bends the right way, far targets straighten the limb."""

import torch

from engine.synthetic.limbs import X, Y, Z, apply, euler, reach, turn_about

UPPER, LOWER = torch.tensor([0.02, -0.4, -0.01]), torch.tensor([-0.01, -0.38, -0.03])
HINGE, POLE = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 0.0, 1.0])


def _targets(count: int, nearest: float, farthest: float) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    direction = torch.nn.functional.normalize(torch.randn(count, 3, generator=generator), dim=-1)
    # A pole along the target leaves the bend open.
    direction = direction[(direction @ POLE).abs() < 0.95]
    return direction * (nearest + (farthest - nearest) * torch.rand(len(direction), 1, generator=generator))


def _end(upper_turn: torch.Tensor, lower_turn: torch.Tensor) -> torch.Tensor:
    return apply(upper_turn, UPPER.expand(len(upper_turn), 3)) + apply(
        upper_turn @ lower_turn, LOWER.expand(len(upper_turn), 3)
    )


def test_the_end_reaches_the_target():
    targets = _targets(500, 0.15, 0.77)
    turns = reach(UPPER, LOWER, HINGE, targets, POLE)
    torch.testing.assert_close(_end(*turns), targets, atol=1e-5, rtol=0)
    for turn in turns:
        torch.testing.assert_close(turn @ turn.transpose(-1, -2), torch.eye(3).expand_as(turn), atol=1e-5, rtol=0)


def test_the_knee_points_to_the_pole():
    targets = _targets(500, 0.3, 0.7)
    knee = apply(reach(UPPER, LOWER, HINGE, targets, POLE)[0], UPPER.expand_as(targets))
    along = torch.nn.functional.normalize(targets, dim=-1)
    aside = knee - along * (knee * along).sum(-1, keepdim=True)
    forward = POLE - along * (along @ POLE)[:, None]
    assert (torch.nn.functional.cosine_similarity(aside, forward) > 0.9).all()


def test_out_of_reach_is_straight():
    targets = _targets(50, 0.9, 2.0)
    end = _end(*reach(UPPER, LOWER, HINGE, targets, POLE))
    torch.testing.assert_close(
        torch.nn.functional.normalize(end, dim=-1), torch.nn.functional.normalize(targets, dim=-1), atol=1e-4, rtol=0
    )
    assert (end.norm(dim=-1) > 0.77).all()


def test_turns_follow_the_right_hand():
    quarter = torch.tensor(torch.pi / 2)
    x, y, z = torch.eye(3)
    for axis, before, after in ((X, y, z), (Y, z, x), (Z, x, y)):
        torch.testing.assert_close(turn_about(axis, quarter) @ before, after, atol=1e-6, rtol=0)
    pitch, yaw, roll = torch.tensor(0.3), torch.tensor(-0.8), torch.tensor(0.5)
    expected = turn_about(Y, yaw) @ turn_about(X, pitch) @ turn_about(Z, roll)
    torch.testing.assert_close(euler(pitch, yaw, roll), expected)
