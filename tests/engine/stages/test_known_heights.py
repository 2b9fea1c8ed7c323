# SPDX-License-Identifier: GPL-3.0-or-later
"""People of known height, with Human3R: as tall as told, and at the distance where they cover the same pixels."""

import numpy as np
import pytest

from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.errors import UserError
from engine.stages.known_heights import KnownHeights

HEAD = np.array(((0.2, -0.4, 4.0), (-1.0, 0.1, 6.0)), np.float32)
TRACKS = np.array((3, 8))


@pytest.fixture(scope="module")
def body():
    return BodyModel.load(default_body_path())


def stature(body, betas):
    return np.ptp(body.rest_vertices(betas, np.zeros((len(betas), 10)))[..., 1], axis=1)


def frames(count):
    return np.random.default_rng(5).normal(0, 0.6, (count, 2, 10)).astype(np.float32)


def test_bodies_are_as_tall_as_told_and_as_large_in_the_picture(body):
    heights = KnownHeights(body, None, {8: 1.92})
    (seen,) = frames(1)
    before = stature(body, seen)
    betas, head = heights.update(TRACKS, seen, HEAD)
    after = stature(body, betas)
    assert after[0] == pytest.approx(before[0], abs=1e-6) and after[1] == pytest.approx(1.92, abs=2e-3)
    np.testing.assert_array_equal(head[0], HEAD[0])
    np.testing.assert_allclose(head[1] / HEAD[1], after[1] / before[1], rtol=2e-3)
    np.testing.assert_allclose(head[:, :2] / head[:, 2:], HEAD[:, :2] / HEAD[:, 2:], rtol=1e-6)


def test_single_heights_count_before_everybody_s(body):
    betas, _ = KnownHeights(body, 1.6, {3: 1.8}).update(TRACKS, frames(1)[0], HEAD)
    np.testing.assert_allclose(stature(body, betas), (1.8, 1.6), atol=2e-3)


def test_distances_tremble_no_more_than_the_network_s(body):
    """The factor of a person settles, though betas differ from frame to frame."""
    heights, away = KnownHeights(body, 1.7, {}), []
    for seen in frames(60):
        _, head = heights.update(TRACKS, seen, HEAD)
        away.append(head[:, 2] / HEAD[:, 2])
    assert np.ptp(np.log(away[40:]), axis=0).max() < 0.003


def test_it_goes_on_where_it_was_interrupted(body):
    seen = frames(8)
    whole, first, second = (KnownHeights(body, 1.7, {3: 1.5}) for _ in range(3))
    expected = [whole.update(TRACKS, betas, HEAD) for betas in seen][4:]
    for betas in seen[:4]:
        first.update(TRACKS, betas, HEAD)
    second.restore_state(first.export_state())
    for own, (betas, head) in zip(seen[4:], expected, strict=True):
        again = second.update(TRACKS, own, HEAD)
        np.testing.assert_array_equal(again[0], betas)
        np.testing.assert_array_equal(again[1], head)


@pytest.mark.parametrize("change", [
    {"frames": np.array((0, 1))}, {"log_factors": np.array((np.nan, 0.0))}, {"log_factors": np.array((99.0, 0.0))},
    {"track_id": np.array((3, 3))},
])  # fmt: skip
def test_what_is_no_such_state_is_refused(body, change):
    heights = KnownHeights(body, 1.7, {})
    heights.update(TRACKS, frames(1)[0], HEAD)
    with pytest.raises(UserError) as caught:
        heights.restore_state(heights.export_state() | change)
    assert caught.value.code == "resume-unreadable"
