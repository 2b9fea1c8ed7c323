# SPDX-License-Identifier: GPL-3.0-or-later
"""Video in, .blend out, with the real engine: what is in the file, and what is said when it goes wrong."""

import os
import signal
import threading
from pathlib import Path

import bpy
import numpy as np
import pytest

from tests.waiting import end_of, wait_until, work_of

SMALL = ("--model", "recipe:small", "--device", "cpu", "--detection-threshold", "0.05")
FEW_PEOPLE = ("--detection-threshold", "0.3")
"""Recipe weights see somebody new in nearly every picture; below this threshold a dozen."""
FRAMES = 16


@pytest.fixture(scope="module")
def converted(run_command, make_video, tmp_path_factory):
    """A folder with two videos and a broken one, converted by one command."""
    folder = tmp_path_factory.mktemp("videos")
    make_video(folder / "a.mp4", FRAMES)
    (folder / "b.mp4").write_text("not a video")
    make_video(folder / "c.mp4", FRAMES)
    done = run_command(
        "convert",
        folder,
        "--output",
        folder / "out",
        "--take",
        folder / "takes",
        "--end",
        FRAMES - 4,
        "--stride",
        "2",
        "--export",
        "bvh,npz",
        "--export-frame-rate",
        "50",
        *SMALL,
    )
    return folder, done


def animated_frames(block):
    """Frames of the keys of a data-block's first F-curve, wherever this Blender keeps it."""
    action = block.animation_data.action
    curves = action.fcurves if bpy.app.version < (4, 4) else action.layers[0].strips[0].channelbags[0].fcurves
    return [key.co.x for key in curves[0].keyframe_points]


def test_one_bad_video_does_not_stop_the_others(converted):
    _, done = converted
    assert done.code == 1 and [result["status"] for result in done.results] == ["complete", "failed", "complete"]
    assert done.results[1]["error"]["code"] == "footage-unreadable" and done.results[1]["error"]["remedy"]
    assert done.results[1]["error"]["remedy"] in done.errors
    assert [Path(result["output"]).exists() for result in done.results] == [True, False, True]
    assert "[1/3] a.mp4: complete, 6 of 6 frames" in done.errors


def test_the_blend_has_people_camera_and_place(converted):
    folder, done = converted
    bpy.ops.wm.open_mainfile(filepath=str(folder / "out" / "a.blend"))
    scene = bpy.context.scene
    assert scene.name == "a" and scene.render.fps == 25 and scene.frame_start == 1
    assert (scene.render.resolution_x, scene.render.resolution_y) == (320, 240)
    assert animated_frames(scene.camera) == [1, 3, 5, 7, 9, 11]  # every second picture, in true time
    armatures = [item for item in scene.objects if item.type == "ARMATURE"]
    assert len(armatures) == done.results[0]["people"] > 0 and all(len(item.data.bones) == 56 for item in armatures)
    assert [item["human3r_role"] for item in scene.objects].count("mesh") == len(armatures)
    backgrounds = scene.camera.data.background_images
    assert len(backgrounds) == 1 and Path(bpy.path.abspath(backgrounds[0].clip.filepath)) == folder / "a.mp4"


def test_people_are_exported_beside_the_blend(converted):
    """Six pictures, every second one at 25 a second, are 10 steps: 21 frames at 50."""
    folder, done = converted
    for result, stem in zip(done.results, "abc", strict=True):
        files = [Path(path) for path in result["exports"]]
        assert len(files) == 2 * result["people"] and (stem == "b") == (not files)
        assert all(path.parent == folder / "out" and path.name.startswith(f"{stem}-Person_") for path in files)
        assert all(len(np.load(path)["poses"]) == 21 for path in files if path.suffix == ".npz")


