# SPDX-License-Identifier: GPL-3.0-or-later
"""Which axis points up: told by people who walk, lie first, sit or turn somersaults; asked where they do not tell."""

import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from bl_ext.user_default.human3r_blender.human3r_blender.scene.motion_files import importing
from bl_ext.user_default.human3r_blender.human3r_blender.scene.motion_files.motion import (
    TURNS,
    FoundMotion,
    FoundPerson,
)
from bl_ext.user_default.human3r_blender.human3r_blender.scene.motion_files.options import MotionOptions

from .made import Z_UP, body

UPRIGHT = Z_UP
"""Rotation of somebody who stands in a world with z up."""
ON_THE_BACK = np.eye(3)
"""Along y, the front up: what a file without a root orientation is in such a world."""
ON_THE_SIDE = axis_angle_to_matrix(np.array([0.0, np.pi / 2, 0.0])) @ UPRIGHT
PELVIS_HEIGHTS = {1: 0.93, 0: 0.12, -1: 0.65}
"""Meters, of who stands, lies, and stands on the hands."""


def person(spans, drift=0.0, up="z"):
    """Somebody who is turned so for some frames each, on the floor of a world in which the axis `up` points up."""
    rotations = np.concatenate([np.tile(turn, (count, 1, 1)) for turn, count in spans])
    heights = np.array([PELVIS_HEIGHTS[round(height)] for height in rotations[:, 2, 1].tolist()])
    places = np.stack([0 * heights, drift * np.arange(len(heights)), heights], axis=1)
    back = TURNS[up].T
    poses = np.zeros((len(rotations), 55, 3))
    poses[:, 0] = matrix_to_axis_angle(back @ rotations)
    rest = body().rest_joints(np.zeros(10))[0]
    return FoundPerson(np.arange(len(poses)), poses, places @ back.T - rest, np.zeros(10))


def found(*people, options=None):
    motion = FoundMotion(tuple(people), 30.0)
    return importing.upright(motion, options or MotionOptions(), body())


def up_of(motion):
    """(T,) height of the axis of the body of the first person."""
    (one, *_) = motion.people
    return (one.rotations @ axis_angle_to_matrix(one.poses[:, 0]))[:, 2, 1]


SPANS = {
    "stands": [(UPRIGHT, 30)],
    "lies first, then stands": [(ON_THE_BACK, 40), (UPRIGHT, 40)],
    "lies for most of the time": [(ON_THE_BACK, 90), (UPRIGHT, 30)],
    "stands, then lies": [(UPRIGHT, 50), (ON_THE_SIDE, 50)],
    "leans": [(axis_angle_to_matrix(np.array([0.6, 0.0, 0.0])) @ UPRIGHT, 30)],
    "stands on the hands for a while": [(UPRIGHT, 40), (axis_angle_to_matrix(np.array([np.pi, 0, 0])) @ UPRIGHT, 30)],
}


@pytest.mark.parametrize("up", ["z", "y", "-y"])
@pytest.mark.parametrize("kind", SPANS)
@pytest.mark.parametrize("drift", [0.0, 0.03])
def test_it_is_told_by_people(kind, up, drift):
    motion = found(person(SPANS[kind], drift, up))
    expected = np.concatenate([np.full(count, turn[2, 1]) for turn, count in SPANS[kind]])
    assert np.abs(up_of(motion) - expected).max() < 1e-9
    assert (not motion.notes) is (up == "z")


def test_who_stands_tells_it_for_who_lies():
    lying, standing = (person([(turn, 30)], up="y") for turn in (ON_THE_BACK, UPRIGHT))
    assert np.abs(up_of(found(lying, standing))).max() < 1e-9


def test_who_only_lies_tells_nothing():
    side = person([(ON_THE_SIDE, 30)], up="y")
    sideways = person([(axis_angle_to_matrix(np.array([0.0, 0.0, np.pi / 4])) @ ON_THE_BACK, 30)])
    for one in (side, sideways):
        motion = found(one)
        assert "Z was assumed" in motion.notes[0]
        assert np.array_equal(motion.people[0].rotations[0], np.eye(3))


def test_it_can_be_given():
    motion = found(person([(ON_THE_BACK, 30)]), options=MotionOptions(up_axis="z"))
    assert np.abs(up_of(motion)).max() < 1e-9 and not motion.notes
    motion = found(person([(UPRIGHT, 30)], up="y"), options=MotionOptions(up_axis="y"))
    assert np.abs(up_of(motion) - 1).max() < 1e-9
