# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaps are bridged close to the truth, at the motion's own rate, up to the limit."""

from __future__ import annotations

import numpy as np
import pytest

from engine.motion.body_motion import BodyMotion, joined
from engine.motion.gaps import fill_gaps

from . import people


def without(motion: BodyMotion, frames: slice) -> BodyMotion:
    return joined([motion.part(slice(0, frames.start)), motion.part(slice(frames.stop, len(motion)))])


@pytest.mark.parametrize("lost", [slice(50, 53), slice(60, 72), slice(90, 102)])
def test_a_bridge_is_closer_to_the_truth_than_holding_still(lost: slice) -> None:
    bridged, held = [], []
    for truth in people.walkers():
        filled = fill_gaps(without(truth, lost))
        assert np.allclose(filled.time_s, truth.time_s, atol=1e-9)
        assert np.allclose(np.linalg.norm(filled.rotations, axis=-1), 1)
        missing = truth.joints()[lost]
        bridged.append(np.linalg.norm(filled.joints()[lost] - missing, axis=-1).mean())
        held.append(np.linalg.norm(truth.joints()[[lost.start - 1]] - missing, axis=-1).mean())
    assert np.mean(bridged) < 0.5 * np.mean(held)


def test_frames_beside_a_gap_stay_and_long_gaps_stay_open() -> None:
    truth = people.walkers()[0]
    gappy = without(truth, slice(60, 72))
    filled = fill_gaps(gappy)
    kept = np.r_[0:60, 72 : len(truth)]
    assert np.allclose(filled.pelvis[kept], gappy.pelvis)
    assert np.abs((filled.rotations[kept] * gappy.rotations).sum(axis=-1)).min() > 1 - 1e-12
    assert len(fill_gaps(gappy, limit_s=0.3)) == len(gappy)


def test_a_bridge_goes_on_as_fast_as_the_frames_beside_it() -> None:
    time_s = np.delete(np.arange(60) / 30, range(20, 35))
    rest = people.walkers()[0].rest_joints
    rotations = np.tile([1.0, 0, 0, 0], (len(time_s), 55, 1))
    motion = BodyMotion.make(time_s, rotations, np.outer(time_s, [1.0, 0.5, -2.0]), rest)
    filled = fill_gaps(motion)
    assert np.allclose(filled.pelvis, np.outer(np.arange(60) / 30, [1.0, 0.5, -2.0]), atol=1e-9)


def test_single_frames_on_both_sides_of_a_gap() -> None:
    truth = people.walkers()[0]
    pieces = joined([truth.part(slice(0, 10)), truth.part(slice(14, 15)), truth.part(slice(19, 30))])
    filled = fill_gaps(pieces)
    assert len(filled) == 30 and np.isfinite(filled.rotations).all()


def test_every_missing_picture_gets_a_frame_and_no_other() -> None:
    truth = people.walkers()[1]
    lost = np.r_[20, 33:35, 60:72, 100:150]
    gappy = joined([truth.part(slice(int(row), int(row) + 1)) for row in np.setdiff1d(np.arange(len(truth)), lost)])
    pictures = truth.time_s[truth.time_s != truth.time_s[61]]
    filled = fill_gaps(gappy, 0.5, pictures)
    expected = np.setdiff1d(np.arange(len(truth)), [61, *range(100, 150)])
    assert np.array_equal(filled.time_s, truth.time_s[expected])
    kept = np.isin(filled.time_s, gappy.time_s)
    assert np.array_equal(filled.pelvis[kept], gappy.pelvis)
    error = np.linalg.norm(filled.joints() - truth.joints()[expected], axis=-1)
    assert error[np.isin(expected, [20, 33, 34])].max() < 0.01 < error[np.isin(expected, lost)].max() < 0.5


def test_pictures_at_the_frames_and_outside_the_motion_ask_for_nothing() -> None:
    truth = people.walkers()[0].part(slice(10, 20))
    for motion in (truth, truth.part(slice(0, 1))):
        assert len(fill_gaps(motion, 1.0, np.arange(60) / 30 + 1e-4)) == len(motion)
