# SPDX-License-Identifier: GPL-3.0-or-later
"""Files behind a login form: the user's name and password go to the one address in the registry.

They travel in the form's body over verified TLS, never in an address; a redirect is followed without them; no message,
record or log has them, and errors that carry a request are cut off from their cause.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import requests

from engine.contract.errors import UserError
from engine.installed.registry import Item

from . import receiving, refusals
from .part import Part
from .receiving import Source
from .records import Figures
from .reporting import Reporter

_ZIP_START = b"PK"


@dataclass(frozen=True)
class Credentials:
    """A login; not shown when printed."""

    username: str = field(repr=False)
    password: str = field(repr=False)


def transfer(
    item: Item,
    address: str,
    credentials: Credentials,
    part: Part,
    accept: Callable[[Figures], None],
    reporter: Reporter,
) -> None:
    """Fetch the file, or the rest of it, into the part. Raises UserError; what has arrived stays.

    ``accept`` is called with the size that the server announces, before the first byte, and may raise.
    """
    form, host = {"username": credentials.username, "password": credentials.password}, refusals.host_of(address)

    def ask(session: requests.Session, headers: receiving.Headers) -> requests.Response:
        answer = session.post(
            address, data=form, headers=headers, stream=True, allow_redirects=False, timeout=receiving.TIMEOUT_S
        )
        if not answer.is_redirect:
            return answer
        with answer:
            return receiving.follow(session, receiving.redirect_target(address, answer), headers)

    def explain(answer: requests.Response, first: bytes) -> UserError | None:
        if answer.status_code in (401, 403) or (answer.status_code == 200 and not first.startswith(_ZIP_START)):
            return _login_refused(item, host)
        return None

    receiving.receive(Source(host, item.file, ask, explain, accept=accept), part, reporter)


def _login_refused(item: Item, host: str) -> UserError:
    return UserError(
        "login-refused",
        "{host} did not accept the user name and password for {file}.",
        "Register at {register}, confirm the email, accept the license there, and use that account.",
        host=host,
        file=item.file,
        register=item.register,
    )
