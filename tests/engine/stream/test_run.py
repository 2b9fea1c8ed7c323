# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m engine run`: takes, errors, cancelling and resuming, with the real program on real files."""

import dataclasses
import json
import os
import signal
from functools import partial

import numpy as np
import pytest

from engine import run_command
from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.errors import UserError
from engine.contract.framing import MAGIC
from engine.contract.messages import (
    CAMERA_NOTES,
    CameraMotion,
    CameraSummary,
    Frame,
    PointMap,
    ScenePoints,
    TakeEnd,
    unpack_mask,
)
from engine.contract.rotations import axis_angle_to_matrix
from engine.contract.settings import CaptureSettings
from engine.contract.skeleton import HEAD
from engine.contract.take import TakeReader
from engine.resuming.resume_file import (
    ResumePoint,
    check_same_model,
    load_resume_point,
    resume_path,
    save_resume_point,
)
from tests.engine.stream.engine_process import frames_so_far, paused, run_engine, start_run
from tests.engine.stream.footage_files import busy_picture, set_mp4_durations, write_video
from tests.waiting import communicate, wait_until

# So many people that every step of the way is walked, and chunks short enough that some begin.
OPTIONS = ("--model", "recipe:small", "--detection-threshold", "0.2", "--reset-interval", "7", "--voxel-size", "0.1")


DURATIONS = [0.02 + 0.01 * (number * 7 % 5) for number in range(24)]
"""Seconds that the pictures of the video last: no two neighbours the same."""


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """A video of variable frame rate."""
    path = write_video(tmp_path_factory.mktemp("footage") / "busy.mp4", 24, size=(160, 120), draw=busy_picture)
    set_mp4_durations(path, DURATIONS)
    return path


@pytest.fixture(scope="module")
def result(video, tmp_path_factory):
    """A whole run with point maps: exit code, summary, standard error, the take's header and messages."""
    take = tmp_path_factory.mktemp("take") / "a.h3r"
    code, summary, errors = run_engine(video, "--take", take, "--point-maps", *OPTIONS, "--start", 2, "--stride", 2)
    with TakeReader(take) as reader:
        messages = list(reader)
        assert reader.problem is None
    return code, summary, errors, reader.header, messages


def frames_of(messages):
    return [message for message in messages if isinstance(message, Frame)]


def read_frames(take):
    with TakeReader(take) as reader:
        return frames_of(reader)


def records_after_header(path):
    """The take's bytes without its header, which names the take's own path."""
    with TakeReader(path) as reader:
        offset = reader.offset
    return path.read_bytes()[offset:]


def test_a_run_ends_in_order(result):
    code, summary, errors, header, messages = result
    frames = frames_of(messages)
    assert code == 0
    assert summary["status"] == "complete" and summary["frame_count"] == len(frames) == header.frame_count == 11
    assert {"camera", "camera_refined", "camera_note"} <= summary.keys()
    assert messages[-1] == TakeEnd("complete", 11)
    assert "frame 11 of 11" in errors
    assert header.footage_size == (160, 120)
    assert header.frame_rate == pytest.approx(24 / sum(DURATIONS), rel=0.01)
    assert header.settings.camera == "network", "what auto came to"
    assert header.settings.reset_interval == 7 and "random" in header.model
    assert [frame.index for frame in frames] == list(range(11))
    assert [frame.source_frame for frame in frames] == list(range(2, 24, 2))
    times = np.cumsum([0.0, *DURATIONS])[2:24:2]
    np.testing.assert_allclose([frame.time_s for frame in frames], times, atol=1e-4)


def test_people_are_in_standard_smplx_form(result):
    frames = frames_of(result[4])
    assert sum(len(frame.track_id) for frame in frames) >= 5
    body_model = BodyModel.load(default_body_path())
    for frame in frames:
        joints = body_model.posed_joints(
            axis_angle_to_matrix(frame.pose_axis_angle), frame.betas, frame.expression, frame.translation
        )
        np.testing.assert_allclose(joints[:, HEAD], frame.head_point, atol=1e-4)
        assert len(set(frame.track_id.tolist())) == len(frame.track_id)
        assert (frame.score >= 0.2).all()
        left, top, right, bottom = frame.mask_box_px
        assert ((frame.head_px >= (left, top)) & (frame.head_px <= (right, bottom))).all()
        assert unpack_mask(frame).shape == (frame.mask_size[1], frame.mask_size[0])


