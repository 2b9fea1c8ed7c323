# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the chosen footage before a run, how long a run will take, and quick looks at it."""

import json
from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.human3r_blender.engine.contract.messages import TakeHeader
from bl_ext.user_default.human3r_blender.engine.contract.settings import CaptureSettings
from bl_ext.user_default.human3r_blender.human3r_blender.blender import tags
from bl_ext.user_default.human3r_blender.human3r_blender.capture import (
    clip_view,
    footage_facts,
    honesty,
    pace,
    preview_run,
    run_view,
    thumbnails,
)

from tests.waiting import Patience

KIND = pace.kind_of(CaptureSettings(source="clip.mp4", take="clip.h3r", model="landmarks"))
DEMO = Path(__file__).resolve().parents[3] / "demo" / "demo.mp4"


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    monkeypatch.setenv("HUMAN3R_DATA", str(tmp_path / "data"))
    yield
    footage_facts.switch_off()


def found(source):
    """What is known once the timer has asked, as in a window."""
    assert footage_facts.of(str(source)) is None, "drawing waited"
    patience = Patience("the engine's answer")
    while footage_facts._watch() is not None:
        patience.check(None)
    return footage_facts.of(str(source))


def test_the_engine_says_what_footage_is_like(engine_python):
    facts = found(DEMO)
    assert facts.error is None and facts.frames == 81 and facts.frame_rate == 18
    assert max(facts.image.shape[:2]) == 256 and facts.image.shape[1] / facts.image.shape[0] == pytest.approx(
        facts.width / facts.height, rel=0.02
    )
    assert clip_view.described(facts)[0].endswith("(81 frames)")
    assert (facts.frames_of(0, None, 1), facts.frames_of(10, 500, 2), facts.frames_of(0, 20, 1)) == (81, 36, 20)


def test_what_is_no_footage_is_said_and_asked_anew(engine_python, tmp_path):
    fake = tmp_path / "fake.mp4"
    fake.write_bytes(b"nothing to see")
    assert found(fake).error.code == "footage-unreadable"
    fake.write_bytes(DEMO.read_bytes())
    assert footage_facts.of(str(fake)).error is not None
    footage_facts.forget(str(fake))
    assert found(fake).frames == 81


def test_footage_on_another_computer_is_opened_only_when_it_is_chosen_here(scene):
    """A .blend file from elsewhere may name any."""
    remote = "//somewhere.example/share/clip.mp4"
    assert footage_facts.of(remote) is None and not footage_facts._asked and not footage_facts.may_open(remote)
    footage_facts.choose(remote)
    assert footage_facts.may_open(remote)
    scene.human3r.source = "/here/clip.mp4"
    assert "/here/clip.mp4" in footage_facts._chosen


def test_without_an_engine_nothing_is_known_and_nothing_breaks(addon, monkeypatch):
    monkeypatch.delenv("HUMAN3R_ENGINE_PYTHON", raising=False)
    assert found(DEMO).error.code == "no-engine"


@pytest.mark.parametrize(
    "result",
    [
        None,
        {},
        {"width": 4, "height": 3},
        {"width": "4", "height": 3, "frame_rate": 25},
        {"width": 4, "height": 3, "frame_rate": -1},
        {"width": True, "height": 3, "frame_rate": 25},
    ],
)
def test_an_answer_that_makes_no_sense_is_an_error(addon, result):
    task = addon.background_task.Task("Reading")
    if result is not None:
        task.handle(result)
    task.finish()
    assert footage_facts.found_by(task).error is not None


@pytest.mark.parametrize("image", [None, 5, "%%%", "AAAA"])
def test_an_image_that_makes_no_sense_is_left_out(addon, image):
    task = addon.background_task.Task("Reading")
    task.handle({"width": 4, "height": 3, "frame_rate": 25, "image": image, "image_width": 4, "image_height": 3})
    task.finish()
    facts = footage_facts.found_by(task)
    assert facts.error is None and facts.image is None


def test_an_image_becomes_an_icon_the_right_way_up():
    rgb = np.zeros((4, 6, 3), np.uint8)
    rgb[0] = (255, 0, 128)
    thumbnails.icon("test", rgb)
    preview = thumbnails._collection["test"]
    assert tuple(preview.image_size) == (6, 4)
    pixels = np.array(preview.image_pixels_float[:]).reshape(4, 6, 4)
    np.testing.assert_allclose(pixels[3, :, :3], np.tile((1.0, 0.0, 128 / 255), (6, 1)), atol=0.01)
    assert (pixels[:3, :, :3] == 0).all() and (pixels[..., 3] == 1).all()


def test_the_last_run_tells_how_long_the_next_takes(addon, scene, stand_in, monkeypatch):
    settings = scene.human3r
    facts = footage_facts.FootageFacts(640, 480, 25.0, 300)
    assert clip_view.estimated_seconds(settings, facts) is None
    settings.source = "/walk:30"
    assert bpy.ops.human3r.start_capture() == {"FINISHED"}
    rate = pace.frames_per_second(KIND)
    assert rate > 0 and clip_view.estimated_seconds(settings, facts) == pytest.approx(300 / rate, rel=0.01)
    settings.stride = 3
    assert clip_view.estimated_seconds(settings, facts) == pytest.approx(100 / rate, rel=0.01)
    settings.quality = "best"
    assert clip_view.estimated_seconds(settings, facts) is None, "another quality has another pace"


