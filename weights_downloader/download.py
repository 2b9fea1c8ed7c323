# SPDX-License-Identifier: GPL-3.0-or-later
"""The publisher's file: found on this machine, else fetched, and in each case verified before it has its name.

The order is the same for every source: what is here already, offline?, the server's word on size and hash, room on the
disk, the bytes, their hash, the record, the rename. Nothing but unfinished downloads is ever there under way.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.contract.disk_space import require_space
from engine.contract.errors import UserError
from engine.contract.sentences import Sentence
from engine.installed.inventory import original_path
from engine.installed.registry import FormFile, HubFile, Item

from . import form, hub, records
from .part import MORE_SPACE, Origin, Part, explained_disk_errors
from .records import Figures
from .reporting import Reporter
from .validate import measure, require_sound_zip


@dataclass(frozen=True)
class Request:
    """How to get it."""

    offline: bool = False
    """Use what is on this machine only."""
    installed_share: float = 1.0
    """Room that the installed file will need, as a share of the original's."""


@dataclass(frozen=True)
class Original:
    """A publisher's file on this machine, verified."""

    path: Path
    ours: bool
    """Whether it lies in the downloads folder, and not in the hub library's cache."""


def fetch(item: Item, request: Request, login: form.Credentials | None, reporter: Reporter) -> Original:
    """The item's file, downloaded where needed; the caller holds the item's lock. ``login`` is for a `FormFile`.

    Raises UserError; KeyboardInterrupt when cancelled. In both cases the unfinished part stays to go on with.
    """
    path = original_path(item)
    if path.exists():
        reporter.stage("verify")
        if _is_known(item, path, reporter):
            return Original(path, ours=True)
    if isinstance(item.source, HubFile):
        found = _cached(item, item.source, request, reporter)
        if found is not None:
            return found
    if request.offline:
        raise hub.offline(item.file)
    reporter.stage("download")
    part = Part(path, reporter.progress)
    if isinstance(item.source, HubFile):
        _from_hub(item, item.source, part, request, reporter)
    else:
        if login is None:
            raise UserError(
                "login-missing",
                "{file} has to be downloaded, which requires a login.",
                "Run the same command again: it will ask for your user name and password.",
                file=item.file,
            )
        _from_form(item, item.source, part, request, login, reporter)
    return Original(path, ours=True)


def _is_known(item: Item, path: Path, reporter: Reporter) -> bool:
    """Whether a finished download is still what it was; a damaged one is removed."""
    figures = records.known(item)
    if figures.sha256 is not None and not figures.differs(measure(path, reporter.progress)):
        return True
    reporter.note(f"{path} is damaged and will be downloaded again.")
    with explained_disk_errors(path.parent):
        path.unlink()
    return False


def _cached(item: Item, source: HubFile, request: Request, reporter: Reporter) -> Original | None:
    """The file in the hub library's cache, if it is intact. It stays there: nothing is copied."""
    found = hub.cached(source, item.file)
    if found is None:
        return None
    path, named = found
    expected = records.known(item)
    if expected.sha256 is None:
        expected = Figures(expected.size, named.sha256)
    if expected.sha256 is None and not request.offline:
        expected = hub.offered(source, item.file, reporter)
    if expected.sha256 is None:
        return None
    reporter.stage("verify")
    measured = measure(path, reporter.progress)
    if expected.differs(measured):
        reporter.note(f"{path}, in Hugging Face's cache, differs from the published file and is not used.")
        return None
    records.remember(item, measured)
    return Original(path, ours=False)


def _from_hub(item: Item, source: HubFile, part: Part, request: Request, reporter: Reporter) -> None:
    offered = hub.offered(source, item.file, reporter)
    records.refuse_difference(item, offered, hub.host())
    known = records.known(item)
    expected = Figures(known.size or offered.size, known.sha256 or offered.sha256)
    if expected.size is None or expected.sha256 is None:
        raise UserError(
            "hash-unknown",
            "{host} does not state the size and hash of {file}: {expected}.",
            "Download it from the publisher directly (without HF_ENDPOINT).",
            host=hub.host(),
            file=item.file,
            expected=expected,
        )
    part.begin(Origin(expected.size, expected.sha256))
    _require_space(item, expected, part, request)
    hub.transfer(source, item.file, part, reporter)
    _finish(item, part, expected, reporter)


def _from_form(
    item: Item, source: FormFile, part: Part, request: Request, credentials: form.Credentials, reporter: Reporter
) -> None:
    def accept(announced: Figures) -> None:
        records.refuse_difference(item, announced, source.url.partition("?")[0])
        _require_space(item, announced, part, request)

    form.transfer(item, source.url, credentials, part, accept, reporter)
    origin = part.origin
    _finish(item, part, Figures(origin.size if origin else None), reporter)


def _require_space(item: Item, figures: Figures, part: Part, request: Request) -> None:
    if figures.size is not None:
        missing = figures.size - part.size
        require_space(
            part.path.parent,
            missing + int(figures.size * request.installed_share),
            Sentence("Downloading and installing {file}", file=item.file),
            MORE_SPACE,
        )


def _finish(item: Item, part: Part, expected: Figures, reporter: Reporter) -> None:
    """Verify the complete part, record it, give it its name; a wrong one is thrown away.

    Raises UserError (``wrong-hash``, ``file-changed``, ``archive-damaged``).
    """
    reporter.stage("verify")
    measured = measure(part.path, reporter.progress)
    if expected.differs(measured):
        part.discard()
        raise UserError(
            "wrong-hash",
            "The download of {file} is damaged: {measured}, instead of {expected}. It was deleted.",
            "Run the same command again. If it happens again, try without HF_ENDPOINT.",
            file=item.file,
            measured=measured,
            expected=expected,
        )
    try:
        records.refuse_difference(item, measured, Sentence("The download"))
        if isinstance(item.source, FormFile):
            require_sound_zip(part.path, item.file)  # the only checksums that its publisher gives
    except UserError:
        part.discard()
        raise
    with explained_disk_errors(part.path.parent):
        records.remember(item, measured)
    part.finish()
