# SPDX-License-Identifier: GPL-3.0-or-later
"""What the preferences' buttons start: the downloader, the self-test and the installer, as background tasks."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...engine.contract.errors import UserError
from ...engine.contract.sentences import Sentence
from ...engine.installed import locations
from . import installation
from .background_task import ChildTask, Task
from .engine_python import find_python

DOWNLOADER = "weights_downloader"
SELF_TEST = "Self-Test"
EXPORT = "Exporting the take"
EDITING = "Saving to the take"
FOOTAGE_REMEDY = "Say where the footage lies now: Footage in the section Export, --export-footage on the command line."
ACTIONS = {
    "install": "Installing the engine",
    "repair": "Repairing the engine",
    "update": "Updating the engine",
    "remove": "Removing the engine",
}


class InstallationTask(Task):
    """The installer at work; it runs in a thread and has its own child processes."""

    def __init__(self, agreed: installation.InstallPlan, online: bool) -> None:
        """Start what the person has read and agreed to. Raises :class:`UserError` (``offline``)."""
        super().__init__(ACTIONS[agreed.action])
        self._installation = installation.start(agreed, self.handle, online=online, consented=True)

    def handle(self, event: Mapping[str, object]) -> None:
        super().handle(event)
        if event.get("event") in ("done", "error"):  # the thread's last word
            self.finish()

    def cancel(self) -> None:
        if self.is_active and not self.is_cancelling:
            super().cancel()
            self._installation.cancel()

    def close(self) -> None:
        self.cancel()
        self._installation.close()


def get(
    name: str, preferred_python: str, title: str, half: bool = False, login: tuple[str, str] | None = None
) -> ChildTask:
    """Download and install an item whose license the person has accepted. Raises :class:`UserError`.

    ``half`` installs weights in half precision; ``login`` is user name and password.
    """
    told = "" if login is None else "".join(f"{line}\n" for line in login)
    return _downloader(
        find_python(preferred_python),
        Sentence("Getting {name}", name=title),
        ["get", name, "--accept-license", *(["--half"] if half else [])],
        told,
    )


def import_file(path: Path, preferred_python: str) -> ChildTask:
    """Install weights or a body from a file on disk. Raises :class:`UserError`."""
    return _downloader(
        find_python(preferred_python), Sentence("Importing {name}", name=path.name), ["import", str(path)]
    )


def remove(name: str, title: str) -> ChildTask:
    """Remove an item from this machine; any Python can do that."""
    return _downloader(Path(sys.executable), Sentence("Removing {name}", name=title), ["remove", name, "--yes"])


def verify() -> ChildTask:
    """Read every installed file in full and compare it with what it must be."""
    return _downloader(Path(sys.executable), "Verifying files", ["verify"])


def self_test(preferred_python: str) -> ChildTask:
    """Run the small model once; the task's result has device, precision, memory and rate. Raises :class:`UserError`."""
    python = find_python(preferred_python)
    return ChildTask(SELF_TEST, [str(python), "-m", "engine", "self-test", "--json"], variables=_data())


def probe(source: str, preferred_python: str) -> ChildTask:
    """Ask what footage is like; the task's result is what ``engine probe --json`` prints. Raises :class:`UserError`."""
    command = [str(find_python(preferred_python)), "-m", "engine", "probe", source, "--json"]
    return ChildTask("Reading the footage", command, variables=_data())


class TakeExport(ChildTask):
    """The engine's export of a take."""

    canceled = "{title}: canceled. What was not complete is not there."

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know, once it is done."""
        notes = (self.result or {}).get("notes")
        return tuple(map(str, notes)) if isinstance(notes, list) else ()

    def handle(self, event: Mapping[str, object]) -> None:
        """As `Task.handle`; that the footage is not where it was is said in the words of the section Export."""
        if event.get("event") == "error" and str(event.get("code", "")).startswith("footage-"):
            problem = UserError.from_dict(event)
            event = {"event": "error", **UserError(problem.code, problem.message, FOOTAGE_REMEDY).as_dict()}
        super().handle(event)


def export_take(arguments: Sequence[str], preferred_python: str) -> TakeExport:
    """Run ``engine export`` with these arguments. Raises :class:`UserError`."""
    command = [str(find_python(preferred_python)), "-m", "engine", "export", *arguments]
    return TakeExport(EXPORT, [*command, "--json", "--quiet", "--until-input-ends"], variables=_data())


class TakeEdit(ChildTask):
    """The engine writes a take with other people."""

    canceled = "{title}: canceled. No take was written."


def edit_take(arguments: Sequence[str], preferred_python: str) -> TakeEdit:
    """Run ``engine edit-take`` with these arguments. Raises :class:`UserError`."""
    command = [str(find_python(preferred_python)), "-m", "engine", "edit-take", *arguments]
    return TakeEdit(EDITING, [*command, "--events", "--until-input-ends"], variables=_data())


def _downloader(python: Path, title: str, arguments: list[str], told: str = "") -> ChildTask:
    return ChildTask(title, [str(python), "-m", DOWNLOADER, *arguments, "--json"], variables=_data(), told=told)


def _data() -> dict[str, str]:
    """Where the child keeps its files: where this process looks for them."""
    return {locations.DATA_VARIABLE: str(locations.data_folder())}
