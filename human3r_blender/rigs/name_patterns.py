# SPDX-License-Identifier: GPL-3.0-or-later
"""Bones found by what they are called and by what they hang from, for rigs that no preset knows.

A limb is a line of bones that hang from each other: of all such lines the one is taken whose names fit its joints best,
in their order. So `Leg` is the shin under an `UpLeg` and the thigh above a `Knee`, `Shoulder` the collar above an `Arm`
and the upper arm above an `Elbow`, and of a wrist and a hand the wrist is the upper one. The trunk is what lies between
the hips and the head, whatever it is called. Control rigs whose bones do not hang from each other go by names alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from . import hierarchy
from .rig_map import RigMap
from .slots import SIDES
from .words import Name, read, shared_start, without_namespace

_Words = Mapping[str, float]


def _scores(text: str, **less: float) -> dict[str, float]:
    """Names between commas, each worth 1; `less` gives those that mean other bones as well, `_` for a space."""
    return {name.strip(): 1.0 for name in text.split(",")} | {
        name.replace("_", " "): score for name, score in less.items()
    }


_LIMBS: dict[str, dict[str, _Words]] = {
    "leg": {
        "hip": _scores("thigh, upper leg, up leg, femur, leg upper, thigh bend, 足, 太もも", hip=0.8, leg=0.6),
        "knee": _scores(
            "shin, calf, lower leg, low leg, knee, leg lower, tibia, crus, shin bend, calf bend, ひざ, 膝", leg=0.7
        ),
        "ankle": _scores("ankle, 足首", foot=0.9),
        "foot": _scores("toe, toes, ball, toe base, foot ball, ball toe, つま先, 足先ex", toe_tip=0.8, foot=0.5),
    },
    "arm": {
        "collar": _scores("clavicle, collar, collar bone, clav, scapula, 肩", shoulder=0.75),
        "shoulder": _scores(
            "upper arm, up arm, humerus, arm upper, bicep, shldr, shldr bend, upper arm bend, 腕", arm=0.9, shoulder=0.8
        ),
        "elbow": _scores("forearm, lower arm, low arm, elbow, arm lower, ulna, forearm bend, ひじ, 肘"),
        "wrist": _scores("wrist, 手首", hand=0.9),
    },
}
"""By limb, from the trunk outwards, the names that its joints' bones go by and how well each fits."""

_PELVIS = _scores("pelvis, hips, root hips, lower torso, lower body, 下半身", hip=0.8, cog=0.5)
_HEAD = _scores("head, 頭")
_JAW = _scores("jaw, lower jaw, jaw root, jaw master, 顎, あご", chin=0.5)
_NECK = _scores("neck, neck lower, neck upper, neck twist, 首")
_SPINE = _scores(
    "spine, chest, torso, abdomen, upper chest, waist, back, ribs, upper torso, upper body, abdomen lower,"
    " abdomen upper, chest lower, chest upper, lower back, 上半身"
)
_ROOT_MOTION = _scores("root, root bone, bone root, root motion, reference, trajectory, traj, master, mother, 全ての親")
_FINGERS = {
    "thumb": ("thumb", "親指"),
    "index": ("index", "fore", "point", "pointer", "人指", "人差指", "人差し指"),
    "middle": ("middle", "mid", "中指"),
    "ring": ("ring", "third", "薬指"),
    "pinky": ("pinky", "little", "small", "pinkie", "小指"),
}
_SEGMENTS = {"metacarpal": 0, "proximal": 1, "intermediate": 2, "distal": 3, "prox": 1, "inter": 2, "dist": 3}
_GROWN = frozenset(
    name.replace(" ", "")
    for words in (*(words for limb in _LIMBS.values() for words in limb.values()), *_FINGERS.values())
    for name in words
)
"""Words that a side may have grown together with."""
_KIND = {"fk": 0.02, "def": -0.02}


def find(parents: Mapping[str, str]) -> RigMap:
    """Slots of a rig's bones; `parents` gives each bone's parent, empty for none."""
    return _Search(parents).found()


