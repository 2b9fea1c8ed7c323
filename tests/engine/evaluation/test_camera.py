# SPDX-License-Identifier: GPL-3.0-or-later
"""The measurement of cameras on takes written by hand: a known error gives that error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.contract.messages import (
    PROTOCOL_VERSION,
    Backdrop,
    CameraMotion,
    CameraSummary,
    FinalFrame,
    Frame,
    Message,
    ScenePoints,
    TakeEnd,
    TakeHeader,
    pack_mask,
)
from engine.contract.rotations import axis_angle_to_matrix
from engine.contract.settings import CaptureSettings
from engine.contract.take import TakeWriter
from engine.evaluation.camera.measuring import CameraErrors, measure_take, path_errors, path_length, read_camera_take
from engine.evaluation.camera.promises import judge
from engine.evaluation.camera.report import CameraReport
from engine.evaluation.camera.results import CameraResult, Seconds
from engine.evaluation.camera.surroundings import points_seen, ray_angle_deg, surroundings
from engine.ground_truth import ClipTruth

SIZE, FRAMES, FOCAL, WALL_M = (64, 48), 21, 60.0, 4.0
CENTRE = np.array([32.0, 24.0])


def truth_of(poses: np.ndarray, depth_m: float = WALL_M, person: bool = False) -> ClipTruth:
    """The truth of a camera that looks straight at a wall."""
    mask = np.zeros((len(poses), SIZE[1], SIZE[0]), np.uint8)
    mask[:, :, :16] = person
    return ClipTruth(
        name="made up",
        footage_size=SIZE,
        frame_rate=15.0,
        source_frame=np.arange(len(poses)),
        world_from_camera=poses,
        focal_px=np.full(len(poses), FOCAL),
        principal_point_px=np.tile(CENTRE, (len(poses), 1)),
        person_mask=mask,
        depth_m=np.full((len(poses), SIZE[1], SIZE[0]), depth_m, np.float32),
    )


def sideways(length_m: float = 1.0, frames: int = FRAMES) -> np.ndarray:
    """Poses of a camera that goes to the right, by a wave up and down, without turning."""
    poses = np.tile(np.eye(4), (frames, 1, 1))
    share = np.linspace(0, 1, frames)
    poses[:, 0, 3], poses[:, 1, 3] = length_m * share, 0.1 * length_m * np.sin(6 * share)
    return poses


def turning(degrees: float, frames: int = FRAMES) -> np.ndarray:
    poses = np.tile(np.eye(4), (frames, 1, 1))
    yaw = np.radians(degrees) * np.linspace(0, 1, frames)
    poses[:, :3, :3] = axis_angle_to_matrix(np.stack([0 * yaw, yaw, 0 * yaw], axis=-1))
    return poses


def frame(index: int, pose: np.ndarray, focal: float = FOCAL) -> Frame:
    """A frame without people."""
    return Frame(
        index=index,
        source_frame=index,
        time_s=index / 15.0,
        focal_px=focal,
        world_from_camera=pose,
        principal_point_px=CENTRE,
        **nobody(),
        score=np.zeros(0, np.float32),
        head_px=np.zeros((0, 2), np.float32),
        mask_size=(8, 6),
        mask_box_px=(-0.5, -0.5, 63.5, 47.5),
        mask_bits=pack_mask(np.zeros((6, 8), bool)),
    )


def nobody() -> dict:
    return {
        "track_id": np.zeros(0, np.int32),
        "pose_axis_angle": np.zeros((0, 55, 3), np.float32),
        "betas": np.zeros((0, 10), np.float32),
        "expression": np.zeros((0, 10), np.float32),
        "translation": np.zeros((0, 3), np.float32),
        "head_point": np.zeros((0, 3), np.float32),
    }


def frames_of(poses: np.ndarray, focal: float = FOCAL) -> dict[int, Frame]:
    return {index: frame(index, pose, focal) for index, pose in enumerate(poses)}


def final_frames(poses: np.ndarray, focal: float = FOCAL) -> list[FinalFrame]:
    return [
        FinalFrame(index=index, focal_px=focal, world_from_camera=pose, principal_point_px=CENTRE, **nobody())
        for index, pose in enumerate(poses)
    ]


def summary(motion: str, refined: bool = True, note: str = "") -> CameraSummary:
    return CameraSummary(
        motion=motion, refined=refined, note=note, residual_px=0.2, ray_angle_deg=3.0, floor_known=False, up=np.zeros(3)
    )


def write_take(path: Path, messages: Iterable[Message]) -> Path:
    settings = CaptureSettings(source="clip", take=str(path))
    with TakeWriter(path) as take:
        take.write(TakeHeader(PROTOCOL_VERSION, "test", SIZE, 15.0, FRAMES, "made up", "mannequin", settings))
        for message in messages:
            take.write(message)
        take.write(TakeEnd("complete", FRAMES))
    return path


def wall_points(depth_m: float, step_m: float = 0.05, left_m: float = -4.0) -> np.ndarray:
    """Points of the wall, as dense as a cloud of voxels."""
    x, y = np.meshgrid(np.arange(left_m, 5.0, step_m), np.arange(-3.0, 3.0, step_m))
    return np.stack([x.ravel(), y.ravel(), np.full(x.size, depth_m)], axis=-1).astype(np.float32)


def cloud(points: np.ndarray, replaces_all: bool) -> ScenePoints:
    return ScenePoints(
        frame_index=0,
        replaces_all=replaces_all,
        position=points,
        color=np.zeros((len(points), 3), np.uint8),
        confidence=np.ones(len(points), np.float32),
    )


def test_the_true_path_in_another_world_and_size_has_its_scale_and_no_error() -> None:
    truth = truth_of(sideways())
    world = np.eye(4)
    world[:3, :3], world[:3, 3] = axis_angle_to_matrix(np.array([0.2, -0.9, 0.3])), [3.0, 1.0, -2.0]
    ours = world @ truth.world_from_camera
    ours[:, :3, 3] *= 1.25
    found = path_errors(frames_of(ours, 1.1 * FOCAL), truth)
    assert found.ate_m == pytest.approx(0, abs=1e-12) and found.ate_share == pytest.approx(0, abs=1e-12)
    assert found.scale == pytest.approx(1.25) and found.focal == pytest.approx(1.1)
    assert found.rotation_deg == pytest.approx(0, abs=1e-6)
    assert found.poses == FRAMES
    assert found.farthest_m == pytest.approx(1.25 * np.linalg.norm(sideways()[:, :3, 3], axis=-1).max())


def test_distances_across_the_path_are_its_ate() -> None:
    """Errors along z that neither a similarity nor the path's own direction can take up."""
    truth = truth_of(sideways())
    ours = truth.world_from_camera.copy()
    ours[:, 2, 3] += 0.01 * (-1.0) ** np.arange(FRAMES)
    found = path_errors(frames_of(ours), truth)
    assert found.ate_m == pytest.approx(0.01, rel=0.02)
    assert found.ate_share == pytest.approx(found.ate_m / path_length(truth.world_from_camera))


