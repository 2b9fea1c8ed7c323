# SPDX-License-Identifier: GPL-3.0-or-later
"""Walks the way of docs/use/animators.md in a real Blender window, from a video to a character, and takes its pictures.

Run by hand as `driving.py` says, on a screen and in a window of 1440 x 900, and with

    export HUMAN3R_VIDEO=demo/demo.mp4             two people or more, and the engine of HUMAN3R_ENGINE_PYTHON
    export HUMAN3R_OUTPUTS=$(mktemp -d)            where the FBX files go

With HUMAN3R_TAKE, a take of that video, nothing is run: it is imported. The character is made here: a plain figure on
the rig that Rigify generates from its human meta-rig.
"""

import os
import sys
from pathlib import Path

import bpy
from mathutils import Euler, Vector

sys.path.insert(0, str(Path(__file__).parent))
from driving import (
    addon_module,
    click,
    close_all,
    drive,
    empty_scene,
    fill_in,
    find,
    heading,
    mouse,
    picture,
    press,
    run,
    session,
    sidebar,
    viewport,
    wait_for_end,
)

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
from plain_figure import figure

VIDEO = Path(os.environ["HUMAN3R_VIDEO"]).resolve()
OUTPUTS = Path(os.environ["HUMAN3R_OUTPUTS"]).resolve()
TAKE = os.environ.get("HUMAN3R_TAKE", "")
FRAME = int(os.environ.get("HUMAN3R_FRAME", "30"))
FRAMES = int(os.environ.get("HUMAN3R_FRAMES", "0"))  # of the video; 0 for all
STRENGTH = 0.7
SCALE = 0.85  # the meta-rig is taller than the people of the demo

VIEW_MIDDLE = (420, 400)  # pixels from the window's top left corner
EDIT_BELOW = 32  # pixels from the last button of People to the heading below it

FROM_ASIDE, FROM_AHEAD = Euler((1.3, 0.0, 0.6)).to_quaternion(), Euler((1.45, 0.0, 0.0)).to_quaternion()
ASIDE = Vector((0.9, 0.0, 0.0))  # so much to the right is hidden by the sidebar


def people():
    return sorted(
        (
            item
            for item in bpy.context.scene.objects
            if item.type == "ARMATURE" and item.get("human3r_role") == "armature"
        ),
        key=lambda item: item.name,
    )


def look(rotation, place, distance, frame=FRAME):
    bpy.context.scene.frame_set(frame)
    view = viewport().spaces.active.region_3d
    view.view_perspective, view.view_rotation = "PERSP", rotation
    view.view_location, view.view_distance = place, distance


def joint(item, name):
    return item.matrix_world @ item.pose.bones[name].head


def only_people(only):
    """Hide or show everything else of the take: the place, the camera, the root."""
    for item in bpy.context.scene.objects:
        if item.get("human3r_role") in ("points", "camera", "root"):
            item.hide_set(only)


def choose_the_video():
    yield from fill_in((yield from find("human3r.source")), str(VIDEO))
    assert bpy.context.scene.human3r.source == str(VIDEO), bpy.context.scene.human3r.source
    bpy.context.scene.human3r.end = FRAMES
    mouse("mousemove", *VIEW_MIDDLE)
    yield 3.0  # until it is known what the video is like
    picture("1-video-chosen")


def import_it():
    run(bpy.ops.human3r.import_take, "EXEC_DEFAULT", filepath=TAKE)
    yield from wait_for_end()
    picture("3-done")
    yield from close_all()


def watch_it_fill():
    yield from press("human3r.start_capture")
    mouse("mousemove", *VIEW_MIDDLE)
    assert session() is not None and session().is_active, "Start did not start"
    while session().progress.frames_done < 20:
        assert session().is_active, session().error
        yield 0.2
    run(bpy.ops.view3d.view_all)
    while session().is_active and session().progress.fraction < 0.6:
        yield 0.2
    picture("2-filling")
    yield from cancel_and_resume()
    yield from wait_for_end()
    assert len(people()) >= 2, f"{len(people())} people in {VIDEO}"
    yield 1.0
    picture("3-done")
    yield from close_all()


def cancel_and_resume():
    """The same take goes on where it stopped."""
    take = session().take
    yield from press("human3r.cancel_capture")
    yield from wait_for_end("cancelled")
    yield 1.0
    picture("2-canceled")
    done = session().progress.frames_done
    yield from press("human3r.resume_capture")
    mouse("mousemove", *VIEW_MIDDLE)
    assert session().is_active and session().take == take, "Resume did not go on"
    while session().progress.frames_done <= done:
        assert session().is_active, session().error
        yield 0.2
    picture("2-resumed")


