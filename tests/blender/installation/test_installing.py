# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's environment, installed for real by the real uv: what is there afterwards, whatever happens between."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import bpy
import pytest
from bl_ext.user_default.human3r_blender.human3r_blender.batch import command_line
from bl_ext.user_default.human3r_blender.human3r_blender.blender import data_folder
from bl_ext.user_default.human3r_blender.human3r_blender.setup import engine_python

from tests.waiting import HANG_S, Patience, communicate, wait_until

from .conftest import make_wheel

ROOT = Path(__file__).resolve().parents[3]


def ask(python, code):
    return subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=True, timeout=HANG_S
    ).stdout.strip()


def test_installs_from_the_locks_and_says_so(world, monkeypatch):
    assert world.status().state == "absent"
    events = []
    work = world.start(on_event=events.append)
    assert work.wait(HANG_S) and work.state == "done", work.error
    found = world.status()
    assert found.state == "ready" and found.detail == f"torch 2.13.0+cpu (cpu), Python {sys.version.split()[0]}"
    assert found.manifest.versions == {"tiny": "1.0", "torch": "2.13.0+cpu"} and found.manifest.size_bytes > 65536
    assert ask(found.python, "import tiny, torch; print(tiny.version, torch.data)") == "1.0 1"
    assert events[-1] == {"event": "done"} and work.poll() == events
    stages = [event["stage"] for event in events if event["event"] == "stage"]
    assert stages[0] == "Downloading the installer (uv)" and "Checking every file" in stages
    monkeypatch.setenv("HUMAN3R_DATA", str(world.data))
    monkeypatch.delenv("HUMAN3R_ENGINE_PYTHON", raising=False)
    assert engine_python.find_python() == found.python
    assert [folder.name for folder in (world.data / "engine" / "environments").iterdir()] == [
        found.manifest.environment
    ]


def test_an_update_downloads_only_what_changed(world):
    world.run()
    first = world.status()
    world.lock(tiny="2.0")
    assert world.status().state == "outdated" and world.status().python == first.python
    world.index.requests.clear()
    assert world.run(world.plan(action="update")).state == "done"
    assert world.status().state == "ready" and world.status().manifest.versions["tiny"] == "2.0"
    assert set(world.index.downloads()) == {"tiny"} and not first.python.exists()


def test_a_wrong_hash_is_refused_and_what_was_there_stays(world):
    world.run()
    before = world.tree()
    world.lock(tiny="2.0", digest="0" * 64)
    work = world.run(world.plan(action="update"))
    assert work.state == "failed" and work.error.code == "hash-mismatch" and "unchanged" in work.error.remedy
    assert world.tree() == before and world.status().state == "outdated"
    assert ask(world.status().python, "import tiny; print(tiny.version)") == "1.0"


def test_a_wrong_hash_of_the_installer_is_refused(world):
    lock = world.locks / "uv.txt"
    lock.write_text(lock.read_text().partition("sha256:")[0] + "sha256:" + "0" * 64 + "\n")
    world.modules.store.remove_tree(world.data / "tools")
    work = world.run()
    assert work.state == "failed" and work.error.code == "hash-mismatch"
    assert not list((world.data / "tools").glob("uv-*/bin/uv")) and world.status().state == "absent"


def test_a_package_that_does_not_import_is_not_put_in_force(world):
    world.run()
    before = world.tree()
    work = world.run(replace(world.plan(action="update"), imports=("torch", "no_such_module")))
    assert work.error.code == "engine-incomplete" and "no_such_module" in work.error.message
    assert world.tree() == before and world.status().state == "ready"


def test_cancelling_ends_the_download_and_leaves_what_was_there(world):
    world.run()
    before = world.tree()
    world.lock(tiny="2.0")
    world.index.stalls = {"tiny"}
    work = world.start(world.plan(action="update"))
    assert world.index.stalled.wait(HANG_S)
    work.cancel()
    assert work.wait(HANG_S) and work.state == "cancelled" and work.error is None
    assert not world.index.go_on.is_set()  # it ended because it was told to, not because the download went on
    assert world.tree() == before and world.status().state == "outdated"


