# SPDX-License-Identifier: GPL-3.0-or-later
"""Measuring a take: the perfect one has no error, and each way of being wrong shows in its own figure, by its size."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.contract.body_model import BodyModel
from engine.contract.errors import UserError
from engine.contract.messages import Frame, Message, PointMap, TakeEnd, TakeHeader
from engine.contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeReader, TakeWriter
from engine.evaluation.body_points import SMPL_VERTEX_COUNT, SmplPoints, SmplxPoints
from engine.evaluation.figures import TaskFigures
from engine.evaluation.measuring import evaluate_take, measure
from engine.ground_truth import ClipTruth, PointPeople

from . import clips


@pytest.fixture(scope="module")
def truth() -> ClipTruth:
    return clips.walking_truth()


@pytest.fixture(scope="module")
def perfect(truth: ClipTruth, body: BodyModel) -> TaskFigures:
    return measure(clips.true_messages(truth, body), truth, body)


@pytest.fixture
def measured(truth: ClipTruth, body: BodyModel) -> Callable[..., dict[str, float | None]]:
    """Figures of the perfect take with some fields of its frames changed."""

    def run(**changes: object) -> dict[str, float | None]:
        return measure(clips.changed_frames(clips.true_messages(truth, body), **changes), truth, body).values()

    return run


def test_the_perfect_take_has_no_error(perfect: TaskFigures) -> None:
    values = perfect.values()
    assert perfect.frames == 12
    for key in ("precision", "recall", "f1", "mask_iou", "delta_125", "idf1"):
        assert values[key] == 1.0, key
    for key in (
        "mpjpe_mm",
        "pa_mpjpe_mm",
        "pve_mm",
        "w_mpjpe_mm",
        "wa_mpjpe_mm",
        "root_orientation_deg",
        "head_m",
        "head_depth_relative",
        "focal_relative",
        "abs_rel",
        "id_switches",
        "ate_m",
        "ate_rigid_m",
        "rpe_translation_m",
        "rpe_rotation_deg",
        "rte_percent",
    ):
        assert values[key] == pytest.approx(0.0, abs=2e-5), key
    assert values["jitter"] == pytest.approx(values["true_jitter"])
    assert values["jitter"] > 0


def test_another_world_changes_nothing(measured, perfect: TaskFigures) -> None:
    world = np.eye(4)
    world[:3, :3], world[:3, 3] = axis_angle_to_matrix(np.array([0.3, -1.0, 2.0])), [4.0, 5.0, 6.0]
    values = measured(world_from_camera=lambda frame: world @ frame.world_from_camera)
    for key, value in perfect.values().items():
        assert values[key] == pytest.approx(value, abs=1e-4), key


def test_people_too_far_by_a_tenth(measured, perfect: TaskFigures) -> None:
    """Farther along their rays: the picture stays the same, so detection and pose stay right."""

    def farther(frame: Frame) -> np.ndarray:
        return frame.translation + 0.1 * frame.head_point

    values = measured(translation=farther, head_point=lambda frame: 1.1 * frame.head_point)
    assert values["head_depth_relative"] == pytest.approx(0.1, rel=1e-5)
    assert values["mpjpe_mm"] == pytest.approx(0.0, abs=1e-4)
    assert values["recall"] == 1.0
    assert 0.3 < values["head_m"] < 0.5
    assert values["rte_percent"] > 1.0, "the path grows with the distance, the camera's share of it does not"


def test_everybody_turned_by_thirty_degrees(measured) -> None:
    turn = axis_angle_to_matrix(np.array([0.0, np.radians(30.0), 0.0]))

    def turned(frame: Frame) -> np.ndarray:
        pose = frame.pose_axis_angle.copy()
        pose[:, 0] = matrix_to_axis_angle(axis_angle_to_matrix(pose[:, 0]) @ turn)
        return pose

    values = measured(pose_axis_angle=turned)
    assert values["root_orientation_deg"] == pytest.approx(30.0, abs=1e-4)
    assert values["mpjpe_mm"] > 30.0
    assert values["pa_mpjpe_mm"] == pytest.approx(0.0, abs=1e-4)


def test_bent_limbs_show_in_the_aligned_error(measured) -> None:
    def bent(frame: Frame) -> np.ndarray:
        pose = frame.pose_axis_angle.copy()
        pose[:, 16:20] += 0.4
        return pose

    values = measured(pose_axis_angle=bent)
    assert values["pa_mpjpe_mm"] > 10.0
    assert values["pve_mm"] > 10.0
    assert values["root_orientation_deg"] == pytest.approx(0.0, abs=1e-4)


def test_camera_of_half_the_scale(measured) -> None:
    def halved(frame: Frame) -> np.ndarray:
        pose = frame.world_from_camera.copy()
        pose[:3, 3] *= 0.5
        return pose

    values = measured(world_from_camera=halved)
    assert values["ate_m"] == pytest.approx(0.0, abs=1e-9)
    assert values["ate_rigid_m"] > 0.01
    assert values["w_mpjpe_mm"] > 1.0


def test_a_still_camera_is_measured_without_scale(truth: ClipTruth, body: BodyModel) -> None:
    still = replace(truth, world_from_camera=np.tile(np.eye(4), (len(truth), 1, 1)))
    random = np.random.default_rng(0)

    def shaken(frame: Frame) -> np.ndarray:
        pose = np.eye(4)
        pose[:3, 3] = random.normal(size=3) * 0.1
        return pose

    changed = clips.changed_frames(clips.true_messages(still, body), world_from_camera=shaken)
    values = measure(changed, still, body).values()
    assert values["ate_m"] is None and values["rpe_translation_m"] is None, "scale 0 would hide the shaking"
    assert values["ate_rigid_m"] > 0.1
    assert values["rpe_rotation_deg"] == pytest.approx(0.0, abs=1e-9)


def test_inverted_camera_poses_are_caught(measured) -> None:
    """The classic mistake: camera_from_world where world_from_camera belongs."""
    values = measured(world_from_camera=lambda frame: np.linalg.inv(frame.world_from_camera))
    assert values["rpe_rotation_deg"] > 0.3
    assert values["wa_mpjpe_mm"] > 10.0


def test_identities_that_swap(measured) -> None:
    values = measured(track_id=lambda f: np.array([1, 2] if f.index < 6 else [2, 1], np.int32))
    assert values["id_switches"] == 2
    assert values["idf1"] == pytest.approx(0.5)
    assert values["mpjpe_mm"] == pytest.approx(0.0, abs=1e-4), "bodies are compared whatever their track"


def test_missed_people_and_false_alarms(truth: ClipTruth, body: BodyModel) -> None:
    names = ("track_id", "score", "pose_axis_angle", "betas", "expression", "translation", "head_point", "head_px")

    def only(keep: list[int]) -> dict[str, object]:
        return {name: lambda frame, name=name: getattr(frame, name)[keep] for name in names}

    first = measure(clips.changed_frames(clips.true_messages(truth, body), **only([0])), truth, body)
    assert (first.detection.found, first.detection.missed, first.detection.false_alarms) == (12, 12, 0)
    assert first.tracking.idf1 == pytest.approx(2 * 12 / 36)
    twice = measure(clips.changed_frames(clips.true_messages(truth, body), **only([0, 0, 1])), truth, body)
    assert (twice.detection.found, twice.detection.missed, twice.detection.false_alarms) == (24, 0, 12)


def test_people_who_need_not_be_found(truth: ClipTruth, body: BodyModel) -> None:
    expected = truth.expected.copy()
    expected[:, 1] = False
    figures = measure(clips.true_messages(truth, body), replace(truth, expected=expected), body)
    assert (figures.detection.found, figures.detection.missed, figures.detection.false_alarms) == (12, 0, 0)
    assert (figures.tracking.truths, figures.tracking.predictions) == (12, 12)
    assert figures.mpjpe_mm.count == 12


def test_shifted_mask_and_wrong_depth(truth: ClipTruth, body: BodyModel) -> None:
    def doubled(message: Message) -> Message:
        return replace(message, point_camera=2 * message.point_camera) if isinstance(message, PointMap) else message

    messages = clips.changed_frames(clips.true_messages(truth, body), mask_box_px=(1.5, -0.5, 65.5, 47.5))
    figures = measure(map(doubled, messages), truth, body)
    assert figures.depth.abs_rel == pytest.approx(1.0)
    assert figures.masks.iou < 0.7
    seen = truth.person_mask > 0
    common, either = (seen[:, :, 2:] & seen[:, :, :-2]).sum(), (seen[:, :, 2:] | seen[:, :, :-2]).sum()
    assert figures.masks.iou == pytest.approx(common / either)


def test_every_second_picture(truth: ClipTruth, body: BodyModel) -> None:
    """A take with a stride is measured at its own pictures, with the time step that it has."""
    kept = replace(
        truth,
        **{
            name: getattr(truth, name)[::2]
            for name in (
                "source_frame",
                "world_from_camera",
                "focal_px",
                "principal_point_px",
                "present",
                "expected",
                "person_mask",
                "depth_m",
            )
        },
        people=replace(
            truth.people,
            **{name: getattr(truth.people, name)[::2] for name in ("pose_axis_angle", "expression", "translation")},
        ),
    )
    figures = measure(clips.true_messages(kept, body), truth, body)
    assert figures.frames == 6
    assert figures.mpjpe_mm.value == pytest.approx(0.0, abs=1e-6)
    assert figures.jitter.count == 2 * 3
    direct = measure(clips.true_messages(kept, body), kept, body)
    assert figures.values() == direct.values()


def test_a_gap_cuts_runs_but_not_segments(truth: ClipTruth, body: BodyModel) -> None:
    present = truth.present.copy()
    present[5, 0] = False
    gone = replace(truth, present=present, expected=present)
    figures = measure(clips.true_messages(gone, body), gone, body)
    assert figures.jitter.count == (12 - 3) + (5 - 3) + (6 - 3)
    assert figures.w_mpjpe_mm.count == 12 + 11


def test_figures_pool_by_counts(truth: ClipTruth, body: BodyModel, perfect: TaskFigures) -> None:
    other = clips.walking_truth(seed=1, frames=6, people=1)
    far = clips.changed_frames(clips.true_messages(other, body), head_point=lambda frame: 2 * frame.head_point)
    both = perfect + measure(far, other, body)
    assert both.frames == 18
    assert both.head_depth_relative.value == pytest.approx(6 / 30)
    assert both.ate_m.count == 2
    assert perfect + TaskFigures() == perfect


def test_truth_as_smpl_points(truth: ClipTruth, body: BodyModel) -> None:
    """The path of the real sets: SMPL vertices and joints through matrices, here ones that pick vertices."""
    chosen = np.random.default_rng(0).permutation(10475)[:SMPL_VERTEX_COUNT]
    transfer = np.zeros((SMPL_VERTEX_COUNT, 10475), np.float32)
    transfer[np.arange(SMPL_VERTEX_COUNT), chosen] = 1.0
    regressor = np.zeros((24, SMPL_VERTEX_COUNT))
    regressor[np.arange(24), np.arange(24) * 100] = 1.0
    points = SmplPoints(transfer, regressor, head=None)
    people = truth.people
    vertices = body.vertices(people.betas, people.expression, people.pose_axis_angle, people.translation)
    vertices = vertices[..., chosen, :]
    given = replace(truth, people=PointPeople(points.name, vertices[..., ::100, :][..., :24, :], vertices))
    values = measure(clips.true_messages(truth, body), given, body, points).values()
    assert values["recall"] == 1.0
    assert values["head_m"] is None and values["root_orientation_deg"] is None
    for key in ("mpjpe_mm", "pa_mpjpe_mm", "pve_mm", "w_mpjpe_mm"):
        assert values[key] == pytest.approx(0.0, abs=1e-3), key
    with pytest.raises(ValueError, match="it has points of"):
        measure([], given, body, SmplxPoints())


def test_clips_without_people_or_depth(truth: ClipTruth, body: BodyModel) -> None:
    bare = replace(truth, people=None, present=None, expected=None, person_mask=None, depth_m=None)
    values = measure(clips.true_messages(truth, body), bare, body).values()
    assert values["ate_m"] == pytest.approx(0.0, abs=1e-9)
    for key in ("f1", "mpjpe_mm", "w_mpjpe_mm", "abs_rel", "mask_iou", "idf1", "id_switches"):
        assert values[key] is None, key


def test_a_take_on_disk(truth: ClipTruth, body: BodyModel, perfect: TaskFigures, tmp_path: Path) -> None:
    path = tmp_path / "clip.h3r"
    write_take(path, truth, body)
    with TakeReader(path) as take:
        figures = evaluate_take(take, truth, body)
    assert figures.frames == perfect.frames
    assert figures.mpjpe_mm.value == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(
    "change", [{"footage_size": (96, 64)}, {"source_frame": np.arange(100, 112)}, {"body": "SMPLX_NEUTRAL.npz"}]
)
def test_truth_of_other_footage_or_body_is_refused(
    truth: ClipTruth, body: BodyModel, tmp_path: Path, change: dict[str, object]
) -> None:
    path = tmp_path / "clip.h3r"
    write_take(path, truth, body)
    with TakeReader(path) as take, pytest.raises(UserError) as raised:
        evaluate_take(take, replace(truth, **change), body)
    assert raised.value.code == "truth-mismatch"


def write_take(path: Path, truth: ClipTruth, body: BodyModel) -> None:
    with TakeWriter(path) as take:
        take.write(
            TakeHeader(
                protocol=1,
                generator="test",
                footage_size=truth.footage_size,
                frame_rate=25.0,
                frame_count=len(truth),
                model="truth",
                body="mannequin",
                settings=CaptureSettings(source="clip", take=str(path)),
            )
        )
        for message in clips.true_messages(truth, body):
            take.write(message)
        take.write(TakeEnd(status="complete", frame_count=len(truth), note=""))
