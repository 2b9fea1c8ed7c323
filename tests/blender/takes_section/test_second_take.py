# SPDX-License-Identifier: GPL-3.0-or-later
"""A take for a scene that has one: beside it, in its place, in a new scene; what is somebody else's stays."""

import bpy
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.capture import second_take
from bl_ext.user_default.human3r_blender.human3r_blender.person import family
from bl_ext.user_default.human3r_blender.human3r_blender.scene import takes

from tests.waiting import Patience

from ..takes import Synthetic

human3r = bpy.ops.human3r


@pytest.fixture
def long(scene, tmp_path):
    """A scene with a take of 40 frames at 30 a second, and the take."""
    take = Synthetic(frames=40, people=2, points=20, source="/long.mp4").write(tmp_path / "long.h3r")
    assert human3r.import_take(filepath=str(take)) == {"FINISHED"}
    return take


@pytest.fixture
def short(tmp_path):
    return Synthetic(frames=8, people=1, points=20, rate=10.0, source="/short.mp4").write(tmp_path / "short.h3r")


def names(scene):
    return [root.name for root in takes.roots_in(scene)]


def timing(scene):
    return scene.frame_start, scene.frame_end, scene.render.fps


def everything():
    places = ("objects", "actions", "armatures", "meshes", "cameras", "collections", "scenes")
    return {place: sorted(block.name for block in getattr(bpy.data, place)) for place in places}


def test_scripts_that_do_not_say_get_it_beside(long, short, scene):
    before = timing(scene)
    assert human3r.import_take(filepath=str(short)) == {"FINISHED"}
    assert names(scene) == ["long", "short"] and len(family.people_in(scene)) == 3
    assert timing(scene) == before == (1, 40, 30)
    short_root = takes.roots_in(scene)[1]
    assert list(short_root["human3r_pictures"]) == [1, 4, 7, 10, 13, 16, 19, 22]  # in true time


def test_in_its_place(long, short, scene):
    kept = bpy.data.objects.new("mine", None)
    scene.collection.objects.link(kept)
    assert human3r.import_take(filepath=str(short), placement="REPLACE") == {"FINISHED"}
    assert names(scene) == ["short"] and len(family.people_in(scene)) == 1 and kept.name in scene.objects
    assert timing(scene) == (1, 8, 10) and scene.camera is not None
    left = [
        block.name
        for blocks in (bpy.data.objects, bpy.data.actions, bpy.data.armatures, bpy.data.collections, bpy.data.meshes)
        for block in blocks
        if block.name.startswith(("Person 02", "long"))
    ]
    assert left == [] and long.is_file()


def test_a_character_keeps_the_motion_of_somebody_who_makes_way(long, short, scene):
    person = family.people_in(scene)[0]
    hero = bpy.data.objects.new("Hero", bpy.data.armatures.new("Hero"))
    scene.collection.objects.link(hero)
    action = family.action(person, tags.RAW).copy()
    tags.mark(action, person[tags.TAKE], tags.CHARACTER, 0)
    hero.animation_data_create().action = action
    human3r.import_take(filepath=str(short), placement="REPLACE")
    assert hero.animation_data.action == action


def test_in_a_new_scene_with_the_settings_of_this_one(long, short, scene):
    scene.human3r.start_at = "first"
    before = timing(scene), names(scene)
    assert human3r.import_take(filepath=str(short), placement="NEW_SCENE") == {"FINISHED"}
    made = bpy.context.window_manager.windows[0].scene
    assert made.name == "short" and made != scene and made.human3r.start_at == "first"
    assert names(made) == ["short"] and timing(made) == (1, 8, 10) and made.camera.users_scene == (made,)
    assert (timing(scene), names(scene)) == before


def test_a_scene_without_a_take_needs_no_other(scene, short):
    assert human3r.import_take(filepath=str(short), placement="NEW_SCENE") == {"FINISHED"}
    assert len(bpy.data.scenes) == 1 and names(scene) == ["short"]


