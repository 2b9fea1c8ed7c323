# SPDX-License-Identifier: GPL-3.0-or-later
"""A model small enough to train in a test, and a few synthetic clips."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.contract.body_model import BodyModel, default_body_path
from engine.model.config import Human3RConfig, embedded
from engine.model.human3r import Human3R
from engine.synthetic.clips import make_clips
from engine.synthetic.settings import tier_settings
from engine.training.data import truth_of
from engine.training.initialisation import initialise
from engine.training.truth import Truth


def tiny_config() -> Human3RConfig:
    """The embedded model's architecture with little in it."""
    return replace(
        embedded(),
        encoder_width=32,
        encoder_depth=1,
        encoder_heads=2,
        decoder_width=32,
        decoder_heads=2,
        state_heads=2,
        memory_slots=4,
        memory_heads=2,
        prior_width=32,
        dense_width=8,
        dense_level_widths=(4, 8, 8, 8),
    )


@pytest.fixture
def tiny() -> Human3R:
    torch.manual_seed(0)
    model = Human3R(tiny_config())
    initialise(model)
    return model


@pytest.fixture(scope="session")
def body() -> BodyModel:
    return BodyModel.load(default_body_path())


@pytest.fixture(scope="session")
def clips() -> Truth:
    """Three clips of two frames from the gentle tier."""
    settings = replace(tier_settings("studio"), frames=2, frame_gap=(6, 9), labels=True)
    return truth_of(make_clips([1, 2, 3], settings))
