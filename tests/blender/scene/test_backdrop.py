# SPDX-License-Identifier: GPL-3.0-or-later
"""The Photographed Backdrop lies exactly on the footage, on floor and card, wherever the card is moved to."""

import threading

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.messages import ScenePoints, TakeEnd
from bl_ext.user_default.human3r_blender.human3r_blender.blender import coordinates, png, tags
from bl_ext.user_default.human3r_blender.human3r_blender.scene import backdrop, ground_alignment, point_cloud
from bl_ext.user_default.human3r_blender.human3r_blender.scene import builder as scene_builder
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from tests.waiting import HANG_S, Patience

from ..backdrops import CARD, HEIGHT, PITCH, UP, of_rays, of_view, picture, still_take, summary

EXACT_M = 1e-4


def build(scene, take, *after, **options):
    """A take, and what comes after its frames."""
    made = scene_builder.SceneBuilder(scene, take.header, scene_builder.ImportOptions(**options))
    for message in take.messages():
        for other in after if isinstance(message, TakeEnd) else ():
            made.add(other)
        made.add(message)
    made.finish()
    assert made.work() is False
    bpy.context.view_layer.update()
    return made


def object_of(made):
    return None if made.root is None else tags.find(made.root[tags.TAKE], tags.BACKDROP)


def card_of(item):
    modifier, path = backdrop.card_distance_path(item)
    return modifier[path[2:-2]]


def vertices(item):
    """(V, 3) in the scene, after the modifier."""
    seen = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    points = np.empty(3 * len(seen.data.vertices), dtype=np.float32)
    seen.data.vertices.foreach_get("co", points)
    world = np.array(seen.matrix_world)
    return points.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3]


def uv_of_vertices(mesh):
    uv, corner = np.empty(2 * len(mesh.loops), np.float32), np.empty(len(mesh.loops), np.int32)
    mesh.uv_layers.active.uv.foreach_get("vector", uv)
    mesh.loops.foreach_get("vertex_index", corner)
    found = np.empty((len(mesh.vertices), 2))
    found[corner] = uv.reshape(-1, 2)
    return found


def set_card(item, distance):
    modifier, path = backdrop.card_distance_path(item)
    modifier[path[2:-2]] = distance
    item.update_tag()
    bpy.context.view_layer.update()


@pytest.mark.parametrize("size", [(640, 360), (360, 640)], ids=["landscape", "portrait"])
@pytest.mark.parametrize("card", [CARD, 2.5, 40.0])
def test_it_lies_on_the_footage_wherever_the_card_is(scene, synthetic, size, card):
    take = still_take(synthetic, size=size, principal_point=(size[0] / 2 + 11, size[1] / 2 - 7))
    made = build(scene, take, summary(), of_view(take))
    item = object_of(made)
    set_card(item, card)
    seen = [world_to_camera_view(scene, made.camera, Vector(point)) for point in vertices(item)]
    np.testing.assert_allclose(np.array(seen)[:, :2], uv_of_vertices(item.data), atol=2e-4)
    assert min(point.z for point in seen) > 0


@pytest.mark.parametrize("card", [CARD, 3.0])
def test_floor_and_card_are_where_the_record_has_them(scene, synthetic, card):
    take = still_take(synthetic)
    made = build(scene, take, summary(), of_view(take))
    set_card(object_of(made), card)
    places = vertices(object_of(made))  # the root stands on the floor, the camera looks along y
    on_floor, on_card = np.abs(places[:, 2]) < EXACT_M * 10, np.abs(places[:, 1] - card) < EXACT_M * 10
    assert (on_floor | on_card).all() and on_floor.sum() > 100 and on_card.sum() > 100
    assert places[:, 2].min() > -EXACT_M * 10 and places[:, 1].max() < card + EXACT_M * 10


def test_a_round_card_is_as_far_away_all_round(scene, synthetic):
    take = still_take(synthetic)
    turn, rise = np.meshgrid(np.linspace(-2.5, 2.5, 60), np.linspace(0.9, -0.9, 24))
    level = np.stack([np.sin(turn) * np.cos(rise), -np.sin(rise), np.cos(turn) * np.cos(rise)], axis=-1)
    cosine, sine = np.cos(PITCH), np.sin(PITCH)
    rays = level @ np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]]).T
    center = np.array([0.3, -0.2, 0.5])
    made = build(scene, take, summary("turning"), of_rays(rays, picture(200, 60), center=center))
    places = vertices(object_of(made))
    eye = np.array(made.root.matrix_world @ Vector(coordinates.points_to_root(center)))
    distance, height = np.linalg.norm((places - eye)[:, :2], axis=1), places[:, 2] - eye[2] + HEIGHT
    on_floor, on_card = np.abs(height) < 1e-3, np.abs(distance - CARD) < 1e-3
    assert (on_floor | on_card).all() and on_floor.sum() > 100 and on_card.sum() > 100
    sight = (places - eye) / np.linalg.norm(places - eye, axis=1, keepdims=True)
    expected = coordinates.points_to_root(rays.reshape(-1, 3)) @ np.array(made.root.matrix_world)[:3, :3].T
    np.testing.assert_allclose(sight, expected, atol=1e-5)


