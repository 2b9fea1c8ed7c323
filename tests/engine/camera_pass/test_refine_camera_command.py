# SPDX-License-Identifier: GPL-3.0-or-later
"""`engine refine-camera` on old takes, as a user runs it: whether the footage is there or not, no take is hurt."""

import signal
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from engine.camera_pass.refit import refitted
from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.messages import (
    PROTOCOL_VERSION,
    Backdrop,
    CameraSummary,
    FinalFrame,
    FocalLength,
    Frame,
    ScenePoints,
    TakeEnd,
)
from engine.contract.take import SettledTakeReader, TakeReader, records
from engine.resuming.resume_file import resume_path
from tests.engine.camera_pass.filmed_takes import FOCAL_PX, SIZE, empty_frame, film, write_take
from tests.engine.stages.textured_room import pose
from tests.engine.stream.engine_process import ENVIRONMENT, ROOT, engine_command, run_json

FRAMES = 12


def refine(*arguments):
    return run_json("refine-camera", *arguments)


def wandering(index):
    """What a live tracker says of a camera that stands still."""
    return pose((0.01 * index, 0.0, -0.005 * index), yaw=0.1 * index)


@pytest.fixture
def still_take(tmp_path):
    footage = film(tmp_path / "footage", np.repeat(np.eye(4)[None], FRAMES, axis=0))
    frames = [empty_frame(index, wandering(index)) for index in range(FRAMES)]
    told = FocalLength(FOCAL_PX, 0.1, "people")
    points = ScenePoints(FRAMES - 1, True, np.ones((5, 3)), np.full((5, 3), 200), np.full(5, 2.5))
    return write_take(tmp_path / "old.h3r", footage, frames, told, points, protocol=1)


def live_records(path):
    data = path.read_bytes()
    with TakeReader(path) as reader:
        return [data[start:end] for message, start, end in records(reader) if isinstance(message, Frame | FocalLength)]


def test_an_old_take_of_a_still_camera_gets_one_pose_and_a_backdrop(still_take):
    live = live_records(still_take)
    code, summary, errors = refine(still_take)
    assert code == 0, errors
    assert summary["camera_motion"] == "still" and summary["backdrop"] and summary["frames_changed"] == FRAMES - 1
    with SettledTakeReader(still_take) as reader:
        assert reader.header.protocol == PROTOCOL_VERSION
        messages = list(reader)
    frames = [message for message in messages if isinstance(message, Frame)]
    assert len(frames) == FRAMES
    for frame in frames:
        np.testing.assert_array_equal(frame.world_from_camera, np.eye(4))
    assert sum(isinstance(message, Backdrop) for message in messages) == 1
    assert [len(message.position) for message in messages if isinstance(message, ScenePoints)] == [0]
    assert isinstance(messages[-1], TakeEnd) and reader.problem is None
    assert live_records(still_take)[: len(live)] == live, "the live records have changed"


def test_refining_again_replaces_what_the_first_pass_found(still_take):
    refine(still_take)
    once = still_take.stat().st_size
    code, _, errors = refine(still_take)
    assert code == 0, errors
    with TakeReader(still_take) as reader:
        kinds = [type(message) for message in reader]
    assert kinds.count(CameraSummary) == kinds.count(Backdrop) == 1 and kinds.count(FinalFrame) <= FRAMES
    assert still_take.stat().st_size <= once


def test_a_frame_that_stays_keeps_what_an_earlier_pass_found_of_its_people(tmp_path):
    footage = film(tmp_path / "footage", np.repeat(np.eye(4)[None], FRAMES, axis=0))
    frames = [empty_frame(index, wandering(index)) for index in range(FRAMES)]
    told = FocalLength(FOCAL_PX, 0.1, "people")
    body = BodyModel.load(default_body_path())
    poses = [wandering(index) if index == 5 else np.eye(4) for index in range(FRAMES)]
    earlier = [refitted(frame, pose, 1.2 * FOCAL_PX, body) for frame, pose in zip(frames, poses, strict=True)]
    take = write_take(tmp_path / "old.h3r", footage, frames, told, *earlier)
    code, _, errors = refine(take)
    assert code == 0, errors
    with SettledTakeReader(take) as reader:
        focals = [message.focal_px for message in reader if isinstance(message, Frame)]
    assert focals == [1.2 * FOCAL_PX] * FRAMES


