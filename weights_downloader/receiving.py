# SPDX-License-Identifier: GPL-3.0-or-later
"""The bytes of one file over HTTP, into a part, through requests: what every source of files has in common.

A server may cut, stall, drip, ask to wait, or send something else than the file. Cuts are gone on from. Nothing of a
body that cannot be the file stays, and nothing is written beyond the size that is known: not of a login page in the
place of the file, of a range that nobody asked for, of a body that was compressed on the way or that does not end.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NoReturn
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from engine.contract.errors import UserError

from . import refusals
from .part import Origin, Part
from .records import Figures
from .reporting import Reporter

RETRIES = 5
"""How often in a row a request may bring next to nothing."""
RETRY_WAIT_S = 1.0
TIMEOUT_S = 30.0
"""How long a server may be silent."""
LONGEST_WAIT_S = 120.0
"""How long a server may ask to wait at once, whatever it says."""
LEAST_RATE_B_PER_S = 1024
RATE_WINDOW_S = 60.0
"""A connection that brings less than that over so long is left for a new one."""
MOST_UNANNOUNCED_B = 8 << 30
"""How much is taken of a server that does not say how long the file is."""
LARGEST_SIZE_B = 1 << 50
"""Sizes beyond that are no sizes."""

_CHUNK = 1 << 18
_REDIRECTS = 10
BUSY = (408, 429)
"""Statuses that ask for patience."""
_IDENTITY = {"Accept-Encoding": "identity"}

Headers = Mapping[str, str]
Explain = Callable[[requests.Response, bytes], UserError | None]


def _accept_any(announced: Figures) -> None:
    """Of sources whose figures were accepted before the transfer."""


@dataclass(frozen=True)
class Source:
    """Where a file comes from."""

    host: str
    """For messages."""
    file: str
    open: Callable[[requests.Session, Headers], requests.Response]
    """Asks for the file, with the headers given, as a stream."""
    explain: Explain
    """What is wrong with an answer, by its head and its first bytes (empty for a refusal); None: nothing that shows."""
    is_known: bool = False
    """Whether the part's origin says already how long the file has to be; else the first answer says it."""
    accept: Callable[[Figures], None] = field(default=_accept_any)
    """Called with the size that the server announces, before the first byte is kept. May raise UserError."""


class _Again(Exception):
    """It did not work, and may work the next time."""

    def __init__(self, error: UserError, wait_s: float | None = None) -> None:
        super().__init__(error)
        self.error, self.wait_s = error, wait_s


def receive(source: Source, part: Part, reporter: Reporter) -> None:
    """Fetch a file, or the rest of it, into its part. Raises UserError; what has arrived of the file stays."""
    session, failures = requests.Session(), 0
    while True:
        before = part.size
        try:
            with source.open(session, _headers(part)) as answer:
                _keep(source, answer, part)
            return
        except _Again as again:
            problem, wait_s = again.error, again.wait_s
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            problem, wait_s = refusals.of_connection(source.host, source.file, error), None
            if not refusals.may_pass(problem):
                raise problem from None
        failures = 0 if part.size - before >= LEAST_RATE_B_PER_S * RATE_WINDOW_S else failures + 1
        if failures > RETRIES:
            raise problem from None
        pause(reporter, source.host, wait_s)


def follow(session: requests.Session, address: str, headers: Headers) -> requests.Response:
    """Ask for an address and go where it leads, never from an encrypted connection to an open one. Raises UserError
    (``insecure-redirect``, ``server-failed``) and what requests raises.
    """
    for _ in range(_REDIRECTS):
        answer = session.get(address, headers=headers, stream=True, allow_redirects=False, timeout=TIMEOUT_S)
        if not answer.is_redirect:
            return answer
        with answer:
            address = redirect_target(address, answer)
    raise refusals.nonsense(refusals.host_of(address), "it redirects without end")


def redirect_target(address: str, answer: requests.Response) -> str:
    """Where a redirect leads. Raises UserError (``insecure-redirect``)."""
    target = urljoin(address, answer.headers["Location"])
    if urlsplit(address).scheme == "https" and urlsplit(target).scheme != "https":
        raise UserError(
            "insecure-redirect",
            "{host} redirects to an unencrypted address, {target}.",
            "Download the file in a browser and import it: python -m weights_downloader import FILE.",
            host=refusals.host_of(address),
            target=refusals.host_of(target),
        )
    return target


def pause(reporter: Reporter, host: str, asked_s: float | None = None) -> None:
    """Wait before asking again: for as long as the server asks, within bounds, and saying so."""
    if asked_s is None or asked_s <= RETRY_WAIT_S:
        time.sleep(RETRY_WAIT_S if asked_s is None else asked_s)
        return
    wait_s = min(asked_s, LONGEST_WAIT_S)
    reporter.note(f"{host} asks to wait {asked_s:.0f} s; trying again in {wait_s:.0f} s.")
    reporter.stage("busy")  # last: whoever hears it may cancel at once, and knows why by then
    until = time.monotonic() + wait_s
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 0.5))  # Windows hears of a cancel only between two waits
    reporter.stage("download")


