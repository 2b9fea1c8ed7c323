# SPDX-License-Identifier: GPL-3.0-or-later
"""`engine run --refine`: the take is the one that `engine refine` makes of it, also after a stop in the middle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.capture import run_capture
from engine.contract.messages import FinalFrame, Frame, FrameImage, Message, Status
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeReader, resume_path
from engine.evaluation.synthetic_set import NamedBody, SyntheticSet
from engine.interruption import Interruption
from engine.supply import ModelShelf
from engine.synthetic.settings import tier_settings
from tests.engine.stream.engine_process import run_engine

from .test_refine_take import refined

FRAMES = 10


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def shelf() -> ModelShelf:
    return ModelShelf()


@pytest.fixture(scope="module")
def footage() -> Iterator[str]:
    """A folder with the pictures of a synthetic clip."""
    clips = SyntheticSet(range(3, 4), replace(tier_settings("studio"), frames=FRAMES), NamedBody.load())
    for clip in clips.clips():
        yield clip.source


def settings(footage: str, take: Path, **changes: object) -> CaptureSettings:
    return CaptureSettings(source=footage, take=str(take), model="small", body="mannequin", frame_rate=25.0, **changes)  # type: ignore[arg-type]


def captured(
    settings: CaptureSettings, shelf: ModelShelf, sink: Callable[[Message], None] = lambda _: None
) -> list[Message]:
    assert run_capture(settings, sink, Interruption(), shelf).status == "complete"
    with TakeReader(settings.take) as reader:
        return list(reader)


def after_header(take: str | Path) -> bytes:
    """What does not depend on the take's own name."""
    with TakeReader(take) as reader:
        return Path(take).read_bytes()[reader.offset :]


@pytest.mark.parametrize("refine_camera", ["off", "on"])
def test_it_is_the_take_that_refining_makes_of_the_plain_one(
    refine_camera: str, footage: str, shelf: ModelShelf, tmp_path: Path
) -> None:
    plain = settings(footage, tmp_path / "plain.h3r", refine_camera=refine_camera)
    whole = settings(footage, tmp_path / "whole.h3r", refine_camera=refine_camera, refine_people=True)
    told: list[Message] = []
    captured(plain, shelf)
    messages = captured(whole, shelf, told.append)
    assert sum(isinstance(message, FinalFrame) and message.refined for message in messages) == FRAMES
    assert after_header(whole.take) == after_header(refined(Path(plain.take)))
    with TakeReader(whole.take) as reader:
        assert reader.header.settings.refine_people
    kinds = [type(message) for message in told if not isinstance(message, Status | FrameImage)]
    assert kinds[1:] == [type(message) for message in messages], "who listens gets the same"


def test_a_stop_while_people_are_refined_costs_nothing(footage: str, shelf: ModelShelf, tmp_path: Path) -> None:
    whole = settings(footage, tmp_path / "whole.h3r", refine_people=True)
    stopped = settings(footage, tmp_path / "stopped.h3r", refine_people=True)
    captured(whole, shelf)
    interruption = Interruption()

    def sink(message: Message) -> None:
        if isinstance(message, Status) and message.text.startswith("Refining people"):
            interruption.request()

    assert run_capture(stopped, sink, interruption, shelf).status == "cancelled"
    assert resume_path(stopped.take).is_file()
    with TakeReader(stopped.take) as reader:
        assert not any(isinstance(message, FinalFrame) for message in reader) and reader.problem is None
    assert run_capture(stopped, lambda _: None, Interruption(), shelf, resume=True).status == "complete"
    assert after_header(stopped.take) == after_header(whole.take)


def test_the_option_of_the_command(footage: str, tmp_path: Path) -> None:
    for options, wanted in ((["--refine"], True), (["--refine-people"], True), (["--refine", "--no-refine"], False)):
        code, _, errors = run_engine(
            footage, "--take", tmp_path / "run.h3r", "--overwrite", "--model", "small", "--body", "mannequin", "--end",
            "3", "--frame-rate", "25", *options,
        )  # fmt: skip
        assert code == 0, errors
        with TakeReader(tmp_path / "run.h3r") as reader:
            assert reader.header.settings.refine_people is wanted
            finals = [message for message in reader if isinstance(message, FinalFrame) and message.refined]
        assert len(finals) == (3 if wanted else 0)


def test_it_is_off_unless_it_is_asked_for(footage: str, shelf: ModelShelf, tmp_path: Path) -> None:
    messages = captured(settings(footage, tmp_path / "plain.h3r"), shelf)
    assert sum(isinstance(message, Frame) for message in messages) == FRAMES
    assert not any(isinstance(message, FinalFrame) for message in messages)