def test_a_run_that_did_not_go_through_tells_nothing(addon, scene, stand_in):
    scene.human3r.source = "/die:30"
    with pytest.raises(RuntimeError):
        bpy.ops.human3r.start_capture()
    assert pace.frames_per_second(KIND) is None


def test_damaged_notes_of_the_pace_do_not_count(tmp_path):
    pace.remember(KIND, 100, 50.0)
    assert pace.frames_per_second(KIND) == 2.0
    pace.remember(KIND, 3, 0.01)
    assert pace.frames_per_second(KIND) == 2.0, "three frames say nothing"
    for held in ("[]", "{", json.dumps({KIND: "fast"}), json.dumps({KIND: -1})):
        (tmp_path / "data" / "pace.json").write_text(held)
        assert pace.frames_per_second(KIND) is None


@pytest.mark.parametrize(("seconds", "said"), [(4, "1 min"), (340, "6 min"), (3 * 3600 + 8 * 60, "3 h 5 min")])
def test_estimates_have_few_digits(seconds, said):
    assert clip_view.roughly(seconds) == said


def roots(scene):
    return [item for item in scene.objects if tags.is_root(item)]


def test_a_capture_replaces_the_quick_look_at_the_same_footage(addon, scene, stand_in):
    scene.human3r.source = "/walk:12"
    assert bpy.ops.human3r.preview_capture() == {"FINISHED"}
    [first] = roots(scene)
    assert first[tags.PREVIEW] and addon.session.current().is_preview
    before = len(scene.objects)
    assert bpy.ops.human3r.preview_capture() == {"FINISHED"}
    assert len(roots(scene)) == 1 and len(scene.objects) == before
    scene.human3r.source = "/walk:13"
    assert bpy.ops.human3r.start_capture() == {"FINISHED"}
    assert len(roots(scene)) == 2, "other footage was taken away"
    scene.human3r.source = "/walk:12"
    assert bpy.ops.human3r.start_capture() == {"FINISHED"}
    assert len(roots(scene)) == 2 and not any(tags.PREVIEW in root for root in roots(scene))
    assert bpy.ops.human3r.start_capture() == {"FINISHED"}
    assert len(roots(scene)) == 3, "a full take was replaced"


def test_nobody_goes_on_with_a_quick_look(addon, scene, stand_in, settings):
    wanted = settings("/walk:12")
    Path(f"{wanted.take}.resume").write_bytes(b"where it stopped")
    run = addon.session.start_capture(scene, wanted, addon.builder.ImportOptions(), is_preview=True)
    while run.pump_messages(0.05, wait_s=0.01):
        pass
    assert run.progress.phase == "complete" and not Path(f"{wanted.take}.resume").exists()


def test_a_quick_look_costs_little_and_leaves_the_settings(addon, settings):
    full = settings("/clip.mp4", voxel_size=0.02)
    quick = preview_run.preview_of(full, 30.0)
    assert (quick.stride, quick.quality, quick.refine_camera) == (5, "preview", "off")
    assert quick.voxel_size >= 0.1 and quick.take != full.take and not quick.backdrop
    assert preview_run.preview_of(settings("/clip.mp4", stride=12), 30.0).stride == 12
    assert preview_run.preview_of(settings("/clip.mp4", voxel_size=0.0), None).voxel_size == 0.0


def test_a_model_that_is_not_made_for_people_is_told_with_its_remedy(scene, settings):
    chosen = scene.human3r
    assert honesty.before(chosen) == ""
    for source, checkpoint in (("RECIPE", ""), ("CHECKPOINT", "/weights/small.safetensors")):
        chosen.model_source, chosen.checkpoint = source, checkpoint
        assert honesty.before(chosen)
        assert bpy.ops.human3r.use_best_model() == {"FINISHED"} and honesty.before(chosen) == ""
    chosen.model_source, chosen.checkpoint = "CHECKPOINT", "/weights/mine.pth"
    assert honesty.before(chosen) == ""

    def header(model):
        return TakeHeader(3, "test", (640, 480), 25.0, 3, model, "mannequin", settings("/clip.mp4"))

    assert honesty.after(header("small, trained on synthetic clips")) and honesty.after(header("672S, recipe weights"))
    assert honesty.after(header("landmarks (abc)")) == honesty.after(header("896L (abc)")) == honesty.after(None) == ""


def test_what_happens_is_said_in_words(addon, scene, stand_in, settings):
    run = addon.session.start_capture(scene, settings("/endless:0"), addon.builder.ImportOptions())
    seen, patience = [], Patience("the run")
    while run.progress.frames_done < 5 and run.pump_messages(0.005, wait_s=0.01):
        seen += run_view.said_of(run)
        patience.check(run.progress.frames_done)
    assert "Loading the model" in seen
    assert str(run_view.said_of(run)[0]).endswith("frames, 2 people")
    run.leave_scene()
    assert str(run_view.said_of(run)[-1]) == "Rebuilding"
    run.pump_messages(0.005)
    run.cancel()
    assert str(run_view.said_of(run)[-1]) == "Canceling"
    while run.pump_messages(0.05, wait_s=0.01):
        assert str(run_view.said_of(run)[-1]) == "Canceling"
        patience.check(run.progress.phase)
