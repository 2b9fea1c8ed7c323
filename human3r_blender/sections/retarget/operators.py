# SPDX-License-Identifier: GPL-3.0-or-later
"""What the buttons of the section Retarget do."""

import json

import bpy
from bpy.props import StringProperty

from ....engine.contract.errors import UserError
from ....engine.contract.sentences import Sentence
from ....engine.installed.locations import rig_presets_folder
from ...blender.operators import refuse, say
from ...blender.slices import SlicedOperator, Slices
from ...blender.text import tr, translated
from ...rigs import presets
from . import choosing, matched_pose, retargeting
from .linked_character import make_editable


class _RetargetOperator(bpy.types.Operator):
    """What they share: a person and a character are chosen; errors become reports."""

    bl_options = {"REGISTER", "UNDO"}
    needs_source = False
    tells = "INFO"
    """What kind of report it is that says what was done."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        settings = context.scene.human3r_retarget
        if choosing.character(context, settings) is None:
            cls.poll_message_set(tr("Choose or select the character's armature first"))
            return False
        if cls.needs_source and choosing.person(context, settings) is None:
            cls.poll_message_set(tr("Choose or select a person first"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            said = self.work(context)
        except UserError as error:
            return refuse(self, error)
        say(self, self.tells, said)
        return {"FINISHED"}

    def work(self, context: bpy.types.Context) -> Sentence:
        """Do it and say what was done. Raises UserError."""
        raise AssertionError("each operator says what it does")


def _chosen(context: bpy.types.Context) -> tuple[bpy.types.Object, bpy.types.Object]:
    """The person and the character, whose bones are found."""
    settings = context.scene.human3r_retarget
    person, character = choosing.person(context, settings), choosing.character(context, settings)
    assert person is not None and character is not None  # as `poll` has seen
    if not settings.is_found(character):
        settings.find_bones(character)
    return person, character


class HUMAN3R_OT_retarget_find_bones(_RetargetOperator):
    """Find the character's bones with the chosen rig preset, or by their names. Bones chosen by hand are lost"""

    bl_idname = "human3r.retarget_find_bones"
    bl_label = "Find Bones"

    def work(self, context: bpy.types.Context) -> Sentence:
        settings = context.scene.human3r_retarget
        settings.find_bones(choosing.character(context, settings))
        return Sentence("Bones found: {count}.", count=sum(bool(row.bone) for row in settings.rows))


class HUMAN3R_OT_retarget_match_pose(_RetargetOperator):
    """Treat the character's pose and the person's pose at the current frame as the same pose. Pose the character like
    the person first"""

    bl_idname = "human3r.retarget_match_pose"
    bl_label = "Match Current Pose"
    needs_source = True

    def work(self, context: bpy.types.Context) -> Sentence:
        settings = context.scene.human3r_retarget
        person, meant = _chosen(context)
        character = make_editable(meant, context.scene)
        settings.exchange(character)
        count = matched_pose.match(person, character, context.scene, settings.rig(), settings.controls)
        settings.calibration = "POSE"
        return Sentence("Pose matched. Bones: {count}.", count=count)


class HUMAN3R_OT_retarget(SlicedOperator, _RetargetOperator):
    """Put the person's motion on the character as a new Action. The character's current Action stays in the file"""

    bl_idname = "human3r.retarget"
    bl_label = "Retarget"
    needs_source = True

    def slices(self, context: bpy.types.Context) -> Slices[set[str]]:
        try:
            said = yield from self.work_in_slices(context)
        except UserError as error:
            return refuse(self, error)
        say(self, self.tells, said)
        return {"FINISHED"}

    def work_in_slices(self, context: bpy.types.Context) -> Slices[Sentence]:
        """As `work`."""
        settings = context.scene.human3r_retarget
        person, meant = _chosen(context)
        rig, chosen = settings.rig(), settings.settings()
        rig.check(meant.pose.bones.keys())
        character = make_editable(meant, context.scene)
        settings.exchange(character)
        report = yield from retargeting.retarget.in_slices(person, character, context.scene, rig, chosen)
        said = report.describe() if report.is_right else report.with_remedy()
        settings.report, settings.report_is_wrong = translated(said), not report.is_right
        self.tells = "INFO" if report.is_right else "WARNING"
        if report.loose:
            template = "These controls follow more than one bone, so their keys are approximate: {names}."
            say(self, "WARNING", template, names=", ".join(report.loose))
        return said


class HUMAN3R_OT_retarget_save_preset(_RetargetOperator):
    """Save the list of bones as a rig preset of your own, for every character with the same rig"""

    bl_idname = "human3r.retarget_save_preset"
    bl_label = "Save Preset"
    bl_options = {"REGISTER"}

    name: StringProperty(name="Name", description="Name of the preset in the list of rigs", default="My Rig")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self)

    def work(self, context: bpy.types.Context) -> Sentence:
        settings = context.scene.human3r_retarget
        character = choosing.character(context, settings)
        assert character is not None, "poll asked"
        rig = settings.rig()
        rig.check(character.pose.bones.keys())
        if self.name in presets.find_all()[0]:
            raise UserError(
                "preset-shipped",
                "The preset {name} comes with the add-on and cannot be replaced.",
                "Choose another name.",
                name=self.name,
            )
        preset = rig.as_preset(self.name)
        presets.parse(json.loads(json.dumps(presets.as_json(preset))), self.name)
        presets.write(preset, rig_presets_folder())
        settings.preset = self.name
        settings.find_bones(character)
        return Sentence("Rig preset {name} saved.", name=self.name)


class HUMAN3R_OT_retarget_remove_preset(bpy.types.Operator):
    """Delete the chosen rig preset from disk. Only presets of your own can be deleted"""

    bl_idname = "human3r.retarget_remove_preset"
    bl_label = "Delete Preset"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if presets.path_of(context.scene.human3r_retarget.preset, rig_presets_folder()) is None:
            cls.poll_message_set(
                tr("Choose a rig preset of your own: presets that come with the add-on cannot be deleted")
            )
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.human3r_retarget
        path = presets.path_of(settings.preset, rig_presets_folder())
        if path is not None:
            path.unlink(missing_ok=True)
            settings.preset = "RECOGNISE"
        return {"FINISHED"}


CLASSES = (
    HUMAN3R_OT_retarget_find_bones,
    HUMAN3R_OT_retarget_match_pose,
    HUMAN3R_OT_retarget,
    HUMAN3R_OT_retarget_save_preset,
    HUMAN3R_OT_retarget_remove_preset,
)
