# SPDX-License-Identifier: GPL-3.0-or-later
"""Building while messages come, building at once, building again; and what the user may do meanwhile."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.body_model import default_body_path
from bl_ext.user_default.human3r_blender.engine.contract.errors import UserError
from bl_ext.user_default.human3r_blender.human3r_blender.blender import keyframes, tags
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.scene.builder import ImportOptions, SceneBuilder, import_take


def everything(made):
    """All keys, rest bones, shapes and points under a root, by role, track and place."""
    found = {}
    for item in [made.root, *made.root.children_recursive]:
        owner = (item[tags.ROLE], item.get(tags.TRACK))
        blocks = {"object": item, "data": item.data, "keys": getattr(item.data, "shape_keys", None)}
        for kind, block in blocks.items():
            for name, curve in keyframes.curves(block).items() if block is not None else ():
                kinds = [point.interpolation for point in curve.keyframe_points]
                found[owner, kind, name] = (*keyframes.read(curve), np.array(kinds))
        if item.type == "ARMATURE":
            found[owner, "rest"] = (np.array([bone.head_local for bone in item.data.bones]),)
        if blocks["keys"] is not None:
            found[owner, "shape"] = (np.array([key.value for key in blocks["keys"].key_blocks[:11]]),)
        if item.type == "MESH":
            found[owner, "points"] = (np.array([vertex.co for vertex in item.data.vertices]),)
    return found


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, arrays in first.items():
        for one, other in zip(arrays, second[name], strict=True):
            np.testing.assert_array_equal(one, other, err_msg=str(name))


def test_built_live_equals_imported_at_once(scene, synthetic, build, tmp_path):
    take = synthetic(frames=80, people=2, betas="noisy", absent={1: [*range(10), *range(30, 60)], 0: [79]})
    live = SceneBuilder(scene, take.header, ImportOptions(ground="off"))
    for message in take.messages():
        live.add(message)
        live.work(0.0002)
    live.finish()
    while live.work(0.0002):
        pass
    found = everything(live)
    assert_same(found, everything(build(take, clean=live.options.clean)))
    imported, problem = import_take(take.write(tmp_path / "take.h3r"), scene, live.options)
    assert problem is None
    assert_same(found, everything(imported))


def test_people_may_join_between_two_slices(scene, synthetic, build):
    take = synthetic(frames=40, people=5, absent={person: [*range(5 + 3 * person)] for person in range(1, 5)})
    live = SceneBuilder(scene, take.header, ImportOptions(ground="off"))
    for number, message in enumerate(take.messages()):
        live.add(message)
        live.work(0.0 if number > 3 else None)  # the first person is made at once, then each message gets one slice
    live.finish()
    live.work()
    assert_same(everything(live), everything(build(take, clean=live.options.clean)))


def test_keys_appear_while_messages_come(scene, synthetic):
    take = synthetic(frames=12, people=1)
    made = SceneBuilder(scene, take.header)
    assert made.root is None
    for message in take.messages():
        made.add(message)
        made.work()
    assert made.latest_frame == 12
    curve = keyframes.curves(family.people_under(made.root)[0])['pose.bones["pelvis"].location', 0]
    assert len(curve.keyframe_points) == 12
    assert scene.camera == made.camera
    assert made.work() is False


def test_a_second_import_stands_beside_the_first(scene, synthetic, build):
    take = synthetic(frames=3, people=1)
    first, second = build(take), build(take)
    assert first.root != second.root
    assert family.people_under(first.root) != family.people_under(second.root)
    assert len(bpy.data.armatures) == 2
    assert not [mesh for mesh in bpy.data.meshes if mesh.users == 0]
    assert len(bpy.data.scenes) == 1


def test_options_leave_things_out(scene, synthetic, build):
    made = build(synthetic(frames=3, people=1), import_people=False, import_points=False)
    assert [item[tags.ROLE] for item in made.root.children] == [tags.CAMERA]
    made = build(synthetic(frames=3, people=1), import_camera=False)
    assert sorted(item[tags.ROLE] for item in made.root.children) == [tags.ARMATURE, tags.POINTS]


def test_a_deleted_person_and_camera_stay_away(scene, synthetic):
    take = synthetic(frames=10, people=2)
    made = SceneBuilder(scene, take.header)
    for index, message in enumerate(take.messages()):
        made.add(message)
        made.work()
        if index == 5:
            bpy.data.objects.remove(family.people_under(made.root)[0])
            bpy.data.objects.remove(made.camera)
    made.finish()
    assert made.work() is False
    assert [item[tags.TRACK] for item in family.people_under(made.root)] == [1]
    assert made.camera is None


def test_a_deleted_root_ends_the_building_with_a_reason(scene, synthetic):
    take = synthetic(frames=4, people=1)
    made = SceneBuilder(scene, take.header)
    made.add(take.frame(0))
    made.work()
    bpy.data.objects.remove(made.root)
    made.add(take.frame(1))
    with pytest.raises(UserError, match="take-removed"):
        made.work()
    assert made.work() is False


def test_a_body_that_cannot_be_read_is_reported(scene, synthetic, tmp_path):
    made = SceneBuilder(scene, synthetic(frames=1).header, ImportOptions(body_path=str(tmp_path / "none.npz")))
    with pytest.raises(UserError, match="body-missing"):
        made.work()


def test_the_takes_own_body_is_the_default_where_it_is_there(scene, synthetic, build, tmp_path):
    for name, expected in (("none.npz", "mannequin"), ("body.npz", str(tmp_path / "body.npz"))):
        (tmp_path / "body.npz").write_bytes(default_body_path().read_bytes())
        made = build(synthetic(frames=1, people=1, body_path=str(tmp_path / name)))
        assert made.root[tags.BODY] == expected
        assert ("made with the body none.npz" in made.warning) == (name == "none.npz")


def test_the_users_edit_mode_and_selection_are_left_alone(scene, synthetic, build):
    mesh = bpy.data.meshes.new("mine")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    mine = bpy.data.objects.new("mine", mesh)
    scene.collection.objects.link(mine)
    bpy.context.view_layer.objects.active = mine
    mine.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        made = build(synthetic(frames=3, people=2))
        assert (bpy.context.mode, bpy.context.object, bpy.context.selected_objects) == ("EDIT_MESH", mine, [mine])
        assert len(family.people_under(made.root)[0].data.bones) == 56
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")


def test_a_truncated_take_is_imported_up_to_its_last_record(scene, synthetic, tmp_path):
    path = synthetic(frames=20, people=1).write(tmp_path / "take.h3r")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    made, problem = import_take(path, scene)
    assert "cut off" in problem
    assert 1 < made.latest_frame < 20
    assert len(family.people_under(made.root)) == 1


def test_the_footage_is_the_cameras_background(scene, synthetic, build, tmp_path):
    image = bpy.data.images.new("picture", 64, 36)
    image.file_format = "PNG"
    for number in range(1, 4):
        image.filepath_raw = str(tmp_path / f"shot.{number:04d}.png")
        image.save()
    for source in (tmp_path, tmp_path / "shot.%04d.png", tmp_path / "shot.####.png"):
        made = build(synthetic(frames=2, people=0, points=0, source=str(source), size=(64, 36)))
        background = made.camera.data.background_images[0]
        assert made.camera.data.show_background_images
        assert tuple(background.clip.size) == (64, 36)
        assert background.clip.frame_duration == 3
    for source, size in ((tmp_path / "none.mp4", (64, 36)), (tmp_path, (36, 64))):
        made = build(synthetic(frames=2, people=0, points=0, source=str(source), size=size))
        assert not made.camera.data.background_images
    assert (scene.render.resolution_x, scene.render.resolution_y) == (36, 64)


def test_a_video_is_the_background_and_sets_the_rate(scene, synthetic, build, shared):
    video = shared / "media" / "one-by-one-person-detection.mp4"
    clip = bpy.data.movieclips.load(str(video))
    made = build(synthetic(frames=2, people=0, source=str(video), size=tuple(clip.size), rate=clip.fps))
    assert made.camera.data.background_images[0].clip == clip
    assert scene.render.fps / scene.render.fps_base == pytest.approx(clip.fps, rel=1e-5)
    assert made.root.name == video.stem