def test_without_a_backdrop_the_points_from_before_it_come_again(still_take):
    def shown():
        with TakeReader(still_take) as reader:
            messages = list(reader)
        points = [message for message in messages if isinstance(message, ScenePoints)]
        return [type(message) for message in messages].count(Backdrop), len(points[-1].position)

    with TakeReader(still_take) as reader:
        frames = [message for message in reader if isinstance(message, Frame)]
        settings = reader.header.settings
    live = ScenePoints(FRAMES - 1, False, np.ones((5, 3)), np.full((5, 3), 200), np.full(5, 2.5))
    write_take(still_take, settings.source, frames, live)
    refine(still_take)
    assert shown() == (1, 0)
    assert refine(still_take, "--no-backdrop")[0] == 0
    assert shown() == (0, 5)


def test_a_take_that_can_still_be_continued_is_not_replaced(still_take, tmp_path):
    before = still_take.read_bytes()
    resume_path(still_take).write_bytes(b"what an interrupted capture needs")
    code, summary, _ = refine(still_take)
    assert code == 1 and summary["code"] == "take-unfinished" and still_take.read_bytes() == before
    assert refine(still_take, "--output", tmp_path / "new.h3r")[0] == 0


def test_another_output_leaves_the_take_alone(still_take, tmp_path):
    before, other = still_take.read_bytes(), tmp_path / "new.h3r"
    assert refine(still_take, "--output", other)[0] == 0
    assert still_take.read_bytes() == before and other.stat().st_size > len(before)
    code, summary, _ = refine(still_take, "--output", other)
    assert code == 1 and summary["code"] == "take-exists"
    assert refine(still_take, "--output", other, "--overwrite", "--no-backdrop")[1]["backdrop"] is False


def test_footage_that_has_moved_is_asked_for(still_take, tmp_path):
    before = still_take.read_bytes()
    (tmp_path / "footage").rename(tmp_path / "moved")
    code, summary, _ = refine(still_take)
    assert code == 1 and "--footage" in summary["remedy"] and still_take.read_bytes() == before
    assert refine(still_take, "--footage", tmp_path / "moved")[0] == 0


def test_footage_of_another_size_and_an_unfinished_take_are_refused(still_take, tmp_path):
    small = film(tmp_path / "small", np.eye(4)[None])
    import cv2

    cv2.imwrite(str(small / "0000.png"), np.zeros((60, 80, 3), np.uint8))
    code, summary, _ = refine(still_take, "--footage", small)
    assert code == 1 and summary["code"] == "footage-differs" and str(SIZE[0]) in summary["message"]
    whole = still_take.read_bytes()
    still_take.write_bytes(whole[:-10])
    code, summary, _ = refine(still_take)
    assert code == 1 and summary["code"] == "take-unfinished" and still_take.read_bytes() == whole[:-10]


def test_stopping_leaves_the_take_as_it_was(still_take):
    before = still_take.read_bytes()
    process = subprocess.Popen(
        engine_command("refine-camera", still_take), cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.PIPE
    )
    assert process.stderr.readline().strip().endswith(b"%")
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130 and still_take.read_bytes() == before
    assert not [left for left in still_take.parent.iterdir() if left.name.startswith(".human3r-")]


def test_people_who_were_refined_make_way_because_their_camera_is_another(tmp_path):
    footage = film(tmp_path / "footage", np.repeat(np.eye(4)[None], FRAMES, axis=0))
    frames = [empty_frame(index, wandering(index)) for index in range(FRAMES)]
    body = BodyModel.load(default_body_path())
    earlier = [refitted(frame, pose((0.5, 0.0, 0.0)), FOCAL_PX, body) for frame in frames]
    told = FocalLength(FOCAL_PX, 0.1, "people")
    take = write_take(tmp_path / "old.h3r", footage, frames, told, *(replace(final, refined=True) for final in earlier))
    code, _, errors = refine(take)
    assert code == 0, errors
    with TakeReader(take) as reader:
        assert not reader.header.settings.refine_people
        assert not any(isinstance(message, FinalFrame) and message.refined for message in reader)
    with SettledTakeReader(take) as reader:
        for frame in reader:
            if isinstance(frame, Frame):
                np.testing.assert_array_equal(frame.world_from_camera, np.eye(4))