@pytest.mark.parametrize("placement", ["REPLACE", "NEW_SCENE"])
def test_what_cannot_begin_leaves_all_as_it_was(long, scene, tmp_path, placement):
    before = everything()
    (tmp_path / "letter.h3r").write_text("dear somebody")
    with pytest.raises(RuntimeError, match="is not a take"):
        human3r.import_take(filepath=str(tmp_path / "letter.h3r"), placement=placement)
    assert everything() == before and bpy.context.window_manager.windows[0].scene == scene


def test_other_scenes_keep_the_same_take(long, short, scene):
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.scene.new(type="FULL_COPY")
    copy = bpy.context.window_manager.windows[0].scene
    people = {item.name: family.action(item, tags.RAW).name for item in family.people_in(copy)}
    bpy.context.window_manager.windows[0].scene = scene
    human3r.import_take(filepath=str(short), placement="REPLACE")
    assert names(scene) == ["short"]
    assert {item.name: family.action(item, tags.RAW).name for item in family.people_in(copy)} == people
    assert len(people) == 2 and len(takes.roots_in(copy)) == 1


def test_a_scene_that_shares_its_objects_keeps_them(long, short, scene):
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.scene.new(type="LINK_COPY")
    copy = bpy.context.window_manager.windows[0].scene
    human3r.import_take(filepath=str(short), placement="REPLACE")
    assert names(copy) == ["short"] and names(scene) == ["long"] and len(family.people_in(scene)) == 2


def test_what_is_linked_stays(long, short, scene, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "a.blend"), link=True) as (_, wanted):
        wanted.collections = ["long"]
    bpy.context.scene.collection.children.link(wanted.collections[0])
    assert human3r.import_take(filepath=str(short), placement="REPLACE") == {"FINISHED"}
    assert names(bpy.context.scene) == ["long", "short"] and len(family.people_in(bpy.context.scene)) == 3


def test_the_range_never_shrinks_meanwhile(addon, long, stand_in, scene, settings):
    for source, replaces, at_the_end in (("/walk:6", set(), (1, 40)), ("/walk:6", takes.ids_in(scene), (1, 6))):
        run = addon.session.start_capture(
            scene,
            settings(source),
            addon.builder.ImportOptions(),
            replaces=replaces | takes.ids_in(scene) if replaces else set(),
        )
        patience, seen = Patience("the run"), set()
        while run.pump_messages(0.001, wait_s=0.01):
            seen.add((scene.frame_start, scene.frame_end))
            patience.check((run.progress.phase, run.progress.frames_done))
        assert run.error is None and (1, 40) in seen and all(end >= 40 for _, end in list(seen)[:-1])
        assert (scene.frame_start, scene.frame_end) == at_the_end


def test_starting_again_over_the_same_footage_suggests_to_replace(addon, long, scene):
    assert second_take.suggested(scene, str(long)) == second_take.suggested(scene, "/long.mp4") == "REPLACE"
    assert second_take.suggested(scene, "/other.mp4") == "BESIDE"


def test_an_undo_in_the_middle_brings_nobody_back(addon, long, stand_in, scene, settings):
    bpy.ops.ed.undo_push(message="before")
    run = addon.session.start_capture(
        scene, settings("/walk:40"), addon.builder.ImportOptions(), replaces=takes.ids_in(scene)
    )
    patience = Patience("the run")
    while run.pump_messages(0.005, wait_s=0.01) and run.progress.frames_done < 10:
        patience.check(run.progress.frames_done)
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.ed.undo_push(message="cube")
    bpy.ops.ed.undo()
    while run.pump_messages(0.05, wait_s=0.01):
        patience.check(run.progress.frames_done)
    assert run.error is None and len(takes.roots_in(run.scene)) == 1 and len(family.people_in(run.scene)) == 2
