# SPDX-License-Identifier: GPL-3.0-or-later
"""A run from its first message to its last, and everything that may happen to the scene meanwhile."""

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.capture import error_report

from tests.waiting import Patience, wait_until


@pytest.fixture
def start(addon, scene, stand_in, settings):
    def run(source, **options):
        return addon.session.start_capture(scene, settings(source), addon.builder.ImportOptions(**options))

    return run


def pump(session, until=None):
    """Pump as the timer does, until a condition or the end."""
    patience = Patience("the run")
    while session.pump_messages(0.005, wait_s=0.01) and not (until and until(session)):
        patience.check((session.progress.phase, session.progress.frames_done))


def camera_keys(session):
    """(N, 2) frames and values of the camera's first location curve, wherever this Blender keeps it."""
    action = session.builder.camera.animation_data.action
    curves = action.fcurves if bpy.app.version < (4, 4) else action.layers[0].strips[0].channelbags[0].fcurves
    curve = next(curve for curve in curves if curve.data_path == "location" and curve.array_index == 0)
    return np.array([key.co for key in curve.keyframe_points])


def test_a_capture_becomes_a_scene(addon, start):
    session = start("walk:30")
    pump(session)
    assert session.error is None and session.progress.phase == "complete"
    assert session.progress.frames_done == session.progress.frames_total == 30 and session.progress.fraction == 1.0
    assert session.people_count == len(addon.family.people_under(session.builder.root)) == 2
    keys = camera_keys(session)
    assert len(keys) == 30 and np.allclose(keys[:, 1], 0.01 * np.arange(30), atol=1e-6)


def test_the_scene_grows_while_the_engine_runs(addon, start):
    session = start("endless")
    pump(
        session,
        until=lambda run: run.builder is not None and run.builder.camera is not None and run.builder.latest_frame > 20,
    )
    assert session.is_active and session.progress.phase == "running" and session.progress.fraction == 0
    assert session.progress.rate > 0 and "frames" in session.progress.describe()
    session.cancel()
    pump(session)
    assert session.progress.phase == "cancelled" and session.error is None
    with addon.take.TakeReader(session.take) as take:
        messages = list(take)
    assert take.problem is None and messages[-1].status == "cancelled"


def test_only_one_run_at_a_time(addon, start):
    start("endless")
    with pytest.raises(addon.errors.UserError) as error:
        start("walk:3")
    assert error.value.code == "busy"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("fail", "out-of-memory"),
        ("die:7", "engine-died"),
        ("garble:7", "engine-garbled"),
    ],
)
def test_a_failure_keeps_what_had_arrived_and_is_reported(addon, start, source, code):
    session = start(source)
    if source != "fail":  # all that it sends has room on the way, so that it comes to its end unheard
        wait_until(lambda: "frame 7" in list(session._source._engine.log), "the engine's log")
    pump(session)
    assert session.progress.phase == "failed" and session.error.code == code
    report = error_report.error_report(session)
    assert code in report and session.error.remedy in report and bpy.app.version_string in report
    if source != "fail":
        assert len(camera_keys(session)) == 7 and "frame 7" in report


def test_an_engine_that_does_not_answer_a_cancel_is_ended(addon, start, monkeypatch, is_running):
    monkeypatch.setattr(addon.sources, "CANCEL_GRACE_S", 0.3)
    session = start("deaf:4")
    pump(session, until=lambda run: run.progress.frames_done == 4)
    process_id = session._source._engine.process_id
    session.cancel()
    pump(session)
    assert session.progress.phase == "cancelled" and "did not respond" in session.note
    wait_until(lambda: not is_running(process_id))


def test_undo_in_the_middle_loses_nothing(addon, start):
    bpy.ops.ed.undo_push(message="before")
    session = start("walk:40")
    pump(session, until=lambda run: run.progress.frames_done >= 10)
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.ed.undo_push(message="cube")
    pump(session, until=lambda run: run.progress.frames_done >= 20)
    bpy.ops.ed.undo()
    pump(session, until=lambda run: run.progress.frames_done >= 5)
    bpy.ops.ed.redo()
    pump(session)
    assert session.progress.phase == "complete" and session.error is None
    assert session.progress.frames_done == 40 and len(camera_keys(session)) == 40
    roots = [item for item in bpy.data.objects if item.get(addon.tags.ROLE) == addon.tags.ROOT]
    assert len(roots) == 1 and len(addon.family.people_under(roots[0])) == 2
    assert len(bpy.context.scene.collection.children) == 1


def test_opening_another_file_stops_the_run_and_keeps_the_take(addon, start, is_running):
    session = start("endless")
    pump(session, until=lambda run: run.progress.frames_done >= 5)
    process_id = session._source._engine.process_id
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert not session.is_active and session.progress.phase == "cancelled" and str(session.take) in session.note
    assert not session.pump_messages(0.01)
    wait_until(lambda: not is_running(process_id))
    with addon.take.TakeReader(session.take) as take:
        assert sum(isinstance(message, addon.messages.Frame) for message in take) >= 5


def test_deleting_the_scene_stops_the_run(addon, start, scene, is_running):
    other = bpy.data.scenes.new("other")
    session = start("endless")
    pump(session, until=lambda run: run.progress.frames_done >= 5)
    process_id = session._source._engine.process_id
    bpy.context.window.scene = other
    bpy.data.scenes.remove(scene)
    pump(session)
    assert session.error.code == "scene-deleted" and str(session.take) in session.error.remedy
    wait_until(lambda: not is_running(process_id))


def test_deleting_what_is_being_built_stops_the_run(addon, start):
    session = start("endless")
    pump(session, until=lambda run: run.builder is not None and run.builder.root is not None)
    bpy.data.objects.remove(session.builder.root)
    pump(session)
    assert session.progress.phase == "failed" and "deleted" in session.error.message


def test_switching_the_addon_off_ends_the_engine(addon, start, is_running):
    session = start("endless")
    pump(session, until=lambda run: run.progress.frames_done >= 2)
    process_id = session._source._engine.process_id
    addon.session.forget()
    assert not session.is_active and addon.session.current() is None
    wait_until(lambda: not is_running(process_id))


def test_a_truncated_take_is_imported_up_to_the_cut(addon, start, scene, tmp_path):
    pump(start("walk:20"))
    cut = tmp_path / "cut.h3r"
    data = (tmp_path / "take.h3r").read_bytes()
    cut.write_bytes(data[: len(data) * 2 // 3])
    session = addon.session.start_import(scene, cut, addon.builder.ImportOptions())
    pump(session)
    assert session.error is None and session.progress.phase == "incomplete" and "cut off" in session.note
    assert 5 < session.progress.frames_done < 20 and len(camera_keys(session)) == session.progress.frames_done


def test_an_import_can_be_cancelled(addon, start, scene, tmp_path):
    pump(start("walk:200"))
    session = addon.session.start_import(scene, tmp_path / "take.h3r", addon.builder.ImportOptions())
    pump(session, until=lambda run: run.progress.frames_done >= 1)
    session.cancel()
    pump(session)
    assert session.progress.phase == "cancelled" and 0 < session.progress.frames_done < 200


def test_a_scene_that_was_given_up_is_never_complete(addon, start, scene, tmp_path):
    """Also when every message had come: whoever saves what is complete must not save half a scene."""
    pump(start("walk:60"))
    session = addon.session.start_import(scene, tmp_path / "take.h3r", addon.builder.ImportOptions())
    pump(session, until=lambda run: run.progress.phase == "finishing")
    session.cancel(build=False)
    pump(session)
    assert session.progress.phase == "cancelled" and session.error is None
