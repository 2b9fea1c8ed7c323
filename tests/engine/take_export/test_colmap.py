# SPDX-License-Identifier: GPL-3.0-or-later
"""COLMAP models as COLMAP itself reads them: poses, lenses, points, and where points are seen."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.contract import rotations
from engine.contract.messages import unpack_mask

from . import takes

pycolmap = pytest.importorskip("pycolmap", reason="COLMAP's own reader (requirements/engine-tests.txt)")

TURN, SCALE, OFFSET = rotations.axis_angle_to_matrix(np.array([0.4, -1.1, 0.3])), 1.5, np.array([0.5, -2.0, 0.75])


def matrix() -> np.ndarray:
    found = np.eye(4)
    found[:3, :3], found[:3, 3] = SCALE * TURN, OFFSET
    return found


@pytest.fixture(scope="module")
def folder(filmed, export, tmp_path_factory) -> Path:
    """A model in the take's own world, in both forms."""
    out = tmp_path_factory.mktemp("colmap")
    code, events, said = export(filmed.take, "--output", out, "--colmap", "--colmap-format", "both", "--images", "png")
    assert code == 0, said
    assert events[-1]["files"] == [str(out / "walk-colmap")] and events[-1]["notes"] == []
    return out / "walk-colmap"


def models(folder: Path) -> list:
    """The binary model and the text model of a folder, each read where it lies alone."""
    found = []
    for ending in ("bin", "txt"):
        alone = folder.parent / f"{folder.name}-{ending}"
        alone.mkdir(exist_ok=True)
        for path in (folder / "sparse" / "0").glob(f"*.{ending}"):
            (alone / path.name).write_bytes(path.read_bytes())
        found.append(pycolmap.Reconstruction(alone))
    return found


def test_cameras_and_poses(folder):
    for model in models(folder):
        (camera,) = model.cameras.values()  # the final pass found one focal length
        assert camera.model.name == "PINHOLE" and (camera.width, camera.height) == takes.SIZE
        assert camera.params == pytest.approx([takes.FOCAL, takes.FOCAL, *(np.array(takes.PRINCIPAL) + 0.5)], abs=1e-9)
        assert len(model.images) == takes.FRAMES
        for image in model.images.values():
            index = (int(image.name[6:12]) - 1) // takes.STRIDE
            assert image.name == f"frame_{takes.STRIDE * index + 1:06d}.png"
            world_from_camera = np.vstack([image.cam_from_world().inverse().matrix(), [0, 0, 0, 1]])
            assert np.abs(world_from_camera - takes.camera(index)).max() < 1e-9


def test_points_are_seen_where_the_take_sees_them(folder, filmed):
    for model in models(folder):
        points = [model.points3D[number] for number in sorted(model.points3D)]
        assert np.abs(np.array([point.xyz for point in points]) - filmed.position).max() < 1e-6
        assert np.array_equal(np.array([point.color for point in points]), filmed.color)
        image = next(one for one in model.images.values() if one.name == "frame_000007.png")
        seen = np.array([image.project_point(point.xyz) for point in points])
        pose = takes.camera(3)
        local = (filmed.position - pose[:3, 3]) @ pose[:3, :3]
        pixel = takes.FOCAL * local[:, :2] / local[:, 2:] + takes.PRINCIPAL
        assert np.abs(seen - (pixel + 0.5)).max() < 1e-3


def test_images_are_the_frames_of_the_take(folder):
    names = sorted(path.name for path in (folder / "images").iterdir())
    assert names == [f"frame_{takes.STRIDE * index + 1:06d}.png" for index in range(takes.FRAMES)]
    for index, name in enumerate(names):
        assert np.array_equal(cv2.imread(str(folder / "images" / name))[..., ::-1], takes.picture(takes.STRIDE * index))


def test_masks_leave_people_out_and_keep_what_is_far_from_them(folder):
    for index in range(takes.FRAMES):
        name = f"frame_{takes.STRIDE * index + 1:06d}.png.png"  # the image's whole name, as COLMAP looks for it
        mask = cv2.imread(str(folder / "masks" / name), cv2.IMREAD_UNCHANGED)
        assert mask.shape == takes.SIZE[::-1] and set(np.unique(mask)) == {0, 255}
        live, _ = takes.frame(index)
        cells = np.argwhere(unpack_mask(live))
        centers = (cells[:, ::-1] + 0.5) * 5.0 + (takes.MASK_BOX[0], takes.MASK_BOX[1])
        assert not mask[centers[:, 1].astype(int), centers[:, 0].astype(int)].any()
        far = np.abs(np.arange(takes.SIZE[0])[:, None] - centers[:, 0]).min(axis=1) > 40
        assert not far.any() or mask[:, far].all()


def test_another_world_moves_cameras_and_points_alike(filmed, export, tmp_path):
    numbers = "=" + " ".join(map(repr, matrix().ravel().tolist()))
    code, _, said = export(filmed.take, "--output", tmp_path, "--colmap", "--name", "set", "--world-matrix" + numbers)
    assert code == 0, said
    model = pycolmap.Reconstruction(tmp_path / "set-colmap" / "sparse" / "0")
    moved = SCALE * filmed.position.astype(np.float64) @ TURN.T + OFFSET
    points = np.array([model.points3D[number].xyz for number in sorted(model.points3D)])
    assert np.abs(points - moved).max() < 1e-6
    for image in model.images.values():
        pose = takes.camera((int(image.name[6:12]) - 1) // takes.STRIDE)
        world_from_camera = image.cam_from_world().inverse().matrix()
        assert np.abs(world_from_camera[:, :3] - TURN @ pose[:3, :3]).max() < 1e-9
        assert np.abs(world_from_camera[:, 3] - (SCALE * TURN @ pose[:3, 3] + OFFSET)).max() < 1e-9
    for path in (tmp_path / "set-colmap" / "images").iterdir():
        image = cv2.imread(str(path))[..., ::-1].astype(int)  # JPEG unless told otherwise
        assert np.abs(image - takes.picture(int(path.name[6:12]) - 1)).mean() < 0.5


def test_lenses_that_change_are_cameras_of_their_own(tmp_path):
    from engine.take_export.colmap import View, write_model
    from engine.take_export.shots import Cloud

    focal = [500.0, 510.0, 500.0]
    views = [View(f"{number}.jpg", one, np.array([10.0, 20.0]), np.eye(4)) for number, one in enumerate(focal)]
    write_model(tmp_path, views, Cloud(np.zeros((0, 3)), np.zeros((0, 3), np.uint8), np.zeros(0)), (640, 360), "both")
    model = pycolmap.Reconstruction(tmp_path)
    assert len(model.cameras) == 2 and len(model.points3D) == 0
    assert [model.images[number].camera.params[0] for number in (1, 2, 3)] == focal