def play_the_camera_view():
    yield from turn("View")
    assert run(bpy.ops.human3r.play_camera_view, "INVOKE_DEFAULT") == {"FINISHED"}
    yield 4.0
    screen = bpy.context.window_manager.windows[0].screen
    assert screen.is_animation_playing
    run(bpy.ops.screen.animation_cancel, restore_frame=False)
    bpy.context.scene.frame_set(FRAME)
    yield 1.5
    picture("4-camera-view")
    run(bpy.ops.human3r.play_camera_view, "INVOKE_DEFAULT")
    yield 1.0
    yield from turn("View")


def check_the_floor():
    only_people(True)
    run(bpy.ops.object.select_all, action="DESELECT")
    lowest = min(min(joint(item, bone).z for bone in ("left_foot", "right_foot")) for item in people())
    print(f"lowest ball of a foot at frame {FRAME}: {lowest:.3f} m above the floor")
    assert abs(lowest) < 0.3
    first, second = (joint(item, "pelvis") for item in people()[:2])
    look(FROM_AHEAD, (first + second) / 2 + ASIDE, 6.0)
    yield from turn("Floor & Scale")
    picture("5-floor")
    yield from turn("Floor & Scale")


def turn(section):
    """Open or close one section of the sidebar; one at a time is open."""
    yield from click(heading(section))
    mouse("mousemove", *VIEW_MIDDLE)
    yield 0.5


def put_people_right():
    """One is split in two as trackers do, and merged again; then both get names."""
    yield from turn("People")
    first = people()[0]
    run(bpy.ops.human3r.select_person, name=first.name)
    bpy.context.scene.frame_set(FRAME + 10)
    count = len(people())
    assert run(bpy.ops.human3r.split_people, "INVOKE_DEFAULT", True) == {"FINISHED"}
    yield 1.0
    assert len(people()) == count + 1
    other = people()[-1]
    left, height = yield from find("human3r.bake_correctives")
    yield from click((left, height + EDIT_BELOW))
    mouse("mousemove", *VIEW_MIDDLE)
    yield 1.0
    picture("6-split")
    yield from click((left, height + EDIT_BELOW))
    run(bpy.ops.human3r.select_person, name=first.name)
    assert run(bpy.ops.human3r.merge_people, "INVOKE_DEFAULT", True, other=str(other["human3r_track"])) == {"FINISHED"}
    yield 0.5
    assert len(people()) == count
    for before, after in zip([item.name for item in people()], ("Ada", "Ben"), strict=False):
        run(bpy.ops.human3r.select_person, name=before)
        mouse("mousemove", *VIEW_MIDDLE)
        run(bpy.ops.human3r.rename_person, "INVOKE_DEFAULT")
        yield 1.0
        mouse("type", "--delay", 40, after)
        for _ in ("ends the typing", "closes the dialog"):
            yield 0.7
            mouse("key", "Return")
        yield 0.7
        assert after in {item.name for item in people()}, [item.name for item in people()]
    bpy.context.scene.frame_set(FRAME)
    yield 1.0
    picture("7-named")
    yield from turn("People")


def sliding(person):
    """Metres that the balls of a person's feet move from frame to frame, while a contact mark lies below."""
    moved, before = [], {}
    marks = {
        side: next(item for item in person.children if item.name.endswith(f"{side} contact"))
        for side in ("left", "right")
    }
    for frame in range(bpy.context.scene.frame_start, bpy.context.scene.frame_end + 1):
        bpy.context.scene.frame_set(frame)
        for side, mark in marks.items():
            now = None if mark.hide_viewport else (mark.location.copy(), joint(person, f"{side}_foot"))
            if now is not None and before.get(side) is not None and before[side][0] == now[0]:
                moved.append((now[1] - before[side][1]).length)
            before[side] = now
    return sum(moved) / len(moved)


