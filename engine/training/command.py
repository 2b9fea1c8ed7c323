# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine train`: its options. What it does is in :mod:`.running`, so that --help does not wait for torch."""

from __future__ import annotations

import argparse
import sys
from typing import BinaryIO

from ..contract.errors import UserError
from ..contract.exit_codes import CANCELLED, DONE
from ..contract.settings import DEVICES, PRECISIONS
from ..standard_streams import say_error

RECIPE_NAMES = ("small", "prompt-tuning")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "--recipe",
        choices=RECIPE_NAMES,
        default="small",
        help="small: the embedded model from scratch; prompt-tuning: the paper's, only the human "
        "layers learn (needs --weights)",
    )
    parser.add_argument(
        "--output",
        required=True,
        metavar="FOLDER",
        help="for state, weights and curves; a run that was stopped goes on when this is repeated",
    )
    parser.add_argument(
        "--weights",
        metavar="FILE",
        nargs="+",
        help="checkpoint to start from, with all that training needs; or CUT3R's and Multi-HMR's; or "
        "default, to go on from the embedded model",
    )
    parser.add_argument(
        "--dataset",
        metavar="FOLDER",
        help="draw clips from the training split of this dataset on disk, in the layout that "
        "`python -m engine.synthetic FOLDER` writes, instead of making them on the fly",
    )
    parser.add_argument("--body", default="", metavar="FILE", help="body in the SMPL-X format (the bundled mannequin)")
    parser.add_argument("--stages", nargs="*", default=(), metavar="NAME", help="only these stages of the recipe")
    parser.add_argument("--length", type=float, default=1.0, metavar="FACTOR", help="factor on all steps (%(default)s)")
    parser.add_argument("--batch", type=int, metavar="CLIPS", help="clips per step and process (as the recipe says)")
    parser.add_argument("--device", choices=DEVICES, default="auto", help="(%(default)s)")
    parser.add_argument("--precision", choices=PRECISIONS, default="bfloat16", help="of the forward pass (%(default)s)")
    parser.add_argument("--gradient-checkpointing", action="store_true", help="less memory, a third more time")
    parser.add_argument("--seed", type=int, default=0, help="of weights and clips (%(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="of torch on a CPU; 0 for torch's choice")


def run(options: argparse.Namespace, stdout: BinaryIO | None = None) -> int:
    """Train; returns the exit code. All that is said goes to standard error; a stopped run goes on when repeated."""
    from .running import train

    try:
        train(options)
    except UserError as error:
        return say_error(error)
    except KeyboardInterrupt:
        print("Cancelled. The same command goes on from the last state on disk.", file=sys.stderr)
        return CANCELLED
    return DONE
