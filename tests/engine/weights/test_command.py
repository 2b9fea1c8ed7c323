# SPDX-License-Identifier: GPL-3.0-or-later
"""The program as people and Blender start it: real processes, cancelled, killed, and two at once."""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import huggingface_hub
import pytest
import torch
from huggingface_hub import constants

from engine.contract.body_model import BodyModel, default_body_path
from engine.model.checkpoint import load_checkpoint
from engine.model.recipe_weights import Recipe
from tests.engine.golden import recipe_model
from tests.engine.model.test_checkpoint import TINY, TINY_TEXT
from tests.engine.weights.driver import BODY_FILE, WEIGHTS_FILE, items
from tests.engine.weights.publishers import PASSWORD, USERNAME, Publisher, Trick
from tests.engine.weights.store import assert_right_or_untouched
from tests.waiting import HANG_S, end_of, wait_until
from weights_downloader.command import main
from weights_downloader.consent import PASSWORD_VARIABLE, USERNAME_VARIABLE

ROOT = Path(__file__).resolve().parents[3]
MEGABYTE = 1 << 20


@pytest.fixture(scope="session")
def checkpoint() -> bytes:
    """A small checkpoint in the released format, with five megabytes of what only training needs."""
    stream = io.BytesIO()
    torch.save(
        {
            "model": recipe_model(TINY, Recipe(), for_inference=False).state_dict(),
            "args": argparse.Namespace(model=TINY_TEXT),
            "optimizer": torch.zeros(5 * MEGABYTE // 4),
        },
        stream,
    )
    return stream.getvalue()


@pytest.fixture(scope="session")
def body_zip() -> bytes:
    """The mannequin in the publisher's zip."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.write(default_body_path(), "models/smplx/SMPLX_NEUTRAL.npz")
    return stream.getvalue()


@pytest.fixture
def hub(checkpoint: bytes) -> Iterator[Publisher]:
    server = Publisher(WEIGHTS_FILE, checkpoint)
    yield server
    server.close()


@pytest.fixture
def site(body_zip: bytes) -> Iterator[Publisher]:
    server = Publisher(BODY_FILE, body_zip)
    yield server
    server.close()


class World:
    """A data folder, and the program in it: in this process, or in one of its own where it is to be hurt."""

    def __init__(self, folder: Path, publisher: Publisher) -> None:
        self.data, self.publisher = folder / "data", publisher
        self.variables = {
            "HUMAN3R_DATA": str(self.data),
            "HF_ENDPOINT": publisher.endpoint,
            "HF_HOME": str(folder / "hub-home"),
            "HF_HUB_DOWNLOAD_TIMEOUT": str(int(HANG_S)),  # a publisher that stalls is a test's doing
            "HOME": str(folder),
        }

    def run(self, *arguments: object) -> tuple[int, list[dict]]:
        """Run to the end here; exit code and events."""
        stream = io.BytesIO()
        code = main([*map(str, arguments), "--json"], stream, items(self.publisher.form))
        return code, [json.loads(line) for line in stream.getvalue().splitlines()]

    def start(self, *arguments: object, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.engine.weights.driver", self.publisher.form, *map(str, arguments), "--json"],
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1"} | self.variables | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, process: subprocess.Popen[str], told: str = "") -> tuple[int, list[dict], str]:
        """Exit code, events and standard error at the end. Input stays open until then, as Blender keeps it."""
        if told:
            process.stdin.write(told)
            process.stdin.flush()
        output, errors = process.stdout.read(), process.stderr.read()
        code = end_of(process)
        process.stdin.close()
        return code, [json.loads(line) for line in output.splitlines()], errors

    @property
    def part(self) -> Path:
        return self.data / "downloads" / f"{self.publisher.name}.part"

    @property
    def is_right_or_untouched(self) -> bool:
        assert_right_or_untouched(self.data, self.publisher.name, self.publisher.content)
        return True


@pytest.fixture
def make_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Publisher], World]]:
    """Worlds for a publisher; at the end they must be right or untouched, and the signals' handlers are put back."""
    made: list[World] = []
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def make(publisher: Publisher) -> World:
        made.append(World(tmp_path, publisher))
        for name in ("HUMAN3R_DATA", "HF_ENDPOINT"):
            monkeypatch.setenv(name, made[-1].variables[name])
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
        huggingface_hub.close_session()
        return made[-1]

    yield make
    for number, handler in handlers.items():
        signal.signal(number, handler)
    assert all(world.is_right_or_untouched for world in made)


@pytest.fixture
def world(hub: Publisher, make_world: Callable[[Publisher], World]) -> World:
    """With the hub as the publisher."""
    return make_world(hub)


def start_and_stall(world: World) -> subprocess.Popen[str]:
    """Start a download that has had three megabytes when this returns, and gets no more for now."""
    world.publisher.content_tricks = [Trick(stall_after=3 * MEGABYTE + 1234)]
    process = world.start("get", "tiny", "--accept-licence")
    wait_until(lambda: world.part.exists() and world.part.stat().st_size >= 3 * MEGABYTE, "three megabytes")
    return process


def test_from_nothing_to_installed_verified_and_removed(world):
    code, events = world.run("get", "tiny", "--accept-licence")
    weights = world.data / "weights" / "tiny.safetensors"
    assert code == 0 and [event["stage"] for event in events if event["event"] == "stage"] == [
        "download",
        "verify",
        "convert",
    ]
    assert events[-1] == {"event": "done", "name": "tiny", "path": str(weights), "bytes": weights.stat().st_size}
    assert all(
        set(event) == {"event", "name", "done", "total", "bytes_per_s"}
        for event in events
        if event["event"] == "progress"
    )
    assert load_checkpoint(weights).config == TINY
    assert not (world.data / "downloads" / WEIGHTS_FILE).exists()  # the original is not kept unless asked for

    before = len(world.publisher.requests)
    assert world.run("get", "tiny")[1][-1]["event"] == "done" and len(world.publisher.requests) == before
    code, events = world.run("verify")
    assert code == 0 and [(event["name"], event["state"]) for event in events if event["event"] == "file"] == [
        ("tiny", "intact")
    ]
    spoilt = bytearray(weights.read_bytes())
    spoilt[-1] ^= 1
    weights.write_bytes(spoilt)
    code, events = world.run("verify")
    assert code == 1 and events[-1]["code"] == "file-damaged" and events[-2]["state"] == "damaged"

    code, events = world.run("remove", "tiny")
    assert code == 1 and events[-1]["code"] == "not-confirmed" and weights.exists()
    code, events = world.run("remove", "tiny", "--yes")
    assert code == 0 and events[-1]["freed_bytes"] > 0
    assert not [path for path in world.data.rglob("*") if path.is_file() and path.suffix not in (".lock", ".json")]


@pytest.mark.parametrize("how", ["line", "closed", "signal"])
def test_cancelled_and_gone_on_with(world, how):
    process = start_and_stall(world)
    if how == "line":
        process.stdin.write("cancel\n")
        process.stdin.flush()
    elif how == "closed":
        process.stdin.close()
    else:
        process.terminate()  # the other two come down to SIGINT
    code, events, errors = world.end(process)
    assert code == 130 and events[-1]["code"] == "cancelled" and "Traceback" not in errors
    assert world.is_right_or_untouched
    had = world.part.stat().st_size
    assert had >= 3 * MEGABYTE
    code, events = world.run("get", "tiny", "--accept-licence")
    assert code == 0 and world.publisher.content_requests[-1].range == f"bytes={had}-"


def test_cancelled_while_a_server_asks_to_wait(world):
    world.publisher.content_tricks = [Trick(503, {"Retry-After": "86400"})]
    process = world.start("get", "tiny", "--accept-licence")
    for line in process.stdout:
        if json.loads(line).get("stage") == "busy":
            break
    process.stdin.write("cancel\n")
    process.stdin.flush()
    code, events, errors = world.end(process)
    assert code == 130 and events[-1]["code"] == "cancelled" and "asks to wait 86400 s" in errors


def test_killed_and_gone_on_with_in_half_precision_with_the_original_kept(world):
    process = start_and_stall(world)
    process.kill()
    world.end(process)
    had = world.part.stat().st_size
    assert world.is_right_or_untouched
    assert all(WEIGHTS_FILE in request.path or request.at == "cdn" for request in world.publisher.requests)
    code, _ = world.run("get", "tiny", "--accept-licence", "--half", "--keep-original")
    assert code == 0 and world.publisher.content_requests[-1].range == f"bytes={had}-"
    assert json.loads((world.data / "weights" / "tiny.json").read_text())["precision"] == "float16"
    assert (world.data / "downloads" / WEIGHTS_FILE).read_bytes() == world.publisher.content


def test_two_at_once_share_one_download(site, make_world):
    world = make_world(site)
    world.variables |= {USERNAME_VARIABLE: USERNAME, PASSWORD_VARIABLE: PASSWORD}
    site.content_tricks = [Trick(stall_after=0)]
    first = world.start("get", "body", "--accept-licence")
    assert site.stalling.wait(HANG_S)
    second = world.start("get", "body", "--accept-licence")
    assert json.loads(second.stdout.readline()) == {"event": "stage", "name": "body", "stage": "waiting"}
    site.go_on.set()
    code, events, errors = world.end(first)
    assert code == 0 and events[-1]["event"] == "done", errors
    code, events, errors = world.end(second)
    assert code == 0 and [event["event"] for event in events] == ["done"], errors
    assert len(site.content_requests) == 1


def test_without_the_licence_nobody_is_asked_for_anything(world, capfd):
    code, events = world.run("get", "tiny")
    assert code == 1 and events[-1]["code"] == "licence-not-accepted"
    assert "NON-COMMERCIAL" in events[-1]["message"] and "https://example.org/licence" in capfd.readouterr().err
    assert world.publisher.requests == [] and not world.data.exists()


def test_files_on_disk_are_imported_and_wrong_ones_refused(world, tmp_path, checkpoint):
    given = tmp_path / "tiny weights.pth"
    given.write_bytes(checkpoint)
    code, events = world.run("import", given, "--name", "896L")
    assert code == 1 and events[-1]["code"] == "wrong-variant" and not (world.data / "weights").exists()
    given = given.rename(tmp_path / "renamed.pth")  # its tensors say what it is
    code, events = world.run("import", given)
    assert code == 0 and events[-1]["name"] == "tiny"
    assert given.read_bytes() == checkpoint and world.publisher.requests == []
    for name, expected in (
        ("weights.pth", "checkpoint-unreadable"),
        ("tiny.docx", "file-unknown"),
        ("no.pth", "file-missing"),
    ):
        if name != "no.pth":
            (tmp_path / name).write_bytes(b"something")
        code, events = world.run("import", tmp_path / name)
        assert code == 1 and events[-1]["code"] == expected


def test_a_body_by_login_and_the_password_is_nowhere(site, make_world, tmp_path):
    world = make_world(site)
    code, events, errors = world.end(world.start("get", "body", "--accept-licence"), told=f"{USERNAME}\nguess\n")
    assert code == 1 and events[-1]["code"] == "login-refused"
    output = json.dumps(events) + errors
    site.content_tricks = [Trick(cut_after=100_000)]
    code, events, errors = world.end(
        world.start("get", "body", "--accept-licence", HF_DEBUG="1"), told=f"{USERNAME}\n{PASSWORD}\n"
    )
    assert code == 0, errors
    output += json.dumps(events) + errors
    installed = world.data / "body" / "SMPLX_NEUTRAL.npz"
    assert BodyModel.load(installed).fingerprint == BodyModel.load(default_body_path()).fingerprint
    for secret in (PASSWORD, USERNAME, urlencode({"": PASSWORD})[1:]):
        assert secret not in output
        for path in tmp_path.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path
    assert world.run("verify")[1][-1] == {"event": "done", "files": 1}
    assert world.is_right_or_untouched
    assert world.run("remove", "body", "--yes")[0] == 0 and not installed.exists()


def test_under_windows_rules_a_download_is_resumed_installed_replaced_and_removed(world, windows):
    process = start_and_stall(world)
    process.send_signal(signal.SIGKILL)
    process.wait(HANG_S)
    world.publisher.content_tricks = []
    for _ in range(2):
        code, events = world.run("get", "tiny", "--accept-licence")
        assert code == 0, events
    weights = world.data / "weights" / "tiny.safetensors"
    with open(weights):  # a running engine has them mapped
        code, events = world.run("remove", "tiny", "--yes")
        assert code != 0 and events[-1]["event"] == "error" and events[-1]["remedy"] and weights.exists()
    assert world.run("remove", "tiny", "--yes")[0] == 0 and not weights.exists()