def clean_up():
    bpy.context.scene.human3r_cleanup.strength = STRENGTH
    assert run(bpy.ops.human3r.clean_up, "INVOKE_DEFAULT", True, strength=STRENGTH) == {"FINISHED"}
    versions = addon_module("person.versions")
    assert all(versions.settings_of(item).strength == bpy.context.scene.human3r_cleanup.strength for item in people())
    yield from turn("Motion")
    run(bpy.ops.human3r.show_contacts, show=True)
    person = people()[0]
    look(FROM_ASIDE, joint(person, "left_foot"), 2.2)
    slid = {}
    for version in ("RAW", "CLEAN"):
        run(bpy.ops.human3r.show_version, "INVOKE_DEFAULT", True, version=version)
        yield 1.5
        picture(f"8-{version.lower()}")
        slid[version] = sliding(person)
        bpy.context.scene.frame_set(FRAME)
    print(", ".join(f"{name}: a standing foot slides {1000 * metres:.2f} mm a frame" for name, metres in slid.items()))
    assert slid["CLEAN"] < 0.2 * slid["RAW"]
    yield from turn("Motion")


def choose(*items):
    """Select these, the last of them active."""
    run(bpy.ops.object.select_all, action="DESELECT")
    for item in items:
        item.select_set(True)
        bpy.context.view_layer.objects.active = item


def bring_a_character():
    """Add > Armature > Human (Meta-Rig), Generate Rig, and a body that hangs on it."""
    assert bpy.ops.preferences.addon_enable(module="rigify") == {"FINISHED"}
    bpy.context.scene.cursor.location = (0.0, 0.0, 0.0)
    run(bpy.ops.object.armature_human_metarig_add)
    metarig = bpy.context.view_layer.objects.active
    choose(figure(metarig))
    run(bpy.ops.object.convert, target="MESH")
    body = bpy.context.view_layer.objects.active
    body.name = "Hero body"
    choose(metarig)
    assert run(bpy.ops.pose.rigify_generate) == {"FINISHED"}
    rig = next(
        item
        for item in bpy.context.scene.objects
        if item.type == "ARMATURE" and item is not metarig and item not in people()
    )
    metarig.hide_set(True)
    choose(body, rig)
    assert run(bpy.ops.object.parent_set, type="ARMATURE_AUTO") == {"FINISHED"}
    rig.name, rig.scale = "Hero", (SCALE, SCALE, SCALE)
    yield 1.0


def retarget():
    person, rig = people()[0], bpy.data.objects["Hero"]
    yield from turn("Retarget")
    settings = bpy.context.scene.human3r_retarget
    settings.source, settings.character = person, rig
    yield 1.0
    assert run(bpy.ops.human3r.retarget, "INVOKE_DEFAULT", True) == {"FINISHED"}
    print(bpy.context.scene.human3r_retarget.report)
    yield 1.0
    person, rig = people()[0], bpy.data.objects["Hero"]
    assert rig.animation_data.action.name.startswith(f"{person.name} on Hero"), rig.animation_data.action.name
    places = []
    for frame in (bpy.context.scene.frame_start, bpy.context.scene.frame_end):
        bpy.context.scene.frame_set(frame)
        places.append(joint(rig, "DEF-hand.L") - joint(rig, "DEF-foot.R"))
    assert (places[0] - places[1]).length > 0.05, "the character does not move"
    yield from turn("Retarget")
    only_people(False)
    run(bpy.ops.human3r.hide_people, "INVOKE_DEFAULT", True, hide=True, person=person.name)
    run(bpy.ops.object.select_all, action="DESELECT")
    rig.hide_set(True)
    run(bpy.ops.human3r.play_camera_view, "INVOKE_DEFAULT")
    yield 3.0
    run(bpy.ops.screen.animation_cancel, restore_frame=False)
    bpy.context.scene.frame_set(FRAME)
    yield 1.5
    picture("9-in-the-footage")
    run(bpy.ops.human3r.play_camera_view, "INVOKE_DEFAULT")
    run(bpy.ops.human3r.hide_people, "INVOKE_DEFAULT", True, hide=False, person=person.name)
    rig.hide_set(False)
    only_people(True)
    yield 0.5


def character_beside_the_person():
    """Moved aside, to see both; then the same motion where the character stands."""
    person, rig, scene = people()[0], bpy.data.objects["Hero"], bpy.context.scene
    rig.location.x -= 1.2
    look(FROM_AHEAD, joint(person, "pelvis") + ASIDE, 5.0)
    overlay = viewport().spaces.active.overlay
    overlay.show_bones, overlay.show_relationship_lines = False, False
    yield from turn("Retarget")
    yield from scroll(5)
    picture("10-beside")
    yield from scroll(4)
    yield from turn("Retarget")
    scene.human3r_retarget.placement = "CHARACTER"
    assert run(bpy.ops.human3r.retarget, "INVOKE_DEFAULT", True) == {"FINISHED"}
    scene.frame_set(scene.frame_start)
    rig = bpy.data.objects["Hero"]
    assert (joint(rig, "DEF-spine") - rig.location).xy.length < 0.2, "it does not start where it stands"


