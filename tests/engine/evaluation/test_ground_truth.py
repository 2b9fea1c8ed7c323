# SPDX-License-Identifier: GPL-3.0-or-later
"""Ground truth files: what is written is read, and nothing else is."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from engine.contract.errors import UserError
from engine.ground_truth import ClipTruth, PointPeople, SmplxPeople, read_truth, write_truth

from . import clips


@pytest.fixture(scope="module")
def truth() -> ClipTruth:
    return clips.walking_truth(frames=4)


def assert_same(first: object, second: object) -> None:
    assert type(first) is type(second)
    for item in fields(first):
        ours, theirs = getattr(first, item.name), getattr(second, item.name)
        if isinstance(ours, SmplxPeople | PointPeople):
            assert_same(ours, theirs)
        elif isinstance(ours, np.ndarray):
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs)
        else:
            assert ours == theirs


def without_people(truth: ClipTruth) -> ClipTruth:
    return replace(truth, people=None, present=None, expected=None, person_mask=None, depth_m=None)


def as_points(truth: ClipTruth) -> ClipTruth:
    return replace(truth, people=PointPeople("SMPL, 24 joints", np.ones((4, 2, 24, 3)), np.ones((4, 2, 50, 3))))


@pytest.mark.parametrize("variant", [lambda truth: truth, without_people, as_points])
def test_round_trip(truth: ClipTruth, tmp_path: Path, variant) -> None:
    path = tmp_path / "truth.npz"
    write_truth(path, variant(truth))
    assert_same(variant(truth), read_truth(path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"focal_px": np.ones(3)}, "focal_px"),
        ({"present": None}, "present"),
        ({"expected": np.ones((4, 3), bool)}, "expected"),
        ({"source_frame": np.array([0, 2, 1, 3])}, "increase"),
        ({"present": np.zeros((4, 2), bool)}, "cannot be expected"),
        ({"depth_m": np.ones((3, 8, 8))}, "depth_m"),
        ({"world_from_camera": np.ones((4, 3, 4))}, "world_from_camera"),
    ],
)
def test_parts_must_belong_together(truth: ClipTruth, change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(truth, **change)


def test_damaged_files_are_refused(truth: ClipTruth, tmp_path: Path) -> None:
    good = tmp_path / "good.npz"
    write_truth(good, truth)
    with np.load(good) as archive:
        arrays = dict(archive)
    bad = {
        "cut": good.read_bytes()[:-200],
        "text": b"no archive at all",
        "empty": b"",
    }
    for name, data in bad.items():
        (tmp_path / f"{name}.npz").write_bytes(data)
    for name, changed in {
        "pickled": {**arrays, "name": np.array([{"a": 1}], dtype=object)},
        "unknown": {**arrays, "surprise": np.ones(3)},
        "missing": {key: value for key, value in arrays.items() if key != "focal_px"},
        "misshapen": {**arrays, "focal_px": np.ones(9)},
        "version": {**arrays, "format": np.array("human3r-truth-0")},
        "kind": {**arrays, "people": np.array("GhostPeople")},
        "foreign": {"x": np.ones(3)},
    }.items():
        np.savez(tmp_path / f"{name}.npz", **changed)
    for path in (*tmp_path.glob("[!g]*.npz"), tmp_path / "nowhere.npz"):
        with pytest.raises(UserError) as raised:
            read_truth(path)
        assert raised.value.code == "truth-unreadable", path.name


def test_unwritable(truth: ClipTruth, tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        write_truth(tmp_path / "nowhere" / "truth.npz", truth)
    assert raised.value.code == "truth-unwritable"