def test_takes_that_were_asked_for_stay_and_import_to_the_same(converted, run_command, tmp_path):
    folder, done = converted
    take = folder / "takes" / "a.h3r"
    assert done.results[0]["take"] == str(take) and take.is_file()
    imported = run_command("import", take, "--output", tmp_path / "again.blend")
    assert imported.code == 0 and imported.results[0]["frames"] == 6
    assert imported.results[0]["people"] == done.results[0]["people"]
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "again.blend"))
    assert animated_frames(bpy.context.scene.camera) == [1, 3, 5, 7, 9, 11]


def test_nothing_is_left_beside_the_output(run_command, make_video, tmp_path):
    make_video(tmp_path / "clip.mp4", 4)
    for expected in (0, 1):
        done = run_command("convert", tmp_path / "clip.mp4", "--output", tmp_path / "out" / "clip.blend", *SMALL)
        assert done.code == expected
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["clip.blend"]
    assert "output-exists" in done.errors and "--overwrite" in done.errors


@pytest.mark.parametrize(
    ("arguments", "variables", "code"),
    [
        (("--model", "absent.safetensors"), {}, "checkpoint-missing"),
        (("--body", "absent.npz"), {}, None),
        ((), {"HUMAN3R_ENGINE_PYTHON": "/does/not/exist"}, "no-engine"),
    ],
)
def test_what_is_missing_is_named(run_command, make_video, tmp_path, arguments, variables, code):
    make_video(tmp_path / "clip.mp4", 2)
    done = run_command("convert", tmp_path / "clip.mp4", "--output", tmp_path / "clip.blend", *arguments, **variables)
    assert done.code == 1 and not (tmp_path / "clip.blend").exists()
    error = done.results[0]["error"]
    assert error["remedy"] and (error["code"] == code if code else "absent.npz" in error["message"])
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_python_without_the_engines_packages_is_named(run_command, make_video, tmp_path):
    make_video(tmp_path / "clip.mp4", 2)
    bare = tmp_path / "bare-python"
    bare.write_text('#!/bin/sh\nexec "$HUMAN3R_TEST_PYTHON" -S "$@"\n')  # -S: no installed packages
    bare.chmod(0o755)
    done = run_command(
        "convert",
        tmp_path / "clip.mp4",
        "--output",
        tmp_path / "clip.blend",
        HUMAN3R_ENGINE_PYTHON=str(bare),
        HUMAN3R_TEST_PYTHON=os.path.realpath("/proc/self/exe"),
    )
    assert done.results[0]["error"]["code"] == "engine-incomplete" and "has no module" in done.errors


def test_too_little_memory_is_named(run_command, make_video, tmp_path, engine_python):
    make_video(tmp_path / "clip.mp4", 2)
    limited = tmp_path / "limited-python"
    limited.write_text('#!/bin/sh\nulimit -v 4000000\nexec "$HUMAN3R_TEST_PYTHON" "$@"\n')
    limited.chmod(0o755)
    done = run_command(
        "convert",
        tmp_path / "clip.mp4",
        "--output",
        tmp_path / "clip.blend",
        "--model",
        "recipe:896L",
        "--device",
        "cpu",
        HUMAN3R_ENGINE_PYTHON=str(limited),
        HUMAN3R_TEST_PYTHON=engine_python,
    )
    error = done.results[0]["error"]
    assert done.code == 1 and error["code"] == "not-enough-memory" and "smaller" in error["remedy"]


def read_until(command, *wanted):
    """Read lines until one contains all of these texts; the rest is read, too, so that the writer never blocks."""
    said = []

    def read():
        for line in command.stderr:
            said.append(line)

    def heard():
        return any(all(part in line for part in wanted) for line in list(said))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    wait_until(lambda: heard() or not reader.is_alive(), repr(wanted), lambda: work_of(command.pid))
    assert heard(), said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])  # Ctrl-C, and another program's request
