# SPDX-License-Identifier: GPL-3.0-or-later
"""The raw motion of a long take is packed while it rests, plays as it is, and comes back key by key."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.motion.clean_up import CleanUpSettings
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes, packed_keys, tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import family, rows, versions
from bl_ext.user_default.human3r_blender.human3r_blender.person.motion import LOCATION, NAMES
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder

from ..takes import Synthetic

RATE, FRAMES = 30.0, 1150


@pytest.fixture(scope="module")
def take(tmp_path_factory):
    """One who is there throughout; one who leaves for long, is missed for a moment, and does not come back at last."""
    absent = {1: [*range(300, 340), 500, *range(1100, FRAMES)]}
    made = Synthetic(frames=FRAMES, people=2, rate=RATE, points=0, absent=absent)
    return made.write(tmp_path_factory.mktemp("take") / "long.h3r")


@pytest.fixture
def people(scene, take):
    def run(clean):
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
        options = scene_builder.ImportOptions(ground="off", clean=clean, show_footage=False)
        made, problem = scene_builder.import_take(take, bpy.context.scene, options)
        assert problem is None
        return family.people_under(made.root)

    return run


def keys_of(action):
    curves = keyframes.curves_in(action, LOCATION)
    assert not any(len(curves[name].sampled_points) for name in NAMES)
    return {name: (*keyframes.read(curves[name]), keyframes.interpolation(curves[name])) for name in NAMES}


def is_packed(item):
    curves = keyframes.curves_in(family.action(item, tags.RAW), LOCATION)
    return [len(curves[name].keyframe_points) == 0 for name in NAMES[3:]]


def assert_same(one, other):
    for name, columns in one.items():
        for ours, theirs in zip(columns, other[name], strict=True):
            np.testing.assert_array_equal(ours, theirs, err_msg=str(name))


def test_raw_keys_come_back_as_they_were(people):
    plain = [keys_of(family.action(item, tags.RAW)) for item in people(0.0)]
    made = people(0.75)
    for item, expected in zip(made, plain, strict=True):
        assert all(is_packed(item)) and versions.shown(item) == tags.CLEAN
        versions.show(item, tags.RAW)
        assert_same(keys_of(family.action(item, tags.RAW)), expected)
        assert item.animation_data.action == family.action(item, tags.RAW)


def test_a_packed_motion_plays_as_it_did(people):
    played = {}
    for clean in (0.0, 0.75):
        item = people(clean)[1]
        raw = family.action(item, tags.RAW)
        keyframes.play(item, raw, LOCATION)  # as a user may, in the Action editor
        frames = []
        for frame in (1, 299, 300, 320, 341, 500, 501, 1100, 1149):
            bpy.context.scene.frame_set(frame)
            frames.append([bone.matrix_basis.copy() for bone in item.pose.bones])
        played[clean] = np.array(frames, dtype=np.float64)
    np.testing.assert_allclose(played[0.0], played[0.75], atol=1e-6)


def test_edits_and_a_new_clean_up_read_what_is_packed(people):
    rows_of = {clean: [rows.read(item, RATE) for item in people(clean)] for clean in (0.0, 0.75)}
    for plain, packed in zip(*rows_of.values(), strict=True):
        np.testing.assert_array_equal(plain.frames, packed.frames)
        np.testing.assert_array_equal(plain.motion.rotations, packed.motion.rotations)
        np.testing.assert_array_equal(plain.kinds, packed.kinds)
    item = people(0.75)[0]
    clean = keys_of(family.action(item, tags.CLEAN))
    versions.clean(item, RATE, CleanUpSettings(0.75))
    assert all(is_packed(item))
    assert_same(keys_of(family.action(item, tags.CLEAN)), clean)


def test_short_motions_and_what_plays_keep_their_keys(people):
    item = people(0.0)[0]
    raw = family.action(item, tags.RAW)
    before = keys_of(raw)
    item.animation_data.nla_tracks.new().strips.new("raw", 1, raw)
    versions.clean(item, RATE, CleanUpSettings(0.75))
    assert_same(keys_of(raw), before)
    other = family.action(people(0.0)[0], tags.RAW)
    curves = keyframes.curves_in(other, LOCATION)
    curves[NAMES[7]].keyframe_points[40].interpolation = "BEZIER"
    assert not list(packed_keys.pack(lambda: other, NAMES[0], NAMES[3:]))
