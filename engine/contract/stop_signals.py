# SPDX-License-Identifier: GPL-3.0-or-later
"""The signals by which people, terminals and other programs ask a process to stop."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name))
"""Ctrl-C; the request of another program; and Windows' own of that kind, which render farms and services send there."""

Handler = Callable[[int, FrameType | None], object]


def handle_stop_signals(handler: Handler) -> dict[int, object]:
    """Have all of them call `handler` from now on; the handlers before. Only in the main thread."""
    return {number: signal.signal(number, handler) for number in STOP_SIGNALS}


@contextmanager
def stop_signals_handled(handler: Handler) -> Iterator[None]:
    """The same for a while, in a process that is somebody else's."""
    before = handle_stop_signals(handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier or signal.SIG_DFL)  # type: ignore[arg-type]
