# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel's section Retarget asks for, kept with the scene."""

import json
import zlib

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ....engine.contract.errors import UserError
from ....engine.contract.json_checks import BadJson, parse_json
from ....engine.installed.locations import rig_presets_folder
from ...blender.properties import settings_from, with_settings
from ...blender.text import tr
from ...person import sampling
from ...rigs import hierarchy, name_patterns, presets, recognition
from ...rigs.presets import IkLimb, Preset
from ...rigs.rig_map import RigMap
from ...rigs.slots import CHAINS, SIDES, SLOTS, label
from . import choosing
from .settings import RetargetSettings

RECOGNISE, BY_NAMES = "RECOGNISE", "NAMES"
MOST_CHAIN_BONES = 6
_IK_PARTS = {"arm": ("target", "pole"), "leg": ("target", "pole", "toe")}
_IK_LABELS = {"target": "{} IK", "pole": "{} Pole", "toe": "Toes IK"}

_items: list[tuple[str, str, str, int]] = []
"""Kept here because Blender does not keep the texts of an enumeration that is made on the fly."""


def all_presets() -> dict[str, Preset]:
    """Shipped presets and the user's own, by name; files that cannot be used are left out."""
    return presets.find_all(rig_presets_folder())[0]


def _preset_items(settings: object, context: bpy.types.Context) -> list[tuple[str, str, str, int]]:
    found = all_presets()
    items = [
        *((name, name, preset.describe() or "Preset of your own") for name, preset in found.items()),
        (BY_NAMES, "By Bone Names", "Find bones by common words, sides and numbers in their names"),
    ]
    # A file keeps the number. One that is counted would mean another rig as soon as there is another preset.
    _items[:] = [
        (RECOGNISE, "Automatic", "Use the preset that fits the character's bones; if none fits, go by bone names", 0),
        *((*item, zlib.crc32(item[0].encode()) & 0x7FFFFFFF) for item in items),
    ]
    return _items


def _is_other_armature(settings: "Human3RRetarget", item: bpy.types.Object) -> bool:
    return item.type == "ARMATURE" and item != settings.source


def _find_what_is_chosen(settings: "Human3RRetarget", context: bpy.types.Context) -> None:
    character = choosing.character(context, settings)
    if character is not None and not settings.is_found(character):
        settings.find_bones(character)


class Human3RRetargetRow(bpy.types.PropertyGroup):
    """One body part and the character's bone for it."""

    key: StringProperty(description="The body part that this row is for")  # a slot, or limb.part for IK controls
    bone: StringProperty(
        name="Bone", description="The character's bone or control for this body part. Leave empty for none"
    )


