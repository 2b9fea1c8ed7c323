# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine probe VIDEO`: what footage is like, without running a model. Loads no torch."""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
from typing import Any, BinaryIO

from .contract.errors import UserError
from .contract.exit_codes import DONE, FAILED
from .contract.help_texts import add_examples
from .standard_streams import say_error


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    add_examples(parser, "python -m engine probe shot.mp4", "python -m engine probe shot.%04d.png --json")
    parser.add_argument("source", metavar="VIDEO", help="video, folder of images, or pattern (shot.%%04d.png)")
    parser.add_argument("--json", action="store_true", help="print one line of JSON, with a small image")


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Say how long, how large and how fast footage is, on `stdout`. Returns the exit code."""
    try:
        found = probe(options.source, with_image=options.json)
    except UserError as error:
        if options.json:
            _write(stdout, json.dumps({"event": "error", **error.as_dict()}))
            return FAILED
        return say_error(error)
    lines = [f"{name}: {'unknown' if value is None else value}" for name, value in found.items()]
    _write(stdout, json.dumps(found) if options.json else "\n".join(lines))
    return DONE


def probe(source: str, with_image: bool) -> dict[str, Any]:
    """``frames`` (None where unknown), ``frame_rate``, ``width``, ``height``; and, if wanted, the first frame small:
    ``image`` as base64 of its rows in sRGB, three bytes a pixel, with ``image_width`` and ``image_height``.

    Raises UserError (``footage-...``).
    """
    from .frame_images import small
    from .video.footage import open_footage

    with contextlib.closing(open_footage(source)) as footage:
        width, height = footage.size
        found: dict[str, Any] = {"frames": footage.frame_count, "frame_rate": round(footage.frame_rate, 3)}
        found |= {"width": width, "height": height}
        if with_image:
            first = next(footage.pictures(0, 1), None)
            if first is not None:
                rgb = small(first.rgb)
                found |= {"image_width": rgb.shape[1], "image_height": rgb.shape[0]}
                found["image"] = base64.b64encode(rgb.tobytes()).decode("ascii")
    return found


def _write(stdout: BinaryIO, text: str) -> None:
    with contextlib.suppress(OSError):
        stdout.write(text.encode("utf-8") + b"\n")
        stdout.flush()
