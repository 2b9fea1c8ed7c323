# SPDX-License-Identifier: GPL-3.0-or-later
"""The installer, uv: fetched as a wheel whose hash is locked, checked and unpacked here, without pip."""

from __future__ import annotations

import io
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from ....engine.contract.errors import UserError
from . import fetching, wheels
from .commands import Runner
from .locks import LOCK_FOLDER, UV_LOCK, uv_version
from .store import Store, remove_tree

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
NAME = "uv.exe" if sys.platform == "win32" else "uv"

Say = Callable[[str], None]


def get_uv(
    runner: Runner,
    store: Store,
    say: Say,
    lock_folder: Path = LOCK_FOLDER,
    report: fetching.Report = lambda done, total: None,
) -> Path:
    """The uv of the lock's version, fetched unless it is there already.

    Raises :class:`.commands.Cancelled`, OSError, and :class:`UserError`: ``download-failed``, ``hash-mismatch``,
    ``no-installer``.
    """
    version = uv_version(lock_folder)
    home = store.tools / f"uv-{version}"
    for folder in ("bin", "Scripts"):
        if (home / folder / NAME).is_file():
            return home / folder / NAME
    name, wheel = _fetch(runner, version, say, report)
    fetching.check_hash(wheel, known_hashes(lock_folder), name)
    unfinished = store.tools / f"uv-{version}.new"
    remove_tree(unfinished)
    program = unfinished / "bin" / NAME
    program.parent.mkdir(parents=True)
    program.write_bytes(_program_in(wheel, name))
    program.chmod(0o755)
    remove_tree(home)
    unfinished.rename(home)
    return home / "bin" / NAME


def known_hashes(lock_folder: Path) -> frozenset[str]:
    """SHA-256 of the wheels that may be uv."""
    return frozenset(_HASH.findall((lock_folder / UV_LOCK).read_text(encoding="utf-8")))


def _fetch(runner: Runner, version: str, say: Say, report: fetching.Report) -> tuple[str, bytes]:
    """(name, content) of the wheel for this machine, from the first source that has one."""
    failure: UserError | None = None
    for source in fetching.sources():
        try:
            files = _files(runner, source)
            name = wheels.fitting(list(files), "uv", version, wheels.this_machine())
            if name is not None:
                say(f"Downloading {name} from {fetching.host(source)}")
                return name, fetching.get(files[name], runner, report=report)[0]
        except UserError as error:
            say(f"{error.message} ({error.__cause__})")
            failure = error
    raise failure or UserError(
        "no-installer",
        "There is no uv {version} for this computer ({system}, {processor}).",
        "If a mirror is named in UV_DEFAULT_INDEX, look whether it has it. Otherwise choose a Python of your own that "
        "has the engine's packages.",
        version=version,
        system=wheels.this_machine().system,
        processor=wheels.this_machine().processor,
    )


def _files(runner: Runner, source: str) -> dict[str, str]:
    """Names and addresses of what a source has."""
    if "://" not in source:
        folder = Path(source.removesuffix("/uv/")) if not Path(source).is_dir() else Path(source)
        return {path.name: str(path) for path in folder.glob("*.whl")} if folder.is_dir() else {}
    page, kind = fetching.get(source, runner, wheels.ACCEPTED)
    try:
        return wheels.files_in(page, kind, source)
    except ValueError as error:
        raise fetching.unreachable(fetching.host(source)) from error


def _program_in(wheel: bytes, name: str) -> bytes:
    """The program in a wheel that was checked."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        for path in archive.namelist():
            if path.endswith((f".data/scripts/{NAME}", f"/bin/{NAME}")):
                return archive.read(path)
    raise UserError(
        "no-installer",
        "The installer {name} has no program in it.",
        "Copy the report and file an issue that names your system.",
        name=name,
    )