class _Search:
    """One rig's bones by their names and places."""

    def __init__(self, parents: Mapping[str, str]) -> None:
        self.parents, self.below = parents, hierarchy.counts_below(parents)
        start = shared_start(map(without_namespace, parents))
        self.names = {bone: read(bone, start, _GROWN) for bone in parents}
        self.order = sorted(parents, key=lambda bone: (-self.below[bone], bone))
        self.bones: dict[str, tuple[str, ...]] = {}

    def found(self) -> RigMap:
        for side in SIDES:
            for slots in _LIMBS.values():
                self.bones |= {f"{side}_{slot}": (bone,) for slot, bone in self._limb(side, slots).items()}
        self._trunk()
        for side in SIDES:
            self._fingers(side)
        return RigMap(self.bones)

    def _limb(self, side: str, slots: Mapping[str, _Words]) -> dict[str, str]:
        """By slot the bone of one limb: along one line, or by names where a line holds less."""
        bones = self._named_on(side)
        fits = {(bone, slot): self._fit(bone, words) for bone in bones for slot, words in slots.items()}
        by_line, by_name = self._best_line(bones, list(slots), fits), _best_each(bones, fits)
        return by_line if len(by_line) >= min(len(by_name), 3) else by_name

    def _best_line(
        self, bones: Sequence[str], slots: Sequence[str], fits: Mapping[tuple[str, str], float]
    ) -> dict[str, str]:
        """The bones hanging from each other that fit slots in their order best; upper ones where several fit alike."""
        lines: dict[tuple[str, int], tuple[float, dict[str, str]]] = {}
        among = set(bones)
        for bone in sorted(bones, key=lambda bone: len(hierarchy.line_up(bone, self.parents))):
            above = [upper for upper in hierarchy.line_up(bone, self.parents)[:0:-1] if upper in among]
            for place, slot in enumerate(slots):
                if fits[bone, slot] > 0:
                    before = [lines[upper, k] for upper in above for k in range(place) if (upper, k) in lines]
                    value, line = max(before, key=lambda entry: entry[0], default=(0.0, {}))
                    lines[bone, place] = value + fits[bone, slot], line | {slot: bone}

        def worth(entry: tuple[float, dict[str, str]]) -> tuple[float, int]:
            return round(entry[0], 6), self.below[next(iter(entry[1].values()))]

        return max(lines.values(), key=worth, default=(0.0, {}))[1]

    def _trunk(self) -> None:
        """Pelvis, spine, neck, head and jaw: those without a side."""
        middle = self._named_on("")
        hips, collars = self._pair("hip"), self._pair("collar") or self._pair("shoulder")
        pelvis = self._fittest([bone for bone in middle if self._carries_all(bone, hips)], _PELVIS)
        pelvis = pelvis or hierarchy.lowest_common(hips, self.parents) or self._fittest(middle, _PELVIS)
        head = self._fittest([bone for bone in middle if not self._carries_all(bone, hips or [""])], _HEAD)
        head = head or self._end_of_spine(collars, middle)
        self._take("pelvis", [pelvis])
        self._take("head", [head])
        self._take("jaw", [self._fittest(middle, _JAW)])
        spine, neck = self._above_hips(hips, collars, head)
        if not spine and not neck:
            spine, neck = (self._longest(middle, words) for words in (_SPINE, _NECK))
        self._take("spine", spine)
        self._take("neck", neck)
        above = hierarchy.line_up(self._root(hips, collars, head), self.parents)[1:]
        self._take("root_motion", [bone for bone in above[::-1] if self._fit(bone, _ROOT_MOTION) > 0][:1])

    def _end_of_spine(self, collars: list[str], middle: Sequence[str]) -> str:
        """The last bone of a spine that goes on by its name above the arms (`spine.006`); empty where none does."""
        fork = last = hierarchy.lowest_common(collars, self.parents)
        below = last
        while below:
            last = below
            like = (bone for bone in middle if self.parents[bone] == last)
            below = next((bone for bone in like if self.names[bone].words == self.names[fork].words), "")
        return last if last != fork else ""

    def _root(self, hips: list[str], collars: list[str], head: str) -> str:
        """The lowest bone that carries the whole body; empty where none does."""
        parts = [*hips, *self.bones.get("pelvis", ()), *collars, head]
        return hierarchy.lowest_common([bone for bone in parts if bone], self.parents)

    def _above_hips(self, hips: list[str], collars: list[str], head: str) -> tuple[list[str], list[str]]:
        """What lies between hips and head: the spine up to where the arms branch off or a neck begins, and the rest."""
        root = self._root(hips, collars, head)
        top = head or hierarchy.lowest_common(collars, self.parents)
        line = hierarchy.between(root, top, self.parents) + [top] * (not head)
        line = [bone for bone in line if bone and not self._carries_all(bone, hips)]
        line = [bone for bone in line if (bone,) != self.bones.get("pelvis")]
        fork = hierarchy.lowest_common([*collars, top], self.parents)
        after = line.index(fork) + 1 if collars and fork in line else len(line)
        start = next((place for place, bone in enumerate(line) if self._fit(bone, _NECK) > 0), after)
        return line[:start], line[start:]

    def _longest(self, bones: Sequence[str], words: _Words) -> list[str]:
        """Bones called so that hang one under the other, from the hips up: the longest such line."""
        fitting = [bone for bone in bones if self._fit(bone, words) > 0]
        lines = [[upper for upper in hierarchy.line_up(bone, self.parents) if upper in fitting] for bone in fitting]
        return max(lines, key=len, default=[])[::-1]

    def _fingers(self, side: str) -> None:
        (wrist,) = self.bones.get(f"{side}_wrist", ("",))
        parts = [bone for bone in self.order if _finger_words(self.names[bone]) and self.names[bone].side in ("", side)]
        held = [bone for bone in parts if wrist and hierarchy.carries(wrist, bone, self.parents)]
        parts = [bone for bone in parts if self.names[bone].side]
        lines: dict[str, list[str]] = {}
        for bone, finger in self._fingers_of(held or parts).items():
            lines.setdefault(finger, []).append(bone)
        for finger, line in lines.items():
            for place, bone in enumerate(self._segments(finger, line)):
                self._take(f"{side}_{finger}{place + 1}", [bone])

    def _fingers_of(self, parts: Sequence[str]) -> dict[str, str]:
        """By bone its finger: by its name, or by its number where fingers are numbered (`Finger0` or `finger1-1`)."""
        named = {bone: _finger_words(self.names[bone]) for bone in parts}
        numbered = {bone: _finger_number(self.names[bone]) for bone in parts if named[bone] == "finger"}
        first = 1 if numbered and min(numbered.values()) > 0 else 0
        fingers = list(_FINGERS)
        return {bone: finger for bone, finger in named.items() if finger != "finger"} | {
            bone: fingers[number - first] for bone, number in numbered.items() if number - first < len(fingers)
        }

    def _segments(self, finger: str, line: Sequence[str]) -> list[str]:
        """Up to three segments of a finger from the hand outwards; one more that is nearest to it is in the palm."""

        def place(bone: str) -> tuple[int, int, int]:
            name = self.names[bone]
            segment = next((_SEGMENTS[word] for word in name.words.split() if word in _SEGMENTS), 0)
            depth = sum(upper in line for upper in hierarchy.line_up(bone, self.parents))
            return depth, segment, int(name.numbers[-1]) if name.numbers else 0

        ordered = sorted(line, key=place)
        named_palm = finger != "thumb" and "metacarpal" in self.names[ordered[0]].words.split()
        in_palm = len(ordered) > 3 and finger != "thumb" and place(ordered[0])[2] == 0
        return ordered[1:4] if named_palm or in_palm else ordered[:3]

    def _named_on(self, side: str) -> list[str]:
        return [bone for bone in self.order if self.names[bone].side == side and not self.names[bone].is_other]

    def _fit(self, bone: str, words: _Words) -> float:
        name = self.names[bone]
        score = _fit(name.words, words)
        return score + _KIND.get(name.kind, 0.0) if score else 0.0

    def _fittest(self, bones: Sequence[str], words: _Words) -> str:
        """The bone that is called so best, of equals the one that most hangs from; empty for none."""
        best = max(bones, key=lambda bone: self._fit(bone, words), default="")
        return best if best and self._fit(best, words) > 0 else ""

    def _pair(self, slot: str) -> list[str]:
        return [bone for side in SIDES for bone in self.bones.get(f"{side}_{slot}", ())]

    def _carries_all(self, bone: str, bones: Sequence[str]) -> bool:
        return bool(bones) and all(hierarchy.carries(bone, lower, self.parents) for lower in bones)

    def _take(self, slot: str, bones: Iterable[str]) -> None:
        used = {bone for names in self.bones.values() for bone in names}
        free = tuple(bone for bone in bones if bone and bone not in used)
        if free:
            self.bones[slot] = free


