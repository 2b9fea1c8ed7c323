# SPDX-License-Identifier: GPL-3.0-or-later
"""Point clouds, depth and masks as readers that are not ours see them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.contract.messages import pack_mask, unpack_mask
from engine.contract.skeleton import JOINT_NAMES, SPINE3
from engine.take_export.exr import write_exr
from engine.take_export.masks import patches_of_people

from . import takes

FINGERS = {f"left_{name}" for name in ("index", "middle", "pinky", "ring", "thumb")}
TWICE_AS_LARGE = "--world-matrix=0 0 2 1  0 2 0 -2  -2 0 0 3  0 0 0 1"


def ply(path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions, colors and confidences as `plyfile` reads them."""
    plyfile = pytest.importorskip("plyfile", reason="an independent reader (requirements/engine-tests.txt)")
    vertices = plyfile.PlyData.read(str(path))["vertex"]
    columns = [np.stack([vertices[name] for name in names], axis=-1) for names in ("xyz", ("red", "green", "blue"))]
    return columns[0], columns[1], np.array(vertices["confidence"])


def exr(path) -> dict[str, np.ndarray]:
    """Channels as the OpenEXR library reads them."""
    openexr = pytest.importorskip("OpenEXR", reason="an independent reader (requirements/engine-tests.txt)")
    with openexr.File(str(path), separate_channels=True) as file:
        return {name: np.array(channel.pixels) for name, channel in file.channels().items()}


def footage_pixels() -> np.ndarray:
    """(180, 320, 2)"""
    return np.stack(np.meshgrid(np.arange(takes.SIZE[0]), np.arange(takes.SIZE[1])), axis=-1)


def test_the_whole_cloud_is_the_final_one(filmed, export, tmp_path):
    code, _, said = export(filmed.take, "--output", tmp_path, "--ply")
    assert code == 0, said
    position, color, confidence = ply(tmp_path / "walk.ply")
    assert np.array_equal(position, filmed.position) and np.array_equal(color, filmed.color)
    assert color.dtype == np.uint8 and np.abs(confidence - np.linspace(1, 5, 500)).max() < 1e-6


def test_clouds_of_frames_lie_where_their_cameras_were(filmed, export, tmp_path):
    code, _, said = export(filmed.take, "--output", tmp_path, "--frame-ply", "--every", "2")
    assert code == 0, said
    assert sorted(path.name for path in (tmp_path / "walk-points").iterdir()) == [
        "frame_000001.ply",
        "frame_000005.ply",
    ]
    position, color, _ = ply(tmp_path / "walk-points" / "frame_000005.ply")
    pose = takes.camera(2)
    local = (position - pose[:3, 3]) @ pose[:3, :3]
    pixel = takes.FOCAL * local[:, :2] / local[:, 2:] + takes.PRINCIPAL
    grid = takes.point_map(2).pixel_px.reshape(-1, 2)[1:]  # the first point is none
    assert np.abs(pixel - grid).max() < 1e-3
    assert np.abs(local[:, 2] - takes.true_depth(grid)).max() < 1e-5
    assert np.array_equal(color, np.tile(np.array([2, 100, 200], np.uint8), (len(grid), 1)))


@pytest.mark.parametrize("world, scale", [((), 1.0), ((TWICE_AS_LARGE,), 2.0)])
def test_depth_is_that_of_the_footages_pixels(filmed, export, tmp_path, world, scale):
    code, _, said = export(filmed.take, "--output", tmp_path, "--depth", *world)
    assert code == 0, said
    channels = exr(tmp_path / "walk-depth" / "frame_000003.exr")
    assert channels.keys() == {"Y", "Z"} and np.array_equal(channels["Y"], channels["Z"])
    depth, pixel = channels["Z"], footage_pixels()
    assert depth.shape == takes.SIZE[::-1]
    seen = (pixel[..., 1] >= 10) & (pixel[..., 1] < 170)
    assert (depth[~seen] == 0).all()
    from_edge = np.abs(np.abs(pixel[..., 0] - 160.0) - 30.0)
    inside = seen & (from_edge > 8) & (pixel[..., 0] >= 2) & (pixel[..., 0] <= 317)
    inside[:20, :12] = False  # beside the point that is none
    assert np.abs(depth - scale * takes.true_depth(pixel))[inside].max() < 1e-3
    between = depth[seen & (from_edge <= 8)] / scale  # what is near and what is far, and nothing between
    assert (np.minimum(np.abs(between - 1.5), np.abs(between - between.clip(4.2, 5.0))) < 1e-3).all()


