# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop: it learns, resumes exactly, leaves frozen what is frozen, and goes through the one step of the model."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.contract.body_model import BodyModel
from engine.contract.errors import UserError
from engine.model.checkpoint import load_checkpoint, save_checkpoint
from engine.model.human3r import Human3R
from engine.synthetic.settings import tier_settings
from engine.synthetic.surface import BodySurface
from engine.training import recipes
from engine.training.auxiliary_heads import AuxiliaryHeads
from engine.training.command import RECIPE_NAMES, add_arguments, run
from engine.training.curves import Curves
from engine.training.objectives import LossWeights, Objective
from engine.training.recipes import PEOPLE_LAYERS, Recipe, Source, Stage, named_recipe, prompt_tuning, shortened
from engine.training.skeleton import Skeleton
from engine.training.trainer import WEIGHTS_FILE, Trainer, TrainerOptions
from engine.training.truth import Truth

from .conftest import tiny_config

CLIPS = (Source(replace(tier_settings("studio"), frames=2)),)


def stage(way: str, steps: int, **changes: object) -> Stage:
    return replace(Stage(way, way, steps, 1, CLIPS, 1e-3, warmup=1, pool=2), **changes)


def train(model: Human3R, recipe: Recipe, body: BodyModel, folder: Path, stop_after: int | None = None) -> Trainer:
    options = TrainerOptions(folder, torch.device("cpu"), report_every=1)
    trainer = Trainer(model, recipe, body, options, lambda _: None)
    trainer.run(stop_after)
    return trainer


def copy_of(model: Human3R) -> Human3R:
    other = Human3R(model.config)
    other.load_state_dict(model.state_dict())
    return other


def objective(model: Human3R, body: BodyModel, weights: LossWeights | None = None) -> Objective:
    torch.manual_seed(1)
    return Objective(
        model, AuxiliaryHeads(model.config), Skeleton(body), BodySurface(body, cell=0.05), weights or LossWeights()
    )


def test_a_stopped_run_goes_on_exactly(tiny: Human3R, body: BodyModel, tmp_path: Path) -> None:
    recipe = Recipe("test", (stage("people", 2), stage("clips", 2)))
    through = train(copy_of(tiny), recipe, body, tmp_path / "through")
    for _ in range(4):
        pieces = train(copy_of(tiny), recipe, body, tmp_path / "pieces", stop_after=1)
    for (name, one), other in zip(through.model.state_dict().items(), pieces.model.state_dict().values(), strict=True):
        assert torch.equal(one, other), name
    assert not torch.equal(tiny.enc_norm.weight, through.model.enc_norm.weight)
    assert Curves(tmp_path / "through").read() == Curves(tmp_path / "pieces").read()
    load_checkpoint(tmp_path / "pieces" / WEIGHTS_FILE)


def test_prompt_tuning_changes_the_human_layers_and_not_a_bit_else(
    tiny: Human3R, body: BodyModel, tmp_path: Path
) -> None:
    tuning = prompt_tuning().stages[0]
    short = replace(tuning, steps=2, batch=2, pool=4, warmup=1, sources=CLIPS)
    tuned = train(copy_of(tiny), Recipe("test", (short,)), body, tmp_path)
    before, after = tiny.state_dict(), tuned.model.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(name.startswith(PEOPLE_LAYERS) for name in changed)
    for layer in ("mlp_fuse", "mlp_msk", "decpose", "decshape", "deccam", "decexpression"):
        assert f"downstream_head.{layer}.mlp.layers.0.weight" in changed


@pytest.mark.parametrize("way", ["people", "matching", "clips"])
def test_every_way_learns_a_batch_by_heart(tiny: Human3R, body: BodyModel, clips: Truth, way: str) -> None:
    torch.manual_seed(0)
    truth = clips.as_single_frames() if way == "people" else clips
    target = objective(tiny, body)
    optimizer = torch.optim.AdamW([*tiny.parameters(), *target.heads.parameters()], 2e-3)
    totals = []
    for _ in range(8):
        total = sum(getattr(target, way)(truth).values())
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(total.item())
    assert totals[-1] < 0.8 * totals[0]


def test_clips_go_through_the_step_that_streaming_uses(
    tiny: Human3R, body: BodyModel, clips: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught = []
    step = Human3R.step
    monkeypatch.setattr(
        Human3R,
        "step",
        lambda self, images, state, options=None, teacher=None: (
            taught.append(teacher) or step(self, images, state, options, teacher)
        ),
    )
    objective(tiny, body).clips(clips)
    assert len(taught) == clips.frames
    assert torch.equal(taught[1].head_px, clips.head_px[:, 1])


def test_recomputing_blocks_changes_no_gradient(tiny: Human3R, body: BodyModel, clips: Truth, tmp_path: Path) -> None:
    def gradients(model: Human3R) -> list[torch.Tensor | None]:
        torch.manual_seed(2)
        sum(objective(model, body).clips(clips).values()).backward()
        return [parameter.grad for parameter in model.parameters()]

    plain = gradients(copy_of(tiny))
    other = copy_of(tiny)
    options = TrainerOptions(tmp_path, torch.device("cpu"), checkpointing=True)
    Trainer(other, Recipe("test", ()), body, options, lambda _: None)
    for one, two in zip(plain, gradients(other), strict=True):
        assert (one is None) == (two is None)
        if one is not None:
            torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-6)


def test_the_papers_losses_with_the_training_heads_reach_the_human_layers(
    tiny: Human3R, body: BodyModel, clips: Truth
) -> None:
    weights = LossWeights(paper=True, world_map=1.0)
    losses = objective(tiny, body, weights).clips(clips)
    assert {"camera_vertices", "world_points", "color", "detection", "mask"} <= set(losses)
    sum(losses.values()).backward()
    head = tiny.downstream_head
    for layer in (head.decpose, head.mlp_fuse, head.deccam, head.mlp_msk):
        assert layer.mlp.layers[2].weight.grad.abs().max() > 0


def test_the_command_trains_and_its_weights_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: Human3R
) -> None:
    start = tmp_path / "start.safetensors"
    save_checkpoint(tiny, start)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    recipe = Recipe("test", (stage("matching", 1),))
    monkeypatch.setattr("engine.training.running.named_recipe", lambda *_: recipe)
    options = parser.parse_args(["--output", str(tmp_path / "run"), "--weights", str(start), "--device", "cpu"])
    assert run(options) == 0
    assert run(parser.parse_args(["--output", str(tmp_path), "--recipe", "prompt-tuning"])) == 1  # without weights
    assert load_checkpoint(tmp_path / "run" / WEIGHTS_FILE).config == tiny_config()
    assert (tmp_path / "run" / "curves.png").stat().st_size > 0
    assert Curves(tmp_path / "run").read()


def test_recipes_can_be_cut_and_wrong_names_are_told() -> None:
    recipe = named_recipe("small")
    cut = shortened(recipe, 0.1, batch=3, stages=("people",))
    assert [(part.name, part.steps, part.batch) for part in cut.stages] == [("people", recipe.stages[0].steps // 10, 3)]
    assert set(RECIPE_NAMES) == set(recipes.RECIPES)
    assert prompt_tuning(128).stages[0].sources[0].settings.size == (128, 96)
    for wrong in (lambda: named_recipe("no such"), lambda: shortened(recipe, 1.0, stages=("no such",))):
        with pytest.raises(UserError):
            wrong()
