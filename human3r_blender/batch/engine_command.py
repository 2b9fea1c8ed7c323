# SPDX-License-Identifier: GPL-3.0-or-later
"""``blender --background --command human3r install-engine``: what the button in the preferences does, in a terminal.

Progress goes to standard error, or, with ``--json``, as events to standard output, one JSON object a line.
"""

from __future__ import annotations

import argparse
import json
import time

import bpy

from ...engine.contract.terminal import answer, say
from ...engine.installed.locations import data_folder
from ..blender.progress import format_bytes
from ..setup import installation, self_test_record
from ..setup.background_task import Task
from .interruption import Interruption

POLL_S = 0.1
PROGRESS_EVERY_S = 2.0


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--build",
        choices=installation.CHOICES,
        default="auto",
        help="build of torch (%(default)s: the one that fits this computer's GPU and driver)",
    )
    command.add_argument(
        "--python",
        default="",
        metavar="PATH",
        help="Python 3.11 to 3.14 to create the environment with (default: Blender's own)",
    )
    action = command.add_mutually_exclusive_group()
    for name, text in (
        ("repair", "reinstall it from what was downloaded, and download again what is damaged"),
        ("update", "update it to the packages that this version of the add-on was tested with"),
        ("remove", "delete it, and everything that was downloaded for it"),
        ("status", "show what is installed, and change nothing"),
    ):
        action.add_argument(f"--{name}", dest="action", action="store_const", const=name, help=text)
    command.add_argument(
        "--yes",
        action="store_true",
        help="accept what will be downloaded; without it, the command only shows what that is",
    )
    command.add_argument(
        "--json", dest="events", action="store_true", help="write one JSON object per line to standard output"
    )
    command.set_defaults(action="install", json=None)


def run(options: argparse.Namespace, interrupted: Interruption) -> list[object]:
    """Carry out one command line. Raises :class:`~..engine.contract.errors.UserError`."""
    folder = data_folder()
    if options.action == "status":
        found = installation.status(folder)
        _say(
            options,
            {
                "event": "status",
                "state": found.state,
                "detail": found.detail,
                "python": str(found.python) if found.python else None,
            },
            f"{found.state} {found.detail}".rstrip(),
        )
        return []
    plan = installation.plan(folder, action=options.action, kind=options.build, python=options.python)
    _say(
        options,
        {
            "event": "plan",
            "action": plan.action,
            "build": plan.build.kind,
            "lines": plan.describe(),
            "download_bytes": plan.download_bytes,
            "disk_bytes": plan.disk_bytes,
        },
        "\n".join(plan.describe()),
    )
    work = installation.start(plan, online=bpy.app.online_access, consented=options.yes)
    heard = Task(plan.action)
    next_line, cancelling = 0.0, False
    while work.is_active or work.events:
        for event in work.poll():
            heard.handle(event)
            is_progress = event["event"] == "progress"
            if not is_progress or time.monotonic() >= next_line:
                _say(options, event, _sentence(event))
                next_line = time.monotonic() + PROGRESS_EVERY_S if is_progress else next_line
        if interrupted.requested and not cancelling:
            cancelling = True
            work.cancel()
        work.wait(POLL_S)
    if work.error is not None:
        raise work.error
    heard.finish()
    python = installation.installed_python(folder)
    if python is not None and heard.result is not None:  # so that the preferences know it, too
        self_test_record.keep(python, heard)
    return []


def _say(options: argparse.Namespace, event: installation.Event, sentence: str) -> None:
    if options.events:
        answer(json.dumps(event))
    elif sentence:
        say(sentence)


def _sentence(event: installation.Event) -> str:
    kind = event["event"]
    if kind == "stage":
        return f"{event['stage']}"
    if kind == "log":
        return f"    {event['line']}"
    if kind == "progress":
        done, total, rate = (float(str(event[key])) for key in ("done", "total", "bytes_per_s"))
        return f"    {event['name']}: {format_bytes(done)} of {format_bytes(total)}, {format_bytes(rate)}/s"
    if kind == "done":
        return "Canceled." if event.get("cancelled") else "Done."
    return ""
