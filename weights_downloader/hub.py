# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of Hugging Face, through huggingface_hub: its metadata, its cache, its transfer.

Its `hf_hub_download` writes to a file of a random name that it deletes when anything goes wrong: gigabytes would start
anew after each cut. Its parts do better: `get_hf_file_metadata` says size and hash, `http_get` appends from where a
file ends. That also keeps to plain HTTP: the Xet protocol would speak to other hosts than a mirror that ``HF_ENDPOINT``
names, and does not append either. Proxies, certificates, time limits and ``Retry-After`` are the library's business.
The files are public, so no token is sent.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2
from huggingface_hub import HfFileMetadata, constants, get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers, disable_progress_bars

from engine.contract.errors import UserError
from engine.installed.registry import HubFile

from .part import Part
from .records import Figures

RETRIES = 5
"""How often in a row a connection may break without bringing a byte."""

RETRY_WAIT_S = 1.0

constants.DOWNLOAD_CHUNK_SIZE = 1 << 20  # a cut costs at most so much, and slow lines show progress
constants.HF_HUB_DISABLE_TELEMETRY = True  # nor does it say anything about this machine
disable_progress_bars()

_PLAIN = {"Accept-Encoding": "identity"}
_TRY_AGAIN = "Check the network and run the same command again: it resumes where it stopped."


def offered(source: HubFile, file: str) -> Figures:
    """Size and SHA-256 as the server states them. Raises UserError."""
    try:
        with _explained(file):
            found = _metadata(_address(source, file))
    except _Broken as broken:
        raise broken.error from None
    if found.commit_hash not in (None, source.revision):
        raise UserError(
            "file-changed",
            "{host} answered with revision {commit_hash} instead of {revision}.",
            "Download it from the publisher directly (without HF_ENDPOINT).",
            host=host(),
            commit_hash=found.commit_hash,
            revision=source.revision,
        )
    sha256 = found.etag if found.etag and re.fullmatch("[0-9a-f]{64}", found.etag) else None
    return Figures(found.size, sha256)


def _metadata(address: str) -> HfFileMetadata:
    """Patiently with a server that is busy; without a network, the error comes at once."""
    try:
        return get_hf_file_metadata(address, token=False)
    except (httpx2.TimeoutException, httpx2.ReadError, httpx2.RemoteProtocolError):
        pass
    except HfHubHTTPError as error:
        if error.response.status_code not in (408, 429) and error.response.status_code < 500:
            raise
    return get_hf_file_metadata(address, token=False, retry_on_errors=True)


def cached(source: HubFile, file: str) -> tuple[Path, Figures] | None:
    """The file in the hub library's own cache, and what its name there says of it; None where it is not."""
    path = try_to_load_from_cache(source.repository, file, revision=source.revision)
    if not isinstance(path, str):
        return None
    blob = Path(path).resolve().name
    return Path(path), Figures(None, blob if re.fullmatch("[0-9a-f]{64}", blob) else None)


def transfer(source: HubFile, file: str, part: Part) -> None:
    """Append to the part until it has the size of its origin. Raises UserError; what has arrived stays."""
    origin = part.origin
    assert origin is not None, "Part.begin was called"
    failures, restarted = 0, False
    while True:
        before = part.size
        try:
            with _explained(file), part.open() as sink:
                http_get(
                    _address(source, file),
                    sink,
                    resume_size=before,
                    expected_size=origin.size,
                    headers=build_hf_headers(token=False, headers=_PLAIN),
                    displayed_filename=file,
                )
            return
        except _OutOfRange as broken:
            if restarted:
                raise broken.error from None
            restarted = True
            part.discard()
            part.begin(origin)
        except _Broken as broken:
            failures = 0 if part.size > before else failures + 1
            if failures > RETRIES:
                raise broken.error from None
            time.sleep(RETRY_WAIT_S)


def is_offline() -> bool:
    """Whether the user switched the network off for the hub's library."""
    return constants.is_offline_mode()


