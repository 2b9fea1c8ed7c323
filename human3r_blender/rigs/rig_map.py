# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bones of one character fill which slots, by a preset, by name patterns or by the user's own list."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace

from ...engine.contract.errors import UserError
from .finder import COPIED, Finder
from .presets import EVIDENCE, IkLimb, Preset, Switch
from .slots import CARRIERS, FINGERS, REQUIRED, SIDES, SLOTS, label

_LEAST = 0.7
"""Share of a preset's body that a rig has to have to be of its kind."""
_OPTIONAL = {*CARRIERS, "jaw", *(f"{side}_{name}" for side in SIDES for name in ("foot", *FINGERS))}


@dataclass(frozen=True)
class RigMap:
    """Bones that the character really has."""

    bones: Mapping[str, tuple[str, ...]]
    """By slot."""
    measured: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By slot, for those where the bones themselves do not show where the limb is."""
    ik: Mapping[str, IkLimb] = field(default_factory=dict)
    switches: tuple[Switch, ...] = ()

    def shown(self, slot: str) -> tuple[str, ...]:
        """The bones that show where a slot's limb is."""
        return self.measured.get(slot, self.bones[slot])

    def check(self, bone_names: Container[str]) -> None:
        """Raises UserError (``retarget-bones-missing``, ``retarget-bone-twice``, ``retarget-bone-absent``).

        `bone_names` are the bones that the character has now.
        """
        missing = [label(slot) for slot in REQUIRED if not self.bones.get(slot)]
        if missing:
            raise UserError(
                "retarget-bones-missing",
                "The character has no bones for: {missing}.",
                "Choose the preset for its rig, or choose these bones in the list.",
                missing=", ".join(missing),
            )
        seen: dict[str, str] = {}
        for slot, names in self.bones.items():
            for name in names:
                if name in seen and not {slot, seen[name]} <= {*CARRIERS, "pelvis"}:
                    raise UserError(
                        "retarget-bone-twice",
                        "The bone {name} is used for both {first} and {second}.",
                        "Use each bone only once.",
                        name=name,
                        first=label(seen[name]),
                        second=label(slot),
                    )
                seen[name] = slot
        controls = [name for limb in self.ik.values() for name in (limb.target, limb.pole, limb.toe) if name]
        absent = [
            name
            for names in (*self.bones.values(), *self.measured.values(), controls)
            for name in names
            if name not in bone_names
        ]
        if absent:
            raise UserError(
                "retarget-bone-absent",
                "The character has no bone called {bone}.",
                "Press Find Bones, or correct the list of bones.",
                bone=absent[0],
            )

    def as_preset(self, name: str) -> Preset:
        """The mapping as a preset of the user's own."""
        return Preset(name=name, bones=self.bones, measured=self.measured, ik=self.ik, switches=self.switches)


def resolve(preset: Preset, bone_names: Iterable[str]) -> RigMap:
    """What of a preset a rig with these bones has; chains lose the bones that are not there."""
    find = Finder(preset.prefix, bone_names)
    bones, measured = {}, {}
    for slot in SLOTS:
        shown = preset.measured.get(slot, preset.bones.get(slot, ()))
        pairs = [(find(name), find(seen)) for name, seen in zip(preset.bones.get(slot, ()), shown, strict=True)]
        pairs = [(name, seen or name) for name, seen in pairs if name]
        if pairs:
            bones[slot] = tuple(name for name, _ in pairs)
            if slot in preset.measured:
                measured[slot] = tuple(seen for _, seen in pairs)
    ik = {
        limb: replace(found, pole=find(found.pole), toe=find(found.toe), target=find(found.target))
        for limb, found in preset.ik.items()
    }
    switches = tuple(replace(switch, bone=name) for switch in preset.switches if (name := find(switch.bone)))
    return RigMap(bones, measured, {limb: found for limb, found in ik.items() if found.target}, switches)


def share_found(preset: Preset, bone_names: Iterable[str]) -> float:
    """How much of what a preset names a rig has, 0 to 1; 0 where it lacks what retargeting needs.

    Names that are written in another way count less. Fingers, toes and the jaw do not count: many characters lack them.
    """
    return _likeness(preset, bone_names)[0]


def recognise(presets: Mapping[str, Preset], bone_names: Iterable[str]) -> str | None:
    """The name of the preset that fits a rig best; None where none fits."""
    names = list(bone_names)
    # of presets alike in everything, the one that was run on more
    evidence = list(EVIDENCE)
    found = {name: (*_likeness(preset, names), -evidence.index(preset.tested_on)) for name, preset in presets.items()}
    best = max(found, key=lambda name: found[name], default=None)
    return best if best is not None and found[best][0] >= _LEAST else None


def _likeness(preset: Preset, bone_names: Iterable[str]) -> tuple[float, int, int, int]:
    """The share of a preset's body that a rig has; of those alike, how many slots go by their very names, how many it
    has at all, and how few it lacks."""
    find = Finder(preset.prefix, bone_names)
    # a chain counts once: rigs of one kind differ in how many bones it has
    exact = {slot: max(map(find.exactness, names)) for slot, names in preset.bones.items()}
    if not all(exact.get(slot) for slot in REQUIRED):
        return 0.0, 0, 0, 0
    body = [value for slot, value in exact.items() if slot not in _OPTIONAL]
    found = sum(value > 0 for value in exact.values())
    very = sum(value >= COPIED for value in exact.values())
    return round(sum(value if value < 1 else 1 for value in body) / len(body), 2), very, found, found - len(exact)