@cache
def _joined(text: str) -> str:
    return text.replace(" ", "")


def _fit(words: str, called: _Words) -> float:
    """How well a bone's words fit, however they are cut."""
    return max((score for name, score in called.items() if _joined(name) == _joined(words)), default=0.0)


def _best_each(bones: Sequence[str], fits: Mapping[tuple[str, str], float]) -> dict[str, str]:
    """By slot a bone, the best pairs first, whatever hangs from what."""
    found: dict[str, str] = {}
    for bone, slot in sorted(fits, key=lambda pair: (-fits[pair], bones.index(pair[0]))):
        if fits[bone, slot] > 0 and slot not in found and bone not in found.values():
            found[slot] = bone
    return found


def _finger_words(name: Name) -> str:
    """The finger that a name says, ``finger`` for one that only has a number, empty for other bones."""
    words = [word for word in name.words.split() if word not in _SEGMENTS and word != "hand"]
    left = [word for word in words if word not in ("finger", "f")]
    if len(left) == 1:
        return next((finger for finger, called in _FINGERS.items() if left[0] in called), "")
    return "finger" if words == ["finger"] and name.numbers else ""


def _finger_number(name: Name) -> int:
    """The finger's own number: the first of two (`finger2-1`), or the first digit (`Finger21`)."""
    return int(name.numbers[0] if len(name.numbers) > 1 else name.numbers[0][0])