def test_straight_up_the_sky_is_closed_at_ten_times_the_distance(scene, synthetic):
    rays = np.tile(UP, (2, 2, 1))
    made = build(scene, still_take(synthetic), summary(), of_rays(rays, picture(8, 8)))
    np.testing.assert_allclose(vertices(object_of(made))[:, 2], HEIGHT + 10 * CARD, rtol=1e-4)


def test_without_a_floor_all_of_it_is_card(scene, synthetic):
    take = still_take(synthetic)
    made = build(scene, take, of_view(take, floor_height=1e9), ground="off")
    forward = coordinates.points_to_root(np.array([0.0, np.sin(-PITCH), np.cos(PITCH)]))
    np.testing.assert_allclose(vertices(object_of(made)) @ forward, CARD, rtol=1e-4)


def test_the_mesh_itself_is_where_the_modifier_puts_it(scene, synthetic):
    take = still_take(synthetic)
    item = object_of(build(scene, take, of_view(take)))
    before = vertices(item)
    item.modifiers.clear()
    bpy.context.view_layer.update()
    np.testing.assert_allclose(vertices(item), before, atol=1e-4)


def test_the_picture_is_in_the_file(scene, synthetic, tmp_path):
    take = still_take(synthetic)
    build(scene, take, of_view(take))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"), copy=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    (item,) = [item for item in bpy.data.objects if item.get(tags.ROLE) == tags.BACKDROP]
    image = backdrop.image_of(item)
    assert tuple(image.size) == (240, 135) and image.colorspace_settings.name == "sRGB" and image.alpha_mode == "NONE"
    pixels = np.array(image.pixels[:]).reshape(135, 240, 4)[::-1, :, :3]
    np.testing.assert_array_equal(np.rint(255 * pixels).astype(np.uint8), picture(240, 135))


def test_any_picture_survives_the_coding(tmp_path):
    random = np.random.default_rng(3).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    (tmp_path / "random.png").write_bytes(png.encoded(random))
    image = bpy.data.images.load(str(tmp_path / "random.png"))
    pixels = np.array(image.pixels[:]).reshape(37, 53, 4)[::-1, :, :3]
    np.testing.assert_array_equal(np.rint(255 * pixels).astype(np.uint8), random)


def test_a_render_from_the_camera_is_the_picture(scene, synthetic, tmp_path):
    take = still_take(synthetic, size=(160, 90), focal=125.0, principal_point=(79.5, 44.5))
    build(scene, take, summary(), of_view(take, rows=64, columns=96, size=(160, 90)))
    render = scene.render
    render.engine, scene.cycles.samples, scene.cycles.use_denoising, scene.world = "CYCLES", 8, False, None
    scene.cycles.pixel_filter_type = "BOX"
    scene.view_settings.view_transform, render.dither_intensity = "Standard", 0.0
    render.image_settings.file_format, render.filepath = "PNG", str(tmp_path / "seen.png")
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(tmp_path / "seen.png"))
    seen = 255 * np.array(image.pixels[:]).reshape(90, 160, 4)[::-1, :, :3]
    off = np.abs(seen - picture(160, 90)).max(axis=-1)
    assert np.median(off) < 3 and (off < 12).mean() > 0.93  # the edges of the checks are blurred


def test_a_later_one_takes_its_place(scene, synthetic):
    take = still_take(synthetic)
    live = scene_builder.SceneBuilder(scene, take.header, scene_builder.ImportOptions(ground="off"))
    live.add(take.frame(0))
    for card in (CARD, 3.0):
        live.add(of_view(take, card=card))
        patience = Patience("a backdrop")
        while object_of(live) is None or card_of(object_of(live)) != card:
            patience.check()
            live.work(0.01)
    live.finish()
    live.work()
    assert [item.name for item in bpy.data.objects if item.get(tags.ROLE) == tags.BACKDROP] == [backdrop.NAME]


