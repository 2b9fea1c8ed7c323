# SPDX-License-Identifier: GPL-3.0-or-later
"""Bones found by what they are called, for rigs that no preset knows.

A name is cut into words: at separators, at capitals, before and after digits. A side may be a word of its own (`l`,
`left`, in front, behind or between), or be grown together with the next (`lArm`, `LeftArm`). What is left has to be one
of a slot's names; words that say nothing about the body (`def`, `bip01`, `j`) are passed over, and bones whose words
say that they are something else (`twist`, `ik`) are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .rig_map import RigMap
from .slots import SIDES

_LEFT, _RIGHT = ("l", "left", "lt", "lft", "izq", "gauche"), ("r", "right", "rt", "rgt", "der", "droite")

_EMPTY = {
    "def",
    "bip",
    "biped",
    "bip01",
    "bip001",
    "j",
    "jnt",
    "joint",
    "bone",
    "b",
    "bn",
    "c",
    "x",
    "m",
    "org",
    "rig",
    "fk",
    "ctrl",
    "control",
    "ccbase",
    "cc",
    "base",
    "skel",
    "human",
    "character",
    "valve",
    "valvebiped",
    "sk",
    "main",
    "deform",
    "f",
    "finger",
    "val",
    "m0",
    "of",
    "the",
    "dq",
}
"""Words that many rigs put into every name."""

_OTHER = {
    "twist",
    "roll",
    "ik",
    "pole",
    "target",
    "helper",
    "end",
    "nub",
    "tip",
    "offset",
    "bend",
    "corrective",
    "jiggle",
    "aux",
    "share",
    "volume",
    "muscle",
    "socket",
    "attach",
    "weapon",
    "prop",
    "cloth",
    "hair",
    "skirt",
    "tail",
    "wing",
    "ear",
    "breast",
    "bust",
    "pec",
    "butt",
    "mch",
    "vis",
    "tweak",
    "master",
    "parent",
    "drv",
    "driver",
    "stretch",
    "rubber",
    "palm",
    "metacarpal",
    "carpal",
    "widget",
    "null",
    "effector",
    "space",
    "half",
    "leaf",
    "adjust",
    "sleeve",
    "scarf",
}
"""Words of bones that are no limb."""

_NAMES: dict[str, tuple[str, ...]] = {
    "pelvis": ("pelvis", "hips", "hip", "cog", "root hips"),
    "head": ("head",),
    "jaw": ("jaw", "chin", "lower jaw"),
    "collar": ("clavicle", "collar", "collarbone", "collar bone", "shoulder", "clav", "scapula"),
    "shoulder": ("upper arm", "uparm", "up arm", "upperarm", "humerus", "arm upper", "arm", "shoulder", "bicep"),
    "elbow": ("forearm", "fore arm", "lower arm", "lowerarm", "low arm", "lowarm", "elbow", "arm lower", "ulna"),
    "wrist": ("hand", "wrist"),
    "hip": ("thigh", "upper leg", "upperleg", "up leg", "upleg", "femur", "leg upper", "leg", "hip"),
    "knee": ("shin", "calf", "lower leg", "lowerleg", "low leg", "lowleg", "knee", "leg lower", "tibia", "leg", "crus"),
    "ankle": ("foot", "ankle"),
    "foot": ("toe", "toes", "ball", "toe base", "toebase", "foot ball", "ball toe"),
}
"""By slot (paired ones without their side) the names it goes by, likelier ones first. `leg` is the shin where another
bone is the thigh, `shoulder` the upper arm where another bone is the collar."""

_FINGERS = {
    "thumb": ("thumb",),
    "index": ("index", "fore", "point", "pointer"),
    "middle": ("middle", "mid"),
    "ring": ("ring",),
    "pinky": ("pinky", "little", "small", "pinkie"),
}
_SEGMENTS = {"proximal": 1, "intermediate": 2, "distal": 3, "prox": 1, "inter": 2, "dist": 3}
_CHAINS = {"spine": ("spine", "chest", "torso", "abdomen", "upper chest", "waist", "back", "ribs"), "neck": ("neck",)}


@dataclass(frozen=True)
class Name:
    """What a bone's name says."""

    side: str
    """``left``, ``right`` or empty."""
    words: str
    """The rest in lower case, with spaces between words and without digits."""
    number: int | None
    """The last number in it."""
    is_other: bool
    """Whether it says that the bone is something else than a limb."""


def read(bone: str) -> Name:
    """Take a bone's name apart."""
    text = bone.rpartition(":")[2]
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])", " ", text)
    words = [word for word in re.split(r"[\s_.\-|]+", text.lower()) if word]
    side, number, rest = "", None, []
    for place, word in enumerate(words):
        if word in _LEFT and not side:
            side = "left"
        elif word in _RIGHT and not side:
            side = "right"
        elif word.isdigit():
            # the number of `Bip01` belongs to the figure, not to the bone
            number = number if place and words[place - 1] in ("bip", "mixamorig") else int(word)
        else:
            rest.append(word)
    rest, side = _grown_together(rest, side)
    kept = [word for word in rest if word not in _EMPTY] or rest
    return Name(side, " ".join(kept), number, any(word in _OTHER for word in rest))


