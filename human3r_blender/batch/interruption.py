# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C, or another program's request to stop, asks once for an orderly end; the second time it stops at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ...engine.contract.stop_signals import stop_signals_handled
from ...engine.contract.terminal import say


@dataclass
class Interruption:
    """Whether somebody asked."""

    requested: bool = False


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Listen for requests to stop. Raises KeyboardInterrupt at the second one."""
    state = Interruption()

    def ask(*_: object) -> None:
        if state.requested:
            raise KeyboardInterrupt
        state.requested = True
        say("Stopping (press Ctrl-C again to stop at once)")

    with stop_signals_handled(ask):
        yield state
