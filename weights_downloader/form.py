# SPDX-License-Identifier: GPL-3.0-or-later
"""Files behind a login form, through requests: the user's name and password go to the one address in the registry.

They travel in the form's body over verified TLS, never in an address; a redirect is followed without them; no message,
record or log has them, and errors that carry a request are cut off from their cause.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from engine.contract.errors import UserError
from engine.installed.registry import Item

from .hub import RETRIES, RETRY_WAIT_S, refused, unreachable
from .part import Origin, Part
from .records import Figures

TIMEOUT_S = 30.0
"""How long a server may be silent."""

_CHUNK = 1 << 18
_ZIP_START = b"PK"


@dataclass(frozen=True)
class Credentials:
    """A login; not shown when printed."""

    username: str = field(repr=False)
    password: str = field(repr=False)


def transfer(item: Item, address: str, credentials: Credentials, part: Part, accept: Callable[[Figures], None]) -> None:
    """Fetch the file, or the rest of it, into the part. Raises UserError; what has arrived stays.

    ``accept`` is called with the size that the server announces, before the first byte, and may raise.
    """
    session = requests.Session()
    again = Retry(
        total=RETRIES,
        connect=0,
        read=0,
        other=0,
        status_forcelist=(408, 429, 500, 502, 503, 504),
        allowed_methods=None,
        backoff_factor=0.5,
        respect_retry_after_header=True,
        raise_on_status=False,
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=again))
    failures = 0
    while True:
        before = part.size
        try:
            if _receive(session, item, address, credentials, part, accept):
                return
            problem = UserError(
                "wrong-length",
                "{host} refuses to resume {file} at byte {before}.",
                "Run the same command again later.",
                host=_host(address),
                file=item.file,
                before=before,
            )
        except requests.exceptions.ProxyError:
            raise UserError(
                "proxy-failed",
                "The proxy blocks {file}.",
                "Check the environment variables HTTPS_PROXY and NO_PROXY.",
                file=item.file,
            ) from None
        except requests.exceptions.SSLError as error:
            raise unreachable(_host(address), _innermost(error)) from None
        except requests.exceptions.RequestException as error:
            problem = unreachable(_host(address), _innermost(error))
        failures = 0 if part.size > before else failures + 1
        if failures > RETRIES:
            raise problem from None
        time.sleep(RETRY_WAIT_S)


def _receive(
    session: requests.Session,
    item: Item,
    address: str,
    credentials: Credentials,
    part: Part,
    accept: Callable[[Figures], None],
) -> bool:
    """One request; whether the file is complete then. A part that does not fit is thrown away, for the next one."""
    had, headers = part.origin, {"Accept-Encoding": "identity"}
    begin = part.size if had is not None else 0
    if had is not None and begin:
        headers["Range"] = f"bytes={begin}-"
        if had.validator:
            headers["If-Range"] = had.validator
    form = {"username": credentials.username, "password": credentials.password}
    answer = session.post(address, data=form, headers=headers, stream=True, allow_redirects=False, timeout=TIMEOUT_S)
    with answer:
        if answer.is_redirect:
            with session.get(_target(address, answer), headers=headers, stream=True, timeout=TIMEOUT_S) as redirected:
                return _store(redirected, item, address, begin, part, accept)
        return _store(answer, item, address, begin, part, accept)


def _store(
    answer: requests.Response, item: Item, address: str, begin: int, part: Part, accept: Callable[[Figures], None]
) -> bool:
    had, status = part.origin, answer.status_code
    if status == 416:
        complete = had is not None and had.size == begin
        if not complete:
            part.discard()
        return complete
    if status == 206:
        span = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", answer.headers.get("Content-Range", ""))
        if had is None or span is None or int(span[1]) != begin or int(span[2]) != had.size:
            part.discard()
            return False
    elif status != 200:
        raise _login_refused(item, address) if status in (401, 403) else refused(status, _host(address), item.file)
    pieces = answer.iter_content(_CHUNK)
    first = next(pieces, b"")
    if status == 200:
        if not first.startswith(_ZIP_START):
            raise _login_refused(item, address)
        length = answer.headers.get("Content-Length", "")
        size = int(length) if length.isdigit() else None
        validator = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        part.discard()
        accept(Figures(size))
        part.begin(Origin(size, "" if validator.startswith("W/") else validator))  # weak ones do not bind bytes
    elif had is not None:
        accept(Figures(had.size))
    with part.open() as sink:
        sink.write(first)
        for piece in pieces:
            sink.write(piece)
    return True


def _target(address: str, answer: requests.Response) -> str:
    """Where a redirect leads; never from a protected connection to an open one."""
    target = urljoin(address, answer.headers["Location"])
    if urlsplit(address).scheme == "https" and urlsplit(target).scheme != "https":
        raise UserError(
            "insecure-redirect",
            "{host} redirects to an unencrypted address, {target}.",
            "Download the file in a browser and import it: python -m weights_downloader import FILE.",
            host=_host(address),
            target=_host(target),
        )
    return target


def _login_refused(item: Item, address: str) -> UserError:
    return UserError(
        "login-refused",
        "{host} did not accept the user name and password for {file}.",
        "Register at {register}, confirm the email, accept the license there, and use that account.",
        host=_host(address),
        file=item.file,
        register=item.register,
    )


def _innermost(error: Exception) -> Exception:
    """What it was, without the two libraries' wrappings around it."""
    inner = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    reason = getattr(inner, "reason", None)
    return reason if isinstance(reason, Exception) else inner


def _host(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
