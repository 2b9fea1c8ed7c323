# SPDX-License-Identifier: GPL-3.0-or-later
"""Set Up Shot makes a render of people in their footage possible by one click, and takes nothing from the user."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import png, tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.sections.display import shot

SIZE = 96, 54


@pytest.fixture
def taken(build, footage, scene):
    """A take over its footage, in a scene that is as the user likes it."""
    made = build(frames=6, people=1, points=40, source=str(footage), size=(640, 360), pose_scale=0.05)
    own = bpy.data.objects.new("own", bpy.data.cameras.new("own"))
    scene.collection.objects.link(own)
    scene.camera, scene.world = own, bpy.data.worlds.new("own")
    scene.view_settings.view_transform, scene.cycles.samples = "Filmic", 7
    bpy.context.view_layer.update()
    return made


def state(scene):
    """What a shot may touch."""
    return {
        **{path: shot._get(scene, path) for path in shot.SETTINGS},
        "world": scene.world.name, "camera": scene.camera.name,
        "objects": sorted((item.name, item.hide_render) for item in scene.objects),
        "blocks": [len(blocks) for blocks in (bpy.data.objects, bpy.data.meshes, bpy.data.lights, bpy.data.worlds,
                                              bpy.data.images, bpy.data.collections)],
    }  # fmt: skip


def test_it_is_set_up_once_and_removed_without_a_trace(taken, scene):
    before = state(scene)
    assert not bpy.ops.human3r.remove_shot.poll()
    assert bpy.ops.human3r.set_up_shot() == {"FINISHED"}
    first = state(scene)
    assert scene.camera == taken.camera and scene.render.engine == "CYCLES"
    assert tags.find(taken.root[tags.TAKE], tags.POINTS).hide_render
    assert bpy.ops.human3r.set_up_shot() == {"FINISHED"}
    assert state(scene) == first
    assert bpy.ops.human3r.remove_shot() == {"FINISHED"}
    assert state(scene) == before and shot.of(scene) is None


def test_one_undo_takes_it_back(taken, scene):
    bpy.ops.ed.undo_push(message="before")
    before = state(scene)
    assert bpy.ops.human3r.set_up_shot("EXEC_DEFAULT", True) == {"FINISHED"}
    assert state(bpy.context.scene) != before
    bpy.ops.ed.undo()
    assert state(bpy.context.scene) == before


def test_without_footage_it_is_gray_and_says_so(build, scene):
    build(frames=4, people=1, source="gone.mp4")
    assert bpy.ops.human3r.set_up_shot() == {"FINISHED"}
    assert not [node for node in scene.world.node_tree.nodes if node.type == "TEX_IMAGE" and node.image is not None]


def test_without_a_camera_nothing_changes(build, scene):
    build(frames=4, people=1, options={"import_camera": False})
    before = len(bpy.data.objects), scene.render.engine
    with pytest.raises(RuntimeError, match="no camera"):
        bpy.ops.human3r.set_up_shot()
    assert (len(bpy.data.objects), scene.render.engine) == before and shot.of(scene) is None


@pytest.fixture
def pictures(tmp_path):
    """(T, R, C, 3) uint8, smooth and different in each frame, and the folder that holds them as numbered files."""
    folder = tmp_path / "shots"
    folder.mkdir()
    down, across = np.mgrid[0 : 1 : 1j * SIZE[1], 0 : 1 : 1j * SIZE[0]]
    frames = [np.stack([across, down, np.full_like(down, 0.2 + 0.2 * index)], axis=-1) for index in range(4)]
    made = np.round(60 + 150 * np.stack(frames)).astype(np.uint8)
    for number, picture in enumerate(made, start=8):
        (folder / f"a_{number}.png").write_bytes(png.encoded(picture))
    return made, folder


def test_the_render_shows_footage_person_and_shadow(build, pictures, scene, tmp_path):
    """Without the person it is the footage of the frame, pixel by pixel; the person's shadow darkens it."""
    made, folder = pictures
    taken = build(frames=4, people=1, points=40, source=str(folder), size=SIZE)
    (item,) = family.people_under(taken.root)
    assert bpy.ops.human3r.set_up_shot() == {"FINISHED"}
    _stand_before_the_camera(taken, item)
    scene.frame_set(3)
    with_person = rendered(scene, tmp_path / "with.png")
    family.mesh(item).hide_render = True
    for frame in (3, 1):
        scene.frame_set(frame)
        without = rendered(scene, tmp_path / "without.png")
        difference = np.abs(without - made[frame - 1, ::-1] / 255).max(axis=-1)
        assert np.quantile(difference, 0.99) < 0.02  # the denoiser leaves marks in a corner
    behind = made[2, ::-1] / 255
    changed = np.abs(with_person - behind).max(axis=-1) > 0.05
    assert 0.02 < changed.mean() < 0.3
    darker = (with_person < behind - 0.03).all(axis=-1)
    assert darker.mean() > 0.002, "a shadow on the floor"


def test_a_video_plays_along(taken, scene, tmp_path):
    assert bpy.ops.human3r.set_up_shot() == {"FINISHED"}
    family.mesh(family.people_under(taken.root)[0]).hide_render = True
    shown = []
    for frame in (1, 6):
        scene.frame_set(frame)
        shown.append(rendered(scene, tmp_path / f"{frame}.png"))
    assert min(image.std() for image in shown) > 0.05 and np.abs(shown[0] - shown[1]).max() > 0.1


def _stand_before_the_camera(taken, item):
    """A camera that looks down on the person, who stands at the origin, without the keys that say otherwise."""
    for thing in (taken.camera, item):
        thing.animation_data_clear()
    taken.camera.data.animation_data_clear()
    taken.root.matrix_basis.identity()
    taken.camera.data.lens, taken.camera.data.shift_x, taken.camera.data.shift_y = 28.0, 0.0, 0.0
    taken.camera.rotation_mode = "XYZ"
    taken.camera.location, taken.camera.rotation_euler = (0.0, -5.0, 2.5), (1.2, 0.0, 0.0)
    item.location = (0.0, 0.0, 1.1)
    for bone in item.pose.bones:
        bone.location, bone.rotation_quaternion = (0, 0, 0), (1, 0, 0, 0)
    family.mesh(item).animation_data_clear()
    family.mesh(item).hide_render = family.mesh(item).hide_viewport = False


def rendered(scene, path):
    """(R, C, 3) sRGB values of a render."""
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.cycles.samples, scene.cycles.device, scene.render.filepath = 16, "CPU", str(path)
    bpy.ops.render.render(write_still=True)
    return pixels(path)


def pixels(path):
    image = bpy.data.images.load(str(path))
    values = np.array(image.pixels[:]).reshape(image.size[1], image.size[0], -1)[:, :, :3]
    bpy.data.images.remove(image)
    return values
