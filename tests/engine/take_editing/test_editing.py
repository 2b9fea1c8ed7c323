# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes with other people: who is who afterwards, and that nothing else changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.contract.errors import UserError
from engine.contract.messages import Frame
from engine.contract.take import SettledTakeReader, TakeReader, TakeWriter
from engine.take_editing.editing import FillGaps, edit_take, list_people
from engine.take_editing.edits import Delete, Edit, Hide, Merge, Moment, Rename, Split, Swap

from . import takes

SEEN = {0: range(0, 30), 1: range(20, 60), 4: [*range(10, 20), *range(40, 50)]}


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return takes.write(tmp_path_factory.mktemp("take") / "take.h3r", SEEN)


def edited(take: Path, folder: Path, *edits: Edit) -> Path:
    edit_take(take, folder / "edited.h3r", edits, overwrite=True)
    return folder / "edited.h3r"


def test_without_edits_it_is_a_copy(take: Path, tmp_path: Path) -> None:
    assert edited(take, tmp_path).read_bytes() == take.read_bytes()


@pytest.mark.parametrize(
    "edits",
    [
        [Swap(0, 1, Moment(24)), Swap(0, 1, Moment(24))],
        [Swap(0, 4, Moment(time_s=0.5)), Swap(4, 0, Moment(15 * 2))],
        [Split(1, Moment(80)), Merge(1, (5,))],
        [Rename(0, "Anna"), Split(0, Moment(20)), Delete(0), Merge(5, (1, 4)), Delete(5)],
    ],
)
def test_records_without_a_change_keep_their_bytes(take: Path, tmp_path: Path, edits: list[Edit]) -> None:
    before, after = takes.parts(take), takes.parts(edited(take, tmp_path, *edits))
    assert len(before) == len(after)
    is_empty = isinstance(edits[-1], Delete)  # nobody is left
    for (message, data), (other, other_data) in zip(before, after, strict=True):
        if is_empty and isinstance(message, Frame) and len(message.track_id):
            assert isinstance(other, Frame) and not len(other.track_id)
            assert np.array_equal(other.mask_bits, message.mask_bits)
        else:
            assert data == other_data


def test_only_pictures_with_the_person_are_written_anew(take: Path, tmp_path: Path) -> None:
    result = edit_take(take, tmp_path / "edited.h3r", [Delete(4)])
    changed = 0
    for (message, data), (other, other_data) in zip(
        takes.parts(take), takes.parts(tmp_path / "edited.h3r"), strict=True
    ):
        if isinstance(message, Frame) and 4 in message.track_id:
            changed += 1
            assert isinstance(other, Frame)
            kept = message.track_id != 4
            for name in ("track_id", "score", "pose_axis_angle", "betas", "expression", "translation", "head_px"):
                assert np.array_equal(getattr(other, name), getattr(message, name)[kept]), name
        else:
            assert data == other_data
    assert changed == result.changed == 20
    assert result.notes == [] and [entry.person for entry in result.people] == [0, 1]


def test_final_frames_follow_the_edits(take: Path, tmp_path: Path) -> None:
    with_finals = tmp_path / "final.h3r"
    with TakeReader(take) as reader, TakeWriter(with_finals) as writer:
        writer.write(reader.header)
        messages = list(reader)
        frames = [message for message in messages if isinstance(message, Frame)]
        for message in [*messages[:-1], *map(takes.moved_final, frames), messages[-1]]:
            writer.write(message)
    result = edit_take(with_finals, tmp_path / "edited.h3r", [Swap(0, 1, Moment(0)), Delete(4)])
    assert result.changed == len({index for person in SEEN.values() for index in person})
    with SettledTakeReader(with_finals) as before, SettledTakeReader(tmp_path / "edited.h3r") as after:
        pairs = [pair for pair in zip(before, after, strict=True) if isinstance(pair[0], Frame)]
    for old, new in pairs:
        for person, became in ((0, 1), (1, 0)):
            if person in old.track_id:
                row, new_row = list(old.track_id).index(person), list(new.track_id).index(became)
                assert np.array_equal(old.translation[row], new.translation[new_row])
                np.testing.assert_allclose(
                    old.translation[row], takes.person(person)["translation"][old.index] + 1, rtol=1e-5
                )
        assert 4 not in new.track_id


def test_of_two_who_are_merged_the_first_counts_where_both_are_seen(take: Path, tmp_path: Path) -> None:
    zero, one, merged = takes.rows(take, 0), takes.rows(take, 1), edited(take, tmp_path, Merge(1, (0,)))
    assert takes.rows(merged, 0) == {}
    found = takes.rows(merged, 1)
    assert sorted(found) == list(range(60))
    for index, pose in found.items():
        assert np.array_equal(pose, one[index] if index >= 20 else zero[index])


def test_a_split_gives_a_number_that_nobody_had(take: Path, tmp_path: Path) -> None:
    four, split = takes.rows(take, 4), edited(take, tmp_path, Delete(1), Split(4, Moment(60)), Split(0, Moment(20)))
    assert sorted(takes.rows(split, 4)) == list(range(10, 20))
    later = takes.rows(split, 5)
    assert sorted(later) == list(range(40, 50)) and all(np.array_equal(later[index], four[index]) for index in later)
    assert sorted(takes.rows(split, 6)) == list(range(10, 30))


