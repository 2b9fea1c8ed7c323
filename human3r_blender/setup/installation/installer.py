# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing, repairing, updating and removing the engine's environment: what it would do, and doing it.

A thread runs pip and uv as child processes, so Blender's window stays alive, and nothing of them lives in Blender's
process. The new environment is built in a folder of its own, checked, and put in force by writing one small file
(``store.py``): a crash, a cancel or an error at any moment leaves the environment before as it was. What was
downloaded stays in uv's cache, so the next try goes on from there.
"""

from __future__ import annotations

import atexit
import collections
import contextlib
import datetime
import json
import platform
import sys
import threading
import uuid
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ....engine.contract.disk_space import require_space
from ....engine.contract.errors import UserError
from ....engine.contract.sentences import Sentence
from . import builds, hardware, steps
from .builds import Build
from .commands import Cancelled, CommandFailed, Runner, host, package_source
from .integrity import damaged_packages, fingerprints, installed_versions
from .locks import LOCK_FOLDER, Locks
from .meter import Meter
from .recorded import check_or_record
from .store import Manifest, Store, remove_tree, tree_bytes

ACTIONS = ("install", "repair", "update", "remove")
KEPT_EVENTS = 500
TRIES = 2
"""A damaged file in the cache is found after unpacking; then that package is downloaded anew, once."""

Event = dict[str, object]
_running: weakref.WeakSet[Installation] = weakref.WeakSet()


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
            return [Sentence(removes, folder=self.data_folder)]
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
            Sentence("Writes up to {size} to {folder}.", size=disk, folder=self.data_folder),
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
    download = 0 if action == "remove" else Locks(build, lock_folder).download_bytes(machine.system, machine.machine)
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
        lock_folder,
    )


def start(
    agreed: InstallPlan,
    on_event: Callable[[Event], None] | None = None,
    *,
    online: bool,
    consented: bool,
) -> Installation:
    """Do what the plan says, in a thread.

    ``online`` is whether the network may be used (``bpy.app.online_access`` in Blender), ``consented`` whether the
    user read the plan and agreed. ``on_event`` is called from that thread with what :attr:`Installation.events`
    collects. Raises :class:`UserError`: ``offline``, ``consent-needed``.
    """
    if agreed.action != "remove":
        if not online:
            raise UserError(
                "offline",
                "Nothing was downloaded: online access is off in Blender.",
                "Turn on Preferences > System > Network > Allow Online Access, or start Blender with --online-mode.",
            )
        if not consented:
            raise UserError(
                "consent-needed",
                "Nothing was downloaded: the plan has not been accepted.",
                "Read what would be downloaded, then accept it (--yes on the command line).",
            )
    return Installation(agreed, on_event)


class Installation:
    """A running action. Its fields may be read at any time; :meth:`cancel` and :meth:`wait` from any thread."""

    def __init__(self, agreed: InstallPlan, on_event: Callable[[Event], None] | None = None) -> None:
        self.plan = agreed
        self.state = "running"
        """``running``, and at the end ``done``, ``failed`` or ``cancelled``."""
        self.error: UserError | None = None
        self.events: collections.deque[Event] = collections.deque(maxlen=KEPT_EVENTS)
        """``{"event": "stage", "stage"}``, ``{"event": "progress", "name", "done", "total", "bytes_per_s"}`` (bytes),
        ``{"event": "log", "line"}``, ``{"event": "self-test", ...}`` with what ``engine/self_test.py`` prints, and at
        the end ``done`` (with ``cancelled`` where it was) or ``error`` (with ``code``, ``message``, ``remedy``)."""
        self._on_event = on_event
        self._store = Store(agreed.data_folder)
        self._runner = Runner()
        self._thread = threading.Thread(target=self._work, name="human3r-installation", daemon=True)
        _running.add(self)
        self._thread.start()

    @property
    def is_active(self) -> bool:
        return self.state == "running"

    def poll(self) -> list[Event]:
        """The events since the last call."""
        fresh = []
        with contextlib.suppress(IndexError):
            while True:
                fresh.append(self.events.popleft())
        return fresh

    def cancel(self) -> None:
        """Ask for the end: the running program and what it started are ended. Returns at once."""
        threading.Thread(target=self._runner.cancel, name="human3r-cancel", daemon=True).start()

    def close(self) -> None:
        """End it for certain; blocks for a moment."""
        self._runner.cancel()
        self._thread.join(5.0)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; True when it has come."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            with self._store.locked() as lock:
                self._runner.keep_open(lock)
                {"remove": self._remove}.get(self.plan.action, self._install)()
            self._finish("done", {"event": "done"})
        except Cancelled:
            self._finish("cancelled", {"event": "done", "cancelled": True})
        except UserError as error:
            self._fail(error)
        except (CommandFailed, OSError) as error:
            self._fail(steps.explain(error))

    def _fail(self, error: UserError) -> None:
        self.error = error
        self._finish("failed", {"event": "error", **error.as_dict()})

    def _finish(self, state: str, event: Event) -> None:
        _running.discard(self)
        self._tell(event)
        self.state = state

    def _tell(self, event: Event) -> None:
        self.events.append(event)
        if self._on_event is not None:
            self._on_event(event)

    def _stage(self, stage: str) -> None:
        self._runner.check()
        self._tell({"event": "stage", "stage": stage})

    def _log(self, line: str) -> None:
        if line.strip():
            self._tell({"event": "log", "line": line})

    def _remove(self) -> None:
        self._stage("Removing the engine")
        store = self._store
        store.manifest_path.unlink(missing_ok=True)  # first: from now on nobody starts what is being deleted
        gone = [remove_tree(folder) for folder in (store.environments, store.cache, store.tools)]
        if not all(gone):
            raise UserError(
                "files-in-use",
                "Some files in {data} are in use and could not be deleted.",
                "Cancel running captures or restart Blender, then remove the engine again.",
                data=store.data,
            )

    def _install(self) -> None:
        plan, store, runner = self.plan, self._store, self._runner
        store.remove_leftovers()
        self._check_space()
        self._stage("Downloading the installer (uv)")
        uv = steps.get_uv(runner, store, plan.base_python, self._log, plan.lock_folder)
        environment = store.environments / uuid.uuid4().hex[:8]  # short, for Windows' limit on paths
        store.environments.mkdir(parents=True, exist_ok=True)
        try:
            manifest = self._build(uv, environment)
        except BaseException:
            self._keep_trace_of(environment)
            raise
        self._runner.check()
        store.write_manifest(manifest)
        store.remove_leftovers()
        self._self_test(store.python_of(manifest))

    def _keep_trace_of(self, environment: Path) -> None:
        """An unfinished environment goes, its folder stays where nothing else is installed: status tells of it."""
        remove_tree(environment)
        if self._store.read_manifest() is None:
            environment.mkdir(exist_ok=True)

    def _check_space(self) -> None:
        needed = self.plan.disk_bytes - tree_bytes(self._store.cache)  # what is there is linked, not copied
        remedy = "Free some space, or choose another data folder with HUMAN3R_DATA."
        require_space(self._store.engine, needed, "The installation", remedy)

    def _build(self, uv: Path, environment: Path) -> Manifest:
        plan, store, runner = self.plan, self._store, self._runner
        self._stage(Sentence("Creating the environment (Python {version})", version=plan.python_version))
        steps.make_environment(runner, store, uv, plan.base_python, environment)
        python = store.environment_python(environment)
        packages = steps.site_packages(runner, python)
        for last_try in range(TRIES):
            self._stage("Downloading and installing packages")
            with Meter(store.cache, plan.download_bytes, plan.build.unpack_factor, self._report) as meter:

                def on_line(line: str, meter: Meter = meter) -> None:
                    meter.read(line)
                    self._log(line)

                steps.install_packages(runner, store, uv, python, plan.locks, on_line)
            self._stage("Checking every file")
            damaged = damaged_packages(packages, self._runner.check)
            if not damaged:
                break
            if last_try == TRIES - 1:
                raise UserError(
                    "installation-damaged",
                    "Files of {damaged} were damaged, also after downloading them again.",
                    "Check the disk. What was installed before is unchanged.",
                    damaged=", ".join(damaged),
                )
            self._log(f"Damaged, downloading again: {', '.join(damaged)}")
            steps.forget_packages(runner, store, uv, damaged)
            remove_tree(environment)
            steps.make_environment(runner, store, uv, plan.base_python, environment)
        if plan.build.unlisted:
            source = f"{plan.build.unlisted} for Python {plan.python_version}, {sys.platform}, {platform.machine()}"
            check_or_record(store.records_path, source, fingerprints(packages, plan.locks.names))
        self._stage("Checking that the engine runs")
        version = steps.check_imports(runner, python, plan.imports)
        return Manifest(
            environment.name,
            plan.build.kind,
            plan.locks.identity,
            version,
            datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            installed_versions(packages),
            tree_bytes(environment),
        )

    def _report(self, name: str, done: int, total: int, bytes_per_s: float) -> None:
        self._tell({"event": "progress", "name": name, "done": done, "total": total, "bytes_per_s": bytes_per_s})

    def _self_test(self, python: Path) -> None:
        """Run the engine's own self-test; its verdict is told and does not undo the installation."""
        if not self.plan.self_test:
            return
        self._stage("Running the self-test")
        try:
            answer = steps.self_test(self._runner, python)
        except (CommandFailed, OSError) as error:
            self._log(f"The self-test failed: {error}")
        else:
            self._log(f"Self-test: {json.dumps(answer)}")
            self._tell({"event": "self-test", **answer})


@atexit.register
def close_all() -> None:
    """End every installation that still runs: when Blender quits and when the add-on is switched off."""
    for installation in list(_running):
        installation.close()
