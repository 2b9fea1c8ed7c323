# SPDX-License-Identifier: GPL-3.0-or-later
"""What servers and networks do to a download, as errors that say what to do."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import requests

from engine.contract.errors import UserError

TRY_AGAIN = "Check the network and run the same command again: it resumes where it stopped."


def of_status(status: int, where: str, file: str) -> UserError:
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


def of_connection(where: str, file: str, error: Exception) -> UserError:
    """The error of a connection that could not be made, or that broke."""
    if isinstance(error, requests.exceptions.ProxyError):
        return proxy_failed(file, innermost(error))
    if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.Timeout):
        return unreachable(where, innermost(error))
    if isinstance(error, requests.exceptions.RequestException):
        return nonsense(where, str(innermost(error)))
    return connection_lost(where)


def may_pass(problem: UserError) -> bool:
    """Whether the same request may work a moment later."""
    return problem.code not in ("proxy-failed", "certificate-invalid", "server-failed")


def proxy_failed(file: str, error: Exception) -> UserError:
    return UserError(
        "proxy-failed",
        "The proxy blocks {file}: {error}.",
        "Check the environment variables HTTPS_PROXY and NO_PROXY.",
        file=file,
        error=error,
    )


def connection_lost(where: str) -> UserError:
    return UserError(
        "connection-lost",
        "The connection to {where} was lost repeatedly, or brings next to nothing.",
        TRY_AGAIN,
        where=where,
    )


def wrong_length(where: str, file: str, expected: int, found: int | None) -> UserError:
    """A body with another length than the file has; `found` is None where it did not end."""
    said = (
        "{where} sends more than {expected} bytes for {file}, so it was refused."
        if found is None
        else "{where} sends {file} with {found} bytes instead of {expected}, so it was refused."
    )
    return UserError("wrong-length", said, TRY_AGAIN, where=where, file=file, expected=expected, found=found)


def wrong_body(where: str, file: str) -> UserError:
    """Something else in the place of the file."""
    return UserError(
        "wrong-body",
        "{where} sends something else instead of {file}, such as a login page.",
        "Open a web page in a browser, in case the network wants a login first; then run the same command again. "
        "Behind a company's filter, ask for access to that host.",
        where=where,
        file=file,
    )


def nonsense(where: str, what: str) -> UserError:
    """A server that says impossible things."""
    return UserError(
        "server-failed",
        "The answer of {where} makes no sense: {what}.",
        "Try again later, or without HF_ENDPOINT.",
        where=where,
        what=what,
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
    return UserError("no-connection", message, TRY_AGAIN, where=where, why=why)


def innermost(error: Exception) -> Exception:
    """What it was, without the two libraries' wrappings around it."""
    inner = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    reason = getattr(inner, "reason", None)
    return reason if isinstance(reason, Exception) else inner


def host_of(address: str) -> str:
    """Scheme and host of an address, without what may be secret in it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")
