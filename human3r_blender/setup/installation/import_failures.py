# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do when Python cannot load a package that is there, by what it says."""

from __future__ import annotations

_BLOCKED = ("application control policy", "blocked by group policy", "virus or potentially unwanted software")
_DLL = ("dll load failed", "[winerror 126]", "[winerror 127]", "[winerror 1114]", "[winerror 4551]")
_RUNTIME = (
    "Install Microsoft's Visual C++ Redistributable (x64), then start again. If it is installed, look whether Smart "
    "App Control (Windows Security > App & Browser Control) or a virus scanner blocks files of the engine."
)
_ALLOW = (
    "Windows blocks a file of the engine. Look under Windows Security > App & Browser Control > Smart App Control and "
    "in your virus scanner, and allow the engine's folder."
)


def remedy(said: str) -> str:
    """The remedy for the last words of a Python that could not load a package; nothing where they tell nothing."""
    words = said.lower()
    if any(sign in words for sign in _BLOCKED):
        return _ALLOW
    return _RUNTIME if any(sign in words for sign in _DLL) else ""
