# SPDX-License-Identifier: GPL-3.0-or-later
"""`engine refine`: people stand better than they were seen, and how they were seen is still in the take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.contract.messages import FinalFrame, Frame, Message, TakeEnd
from engine.contract.take import SettledTakeReader, TakeReader, resume_path
from engine.motion.clean_up import CleanUpSettings, clean_up
from tests.engine.motion import people
from tests.engine.stream.engine_process import run_json

from . import walking_takes as takes


def refine(*arguments: object) -> tuple[int, dict, str]:
    return run_json("refine", *arguments)


def refined(take: Path, *arguments: object) -> Path:
    code, summary, errors = refine(take, *arguments)
    assert code == 0, errors
    return Path(summary["take"])


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return takes.write(tmp_path_factory.mktemp("take") / "walk.h3r", takes.frames_of(takes.seen()), takes.summary())


@pytest.fixture(scope="module")
def result(take: Path) -> Path:
    return refined(take)


def figures(path: Path) -> dict[str, float]:
    return people.mean_figures([person.motion for person in takes.people_in(path)], takes.truths())


@pytest.mark.parametrize("after", [[takes.summary()], []], ids=["up is told", "up is found"])
def test_whoever_reads_the_take_gets_people_who_slide_and_swim_less(after: list[Message], tmp_path: Path) -> None:
    take = takes.write(tmp_path / "walk.h3r", takes.frames_of(takes.seen()), *after)
    raw, found = figures(take), figures(refined(take))
    assert found["sliding"] < 0.35 * raw["sliding"]
    assert found["jitter"] < 0.3 * raw["jitter"]
    assert found["wa_mpjpe"] < 0.9 * raw["wa_mpjpe"]
    assert found["mpjpe"] < 1.02 * raw["mpjpe"]


def test_it_is_the_clean_motion_of_blender(take: Path, result: Path) -> None:
    for seen, found in zip(takes.people_in(take), takes.people_in(result), strict=True):
        clean = clean_up(seen.motion, people.UP, camera=seen.cameras[:, :3, 3]).motion
        assert found.track_id == seen.track_id
        np.testing.assert_allclose(found.motion.joints(), clean.joints(), atol=1e-4)


def test_everything_that_was_in_the_take_is_there_byte_by_byte(take: Path, result: Path) -> None:
    before, after = takes.parts(take), takes.parts(result)
    assert [data for message, data in after if not (isinstance(message, FinalFrame) and message.refined)] == [
        data for _, data in before
    ]
    assert isinstance(after[-1][0], TakeEnd) and isinstance(after[-2][0], FinalFrame)
    with TakeReader(take) as old, TakeReader(result) as new:
        assert new.header.settings == replace(old.header.settings, refine_people=True)
        assert replace(new.header, settings=old.header.settings) == old.header
    assert result == take.with_name("walk-refined.h3r")


def test_how_people_were_seen_can_still_be_read(take: Path, result: Path) -> None:
    with SettledTakeReader(take) as old, SettledTakeReader(result, refined=False) as new:
        for before, after in zip(old, new, strict=True):
            assert type(before) is type(after)
            if isinstance(before, Frame) and isinstance(after, Frame):
                np.testing.assert_array_equal(before.pose_axis_angle, after.pose_axis_angle)
                np.testing.assert_array_equal(before.head_point, after.head_point)


def test_a_refined_take_is_refined_from_how_people_were_seen(take: Path, result: Path, tmp_path: Path) -> None:
    again = refined(result, "--output", tmp_path / "again.h3r")
    assert again.read_bytes() == result.read_bytes()
    weak, other = (
        refined(source, "--strength", 0.3, "--no-lock-feet", "--output", tmp_path / f"{source.stem}-weak.h3r")
        for source in (take, result)
    )
    assert weak.read_bytes() == other.read_bytes() != result.read_bytes()


def test_cleaning_up_a_refined_take_does_no_harm(take: Path, result: Path) -> None:
    """As Blender does with every take. Contacts that only refining has shown are held the second time, which bends
    legs a little; nothing gets worse than it was seen.
    """
    seen, once = ([person.motion for person in takes.people_in(path)] for path in (take, result))
    twice = [
        clean_up(person.motion, people.UP, CleanUpSettings(), person.cameras[:, :3, 3]).motion
        for person in takes.people_in(result)
    ]
    raw, first, second = (people.mean_figures(motions, takes.truths()) for motions in (seen, once, twice))
    for name in raw:
        assert second[name] < min(1.1 * first[name], raw[name]), name
    by_once, by_twice = (
        np.mean([np.linalg.norm(b.joints() - a.joints(), axis=-1).mean() for a, b in zip(one, other, strict=True)])
        for one, other in ((seen, once), (once, twice))
    )
    assert by_twice < 0.25 * by_once


def test_the_final_pass_counts_and_not_what_was_said_before_it(tmp_path: Path) -> None:
    frames = takes.frames_of(takes.truths())
    finals = [takes.final(frame, 0.7) for frame in frames]
    take = takes.write(tmp_path / "walk.h3r", frames, takes.summary(), *finals)
    result = refined(take)
    for seen, found in zip(takes.people_in(take), takes.people_in(result), strict=True):
        assert np.linalg.norm(seen.motion.joints() - found.motion.joints(), axis=-1).mean() < 0.01
    assert [data for message, data in takes.parts(result) if isinstance(message, FinalFrame)][: len(finals)] == [
        data for message, data in takes.parts(take) if isinstance(message, FinalFrame)
    ]


def _gone(frame: Frame, track: int) -> Frame:
    kept = frame.track_id != track
    columns = ("track_id", "score", "pose_axis_angle", "betas", "expression", "translation", "head_point", "head_px")
    return replace(frame, **{name: getattr(frame, name)[kept] for name in columns})


def test_people_who_come_and_go_stay_where_they_are(tmp_path: Path) -> None:
    """Whoever is in one frame alone, frames with nobody, and gaps."""
    frames = takes.frames_of(takes.seen())
    frames = [frame if frame.index == 40 else _gone(frame, 2) for frame in frames]
    frames = [_gone(frame, 3) if 60 <= frame.index < 120 else frame for frame in frames]
    frames = [_gone(_gone(frame, 3), 4) if frame.index < 10 else frame for frame in frames]
    take = takes.write(tmp_path / "walk.h3r", frames, takes.summary())
    result = refined(take)
    before, after = takes.people_in(take), takes.people_in(result)
    assert [len(person.places) for person in before] == [len(person.places) for person in after]
    np.testing.assert_allclose(before[0].motion.joints(), after[0].motion.joints(), atol=1e-4)
    assert sum(isinstance(message, FinalFrame) for message, _ in takes.parts(result)) == len(frames) - 10


def test_a_take_of_nobody_is_copied(tmp_path: Path) -> None:
    frames = [_gone(_gone(_gone(frame, 2), 3), 4) for frame in takes.frames_of(takes.seen())[:9]]
    take = takes.write(tmp_path / "nobody.h3r", frames)
    code, summary, errors = refine(take)
    assert code == 0 and (summary["people"], summary["frames_changed"]) == (0, 0), errors
    assert [data for _, data in takes.parts(Path(summary["take"]))] == [data for _, data in takes.parts(take)]


def test_damaged_people_are_left_and_the_others_refined(take: Path, result: Path, tmp_path: Path) -> None:
    frames = takes.frames_of(takes.seen())
    for index in (7, 50):
        frames[index].head_point[0] = np.nan
    frames[20].pose_axis_angle[1, 3] = np.inf
    damaged = refined(takes.write(tmp_path / "walk.h3r", frames, takes.summary()))
    finals = [message for message, _ in takes.parts(damaged) if isinstance(message, FinalFrame)]
    assert len(finals) == len(frames)
    assert [final.index for final in finals if len(final.track_id) < 3] == [7, 20, 50]
    assert all(np.isfinite(final.translation).all() and np.isfinite(final.head_point).all() for final in finals)
    same = takes.people_in(result)[2].motion.joints()
    undamaged = np.array([final.head_point[-1] for final in finals if final.index not in (7, 20, 50)])
    assert np.isfinite(same).all() and len(undamaged) == len(frames) - 3


def _not_a_take(folder: Path) -> Path:
    path = folder / "notes.h3r"
    path.write_text("not a take")
    return path


def _cut_off(folder: Path) -> Path:
    path = takes.write(folder / "cut.h3r", takes.frames_of(takes.seen())[:9])
    path.write_bytes(path.read_bytes()[:-40])
    return path


def _without_camera(folder: Path) -> Path:
    frames = [replace(f, world_from_camera=np.full((4, 4), np.nan)) for f in takes.frames_of(takes.seen())[:9]]
    return takes.write(folder / "blind.h3r", frames)


def _twice_in_a_frame(folder: Path) -> Path:
    frames = [replace(f, track_id=np.array([2, 2, 3], np.int32)) for f in takes.frames_of(takes.seen())[:9]]
    return takes.write(folder / "twice.h3r", frames)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (_not_a_take, "take-unreadable"),
        (lambda folder: folder / "missing.h3r", "take-unreadable"),
        (_cut_off, "take-unfinished"),
        (lambda folder: takes.write(folder / "open.h3r", takes.frames_of(takes.seen())[:9], end=""), "take-unfinished"),
        (lambda folder: takes.write(folder / "empty.h3r", []), "take-unfinished"),
        (_without_camera, "take-without-camera"),
        (_twice_in_a_frame, "take-damaged"),
    ],
)
def test_what_cannot_be_refined_leaves_nothing_behind(make: object, code: str, tmp_path: Path) -> None:
    take = make(tmp_path)  # type: ignore[operator]
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    exit_code, summary, errors = refine(take)
    assert exit_code == 1 and summary["code"] == code and "remedy" in errors
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_no_file_is_replaced_that_should_not_be(take: Path, result: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.h3r"
    there.write_bytes(b"of the user")
    assert refine(take, "--output", there)[1]["code"] == "take-exists"
    assert refine(take, "--output", take, "--overwrite")[1]["code"] == "take-exists"
    assert there.read_bytes() == b"of the user"
    resume_path(there).write_bytes(b"of an interrupted capture")
    assert refine(take, "--output", there, "--overwrite")[1]["code"] == "take-unfinished"
    resume_path(there).unlink()
    assert refined(take, "--output", there, "--overwrite").read_bytes() == result.read_bytes()
    assert refine(take, "--output", there / "below" / "a.h3r")[1]["code"] == "take-unwritable"


def test_another_body_than_the_takes_is_said(take: Path, tmp_path: Path) -> None:
    with TakeReader(take) as reader:
        header, messages = replace(reader.header, body="SMPLX_NEUTRAL.npz", body_fingerprint="another"), list(reader)
    path = _rewritten(tmp_path / "other.h3r", header, messages)
    _, _, errors = refine(path, "--body", "mannequin")
    assert "note: This take was made with the body SMPLX_NEUTRAL.npz" in errors


def _rewritten(path: Path, header: object, messages: list[Message]) -> Path:
    from engine.contract.take import TakeWriter

    with TakeWriter(path) as writer:
        for message in (header, *messages):
            writer.write(message)
    return path
