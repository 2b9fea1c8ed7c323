# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys written in bulk are the keys that Blender then plays, in every version's way of storing them."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes


@pytest.fixture
def item(scene):
    made = bpy.data.objects.new("item", None)
    scene.collection.objects.link(made)
    keyframes.animate(made, "Motion")
    return made


def linear(count):
    return np.full(count, keyframes.LINEAR, dtype=np.uint8)


@pytest.mark.parametrize("batches", [[50], [1] * 50, [20, 3, 3, 24], [9, 8, 8, 8, 8, 9]])
def test_batches_of_any_size_give_the_same_keys(item, batches):
    frames, values = np.arange(1, 51) + 0.25, np.random.default_rng(0).normal(size=50)
    kinds = linear(50)
    kinds[[7, 30]] = keyframes.CONSTANT
    curve = keyframes.add_curves(item, "location", 3, "Place")[1]
    start = 0
    for count in batches:
        part = slice(start, start + count)
        keyframes.append(keyframes.curves(item)["location", 1], frames[part], values[part], kinds[part])
        start += count
    found_frames, found_values = keyframes.read(curve)
    np.testing.assert_array_equal(found_frames, frames.astype(np.float32))
    np.testing.assert_array_equal(found_values, values.astype(np.float32))
    expected = ["CONSTANT" if index in (7, 30) else "LINEAR" for index in range(50)]
    assert [point.interpolation for point in curve.keyframe_points] == expected
    assert curve.group.name == "Place"


def test_blender_plays_them_in_straight_lines_and_holds(scene, item):
    curve = keyframes.add_curves(item, "location", 3)[0]
    keyframes.append(curve, np.array([1.0, 11.0]), np.array([0.0, 5.0]), linear(2))
    keyframes.hold_last(curve)
    keyframes.append(curve, np.array([21.0]), np.array([9.0]), linear(1))
    for _ in keyframes.settle(lambda: item):
        pass
    played = []
    for frame in (1, 5, 11, 20, 21, 30):
        scene.frame_set(frame)
        played.append(item.location.x)
    np.testing.assert_allclose(played, [0, 2, 5, 5, 9, 9], atol=1e-6)


def test_one_action_serves_several_blocks_where_there_are_slots(item):
    other = bpy.data.cameras.new("lens")
    action = keyframes.animate(other, "Motion", "lens", share=item)
    keyframes.add_curves(item, "location", 3)
    keyframes.add_curves(other, "lens", 1)
    assert set(keyframes.curves(item)) == {("location", axis) for axis in range(3)}
    assert set(keyframes.curves(other)) == {("lens", 0)}
    assert (action == item.animation_data.action) == keyframes.HAS_SLOTS == (bpy.app.version >= (4, 4))
    keyframes.remove_curves(item, ["location"])
    assert keyframes.curves(item) == {}
    assert keyframes.curves(bpy.data.objects.new("still", None)) == {}


def test_slices_cover_all_curves_once():
    names = [("a", index) for index in range(225)]
    for keys in (0, 1, 1000, 50_000):
        parts = list(keyframes.slices(names, keys))
        assert [name for part in parts for name in part] == names
    assert len(list(keyframes.slices(names, 50_000))) == 225


@pytest.mark.parametrize("kinds", [(0,), (1,), (1, 1, 0)])
def test_curves_are_sampled_as_blender_evaluates_them(item, kinds):
    rng = np.random.default_rng(3)
    frames, values = np.cumsum(rng.choice([0.5, 1.0, 1.001, 3.0], 80)), rng.normal(size=80)
    curve = keyframes.add_curves(item, "location", 3)[0]
    keyframes.append(curve, frames, values, np.resize(np.array(kinds, np.uint8), 80))
    curve.update()
    wanted = np.concatenate([np.linspace(-5, frames[-1] + 5, 400), frames, np.arange(0.0, frames[-1])])
    found = keyframes.sample(curve, wanted)
    np.testing.assert_allclose(found, [curve.evaluate(frame) for frame in wanted], atol=2e-5)


@pytest.mark.parametrize("change", ["modifier", "bezier", "slope"])
def test_what_is_not_straight_is_evaluated(item, change):
    curve = keyframes.add_curves(item, "location", 3)[0]
    keyframes.append(curve, np.arange(20.0), np.arange(20.0) ** 2, linear(20))
    if change == "modifier":
        curve.modifiers.new("NOISE")
    elif change == "bezier":
        curve.keyframe_points[7].interpolation = "BEZIER"
    else:
        curve.extrapolation = "LINEAR"
    curve.update()
    wanted = np.arange(-3.0, 25.0, 0.37)
    found = keyframes.sample(curve, wanted)
    np.testing.assert_array_equal(found, [curve.evaluate(frame) for frame in wanted])
    assert np.abs(found - np.interp(wanted, np.arange(20.0), np.arange(20.0) ** 2)).max() > 1e-3
