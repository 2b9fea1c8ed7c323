# SPDX-License-Identifier: GPL-3.0-or-later
"""Names stand over heads, of whoever is seen, and are what the armatures are called now."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.sections.display import name_tags

from .conftest import meshes

SIZE = np.array([640.0, 360.0])


def tagged(scene):
    return name_tags.name_tags(bpy.context, None)


def camera_matrices(camera):
    """What a camera's view has: (4, 4) to clip space, and (3,) its upward direction."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    seen = camera.evaluated_get(depsgraph)
    projection = seen.calc_matrix_camera(depsgraph, x=int(SIZE[0]), y=int(SIZE[1]))
    stands = seen.matrix_world.normalized()  # as views do: a camera's scale does not count
    return np.array(projection @ stands.inverted()), np.array(stands.col[1][:3])


def pixels(perspective, points):
    clip = np.c_[points, np.ones(len(points))] @ perspective.T
    return (clip[:, :2] / clip[:, 3:] + 1) / 2 * SIZE


def head_vertices(mesh):
    """(N, 3) scene positions of the vertices that follow the head alone."""
    group = mesh.vertex_groups["head"].index
    rows = [
        vertex.index
        for vertex in mesh.data.vertices
        if any(part.group == group and part.weight > 0.95 for part in vertex.groups)
    ]
    seen = mesh.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([tuple(seen.matrix_world @ seen.data.vertices[row].co) for row in rows])


@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_names_stand_just_over_the_heads_in_the_camera_view(build, scene, scale):
    made = build(frames=6, people=2, points=0, pose_scale=0.05)
    made.root.scale = (scale,) * 3
    for frame in (1, 4):
        scene.frame_set(frame)
        perspective, up = camera_matrices(made.camera)
        found = tagged(scene)
        places = name_tags.places(found, perspective, up, tuple(SIZE))
        assert [tag.name for tag in found] == [item.name for item in family.people_under(made.root)]
        for tag, place, mesh in zip(found, places, meshes(made.root), strict=True):
            head = pixels(perspective, head_vertices(mesh))
            top, height = head[:, 1].max(), np.ptp(head[:, 1])
            assert top - 0.1 * height < place[1] < top + 0.8 * height, tag.name
            assert head[:, 0].min() < place[0] < head[:, 0].max()
            assert tag.scale == pytest.approx(scale) and tuple(tag.color) == pytest.approx(tuple(mesh.color))


def test_nearer_names_come_last_and_those_behind_the_view_not_at_all():
    tag = name_tags.NameTag("somebody", (0.0, 0.0, 0.0), 1.0, (1.0, 1.0, 1.0, 1.0))
    perspective = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, -0.2], [0, 0, -1, 0]])  # looks along -z
    heads = ((0.0, -name_tags._ABOVE_M, -2.0), (0.0, 0.0, -5.0), (0.0, 0.0, 3.0))
    places = name_tags.places(
        [name_tags.NameTag(tag.name, head, 1.0, tag.color) for head in heads],
        perspective,
        np.array([0.0, 1.0, 0.0]),
        (200.0, 100.0),
    )
    np.testing.assert_allclose(places[0], [100, 50, 2], atol=1e-9)
    assert places[1, 2] == 5 and np.isnan(places[2]).all()


def test_names_follow_renames(build, scene):
    made = build(points=0)
    people = family.people_under(made.root)
    people[0].name = "Ada Lovelace"
    assert [tag.name for tag in tagged(scene)] == ["Ada Lovelace", people[1].name]


def test_who_is_away_or_hidden_or_deleted_has_no_name(build, scene):
    made = build(frames=40, points=0, absent={1: list(range(20))})
    people = family.people_under(made.root)
    scene.frame_set(5)
    assert [tag.name for tag in tagged(scene)] == [people[0].name]
    scene.frame_set(30)
    assert len(tagged(scene)) == 2
    people[0].users_collection[0].hide_viewport = True
    bpy.context.view_layer.update()
    assert [tag.name for tag in tagged(scene)] == [people[1].name]
    bpy.data.objects.remove(people[1])
    assert tagged(scene) == []


def test_names_are_a_switch_that_can_be_undone(scene):
    assert scene.human3r_display.show_names
    assert bpy.ops.human3r.show_names() == {"FINISHED"} and not scene.human3r_display.show_names
    assert bpy.ops.human3r.show_names() == {"FINISHED"} and scene.human3r_display.show_names
