# SPDX-License-Identifier: GPL-3.0-or-later
"""Real cameras that are known to stand still: the report says whether they have one pose."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.contract.body_model import BodyModel
from engine.contract.messages import PROTOCOL_VERSION, FinalFrame, Frame, Message, TakeEnd, TakeHeader
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeWriter

from .clips import FRAME_RATE, SIZE, true_messages, walking_truth
from .test_real import CLIP, noted, run

STILL, MOVED = np.eye(4), np.eye(4) + np.eye(4, k=3) * 1e-9


@pytest.fixture(scope="module")
def frames(body: BodyModel) -> list[Frame]:
    return [message for message in true_messages(walking_truth(frames=4), body) if isinstance(message, Frame)]


def final(frame: Frame, pose: np.ndarray) -> FinalFrame:
    same = ("track_id", "pose_axis_angle", "betas", "expression", "translation", "head_point", "principal_point_px")
    values = {name: getattr(frame, name) for name in same}
    return FinalFrame(index=frame.index, focal_px=frame.focal_px, world_from_camera=pose, **values)


@pytest.mark.parametrize(
    ("live", "settled", "facts", "cell", "one_pose"),
    [
        ([STILL] * 4, None, {"camera": "fixed"}, "1/1 (fixed: one pose)", True),
        ([STILL, STILL, MOVED, STILL], [STILL] * 4, {"camera": "fixed"}, "2/1 (fixed: NOT one pose)", False),
        ([STILL] * 4, [STILL, MOVED, 2 * MOVED, STILL], {"camera": "fixed"}, "1/3 (fixed: NOT one pose)", False),
        ([STILL, MOVED] * 2, None, {}, "2/2", None),
    ],
)
def test_poses_are_counted_live_and_final(
    tmp_path: Path,
    frames: list[Frame],
    body: BodyModel,
    live: list[np.ndarray],
    settled: list[np.ndarray] | None,
    facts: dict[str, str],
    cell: str,
    one_pose: bool | None,
) -> None:
    told = [replace(frame, world_from_camera=pose) for frame, pose in zip(frames, live, strict=True)]
    ours: list[Message] = [*told, *map(final, told, settled or [])]
    path = tmp_path / "two-people.h3r"
    with TakeWriter(path) as take:
        settings = CaptureSettings(source=CLIP, take=str(path))
        take.write(TakeHeader(PROTOCOL_VERSION, "test", SIZE, FRAME_RATE, 4, "made up", "mannequin", settings))
        for message in (*ours, TakeEnd("complete", 4)):
            take.write(message)
    clip = {"frames": {"1": noted(frames[1], body)}, "facts": facts}
    (tmp_path / "annotations.json").write_text(json.dumps({"clips": {CLIP: clip}}))
    code, text = run("--real", str(tmp_path), "--takes", str(tmp_path), "--json", str(tmp_path / "out.json"))
    assert code == 0
    (row,) = (line for line in text.splitlines() if line.startswith(CLIP))
    assert row.endswith(cell)
    values = json.loads((tmp_path / "out.json").read_text())["reports"][0]["clips"][CLIP]
    assert values["one_pose"] is one_pose and values["camera_is_fixed"] == bool(facts)
    assert f"{values['poses_live']}/{values['poses_final']}" == cell.split()[0]