def test_a_turn_that_grows_to_two_degrees_is_one_in_the_mean() -> None:
    truth = truth_of(turning(30.0))
    found = path_errors(frames_of(turning(32.0)), truth)
    assert found.rotation_deg == pytest.approx(1.0)
    assert found.ate_m is None and found.scale is None, "a camera that stays has neither"
    assert found.farthest_m == 0.0


def test_a_camera_told_to_stand_while_it_moves_has_an_ate_and_no_scale() -> None:
    found = path_errors(frames_of(np.tile(np.eye(4), (FRAMES, 1, 1))), truth_of(sideways()))
    centres = sideways()[:, :3, 3]
    spread = np.sqrt(np.mean(np.sum((centres - centres.mean(axis=0)) ** 2, axis=-1)))
    assert found.ate_m == pytest.approx(spread) and found.scale is None and found.poses == 1


def test_the_least_change_makes_another_pose() -> None:
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    assert path_errors(frames_of(poses), truth_of(poses)).poses == 1
    moved = poses.copy()
    moved[5, 0, 3] = 1e-15
    found = path_errors(frames_of(moved), truth_of(poses))
    assert found.poses == 2 and found.farthest_m > 0.0


def test_only_frames_that_both_know_are_compared() -> None:
    truth = truth_of(sideways())
    wrong = frames_of(truth.world_from_camera)
    wrong[99] = frame(99, 7 * np.eye(4))
    del wrong[3]
    assert path_errors(wrong, truth).ate_m == pytest.approx(0, abs=1e-12)
    with pytest.raises(ValueError, match="none of the frames"):
        path_errors({}, truth)