def host() -> str:
    """The server in use: Hugging Face, or the mirror in ``HF_ENDPOINT``."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def _address(source: HubFile, file: str) -> str:
    return hf_hub_url(source.repository, file, revision=source.revision, endpoint=host())


class _Broken(Exception):
    """The transfer broke in a way that the library does not try again after, and that may pass."""

    def __init__(self, error: UserError) -> None:
        super().__init__(error)
        self.error = error


class _OutOfRange(_Broken):
    """The server has no such range."""


@contextlib.contextmanager
def _explained(file: str) -> Iterator[None]:
    """The library's errors as UserError."""
    try:
        yield
    except OfflineModeIsEnabled as error:
        raise offline(file) from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status == 416:
            raise _OutOfRange(
                UserError(
                    "wrong-length",
                    "{host} refuses to send the rest of {file} (HTTP 416).",
                    _TRY_AGAIN,
                    host=host(),
                    file=file,
                )
            ) from error
        problem = refused(status, host(), file)
        raise _Broken(problem) if status >= 500 else problem from error
    except httpx2.ProxyError as error:
        raise UserError(
            "proxy-failed",
            "The proxy blocks {file}: {error}.",
            "Check the environment variables HTTPS_PROXY and NO_PROXY.",
            file=file,
            error=error,
        ) from error
    except httpx2.ReadError as error:
        raise _Broken(
            UserError("connection-lost", "The connection to {host} was lost repeatedly.", _TRY_AGAIN, host=host())
        ) from error
    except httpx2.HTTPError as error:
        raise unreachable(host(), error) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise UserError(
            "wrong-length",
            "{host} sent {file} with a different length than announced: {reason}",
            _TRY_AGAIN,
            host=host(),
            file=file,
            reason=str(error).splitlines()[0],
        ) from error


def offline(file: str) -> UserError:
    """The error of a file that is not here while the network is switched off."""
    return UserError(
        "offline",
        "{file} is not on this computer, and offline mode is on.",
        "Go online (unset HF_HUB_OFFLINE, do not use --offline), or import a file that you have: "
        "python -m weights_downloader import FILE.",
        file=file,
    )


def refused(status: int, where: str, file: str) -> UserError:
    """The error of an HTTP status that means failure."""
    if status in (401, 403):
        return UserError(
            "access-refused",
            "{where} denied access to {file} (HTTP {status}).",
            "Try without HF_ENDPOINT. On a company network, ask for access to that host.",
            where=where,
            file=file,
            status=status,
        )
    if status in (404, 410):
        return UserError(
            "not-published",
            "{where} does not have {file} (HTTP {status}).",
            "Try without HF_ENDPOINT. If the publisher has removed it, import a file that you have.",
            where=where,
            file=file,
            status=status,
        )
    if status == 429:
        return UserError(
            "server-busy",
            "{where} limits downloads and was still busy after several tries (HTTP 429).",
            "Run the same command again in an hour: it resumes where it stopped.",
            where=where,
        )
    return UserError(
        "server-failed",
        "{where} cannot send {file} at the moment (HTTP {status}).",
        "Run the same command again later: it resumes where it stopped.",
        where=where,
        file=file,
        status=status,
    )


def unreachable(where: str, error: Exception) -> UserError:
    """The error of a server that does not answer, or whose certificate is not valid."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return UserError(
            "certificate-invalid",
            "The certificate of {where} cannot be verified: {error}.",
            "Check the computer's clock. Behind a company proxy, set SSL_CERT_FILE and REQUESTS_CA_BUNDLE to its "
            "certificate file.",
            where=where,
            error=error,
        )
    why = str(error) or type(error).__name__
    address = urlsplit(where)
    has_proxy = {address.scheme, "all"} & set(getproxies()) and not proxy_bypass(address.hostname or "")
    message = (
        "{where} cannot be reached through the proxy set in the environment, or does not respond: {why}."
        if has_proxy
        else "{where} cannot be reached or does not respond: {why}."
    )
    return UserError("no-connection", message, _TRY_AGAIN, where=where, why=why)