def scroll(button):
    """Turn the wheel over the sidebar, as far as it goes: down is button 5, up 4."""
    mouse("mousemove", *heading("Retarget"))
    yield 0.5
    mouse("click", "--repeat", 20, "--delay", 50, button)
    mouse("mousemove", *VIEW_MIDDLE)
    yield 1.5


def export():
    path = OUTPUTS / "people"
    assert run(bpy.ops.human3r.export, "EXEC_DEFAULT", filepath=str(path)) == {"FINISHED"}
    assert path.with_suffix(".fbx").stat().st_size > 0
    yield from turn("Export")
    picture("11-export")
    rig, path = bpy.data.objects["Hero"], OUTPUTS / "hero.fbx"
    choose(bpy.data.objects["Hero body"], rig)
    run(
        bpy.ops.export_scene.fbx,
        filepath=str(path),
        use_selection=True,
        object_types={"ARMATURE", "MESH"},
        use_armature_deform_only=True,
        add_leaf_bones=False,
        bake_anim_use_all_actions=False,
        bake_anim_use_nla_strips=False,
        bake_anim_simplify_factor=0.0,
    )
    run(bpy.ops.import_scene.fbx, filepath=str(path))
    copy = next(item for item in bpy.context.selected_objects if item.type == "ARMATURE")
    farthest = 0.0
    for frame in range(bpy.context.scene.frame_start, bpy.context.scene.frame_end, 10):
        bpy.context.scene.frame_set(frame)
        shift = frame - bpy.context.scene.frame_start
        there = {name: joint(rig, name) for name in ("DEF-hand.L", "DEF-foot.R", "DEF-spine.006")}
        bpy.context.scene.frame_set(int(copy.animation_data.action.frame_range[0]) + shift)
        farthest = max(farthest, *((joint(copy, name) - place).length for name, place in there.items()))
    print(f"the character's FBX, read again: at most {1000 * farthest:.2f} mm off")
    assert farthest < 0.001
    yield 1.0


def second_take():
    """The question where it goes; then both are in the scene, until an undo."""
    yield from turn("Export")
    mouse("mousemove", *VIEW_MIDDLE)
    count, take = len(people()), str(session().take)
    run(bpy.ops.human3r.import_take, "INVOKE_DEFAULT", filepath=take)
    yield 1.5
    picture("12-second-take")
    mouse("key", "Escape")
    yield 1.0
    assert len(people()) == count, "Escape brings nobody in"
    run(bpy.ops.human3r.import_take, "EXEC_DEFAULT", filepath=take)
    yield from wait_for_end()
    assert len(people()) == 2 * count, "not beside the first"
    yield from turn("People")
    picture("12-two-takes")
    yield from turn("People")


def pose():
    """Limbs to grab, by the keyboard."""
    person = people()[0]
    choose(person)
    look(FROM_AHEAD, joint(person, "pelvis") + ASIDE, 3.5)
    mouse("key", "ctrl+Tab")
    yield 1.5
    assert person.mode == "POSE" and person.show_in_front, "no limbs in front"
    picture("12-pose-mode")
    mouse("key", "ctrl+Tab")
    yield 1.5
    assert person.mode == "OBJECT"


def reopen():
    """The file knows its people, its motion and its take."""
    path, frame = OUTPUTS / "shot.blend", FRAME + 5

    def seen():
        bpy.context.scene.frame_set(frame)
        return {item.name: tuple(joint(item, "left_wrist")) for item in people()}

    before = seen()
    assert bpy.ops.wm.save_as_mainfile(filepath=str(path)) == {"FINISHED"}
    yield 1.0
    bpy.ops.wm.open_mainfile(filepath=str(path))
    yield 3.0
    assert seen() == before, "somebody moved or is gone"
    assert bpy.data.objects["Hero"].animation_data.action is not None
    sidebar().active_panel_category = "Human3R"
    yield 1.0
    yield from turn("Takes")
    picture("12-reopened")


def steps():
    """What the page says, in its order, with the seconds to wait in between."""
    empty_scene()
    yield 1.0
    for step in (
        choose_the_video,
        import_it if TAKE else watch_it_fill,
        play_the_camera_view,
        check_the_floor,
        put_people_right,
        clean_up,
        bring_a_character,
        retarget,
        character_beside_the_person,
        export,
        second_take,
        pose,
        reopen,
    ):
        print(f"-- {step.__name__}")
        yield from step()


drive(steps())
