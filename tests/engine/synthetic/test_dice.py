# SPDX-License-Identifier: GPL-3.0-or-later
"""Random draws: known values, independence of batch and order, distributions."""

import pytest
import torch

from engine.synthetic import dice as module
from engine.synthetic.dice import Dice


def test_mixes_like_splitmix64():
    """The first outputs of SplitMix64 seeded with 0, as published with the generator."""
    states = torch.tensor([module._wrap(module._GOLDEN * k) for k in (1, 2, 3)])
    expected = (0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F)
    assert [value % 2**64 for value in module._mix(states).tolist()] == list(expected)


def test_a_seed_draws_the_same_alone_and_in_company():
    alone = Dice(torch.tensor([7])).uniform("height", 1.0, 2.0, 3)
    together = Dice(torch.tensor([5, 6, 7])).uniform("height", 1.0, 2.0, 3)
    assert torch.equal(alone[0], together[2])
    longer = Dice(torch.tensor([7])).uniform("height", 1.0, 2.0, 9)
    assert torch.equal(alone[0], longer[0, :3])


def test_names_seeds_and_forks_are_independent():
    dice = Dice(torch.arange(2))
    rows = [
        dice.uniform("a", 0.0, 1.0, 20_000),
        dice.uniform("b", 0.0, 1.0, 20_000),
        dice.fork("a").uniform("a", 0.0, 1.0, 20_000),
        dice.fork("x", 3).uniform("a", 0.0, 1.0, 20_000).flatten(0, 1),
    ]
    correlation = torch.corrcoef(torch.cat(rows)) - torch.eye(12)
    assert correlation.abs().max() < 0.035  # five standard deviations


@pytest.mark.parametrize(
    ("draw", "mean", "deviation"),
    [(lambda d: d.uniform("u", 2.0, 4.0, 50_000), 3.0, 2.0 / 12**0.5), (lambda d: d.normal("n", 50_000), 0.0, 1.0),
     (lambda d: d.chance("c", 0.3, 50_000).float(), 0.3, 0.21**0.5),
     (lambda d: d.integer("i", 1, 4, 50_000).float(), 2.5, 1.25**0.5),
     (lambda d: d.choice("w", (1.0, 0.0, 3.0), 50_000).float(), 1.5, 0.75**0.5)],
)  # fmt: skip
def test_distributions(draw, mean, deviation):
    values = draw(Dice(torch.tensor(11)))
    assert values.mean() == pytest.approx(mean, abs=0.03)
    assert values.std() == pytest.approx(deviation, rel=0.03)


def test_choice_never_takes_what_weighs_nothing():
    assert set(Dice(torch.tensor(3)).choice("w", (0.0, 1.0, 0.0), 1000).tolist()) == {1}
