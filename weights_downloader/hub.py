# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of Hugging Face: huggingface_hub says what there is and what its cache holds; `receiving` fetches the bytes.

The library's `hf_hub_download` writes to a file of a random name that it deletes when anything goes wrong: gigabytes
would start anew after each cut. Its `http_get` does append, but writes whatever a server sends, a login page and an
endless body among it, and waits for as long as it is told. That also keeps to plain HTTP: the Xet protocol would speak
to other hosts than a mirror that ``HF_ENDPOINT`` names. The files are public, so no token is sent.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import httpx2
import requests
from huggingface_hub import HfFileMetadata, constants, get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.utils import build_hf_headers

from engine.contract.errors import UserError
from engine.installed.registry import HubFile

from . import receiving, refusals
from .part import Part
from .receiving import Source
from .records import Figures
from .reporting import Reporter

constants.HF_HUB_DISABLE_TELEMETRY = True  # nothing about this machine is said

_LOCAL = ("http://127.0.0.1", "http://localhost", "http://[::1]")


def offered(source: HubFile, file: str, reporter: Reporter) -> Figures:
    """Size and SHA-256 as the server states them. Raises UserError."""
    if host().startswith("http://") and not host().startswith(_LOCAL):
        reporter.note(
            f"The mirror {host()} is not encrypted: anybody on the way sees what is downloaded, and can change it. Use "
            "an https address in HF_ENDPOINT."
        )
    found = _metadata(source, file, reporter)
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
    return Figures(receiving.size_in(found.size, host()), sha256)


def _metadata(source: HubFile, file: str, reporter: Reporter) -> HfFileMetadata:
    """What the server says of a file: patiently with one that is busy; without a network, the error comes at once."""
    failures = 0
    while True:
        try:
            return get_hf_file_metadata(_address(source, file), token=False)
        except (httpx2.ReadError, httpx2.RemoteProtocolError, httpx2.ReadTimeout) as error:
            problem, wait_s = refusals.unreachable(host(), error), None
        except HfHubHTTPError as error:
            status = error.response.status_code
            problem, wait_s = refusals.of_status(status, host(), file), receiving.asked_wait_s(error.response.headers)
            if status not in receiving.BUSY and status < 500:
                raise problem from None
        except OfflineModeIsEnabled:
            raise offline(file) from None
        except httpx2.ProxyError as error:
            raise refusals.proxy_failed(file, error) from None
        except httpx2.HTTPError as error:
            raise refusals.unreachable(host(), error) from None
        except (ValueError, OverflowError) as error:  # a header with a number of a thousand digits
            raise refusals.nonsense(host(), str(error)) from None
        failures += 1
        if failures > receiving.RETRIES:
            raise problem
        receiving.pause(reporter, host(), wait_s)


def cached(source: HubFile, file: str) -> tuple[Path, Figures] | None:
    """The file in the hub library's own cache, and what its name there says of it; None where it is not."""
    path = try_to_load_from_cache(source.repository, file, revision=source.revision)
    if not isinstance(path, str):
        return None
    blob = Path(path).resolve().name
    return Path(path), Figures(None, blob if re.fullmatch("[0-9a-f]{64}", blob) else None)


def transfer(source: HubFile, file: str, part: Part, reporter: Reporter) -> None:
    """Append to the part until it has the size of its origin. Raises UserError; what has arrived stays."""
    origin = part.origin
    assert origin is not None, "Part.begin was called"
    if part.size == origin.size:
        return
    address, own = _address(source, file), build_hf_headers(token=False)

    def ask(session: requests.Session, headers: receiving.Headers) -> requests.Response:
        return receiving.follow(session, address, own | dict(headers))

    receiving.receive(Source(host(), file, ask, _explain(file), is_known=True), part, reporter)


def _explain(file: str) -> receiving.Explain:
    """Pages in the place of weights are told by what they say they are, or how they begin."""

    def explain(answer: requests.Response, first: bytes) -> UserError | None:
        is_page = answer.headers.get("Content-Type", "").lower().startswith("text/") or first.lstrip()[:1] == b"<"
        return refusals.wrong_body(host(), file) if first and is_page else None

    return explain


def is_offline() -> bool:
    """Whether the user switched the network off for the hub's library."""
    return constants.is_offline_mode()


def host() -> str:
    """The server in use: Hugging Face, or the mirror in ``HF_ENDPOINT``."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def _address(source: HubFile, file: str) -> str:
    return hf_hub_url(source.repository, file, revision=source.revision, endpoint=host())


def offline(file: str) -> UserError:
    """The error of a file that is not here while the network is switched off."""
    return UserError(
        "offline",
        "{file} is not on this computer, and offline mode is on.",
        "Go online (unset HF_HUB_OFFLINE, do not use --offline), or import a file that you have: "
        "python -m weights_downloader import FILE.",
        file=file,
    )