@pytest.mark.parametrize("wrong", [1.0, 1.06])
def test_a_wall_off_by_a_share_has_that_error_and_covers_what_it_covers(tmp_path: Path, wrong: float) -> None:
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    take = read_camera_take(
        write_take(
            tmp_path / "a.h3r",
            [
                *frames_of(poses).values(),
                cloud(wall_points(1.0), replaces_all=False),  # a preview, which the final points replace
                cloud(wall_points(WALL_M * wrong, left_m=0.0), replaces_all=True),
            ],
        )
    )
    found = measure_take(take, truth_of(poses, person=True))
    assert found.depth.abs_rel == pytest.approx(wrong - 1.0, abs=1e-6)
    # People fill the left quarter, and the points the right half, half a point's breadth more or less.
    assert found.coverage == pytest.approx(2 / 3, abs=0.03)
    assert found.surroundings == 3 * 48 * SIZE[1]


def test_the_scale_of_the_path_is_left_out_of_scaled_depth(tmp_path: Path) -> None:
    truth = truth_of(sideways())
    grown = truth.world_from_camera.copy()
    grown[:, :3, 3] *= 1.1
    messages = [*frames_of(grown).values(), cloud(1.1 * wall_points(WALL_M), replaces_all=True)]
    found = measure_take(read_camera_take(write_take(tmp_path / "a.h3r", messages)), truth)
    assert found.depth.abs_rel == pytest.approx(0.1, abs=1e-6)
    assert found.depth_scaled.abs_rel == pytest.approx(0.0, abs=1e-6)


def test_the_nearest_point_is_seen_and_what_is_behind_the_camera_is_not() -> None:
    points = np.array([[0.0, 0.0, 4.0], [0.0, 0.0, 2.0], [0.0, 0.0, -1.0], [1.0, 0.0, 4.0]])
    seen = points_seen(points, frame(0, np.eye(4)), (48, 64), 0.05)
    assert seen[24, 32] == 2.0 and seen[24, 32 + 15] == 4.0
    assert np.isfinite(seen).sum() == 2 * 5, "far points are crosses of five pixels"
    near = points_seen(np.array([[0.0, 0.0, 0.3]]), frame(0, np.eye(4)), (48, 64), 0.05)
    assert np.isfinite(near[24]).sum() == 11, "0.05 m at 0.3 m are 10 pixels"


def test_surroundings_leave_out_people_sky_and_what_is_far() -> None:
    truth = truth_of(np.eye(4)[None], person=True)
    assert (surroundings(truth, 0) > 0).sum() == 48 * 48
    truth.depth_m[0, 0], truth.depth_m[0, 1] = 0.0, 26.0
    assert (surroundings(truth, 0) > 0).sum() == 46 * 48


def test_the_ray_angle_is_that_of_the_walls_middle() -> None:
    """A point 4 m ahead, seen from 0.4 m apart; points at the rim are seen under a little less."""
    truth = truth_of(sideways(0.4, frames=5))
    straight = np.degrees(2 * np.arctan(0.2 / WALL_M))
    assert 0.85 * straight < ray_angle_deg(truth) < straight
    assert ray_angle_deg(truth_of(turning(10.0, frames=5))) == pytest.approx(0.0, abs=1e-5)


def test_a_hidden_point_is_not_seen_from_there() -> None:
    truth = truth_of(sideways(0.4, frames=5))
    free = ray_angle_deg(truth)
    truth.depth_m[3:] = 1.0  # something stands in front of the wall in the last two frames
    assert ray_angle_deg(truth) < 0.8 * free


def test_live_and_final_are_told_apart(tmp_path: Path) -> None:
    truth = truth_of(sideways())
    off = truth.world_from_camera.copy()
    off[:, 2, 3] += 0.02 * (-1.0) ** np.arange(FRAMES)
    live = list(frames_of(off, 1.2 * FOCAL).values())
    told = [live[0], CameraMotion(3, "turning"), *live[1:], CameraMotion(9, "moving")]
    path = write_take(tmp_path / "a.h3r", [*told, *final_frames(truth.world_from_camera), summary("moving")])
    take = read_camera_take(path)
    found = measure_take(take, truth)
    assert found.live.ate_m == pytest.approx(0.02, rel=0.02) and found.final.ate_m == pytest.approx(0, abs=1e-12)
    assert (found.live.focal, found.final.focal) == pytest.approx((1.2, 1.0))
    assert take.motion_live == "moving" and take.summary is not None and take.summary.refined
    assert found.coverage == 0.0 and not take.has_backdrop


