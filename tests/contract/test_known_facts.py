# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody knows of a clip: focal lengths in three units, heights, and files with cameras."""

import argparse
from pathlib import Path

import numpy as np
import pytest

from engine.contract.arguments import add_setting_options, settings_from_options
from engine.contract.camera_files import read_camera_file
from engine.contract.errors import UserError
from engine.contract.known_facts import given_focal_px, heights_of
from engine.contract.rotations import axis_angle_to_matrix
from engine.contract.settings import CaptureSettings

SIZE = (1080, 1920)


def made(**given) -> CaptureSettings:
    return CaptureSettings(source="a.mp4", take="a.h3r", **given)


def poses(count: int = 4) -> np.ndarray:
    found = np.tile(np.eye(4), (count, 1, 1))
    found[:, :3, :3] = axis_angle_to_matrix(np.linspace(0, 1, count)[:, None] * (0.3, 0.2, -0.1))
    found[:, :3, 3] = np.arange(count)[:, None] * (0.1, 0.0, 0.2) + (3, -1, 2)
    return found


def written(folder: Path, **arrays) -> Path:
    np.savez(folder / "camera.npz", **arrays)
    return folder / "camera.npz"


def test_a_focal_length_in_three_units_is_the_same_along_the_long_side():
    for given in ({"focal_px": 960.0}, {"focal_mm": 18.0}, {"fov": 90.0}):
        assert given_focal_px(made(**given), SIZE) == pytest.approx(960.0)
    assert given_focal_px(made(), SIZE) is None


@pytest.mark.parametrize(
    "given",
    [
        {"focal_px": 900.0, "fov": 60.0},
        {"focal_mm": 26.0, "focal_px": 900.0},
        {"fixed_camera": True, "camera_file": "a.npz"},
        {"height": "0"},
        {"height": "0=17"},
        {"height": "0=nan"},
        {"height": "-1=1.7"},
        {"height": "0=1.7,0=1.8"},
        {"fov": 180.0},
    ],
)
def test_facts_that_cannot_be_true_are_refused(given):
    with pytest.raises(UserError) as told:
        made(**given)
    assert told.value.code == "bad-setting"


def test_heights_are_given_one_by_one_or_together():
    parser = argparse.ArgumentParser()
    add_setting_options(parser)
    options = parser.parse_args(["--height", "0=1.78", "--height", "3=1.62,4=1.5"])
    settings = settings_from_options(options, source="a.mp4", take="a.h3r")
    assert heights_of(settings.height) == {0: 1.78, 3: 1.62, 4: 1.5}
    assert heights_of("") == {}


def test_a_camera_and_its_inverse_are_the_same(tmp_path):
    expected = poses()
    for name, arrays in (("world_from_camera", expected), ("extrinsics", np.linalg.inv(expected))):
        camera = read_camera_file(written(tmp_path, **{name: arrays.astype(np.float32)}))
        np.testing.assert_allclose(camera.world_from_camera, expected, atol=1e-5)
        np.testing.assert_allclose(camera.pose(2, 0.1), expected[2], atol=1e-5)
        assert camera.focal_px(SIZE) is None


def test_times_between_rows_are_interpolated(tmp_path):
    """A camera that turns and goes evenly, in rows that are not the footage's."""
    times, turns = np.linspace(0, 3, 31), (0.3, 0.2, -0.1)
    rows = np.tile(np.eye(4), (31, 1, 1))
    rows[:, :3, :3] = axis_angle_to_matrix(times[:, None] * turns)
    rows[:, :3, 3] = times[:, None] * (1.0, -2.0, 0.5)
    camera = read_camera_file(written(tmp_path, world_from_camera=rows, time_s=times))
    for time_s in (0.0, 0.013, 1.27, 2.99, 3.0):
        pose = camera.pose(0, time_s)
        np.testing.assert_allclose(pose[:3, :3], axis_angle_to_matrix(time_s * np.array(turns)), atol=1e-9)
        np.testing.assert_allclose(pose[:3, 3], np.multiply(time_s, (1.0, -2.0, 0.5)), atol=1e-9)
    np.testing.assert_allclose(camera.pose(0, 3.04), rows[-1])
    with pytest.raises(UserError):
        camera.pose(0, 3.06)


@pytest.mark.parametrize("name", ["solve.fbx", "solve.USDC", "shot.blend"])
def test_what_only_blender_reads_is_named(tmp_path, name):
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(UserError) as told:
        read_camera_file(tmp_path / name)
    assert told.value.code == "camera-file-unreadable" and "Blender" in str(told.value.remedy)


def test_a_focal_length_belongs_to_the_size_that_the_file_tells(tmp_path):
    intrinsics = np.diag([480.0, 480.0, 1.0])
    own = read_camera_file(written(tmp_path, world_from_camera=poses(), intrinsics=intrinsics))
    half = read_camera_file(
        written(tmp_path, world_from_camera=poses(), focal_px=np.full(4, 480.0), footage_size=np.array([540, 960]))
    )
    assert own.focal_px(SIZE) == 480 and half.focal_px(SIZE) == 960


def test_rows_belong_to_the_frames_or_times_that_the_file_tells(tmp_path):
    expected = poses()
    by_frame = read_camera_file(written(tmp_path, world_from_camera=expected, source_frame=np.arange(10, 18, 2)))
    np.testing.assert_allclose(by_frame.pose(14, 0.0), expected[2], atol=1e-12)
    by_time = read_camera_file(written(tmp_path, world_from_camera=expected, time_s=np.arange(4) / 25))
    np.testing.assert_allclose(by_time.pose(99, 0.08), expected[2], atol=1e-12)
    for camera, frame, time_s in ((by_frame, 11, 0.0), (by_time, 0, 1.0)):
        with pytest.raises(UserError) as told:
            camera.pose(frame, time_s)
        assert told.value.code == "camera-file-short" and str(frame) in str(told.value)


@pytest.mark.parametrize("fault", ["scaled", "mirrored", "nan", "none", "empty", "shape", "focal", "text"])
def test_a_file_that_is_no_camera_says_why(tmp_path, fault):
    arrays: dict = {"world_from_camera": poses()}
    changed = arrays["world_from_camera"]
    if fault == "scaled":
        changed[1, :3, :3] *= 1.1
    elif fault == "mirrored":
        changed[1, :3, 0] *= -1
    elif fault == "nan":
        changed[1, 0, 3] = np.nan
    else:
        arrays = {
            "none": {"other": changed},
            "empty": {"world_from_camera": changed[:0]},
            "shape": {"world_from_camera": changed[:, :3]},
            "focal": {"world_from_camera": changed, "focal_px": np.array([-1.0])},
            "text": {"world_from_camera": np.array("pose")},
        }[fault]
    with pytest.raises(UserError) as told:
        read_camera_file(written(tmp_path, **arrays))
    assert told.value.code == "camera-file-unreadable"
    if fault in ("scaled", "mirrored", "nan"):
        assert "row 1" in str(told.value)