def _grown_together(words: list[str], side: str) -> tuple[list[str], str]:
    """Separate sides from words that they are written together with: `leftarm`, `armleft`, `larm`."""
    if side:
        return words, side
    known = {name.replace(" ", "") for names in (*_NAMES.values(), *_FINGERS.values()) for name in names}
    for place, word in enumerate(words):
        for found, codes in (("left", _LEFT), ("right", _RIGHT)):
            for code in codes:
                for rest in (
                    word[len(code) :] if word.startswith(code) else "",
                    word[: -len(code)] if word.endswith(code) else "",
                ):
                    if rest in known and word not in known:
                        return [*words[:place], rest, *words[place + 1 :]], found
    return words, ""


def find(parents: Mapping[str, str]) -> RigMap:
    """Slots of a rig's bones by their names; `parents` gives each bone's parent, empty for none.

    Where several bones go by the same name, the one that more hangs from is taken.
    """
    weights = _descendants(parents)
    names = {bone: name for bone in parents if not (name := read(bone)).is_other}
    order = sorted(names, key=lambda bone: (-weights[bone], bone))
    bones: dict[str, tuple[str, ...]] = {}
    used: set[str] = set()

    def take(slot: str, candidates: Iterable[str]) -> None:
        bone = next((bone for bone in candidates if bone not in used), None)
        if bone is not None:
            bones[slot] = (bone,)
            used.add(bone)

    for side in ("", *SIDES):
        for slot in (
            ("pelvis", "head", "jaw")
            if not side
            else ("collar", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "foot")
        ):
            options = [
                bone
                for name in _NAMES[slot]
                for bone in order
                if names[bone].side == side and _same(names[bone].words, name)
            ]
            take(f"{side}_{slot}" if side else slot, options)
        if side:
            _sort_out(side, bones, used, parents)
            for finger, called in _FINGERS.items():
                line = [bone for bone in order if names[bone].side == side and _is_finger(names[bone].words, called)]
                for place, bone in enumerate(_numbered(line, names)):
                    take(f"{side}_{finger}{place + 1}", [bone])
    for chain, called in _CHAINS.items():
        line = [
            bone
            for bone in order
            if bone not in used and not names[bone].side and any(_same(names[bone].words, name) for name in called)
        ]
        if line:
            bones[chain] = tuple(_one_line(line, parents))
            used.update(line)
    return RigMap(bones)


def _same(words: str, name: str) -> bool:
    return words == name or words.replace(" ", "") == name.replace(" ", "")


def _is_finger(words: str, called: tuple[str, ...]) -> bool:
    left = [word for word in words.split() if word not in _SEGMENTS and word not in ("hand", "finger")]
    return len(left) == 1 and left[0] in called


def _numbered(line: list[str], names: Mapping[str, Name]) -> list[str]:
    """Up to three segments of a finger from the hand outwards; a fourth, nearest to the hand, is in the palm."""

    def place(bone: str) -> tuple[int, int]:
        segment = next((_SEGMENTS[word] for word in names[bone].words.split() if word in _SEGMENTS), 0)
        return segment, names[bone].number or 0

    ordered = sorted(line, key=place)
    return ordered[1:4] if len(ordered) > 3 and place(ordered[0])[1] == 0 and place(ordered[0])[0] == 0 else ordered[:3]


def _sort_out(side: str, bones: dict[str, tuple[str, ...]], used: set[str], parents: Mapping[str, str]) -> None:
    """Names that mean one bone or its neighbour, decided by what hangs from what."""
    collar, shoulder, elbow = (bones.get(f"{side}_{slot}") for slot in ("collar", "shoulder", "elbow"))
    if collar and not shoulder and elbow and parents[elbow[0]] == collar[0]:
        bones[f"{side}_shoulder"] = bones.pop(f"{side}_collar")
    hip, knee, ankle = (bones.get(f"{side}_{slot}") for slot in ("hip", "knee", "ankle"))
    if hip and not knee and ankle and parents[ankle[0]] == hip[0] and parents[hip[0]] in parents:
        bones[f"{side}_knee"], bones[f"{side}_hip"] = hip, (parents[hip[0]],)
        used.add(parents[hip[0]])


def _one_line(line: list[str], parents: Mapping[str, str]) -> list[str]:
    """Bones that hang one under the other, from the hips up: the longest such line."""

    def above(bone: str) -> list[str]:
        found = []
        while bone:
            if bone in line:
                found.append(bone)
            bone = parents.get(bone, "")
        return found[::-1]

    return max((above(bone) for bone in line), key=len)


def _descendants(parents: Mapping[str, str]) -> dict[str, int]:
    counts = dict.fromkeys(parents, 0)
    for bone in parents:
        above = parents[bone]
        while above:
            counts[above] += 1
            above = parents.get(above, "")
    return counts
