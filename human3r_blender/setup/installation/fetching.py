# SPDX-License-Identifier: GPL-3.0-or-later
"""One file from a package index over HTTPS, with what Python itself brings: no pip is needed for it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import netrc
import os
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from ....engine.contract.errors import UserError
from ....engine.contract.sentences import Sentence
from .commands import Runner, host, installer_environment

PYPI = "https://pypi.org/simple"
TIMEOUT_S = 30.0
PIECE = 1 << 16
MOST_BYTES = 1 << 28
"""No page and no installer comes near this."""
_WAIT_S = 0.1

Report = Callable[[int, int], None]
"""Told of bytes that are there, and of how many there will be (0 where the server does not say)."""

AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where systems keep the certificates that they trust. A Python that was built elsewhere looks in other places."""


def sources() -> list[str]:
    """Where packages are looked for, in order: folders and pages of links, further indexes, and the index itself."""
    variables = installer_environment()
    links = _listed(variables.get("UV_FIND_LINKS", ""))
    further = _listed(variables.get("UV_INDEX", "")) + _listed(variables.get("UV_EXTRA_INDEX_URL", ""))
    own = variables.get("UV_DEFAULT_INDEX") or variables.get("UV_INDEX_URL") or PYPI
    indexes = [*(address.partition("=")[2] if _is_named(address) else address for address in further), own]
    return [*links, *(f"{address.rstrip('/')}/uv/" for address in indexes)]


def get(
    address: str, runner: Runner, accept: str = "*/*", report: Report = lambda done, total: None
) -> tuple[bytes, str]:
    """(content, its kind) of what lies at an address. Raises `Cancelled` as soon as the runner is cancelled, and
    :class:`UserError` (``download-failed``) for a host that does not answer, or answers with an error.
    """
    answer: list[tuple[bytes, str] | BaseException] = []
    stop = threading.Event()

    def work() -> None:
        try:
            answer.append(_read(address, accept, report, stop))
        except BaseException as error:  # told where somebody waits for it
            answer.append(error)

    thread = threading.Thread(target=work, name="human3r-fetch", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_WAIT_S)
            runner.check()
    finally:
        stop.set()  # a thread that waits for a silent server ends by itself, and nobody waits for it
    if isinstance(answer[0], BaseException):
        raise _explained(address, answer[0]) from answer[0]
    return answer[0]


def check_hash(content: bytes, known: Collection[str], name: str) -> None:
    """Raises :class:`UserError` (``hash-mismatch``) for content that has none of the known SHA-256."""
    digest = hashlib.sha256(content).hexdigest()
    if digest not in known:
        raise UserError(
            "hash-mismatch",
            "A download does not match the lock file, so it was refused: {name} has the SHA-256 {digest}.",
            "Try again on another network. If it happens again, a mirror or a proxy serves different files. What was "
            "installed before is unchanged.",
            name=name,
            digest=digest,
        )


def unreachable(name: str) -> UserError:
    """What is said of a host that does not answer; the rest is in the report."""
    return UserError(
        "download-failed",
        "{host} cannot be reached.",
        "Check the connection (and HTTPS_PROXY and UV_DEFAULT_INDEX if you use them), then start again: what has been "
        "downloaded is kept.",
        host=name,
    )


def _listed(value: str) -> list[str]:
    return [word for word in value.replace(",", " ").split() if word]


def _is_named(address: str) -> bool:
    """Whether it is ``NAME=ADDRESS``, as uv's variable may have it."""
    return "=" in address.partition("://")[0]


def _read(address: str, accept: str, report: Report, stop: threading.Event) -> tuple[bytes, str]:
    if "://" not in address:
        return Path(address).read_bytes(), ""
    content, last = bytearray(), 0.0
    with _opener().open(_request(address, accept), timeout=_timeout()) as response:
        total = int(response.headers.get("Content-Length") or 0)
        while piece := response.read(PIECE):
            content += piece
            if stop.is_set() or len(content) > MOST_BYTES:
                raise ValueError("too much")
            if time.monotonic() - last > _WAIT_S:
                last = time.monotonic()
                report(len(content), total)
        if len(content) < total:
            raise http.client.IncompleteRead(b"", total - len(content))
        return bytes(content), response.headers.get("Content-Type") or ""


def _opener() -> urllib.request.OpenerDirector:
    """Takes proxies from the environment, as uv does; certificates are always verified."""
    proxies = urllib.request.getproxies()
    if "all" in proxies:
        proxies = {"http": proxies["all"], "https": proxies["all"]} | proxies
    secure = urllib.request.HTTPSHandler(context=_context())
    return urllib.request.build_opener(urllib.request.ProxyHandler(proxies), secure)


def _context() -> ssl.SSLContext:
    """Trusts what the system, the environment and Blender's own certificates name."""
    context = ssl.create_default_context()
    named = installer_environment().get("SSL_CERT_FILE")
    for path in (named, *AUTHORITIES):
        if path and os.path.isfile(path):  # noqa: PTH113  (whatever the environment says)
            with contextlib.suppress(OSError, ssl.SSLError):
                context.load_verify_locations(path)
    if not context.cert_store_stats()["x509_ca"] and not os.environ.get("SSL_CERT_DIR"):
        with contextlib.suppress(ImportError, OSError):
            import certifi  # Blender brings it

            context.load_verify_locations(certifi.where())
    return context


def _request(address: str, accept: str) -> urllib.request.Request:
    """With the login that the address itself or the user's netrc file has."""
    parts = urllib.parse.urlsplit(address)
    place = parts.netloc.rpartition("@")[2]
    login = (parts.username, parts.password) if parts.username else _netrc_login(parts.hostname or "")
    request = urllib.request.Request(parts._replace(netloc=place, fragment="").geturl(), headers={"Accept": accept})
    if login is not None:
        words = ":".join(urllib.parse.unquote(word or "") for word in login)
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(words.encode()).decode()}")
    return request


def _netrc_login(name: str) -> tuple[str | None, str | None] | None:
    try:
        found: Any = netrc.netrc(os.environ.get("NETRC")).authenticators(name)
    except (OSError, netrc.NetrcParseError):
        return None
    return (found[0], found[2]) if found else None


def _timeout() -> float:
    with contextlib.suppress(ValueError):
        return max(1.0, float(installer_environment().get("UV_HTTP_TIMEOUT", "")))
    return TIMEOUT_S


def _explained(address: str, error: BaseException) -> BaseException:
    name = host(address)
    if isinstance(error, urllib.error.HTTPError):
        return UserError(
            "download-failed",
            "{host} does not give what was asked for (HTTP {code}).",
            "Check the mirror (UV_DEFAULT_INDEX) and the proxy (HTTPS_PROXY) if you use them, or try again later.",
            host=name,
            code=error.code,
        )
    if isinstance(error, OSError | http.client.HTTPException | ValueError):
        return unreachable(Sentence("{host}", host=name))
    return error
