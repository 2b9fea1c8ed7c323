# SPDX-License-Identifier: GPL-3.0-or-later
"""Focal lengths from point maps, and what happens where there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from engine.contract.errors import UserError
from engine.geometry.cameras import focal_from_field_of_view, weiszfeld_focal
from engine.stages.intrinsics import IntrinsicsEstimator, IntrinsicsSettings


def point_map(focal: float, height: int = 48, width: int = 64, seed: int = 0) -> torch.Tensor:
    """Points of random depth seen through a pinhole camera."""
    rows, columns = torch.meshgrid(torch.arange(height) - height // 2, torch.arange(width) - width // 2, indexing="ij")
    depth = 1 + 4 * torch.rand(height, width, generator=torch.Generator().manual_seed(seed))
    return torch.stack((columns * depth / focal, rows * depth / focal, depth), dim=-1)


@pytest.mark.parametrize("focal", [20.0, 55.4, 300.0])
@pytest.mark.parametrize("size", [(48, 64), (64, 48), (33, 47)])
def test_a_pinholes_focal_length_is_found(focal: float, size: tuple[int, int]) -> None:
    estimate = IntrinsicsEstimator().update(point_map(focal, *size))
    assert estimate.focal_px == pytest.approx(focal, rel=1e-4)
    assert estimate.principal_point == (size[1] // 2, size[0] // 2)


def test_outliers_move_it_less_than_least_squares_would() -> None:
    points = point_map(60.0)
    points[:8, :, 0] *= 3
    center = (32, 24)
    robust, squares = float(weiszfeld_focal(points, center)), float(weiszfeld_focal(points, center, iterations=0))
    assert abs(robust - 60) < 0.5 * abs(squares - 60)


def test_points_at_zero_depth_do_no_harm() -> None:
    points = point_map(60.0)
    points[0, :, 2] = 0
    points[1, 3] = torch.nan
    assert float(weiszfeld_focal(points, (32, 24))) == pytest.approx(60, rel=0.05)


def test_the_last_believable_focal_length_is_kept() -> None:
    estimator, useless = IntrinsicsEstimator(), torch.zeros(48, 64, 3)
    first = estimator.update(useless)
    assert first.focal_px == pytest.approx(32 / math.tan(math.radians(30)))
    estimator.update(point_map(70.0))
    for points in (useless, point_map(-70.0), point_map(3.0), point_map(1e5), torch.full((48, 64, 3), torch.nan)):
        assert estimator.update(points).focal_px == pytest.approx(70, rel=1e-4)
    assert estimator.update(point_map(80.0)).focal_px == pytest.approx(80, rel=1e-4)


def test_going_on_elsewhere_remembers_the_focal_length() -> None:
    first, second = IntrinsicsEstimator(), IntrinsicsEstimator()
    second.restore_state(first.export_state())
    assert second.update(torch.zeros(48, 64, 3)).focal_px == pytest.approx(focal_from_field_of_view(60, 64))
    first.update(point_map(70.0))
    exported = first.export_state()
    assert all(isinstance(value, np.ndarray) for value in exported.values())
    second.restore_state(exported)
    assert second.update(torch.zeros(48, 64, 3)).focal_px == pytest.approx(70, rel=1e-4)


def test_impossible_settings_are_refused() -> None:
    for wrong in ({"least_focal": 0.0}, {"least_focal": 30.0}, {"default_field_of_view": 180.0}):
        with pytest.raises(UserError):
            IntrinsicsSettings(**wrong)
