# SPDX-License-Identifier: GPL-3.0-or-later
"""Bone names taken apart: what all of a rig's names begin with, sides, words and numbers.

A name is cut into words: at separators, at capitals, before and after digits, and where a script changes. A side may be
a word of its own (`l`, `left`, `左`, in front, behind or between), or be grown together with the next (`lArm`,
`leftarm`). Words that say nothing about the body (`def`, `bip01`, `j`) are passed over.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass
from functools import lru_cache

LEFT = ("l", "left", "lt", "lft", "lf", "izq", "izquierda", "gauche", "links", "sx", "左")
RIGHT = ("r", "right", "rt", "rgt", "rg", "der", "derecha", "droite", "rechts", "dx", "右")
SIDE_CODES = dict.fromkeys(LEFT, "left") | dict.fromkeys(RIGHT, "right")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_EMPTY = _set(
    "def bip biped j jnt joint bone b bn c x m org rig fk ctrl control ccbase cc base skel human character valve"
    " valvebiped sk main deform f val m0 of the dq avg facial stretch"
)
"""Words that many rigs put into every name."""

_OTHER = _set(
    "twist roll ik pole target helper end nub tip offset corrective jiggle aux share volume muscle socket attach weapon"
    " prop cloth hair skirt tail wing ear breast bust pec butt mch vis tweak master parent drv driver rubber"
    " palm metacarpal carpal widget null effector space half leaf adjust sleeve scarf correctiveroot shadow dummy"
    " nipple eye brow tongue teeth lip lid cheek nose"
)
"""Words of bones that are no limb."""

_CUTS = re.compile(
    r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])|(?<=[左右])|(?=[左右])"
)
_SEPARATORS = re.compile(r"[\W_]+")
_BRACKETS = re.compile(r"\[[^\]]*\]")
"""What some games repeat a name in, shortened: `L Thigh [LThg]`."""
_COPY = re.compile(r"\.\d{3}$")
_SHARED = 0.6
"""Share of a rig's bones that have to begin alike for that to be a prefix."""


@dataclass(frozen=True)
class Name:
    """What a bone's name says."""

    side: str
    """``left``, ``right`` or empty."""
    words: str
    """The rest in lower case, with spaces between words and without digits."""
    numbers: tuple[str, ...]
    """The numbers in it as they are written, those of a figure (`Bip01`) left out."""
    is_other: bool
    """Whether it says that the bone is something else than a limb."""
    kind: str
    """``fk`` for controls, ``def`` for bones that follow controls, or empty."""


def tokens(text: str) -> list[str]:
    """The words, sides and numbers of a name in their order, in lower case and in one form of each character."""
    plain = _BRACKETS.sub("", unicodedata.normalize("NFKC", text)) or text
    return [token for token in _SEPARATORS.split(_CUTS.sub(" ", plain).lower()) if token]


@lru_cache(maxsize=16384)  # presets are tried one after another on the same bones
def folded(text: str) -> tuple[str, ...]:
    """The same for all ways to write a name: separators, capitals, and how and where its side is said do not matter.

    The side comes first, empty where there is none.
    """
    side, rest = _without_side(tokens(text))
    return side, *rest


def without_namespace(name: str) -> str:
    """A name without what other programs put before it (`Hero:Hips`, `Armature|Hips`)."""
    return re.split(r"[:|]", name)[-1] or name


def without_copy(name: str) -> str:
    """A name without the number that Blender gives to copies (`Hips.001`)."""
    return _COPY.sub("", name)


def shared_start(names: Iterable[str]) -> str:
    """What most of a rig's bones begin with, up to a separator or a capital: a figure's name or a program's."""
    listed = list(names)
    starts = Counter(
        name[:end]
        for name in listed
        for end in range(1, len(name))
        if not name[end - 1].isalnum() or (name[end].isupper() and name[end - 1].islower() and end > 2)
    )
    common = [start for start, count in starts.items() if count >= _SHARED * len(listed) > 3]
    return max(common, key=len, default="")


def read(bone: str, start: str = "", known: Container[str] = ()) -> Name:
    """Take a bone's name apart. `start` is what all names begin with, `known` words that sides may have grown on to."""
    text = without_namespace(bone)
    words = tokens(text.removeprefix(start) or text)
    side, rest = _without_side(words)
    # the number of `Bip01` belongs to the figure, not to the bone
    digits = [word for place, word in enumerate(rest) if word.isdigit() and rest[place - 1 : place] != ["bip"]]
    rest = [word for word in rest if not word.isdigit()]
    if not side:
        side, rest = _grown_together(rest, known)
    kept = [word for word in rest if word not in _EMPTY] or rest
    kinds = {"fk": "fk", "ctrl": "fk", "control": "fk", "def": "def", "org": "def", "deform": "def"}
    kind = next((kinds[word] for word in rest if word in kinds), "")
    return Name(side, " ".join(kept), tuple(digits), any(word in _OTHER for word in rest), kind)


def _without_side(words: list[str]) -> tuple[str, list[str]]:
    place = next((place for place, word in enumerate(words) if word in SIDE_CODES), None)
    if place is None:
        return "", words
    return SIDE_CODES[words[place]], words[:place] + words[place + 1 :]


def _grown_together(words: list[str], known: Container[str]) -> tuple[str, list[str]]:
    """Separate sides from words that they are written together with: `leftarm`, `armleft`, `larm`."""
    for place, word in enumerate(words):
        if word in known:
            continue
        for code, side in SIDE_CODES.items():
            for rest in (word.removeprefix(code), word.removesuffix(code)):
                if rest != word and rest in known:
                    return side, [*words[:place], rest, *words[place + 1 :]]
    return "", words
