# SPDX-License-Identifier: GPL-3.0-or-later
"""The convolutional model: what it starts able to do, and that it is one architecture in training and streaming."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from engine.contract.errors import UserError
from engine.model.checkpoint import load_checkpoint, save_checkpoint
from engine.model.config import Human3RConfig, embedded
from engine.model.conv_prior import PersonReader
from engine.model.conv_stem import add_positions
from engine.model.human3r import Human3R
from engine.model.rope import grid_positions, rotary_table, state_positions
from engine.training.initialisation import initialise, mean_pose
from engine.training.truth import Truth

from .conftest import tiny_config


def test_the_state_starts_by_copying_the_picture_by_position() -> None:
    torch.manual_seed(0)
    config = replace(tiny_config(), encoder_width=128, decoder_width=128, decoder_heads=4, state_heads=4)
    model = Human3R(config)
    initialise(model)
    attention = model.dec_blocks_state[0].cross_attn
    image = torch.randn(1, 48, 128)
    places, cells = state_positions(64)[None], grid_positions(6, 8)[None]
    copied, _ = attention(torch.randn(1, 64, 128), image, rotary_table(places, 32), rotary_table(cells, 32))
    similarity = functional.normalize(copied[0, :48], dim=-1) @ functional.normalize(image[0], dim=-1).T
    assert (similarity.argmax(dim=-1) == torch.arange(48)).all()


def test_the_first_camera_is_the_worlds_and_nobody_is_seen_at_first(tiny: Human3R) -> None:
    with torch.inference_mode():
        prediction, _ = tiny.eval().step(torch.zeros(1, 3, 96, 128), tiny.initial_state())
    torch.testing.assert_close(prediction.camera_pose[0], torch.tensor((0.0, 0, 0, 1, 0, 0, 0)), atol=0.2, rtol=0)
    assert len(prediction.people) == 0
    assert prediction.points_self[..., 2].median() > 0.5


def test_the_mean_pose_stands_upright_before_the_camera(clips: Truth) -> None:
    pose = mean_pose(clips).reshape(53, 3, 2)
    assert torch.equal(pose[0], torch.tensor(((1.0, 0.0), (0.0, -1.0), (0.0, 0.0))))
    assert pose.shape == (53, 3, 2) and pose[1:].abs().max() <= 1 + 1e-5


def test_the_reader_sees_the_whole_person_and_nothing_beyond() -> None:
    torch.manual_seed(0)
    reader = PersonReader(tiny_config()).eval()
    token, where = torch.zeros(1, 32), torch.tensor([[64.0, 40.0]])
    with torch.no_grad():
        reader.scale[2].weight.zero_()
        reader.scale[2].bias.fill_(-0.7)  # about 32 pixels per metre

    def read(fine: torch.Tensor) -> torch.Tensor:
        return reader(token, fine, torch.tensor([0]), where).token

    empty = torch.zeros(1, 64, 32, 32)
    near, far = empty.clone(), empty.clone()
    near[:, :, 20, 16] = 5.0  # below the head, where the legs are
    far[:, :, 10, 30] = 5.0  # two metres to the side
    assert not torch.allclose(read(near), read(empty))
    assert torch.equal(read(far), read(empty))


def test_absolute_positions_tell_all_patches_apart() -> None:
    tokens = add_positions(torch.zeros(1, 64, 32), grid_positions(8, 8)[None])[0]
    assert torch.cdist(tokens, tokens).fill_diagonal_(1).min() > 0.05


def test_the_convolutional_model_survives_its_file_and_finds_what_it_found(tiny: Human3R, tmp_path: Path) -> None:
    with torch.no_grad():
        tiny.downstream_head.mlp_classif[2].bias.fill_(3.0)  # see people everywhere
    path = tmp_path / "tiny.safetensors"
    save_checkpoint(tiny, path)
    image = torch.rand(1, 3, 128, 96) * 2 - 1
    with torch.inference_mode():
        first, _ = tiny.eval().step(image, tiny.initial_state())
        again = load_checkpoint(path)
        second, _ = again.step(image, again.initial_state())
    assert len(first.people) > 0
    # Not bit for bit: the tensors of a file lie differently in memory, and sums run in another order.
    torch.testing.assert_close(first.people.rotations, second.people.rotations, atol=1e-4, rtol=0)
    torch.testing.assert_close(first.points_self, second.points_self, atol=1e-5, rtol=1e-5)


def test_configurations_say_whether_they_are_convolutional() -> None:
    assert Human3RConfig.from_json(embedded().to_json()) == embedded()
    assert embedded().score_grid == 8 and Human3RConfig().prior_patch_size == 14
    with pytest.raises(UserError):
        replace(embedded(), convolutional=1)


def test_the_embedded_model_fits_into_its_30_megabytes(tmp_path: Path) -> None:
    model = Human3R(embedded(), for_inference=True)
    assert sum(parameter.numel() for parameter in model.parameters()) <= 15_000_000
    save_checkpoint(model, tmp_path / "embedded.safetensors", torch.float16)
    assert (tmp_path / "embedded.safetensors").stat().st_size <= 30_000_000
