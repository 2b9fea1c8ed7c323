# SPDX-License-Identifier: GPL-3.0-or-later
"""The contacts of the active person, in the section Motion: seen, marked, freed, moved."""

import bpy

from ...blender.sidebar import Human3RPanel
from ...blender.text import tr
from ...person import contacts, family, selection
from ...person.contacts import Contact
from . import contact_operators
from .panel import HUMAN3R_PT_clean_up

LISTED = 8
"""So many contacts are listed, those nearest to the current frame."""


class HUMAN3R_PT_contacts(Human3RPanel, bpy.types.Panel):
    bl_label = "Contacts"
    bl_parent_id = HUMAN3R_PT_clean_up.bl_idname
    bl_options = {"DEFAULT_CLOSED"}
    bl_order = 1

    def draw(self, context: bpy.types.Context) -> None:
        item, layout = contact_operators.active_person(context), self.layout
        layout.use_property_split = False  # which a popover takes over from the section
        layout.label(text=item.name if item is not None else tr("No people selected"), icon="ARMATURE_DATA")
        column = layout.column()
        column.enabled = item is not None
        self._draw_limbs(column, context)
        self._draw_buttons(column)
        if item is not None:
            self._draw_list(column, context, item)
        self._draw_marks(layout, context)

    def _draw_limbs(self, layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
        limb = contact_operators.limb_of_bone(context)
        if limb:
            layout.label(text=tr("Selected bone: {limb}", limb=tr(contact_operators.label_of(limb))), icon="BONE_DATA")
            return
        for pair in (contact_operators.LIMBS[:2], contact_operators.LIMBS[2:]):
            row = layout.row(align=True)
            for name, _, _ in pair:
                row.prop_enum(context.scene.human3r_contacts, "limb", name)

    def _draw_buttons(self, layout: bpy.types.UILayout) -> None:
        column = layout.column(align=True)
        row = column.row(align=True)
        row.operator("human3r.mark_contact", text="Mark", icon="ADD")
        row.operator("human3r.free_contact", text="Free", icon="REMOVE")
        row = column.row(align=True)
        row.operator("human3r.move_contact", text="Start Here", icon="TRIA_RIGHT_BAR").edge = "START"
        row.operator("human3r.move_contact", text="End Here", icon="TRIA_LEFT_BAR").edge = "END"
        row = column.row(align=True)
        row.operator("human3r.move_contact", text="Move Here", icon="ARROW_LEFTRIGHT").edge = "WHOLE"
        row.operator("human3r.reset_contact", text="Reset", icon="LOOP_BACK")

    def _draw_list(self, layout: bpy.types.UILayout, context: bpy.types.Context, item: bpy.types.Object) -> None:
        frame, found, free = context.scene.frame_current_final, contacts.listed(item), contacts.freed(item)
        nearest = sorted([*found, *free], key=lambda one: max(one.first - frame, frame - one.last, 0.0))[:LISTED]
        column = layout.column(align=True)
        for contact in sorted(nearest, key=lambda one: (one.first, one.limb)):
            is_here = contact.first <= frame <= contact.last
            self._draw_contact(column, contact, contact not in free, is_here)
        if len(found) + len(free) > LISTED:
            column.label(text=tr("and {count} more", count=len(found) + len(free) - LISTED))

    def _draw_contact(self, layout: bpy.types.UILayout, contact: Contact, rests: bool, is_here: bool) -> None:
        limb = tr(contact_operators.label_of(contact.limb))
        template = "{limb} {first} to {last}" if rests else "{limb} {first} to {last}: free"
        text = tr(template, limb=limb, first=f"{contact.first:g}", last=f"{contact.last:g}")
        icon = "GREASEPENCIL" if contact.by_hand else "BLANK1"
        button = layout.operator("human3r.go_to_contact", text=text, icon=icon, depress=is_here and rests)
        button.limb, button.frame = contact.limb.upper(), contact.first

    def _draw_marks(self, layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
        homes = [home for item in selection.people(context, True) if (home := family.marks(item)) is not None]
        if homes:
            hidden = all(home.hide_viewport for home in homes)
            icon = "HIDE_ON" if hidden else "HIDE_OFF"
            button = layout.operator("human3r.show_contacts", icon=icon, depress=not hidden, text="Contact Marks")
            button.show = hidden


CLASSES = (HUMAN3R_PT_contacts,)
