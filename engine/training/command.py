# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine train`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import torch

from ..contract.body_model import BodyModel, default_body_path
from ..contract.settings import DEVICES, PRECISIONS
from ..model.checkpoint import load_checkpoint
from ..model.config import embedded
from ..model.human3r import Human3R
from ..model.weights import choose_device
from .data import ClipPool
from .initialisation import initialise, mean_pose
from .parallel import join_group, leave_group
from .recipes import RECIPES, Recipe, named_recipe, shortened
from .trainer import WEIGHTS_FILE, Trainer, TrainerOptions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="small",
                        help="small: the embedded model from scratch; prompt-tuning: the paper's, only the human "
                             "layers learn (needs --weights)")
    parser.add_argument("--output", required=True, metavar="FOLDER",
                        help="for state, weights and curves; a run that was stopped goes on when this is repeated")
    parser.add_argument("--weights", metavar="FILE", help="checkpoint to start from, with all that training needs")
    parser.add_argument("--body", default="", metavar="FILE", help="body in the SMPL-X format (the bundled mannequin)")
    parser.add_argument("--stages", nargs="*", default=(), metavar="NAME", help="only these stages of the recipe")
    parser.add_argument("--length", type=float, default=1.0, metavar="FACTOR", help="factor on all steps (%(default)s)")
    parser.add_argument("--batch", type=int, metavar="CLIPS", help="clips per step and process (as the recipe says)")
    parser.add_argument("--device", choices=DEVICES, default="auto", help="(%(default)s)")
    parser.add_argument("--precision", choices=PRECISIONS, default="bfloat16", help="of the forward pass (%(default)s)")
    parser.add_argument("--gradient-checkpointing", action="store_true", help="less memory, a third more time")
    parser.add_argument("--seed", type=int, default=0, help="of weights and clips (%(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="of torch on a CPU; 0 for torch's choice")


def run(options: argparse.Namespace) -> int:
    """Train; returns the exit code. Progress goes to standard error. Raises UserError."""
    if options.threads:
        torch.set_num_threads(options.threads)
    device = choose_device(options.device)
    if device.type == "cuda" and "LOCAL_RANK" in os.environ:
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    rank, processes = join_group(device)
    try:
        recipe = shortened(named_recipe(options.recipe), options.length, options.batch, tuple(options.stages))
        precision = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}[options.precision]
        settings = TrainerOptions(
            folder=Path(options.output), device=device, precision=precision,
            checkpointing=options.gradient_checkpointing, seed=options.seed, rank=rank, processes=processes,
        )  # fmt: skip
        body = BodyModel.load(options.body or default_body_path())
        trainer = Trainer(_model(options.weights, options.seed, recipe, device), recipe, body, settings,
                          lambda line: print(line, file=sys.stderr, flush=True))
        trainer.run()
        if rank == 0:
            print(f"done: {Path(options.output) / WEIGHTS_FILE}", file=sys.stderr)
    finally:
        leave_group()
    return 0


def _model(weights: str | None, seed: int, recipe: Recipe, device: torch.device) -> Human3R:
    if weights:
        return load_checkpoint(weights, device, for_inference=False)
    torch.manual_seed(seed)
    model = Human3R(embedded())
    pool = ClipPool(recipe.stages[0].sources[0].settings, 64, 0, seed)
    initialise(model, mean_pose(pool.draw(64)))
    return model
