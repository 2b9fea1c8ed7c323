# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine convert-checkpoint`: a released checkpoint becomes weights that start within seconds."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import BinaryIO

from .contract.errors import UserError
from .contract.exit_codes import DONE
from .standard_streams import answer, say, say_error

_PROGRESS_EVERY_S = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("source", type=Path, metavar="SOURCE", help="released checkpoint (.pth), or .safetensors")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="where to write the .safetensors; its manifest goes beside it (default: the folder of "
        "installed weights, where --model finds them by the name of the variant)",
    )
    parser.add_argument(
        "--half",
        action="store_true",
        help="store the matrices in float16, for half the size; norms, tokens and heads stay in float32",
    )


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Run the command; the path of the weights goes to `stdout`, progress to standard error. Returns the exit code."""
    # Here, so that --help does not wait for torch.
    from .model.conversion import convert_checkpoint

    shown = 0.0

    def show(done: int, total: int) -> None:
        nonlocal shown
        if time.monotonic() - shown >= _PROGRESS_EVERY_S or done == total:
            shown = time.monotonic()
            say(f"{100 * done // max(total, 1)} % of {total / 1e9:.1f} GB")

    try:
        target = (options.output or _installed_place(options.source)).absolute()
        manifest = convert_checkpoint(options.source, target, half=options.half, progress=show)
    except UserError as error:
        return say_error(error)
    say(f"{manifest.variant}, {manifest.precision}, {manifest.tensors} tensors, {manifest.bytes / 1e9:.2f} GB")
    if manifest.note:
        say(f"note: {manifest.note}")
    answer(str(target), stdout)
    return DONE


def _installed_place(source: Path) -> Path:
    from .installed.locations import weights_folder
    from .model.checkpoint import read_checkpoint
    from .model.config import variant_of

    variant = variant_of(read_checkpoint(source, source.name, unmarked=True).config)
    if variant is None:
        raise UserError(
            "unknown-variant",
            "{name} is not one of the released variants.",
            "Give --output, then use the file that it names as the model.",
            name=source.name,
        )
    return weights_folder() / f"{variant}.safetensors"
