# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in for Windows refuses what Windows refuses, and our ways of writing get along with it."""

import mmap
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.contract.file_names import long_path
from engine.contract.whole_file import replace_file, whole_file, whole_folder
from tests.waiting import HANG_S, wait_until
from tests.windows_semantics import BREAK, ROOT, Windows, python_on_windows

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="stands in for Windows on Linux alone")


def written(path: Path, text: str = "new") -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("hold", ["open", "mapped", "by another process"])
def test_a_file_that_is_open_is_neither_replaced_nor_deleted(tmp_path, windows, hold) -> None:
    target = written(tmp_path / "installed.json", "old")
    if hold == "by another process":
        holder = subprocess.Popen(["sleep", str(HANG_S)], stdin=open(target))
    else:
        file = open(target)
        held = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) if hold == "mapped" else file
        if hold == "mapped":
            file.close()
    with pytest.raises(PermissionError) as refused:
        os.replace(written(tmp_path / "a"), target)
    assert refused.value.winerror == 32
    with pytest.raises(PermissionError):
        target.unlink()
    with pytest.raises(PermissionError):
        os.replace(target, tmp_path / "b")
    if hold == "by another process":
        holder.kill()
        holder.wait()
    else:
        held.close()
    target.unlink()


def test_a_folder_with_an_open_file_is_neither_moved_nor_deleted(tmp_path, windows) -> None:
    (tmp_path / "masks").mkdir()
    with open(written(tmp_path / "masks" / "a")), pytest.raises(PermissionError):
        os.replace(tmp_path / "masks", tmp_path / "former")
    os.replace(tmp_path / "masks", tmp_path / "former")


def test_replacing_waits_for_whoever_looks_at_the_file(tmp_path, windows) -> None:
    target = written(tmp_path / "installed.json", "old")
    reader = open(target)
    closing = threading.Timer(0.2, reader.close)
    closing.start()
    with whole_file(target) as place:
        place.write_text("new")
    assert target.read_text() == "new" and [path.name for path in tmp_path.iterdir()] == ["installed.json"]
    closing.join()


def test_a_scanner_looks_at_some_files_and_plain_replacing_fails(tmp_path, windows) -> None:
    refused = 0
    for number in range(100):
        try:
            os.replace(written(tmp_path / "a"), tmp_path / f"{number}")
        except PermissionError as error:
            assert error.winerror == 5
            refused += 1
    assert 1 <= refused <= 12
    for number in range(100):
        replace_file(written(tmp_path / "a"), tmp_path / f"new {number}")
    with whole_folder(tmp_path / "masks") as place:
        written(place / "a")


def test_long_paths_need_their_sign(tmp_path, windows) -> None:
    folder = tmp_path / ("a" * (240 - len(str(tmp_path))))
    folder.mkdir()
    path = folder / ("b" * 40)
    with pytest.raises(FileNotFoundError):
        path.write_text("long")
    with pytest.raises(FileNotFoundError):
        (folder / "eight888").mkdir()
    with open(long_path(path), "w") as file:
        file.write("long")
    assert not path.exists() and os.path.exists(long_path(path)) and os.listdir(long_path(folder)) == [path.name]
    with pytest.raises(FileNotFoundError):
        shutil.rmtree(folder)
    shutil.rmtree(long_path(folder))
    assert not folder.exists()


def test_names_are_the_same_in_any_case_and_some_are_refused(tmp_path, windows) -> None:
    (tmp_path / "Clips").mkdir()
    written(tmp_path / "Clips" / "A.mp4")
    assert (tmp_path / "clips" / "a.MP4").read_text() == "new" and (tmp_path / "CLIPS").is_dir()
    for name in ("aux.mp4", "NUL", "shot:01", "what?.mp4", "dot.", "space "):
        with pytest.raises(OSError):
            written(tmp_path / name)
        assert not (tmp_path / name).exists()


CLOSED = """
import sys
for stream in (open(4, "wb"), sys.stdout):
    try:
        for _ in range(100):
            stream.write(b"x" * 100_000 if stream is not sys.stdout else "x" * 100_000)
            stream.flush()
    except OSError as error:
        print(type(error).__name__, error.errno, file=sys.stderr)
"""
SIGNALS = """
import signal, sys, time
from engine.contract.stop_signals import handle_stop_signals
handle_stop_signals(lambda *_: sys.exit(3))
print("ready", flush=True)
time.sleep(60)
"""


def child(tmp_path: Path, code: str, **how) -> subprocess.Popen:
    python = python_on_windows(sys.executable, tmp_path / "room", tmp_path / "python")
    return subprocess.Popen([str(python), "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, **how)


def test_in_a_child_a_closed_pipe_is_any_error(tmp_path) -> None:
    reading, writing = os.pipe()
    process = child(tmp_path, CLOSED.replace("open(4", f"open({writing}"), stderr=subprocess.PIPE, pass_fds=(writing,))
    for end in (reading, writing):
        os.close(end)
    process.stdout.close()
    assert process.stderr.read() == "OSError 22\nOSError 22\n"
    process.wait(HANG_S)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 3), (BREAK, 3)])
def test_in_a_child_only_some_signals_can_be_handled(tmp_path, number, code) -> None:
    with child(tmp_path, SIGNALS) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(HANG_S) == code


def test_the_rules_hold_in_one_folder_alone(tmp_path, monkeypatch) -> None:
    (tmp_path / "room").mkdir()
    Windows(tmp_path / "room").install(monkeypatch)
    with open(written(tmp_path / "aux"), "a"):
        os.replace(tmp_path / "aux", tmp_path / "con")
    wait_until(lambda: (tmp_path / "con").exists(), "the file")
