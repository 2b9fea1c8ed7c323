# SPDX-License-Identifier: GPL-3.0-or-later
"""An interrupted capture goes on from the panel, or begins again, and is in the scene once."""

import re
from dataclasses import replace
from pathlib import Path

import bpy
import pytest

from tests.waiting import Patience

DEMO = Path(__file__).resolve().parents[3] / "demo" / "demo.mp4"
FRAMES = 14

human3r = bpy.ops.human3r


@pytest.fixture
def pump(addon):
    """Pump a run until a condition or its end."""

    def run(session, until=lambda session: False):
        patience = Patience("the run")
        while session.pump_messages(0.05, wait_s=0.05) and not until(session):
            patience.check((session.progress.phase, session.progress.frames_done))
        return session

    return run


@pytest.fixture
def interrupted(addon, scene, engine_python, tmp_path, pump):
    """A capture of the real engine that was canceled after some frames, set in the panel as well."""
    scene.human3r.source, scene.human3r.model_source, scene.human3r.recipe = str(DEMO), "RECIPE", "small"
    scene.human3r.end, scene.human3r.detection_threshold, scene.human3r.voxel_size = FRAMES, 0.3, 0.0
    settings = replace(scene.human3r.capture_settings(), take=str(tmp_path / "demo.h3r"))
    session = addon.session.start_capture(scene, settings, addon.builder.ImportOptions(clean=0, ground="off"))
    pump(session, until=lambda session: session.progress.frames_done >= 3)
    session.cancel()
    pump(session)
    assert session.progress.phase == "cancelled" and session.progress.frames_done < FRAMES
    assert (tmp_path / "demo.h3r.resume").is_file()
    return tmp_path / "demo.h3r"


def roots(addon):
    return [item for item in bpy.data.objects if addon.tags.is_root(item)]


def frames_of(addon, take):
    with addon.take.TakeReader(take) as reader:
        messages = list(reader)
    assert messages[-1].status == "complete"
    return sum(isinstance(message, addon.messages.Frame) for message in messages)


@pytest.mark.parametrize("button", ["resume_capture", "start_over"])
def test_it_goes_on_or_begins_again_and_is_there_once(addon, interrupted, scene, button):
    before = roots(addon)[0][addon.tags.TAKE]
    assert human3r.resume_capture.poll() and human3r.start_over.poll()
    assert getattr(human3r, button)() == {"FINISHED"}
    assert frames_of(addon, interrupted) == FRAMES and not Path(f"{interrupted}.resume").exists()
    (root,) = roots(addon)
    assert root[addon.tags.TAKE] != before and len(root["human3r_pictures"]) == FRAMES
    assert not human3r.resume_capture.poll() and not human3r.start_over.poll()


def test_an_interrupted_take_that_is_imported_later_goes_on_too(addon, interrupted, scene):
    addon.session.forget()
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert not human3r.resume_capture.poll()
    assert human3r.import_take(filepath=str(interrupted)) == {"FINISHED"}
    assert human3r.resume_capture() == {"FINISHED"}
    assert frames_of(addon, interrupted) == FRAMES and len(roots(addon)) == 1


def test_a_file_that_is_opened_later_goes_on_too(addon, interrupted, scene, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    addon.session.forget()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert human3r.resume_capture() == {"FINISHED"}
    assert frames_of(addon, interrupted) == FRAMES and len(roots(addon)) == 1


def test_a_take_that_cannot_go_on_is_refused_and_the_scene_stays(addon, interrupted, scene):
    people = {item.name for item in scene.objects}
    Path(f"{interrupted}.resume").write_bytes(b"something else")
    with pytest.raises(RuntimeError, match="cannot be read"):
        human3r.resume_capture()
    assert {item.name for item in scene.objects} == people


def test_footage_on_another_computer_is_not_opened_for_a_take_from_elsewhere(addon, interrupted, scene):
    with addon.take.TakeReader(interrupted) as reader:
        header, messages = reader.header, list(reader)
    with addon.take.TakeWriter(interrupted) as writer:
        writer.write(replace(header, settings=replace(header.settings, source=r"\\host\share\clip.mp4")))
        for message in messages:
            writer.write(message)
    with pytest.raises(RuntimeError, match=re.escape("is on another computer")):
        human3r.resume_capture()