def test_cameras_are_rigid_and_begin_near_the_origin(result):
    for frame in frames_of(result[4]):
        rotation = frame.world_from_camera[:3, :3]
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-6)
        assert np.linalg.det(rotation) == pytest.approx(1, abs=1e-6)
        assert frame.focal_px > 0
        assert frame.principal_point_px == pytest.approx([80, 60], abs=1.5)


def test_new_points_come_once_and_the_averaged_cloud_at_the_end(result):
    clouds = [message for message in result[4] if isinstance(message, ScenePoints)]
    final = clouds.pop()
    assert final.replaces_all and not any(cloud.replaces_all for cloud in clouds)
    assert sum(len(cloud.position) for cloud in clouds) == len(final.position) == result[1]["point_count"] > 100
    assert (final.confidence >= 1.5).all()


def test_point_maps_hold_the_footage_s_colours(result):
    maps = [message for message in result[4] if isinstance(message, PointMap)]
    assert [point_map.frame_index for point_map in maps] == list(range(11))
    last = maps[-1]
    wall = busy_picture(22, (160, 120))[..., ::-1].astype(float)
    columns, rows = np.round(last.pixel_px).astype(int).reshape(-1, 2).T
    difference = wall[rows.clip(0, 119), columns.clip(0, 159)] - last.color.reshape(-1, 3)
    assert abs(difference).mean() < 12
    assert np.isfinite(last.point_camera).all()


@pytest.mark.parametrize(("arguments", "code"), [
    (("missing.mp4",), "footage-missing"),
    ((__file__,), "footage-unreadable"),
    (("VIDEO", "--stride", "0"), "bad-setting"),
    (("VIDEO", "--model", "recipe:enormous"), "unknown-model"),
    (("VIDEO", "--resume"), "resume-missing"),
])  # fmt: skip
def test_errors_name_cause_and_remedy(video, tmp_path, arguments, code):
    arguments = [video if argument == "VIDEO" else argument for argument in arguments]
    exit_code, summary, errors = run_engine(*arguments, "--take", tmp_path / "a.h3r")
    assert exit_code == 1
    assert (summary["status"], summary["code"]) == ("failed", code)
    assert summary["message"] in errors and f"remedy: {summary['remedy']}" in errors


def test_an_existing_take_is_not_lost_by_accident(video, tmp_path):
    take = tmp_path / "a.h3r"
    take.write_bytes(MAGIC + b"an hour of work")
    code, summary, _ = run_engine(video, "--take", take)
    assert (code, summary["code"], take.read_bytes()) == (1, "take-exists", MAGIC + b"an hour of work")
    # Reasons that show up only later do not cost it either.
    code, summary, _ = run_engine(video, "--take", take, "--overwrite", "--start", 500)
    assert (code, summary["code"], take.read_bytes()) == (1, "footage-too-short", MAGIC + b"an hour of work")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.h3r"]


def test_a_file_that_is_no_take_is_never_replaced(video, tmp_path):
    letter, link = tmp_path / "letter.txt", tmp_path / "link.h3r"
    letter.write_bytes(b"Dear Anna")
    link.hardlink_to(video)
    before = video.read_bytes()
    for take, expected in ((letter, "not-a-take"), (video, "take-is-footage"), (link, "take-is-footage")):
        code, summary, _ = run_engine(video, "--take", take, "--overwrite")
        assert (code, summary["code"]) == (1, expected) and summary["remedy"]
    assert letter.read_bytes() == b"Dear Anna" and video.read_bytes() == before


