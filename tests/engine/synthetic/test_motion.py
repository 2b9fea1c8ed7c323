# SPDX-License-Identifier: GPL-3.0-or-later
"""People move as people can: feet stay put, on the floor, within their disc, without jumps."""

import pytest
import torch

from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.skeleton import LEFT_FOOT, LEFT_KNEE, PELVIS
from engine.synthetic.dice import Dice
from engine.synthetic.motion import Cast, Motion, move
from engine.synthetic.people import draw_betas
from engine.synthetic.surface import BodySurface

RATE = 60
PEOPLE = 16
SECONDS = 8.0


@pytest.fixture(scope="module")
def body() -> BodySurface:
    return BodySurface(BodyModel.load(default_body_path()), cell=0.02)


@pytest.fixture(scope="module")
def cast() -> Cast:
    dice = Dice(torch.arange(PEOPLE))
    home = dice.uniform("home", -3.0, 3.0, 2)
    sitter = torch.arange(PEOPLE) % 4 == 3
    return Cast(dice, draw_betas(dice, 1.0), home, dice.uniform("radius", 0.5, 1.5), sitter, torch.ones(PEOPLE))


@pytest.fixture(scope="module")
def motion(body, cast) -> Motion:
    time = torch.arange(0.0, SECONDS, 1.0 / RATE).expand(PEOPLE, -1)
    return move(cast, body, time, walking=0.7)


def test_planted_feet_do_not_slide(motion):
    ball = motion.joints[:, :, LEFT_FOOT : LEFT_FOOT + 2]
    still = motion.planted[:, 1:] & motion.planted[:, :-1]
    step = (ball[:, 1:] - ball[:, :-1]).norm(dim=-1)
    assert still.float().mean() > 0.5
    assert step[still].max() < 2e-3
    # Over a whole stance, not only from frame to frame.
    for person in range(PEOPLE):
        for foot in range(2):
            spans = torch.tensor_split(ball[person, :, foot], (~motion.planted[person, :, foot]).nonzero()[:, 0])
            assert max((span[1:] - span[1:2]).norm(dim=-1).max() for span in spans if len(span) > 2) < 0.01


def test_people_do_walk(motion):
    swing = ~motion.planted
    assert swing.any(dim=-1).float().mean() > 0.2
    travelled = (motion.joints[:, 1:, PELVIS] - motion.joints[:, :-1, PELVIS]).norm(dim=-1).sum(1)
    assert travelled.max() > 3.0


def test_soles_are_on_the_floor(motion, body, cast):
    frames = slice(0, None, 40)
    rotations, translation, expression = (
        value[:, frames] for value in (motion.rotations, motion.translation, motion.expression)
    )
    count = rotations.shape[1]
    vertices, _, _ = body.pose(
        rotations.flatten(0, 1),
        cast.betas.repeat_interleave(count, 0),
        expression.flatten(0, 1),
        translation.flatten(0, 1),
    )
    lowest = vertices[..., 1].amax(-1)  # y points down
    assert lowest.max() < 0.02, "a foot sinks into the floor"
    assert lowest.min() > -0.02, "a person floats"


def test_pelvis_stays_in_the_disc(motion, cast):
    away = (motion.joints[:, :, PELVIS][..., [0, 2]] - cast.home[:, None]).norm(dim=-1)
    # Crouching and sitting move the pelvis back over the heels, curves by the steps a little outwards.
    slack = torch.where(cast.sitter, 0.5, 0.3)
    assert (away.amax(1) < cast.radius + slack).all()


def test_nothing_jumps(motion):
    speed = (motion.joints[:, 1:] - motion.joints[:, :-1]).norm(dim=-1) * RATE
    assert speed[..., :22].max() < 9.0
    acceleration = (
        motion.joints[:, 2:, PELVIS] - 2 * motion.joints[:, 1:-1, PELVIS] + motion.joints[:, :-2, PELVIS]
    ).norm(dim=-1)
    assert (acceleration * RATE**2).max() < 60.0


def test_knees_bend_backwards_only(motion):
    for knee in (LEFT_KNEE, LEFT_KNEE + 1):
        sine = motion.rotations[:, :, knee, 2, 1]
        assert sine.min() > -0.1
        assert sine.max() > 0.5


def test_a_person_moves_alike_alone_and_in_company(body, cast, motion):
    one = Cast(
        Dice(cast.dice.seeds[5:6]),
        *(getattr(cast, name)[5:6] for name in ("betas", "home", "radius", "sitter", "energy")),
    )
    time = torch.arange(0.0, SECONDS, 1.0 / RATE)[None]
    torch.testing.assert_close(move(one, body, time, walking=0.7).joints[0], motion.joints[5], atol=1e-4, rtol=0)


def test_sitters_sit_on_their_seats(motion, cast):
    sitting = motion.seat[cast.sitter]
    assert (sitting[:, 3] > 0.2).all() and (motion.seat[~cast.sitter] == 0).all()
    pelvis = motion.joints[cast.sitter][:, :, PELVIS]
    lowest = pelvis[..., 1].argmax(1)
    seated = pelvis[torch.arange(len(pelvis)), lowest]
    assert (seated[:, [0, 2]] - sitting[:, :2]).norm(dim=-1).max() < 0.1
    assert ((-seated[:, 1]) - sitting[:, 3]).min() > 0.05
