# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes out of a text what names a person or opens a door, so that it can be sent to somebody."""

from __future__ import annotations

import getpass
import re
import socket
from collections.abc import Iterable
from pathlib import Path

GENERIC_NAMES = frozenset(("root", "user", "admin", "administrator", "home", "runner", "blender", "localhost"))
"""Names that say nothing of a person, and that stand in many sentences."""

_NAME = r"[^\\/\s\"'<>|:,;()]+"

_SECRETS = (
    # whatever is in the way of a sign-in: http://name:password@proxy
    (re.compile(r"(\w+://)[^/\s@]+@"), r"\1<removed>@"),
    # signed addresses carry keys behind the question mark
    (re.compile(r"(\w+://[^\s?\"']+)\?[^\s\"']+"), r"\1?<removed>"),
    (re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), "<e-mail>"),
    (re.compile(r"\bhf_\w{8,}"), "<token>"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 <removed>"),
    (
        re.compile(r"(?i)\b(\w*password|passwd|\w*token|\w*secret|authorization|user ?name)\b([\"']?\s*[=:]\s*)[^\n]+"),
        r"\1\2<removed>",
    ),
)
_ANY_HOME = re.compile(  # of whomever, also where a name has spaces and where quoting doubles the separators
    r"(?i)(?<![\w.-])([a-z]:)?[\\/]+(home|users|documents and settings)[\\/]+"
    rf"({_NAME}(?: {_NAME}){{0,2}}(?=[\\/])|{_NAME})"
)


def redact(text: str, home: Path | None = None, names: Iterable[str] | None = None) -> str:
    """The text without home folders, user and host names, e-mail addresses, passwords, tokens and signed addresses.

    ``home`` and ``names`` default to this user's home folder and to the names of user, home folder and host.
    """
    home = home or Path.home()
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    if len(home.parts) > 1:
        separated = r"[\\/]+".join(re.escape(part.strip("\\/")) for part in home.parts)
        text = re.sub(r"(?<![\w.-])" + separated + r"(?![\w.-])", "~", text, flags=re.IGNORECASE)
    text = _ANY_HOME.sub("~", text)
    for name in _personal(home) if names is None else names:
        if len(name) > 1 and name.lower() not in GENERIC_NAMES:
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", "<name>", text, flags=re.IGNORECASE)
    return text


def _personal(home: Path) -> list[str]:
    """The names of this user, of the home folder and of this machine, the longest first."""
    names = {home.name}
    for ask in (getpass.getuser, socket.gethostname):
        try:
            names.add(ask())
        except (OSError, KeyError, ImportError):  # no entry for this user, as in containers
            continue
    return sorted(names - {""}, key=len, reverse=True)
