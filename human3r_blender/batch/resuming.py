# SPDX-License-Identifier: GPL-3.0-or-later
"""What an earlier run of a batch left of a take, for ``convert --resume``."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from ...engine.contract.errors import UserError
from ...engine.contract.messages import TakeEnd
from ...engine.contract.take import TakeReader, begun_settings, resume_path

NOTHING, INTERRUPTED, COMPLETE = "nothing", "interrupted", "complete"


def state_of(take: Path) -> str:
    """Whether a take is there and complete, or interrupted and can be gone on with; else `NOTHING`."""
    try:
        if resume_path(take).is_file():
            begun_settings(take)
            return INTERRUPTED
        with TakeReader(take) as reader:
            return COMPLETE if any(_is_complete(message) for message in reader) else NOTHING
    except UserError:
        return NOTHING


def kept_take(output: Path, source: str) -> Path | None:
    """The newest take of a source that an earlier run left beside its output; None where there is none."""
    found = [
        path
        for path in output.parent.glob(f"{glob.escape(output.stem)}-*.h3r")
        if state_of(path) != NOTHING and begun_settings(path).source == source
    ]
    return max(found, key=os.path.getmtime, default=None)


def _is_complete(message: object) -> bool:
    return isinstance(message, TakeEnd) and message.status == "complete"
