# SPDX-License-Identifier: GPL-3.0-or-later
"""CUT3R's and Multi-HMR's weights put together; going on from the embedded model."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.contract.errors import UserError
from engine.model.checkpoint import load_checkpoint
from engine.model.config import Human3RConfig, small
from engine.model.human3r import Human3R
from engine.model.weights import SMALL
from engine.training.recipes import PEOPLE_LAYERS
from engine.training.starting_weights import load_starting_weights

PRIOR = ("backbone.", "downstream_head.mlp_classif.", "downstream_head.mlp_offset.")


def config() -> Human3RConfig:
    """Small, and with head counts that a checkpoint without arguments is read with."""
    return replace(
        small(),
        image_size=512,
        encoder_width=64,
        encoder_depth=1,
        encoder_heads=16,
        decoder_width=192,
        decoder_heads=12,
        state_heads=16,
        memory_heads=12,
        state_tokens=6,
        memory_slots=3,
        prior_width=64,
        prior_depth=1,
        prior_heads=1,
        prior_resolution=896,
        prior_grid=2,
        dense_width=8,
        dense_level_widths=(4, 4, 4, 4),
    )


def save(path: Path, tensors: dict[str, torch.Tensor]) -> str:
    torch.save({"model": tensors, "args": Namespace(model="")}, path)
    return str(path)


def test_two_files_make_one_model_whose_human_layers_are_new(tmp_path: Path) -> None:
    torch.manual_seed(0)
    state = Human3R(config()).state_dict()
    cut3r = {name: value for name, value in state.items() if not name.startswith((*PRIOR, *PEOPLE_LAYERS))}
    prior = {name.removeprefix("downstream_head."): value for name, value in state.items() if name.startswith(PRIOR)}
    files = [save(tmp_path / "cut3r.pth", cut3r), save(tmp_path / "multihmr_896L.pth", prior)]
    model = load_starting_weights(files, torch.device("cpu"))
    assert model.config == config()
    loaded = model.state_dict()
    for name, value in state.items():
        if not name.startswith((*PEOPLE_LAYERS, "downstream_head.init_")):
            assert torch.equal(loaded[name], value), name
    assert not torch.equal(
        loaded["downstream_head.decpose.mlp.layers.0.weight"], state["downstream_head.decpose.mlp.layers.0.weight"]
    )
    with pytest.raises(UserError) as error:
        load_starting_weights([files[0], save(tmp_path / "nothing_896L.pth", {})], torch.device("cpu"))
    assert error.value.code == "checkpoint-mismatch" and "backbone" in error.value.message


def test_training_goes_on_from_the_embedded_model() -> None:
    model = load_starting_weights(["small"], torch.device("cpu"))
    assert not model.for_inference
    loaded = model.state_dict()
    for name, value in load_checkpoint(SMALL).state_dict().items():
        assert torch.equal(loaded[name], value), name
