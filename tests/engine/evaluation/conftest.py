# SPDX-License-Identifier: GPL-3.0-or-later
"""What the evaluation's tests share."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from engine.contract.body_model import BodyModel, default_body_path


@pytest.fixture(autouse=True)
def handlers_of_pytest() -> Iterator[None]:
    """The command takes over the stop signals of its process, which here is pytest's."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def body() -> BodyModel:
    return BodyModel.load(default_body_path())
