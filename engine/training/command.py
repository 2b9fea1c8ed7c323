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
        help="small: train the small model from scratch; prompt-tuning: as in the paper, train only the human "
        "layers (needs --weights)",
    )
    parser.add_argument(
        "--output",
        required=True,
        metavar="FOLDER",
        help="folder for state, weights and curves; run the same command again to continue a stopped training",
    )
    parser.add_argument(
        "--weights",
        metavar="FILE",
        nargs="+",
        help="checkpoint to start from, complete for training; or those of CUT3R and Multi-HMR; or "
        "small, to start from the small model",
    )
    parser.add_argument(
        "--dataset",
        metavar="FOLDER",
        help="train on the training split of this dataset on disk, in the layout that "
        "`python -m engine.synthetic FOLDER` writes, instead of on clips made on the fly",
    )
    parser.add_argument(
        "--body", default="", metavar="FILE", help="body in the SMPL-X format (default: the bundled mannequin)"
    )
    parser.add_argument("--stages", nargs="*", default=(), metavar="NAME", help="only these stages of the recipe")
    parser.add_argument(
        "--length", type=float, default=1.0, metavar="FACTOR", help="multiply the number of steps (%(default)s)"
    )
    parser.add_argument(
        "--batch", type=int, metavar="CLIPS", help="clips per step and process (default: as the recipe says)"
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="device to train on (%(default)s)")
    parser.add_argument(
        "--precision", choices=PRECISIONS, default="bfloat16", help="precision of the forward pass (%(default)s)"
    )
    parser.add_argument("--gradient-checkpointing", action="store_true", help="use less memory, for a third more time")
    parser.add_argument("--seed", type=int, default=0, help="seed of weights and clips (%(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="threads on a CPU; 0 leaves it to PyTorch (%(default)s)")


def run(options: argparse.Namespace, stdout: BinaryIO | None = None) -> int:
    """Train; returns the exit code. All that is said goes to standard error; a stopped run goes on when repeated."""
    from .running import train

    try:
        train(options)
    except UserError as error:
        return say_error(error)
    except KeyboardInterrupt:
        print("Cancelled. To continue from the last state on disk, run the same command again.", file=sys.stderr)
        return CANCELLED
    return DONE
