# SPDX-License-Identifier: GPL-3.0-or-later
"""Contacts by hand: which feet and hands of the active person rest, and when. The clean motion follows at once."""

from __future__ import annotations

import bpy
import numpy as np
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty

from ....engine.contract.errors import UserError
from ....engine.contract.sentences import Sentence
from ...blender import timing
from ...blender.operators import refuse, say
from ...blender.slices import SlicedOperator, Slices
from ...blender.text import tr
from ...person import contacts, selection, versions
from ...person.contacts import Contact, Edits

LENGTH = 12
"""Frames of a contact that is marked where there was none."""

LIMBS = (
    ("LEFT_FOOT", "Left Foot", "The foot on the person's own left"),
    ("RIGHT_FOOT", "Right Foot", "The foot on the person's own right"),
    ("LEFT_HAND", "Left Hand", "The hand on the person's own left"),
    ("RIGHT_HAND", "Right Hand", "The hand on the person's own right"),
)
CHOSEN = "CHOSEN"


class Human3RContacts(bpy.types.PropertyGroup):
    """Which limb the buttons of the section work on."""

    limb: EnumProperty(
        name="Limb",
        description="Foot or hand whose contacts are edited; in Pose Mode it is that of the selected bone",
        items=LIMBS,
    )


def active_person(context: bpy.types.Context) -> bpy.types.Object | None:
    """The person whose contacts are edited: the active one among those that are selected, or the only one there is."""
    everyone = selection.people(context, True)
    chosen = selection.people(context, False) or (everyone if len(everyone) == 1 else [])
    return chosen[0] if chosen else None


def limb_of_bone(context: bpy.types.Context) -> str:
    """The limb of the selected bone in Pose Mode; empty without one, or for a bone of the trunk."""
    bone = context.active_pose_bone if context.mode == "POSE" else None
    return "" if bone is None else contacts.limb_of_joint(bone.name)


def chosen_limb(context: bpy.types.Context) -> str:
    """The limb that the buttons work on."""
    return limb_of_bone(context) or context.scene.human3r_contacts.limb.lower()