def result(motion: str, errors: CameraErrors, told: CameraSummary | None = None, angle: float = 5.0) -> CameraResult:
    return CameraResult(
        motion=motion,
        frames=FRAMES,
        path_m=1.0,
        ray_angle_deg=angle,
        errors=errors,
        motion_live="moving",
        summary=told,
        focal=None,
        point_count=0,
        has_backdrop=False,
        seconds=Seconds(final_pass=2.1),
    )


def perfect(tmp_path: Path, poses: np.ndarray) -> CameraErrors:
    messages = [*frames_of(poses).values(), cloud(wall_points(WALL_M), replaces_all=True)]
    return measure_take(read_camera_take(write_take(tmp_path / "a.h3r", messages)), truth_of(poses))


def test_promises_hold_for_the_truth_and_break_one_by_one(tmp_path: Path) -> None:
    moving = perfect(tmp_path, sideways())
    still, pan = (perfect(tmp_path, turning(degrees)) for degrees in (0.0, 25.0))
    clips = {"a": result("moving", moving), "b": result("still", still), "c": result("turning", pan)}
    assert [verdict.holds for verdict in judge(clips)] == [True] * 9
    broken = {
        "ate_share": replace(moving, final=replace(moving.final, ate_share=0.021)),
        "rotation_deg": replace(moving, final=replace(moving.final, rotation_deg=0.31)),
        "focal": replace(moving, final=replace(moving.final, focal=0.96)),
        "scale": replace(moving, final=replace(moving.final, scale=None)),
        "abs_rel": replace(
            moving, depth_scaled=replace(moving.depth_scaled, relative_error=moving.depth.pixels * 0.06)
        ),
        "coverage": replace(moving, surroundings=2 * moving.surroundings),
    }
    for key, errors in broken.items():
        verdicts = judge({**clips, "worse": result("moving", errors)})
        assert [verdict.promise.key for verdict in verdicts if not verdict.holds] == [key]
        assert all(verdict.clips == 2 for verdict in verdicts[:6])
        # Too little parallax promises nothing.
        assert all(verdict.holds for verdict in judge({**clips, "worse": result("moving", errors, angle=0.8)}))
    moved = replace(pan, final=replace(pan.final, farthest_m=1e-9))
    assert [v.holds for v in judge({"c": result("turning", moved)})] == [None] * 7 + [False, True]
    two = replace(still, final=replace(still.final, poses=2))
    assert [v.holds for v in judge({"b": result("still", two)})] == [None] * 6 + [False, None, None]


def test_the_report_says_what_was_told_and_what_holds(tmp_path: Path) -> None:
    moving = perfect(tmp_path, sideways())
    clips = {
        "room orbit 0": result("moving", moving),
        "street drift 1": result("moving", moving, summary("moving", refined=False, note="little-parallax"), 0.5),
    }
    report = CameraReport("a title", clips)
    text, values = report.text(), report.to_json()
    assert "moving, not refined" in text and "moving, moving, kept (little-parallax)" in text
    assert "MEDIAN moving" in text and "MEDIAN still" not in text
    (depth_line,) = (line for line in text.splitlines() if line.startswith("moving: depth, covered"))
    assert "at least 70%" in depth_line and depth_line.endswith("1 of 1    yes")
    assert values["clips"]["room orbit 0"]["pass_s_per_frame"] == pytest.approx(0.1)
    assert values["clips"]["street drift 1"]["note"] == "little-parallax"
    assert values["medians"]["moving"]["ate_share"] == pytest.approx(0, abs=1e-9)
    assert [promise["holds"] for promise in values["promises"]] == [True] * 6 + [None] * 3


def test_a_backdrop_is_noted(tmp_path: Path) -> None:
    backdrop = Backdrop(
        center=np.zeros(3),
        direction=np.tile(np.float32([0, 0, 1]), (2, 2, 1)),
        picture=np.zeros((2, 2, 3), np.uint8),
        up=np.array([0.0, -1.0, 0.0]),
        forward=np.array([0.0, 0.0, 1.0]),
        floor_height=1.5,
        card_distance=6.0,
        is_round=False,
    )
    messages = [*frames_of(np.eye(4)[None]).values(), summary("still"), backdrop]
    assert read_camera_take(write_take(tmp_path / "a.h3r", messages)).has_backdrop
