# SPDX-License-Identifier: GPL-3.0-or-later
"""What is installed, and what an action would do: for the user to read and agree to, and for ``installer.py`` to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ....engine.contract.errors import UserError
from ....engine.contract.sentences import Sentence
from . import builds, hardware, steps
from .builds import Build
from .commands import host, package_source
from .locks import LOCK_FOLDER, Locks
from .store import Manifest, Store
from .whereabouts import Whereabouts, choose

ACTIONS = ("install", "repair", "update", "remove")


@dataclass(frozen=True)
class EngineStatus:
    """What is installed."""

    state: str
    """``absent``, ``unfinished`` (an installation was interrupted), ``broken``, ``outdated`` or ``ready``."""
    detail: str = ""
    """One line: versions and build, or what is wrong."""
    python: Path | None = None
    """The environment's Python; None unless it is there (``ready`` and ``outdated``)."""
    manifest: Manifest | None = None


@dataclass(frozen=True)
class InstallPlan:
    """What would be done: for the user to read and agree to, and for :func:`start` to do."""

    action: str
    data_folder: Path
    build: Build
    reason: str
    """Why this build, in a sentence."""
    base_python: str
    """Program, or version for uv to find, that the environment is made from."""
    python_version: str
    download_bytes: int
    """On an empty cache; what is in the cache already is not downloaded again. 0 where the lock does not say."""
    disk_bytes: int
    """Free space that is asked for before it starts."""
    sources: tuple[str, ...]
    """What is asked: PyPI, and hosts."""
    whereabouts: Whereabouts
    """Where the engine goes: the data folder, unless paths would grow too long there."""
    lock_folder: Path = LOCK_FOLDER
    imports: tuple[str, ...] = steps.ENGINE_IMPORTS
    """Modules that have to be importable at the end."""
    self_test: bool = True
    """Whether the engine's self-test runs at the end."""

    @property
    def locks(self) -> Locks:
        return Locks(self.build, self.lock_folder)

    def describe(self) -> list[str]:
        """Lines that say what happens, for a dialog or a terminal."""
        if self.action == "remove":
            removes = "Removes the engine's environment and the installer's cache from {folder}."
            return [Sentence(removes, folder=self.whereabouts.folder)]
        size, disk = (f"{count / 1e9:.1f} GB" for count in (self.download_bytes, self.disk_bytes))
        downloads = "Downloads up to {size} from {sources}." if self.download_bytes else "Downloads from {sources}."
        lines: list[str] = [
            Sentence(
                "torch {version} for {device}. {reason}",
                version=builds.TORCH_VERSION,
                device=Sentence(self.build.title),
                reason=Sentence(self.reason),
            ),
            Sentence(downloads, size=size, sources=", ".join(self.sources)),
            Sentence("Writes up to {size} to {folder}.", size=disk, folder=self.whereabouts.folder),
            *self.whereabouts.notes,
            Sentence("Python {version}: {path}", version=self.python_version, path=self.base_python),
        ]
        if not self.build.is_hash_locked:
            lines.append(
                Sentence(
                    "No hash is published for this build of torch. The first download (over TLS) is trusted and "
                    "recorded; if a later one differs, it is refused."
                )
            )
        return lines


def status(data_folder: Path, lock_folder: Path = LOCK_FOLDER) -> EngineStatus:
    """What is installed in a data folder. Reads two small files: quick enough for a draw function."""
    store = Store(data_folder)
    manifest = store.read_manifest()
    if manifest is None:
        unfinished = store.environments.is_dir() and any(store.environments.iterdir())
        return EngineStatus("unfinished" if unfinished else "absent")
    python = store.python_of(manifest)
    if not python.is_file():
        return EngineStatus(
            "broken", Sentence("{path} is missing, or the Python it was made from is.", path=python), None, manifest
        )
    detail = f"torch {manifest.versions.get('torch', '?')} ({manifest.kind}), Python {manifest.python}"
    known = {build for group in builds.BUILDS.values() for build in group if build.kind == manifest.kind}
    if not any(_identity(Locks(build, lock_folder)) == manifest.lock for build in known):
        return EngineStatus("outdated", detail, python, manifest)
    return EngineStatus("ready", detail, python, manifest)


def _identity(locks: Locks) -> str:
    try:
        return locks.identity
    except OSError:
        return ""


def installed_python(data_folder: Path) -> Path | None:
    """The Python of the installed environment, if there is one that is not broken."""
    store = Store(data_folder)
    manifest = store.read_manifest()
    python = store.python_of(manifest) if manifest is not None else None
    return python if python is not None and python.is_file() else None


def plan(
    data_folder: Path, *, action: str = "install", kind: str = "auto", python: str = "", lock_folder: Path = LOCK_FOLDER
) -> InstallPlan:
    """What an action would do here. Asks the drivers and starts a Python: a second or two, not for a draw function.

    ``kind`` is of :data:`.builds.CHOICES`; a repair or an update with ``auto`` keeps the kind that is installed.
    Raises :class:`UserError`: ``machine-unsupported``, ``build-unavailable``, ``python-unusable``, ``not-installed``.
    """
    if action not in ACTIONS:
        raise ValueError(f"action is one of {ACTIONS}, not {action!r}")
    store, machine = Store(data_folder), hardware.probe()
    manifest = store.read_manifest()
    if action in ("repair", "update"):
        if manifest is None:
            raise UserError(
                "not-installed",
                "No engine is installed in {data_folder}.",
                "Install it first.",
                data_folder=data_folder,
            )
        if kind == "auto":
            kind = manifest.kind
    build, reason = builds.choose(machine, kind)
    if manifest is not None and kind == manifest.kind and action in ("repair", "update"):
        reason = "As installed."
    base_python, version = steps.find_base_python(python)
    locks = Locks(build, lock_folder)
    download = 0 if action == "remove" else locks.download_bytes(machine.system, machine.machine)
    sources = [
        package_source(),
        *([host(build.index)] if build.index else []),
        *(["github.com (Python itself)"] if not Path(base_python).is_file() else []),
    ]
    return InstallPlan(
        action,
        data_folder,
        build,
        reason,
        base_python,
        version,
        download,
        int(download * build.unpack_factor),
        tuple(sources),
        choose(store, locks.longest_path(machine.system, machine.machine)),
        lock_folder,
    )
