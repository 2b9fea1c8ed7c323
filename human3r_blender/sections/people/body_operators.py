# SPDX-License-Identifier: GPL-3.0-or-later
"""Selecting a person from the list, and making a person's surface exact."""

import bpy
from bpy.props import StringProperty

from ....engine.contract.errors import UserError
from ...blender import busy
from ...blender.operators import refuse, say
from ...blender.slices import SlicedOperator, Slices, to_its_end
from ...blender.text import tr
from ...person import copies, family, pose_correctives, rows


class HUMAN3R_OT_select_person(bpy.types.Operator):
    """Select this person's armature"""

    bl_idname = "human3r.select_person"
    bl_label = "Select Person"
    bl_options = {"REGISTER", "UNDO", "INTERNAL"}

    name: StringProperty(name="Person", description="Name of the person's armature", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        armature = context.scene.objects.get(self.name)
        if armature is None:
            say(self, "ERROR", "{name} is no longer in this scene.", name=self.name)
            return {"CANCELLED"}
        if context.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        for item in context.selected_objects:
            item.select_set(False)
        armature.select_set(True)
        context.view_layer.objects.active = armature
        return {"FINISHED"}


class HUMAN3R_OT_bake_correctives(SlicedOperator, bpy.types.Operator):
    """Give the selected people exact surfaces, with pose correctives as shape keys. Run it again after editing the
    motion"""

    bl_idname = "human3r.bake_correctives"
    bl_label = "Bake Pose Correctives"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not busy.nothing_runs(cls):
            return False
        if not _selected_people(context):
            cls.poll_message_set(tr("Select the armature of a person made by Human3R"))
            return False
        return True

    def slices(self, context: bpy.types.Context) -> Slices[set[str]]:
        keys = 0
        for armature in _selected_people(context):
            copies.own_blocks(armature)
            mesh, root = family.mesh(armature), family.root(armature)
            if mesh is None or root is None:
                say(self, "WARNING", "{name} has no mesh, or no root that names its body.", name=armature.name)
                continue
            try:
                body = yield from rows.body_of.in_slices(armature)
                keys += yield from to_its_end(pose_correctives.bake.in_slices(armature, mesh, body))
            except UserError as error:
                return refuse(self, error)
        say(self, "INFO", "Shape keys made: {count}.", count=keys)
        return {"FINISHED"}


def _selected_people(context: bpy.types.Context) -> list[bpy.types.Object]:
    return [item for item in context.selected_objects if family.is_person(item)]


CLASSES = (HUMAN3R_OT_select_person, HUMAN3R_OT_bake_correctives)
