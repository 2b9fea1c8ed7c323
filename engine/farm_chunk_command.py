# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine farm-chunk VIDEO --index K --output K.h3rc`: the network on one chunk of a clip."""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from pathlib import Path
from typing import Any, BinaryIO

from .contract.arguments import add_setting_options, settings_from_options
from .contract.errors import UserError
from .contract.exit_codes import CANCELLED, DONE, EXPLANATION
from .contract.framing import MAGIC
from .contract.sentences import Sentence
from .contract.settings import CaptureSettings
from .contract.whole_file import explained_write_errors, whole_file
from .standard_streams import say, say_error

_PROGRESS_EVERY_S = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = (
        f"{EXPLANATION} The file appears when all of the chunk is done, whole or not at all. farm-merge makes the take "
        "of all chunks: the same as run makes in one go."
    )
    parser.add_argument("source", metavar="VIDEO", help="video file, folder of images, or pattern (shot.%%04d.png)")
    parser.add_argument("--index", type=int, required=True, metavar="K", help="which chunk, counting from 0")
    parser.add_argument(
        "--chunks",
        type=_count,
        metavar="N",
        help="take the clip apart into so many chunks of about the same length (each chunk is one reset interval)",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="K.h3rc", help="where to write the chunk")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing chunk")
    parser.add_argument("--json", action="store_true", help="print a summary to standard output as one line of JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress lines on standard error")
    add_setting_options(parser)


def run(options: argparse.Namespace, stdout: BinaryIO) -> int:
    """Run the command; the summary goes to `stdout`, progress to standard error. Returns the exit code."""
    from .interruption import Interrupted, Interruption

    started, interruption = time.monotonic(), Interruption()
    try:
        with interruption.allowed():
            code, summary = DONE, _write(options)
    except UserError as error:
        code, summary = say_error(error), {"status": "failed", **error.as_fields()}
    except Interrupted:
        say("Canceled. No chunk was written.")
        code, summary = CANCELLED, {"status": "cancelled"}
    if options.json:
        with contextlib.suppress(OSError):
            stdout.write(json.dumps(summary | {"seconds": round(time.monotonic() - started, 3)}).encode() + b"\n")
            stdout.flush()
    return code


def _count(text: str) -> int:
    if (count := int(text)) < 1:
        raise argparse.ArgumentTypeError("use 1 or more")
    return count


def _write(options: argparse.Namespace) -> dict[str, Any]:
    """Write the chunk; returns the summary. Raises UserError."""
    output: Path = options.output
    settings: CaptureSettings = settings_from_options(options, source=options.source, take=str(output))
    _check_output(output, options.overwrite)
    from .video.footage import open_footage

    # Here, so that a wrong path is told at once: torch takes seconds to load.
    footage = open_footage(settings.source, settings.frame_rate)
    from .capture import resolved
    from .farm_chunks.clip_fingerprint import clip_fingerprint
    from .farm_chunks.plan import planned_chunk, require_chunks
    from .farm_chunks.running import ChunkRunner, PlacedFrames, load_network, wanted_for
    from .model.memory import explained_memory_errors
    from .video.reading import FrameReader

    settings = resolved(settings)
    require_chunks(settings)
    expected = footage.expected_count(settings.start, settings.end, settings.stride)
    chunk = planned_chunk(settings, expected, options.index, options.chunks)
    wanted, span = wanted_for(chunk), (settings.start, settings.end, settings.stride)
    tell = _Progress(options.quiet).show
    explained = explained_write_errors(Sentence("The chunk {path} cannot be written", path=output), "chunk-unwritable")
    with explained_memory_errors(settings):
        model = load_network(settings)
        reader = FrameReader(footage, model.picture_map(footage.size), *span, wanted=wanted)
        with reader, explained, whole_file(output, synced=True) as written:
            frames = PlacedFrames(iter(reader), wanted)
            runner = ChunkRunner(settings, clip_fingerprint(settings.source), footage, frames, model)
            end = runner.write(chunk, written, tell)
            if not end.count and options.chunks is None:
                raise _no_such_chunk(options.index)
    if not options.quiet:
        say(f"Wrote {output}, {end.count} frames from frame {chunk.first} on")
    summary = {"first": chunk.first, "frame_count": end.count, "more": end.more, "chunk": str(output)}
    return {"status": "complete", **summary}


def _check_output(output: Path, overwrite: bool) -> None:
    if not output.exists():
        return
    if not overwrite:
        raise UserError(
            "chunk-exists",
            "The chunk {output} already exists.",
            "Give --overwrite to replace it, or another name.",
            output=output,
        )
    begins = b""
    with contextlib.suppress(OSError), open(output, "rb") as file:
        begins = file.read(len(MAGIC))
    if begins != MAGIC:
        raise UserError(
            "not-a-chunk",
            "{output} exists and is not a chunk, so it is not replaced.",
            "Give the chunk another name, or move that file away.",
            output=output,
        )


def _no_such_chunk(index: int) -> UserError:
    return UserError(
        "no-such-chunk",
        "There is no chunk {index}: the footage ends before it.",
        "Use a smaller --index.",
        index=index,
    )


class _Progress:
    """One line a second: frames done."""

    def __init__(self, quiet: bool) -> None:
        self._quiet, self._shown = quiet, 0.0

    def show(self, count: int) -> None:
        if not self._quiet and count and time.monotonic() - self._shown >= _PROGRESS_EVERY_S:
            self._shown = time.monotonic()
            say(f"frame {count} of the chunk")
