# SPDX-License-Identifier: GPL-3.0-or-later
"""`tools/run_in_module.py` for a slow machine: an engine that would end by itself is not ended before."""

import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT), str(ROOT / "tools")]

from run_in_module import import_extension  # noqa: E402

from tests.waiting import HANG_S  # noqa: E402

rooms = f"{import_extension().__name__}.human3r_blender"
importlib.import_module(f"{rooms}.capture.sources").CANCEL_GRACE_S = HANG_S
importlib.import_module(f"{rooms}.capture.engine_process").LAST_WORDS_S = HANG_S
sys.exit(importlib.import_module(f"{rooms}.batch.command_line").main(sys.argv[1:]))