def test_who_is_swapped_changes_places_from_that_picture_on(take: Path, tmp_path: Path) -> None:
    swapped = edited(take, tmp_path, Swap(0, 1, Moment(2 * 25)))
    assert sorted(takes.rows(swapped, 0)) == list(range(0, 60))
    assert sorted(takes.rows(swapped, 1)) == list(range(20, 30))
    zero, one = takes.rows(take, 0), takes.rows(take, 1)
    for index, pose in takes.rows(swapped, 0).items():
        assert np.array_equal(pose, zero[index] if index < 25 else one[index])


def test_names_and_hiding_are_in_the_header(take: Path, tmp_path: Path) -> None:
    first = edited(take, tmp_path, Rename(0, " Anna "), Rename(4, "Bö"), Hide(1), Hide(4))
    with TakeReader(first) as reader:
        assert reader.header.person_names == ((0, "Anna"), (4, "Bö")) and reader.header.hidden_people == (1, 4)
    entries, problem = list_people(first)
    assert problem is None
    assert [(entry.name, entry.hidden) for entry in entries] == [("Anna", False), ("Person 02", True), ("Bö", True)]
    edit_take(first, tmp_path / "second.h3r", [Hide(1, hidden=False), Delete(4), Merge(1, (0,))])
    with TakeReader(tmp_path / "second.h3r") as reader:
        assert reader.header.person_names == () and reader.header.hidden_people == ()


def test_what_is_told_of_people(take: Path) -> None:
    entry = list_people(take)[0][2]
    assert (entry.person, entry.pictures, entry.first_picture, entry.last_picture) == (4, 20, 20, 98)
    assert entry.first_s == pytest.approx(1 / 3) and entry.last_s == pytest.approx(49 / 30)
    assert entry.longest_gap_s == pytest.approx(21 / 30)


@pytest.mark.parametrize(
    ("edits", "code"),
    [
        ([Delete(2)], "no-such-person"),
        ([Delete(1), Rename(1, "Anna")], "no-such-person"),
        ([Merge(0, (0,))], "bad-edit"),
        ([Merge(0, (1, 1))], "bad-edit"),
        ([Swap(1, 1, Moment(3))], "bad-edit"),
        ([Split(1, Moment(40))], "nothing-to-split"),
        ([Split(1, Moment(time_s=2.0))], "nothing-to-split"),
        ([Swap(0, 1, Moment(900))], "nothing-to-swap"),
        ([Split(1, Moment(60)), Swap(0, 5, Moment(60))], "nobody-left"),
        ([Rename(0, "")], "bad-name"),
        ([Rename(0, "a\nb")], "bad-name"),
        ([Rename(0, "é" * 25)], "bad-name"),
    ],
)
def test_what_cannot_be_done_is_refused_and_writes_nothing(
    take: Path, tmp_path: Path, edits: list[Edit], code: str
) -> None:
    target = tmp_path / "edited.h3r"
    target.write_bytes(b"before")
    with pytest.raises(UserError) as error:
        edit_take(take, target, edits, overwrite=True)
    assert error.value.code == code and error.value.remedy
    assert target.read_bytes() == b"before" and list(tmp_path.iterdir()) == [target]


def test_takes_are_not_overwritten_by_accident_and_never_by_themselves(take: Path, tmp_path: Path) -> None:
    before = take.read_bytes()
    copy = tmp_path / "copy.h3r"
    copy.write_bytes(before)
    for target, overwrite in ((take, True), (copy, False)):
        with pytest.raises(UserError) as error:
            edit_take(take, target, [Delete(0)], overwrite=overwrite)
        assert error.value.code == "take-exists"
    with pytest.raises(UserError) as error:
        edit_take(take, copy / "below a file.h3r", [Delete(0)])
    assert error.value.code == "take-unwritable"
    assert take.read_bytes() == copy.read_bytes() == before


@pytest.mark.parametrize("lost", [1, 5000])
def test_a_take_that_is_cut_off_gives_one_that_is_good_so_far(take: Path, tmp_path: Path, lost: int) -> None:
    cut = tmp_path / "cut.h3r"
    cut.write_bytes(take.read_bytes()[:-lost])
    result = edit_take(cut, tmp_path / "edited.h3r", [Swap(0, 1, Moment(24))], FillGaps(1.0))
    assert len(result.notes) == 1 and "cut off" in result.notes[0]
    assert len(takes.parts(tmp_path / "edited.h3r")) == len(takes.parts(cut))


def test_what_is_known_of_the_camera_survives(tmp_path: Path) -> None:
    take = takes.with_camera(takes.write(tmp_path / "plain.h3r", SEEN), tmp_path / "take.h3r")
    kinds = ("camera_motion", "camera_summary", "backdrop")
    before = [data for message, data in takes.parts(take) if message.kind in kinds]
    edits = [Split(1, Moment(80)), Merge(0, (4,)), Rename(0, "Anna")]
    after = [data for message, data in takes.parts(edited(take, tmp_path, *edits)) if message.kind in kinds]
    assert len(before) == 3 and before == after