def test_a_second_run_on_the_same_take_is_refused(long_run, tmp_path):
    video, options, expected = long_run
    take = tmp_path / "a.h3r"
    process = start_run(video, "--take", take, *options)
    wait_until(lambda: resume_path(take).exists(), "a resume file")
    with paused(process):
        for how in ("--overwrite", "--resume"):
            code, summary, _ = run_engine(video, "--take", take, how)
            assert (code, summary["code"]) == (1, "take-busy") and str(process.pid) in summary["message"]
    process.kill()  # what it held is free
    communicate(process)
    code, _, errors = run_engine("--take", take, "--resume")
    assert code == 0, errors
    assert records_after_header(take) == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.h3r"]


def test_damaged_footage_is_told_in_the_take(tmp_path):
    path = write_video(tmp_path / "cut.avi", 60, codec="MJPG", draw=busy_picture, size=(160, 120))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 5])
    code, summary, errors = run_engine(path, "--take", tmp_path / "a.h3r", *OPTIONS)
    with TakeReader(tmp_path / "a.h3r") as reader:
        end = list(reader)[-1]
    assert code == 0
    assert "ends early" in end.note and end.note == summary["note"] and end.note in errors


@pytest.fixture(scope="module")
def long_run(tmp_path_factory):
    """A video of some seconds' work, the options, and the records of an uninterrupted run; every stage is on."""
    folder = tmp_path_factory.mktemp("long")
    video = write_video(folder / "long.mp4", 50, size=(160, 120), draw=busy_picture)
    options = (*OPTIONS, "--reset-interval", "20", "--camera", "tracked")
    code, _, errors = run_engine(video, "--take", folder / "whole.h3r", *options)
    assert code == 0, errors
    return video, options, records_after_header(folder / "whole.h3r")


def test_a_killed_run_resumes_with_identical_results(long_run, tmp_path):
    video, options, expected = long_run
    take = tmp_path / "a.h3r"
    process = start_run(video, "--take", take, *options)
    wait_until(lambda: resume_path(take).exists() and frames_so_far(take) >= 10, "a resume file and frames")
    process.kill()
    communicate(process)
    done = frames_so_far(take)
    assert 0 < done < 50, "killed in the middle"
    code, summary, errors = run_engine("--take", take, "--resume")
    assert code == 0, errors
    assert summary["frame_count"] == 50
    assert records_after_header(take) == expected
    assert not resume_path(take).exists()


def test_sigint_stops_before_the_next_frame_and_the_take_goes_on_from_that_frame(long_run, tmp_path):
    video, options, expected = long_run
    take = tmp_path / "a.h3r"
    process = start_run(video, "--take", take, *options)
    wait_until(lambda: frames_so_far(take) > 0, "frames")
    with paused(process):
        seen = frames_so_far(take)
        process.send_signal(signal.SIGINT)
    _, errors = communicate(process)
    assert process.returncode == 130, errors.decode()
    with TakeReader(take) as reader:
        messages = list(reader)
    assert reader.problem is None
    done = len(frames_of(messages))
    assert messages[-1] == TakeEnd("cancelled", done) and seen <= done <= seen + 1, "one may have been on its way"
    assert load_resume_point(reader.header.settings).frame_count == done, "not one frame is lost"
    code, _, errors = run_engine(video, "--take", take, "--resume")
    assert code == 0, errors
    assert records_after_header(take) == expected


def test_a_run_with_settings_left_to_the_engine_resumes(long_run, tmp_path):
    """Camera and device are "auto", and what that came to is what take and resume file hold."""
    video, take = long_run[0], tmp_path / "a.h3r"
    process = start_run(video, "--take", take, *OPTIONS)
    wait_until(lambda: frames_so_far(take) > 0, "frames")
    process.send_signal(signal.SIGINT)
    communicate(process)
    with TakeReader(take) as reader:
        settings = reader.header.settings
    assert settings.camera == "network" and settings.device in ("cpu", "cuda", "mps")
    assert load_resume_point(settings).settings == settings
    code, summary, errors = run_engine(video, "--take", take, "--body", "mannequin", "--resume")
    assert code == 0, errors
    assert summary["frame_count"] == 50


