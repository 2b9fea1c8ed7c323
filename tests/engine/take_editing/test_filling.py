# SPDX-License-Identifier: GPL-3.0-or-later
"""People in pictures that missed them: near the truth, sound by the contract, up to the limit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.contract.body_model import default_body_path
from engine.contract.errors import UserError
from engine.contract.rotations import axis_angle_to_matrix
from engine.contract.skeleton import HEAD
from engine.take_editing.editing import FillGaps, edit_take, list_people
from engine.take_editing.edits import Merge

from . import takes

LOST = {0: [12, *range(20, 29), *range(40, 58)], 1: [30]}
SEEN = {one: [index for index in range(takes.FRAMES) if index not in lost] for one, lost in LOST.items()}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gaps")
    result = edit_take(takes.write(folder / "take.h3r", SEEN), folder / "filled.h3r", [], FillGaps(0.4))
    assert result.changed == result.bridged == 11 and result.notes == []
    return folder / "filled.h3r"


def test_gaps_up_to_the_limit_are_filled_and_longer_ones_stay(filled: Path) -> None:
    assert sorted(takes.rows(filled, 0)) == [index for index in range(60) if index not in range(40, 58)]
    assert sorted(takes.rows(filled, 1)) == list(range(60))
    edit_take(filled, filled.with_name("all.h3r"), [], FillGaps(0.7))
    assert sorted(takes.rows(filled.with_name("all.h3r"), 0)) == list(range(60))


def test_bridges_are_near_the_truth_under_a_moving_camera(filled: Path) -> None:
    body, held, bridged = takes.body(), [], []
    for index in LOST[0][:10]:
        frame = takes.frames(filled)[index]
        row = list(frame.track_id).index(0)
        true = takes.person(0)
        shape, before = np.median(true["betas"], axis=0), 11 if index == 12 else 19

        def joints(pose: np.ndarray, head: np.ndarray, picture: int, shape: np.ndarray = shape) -> np.ndarray:
            turns = axis_angle_to_matrix(pose)
            found = body.posed_joints(turns, shape, None, body.translation_from_head(turns, shape, None, head))
            camera = takes.cameras()[picture]
            return found @ camera[:3, :3].T + camera[:3, 3]

        truth = joints(true["pose_axis_angle"][index], true["head_point"][index], index)
        bridged.append(np.abs(joints(frame.pose_axis_angle[row], frame.head_point[row], index) - truth).max())
        held.append(np.abs(joints(true["pose_axis_angle"][before], true["head_point"][before], before) - truth).max())
        # Straight lines under a sine: h^2 / 8 times its greatest acceleration.
        assert np.allclose(frame.expression[row], true["expression"][index], atol=(1 / 3) ** 2 / 8 * 0.5 * 3**2)
        assert np.allclose(frame.head_px[row], true["head_px"][index], atol=8)
    assert max(bridged) < 0.03 and max(held) > 0.2


def test_new_rows_keep_the_contract_and_the_persons_shape(filled: Path) -> None:
    body = takes.body()
    for index, person in ((12, 0), (24, 0), (30, 1)):
        frame = takes.frames(filled)[index]
        row = list(frame.track_id).index(person)
        assert frame.score[row] == 0 and len(frame.track_id) == 2
        joints = body.posed_joints(
            axis_angle_to_matrix(frame.pose_axis_angle[row]),
            frame.betas[row],
            frame.expression[row],
            frame.translation[row],
        )
        assert np.allclose(joints[HEAD], frame.head_point[row], atol=1e-5)
    for person, lost in LOST.items():
        shapes = {
            one.index: one.betas[list(one.track_id).index(person)]
            for one in takes.frames(filled)
            if person in one.track_id
        }
        seen = [shape for index, shape in shapes.items() if index not in lost]
        assert np.array_equal(np.median(list(shapes.values()), axis=0), np.median(seen, axis=0).astype(np.float32))


def test_pictures_that_missed_nobody_keep_their_bytes(filled: Path) -> None:
    changed = {*LOST[0][:10], *LOST[1]}
    before, after = takes.parts(filled.with_name("take.h3r")), takes.parts(filled)
    differ = {
        getattr(message, "index", None)
        for (message, data), (_, other) in zip(before, after, strict=True)
        if data != other
    }
    assert differ == changed


def test_gaps_are_filled_after_the_other_edits(tmp_path: Path) -> None:
    take = takes.write(tmp_path / "take.h3r", {0: range(0, 20), 3: range(26, 60)})
    edit_take(take, tmp_path / "edited.h3r", [Merge(3, (0,))], FillGaps(0.3))
    entries, _ = list_people(tmp_path / "edited.h3r")
    assert [(entry.person, entry.pictures) for entry in entries] == [(3, 60)]


def test_a_body_that_is_not_the_takes_is_said(tmp_path: Path) -> None:
    take = takes.write(tmp_path / "take.h3r", {0: [0, 5]})
    with np.load(default_body_path()) as archive:
        arrays = dict(archive)
    arrays["v_template"] = arrays["v_template"] * 1.1
    np.savez(tmp_path / "other.npz", **arrays)
    result = edit_take(take, tmp_path / "edited.h3r", [], FillGaps(1.0, str(tmp_path / "other.npz")))
    assert len(result.notes) == 1 and "other.npz" in result.notes[0]
    with pytest.raises(UserError) as error:
        edit_take(take, tmp_path / "again.h3r", [], FillGaps(1.0, str(tmp_path / "absent.npz")))
    assert error.value.code == "body-missing" and not (tmp_path / "again.h3r").exists()


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
def test_impossible_limits_are_refused(limit: float) -> None:
    with pytest.raises(UserError) as error:
        FillGaps(limit)
    assert error.value.code == "bad-edit"