@with_settings(RetargetSettings)
class Human3RRetarget(bpy.types.PropertyGroup):
    """Settings of the next retargeting."""

    source: PointerProperty(
        name="Person",
        type=bpy.types.Object,
        poll=lambda _, item: sampling.has_body_joints(item),
        description="The person whose motion is used: an armature made by Human3R, or another one with SMPL-X bones. "
        "Empty: the active person, or the only one",
    )
    character: PointerProperty(
        name="Character",
        type=bpy.types.Object,
        poll=_is_other_armature,
        update=_find_what_is_chosen,
        description="The armature of the character's rig. If it is linked, a library override is made. "
        "Empty: the selected one",
    )
    preset: EnumProperty(
        name="Rig",
        items=_preset_items,
        update=_find_what_is_chosen,
        description="What kind of rig the character has. This tells which bone or control is which",
    )
    use_range: BoolProperty(name="Frame Range", default=False, description="Bake only part of the motion")
    # 0 is a frame like others here: the box before them says whether there is a range
    frame_start: IntProperty(name="Start", default=1, description="First scene frame to bake")
    frame_end: IntProperty(name="End", default=250, description="Last scene frame to bake")
    rows: CollectionProperty(type=Human3RRetargetRow, description="Body parts and the bones for them")
    active_row: IntProperty(name="Body Part", description="Number of the row that is selected in the list")
    found_for: StringProperty(description="The character and rig preset that the bones were found for")
    base: StringProperty(description="The bones as they were found, before any were chosen by hand")
    evidence: StringProperty(description="What the preset was tested on")
    report: StringProperty(description="Result of the last retargeting")
    report_is_wrong: BoolProperty(description="Whether the character does not move as the person does")

    def settings(self) -> RetargetSettings:
        """The settings as retargeting takes them. Raises UserError (``bad-setting``)."""
        return settings_from(
            self,
            RetargetSettings,
            frame_start=self.frame_start if self.use_range else None,
            frame_end=self.frame_end if self.use_range else None,
        )

    def is_found(self, character: bpy.types.Object | None = None) -> bool:
        """Whether the list of bones belongs to a character, the one that is chosen, and to the preset that is."""
        return bool(self.rows) and self.found_for == self.wanted(character)

    def find_bones(self, character: bpy.types.Object | None = None) -> None:
        """Fill the list of bones of a character, the one that is chosen, by the preset, or by what bones are called."""
        parents, known = hierarchy.parents_of(character or self.character), all_presets()
        if self.preset == BY_NAMES:
            name, found = recognition.BY_NAMES, name_patterns.find(parents)
        elif self.preset in known:
            name, found = self.preset, recognition.by_preset(known[self.preset], parents)
        else:  # to be recognised, or a preset of a file that is gone
            recognised = recognition.find(parents, known)
            name, found = recognised.preset, recognised.rig
        self.evidence = (
            f"{name}. {tr(presets.EVIDENCE[known[name].tested_on])}"
            if name
            else tr("Bones found by their names: check them in the list below")
        )
        self.base = json.dumps(presets.as_json(found.as_preset("base"))) if found.bones else ""
        self.found_for = self.wanted(character)
        self._fill(found)

    def exchange(self, character: bpy.types.Object) -> None:
        """Go on with another character of the same bones: the override of the one that was chosen."""
        self.found_for = self.wanted(character)
        if self.character is not None:
            self.character = character
        else:
            character.select_set(True)  # which is how it was meant

    def rig(self) -> RigMap:
        """The mapping as the list of bones says. What it has besides bones comes from what was found.

        Raises UserError (``retarget-bones-unreadable``).
        """
        values: dict[str, list[str]] = {}
        for row in self.rows:
            if row.bone:
                values.setdefault(row.key, []).append(row.bone)
        base = self._found_bones()
        bones = {key: tuple(names) for key, names in values.items() if key in SLOTS}
        measured = {slot: names for slot, names in base.measured.items() if bones.get(slot) == base.bones[slot]}
        ik = {}
        for limb in (f"{side}_{name}" for side in SIDES for name in _IK_PARTS):
            parts = {part: values.get(f"{limb}.{part}", [""])[0] for part in ("target", "pole", "toe")}
            if parts["target"]:
                ik[limb] = IkLimb(**parts)
        return RigMap(bones, measured, ik, base.switches)

    def _found_bones(self) -> Preset:
        """What `base` holds. Raises UserError (``retarget-bones-unreadable``): anybody may have written the file."""
        try:
            return presets.parse(parse_json(self.base), "base") if self.base else Preset("base", {})
        except (BadJson, UserError) as error:
            raise UserError(
                "retarget-bones-unreadable",
                "The list of bones in this file is damaged.",
                "Press Find Bones.",
            ) from error

    def _fill(self, found: RigMap) -> None:
        self.rows.clear()
        for slot in SLOTS:
            names = found.bones.get(slot, ())
            room = min(len(names) + 1, MOST_CHAIN_BONES) if slot in CHAINS else 1
            for place in range(max(room, len(names))):
                self._add(slot, names[place] if place < len(names) else "")
        for side in SIDES:
            for name, parts in _IK_PARTS.items():
                limb = found.ik.get(f"{side}_{name}", IkLimb(""))
                for part in parts:
                    self._add(f"{side}_{name}.{part}", getattr(limb, part))

    def _add(self, key: str, bone: str) -> None:
        row = self.rows.add()
        row.key, row.bone = key, bone

    def wanted(self, character: bpy.types.Object | None = None) -> str:
        """What `found_for` is once bones were found for a character, the one that is chosen."""
        character = character or self.character
        return f"{character.name if character else ''} / {self.preset}"


def row_label(key: str) -> str:
    """A row's place as the list shows it."""
    limb, _, part = key.partition(".")
    if not part:
        return label(key)
    side, _, name = limb.partition("_")
    return f"{_IK_LABELS[part].format('Hand' if name == 'arm' else 'Foot')} {side[0].upper()}"


CLASSES = (Human3RRetargetRow, Human3RRetarget)
SCENE_PROPERTIES = {"human3r_retarget": Human3RRetarget}
