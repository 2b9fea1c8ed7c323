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

sys.path.insert(0, str(Path(__file__).parent))
from animators_character import bring_a_character, character_beside_the_person, export, retarget
from animators_scene import (
    ASIDE,
    FRAME,
    FROM_AHEAD,
    FROM_ASIDE,
    OUTPUTS,
    VIEW_MIDDLE,
    choose,
    joint,
    look,
    only_people,
    people,
    turn,
)
from driving import (
    addon_module,
    click,
    close_all,
    drive,
    empty_scene,
    fill_in,
    find,
    mouse,
    picture,
    press,
    run,
    session,
    sidebar,
    wait_for_end,
)

VIDEO = Path(os.environ["HUMAN3R_VIDEO"]).resolve()
TAKE = os.environ.get("HUMAN3R_TAKE", "")
FRAMES = int(os.environ.get("HUMAN3R_FRAMES", "0"))  # of the video; 0 for all
STRENGTH = 0.7

EDIT_BELOW = 32  # pixels from the last button of People to the heading below it


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