def test_ctrl_c_ends_the_command_in_order(world):
    world.modules.store.remove_tree(world.data / "tools")
    world.index.stalls = {"uv"}
    child = subprocess.Popen(
        [sys.executable, str(ROOT / "tools" / "run_in_module.py"), "--online-mode", "install-engine", "--yes"],
        env=os.environ | {"HUMAN3R_DATA": str(world.data)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert world.index.stalled.wait(HANG_S)
        child.send_signal(signal.SIGINT)
        said = communicate(child)[1]
    finally:
        child.kill()
    assert child.returncode == 130 and "Canceled." in said and not world.index.go_on.is_set()
    assert world.status().state == "absent"


KILLED = """
import importlib.machinery, importlib.util, sys
from dataclasses import replace
from pathlib import Path
root, data, locks = sys.argv[1:]

for name, folder in (("h", root), ("h.human3r_blender", root + "/human3r_blender")):
    spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [folder]
    sys.modules[name] = importlib.util.module_from_spec(spec)
from h.human3r_blender.setup import installation
assert "bpy" not in sys.modules
plan = installation.plan(Path(data), python=sys.executable, lock_folder=Path(locks))
work = installation.start(replace(plan, imports=("torch", "tiny"), self_test=False), online=True, consented=True)
work.wait()
"""


def test_goes_on_after_being_killed_in_the_middle(world):
    """The process is gone without a chance to clean up; what was finished is not downloaded again."""
    world.index.stalls = {"tiny"}
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(ROOT), str(world.data), str(world.locks)])
    try:
        assert world.index.stalled.wait(HANG_S)
        wait_until(lambda: "torch" in world.index.downloads(), "the download of torch")
        cache = world.data / "cache" / "uv"
        wait_until(lambda: list(cache.glob("archive-v0/*/torch/lib.bin")), "what is unpacked")
    finally:
        child.kill()
        child.wait(HANG_S)
    assert world.status().state == "unfinished"
    work = world.run()
    assert work.error.code == "installation-running"  # uv itself still lives, and holds the folder
    world.index.stalls.clear()
    world.index.go_on.set()
    world.index.requests.clear()
    patience = Patience("the end of uv")
    while (work := world.run()).state == "failed" and work.error.code == "installation-running":
        patience.check()
    assert work.state == "done" and world.status().state == "ready"
    assert "torch" not in world.index.downloads()


def test_a_repair_replaces_damaged_files_and_nothing_else(world):
    world.run()
    first = world.status()
    (damaged,) = first.python.parents[1].glob("lib/python*/site-packages/torch/lib.bin")
    with open(damaged, "r+b") as file:  # in place, as a bad disk would: the cache's file is the same one
        file.write(b"damage")
    world.index.requests.clear()
    assert world.run(world.plan(action="repair")).state == "done"
    (mended,) = world.status().python.parents[1].glob("lib/python*/site-packages/torch/lib.bin")
    assert mended.read_bytes() == bytes(range(256)) * 256 and mended != damaged
    assert set(world.index.downloads()) == {"torch"} and world.status().state == "ready"


def test_an_environment_whose_python_vanished_is_broken_until_repaired(world, monkeypatch):
    world.run()
    world.status().python.unlink()
    broken = world.status()
    assert broken.state == "broken" and broken.python is None
    monkeypatch.setenv("HUMAN3R_DATA", str(world.data))
    monkeypatch.delenv("HUMAN3R_ENGINE_PYTHON", raising=False)
    with pytest.raises(world.modules.UserError, match=r"missing.*Install it in Preferences"):
        engine_python.find_python()
    assert world.run(world.plan(action="repair")).state == "done" and world.status().state == "ready"


def test_removing_leaves_nothing_but_what_others_put_there(world):
    world.run()
    (world.data / "weights").mkdir()
    work = world.modules.api.start(world.plan(action="remove"), online=False, consented=False)
    assert work.wait(HANG_S) and work.state == "done"
    assert world.status().state == "absent" and not world.tree()
    assert sorted(path.name for path in world.data.iterdir() if any(path.rglob("*"))) == ["engine"]
    assert (world.data / "weights").is_dir()


