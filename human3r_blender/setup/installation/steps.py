# SPDX-License-Identifier: GPL-3.0-or-later
"""The single steps of an installation that uv does: nothing here transfers a byte itself. `uv_program.py` has uv."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ....engine.contract.disk_space import DISK_FULL, is_full
from ....engine.contract.errors import UserError
from ...blender.child_process import EXTENSION_ROOT
from . import import_failures
from .commands import CommandFailed, Runner, host, package_source
from .fetching import unreachable
from .locks import Locks
from .store import Store

SUPPORTED_PYTHONS = ((3, 11), (3, 14))
"""First and last version of Python for which every locked package has a wheel."""
OWN_PYTHON = "3.12"
"""What uv finds or downloads where Blender's own Python is not among those."""
ENGINE_IMPORTS = ("torch", "numpy", "cv2", "PIL", "safetensors", "scipy", "huggingface_hub", "requests")

_BAD_HASH = re.compile(r"hash mismatch|do not match the hashes|hashes are required|no hashes", re.IGNORECASE)
_NO_NETWORK = re.compile(
    r"failed to fetch|error sending request|dns error|connection|timed? ?out|max retries"
    r"|temporary failure in name|name resolution|certificate|could not find a version|status code",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://[^\s`'\"<>)]+")
_ASK_VERSION = "import sys; print(*sys.version_info[:2])"
_CHECK = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps({"python": ".".join(map(str, sys.version_info[:3]))}))
"""


def find_base_python(chosen: str = "") -> tuple[str, str]:
    """The Python that the environment is made from, and its version (``3.11``).

    The chosen program, else Blender's own. Where that is none (an embedding program without a ``python``) or of a
    version that torch has no build for, the answer is ``("3.12", "3.12")``: uv then looks for one, and downloads it if
    need be. Raises :class:`UserError` (``python-unusable``) for a chosen program that cannot be used.
    """
    runner = Runner()
    if chosen:
        path = shutil.which(chosen) or str(Path(chosen).expanduser())
        version = _python_version(runner, path)
        if version is None or not SUPPORTED_PYTHONS[0] <= version <= SUPPORTED_PYTHONS[1]:
            raise UserError(
                "python-unusable",
                "{path} is not a Python program." if version is None else "{path} is Python {version}.",
                "Choose a Python from {oldest} to {newest}.",
                path=path,
                version=_dotted(version or ()),
                oldest=_dotted(SUPPORTED_PYTHONS[0]),
                newest=_dotted(SUPPORTED_PYTHONS[1]),
            )
        return path, _dotted(version)
    for candidate in own_pythons():
        version = _python_version(runner, candidate)
        if version is not None and SUPPORTED_PYTHONS[0] <= version <= SUPPORTED_PYTHONS[1]:
            return str(candidate), _dotted(version)
    return OWN_PYTHON, OWN_PYTHON


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))


def own_pythons() -> Iterator[Path]:
    """Where the program of the running Python may lie: Blender knows it, or has it in its folder."""
    name = "python.exe" if sys.platform == "win32" else f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for candidate in (Path(sys.executable or "."), Path(sys.base_prefix, "bin", name), Path(sys.base_prefix, name)):
        if candidate.is_file() and candidate.name.lower().startswith("python"):
            yield candidate.absolute()


def _python_version(runner: Runner, program: str | Path) -> tuple[int, int] | None:
    try:
        major, minor = runner.run([program, "-I", "-c", _ASK_VERSION], Path.cwd())[-1].split()
        return int(major), int(minor)
    except (OSError, CommandFailed, ValueError, IndexError):
        return None


def make_environment(runner: Runner, store: Store, uv: Path, base_python: str, folder: Path) -> None:
    """An empty virtual environment; the Python is downloaded only where no program was found for it."""
    given = Path(base_python).is_file()
    runner.run(
        [
            uv,
            "venv",
            "--no-project",
            "--cache-dir",
            store.cache,
            "--python",
            base_python,
            *(["--no-python-downloads"] if given else ["--managed-python"]),
            folder,
        ],
        store.engine,
    )


def site_packages(runner: Runner, python: Path) -> Path:
    """The folder that the environment's packages are in."""
    question = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(runner.run([python, "-I", "-c", question], python.parent)[-1])


