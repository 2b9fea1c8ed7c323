# SPDX-License-Identifier: GPL-3.0-or-later
"""Scaling and cropping against the reference, and the way back from network pixels to footage pixels."""

import json

import numpy as np
import pytest
from PIL import Image

from engine.contract.errors import UserError
from engine.video.picture import PictureMap, prepare_frame

AWKWARD_SIZES = [(1920, 1080), (1000, 333), (333, 1000), (720, 720), (1080, 1920), (1170, 2532), (161, 121), (97, 64)]


def rules(shared):
    with open(shared / "golden" / "load_images_rules.json") as file:
        # Entries of size 224 belong to a square-picture mode of the reference that Human3R does not use.
        return [rule for rule in json.load(file) if rule["size"] != 224]


def test_sizes_and_crops_are_those_of_the_reference(shared):
    checked = 0
    for rule in rules(shared):
        plan = PictureMap.plan(tuple(rule["in_wh"]), rule["size"])
        assert plan.scaled_size == tuple(rule["resized_wh"]), rule
        if rule["ok16"]:  # else the reference's own picture is not one that its model takes
            assert plan.network_size == tuple(rule["out_wh"]), rule
            assert plan.crop_corner == tuple(int(edge) for edge in rule["crop_box"][:2]), rule
            checked += 1
        assert all(side % 16 == 0 for side in plan.network_size)
    assert checked > 35


def test_the_filter_is_the_reference_s(shared):
    for rule in rules(shared):
        size, plan = tuple(rule["in_wh"]), PictureMap.plan(tuple(rule["in_wh"]), rule["size"])
        if max(size) > 700:
            continue
        rgb = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
        method = {1: Image.Resampling.LANCZOS, 3: Image.Resampling.BICUBIC}[rule["interp"]]
        scaled = np.asarray(Image.fromarray(rgb).resize(tuple(rule["resized_wh"]), method))
        (left, top), (width, height) = plan.crop_corner, plan.network_size
        np.testing.assert_array_equal(prepare_frame(rgb, plan), scaled[top : top + height, left : left + width])


@pytest.mark.parametrize("number", range(3))
def test_pixels_are_those_of_the_reference(shared, number):
    with np.load(shared / "golden" / "reference_functions.npz") as golden:
        rgb, expected, size = (golden[f"resize.{number}.{name}"] for name in ("in_rgb", "out_rgb", "size"))
    plan = PictureMap.plan((rgb.shape[1], rgb.shape[0]), int(size))
    np.testing.assert_array_equal(prepare_frame(rgb, plan), expected)


@pytest.mark.parametrize("size", AWKWARD_SIZES)
@pytest.mark.parametrize("long_side", [512, 128])
def test_projecting_a_prepared_point_map_lands_on_the_footage_s_pixels(size, long_side):
    """A network camera's point map, brought to the contract's camera: one focal length, the footage's own pixels."""
    plan = PictureMap.plan(size, long_side)
    width, height = plan.network_size
    focal = 0.9 * long_side
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    depth = np.random.default_rng(0).uniform(1, 9, (height, width))
    points = np.stack([(columns - width // 2) / focal * depth, (rows - height // 2) / focal * depth, depth], axis=-1)

    points = plan.onto_footage_rays(points)
    projected = plan.focal_to_footage(focal) * points[..., :2] / points[..., 2:] + plan.principal_point()
    np.testing.assert_allclose(projected, plan.pixel_grid(), atol=0.01)


@pytest.mark.parametrize("size", AWKWARD_SIZES)
def test_network_pixels_show_what_lies_at_their_place_in_the_footage(size):
    """Ramps along x and y, so that a pixel's value is its footage coordinate: independent of the formulas."""
    columns, rows = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    plan = PictureMap.plan(size, 256)
    shown = []
    for ramp, length in ((columns, size[0]), (rows, size[1])):
        gray = np.round(ramp * 255 / (length - 1)).astype(np.uint8)
        picture = prepare_frame(np.repeat(gray[..., None], 3, axis=-1), plan)
        shown.append(picture[..., 0].astype(float) * (length - 1) / 255)
    inner = (slice(4, -4), slice(4, -4))
    for axis in range(2):
        error = (np.stack(shown, axis=-1) - plan.pixel_grid())[inner][..., axis]
        assert abs(error.mean()) < 0.1, "the centre is off"
        assert abs(error).max() < 0.6 * size[axis] / 255 + 0.2


def test_edges_and_centres_differ_by_half_a_network_pixel():
    plan = PictureMap.plan((1000, 333))
    np.testing.assert_allclose(plan.edges_to_footage(np.array([0.5, 0.5])), plan.centres_to_footage(np.zeros(2)))
    left, top, right, bottom = plan.box
    assert (left, right) == pytest.approx((-0.5, 999.5))
    assert -0.5 < top < bottom < 332.5


def test_without_scaling_nothing_moves():
    plan = PictureMap.plan((512, 288))
    rgb = np.random.default_rng(0).integers(0, 255, (288, 512, 3), dtype=np.uint8)
    np.testing.assert_array_equal(prepare_frame(rgb, plan), rgb)
    assert plan.box == (-0.5, -0.5, 511.5, 287.5)
    np.testing.assert_array_equal(plan.pixel_grid()[3, 5], [5, 3])


def test_too_narrow_footage_is_refused():
    with pytest.raises(UserError, match="footage-too-narrow"):
        PictureMap.plan((4000, 100))