def test_it_can_be_left_out(scene, synthetic):
    take = still_take(synthetic)
    made = build(scene, take, of_view(take), import_backdrop=False)
    assert object_of(made) is None and not bpy.data.images


def test_no_points_beside_it(scene, synthetic):
    empty = ScenePoints(2, True, np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint8), np.zeros(0, np.float32))
    take = still_take(synthetic)
    made = build(scene, take, of_view(take), empty)
    assert tags.find(made.root[tags.TAKE], tags.POINTS) is None and object_of(made) is not None


def test_points_that_the_end_takes_back(scene, synthetic):
    empty = ScenePoints(2, True, np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint8), np.zeros(0, np.float32))
    take = still_take(synthetic, points=200)
    live = scene_builder.SceneBuilder(scene, take.header, scene_builder.ImportOptions(ground="off"))
    for message in take.messages():
        live.add(message)
        live.work(1.0)
    points = tags.find(live.root[tags.TAKE], tags.POINTS)
    assert len(points.data.vertices) == 200
    live.add(empty)
    live.finish()
    live.work()
    bpy.context.view_layer.update()
    assert len(bpy.data.objects[point_cloud.NAME].data.vertices) == 0


def test_the_floor_of_the_take_is_the_backdrops(scene, synthetic):
    """Points that would speak for another floor do not count any more."""
    take = still_take(synthetic, points=4000, frames=12)
    random = np.random.default_rng(0)
    level = np.stack([random.uniform(-3, 3, 4000), np.full(4000, 1.1), random.uniform(1, 7, 4000)], axis=-1)
    take.cloud = level.astype(np.float32)
    made = build(scene, take, summary(), of_view(take))
    assert made.root[ground_alignment.SOURCE] == ground_alignment.FINAL
    assert ground_alignment.evidence_of(made.root) is not None
    assert vertices(object_of(made))[:, 2].min() == pytest.approx(0.0, abs=1e-3)
    assert np.array(made.camera.matrix_world)[2, 3] == pytest.approx(HEIGHT, abs=1e-5)


@pytest.mark.parametrize("waits", [True, False], ids=["capturing", "ending"])
def test_the_final_floor_is_taken_at_once_and_measured_then(scene, synthetic, monkeypatch, waits):
    """However long the measurement takes, and whether or not the take ends (or is cancelled) meanwhile."""
    take, may_measure = still_take(synthetic, frames=12), threading.Event()
    measure = ground_alignment.ground_of_frames

    def slowly(*evidence):
        assert may_measure.wait(HANG_S)
        return measure(*evidence)

    monkeypatch.setattr(ground_alignment, "ground_of_frames", slowly)
    live = scene_builder.SceneBuilder(scene, take.header, scene_builder.ImportOptions(import_people=False))
    for index in range(take.frames):
        live.add(take.frame(index))
    live.add(summary())
    if not waits:
        live.finish()
    patience = Patience("the final floor")
    while live.root is None or ground_alignment.SOURCE not in live.root:
        patience.check()
        live.work(0.001)
    assert live.root[ground_alignment.SOURCE] == ground_alignment.FINAL
    assert ground_alignment.evidence_of(live.root) is None
    found = np.array(live.root.matrix_basis)
    live.finish()
    may_measure.set()
    while live.work(0.001):
        patience.check()
    assert ground_alignment.evidence_of(live.root) is not None
    np.testing.assert_array_equal(np.array(live.root.matrix_basis), found)
    bpy.context.view_layer.update()
    assert np.array(live.camera.matrix_world)[2, 3] == pytest.approx(HEIGHT, abs=1e-5)


def test_an_unknown_floor_leaves_the_estimate(scene, synthetic):
    take = still_take(synthetic, points=4000, frames=12)
    made = build(scene, take, summary(floor_known=False))
    assert made.root[ground_alignment.SOURCE] != ground_alignment.FINAL


@pytest.mark.parametrize("ground", ["auto", "off"])
def test_a_root_that_was_moved_stays(scene, synthetic, ground):
    take = still_take(synthetic)
    live = scene_builder.SceneBuilder(scene, take.header, scene_builder.ImportOptions(ground=ground))
    for index in range(take.frames):
        live.add(take.frame(index))
        live.work(1.0)
    if ground == "auto":
        live.root.location.x = 3.0
    before = np.array(live.root.matrix_basis)
    live.add(summary())
    live.finish()
    live.work()
    np.testing.assert_array_equal(np.array(live.root.matrix_basis), before)
