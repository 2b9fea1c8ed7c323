# SPDX-License-Identifier: GPL-3.0-or-later
"""People's bones are limbs in front of the bodies while somebody poses them, and thin lines in the bodies else."""

from __future__ import annotations

import bpy
from bpy.app.handlers import persistent

from ....engine.contract.skeleton import JOINT_NAMES
from ...blender.operators import say
from ...blender.text import tr
from ...person import armature, bone_shapes, family, selection

_OWNER = object()


def match_modes() -> None:
    """Draw the bones of everybody in Pose Mode as limbs, where the scene wants them, and those of no one else."""
    for scene in bpy.data.scenes:
        for item in family.people_in(scene):
            bone_shapes.show(item, scene.human3r_display.show_bones and item.mode == "POSE")


def undressed(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The people of a scene whose bones could be drawn as limbs and are not: those of earlier versions."""
    return [
        item
        for item in family.people_in(scene)
        if not bone_shapes.is_dressed(item)
        and item.library is None
        and item.override_library is None
        and item.data.library is None
        and all(name in item.data.bones for name in JOINT_NAMES)
    ]


class HUMAN3R_OT_draw_limbs(bpy.types.Operator):
    """Draw the bones of all people as limbs from joint to joint in Pose Mode, in bone collections and in a color for
    each side, for people who were made by an earlier version. Bones and motion stay as they are"""

    bl_idname = "human3r.draw_limbs"
    bl_label = "Draw Bones as Limbs"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not selection.may_edit_people(cls, context):
            return False
        if not undressed(context.scene):
            cls.poll_message_set(tr("The bones of all people in this scene are drawn as limbs already"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        people = undressed(context.scene)
        for item in people:
            bone_shapes.dress(item, armature.rest_joints(item))
        match_modes()
        say(self, "INFO", "{names}: bones are limbs in Pose Mode.", names=selection.names(people))
        return {"FINISHED"}


@persistent
def _match_modes(*_: object) -> None:
    match_modes()


@persistent
def _listen(*_: object) -> None:
    """Have Blender tell when somebody goes to another mode; opening a file ends that."""
    bpy.msgbus.clear_by_owner(_OWNER)
    bpy.msgbus.subscribe_rna(key=(bpy.types.Object, "mode"), owner=_OWNER, args=(), notify=match_modes)


CLASSES = (HUMAN3R_OT_draw_limbs,)
HANDLERS = (
    ("load_post", _listen),
    ("load_post", _match_modes),
    ("undo_post", _match_modes),
    ("redo_post", _match_modes),
)
switch_on = _listen


def switch_off() -> None:
    bpy.msgbus.clear_by_owner(_OWNER)
