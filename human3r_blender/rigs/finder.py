# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds a preset's names among a rig's bones: exactly, or as other programs, imports and people write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from .words import folded, shared_start, without_copy, without_namespace

COPIED = 0.995
"""Worth of a name to the letter but for the number that Blender gives copies."""
_SPELLING = 0.99
"""Worth of a name that is the same but for capitals and what stands between words."""
_WORDS = 0.75
"""Worth of one that is the same only by its words and its side."""


class Finder:
    """The bones of one rig, for a preset whose names a rig may have after `prefix`, a regular expression."""

    def __init__(self, prefix: str, bone_names: Iterable[str]) -> None:
        names = list(bone_names)
        start, own = re.compile(prefix, re.IGNORECASE), shared_start(map(without_namespace, names))
        bare: tuple[Callable[[str], str], ...] = (
            lambda name: name,
            lambda name: start.sub("", name, count=1),
            without_namespace,
            lambda name: start.sub("", without_namespace(name), count=1),
            lambda name: without_namespace(name).removeprefix(own),
            lambda name: start.sub("", without_namespace(name).removeprefix(own), count=1),
        )
        forms = [(name, [*dict.fromkeys(form(name) for form in bare)]) for name in names]
        self._exact: dict[str, str] = {}
        self._copied: dict[str, str] = {}
        self._plain: dict[str, str] = {}
        self._words: dict[tuple[str, ...], str] = {}
        for place in range(len(bare)):
            for name, spelt in forms:
                if place < len(spelt) and spelt[place]:
                    self._exact.setdefault(spelt[place], name)
                    self._plain.setdefault(_plain(spelt[place]), name)
                    self._words.setdefault(folded(spelt[place]), name)
        for name, spelt in forms:
            for form in spelt:
                self._copied.setdefault(without_copy(form), name)
                self._words.setdefault(folded(without_copy(form)), name)

    def __call__(self, alternatives: str) -> str:
        """The rig's bone for a name, or for the first that it has of several between `|`; empty for none."""
        return self._find(alternatives)[0]

    def exactness(self, alternatives: str) -> float:
        """How exactly a name is found: 1 to the letter, less in another spelling, 0 where it is not."""
        return self._find(alternatives)[1]

    def _find(self, alternatives: str) -> tuple[str, float]:
        wanted = alternatives.split("|") if alternatives else []
        for name in wanted:
            if name in self._exact:
                return self._exact[name], 1.0
        for name in wanted:
            if name in self._copied:
                return self._copied[name], COPIED
        for name in wanted:
            if _plain(name) in self._plain:
                return self._plain[_plain(name)], _SPELLING
        for name in wanted:
            if folded(name) in self._words:
                return self._words[folded(name)], _WORDS
        return "", 0.0


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "_", name.lower())
