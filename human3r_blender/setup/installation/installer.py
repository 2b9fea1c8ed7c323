# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing, repairing, updating and removing the engine's environment, as ``planning.py`` said it would be done.

A thread fetches uv and runs it as a child process, so Blender's window stays alive, and nothing is installed into
Blender's Python. The new environment is built in a folder of its own, checked, and put in force by writing one small
file (``store.py``): a crash, a cancel or an error at any moment leaves the environment before as it was. What was
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
from pathlib import Path

from ....engine.contract.disk_space import require_space
from ....engine.contract.errors import UserError
from ....engine.contract.sentences import Sentence
from . import steps
from .commands import Cancelled, CommandFailed, Runner
from .integrity import damaged_packages, fingerprints, installed_versions
from .meter import Meter
from .planning import InstallPlan
from .recorded import check_or_record
from .store import Manifest, Store, remove_tree, tree_bytes
from .uv_program import get_uv

KEPT_EVENTS = 500
TRIES = 2
"""A damaged file in the cache is found after unpacking; then that package is downloaded anew, once."""

Event = dict[str, object]
_running: weakref.WeakSet[Installation] = weakref.WeakSet()


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
            if self.plan.action != "remove":
                self._store.settle(self.plan.whereabouts.folder)
            with self._store.locked() as lock:
                self._runner.keep_open(lock)
                {"remove": self._remove}.get(self.plan.action, self._install)()
            self._finish("done", {"event": "done"})
        except Cancelled:
            self._finish("cancelled", {"event": "done", "cancelled": True})
        except UserError as error:
            self._fail(error)
        except (CommandFailed, OSError) as error:
            self._log(str(error))
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
        uv = get_uv(runner, store, self._log, plan.lock_folder, self._report_uv)
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

    def _report_uv(self, done: int, total: int) -> None:
        self._report("uv", done, total, 0.0)

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
