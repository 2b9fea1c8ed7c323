# SPDX-License-Identifier: GPL-3.0-or-later
"""What every Python can do without the engine's packages: say where things lie, list, verify, remove."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.installed import inventory, locations
from engine.installed.registry import ITEMS, find
from tests.waiting import HANG_S

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv(locations.DATA_VARIABLE, str(tmp_path / "data"))
    return tmp_path / "data"


def bare(*arguments):
    """Run the program without any installed package; exit code, events and standard error."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", "weights_downloader", *arguments, "--json"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=HANG_S,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def install(weights, content):
    """Converted weights and their manifest, as the converter leaves them."""
    weights.parent.mkdir(parents=True)
    weights.write_bytes(content)
    inventory.manifest_path(weights).write_text(
        json.dumps({"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), "precision": "float32"})
    )


@pytest.mark.parametrize(
    ("platform", "variable", "value", "expected"),
    [
        ("linux", "XDG_DATA_HOME", "/data", "/data/human3r-blender"),
        ("linux", "XDG_DATA_HOME", "not/absolute", "/home/someone/.local/share/human3r-blender"),
        ("darwin", "XDG_DATA_HOME", "/data", "/home/someone/Library/Application Support/human3r-blender"),
        ("win32", "LOCALAPPDATA", "/local", "/local/human3r-blender"),
        ("win32", "LOCALAPPDATA", "", "/home/someone/AppData/Local/human3r-blender"),
    ],
)
def test_the_data_folder_is_the_platforms(monkeypatch, platform, variable, value, expected):
    monkeypatch.delenv(locations.DATA_VARIABLE, raising=False)
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert locations.data_folder() == Path(expected)


def test_the_variable_decides_where_everything_lies(data):
    places = (
        locations.weights_folder(),
        locations.downloads_folder(),
        locations.body_path(),
        locations.records_path(),
    )
    assert len(set(places)) == 4 and all(place.is_relative_to(data) for place in places)
    assert not data.exists()  # asking creates nothing


def test_the_four_checkpoints_are_pinned_and_all_terms_are_said():
    assert [item.file for item in ITEMS if item.kind == "weights"] == [
        f"human3r_{name}.pth" for name in ("896L", "672L", "672B", "672S")
    ]
    large = find("896L")
    assert (large.size, large.sha256[:8], large.source.revision[:8]) == (4_670_554_642, "1c5d8907", "1902f6b7")
    assert all("NON-COMMERCIAL" in item.licence.terms and item.licence.url.startswith("https://") for item in ITEMS)
    assert find("smplx").register == "https://smpl-x.is.tue.mpg.de" and find("other") is None


def test_list_says_what_is_there_and_under_which_terms(data):
    install(data / "weights" / "896L.safetensors", b"weights")
    (data / "downloads").mkdir()
    (data / "downloads" / "human3r_672S.pth.part").write_bytes(b"begun")
    code, (answer,), errors = bare("list")
    assert code == 0 and errors == "" and answer["data_folder"] == str(data)
    items = {item["name"]: item for item in answer["items"]}
    assert list(items) == ["896L", "672L", "672B", "672S", "smplx"]
    assert (items["896L"]["installed"], items["896L"]["installed_bytes"], items["896L"]["precision"]) == (
        True,
        7,
        "float32",
    )
    assert not items["672S"]["installed"] and items["672S"]["unfinished_bytes"] == 5
    assert "NON-COMMERCIAL" in items["smplx"]["licence"]["terms"]


def test_weights_without_their_manifest_or_of_another_size_do_not_count(data):
    path = data / "weights" / "896L.safetensors"
    install(path, b"weights")
    assert inventory.status(find("896L")).installed
    path.write_bytes(b"weight")
    assert not inventory.status(find("896L")).installed
    path.write_bytes(b"weights")
    inventory.manifest_path(path).write_text("[]")
    assert not inventory.status(find("896L")).installed


def test_verify_reads_everything_and_remove_deletes_it(data):
    path = data / "weights" / "672S.safetensors"
    install(path, b"weights")
    code, events, _ = bare("verify")
    assert code == 0 and events[-2]["state"] == "intact" and events[-1] == {"event": "done", "files": 1}
    path.write_bytes(b"weighty")
    code, events, _ = bare("verify", "672S")
    assert code == 1 and events[-1]["code"] == "file-damaged" and "672S" in events[-1]["remedy"]
    code, events, errors = bare("remove", "672S", "--yes")
    assert code == 0 and not path.exists() and events[-1]["freed_bytes"] > 7, errors


def test_get_without_the_engines_packages_says_so_before_anything_else(data):
    code, (error,), _ = bare("get", "896L", "--accept-licence")
    assert code == 1 and error["code"] == "engine-incomplete" and "huggingface_hub" in error["message"]
    assert not data.exists()


def test_the_inventory_works_under_whatever_name_blender_gives_the_package(data):
    """Blender imports it as bl_ext.<repository>.human3r_blender.engine.installed, and knows no top-level engine."""
    program = f"""
import importlib, importlib.machinery, importlib.util, sys
folder = {str(ROOT / "engine")!r}
spec = importlib.util.spec_from_file_location("some_extension", folder + "/__init__.py",
                                              submodule_search_locations=[folder])
sys.modules["some_extension"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(len(importlib.import_module("some_extension.installed.inventory").statuses()), "engine" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], cwd=ROOT / "tests", capture_output=True, text=True, timeout=HANG_S
    )
    assert done.stdout.split() == ["5", "False"], done.stderr