class _ContactOperator(SlicedOperator, bpy.types.Operator):
    """What they share: a person, a limb, a frame, and the clean motion that follows."""

    bl_options = {"REGISTER", "UNDO"}

    limb: EnumProperty(
        name="Limb",
        description="Foot or hand whose contact is edited",
        items=(
            (CHOSEN, "Chosen", "That of the selected bone in Pose Mode, or else the one chosen in the section"),
            *LIMBS,
        ),
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not selection.may_edit_people(cls, context):
            return False
        if active_person(context) is None:
            cls.poll_message_set(tr("Select a person: the armature, the mesh, or the name in the People section"))
            return False
        if context.mode.startswith("EDIT"):  # whose undo knows nothing of what else changes
            cls.poll_message_set(tr("Leave Edit Mode first"))
            return False
        return True

    def slices(self, context: bpy.types.Context) -> Slices[set[str]]:
        item = active_person(context)
        assert item is not None
        limb = chosen_limb(context) if self.limb == CHOSEN else self.limb.lower()
        try:
            selection.refuse_unfit([item])
            edits, said = self.edited(item, limb, context.scene.frame_current_final)
            yield from self._write(context, item, edits)
        except UserError as error:
            return refuse(self, error)
        say(self, "INFO", said)
        return {"FINISHED"}

    def _write(self, context: bpy.types.Context, item: bpy.types.Object, edits: Edits) -> Slices[None]:
        """Keep the edits, with a clean motion that follows them; where there cannot be one, nothing changes."""
        settings = versions.settings_of(item)
        if settings is not None:
            rate = timing.rate_for(context.scene, None)
            yield from versions.clean_behind.in_slices(item, rate, settings, edits)
            context.scene.frame_set(context.scene.frame_current, subframe=context.scene.frame_subframe)
        contacts.write(item, edits)

    def edited(self, item: bpy.types.Object, limb: str, frame: float) -> tuple[Edits, Sentence]:
        """The person's edits with this one, and what was done. Raises UserError; changes nothing itself."""
        raise AssertionError("each operator says what it does")


class HUMAN3R_OT_mark_contact(_ContactOperator):
    """Let a foot or hand of the active person rest from this frame on. Where it rests already, that contact stays
    whatever the clean-up finds"""

    bl_idname = "human3r.mark_contact"
    bl_label = "Mark Contact"

    length: IntProperty(
        name="Length", description="How many frames the new contact lasts, this one included", default=LENGTH, min=1
    )

    def edited(self, item: bpy.types.Object, limb: str, frame: float) -> tuple[Edits, Sentence]:
        here = _of(item, limb)
        found = _at(here, frame)
        first, last = (found.first, found.last) if found is not None else self._range(item, here, frame)
        edits = contacts.said(contacts.read(item), limb, first, last, True)
        return edits, _told("{limb} of {name} rests in frames {first} to {last}.", item, limb, first, last)

    def _range(self, item: bpy.types.Object, here: list[Contact], frame: float) -> tuple[float, float]:
        """From here on, but not into the next contact, which has a place of its own."""
        frames = contacts.keyed_frames(item)
        after = min((contact.first for contact in here if contact.first > frame), default=np.inf)
        apart = frames[frames < after][:-1] if np.isfinite(after) else frames
        inside = apart[(apart >= frame) & (apart <= frame + self.length - 1)]
        if not len(inside):
            raise _no_keys(item, frame)
        return float(inside[0]), float(inside[-1])


class HUMAN3R_OT_free_contact(_ContactOperator):
    """Free the foot or hand of the active person that rests at this frame, for as long as it rests"""

    bl_idname = "human3r.free_contact"
    bl_label = "Free Contact"

    def edited(self, item: bpy.types.Object, limb: str, frame: float) -> tuple[Edits, Sentence]:
        found = _at(_of(item, limb), frame)
        if found is None:
            raise _none_here(item, limb, frame)
        edits = contacts.said(contacts.read(item), limb, found.first, found.last, False)
        return edits, _told(
            "{limb} of {name} is free in frames {first} to {last}.", item, limb, found.first, found.last
        )


class HUMAN3R_OT_move_contact(_ContactOperator):
    """Let the contact at this frame, or the one nearest to it, begin or end here, or move all of it so that it begins
    here"""

    bl_idname = "human3r.move_contact"
    bl_label = "Move Contact"

    edge: EnumProperty(
        name="Move",
        description="What of the contact comes to this frame",
        items=(
            ("START", "Start", "The contact begins at this frame; its end stays"),
            ("END", "End", "The contact ends at this frame; its start stays"),
            ("WHOLE", "Whole", "The contact begins at this frame and lasts as long as before"),
        ),
    )

    def edited(self, item: bpy.types.Object, limb: str, frame: float) -> tuple[Edits, Sentence]:
        found = self._meant(_of(item, limb), frame)
        if found is None:
            raise _none_here(item, limb, frame)
        first = found.first if self.edge == "END" else frame
        last = {"START": found.last, "END": frame, "WHOLE": frame + found.last - found.first}[self.edge]
        frames = contacts.keyed_frames(item)
        if not ((frames >= first) & (frames <= last)).any():
            raise _no_keys(item, frame)
        edits = contacts.moved(contacts.read(item), found, first, last)
        return edits, _told("{limb} of {name} rests in frames {first} to {last}.", item, limb, first, last)

    def _meant(self, here: list[Contact], frame: float) -> Contact | None:
        if self.edge == "START":
            return next((contact for contact in here if contact.last >= frame), None)
        if self.edge == "END":
            return next((contact for contact in reversed(here) if contact.first <= frame), None)
        return min(here, key=lambda contact: max(contact.first - frame, frame - contact.last, 0.0), default=None)


class HUMAN3R_OT_reset_contact(_ContactOperator):
    """Take back what was edited by hand around this frame, for one foot or hand or, with All, everything of the active
    person. What the clean-up finds counts again"""

    bl_idname = "human3r.reset_contact"
    bl_label = "Reset Contact"

    everything: BoolProperty(
        name="All", description="Take back all contacts that were edited by hand, of both feet and hands"
    )

    def edited(self, item: bpy.types.Object, limb: str, frame: float) -> tuple[Edits, Sentence]:
        before = contacts.read(item)
        found = _at(_of(item, limb), frame)
        first, last = (frame, frame) if found is None else (found.first, found.last)
        after = () if self.everything else contacts.forgotten(before, limb, first, last)
        if after == before:
            raise UserError(
                "no-edited-contact",
                "No contact of {name} was edited by hand here.",
                "Choose the foot or hand, and go to a frame that you edited.",
                name=item.name,
            )
        count = len(before) - len(after)
        return after, Sentence("{name}: edits taken back: {count}.", name=item.name, count=count)


class HUMAN3R_OT_go_to_contact(bpy.types.Operator):
    """Go to the first frame of this contact, and choose its foot or hand"""

    bl_idname = "human3r.go_to_contact"
    bl_label = "Go to Contact"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    limb: EnumProperty(name="Limb", description="Foot or hand to choose", items=LIMBS)
    frame: FloatProperty(name="Frame", description="Scene frame to go to", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.scene.human3r_contacts.limb = self.limb
        whole = int(np.ceil(self.frame))  # where the contact has begun
        context.scene.frame_set(whole)
        return {"FINISHED"}


def _of(item: bpy.types.Object, limb: str) -> list[Contact]:
    return [contact for contact in contacts.listed(item) if contact.limb == limb]


def _at(here: list[Contact], frame: float) -> Contact | None:
    return next((contact for contact in here if contact.first <= frame <= contact.last), None)


def label_of(limb: str) -> str:
    """What a limb is called."""
    return next(label for name, label, _ in LIMBS if name.lower() == limb)


def _told(template: str, item: bpy.types.Object, limb: str, first: float, last: float) -> Sentence:
    name = Sentence(label_of(limb))
    return Sentence(template, limb=name, name=item.name, first=f"{first:g}", last=f"{last:g}")


def _none_here(item: bpy.types.Object, limb: str, frame: float) -> UserError:
    return UserError(
        "no-contact",
        "{limb} of {name} does not rest at frame {frame}.",
        "Go to a frame of the contact, or choose another foot or hand.",
        limb=Sentence(label_of(limb)),
        name=item.name,
        frame=f"{frame:g}",
    )


def _no_keys(item: bpy.types.Object, frame: float) -> UserError:
    return UserError(
        "no-keys-there",
        "{name} has no keys at frame {frame}.",
        "Go to a frame in which the person was found.",
        name=item.name,
        frame=f"{frame:g}",
    )


CLASSES = (
    Human3RContacts,
    HUMAN3R_OT_mark_contact,
    HUMAN3R_OT_free_contact,
    HUMAN3R_OT_move_contact,
    HUMAN3R_OT_reset_contact,
    HUMAN3R_OT_go_to_contact,
)
SCENE_PROPERTIES = {"human3r_contacts": Human3RContacts}
