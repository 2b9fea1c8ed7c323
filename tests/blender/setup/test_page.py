# SPDX-License-Identifier: GPL-3.0-or-later
"""The preferences' buttons on real child processes; what is asked first; what a login leaves behind: nothing."""

import json
import sys
from pathlib import Path

import bpy
import pytest

SECRET = "open-sesame-4711"


@pytest.fixture
def page(addon, scene, tmp_path, monkeypatch):
    """A data folder with nothing in it, no engine chosen by a variable, and a Blender that may go online."""
    monkeypatch.setenv("HUMAN3R_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("HUMAN3R_ENGINE_PYTHON", raising=False)
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens: nothing of a test leaves this machine
    system = bpy.context.preferences.system
    before, system.use_online_access = system.use_online_access, True
    settings = addon.choices.read()
    addon.probe.forget()
    yield settings
    addon.tasks.forget()
    addon.credentials.clear()
    system.use_online_access = before
    settings.engine_python = settings.body_file = ""
    addon.probe.forget()


@pytest.fixture
def with_python(page):
    """An engine's Python that is there; this one has no torch, which is enough for what is refused before."""
    page.engine_python = sys.executable
    return page


def test_from_nothing_the_first_step_is_the_engine(addon, page):
    view = addon.overview.overview(addon.probe.facts())
    assert view.step.operator == "human3r.install_engine"
    assert [row.what for row in view.rows][:3] == ["Engine", "Model", "Body"]


def test_every_step_names_a_button_that_exists(addon, page):
    source = Path(addon.overview.__file__).read_text(encoding="utf-8")
    names = {text for text in source.split('"') if text.startswith("human3r.")}
    assert len(names) >= 9
    for name in names:
        getattr(bpy.ops.human3r, name.partition(".")[2]).get_rna_type()  # raises where there is none


def test_downloads_need_blenders_leave(addon, with_python):
    bpy.context.preferences.system.use_online_access = False
    assert not bpy.ops.human3r.install_engine.poll() and not bpy.ops.human3r.get_weights.poll()
    assert not bpy.ops.human3r.get_body.poll() and bpy.ops.human3r.import_data.poll()
    with pytest.raises(RuntimeError, match="Allow Online Access"):
        bpy.ops.human3r.get_weights(name="896L", accept=True)


def test_without_an_engine_there_is_nothing_to_download_with(addon, page):
    assert bpy.ops.human3r.install_engine.poll() and not bpy.ops.human3r.get_weights.poll()
    with pytest.raises(RuntimeError, match="Install the engine first"):
        bpy.ops.human3r.self_test()


def test_nothing_begins_unasked(addon, with_python, tmp_path):
    with pytest.raises(RuntimeError, match="license has not been accepted"):
        bpy.ops.human3r.get_weights(name="896L")
    with pytest.raises(RuntimeError, match="plan has not been accepted"):
        bpy.ops.human3r.install_engine()
    with pytest.raises(RuntimeError, match="no weights named smplx"):
        bpy.ops.human3r.get_weights(name="smplx", accept=True)
    assert addon.tasks.current() is None and not (tmp_path / "data").exists()


def test_a_failure_of_the_real_downloader_keeps_its_remedy(addon, with_python, tmp_path):
    """This Python lacks the engine's packages; the downloader says so before anything is fetched."""
    with pytest.raises(RuntimeError, match="does not have the packages"):
        bpy.ops.human3r.get_weights(name="672S", accept=True)
    task = addon.tasks.current()
    assert task.state == "failed" and task.error.code == "engine-incomplete" and task.error.remedy
    assert bpy.ops.human3r.dismiss_task() == {"FINISHED"} and addon.tasks.current() is None
    assert not bpy.ops.human3r.cancel_task.poll() and not bpy.ops.human3r.dismiss_task.poll()


def test_what_is_installed_is_verified_and_removed(addon, page, tmp_path):
    body = tmp_path / "data" / "body" / "SMPLX_NEUTRAL.npz"
    body.parent.mkdir(parents=True)
    body.write_bytes(b"anything")
    assert addon.probe.facts().body == "installed"
    assert bpy.ops.human3r.remove_data(name="smplx") == {"FINISHED"}
    assert not body.exists() and addon.probe.facts().body == "mannequin"
    assert bpy.ops.human3r.verify_data() == {"FINISHED"} and addon.tasks.current().state == "done"
    with pytest.raises(RuntimeError, match="nothing named"):
        bpy.ops.human3r.remove_data(name="../..")


def test_a_login_is_in_no_file_and_in_no_report(addon, page, engine_python, tmp_path):
    page.engine_python = str(engine_python)
    with pytest.raises(RuntimeError):  # the proxy answers nobody
        bpy.ops.human3r.get_body(accept=True, user="somebody@studio.example", password=SECRET)
    assert addon.credentials._typed == {"user": "", "password": ""}
    addon.credentials._typed.update(user="somebody@studio.example", password=SECRET)  # as while the dialog is open
    bpy.ops.wm.save_userpref()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"), compress=False)
    task = addon.tasks.current()
    assert task.error is not None and task.error.code == "proxy-failed", task.error
    page.engine_python = sys.executable  # the report asks it for its versions, and importing torch takes long
    seen = "\n".join((*task.log, str(task.error), repr(vars(task)), addon.diagnostics.report()))
    assert SECRET not in seen and "somebody@" not in seen
    folders = (tmp_path, Path(bpy.utils.resource_path("USER")))
    files = [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and "extensions" not in path.parts
    ]
    assert any(path.name == "userpref.blend" for path in files) and any(path.suffix == ".blend" for path in files)
    assert not any(SECRET.encode() in path.read_bytes() or b"somebody@" in path.read_bytes() for path in files)


def test_a_refused_login_is_forgotten_too(addon, with_python):
    for accept, message in ((False, "license"), (True, "user name and password")):
        with pytest.raises(RuntimeError, match=message):
            bpy.ops.human3r.get_body(accept=accept, user="somebody", password="" if accept else SECRET)
        assert addon.credentials._typed == {"user": "", "password": ""} and addon.tasks.current() is None


def test_choosing_a_python_and_a_body(addon, page, tmp_path):
    with pytest.raises(RuntimeError, match="not a file"):
        bpy.ops.human3r.choose_python(filepath=str(tmp_path))
    assert bpy.ops.human3r.choose_python(filepath=sys.executable) == {"FINISHED"}
    facts = addon.probe.facts()
    assert (facts.engine.origin, facts.engine.state) == ("chosen", "ready")
    page.engine_python = str(tmp_path / "gone")
    assert addon.overview.overview(addon.probe.facts()).step.operator == "human3r.choose_python"
    assert bpy.ops.human3r.clear_python() == {"FINISHED"} and addon.probe.facts().engine.origin == "own"
    page.body_file = str(tmp_path / "gone.npz")
    assert addon.probe.facts().body == "absent"
    assert bpy.ops.human3r.clear_body_file() == {"FINISHED"} and addon.probe.facts().body == "mannequin"
    page.body_file = "mannequin"
    assert addon.probe.facts().body == "mannequin"


def test_a_self_test_counts_for_the_python_it_was_run_with(addon, with_python, tmp_path):
    task = addon.background_task.Task("Self-Test")
    task.handle(
        {
            "device": "cpu",
            "device_name": "x86_64",
            "precision": "float32",
            "model": "default",
            "frames_per_second": 3.5,
            "memory_mb": 812.0,
            "device_memory_mb": None,
            "torch": "2.13.0",
            "python": "3.11.7",
        }
    )
    task.finish()
    record = addon.self_test_record.keep(Path(sys.executable), task)
    assert record.passed and "3.5 frames per second" in record.detail and "the CPU" in record.detail
    addon.probe.forget()
    assert addon.probe.facts().engine.self_test == "passed" and addon.probe.recommended_weights() == "672S"
    with_python.engine_python = str(tmp_path / "other")
    assert addon.probe.facts().engine.self_test == "unknown"
    assert addon.self_test_record.read(Path("/other")) is None
    failed = addon.background_task.Task("Self-Test")
    failed.handle({"event": "error", "code": "out-of-memory", "message": "Too large.", "remedy": "Smaller."})
    failed.finish()
    assert not addon.self_test_record.keep(Path(sys.executable), failed).passed
    assert addon.self_test_record.read(Path(sys.executable)).detail == "Too large."
    forged = {"python": sys.executable, "passed": True, "detail": 5}
    (tmp_path / "data" / "self-test.json").write_text(json.dumps(forged))
    assert addon.self_test_record.read(Path(sys.executable)) is None


def test_installed_weights_are_used_by_themselves(addon, page, scene, tmp_path):
    scene.human3r.source = "/videos/clip.mp4"
    assert scene.human3r.capture_settings().model == "landmarks"
    folder = tmp_path / "data" / "weights"
    folder.mkdir(parents=True)
    (folder / "672S.safetensors").write_bytes(b"12345678")
    assert addon.probe.facts().model.damaged == ("672S",)
    (folder / "672S.json").write_text(json.dumps({"bytes": 8, "precision": "float16"}))
    addon.probe.forget()
    assert addon.probe.facts().model.installed == ("672S",)
    assert scene.human3r.capture_settings().model == str(folder / "672S.safetensors")
    scene.human3r.model_source = "EMBEDDED"
    assert scene.human3r.capture_settings().model == "landmarks"
    scene.human3r.model_source = "896L"
    with pytest.raises(addon.errors.UserError) as error:
        scene.human3r.capture_settings()
    assert error.value.code == "weights-missing"


def test_the_report_says_what_is_here_and_not_who(addon, with_python, monkeypatch, tmp_path, capsys):
    home = tmp_path / "quentin"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("HUMAN3R_DATA", str(home / "data"))
    with_python.body_file = str(home / "private.npz")
    task = addon.background_task.Task("Getting 896L")
    task.handle({"event": "error", "code": "disk-full", "message": f"{home} is full.", "remedy": "Free space."})
    task.finish()
    monkeypatch.setattr(addon.tasks, "_current", task)
    assert addon.command_line.main(["diagnostics"]) == 0
    report = capsys.readouterr().out
    for wanted in (bpy.app.version_string, "disk-full", "~/data", " has no ", "896L: not installed", "next: "):
        assert wanted in report, wanted
    assert "quentin" not in report


def test_the_installers_own_self_test_counts(addon, with_python):
    task = addon.background_task.Task("Installing the engine")
    task.handle({"event": "log", "line": "Resolved 30 packages"})
    task.finish()
    addon.install_operators._keep_self_test(task)
    addon.probe.forget()
    assert addon.probe.facts().engine.self_test == "unknown"
    task.handle({"event": "self-test", "device": "cuda", "frames_per_second": 21.5})
    addon.install_operators._keep_self_test(task)
    addon.probe.forget()
    assert addon.probe.facts().engine.self_test == "passed"