def asked_wait_s(headers: Headers) -> float | None:
    """Seconds that ``Retry-After`` asks for, 0 or more; None where it says nothing that makes sense."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}", text):
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):  # no date, or one without a zone
        return None


def size_in(text: str | int | None, host: str) -> int | None:
    """A size in bytes out of a header; None where there is none. Raises UserError (``server-failed``)."""
    if text is None or text == "":
        return None
    size = int(text) if re.fullmatch(r"\d{1,18}", str(text).strip()) else -1
    if not 0 <= size <= LARGEST_SIZE_B:
        raise refusals.nonsense(host, f"it says that the file has {str(text)[:40]} bytes")
    return size


def _headers(part: Part) -> dict[str, str]:
    origin, begin = part.origin, part.size
    if origin is None or not begin or begin == origin.size == 0:
        return dict(_IDENTITY)
    condition = {"If-Range": origin.validator} if origin.validator and not _is_hash(origin.validator) else {}
    return _IDENTITY | {"Range": f"bytes={begin}-"} | condition


def _is_hash(validator: str) -> bool:
    """Whether it is the content's own hash, which is no name that a server would know it by."""
    return re.fullmatch("[0-9a-f]{64}", validator) is not None


def _keep(source: Source, answer: requests.Response, part: Part) -> None:
    """Take in one answer. Raises UserError, `_Again`."""
    status = answer.status_code
    if status in BUSY or status >= 500:
        raise _Again(refusals.of_status(status, source.host, source.file), asked_wait_s(answer.headers))
    if status == 416:
        return _end_or_anew(source, part)
    if status not in (200, 206):
        raise source.explain(answer, b"") or refusals.of_status(status, source.host, source.file)
    if answer.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        raise refusals.wrong_body(source.host, source.file)
    if status == 206 and not _continues(answer, part):
        _throw_away(source, part)
    size = _announced(source, answer, part)
    first = _read(answer)
    if status == 200:
        problem = source.explain(answer, first)
        if problem is not None:
            raise problem
        _begin(source, answer, size, part)
    elif size is not None:
        source.accept(Figures(size))
    _store(source, answer, first, size, part)


def _end_or_anew(source: Source, part: Part) -> None:
    """There is no such range: the file is complete, or the part is not of this file."""
    origin = part.origin
    if origin is None or origin.size != part.size:
        _throw_away(source, part)


def _throw_away(source: Source, part: Part) -> NoReturn:
    """What is there is not gone on with; the next request asks for all of it."""
    origin, begin = part.origin, part.size
    part.discard()
    if source.is_known and origin is not None:
        part.begin(origin)
    raise _Again(
        UserError(
            "wrong-length",
            "{host} refuses to resume {file} at byte {begin}.",
            "Run the same command again later.",
            host=source.host,
            file=source.file,
            begin=begin,
        )
    )


def _continues(answer: requests.Response, part: Part) -> bool:
    """Whether a partial answer is what was asked for: the rest of this file."""
    span = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", answer.headers.get("Content-Range", "").strip())
    origin, begin = part.origin, part.size
    if span is None or origin is None or not begin:
        return False
    first, last, size = map(int, span.groups())
    return (first, last) == (begin, size - 1) and size == origin.size


def _announced(source: Source, answer: requests.Response, part: Part) -> int | None:
    """How long the whole file is, by this answer and by what is known. Raises UserError (``wrong-length``,
    ``server-failed``).
    """
    origin = part.origin
    length = size_in(answer.headers.get("Content-Length"), source.host)
    if answer.status_code == 206:
        known = origin.size if origin is not None else None
        if length is not None and known is not None and part.size + length != known:
            raise refusals.wrong_length(source.host, source.file, known, part.size + length)
        return known
    known = origin.size if origin is not None and source.is_known else None
    if length is not None and known is not None and length != known:
        raise refusals.wrong_length(source.host, source.file, known, length)
    return known if known is not None else length


def _begin(source: Source, answer: requests.Response, size: int | None, part: Part) -> None:
    """Start the part anew, as the part of what this answer brings."""
    origin = part.origin if source.is_known else None
    part.discard()
    if origin is None:
        source.accept(Figures(size))
        validator = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        origin = Origin(size, "" if validator.startswith("W/") else validator)  # weak ones do not bind bytes
    part.begin(origin)


def _store(source: Source, answer: requests.Response, first: bytes, size: int | None, part: Part) -> None:
    """Append an answer's bytes. Raises `_Again` when they end too early or come too slowly; UserError
    (``wrong-length``) when there are more than the file has: then none of them stays.
    """
    most = MOST_UNANNOUNCED_B if size is None else size
    piece, written, pace = first, part.size, _Pace()
    with part.open() as sink:
        while piece and written + len(piece) <= most:
            written += sink.write(piece)
            if pace.is_too_slow(len(piece)):
                raise _Again(refusals.connection_lost(source.host))
            piece = _read(answer)
    if piece:
        part.discard()
        raise refusals.wrong_length(source.host, source.file, most, None)
    if size is not None and written < size:
        raise _Again(refusals.connection_lost(source.host))


def _read(answer: requests.Response) -> bytes:
    """The next bytes as they were sent, few or many: whatever has arrived. Raises what urllib3 raises."""
    data: bytes = answer.raw.read1(_CHUNK)
    return data


class _Pace:
    """Whether a connection brings enough: bytes over windows of time."""

    def __init__(self) -> None:
        self._begun_s, self._bytes = time.monotonic(), 0

    def is_too_slow(self, more: int) -> bool:
        """Count more bytes; at the end of each window, say whether they were too few."""
        self._bytes += more
        passed_s = time.monotonic() - self._begun_s
        if passed_s < RATE_WINDOW_S:
            return False
        slow = self._bytes < LEAST_RATE_B_PER_S * passed_s
        self._begun_s, self._bytes = time.monotonic(), 0
        return slow
