# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows' rules for files, pipes and signals, on Linux: what works here and fails there fails here too.

Inside one folder, and in this process and the Python programs that :func:`wrapper` starts:

* a file that any process of this machine has open (also through C, also mapped) cannot be replaced, renamed or deleted,
  nor a folder around it, nor one that a process is in;
* of every twenty files that are replaced one is looked at by a scanner for 50 to 300 ms (seeded);
* paths end at 259 characters (folders at 247) unless they start with ``\\\\?\\`` and are whole;
* names are the same in upper and lower case; names of devices, some characters and final dots and spaces are refused;
* writing to a pipe that nobody reads is OSError 22; SIGTERM cannot be handled; SIGBREAK exists (SIGUSR2 stands in).

Not shown: what programs that are no Python do (uv, Blender's own writers), drive letters, backslashes, speed.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import random
import re
import shutil
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

LONG = "\\\\?\\"
MOST_CHARACTERS, MOST_FOLDER_CHARACTERS = 259, 247
SCANNED, SCAN_S = 0.05, (0.05, 0.3)
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
REFUSED = re.compile(r'[<>:"|?*\x00-\x1f]|[. ]$')
BREAK = signal.SIGUSR2
ROOT = Path(__file__).resolve().parents[1]


def error(number: int, kind: type[OSError], path: str) -> OSError:
    made = kind({2: 2, 5: 13, 32: 13, 123: 22, 183: 17}[number], f"[WinError {number}]", path)
    made.winerror = number  # type: ignore[attr-defined]
    return made


class Pipe(io.BufferedWriter):
    """A pipe as Windows has it: when nobody reads any more, the error does not say so."""

    def write(self, data: Any) -> int:
        with broken_pipe_unnamed():
            return super().write(data)

    def flush(self) -> None:
        with broken_pipe_unnamed():
            super().flush()


@contextlib.contextmanager
def broken_pipe_unnamed() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise OSError(22, "Invalid argument") from None


class Entry:
    """An entry of a folder, under the folder's name as it was given."""

    def __init__(self, entry: os.DirEntry[str], folder: Any) -> None:
        self._entry = entry
        self.path = os.path.join(os.fspath(folder), entry.name)

    def __fspath__(self) -> str:
        return self.path

    def __getattr__(self, name: str) -> Any:
        return getattr(self._entry, name)


class Listing:
    """What `os.scandir` gives."""

    def __init__(self, entries: Any, folder: Any) -> None:
        self._entries, self._folder = entries, folder

    def __iter__(self) -> Listing:
        return self

    def __next__(self) -> Entry:
        return Entry(next(self._entries), self._folder)

    def __enter__(self) -> Listing:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._entries.close()


FUNCTIONS = ("replace", "rename", "unlink", "remove", "rmdir", "stat", "lstat", "listdir", "utime", "chmod", "access")
FUNCTIONS += ("open", "mkdir", "scandir")


class Windows:
    """The rules inside `folder`; `install` puts them in force."""

    def __init__(self, folder: Path, seed: int = 5) -> None:
        self.folder = os.path.realpath(folder)
        self._real = {name: getattr(os, name) for name in FUNCTIONS}
        self._open = io.open
        self._chance = random.Random(seed)
        self._scanned_until: dict[str, float] = {}

    def install(self, patch: pytest.MonkeyPatch | None = None) -> None:
        """Put the rules in force, until the end of the test or of the process."""
        put = patch.setattr if patch is not None else setattr
        real = self._real
        put(os, "replace", self._replacing(real["replace"], may_exist=True))
        put(os, "rename", self._replacing(real["rename"], may_exist=False))
        for name in ("unlink", "remove", "rmdir"):
            put(os, name, self._deleting(real[name]))
        for name in ("stat", "lstat", "listdir", "utime", "chmod", "access", "open"):
            put(os, name, self._at_place(real[name]))
        put(os, "mkdir", self._at_place(real["mkdir"], MOST_FOLDER_CHARACTERS, creates=True))
        put(os, "scandir", self._list)
        for module, name in ((os, "fdopen"), (io, "open"), (builtins, "open")):
            put(module, name, self._opening)
        put(shutil, "_use_fd_functions", False)  # which Windows does not have
        for name in [name for name in sys.modules if name.endswith("engine.contract.file_names")]:
            put(sys.modules[name], "IS_WINDOWS", True)

    def _place(self, path: Any, creates: bool = False, most: int = MOST_CHARACTERS) -> Any:
        """The file that a path means, or what Windows says to it; paths elsewhere and descriptors are as they are."""
        if not isinstance(path, str | os.PathLike) or not isinstance(given := os.fspath(path), str):
            return path
        plain = given.removeprefix(LONG)
        whole = os.path.abspath(plain)
        if not self._is_inside(whole):
            return plain
        if plain != given and not os.path.isabs(plain):
            raise error(123, OSError, given)
        if plain == given and len(whole) > most:
            raise error(2, FileNotFoundError, given)
        if any(DEVICES.fullmatch(part) or REFUSED.search(part) for part in self._parts(whole)):
            raise error(123, OSError, given) if creates else error(2, FileNotFoundError, given)
        return self._in_any_case(whole)

    def _is_inside(self, path: str) -> bool:
        return path.startswith(self.folder + os.sep)

    def _parts(self, whole: str) -> list[str]:
        return [part for part in whole[len(self.folder) :].split(os.sep) if part]

    def _in_any_case(self, whole: str) -> str:
        if self._is_there(whole):
            return whole
        found = self.folder
        for part in self._parts(whole):
            names = () if self._is_there(f"{found}/{part}") else self._names(found)
            found += "/" + next((name for name in names if name.casefold() == part.casefold()), part)
        return found

    def _names(self, folder: str) -> list[str]:
        try:
            return self._real["listdir"](folder)
        except OSError:
            return []

    def _is_there(self, path: str) -> bool:
        try:
            self._real["lstat"](path)
        except OSError:
            return False
        return True

    def _refuse_held(self, path: str) -> None:
        if any(held == path or held.startswith(path + os.sep) for held in self._held()):
            raise error(32, PermissionError, path)

    def _held(self) -> Iterator[str]:
        """Files that some process has open or mapped, and folders that one is in."""
        for process in filter(str.isdigit, self._names("/proc")):
            with contextlib.suppress(OSError):
                yield os.readlink(f"/proc/{process}/cwd")
                for descriptor in self._names(f"/proc/{process}/fd"):
                    yield from self._open_file(f"/proc/{process}/fd/{descriptor}")
                with self._open(f"/proc/{process}/maps", errors="replace") as maps:
                    yield from (line[line.index("/") :].rstrip("\n") for line in maps if self.folder in line)

    def _open_file(self, descriptor: str) -> Iterator[str]:
        """What a descriptor stands for; not a folder, which is open only to be listed."""
        with contextlib.suppress(OSError):
            path = os.readlink(descriptor)
            if self._is_inside(path) and not stat.S_ISDIR(self._real["stat"](descriptor).st_mode):
                yield path

    def _refuse_scanned(self, path: str) -> None:
        now = time.monotonic()
        if path not in self._scanned_until:
            is_seen = self._chance.random() < SCANNED
            self._scanned_until[path] = now + self._chance.uniform(*SCAN_S) if is_seen else now
        if now < self._scanned_until[path]:
            raise error(5, PermissionError, path)
        del self._scanned_until[path]

    def _replacing(self, real: Callable[..., None], may_exist: bool) -> Callable[..., None]:
        def replace(source: Any, target: Any, **how: Any) -> None:
            source, target = self._place(source), self._place(target, creates=True)
            if isinstance(target, str) and self._is_inside(target):
                self._refuse_held(source)
                self._refuse_scanned(target)
                if source != target and self._is_there(target):
                    self._refuse_taken(target, may_exist)
            real(source, target, **how)

        return replace

    def _refuse_taken(self, target: str, may_exist: bool) -> None:
        if not may_exist:
            raise error(183, FileExistsError, target)
        if stat.S_ISDIR(self._real["lstat"](target).st_mode):
            raise error(5, PermissionError, target)
        self._refuse_held(target)

    def _deleting(self, real: Callable[..., None]) -> Callable[..., None]:
        def delete(path: Any, **how: Any) -> None:
            place = self._place(path)
            if isinstance(place, str) and self._is_inside(place):
                self._refuse_held(place)
            real(place, **how)

        return delete

    def _at_place(
        self, real: Callable[..., Any], most: int = MOST_CHARACTERS, creates: bool = False
    ) -> Callable[..., Any]:
        def call(path: Any = ".", *others: Any, **how: Any) -> Any:
            return real(self._place(path, creates, most), *others, **how)

        return call

    def _list(self, path: Any = ".") -> Any:
        return Listing(self._real["scandir"](self._place(path)), path)

    def _opening(self, path: Any, mode: str = "r", buffering: int = -1, *others: Any, **how: Any) -> Any:
        if isinstance(path, int) and mode == "wb" and buffering != 0:
            return Pipe(io.FileIO(path, "wb", closefd=how.get("closefd", True)))
        return self._open(self._place(path, not mode.startswith("r")), mode, buffering, *others, **how)


def python_on_windows(python: str | Path, folder: Path, home: Path) -> Path:
    """A program, made in `home`, that is `python` under the rules inside `folder`, whatever its variables are."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "sitecustomize.py").write_text(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        f"from tests.windows_semantics import in_child; in_child({str(folder)!r}); sys.path.remove({str(ROOT)!r})\n"
    )
    program = home / "python"
    program.write_text(f'#!/bin/sh\nexport PYTHONPATH="{home}:$PYTHONPATH"\nexec "{python}" "$@"\n')
    program.chmod(0o755)
    return program


def in_child(folder: str) -> None:
    """The rules for a whole process, and signals and streams as Windows has them."""
    import engine.contract.file_names  # noqa: F401 - to be told that this is Windows

    handle = signal.signal
    signal.SIGBREAK = BREAK  # type: ignore[attr-defined]
    signal.signal = lambda number, handler: handle(number, signal.SIG_DFL if number == signal.SIGTERM else handler)
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        raw = Pipe(io.FileIO(descriptor, "wb", closefd=False))
        setattr(sys, name, io.TextIOWrapper(raw, encoding="utf-8", write_through=True))
    Windows(Path(folder)).install()
