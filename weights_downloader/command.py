# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line, and the one that programs speak.

``list`` and ``verify`` (and ``remove``) run on any Python 3.11 or newer; ``get`` and ``import`` need the engine's.

With ``--json`` standard output has one JSON object a line and nothing else:

    {"event": "stage", "name", "stage"}        waiting | download | busy | verify | convert | install
    {"event": "progress", "name", "done", "total", "bytes_per_s"}      bytes of this stage; total may be null
    {"event": "done", "name", "path", ...}     the last line of what went well
    {"event": "error", "name", "code", "message", "remedy"}            the last line of what did not
    {"event": "items", "data_folder", "items"}                         list
    {"event": "file", "name", "path", "state", "detail"}               verify, for each file

Then also: the line ``cancel`` on standard input, or its end if it is a pipe, cancels, as SIGINT and SIGTERM do; what
was downloaded stays, and the same command goes on with it. A login is read first, as two lines, name and password.

Exit codes: :mod:`engine.contract.exit_codes`.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from engine.contract.disk_space import in_words
from engine.contract.errors import UserError
from engine.contract.exit_codes import CANCELLED, DONE, EXPLANATION, FAILED
from engine.contract.logs import log
from engine.installed.inventory import Status, original_path, status, statuses
from engine.installed.locations import data_folder
from engine.installed.registry import ITEMS, FormFile, Item, find

from . import removal
from .control import Control
from .locking import locked
from .reporting import JsonReporter, Reporter, TextReporter
from .verification import DAMAGED, verify

_ENGINE_MODULES = ("filelock", "huggingface_hub", "requests", "torch", "safetensors")


def main(arguments: Sequence[str], stdout: BinaryIO, items: Sequence[Item] = ITEMS) -> int:
    """Run one command on the registry's items; returns the exit code."""
    options = _parser(items).parse_args(arguments)
    name = getattr(options, "name", None) or ""
    reporter: Reporter = JsonReporter(stdout, name) if options.json else TextReporter(stdout, name)
    control = Control()
    log.info("begins: %s %s", options.run.__name__.strip("_"), name)
    try:
        options.run(options, items, control, reporter)
        log.info("is done")
        return DONE
    except UserError as error:
        reporter.error(error)
    except KeyboardInterrupt:
        reporter.error(
            UserError(
                "cancelled",
                "Canceled. What has been downloaded is kept.",
                "Run the same command again to resume, or use remove to delete it.",
            )
        )
        return CANCELLED
    except Exception as error:
        log.exception("The command failed")
        reporter.error(
            UserError(
                "downloader-failed",
                "Unexpected error: {kind}: {error}",
                "Try again. If it happens again, file an issue with what was printed.",
                kind=type(error).__name__,
                error=error,
            )
        )
    return FAILED


def _parser(items: Sequence[Item]) -> argparse.ArgumentParser:
    names = [item.name for item in items]
    parser = argparse.ArgumentParser(
        prog="python -m weights_downloader",
        description="Download and install the released weights and the SMPL-X body.",
        epilog=EXPLANATION,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    listing = commands.add_parser("list", help="show what is available, what is installed, and the licenses")
    listing.set_defaults(run=_list)
    verifying = commands.add_parser("verify", help="read every file in full and check that it is undamaged")
    verifying.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(names)} (default: all)")
    verifying.set_defaults(run=_verify)
    getting = commands.add_parser("get", help="download, verify and install; resumes an interrupted download")
    getting.add_argument("name", choices=names, metavar="NAME", help=", ".join(names))
    getting.add_argument(
        "--accept-license",
        "--accept-licence",
        dest="accept_licence",
        action="store_true",
        help="you have read the license and accept it",
    )
    getting.add_argument("--offline", action="store_true", help="use only what is on this computer")
    original = getting.add_mutually_exclusive_group()
    original.add_argument("--keep-original", action="store_true", help="keep the publisher's file after installing")
    original.add_argument(
        "--remove-original",
        action="store_false",
        dest="keep_original",
        help="delete the publisher's file after installing (default)",
    )
    getting.set_defaults(run=_get)
    importing = commands.add_parser("import", help="install from a file on disk, which is not changed")
    importing.add_argument(
        "file", type=Path, metavar="FILE", help="weights (.pth, .safetensors), or the body (.zip, .npz, .pkl)"
    )
    importing.add_argument(
        "--name", choices=names, help="what the file is, if neither its name nor its content shows it"
    )
    importing.set_defaults(run=_import)
    for command in (getting, importing):
        command.add_argument("--half", action="store_true", help="install weights in half precision: half the size")
    removing = commands.add_parser("remove", help="delete an item's files, downloads included")
    removing.add_argument("name", choices=names, metavar="NAME", help=", ".join(names))
    removing.add_argument("--yes", action="store_true", help="do not ask")
    removing.set_defaults(run=_remove)
    for command in (listing, verifying, getting, importing, removing):
        command.add_argument("--json", action="store_true", help="write one JSON object per line to standard output")
    return parser


def _list(options: argparse.Namespace, items: Sequence[Item], control: Control, reporter: Reporter) -> None:
    found = statuses(items)
    reporter.event("items", data_folder=str(data_folder()), items=[_as_fields(entry) for entry in found])
    for entry in found:
        reporter.line(_as_text(entry))
    reporter.line(f"Data folder: {data_folder()}")


def _as_fields(entry: Status) -> dict[str, Any]:
    item = entry.item
    return {
        "name": item.name,
        "kind": item.kind,
        "title": item.title,
        "file": item.file,
        "size": item.size,
        "about_bytes": item.about_bytes,
        "sha256": item.sha256,
        "licence": {"name": item.licence.name, "url": item.licence.url, "terms": item.licence.terms},
        "register": item.register,
        "installed": entry.installed,
        "path": str(entry.path),
        "installed_bytes": entry.bytes,
        "precision": entry.precision,
        "original_bytes": entry.original_bytes,
        "unfinished_bytes": entry.unfinished_bytes,
    }