def install_packages(
    runner: Runner, store: Store, uv: Path, python: Path, locks: Locks, on_line: Callable[[str], None]
) -> None:
    """First everything that the locks list, by hash; then what no lock lists, by its exact version."""
    common: list[str | Path] = [
        uv,
        "pip",
        "install",
        "--python",
        python,
        "--cache-dir",
        store.cache,
        "--only-binary",
        ":all:",
    ]
    index = locks.build.index
    # Every version is pinned and hashed, so it does not matter which index answers first: best-match is safe here.
    sources: list[str | Path] = ["--index", index, "--index-strategy", "unsafe-best-match"] if index else []
    listed: list[str | Path] = [word for path in locks.files for word in ("--requirement", path)]
    runner.run([*common, *sources, "--no-deps", "--require-hashes", *listed], store.engine, on_line)
    if locks.build.unlisted:
        pinned: list[str | Path] = [word for path in locks.files for word in ("--constraint", path)]
        runner.run([*common, *sources, *pinned, locks.build.unlisted], store.engine, on_line)
    runner.run([uv, "pip", "check", "--python", python, "--cache-dir", store.cache], store.engine, on_line)


def forget_packages(runner: Runner, store: Store, uv: Path, names: Sequence[str]) -> None:
    """Drop packages from the cache, so that they are downloaded anew."""
    runner.run([uv, "cache", "clean", "--cache-dir", store.cache, *names], store.engine)


def check_imports(runner: Runner, python: Path, imports: Sequence[str]) -> str:
    """Import what the engine imports; the environment's version of Python. Raises :class:`UserError`."""
    try:
        return str(json.loads(runner.run([python, "-I", "-c", _CHECK, *imports], python.parent)[-1])["python"])
    except CommandFailed as error:
        last_line = error.lines[-1] if error.lines else error
        raise UserError(
            "engine-incomplete",
            "The new environment does not work: {last_line}",
            import_failures.remedy(str(last_line))
            or "If the line names a system library, install it; otherwise copy the report and file an issue. What was "
            "installed before is unchanged.",
            last_line=last_line,
        ) from error


def self_test(runner: Runner, python: Path) -> dict[str, object]:
    """Device, precision, memory and rate, from the engine's own self-test. Raises :class:`CommandFailed`."""
    command = [str(python), "-m", "engine", "self-test", "--json"]
    lines = runner.run(command, EXTENSION_ROOT)
    for line in reversed(lines):  # libraries may print after it
        with contextlib.suppress(ValueError):
            answer = json.loads(line)
            if isinstance(answer, dict):
                return answer
    raise CommandFailed(command, 0, lines[-3:])


def explain(error: CommandFailed | OSError) -> UserError:
    """What went wrong in words that name a next step; the program's own words are kept."""
    text = str(error)
    if is_full(error):
        return UserError(
            DISK_FULL,
            "The disk is full: {text}",
            "Free some space, then start again: what has been downloaded is kept. What was installed before is "
            "unchanged.",
            text=text,
        )
    if _BAD_HASH.search(text):
        return UserError(
            "hash-mismatch",
            "A download does not match the lock file, so it was refused: {text}",
            "Try again on another network. If it happens again, a mirror or a proxy serves different files. What was "
            "installed before is unchanged.",
            text=text,
        )
    if _NO_NETWORK.search(text):
        return unreachable(_host_in(text))
    return UserError(
        "installation-failed",
        "The installation failed: {text}",
        "Start again: what has been downloaded is kept. If it happens again, copy the report and file an issue.",
        text=text,
    )


def _host_in(text: str) -> str:
    """Which host a program's words name."""
    found = _ADDRESS.search(text)
    return host(found[0]) if found else package_source()
