# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture whose footage cannot be read again once the last frame is in: nothing that was captured is lost by it."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.capture import CaptureResult, run_capture
from engine.contract.messages import Backdrop, CameraSummary, FinalFrame, Frame, Message, Status, TakeEnd
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeReader
from engine.interruption import Interruption
from engine.supply import ModelShelf
from tests.engine.camera_pass.filmed_takes import film

FRAMES = 4


@pytest.fixture(scope="module")
def shelf() -> ModelShelf:
    return ModelShelf()


@pytest.fixture
def settings(tmp_path: Path) -> CaptureSettings:
    footage = film(tmp_path / "footage", np.repeat(np.eye(4)[None], FRAMES, axis=0))
    return CaptureSettings(source=str(footage), take=str(tmp_path / "take.h3r"), model="landmarks")


def captured(settings: CaptureSettings, shelf: ModelShelf, sink: Callable[[Message], None]) -> CaptureResult:
    return run_capture(settings, sink, Interruption(), shelf)


def in_take(settings: CaptureSettings) -> list[Message]:
    with TakeReader(settings.take) as reader:
        messages = list(reader)
        assert reader.problem is None
    return messages


def assert_ends_in_order(settings: CaptureSettings, result: CaptureResult) -> None:
    messages = in_take(settings)
    (summary,) = (message for message in messages if isinstance(message, CameraSummary))
    end = messages[-1]
    assert isinstance(end, TakeEnd) and end.status == result.status == "complete"
    assert (summary.refined, summary.note, summary.motion) == (False, "not-done", "still")
    assert "refine-camera" in end.note and end.note == result.note
    kinds = [type(message) for message in messages]
    assert kinds.count(Frame) == kinds.count(FinalFrame) == FRAMES, "the people's own pass needs no footage"
    assert Backdrop not in kinds
    assert not Path(f"{settings.take}.resume").exists()


def test_footage_that_is_gone_after_the_last_frame_costs_only_the_pass(settings, shelf):
    def sink(message: Message) -> None:
        if isinstance(message, Frame) and message.index == FRAMES - 1:
            shutil.rmtree(settings.source)

    assert_ends_in_order(settings, captured(settings, shelf, sink))


def test_footage_that_goes_in_the_middle_of_the_pass_costs_no_more(settings, shelf):
    def sink(message: Message) -> None:
        if isinstance(message, Status) and message.phase == "refining" and Path(settings.source).exists():
            shutil.rmtree(settings.source)

    assert_ends_in_order(settings, captured(settings, shelf, sink))


def test_a_pass_that_is_canceled_and_resumed_leaves_the_same_take(settings, shelf):
    whole = dataclasses.replace(settings, take=f"{settings.take}.whole")
    captured(whole, shelf, lambda _: None)
    interruption, told = Interruption(), []

    def sink(message: Message) -> None:
        if isinstance(message, Status) and message.phase == "refining":
            told.append(message)
            if len(told) == 4:
                interruption.request()

    assert run_capture(settings, sink, interruption, shelf).status == "cancelled"
    assert run_capture(settings, lambda _: None, Interruption(), shelf, resume=True).status == "complete"
    assert after_header(settings) == after_header(whole)


def after_header(settings: CaptureSettings) -> bytes:
    """What does not depend on the take's own name."""
    with TakeReader(settings.take) as reader:
        return Path(settings.take).read_bytes()[reader.offset :]
