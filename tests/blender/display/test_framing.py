# SPDX-License-Identifier: GPL-3.0-or-later
"""People come into view: the first of a run in the views that nobody has moved since its start, and on request."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import views
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.scene import framing
from bl_ext.user_default.human3r_blender.human3r_blender.scene.import_options import ImportOptions
from mathutils import Euler, Matrix, Vector

from ..takes import Synthetic


def seen(area, points):
    """(N, 2) where a view shows points: pixels from its lower left corner. Blender's matrices are made when it draws,
    and nothing draws here: they follow from what a view is set to."""
    space, region = area.spaces.active, area.spaces.active.region_3d
    window = next(part for part in area.regions if part.type == "WINDOW")
    looks = Matrix.LocRotScale(region.view_location, region.view_rotation, None) @ Matrix.Translation(
        (0, 0, region.view_distance)
    )
    places = np.array([tuple(looks.inverted() @ Vector(point)) for point in points])
    scale = space.lens / 36 * max(window.width, window.height) / 2
    return places[:, :2] / -places[:, 2:] * scale + np.array([window.width, window.height]) / 2


def assert_in_free_part(area, points, least=0.0):
    left, bottom, right, top = views.free_part(area)
    pixels = seen(area, points)
    assert (pixels > (left, bottom)).all() and (pixels < (right, top)).all()
    share = np.ptp(pixels, axis=0) / (right - left, top - bottom)
    assert share.max() > least


def pelvises(root):
    return [item.matrix_world @ item.pose.bones["pelvis"].head for item in family.people_under(root)]


@pytest.fixture
def turned(view):
    """The view turned somehow, as the user likes it."""
    region = view.spaces.active.region_3d
    region.view_perspective, region.view_distance = "PERSP", 40.0
    region.view_rotation, region.view_location = Euler((1.1, 0, 0.7)).to_quaternion(), (30, 0, 0)
    return view


def state(area):
    region = area.spaces.active.region_3d
    return tuple(region.view_location), tuple(region.view_rotation), region.view_distance, region.view_perspective


def test_the_first_people_come_into_view(addon, scene, turned, tmp_path):
    rotation = turned.spaces.active.region_3d.view_rotation.copy()
    run = addon.session.start_import(
        scene, Synthetic(people=2, points=20).write(tmp_path / "take.h3r"), ImportOptions()
    )
    while run.pump_messages(0.01):
        pass
    bpy.context.view_layer.update()
    scene.frame_set(scene.frame_start)
    assert_in_free_part(turned, pelvises(run.builder.root), 0.1)
    assert turned.spaces.active.region_3d.view_rotation == rotation


@pytest.mark.parametrize("how", ["moved before they came", "moved after", "through a camera"])
def test_views_that_the_user_has_moved_stay(build, turned, how):
    region = turned.spaces.active.region_3d
    if how == "through a camera":
        region.view_perspective = "CAMERA"
    framing.remember()
    if how == "moved before they came":
        region.view_distance = 12.0
    made = build(people=2)
    before = state(turned)
    framing.follow(made.root)
    assert (state(turned) == before) == (how != "moved after")
    region.view_location.x += 1
    before = state(turned)
    made.root.location.z += 5
    framing.follow(made.root)
    assert state(turned) == before
    region.view_perspective = "PERSP"


def test_the_view_follows_when_the_take_is_set_on_its_floor(build, turned):
    framing.remember()
    made = build(people=2)
    framing.follow(made.root)
    before = state(turned)
    framing.follow(made.root)
    assert state(turned) == before
    made.root.matrix_basis = Matrix.LocRotScale((4, 2, 7), Euler((0.3, 0.2, 1)), (1.5, 1.5, 1.5))
    framing.follow(made.root)
    bpy.context.view_layer.update()
    assert_in_free_part(turned, pelvises(made.root))


def test_nobody_there_nothing_moves(build, turned):
    framing.remember()
    made = build(people=2, options={"import_people": False})
    before = state(turned)
    framing.follow(made.root)
    framing.follow(None)
    assert state(turned) == before


def test_the_button_frames_those_who_are_selected_or_all(build, turned, select):
    made = build(people=3)
    people = family.people_under(made.root)
    bpy.context.view_layer.update()
    everyone = [item.matrix_world @ bone.head for item in people for bone in item.pose.bones if bone.name != "root"]
    assert bpy.ops.human3r.frame_people() == {"FINISHED"}
    assert_in_free_part(turned, everyone, 0.3)
    distance = turned.spaces.active.region_3d.view_distance
    select(people[1])
    own = [people[1].matrix_world @ bone.head for bone in people[1].pose.bones if bone.name != "root"]
    turned.spaces.active.region_3d.view_perspective = "CAMERA"
    assert bpy.ops.human3r.frame_people() == {"FINISHED"}
    assert turned.spaces.active.region_3d.view_perspective == "PERSP"
    assert turned.spaces.active.region_3d.view_distance < distance
    assert_in_free_part(turned, own, 0.4)


def test_the_button_says_that_nobody_is_there(build, turned):
    made = build(people=1)
    family.people_under(made.root)[0].hide_set(True)
    assert bpy.ops.human3r.frame_people() == {"CANCELLED"}


def test_a_ball_holds_all_places():
    middle, radius = framing.ball([Vector((0, 0, 0)), Vector((2, 0, 0))], 0.5)
    assert tuple(middle) == (1, 0, 0) and radius == 1.5