def _as_text(entry: Status) -> str:
    item = entry.item
    if entry.installed:
        state = f"installed: {entry.path} ({in_words(entry.bytes)}{', ' * bool(entry.precision)}{entry.precision})"
    else:
        state = f"not installed; {f'about {in_words(item.about_bytes)}' if item.about_bytes else 'some GB'} to download"
        if item.kind == "body":
            state = "not installed"
    lines = [f"{item.name:6} {item.title}", f"       {state}"]
    if entry.unfinished_bytes:
        lines.append(f"       unfinished download: {in_words(entry.unfinished_bytes)}")
    if entry.original_bytes:
        lines.append(f"       original kept: {original_path(item)} ({in_words(entry.original_bytes)})")
    lines.append(f"       {item.licence.terms}\n       {item.licence.url}")
    if item.register:
        lines.append(f"       register at {item.register}")
    return "\n".join(lines)


def _verify(options: argparse.Namespace, items: Sequence[Item], control: Control, reporter: Reporter) -> None:
    unknown = [name for name in options.names if find(name, items) is None]
    if unknown:
        raise UserError(
            "name-unknown",
            "There is nothing named {name} to verify.",
            "Choose from {names}.",
            name=unknown[0],
            names=", ".join(item.name for item in items),
        )
    findings = verify([item for item in items if not options.names or item.name in options.names], reporter)
    for finding in findings:
        reporter.event("file", name=finding.name, path=str(finding.path), state=finding.state, detail=finding.detail)
        reporter.line(f"{finding.state:10} {finding.path}: {finding.detail}")
    damaged = [finding for finding in findings if finding.state == DAMAGED]
    if damaged:
        raise UserError(
            "file-damaged",
            "Damaged: {names}.",
            "Remove it, then get it again: remove {name}, get {name}.",
            names=", ".join(str(finding.path) for finding in damaged),
            name=damaged[0].name,
        )
    reporter.event("done", files=len(findings))
    reporter.line("" if findings else "Nothing is installed.")


def _get(options: argparse.Namespace, items: Sequence[Item], control: Control, reporter: Reporter) -> None:
    item = find(options.name, items)
    assert item is not None, "argparse let another name through"
    if _is_installed(item, options.half):
        return _done(item, reporter, "already installed")
    _require_engine()
    from .consent import ask_login, require_licence
    from .download import Request, fetch
    from .hub import is_offline
    from .install import install

    offline = options.offline or is_offline()
    require_licence(item, options.accept_licence, control, reporter)
    needs_login = isinstance(item.source, FormFile) and not offline and not original_path(item).exists()
    login = ask_login(item, control) if needs_login else None
    if options.json:
        control.watch()
    with locked(item, reporter):
        if _is_installed(item, options.half):
            return _done(item, reporter, "already installed by another process")
        request = Request(offline, installed_share=0.5 if options.half else 1.0)
        original = fetch(item, request, login, reporter)
        install(item, original.path, options.half, reporter)
        if original.ours and not options.keep_original:
            original.path.unlink()
    return _done(item, reporter, "installed")


def _import(options: argparse.Namespace, items: Sequence[Item], control: Control, reporter: Reporter) -> None:
    _require_engine()
    from .install import install, recognise, refuse_other_content

    source = options.file.expanduser().absolute()
    item = recognise(source, options.name or "", items, reporter)
    reporter.name = item.name
    if options.json:
        control.watch()
    reporter.note(f"{item.licence.name}: {item.licence.terms}")
    with locked(item, reporter):
        refuse_other_content(item, source, items, reporter)
        install(item, source, options.half, reporter)
    _done(item, reporter, "installed")


def _remove(options: argparse.Namespace, items: Sequence[Item], control: Control, reporter: Reporter) -> None:
    item = find(options.name, items)
    assert item is not None, "argparse let another name through"
    paths = removal.files(item)
    if paths and not options.yes:
        for path in paths:
            reporter.note(f"{path} ({in_words(path.stat().st_size)})")
        if control.is_terminal:
            print("Delete these files? Type yes: ", end="", file=sys.stderr, flush=True)
        if not control.is_terminal or control.read_line().strip().lower() != "yes":
            raise UserError(
                "not-confirmed",
                "{name} was not removed: it was not confirmed.",
                "Confirm with yes, or use --yes.",
                name=item.name,
            )
    freed = removal.remove(item, reporter)
    reporter.event("done", name=item.name, freed_bytes=freed)
    reporter.line(f"{item.name}: removed, {in_words(freed)} freed" if paths else f"{item.name}: nothing to remove")


def _is_installed(item: Item, half: bool) -> bool:
    """Whether there is nothing to do: it is there, and in half precision if that is asked for."""
    found = status(item)
    return found.installed and (item.kind == "body" or not half or found.precision == "float16")


def _done(item: Item, reporter: Reporter, how: str) -> None:
    found = status(item)
    reporter.event("done", name=item.name, path=str(found.path), bytes=found.bytes)
    reporter.line(f"{item.name}: {how}, {found.path} ({in_words(found.bytes)})")


def _require_engine() -> None:
    """Before gigabytes are fetched: can they be made use of afterwards? Raises UserError (``engine-incomplete``)."""
    missing = [name for name in _ENGINE_MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            "engine-incomplete",
            "This Python, {executable}, does not have the packages {missing}.",
            "Use the Python of the engine's environment (list, verify and remove work with any Python).",
            executable=sys.executable,
            missing=", ".join(missing),
        )
