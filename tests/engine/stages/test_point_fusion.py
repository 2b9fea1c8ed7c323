# SPDX-License-Identifier: GPL-3.0-or-later
"""Fusion against a slow, plain re-computation, and what must never get into the cloud."""

import numpy as np
import pytest

from engine.contract.errors import UserError
from engine.stages.point_fusion import FARTHEST_M, PIXEL_STEP, FusionSettings, PointFusion

HEIGHT, WIDTH = 24, 32
VOXEL = 0.25
NOBODY = np.zeros((HEIGHT, WIDTH), bool)


def make_frame(seed: int, spread: float = 1.0):
    """A wall at about 3 m, random confidences and colours."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    depth = 3.0 + spread * random.random((HEIGHT, WIDTH))
    points = np.stack([(columns - 16) / 20 * depth, (rows - 12) / 20 * depth, depth], axis=-1).astype(np.float32)
    confidence = (1 + 3 * random.random((HEIGHT, WIDTH))).astype(np.float32)
    color = random.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return points, confidence, color


def make_pose(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    pose = np.eye(4)
    pose[:3, :3] = np.linalg.qr(random.normal(size=(3, 3)))[0]
    pose[:3, 3] = random.normal(size=3)
    return pose


def brute_force(frames, settings):
    """The same by a dictionary and a loop: voxel -> [weighted position, weighted colour, weight, best]."""
    voxels = {}
    for number, ((points, confidence, color), pose) in enumerate(frames):
        row, column = divmod(number % PIXEL_STEP**2, PIXEL_STEP)
        for y in range(row, HEIGHT, PIXEL_STEP):
            for x in range(column, WIDTH, PIXEL_STEP):
                weight = float(confidence[y, x])
                if weight < settings.least_confidence:
                    continue
                world = pose[:3, :3] @ points[y, x].astype(float) + pose[:3, 3]
                entry = voxels.setdefault(tuple(np.floor(world / settings.voxel_size).astype(int)), [0, 0, 0, 0])
                entry[0] = entry[0] + weight * world
                entry[1] = entry[1] + weight * color[y, x].astype(float)
                entry[2] += weight
                entry[3] = max(entry[3], weight)
    return voxels


def test_the_cloud_is_the_confidence_weighted_mean_of_every_voxel():
    settings = FusionSettings(voxel_size=VOXEL, least_confidence=1.5)
    fusion = PointFusion(settings)
    frames = [(make_frame(seed), make_pose(seed % 2)) for seed in range(9)]
    for (points, confidence, color), pose in frames:
        fusion.update(points, confidence, color, NOBODY, pose)
    expected = brute_force(frames, settings)
    cloud = fusion.cloud()
    assert len(cloud.position) == len(fusion) == len(expected) > 100
    for position, color, confidence in zip(cloud.position, cloud.color, cloud.confidence, strict=True):
        entry = expected[tuple(np.floor(position.astype(float) / VOXEL).astype(int))]
        np.testing.assert_allclose(position, entry[0] / entry[2], atol=2e-6)
        np.testing.assert_allclose(color, entry[1] / entry[2], atol=0.501)
        assert confidence == pytest.approx(entry[3], rel=1e-6)


def test_each_voxel_is_given_out_once():
    fusion = PointFusion(FusionSettings(voxel_size=VOXEL, least_confidence=1.0))
    given = [fusion.update(*make_frame(seed), NOBODY, np.eye(4)).position for seed in range(12)]
    cells = [tuple(cell) for part in given for cell in np.floor(part.astype(float) / VOXEL).astype(int)]
    assert len(cells) == len(set(cells)) == len(fusion)
    assert len(given[0]) > 0


def test_a_place_seen_again_does_not_grow():
    fusion = PointFusion(FusionSettings(voxel_size=VOXEL, least_confidence=1.0))
    frame = make_frame(0)
    sizes = []
    for _ in range(40):
        fusion.update(*frame, NOBODY, np.eye(4))
        sizes.append(len(fusion))
    assert sizes[PIXEL_STEP**2 - 1] == sizes[-1], "after every pixel was used once nothing is new"


def test_what_is_no_place_is_left_out():
    points, _, color = make_frame(0, spread=0.0)
    confidence = np.full((HEIGHT, WIDTH), 2.0, np.float32)
    bad = {
        (0, 0): (np.nan, 0, 3), (0, 4): (np.inf, 0, 3), (0, 8): (0, 0, -1), (0, 12): (0, 0, 0),
        (0, 16): (0, 0, 1.01 * FARTHEST_M), (0, 20): (1e30, 1e30, 1e30),
    }  # fmt: skip
    for place, value in bad.items():
        points[place] = value
    confidence[2, 0], confidence[4, 0] = 1.2, np.nan
    fusion = PointFusion(FusionSettings(voxel_size=0.001, least_confidence=1.5))
    with np.errstate(all="raise"):
        given = fusion.update(points, confidence, color, NOBODY, np.eye(4))
    assert np.isfinite(given.position).all()
    assert len(given.position) == HEIGHT * WIDTH // PIXEL_STEP**2 - len(bad) - 2


def test_people_and_their_outlines_are_left_out():
    points, _, color = make_frame(0, spread=0.0)
    confidence = np.full((HEIGHT, WIDTH), 2.0, np.float32)
    mask = NOBODY.copy()
    mask[8:16, 10:20] = True
    fusion = PointFusion(FusionSettings(voxel_size=0.001, least_confidence=1.0))
    for _ in range(PIXEL_STEP**2):
        fusion.update(points, confidence, color, mask, np.eye(4))
    position = fusion.cloud().position
    column, row = position[:, 0] * 20 / 3 + 16, position[:, 1] * 20 / 3 + 12
    near = (row > 6.5) & (row < 16.5) & (column > 8.5) & (column < 20.5)
    assert not near.any()
    assert len(fusion) == HEIGHT * WIDTH - 10 * 12


def test_the_cloud_is_bounded_and_known_voxels_still_improve():
    settings = FusionSettings(voxel_size=0.05, least_confidence=1.0, max_points=300)
    fusion = PointFusion(settings)
    for seed in range(20):
        fusion.update(*make_frame(seed), NOBODY, make_pose(seed))
    assert len(fusion) == 300
    before = fusion.cloud()
    points, _, color = make_frame(0)
    fusion.update(points, np.full((HEIGHT, WIDTH), 9.0, np.float32), color, NOBODY, make_pose(0))
    after = fusion.cloud()
    assert len(after.position) == 300
    assert (after.confidence > before.confidence).any()


def test_nothing_in_nothing_out():
    fusion = PointFusion(FusionSettings())
    points, confidence, color = make_frame(0)
    assert len(fusion.update(points, confidence, color, ~NOBODY, np.eye(4)).position) == 0
    assert fusion.cloud().position.shape == (0, 3)


def test_going_on_from_a_saved_state_changes_nothing():
    def run(fusion, seeds):
        return [fusion.update(*make_frame(seed), NOBODY, make_pose(seed)) for seed in seeds]

    settings = FusionSettings(voxel_size=0.1, least_confidence=1.2, max_points=900)
    whole = PointFusion(settings)
    expected = run(whole, range(8))
    first = PointFusion(settings)
    run(first, range(3))
    second = PointFusion(settings)
    second.restore_state({name: value.copy() for name, value in first.export_state().items()})
    actual = run(second, range(3, 8))
    for left, right in zip([*expected[3:], whole.cloud()], [*actual, second.cloud()], strict=True):
        np.testing.assert_array_equal(left.position, right.position)
        np.testing.assert_array_equal(left.color, right.color)
        np.testing.assert_array_equal(left.confidence, right.confidence)


def test_impossible_settings_are_refused():
    with pytest.raises(UserError, match="bad-setting"):
        FusionSettings(voxel_size=0.0)