def test_interrupting_keeps_a_take_that_can_be_imported(start_command, run_command, make_video, tmp_path, number):
    make_video(tmp_path / "clip.mp4", 400)
    command = start_command("convert", tmp_path / "clip.mp4", "--output", tmp_path / "clip.blend", *SMALL, *FEW_PEOPLE)
    read_until(command, " frames, ")  # the pace is known once a frame is done
    command.send_signal(number)
    assert end_of(command) == 130 and not (tmp_path / "clip.blend").exists()
    (take,) = tmp_path.glob("*.h3r")
    imported = run_command("import", take, "--output", tmp_path / "part.blend")
    assert (
        imported.results[0]["frames"] >= 1 and imported.results[0]["note"] == "The capture was canceled at this point."
    )
    assert imported.code == 0 and (tmp_path / "part.blend").is_file()


def test_an_interrupted_batch_goes_on_with_no_other_option(start_command, run_command, make_video, tmp_path):
    for name, count in (("a", 8), ("b", 200)):
        make_video(tmp_path / f"{name}.mp4", count)
    out, videos = tmp_path / "out", (tmp_path / "a.mp4", tmp_path / "b.mp4")
    command = start_command("convert", *videos, "--output", out, *SMALL, *FEW_PEOPLE, "--stride", "2")
    read_until(command, "[2/2] b.mp4: ", " frames, ")
    command.send_signal(signal.SIGINT)
    assert end_of(command) == 130
    assert {path.suffix for path in out.iterdir()} == {".blend", ".h3r", ".resume"}
    before = (out / "a.blend").read_bytes()
    done = run_command("convert", *videos, "--output", out, "--resume")
    assert done.code == 0, done.errors
    assert "going on with" in done.errors and [result["status"] for result in done.results] == ["complete"] * 2
    assert done.results[1]["frames"] == 100 and (out / "a.blend").read_bytes() == before
    assert sorted(path.name for path in out.iterdir()) == ["a.blend", "b.blend"]


def test_what_no_job_can_do_fails_that_job_alone(run_command, make_video, tmp_path):
    make_video(tmp_path / "good.mp4", 4)
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/odd\xff.mp4"))
    make_video(tmp_path / "odd.mp4", 4).rename(odd)
    sources = (odd, "x" * 300 + ".mp4", "~nosuchuser/a.mp4", "a\nb.mp4")
    done = run_command("convert", *sources, tmp_path / "good.mp4", "--output", tmp_path / "out", *SMALL)
    assert done.code == 1 and [result["status"] for result in done.results] == ["failed"] * 4 + ["complete"]
    assert all(result["error"]["remedy"] for result in done.results[:4]) and "Traceback" not in done.errors
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.blend"]


def test_nobody_is_no_failure_and_is_said(run_command, make_video, tmp_path):
    make_video(tmp_path / "clip.mp4", 4)
    done = run_command(
        "convert",
        tmp_path / "clip.mp4",
        "--output",
        tmp_path / "a.blend",
        "--model",
        "recipe:small",
        "--detection-threshold",
        "0.99",
    )
    assert done.code == 0 and "Nobody was found" in done.results[0]["note"] and "Nobody was found" in done.errors


def test_an_engine_killed_in_the_middle_leaves_a_take_to_import(start_command, run_command, make_video, tmp_path):
    make_video(tmp_path / "clip.mp4", 400)
    summary = tmp_path / "summary.json"
    command = start_command(
        "convert", tmp_path / "clip.mp4", "--output", tmp_path / "clip.blend", *SMALL, *FEW_PEOPLE, "--json", summary
    )
    read_until(command, " frames, ")  # the pace is known once a frame is done
    children = Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    assert end_of(command) == 1
    assert '"engine-died"' in summary.read_text() and "memory" in summary.read_text()
    (take,) = tmp_path.glob("*.h3r")
    imported = run_command("import", take, "--output", tmp_path / "part.blend")
    assert imported.code == 0 and imported.results[0]["status"] == "incomplete" and imported.results[0]["frames"] >= 1