def test_asks_before_the_first_byte(world, monkeypatch, capsys):
    plan = world.plan()
    for online, consented, code in ((False, True, "offline"), (True, False, "consent-needed")):
        with pytest.raises(world.modules.UserError) as refused:
            world.modules.api.start(plan, online=online, consented=consented)
        assert refused.value.code == code
    monkeypatch.setenv("HUMAN3R_DATA", str(world.data))
    monkeypatch.setattr(bpy.context.preferences.system, "use_online_access", False)
    assert command_line.main(["install-engine", "--yes"]) == 1
    said = capsys.readouterr().err
    assert "Downloads up to" in said and str(world.data) in said and "[offline]" in said and "--online-mode" in said
    monkeypatch.setattr(bpy.context.preferences.system, "use_online_access", True)
    assert command_line.main(["install-engine"]) == 1 and "[consent-needed]" in capsys.readouterr().err
    assert command_line.main(["install-engine", "--status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "absent"
    assert not world.index.requests and not list(world.data.glob("engine/environments"))


def test_too_little_space_is_said_before_anything_is_downloaded(world):
    work = world.run(replace(world.plan(), disk_bytes=10**18))
    assert work.error.code == "disk-full" and "1000000000.00 GB" in work.error.message
    assert not world.index.requests


def test_a_disk_that_fills_up_leaves_what_was_there(world):
    world.run()
    before = world.tree()
    full = world.data / "cache"
    full.rename(world.data / "cache-before")
    full.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", full], capture_output=True).returncode != 0:
        pytest.skip("a small disk cannot be mounted here")
    try:
        world.index.add(make_wheel("tiny", "3.0", {"tiny.py": b"", "tiny.bin": os.urandom(2**21)}))
        world.lock(tiny="3.0")
        work = world.run(replace(world.plan(action="update"), disk_bytes=0))
    finally:
        subprocess.run(["umount", full], check=True)
    assert work.state == "failed" and work.error.code == "disk-full", work.error
    assert world.tree() == before


def test_a_chosen_python_is_taken_or_refused(world, tmp_path):
    assert world.plan().base_python == sys.executable
    (tmp_path / "python").write_text("#!/bin/sh\necho 3 8\n")
    (tmp_path / "python").chmod(0o755)
    for wrong in (str(tmp_path / "nothing"), str(tmp_path / "python"), "/bin/true"):
        with pytest.raises(world.modules.UserError) as refused:
            world.plan(python=wrong)
        assert refused.value.code == "python-unusable"


def test_an_index_that_is_gone_is_explained(world):
    world.run()
    before = world.tree()
    world.lock(tiny="2.0")
    del world.index.files["simple"]["tiny"]
    work = world.run(world.plan(action="update"))
    assert work.state == "failed" and work.error.code in ("download-failed", "installation-failed")
    assert "tiny" in work.error.message and world.tree() == before


def test_what_no_lock_lists_is_recorded_first_and_refused_when_it_differs(world):
    def publish(content):
        world.index.add(make_wheel("helper", "1.0", {"helper.py": b""}), "rocm")
        world.index.add(make_wheel("torch", "2.13.0+rocm", {"torch.py": content}, ["tiny", "helper"]), "rocm")

    build = world.modules.builds.Build("rocm", "tests", ("base.txt",), "rocm", "torch==2.13.0+rocm")
    plan = replace(world.plan(), build=build)
    assert any("No hash is published" in line for line in plan.describe())
    publish(b"data = 1")
    assert world.run(plan).state == "done" and world.run(plan).state == "done"
    records = json.loads((world.data / "engine-records.json").read_text())
    ((source, known),) = records.items()
    assert source.startswith("torch==2.13.0+rocm") and set(known) == {"torch==2.13.0+rocm", "helper==1.0"}
    before = world.tree()
    publish(b"import os")
    world.modules.store.remove_tree(world.data / "cache")
    work = world.run(plan)
    assert work.state == "failed" and work.error.code == "source-changed" and "torch" in work.error.message
    assert world.tree() == before and json.loads((world.data / "engine-records.json").read_text()) == records


def test_the_data_folder_is_the_extensions_own_unless_one_is_named(monkeypatch):
    monkeypatch.delenv("HUMAN3R_DATA")
    data_folder.use_extension_folder()
    folder = Path(os.environ["HUMAN3R_DATA"])
    assert folder.is_dir() and folder.is_relative_to(os.environ["BLENDER_USER_RESOURCES"])
    monkeypatch.setenv("HUMAN3R_DATA", "/somewhere/else")
    data_folder.use_extension_folder()
    assert os.environ["HUMAN3R_DATA"] == "/somewhere/else"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"format": 2}',
        '{"format": 1, "environment": "../../x"}',
        '{"format": 1, "environment": "../x", "kind": "cpu", "lock": "", "python": "", "installed_at": ""}',
        "[" * 100_000,
        '{"format": 1, "environment": 5, "kind": "cpu", "lock": "", "python": "", "installed_at": ""}',
        '{"format": 1, "environment": "x", "kind": "cpu", "lock": "", "python": "",'
        ' "installed_at": "", "versions": ["torch"]}',
    ],
    ids=range(10),
)
def test_a_manifest_that_is_none_installs_nothing(modules, tmp_path, content):
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "installed.json").write_text(content)
    assert modules.api.status(tmp_path).state == "absent" and modules.api.installed_python(tmp_path) is None
