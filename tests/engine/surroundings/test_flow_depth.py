# SPDX-License-Identifier: GPL-3.0-or-later
"""Depth by flow between two frames, and what several of them agree on."""

import numpy as np
import pytest

from engine.surroundings.flow_depth import FlowDepth, Sighting, View, agreed_depth
from tests.engine.stages.textured_room import pinhole, pose, see

SIZE = 320, 240
CAMERA = pinhole(SIZE, 260.0)
NOBODY = np.zeros(SIZE[::-1], bool)


def seen_from(position, people=NOBODY):
    return View(see(pose(position), CAMERA, SIZE)[0], people)


def sighting(shift, reference_people=NOBODY, partner_people=NOBODY):
    between = np.linalg.inv(pose(shift)) @ pose()
    return FlowDepth(CAMERA, SIZE).sighting(
        seen_from((0, 0, 0), reference_people), seen_from(shift, partner_people), between
    )


@pytest.mark.parametrize("shift", [(0.15, 0.0, 0.0), (0.0, -0.1, 0.1)])
def test_one_partner_tells_depth_and_parallax(shift):
    true = see(pose(), CAMERA, SIZE)[1]
    found = sighting(shift)
    known = np.isfinite(found.inverse_depth)
    assert known.mean() > 0.6
    assert np.median(np.abs(1 / found.inverse_depth[known] / true[known] - 1)) < 0.02
    if shift[2] == 0:
        flow = 260 * np.linalg.norm(shift) / true
        assert np.median(np.abs(found.parallax[known] - flow[known])) < 0.2


def test_people_in_either_frame_tell_nothing():
    person = NOBODY.copy()
    person[40:200, 100:180] = True
    assert not np.isfinite(sighting((0.15, 0, 0), reference_people=person).inverse_depth[person]).any()
    found = sighting((0.15, 0, 0), partner_people=person)
    # The back wall, six meters away, is seen 6.5 pixels farther left in the partner: there somebody stands before it.
    assert not np.isfinite(found.inverse_depth[60:100, 108:184]).any()
    assert np.isfinite(found.inverse_depth[60:100, 192:240]).mean() > 0.5


def test_a_camera_on_the_spot_sees_no_depth():
    assert not np.isfinite(sighting((0.004, 0, 0)).inverse_depth).any()


def told(depth, parallax=10.0):
    return Sighting(np.full((4, 4), 1 / depth, np.float32), np.full((4, 4), parallax, np.float32))


def test_one_alone_is_not_believed():
    nothing = Sighting(np.full((4, 4), np.nan, np.float32), np.zeros((4, 4), np.float32))
    assert (agreed_depth([told(4.0), nothing, nothing])[0] == 0).all()
    assert (agreed_depth([nothing, nothing])[0] == 0).all()


def test_those_who_contradict_each_other_are_not_believed():
    assert (agreed_depth([told(4.0), told(6.0)])[0] == 0).all()
    depth, _ = agreed_depth([told(4.0), told(4.1), told(9.0)])
    np.testing.assert_allclose(depth, 4.05, atol=0.03)


def test_more_parallax_counts_more():
    depth, _ = agreed_depth([told(4.0, 30.0), told(4.2, 6.0)])
    np.testing.assert_allclose(depth, 4.0, atol=0.02)


def test_a_small_parallax_is_not_enough():
    assert (agreed_depth([told(4.0, 3.0), told(4.0, 4.0)])[0] == 0).all()


def test_agreement_and_parallax_make_confidence():
    sure, worse, weak = (
        agreed_depth(pair)[1][0, 0]
        for pair in ([told(4.0, 30), told(4.0, 30)], [told(4.0, 30), told(4.3, 30)], [told(4.0, 6), told(4.0, 6)])
    )
    assert sure > worse > 1.1 and sure > weak > 1.1


def test_between_near_and_far_nothing_is_told():
    depth = np.full((8, 8), 4.0)
    depth[:, 4:] = 6.0
    edge = Sighting((1 / depth).astype(np.float32), np.full((8, 8), 20, np.float32))
    found, _ = agreed_depth([edge, edge])
    assert (found[:, 3:5] == 0).all() and (found[:, :3] > 0).all() and (found[:, 5:] > 0).all()
