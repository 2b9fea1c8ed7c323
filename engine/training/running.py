# SPDX-License-Identifier: GPL-3.0-or-later
"""One training run as the command line asks for it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import torch

from ..contract.body_choice import body_file
from ..contract.body_model import BodyModel
from ..contract.errors import UserError
from ..model.config import embedded
from ..model.human3r import Human3R
from ..model.weights import choose_device
from .initialisation import initialise, mean_pose
from .parallel import join_group, leave_group
from .recipes import named_recipe, shortened
from .starting_weights import load_starting_weights
from .stored_clips import pool_of
from .trainer import WEIGHTS_FILE, Trainer, TrainerOptions


def train(options: argparse.Namespace) -> None:
    """Train as the options of :mod:`.command` say; progress goes to standard error. Raises UserError."""
    if options.threads:
        torch.set_num_threads(options.threads)
    device = choose_device(options.device)
    if device.type == "cuda" and "LOCAL_RANK" in os.environ:
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    rank, processes = join_group(device)
    try:
        body = BodyModel.load(body_file(options.body))
        dataset = Path(options.dataset) if options.dataset else None
        model = _model(options.recipe, options.weights, options.seed, device, dataset, body)
        recipe = named_recipe(options.recipe, model.config.image_size)
        recipe = shortened(recipe, options.length, options.batch, tuple(options.stages))
        precision = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}[options.precision]
        settings = TrainerOptions(
            folder=Path(options.output), device=device, precision=precision,
            checkpointing=options.gradient_checkpointing, seed=options.seed, dataset=dataset, rank=rank,
            processes=processes,
        )  # fmt: skip
        trainer = Trainer(model, recipe, body, settings, lambda line: print(line, file=sys.stderr, flush=True))
        trainer.run()
        if rank == 0:
            print(f"done: {Path(options.output) / WEIGHTS_FILE}", file=sys.stderr)
    finally:
        leave_group()


def _model(
    recipe: str, weights: list[str] | None, seed: int, device: torch.device, dataset: Path | None, body: BodyModel
) -> Human3R:
    if weights:
        return load_starting_weights(weights, device)
    if recipe == "prompt-tuning":
        raise UserError(
            "weights-missing",
            "Prompt tuning starts from a trained model, but none was given.",
            "Give its checkpoint with --weights.",
        )
    torch.manual_seed(seed)
    model = Human3R(embedded())
    source = named_recipe(recipe).stages[0].sources[0]
    initialise(model, mean_pose(pool_of(dataset, body, source.settings, 64, 0, seed).draw(64)))
    return model