def test_a_full_disk_is_told_and_gone_on_from(long_run, tmp_path):
    """The system refuses to let files grow, as a disk without room does."""
    resource = pytest.importorskip("resource")
    video, options, expected = long_run
    take, most = tmp_path / "a.h3r", len(expected) * 2 // 3
    limited = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (most, most))
    process = start_run(video, "--take", take, *options, "--json", preexec_fn=limited)
    output, errors = communicate(process)
    summary = json.loads(output)
    assert (process.returncode, summary["code"]) == (1, "disk-full"), errors.decode()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.h3r", "a.h3r.resume"]
    assert 0 < frames_so_far(take) < 50
    code, _, errors = run_engine("--take", take, "--resume")
    assert code == 0, errors
    assert records_after_header(take) == expected


def test_resume_files_that_do_not_say_which_device_go_on_with_any(tmp_path):
    settings = CaptureSettings(source="a.mp4", take=str(tmp_path / "a.h3r"), camera="network")
    (tmp_path / "a.h3r").write_bytes(bytes(100))
    save_resume_point(ResumePoint(settings, "m", "b", 100, 5, 5, {}))
    assert load_resume_point(dataclasses.replace(settings, device="cpu")).frame_count == 5
    with pytest.raises(UserError, match="resume-mismatch"):
        load_resume_point(dataclasses.replace(settings, device="cpu", camera="tracked"))


def test_resuming_with_other_settings_is_refused(long_run, tmp_path):
    video, options, _ = long_run
    take = tmp_path / "a.h3r"
    process = start_run(video, "--take", take, *options)
    wait_until(lambda: frames_so_far(take) > 0, "frames")
    process.stderr.close()  # as when the terminal is gone
    process.send_signal(signal.SIGTERM)
    communicate(process)
    assert process.returncode == 130
    with TakeReader(take) as reader:
        settings = reader.header.settings
        model = reader.header.model
        assert list(reader)[-1].status == "cancelled"
    point = load_resume_point(settings)
    check_same_model(point, model, point.body)
    assert "mannequin" in point.body
    for check, words in (
        (lambda: load_resume_point(dataclasses.replace(settings, stride=2)), "stride = 1"),
        (lambda: load_resume_point(dataclasses.replace(settings, source="other.mp4")), "source = "),
        (lambda: check_same_model(point, "other weights", point.body), "other weights"),
        (lambda: check_same_model(point, model, "SMPLX_NEUTRAL.npz"), "mannequin"),
    ):
        with pytest.raises(UserError, match=words) as caught:
            check()
        assert caught.value.code == "resume-mismatch"
    code, summary, _ = run_engine(video, "--take", take, "--resume", "--stride", 2)
    assert (code, summary["code"]) == (1, "resume-mismatch") and "stride = 1" in summary["message"]
    os.truncate(take, point.take_offset - 1)
    code, summary, _ = run_engine(video, "--take", take, *options, "--resume")
    assert (code, summary["code"]) == (1, "resume-mismatch")
    os.truncate(take, 50)
    code, summary, _ = run_engine(video, "--take", take, *options, "--resume")
    assert (code, summary["code"]) == (1, "take-unreadable")
    resume_path(take).write_bytes(b"not a resume file")
    with pytest.raises(UserError, match="resume-unreadable"):
        load_resume_point(settings)


def test_every_setting_is_an_option():
    process = start_run("--help")
    output, _ = communicate(process)
    for field in dataclasses.fields(CaptureSettings):
        if field.name != "source":
            assert f"--{field.name.replace('_', '-')}" in output.decode()


def test_the_summary_says_what_is_known_of_the_camera():
    camera = run_command.Camera()
    assert camera.summary() == {"camera": "", "camera_refined": False, "camera_note": ""}
    camera.take_in(CameraMotion(0, "still"))
    camera.take_in(CameraMotion(5, "turning"))
    assert camera.summary()["camera"] == "turning"
    camera.take_in(
        CameraSummary(
            motion="moving", refined=False, note="lost", residual_px=0.0, ray_angle_deg=0.0, floor_known=False,
            up=np.array([0.0, -1.0, 0.0]),
        )
    )  # fmt: skip
    assert camera.summary() == {"camera": "moving", "camera_refined": False, "camera_note": CAMERA_NOTES["lost"]}