@pytest.mark.parametrize("size", [(1, 1), (37, 5), (16, 64), (33, 640)])
def test_exr_files_hold_every_value(tmp_path, size):
    random = np.random.default_rng(7)
    image = random.normal(size=size).astype(np.float32) * 1e3
    image[0, 0] = np.inf
    write_exr(tmp_path / "depth.exr", {"Z": image, "A": np.zeros(size)})
    channels = exr(tmp_path / "depth.exr")
    assert np.array_equal(channels["Z"], image) and (channels["A"] == 0).all()


def test_masks_of_everyone_and_of_each_person(filmed, export, tmp_path):
    code, events, said = export(filmed.take, "--output", tmp_path, "--masks")
    assert code == 0, said
    folder = tmp_path / "walk-masks"
    assert events[-1]["notes"] and "1." in events[-1]["notes"][0]  # in one frame they cover each other

    def cells(label: str, index: int) -> np.ndarray:
        """(32, 64) the mask at the centers of the network's pixels."""
        path = folder / label / f"frame_{takes.STRIDE * index + 1:06d}.png"
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert mask.shape == takes.SIZE[::-1] and mask.dtype == np.uint8 and not mask[:10].any()
        return mask[12:172:5, 2::5] == 255

    for index in range(takes.FRAMES):
        assert np.array_equal(cells("everyone", index), unpack_mask(takes.frame(index)[0]))
    for index in (0, 1):
        assert np.array_equal(cells("person_01", index), takes.drawn_mask([-1.2]))
        assert np.array_equal(cells("person_02", index), takes.drawn_mask([1.2]))
    for label in ("person_01", "person_02"):
        assert np.array_equal(cells(label, 2), takes.drawn_mask([-0.1, 0.1]))
    assert np.array_equal(cells("person_02", 3), takes.drawn_mask([1.2]))
    assert not (folder / "person_01" / "frame_000007.png").exists()  # never seen again


def test_a_hand_in_front_of_somebody_makes_nobody_share_a_patch():
    """Who only reaches into a patch does not have it; a hand that the mask shows apart is its owner's."""
    live, _ = takes.frame(0)
    left, right = takes.joints(-1.2), takes.joints(1.2)
    wrist = np.flatnonzero(np.array(JOINT_NAMES) == "left_wrist")[0]
    reaching = left.copy()
    hand = [wrist, *(end for end, name in enumerate(JOINT_NAMES) if name[:-1] in FINGERS)]
    reaching[hand] += right[SPINE3] - left[wrist]
    shown, are_sharing = patches_of_people(live, np.stack([reaching, right]))
    assert not are_sharing and np.array_equal(shown[1], takes.drawn_mask([1.2]))
    apart = takes.drawn_mask([1.2])
    pixel = takes.FOCAL_LIVE * left[hand[3], :2] / left[hand[3], 2] + takes.PRINCIPAL
    column, row = np.floor((pixel - takes.MASK_BOX[:2]) / 5.0).astype(int)
    alone = np.zeros_like(apart)
    alone[row, column] = True
    shown, _ = patches_of_people(replace(live, mask_bits=pack_mask(apart | alone)), np.stack([left, right]))
    assert np.array_equal(shown[0], alone) and np.array_equal(shown[1], apart)
