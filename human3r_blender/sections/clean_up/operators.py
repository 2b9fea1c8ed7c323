# SPDX-License-Identifier: GPL-3.0-or-later
"""Cleaning people up, and changing between what was predicted and what was made of it."""

from collections.abc import Callable

import bpy
from bpy.props import BoolProperty, EnumProperty

from ....engine.contract.errors import UserError
from ....engine.contract.sentences import Sentence
from ....engine.motion.clean_up import CleanUpSettings
from ...blender import tags, timing
from ...blender.operators import refuse, say
from ...blender.properties import settings_from, with_settings
from ...blender.slices import GOES_ON, SlicedOperator, Slices
from ...blender.text import tr
from ...person import family, selection, versions

VERSIONS = (
    ("RAW", "Raw", "The motion as predicted, frame by frame"),
    ("LIVE", "Live", "The motion as smoothed during a capture, from past frames only"),
    ("CLEAN", "Clean", "The motion after clean-up, which is done now for people who have none yet"),
)


@with_settings(CleanUpSettings)
class Human3RCleanUp(bpy.types.PropertyGroup):
    """What the next clean-up in this scene does."""

    everyone: BoolProperty(
        name="All People",
        default=True,
        description="Clean up and compare all people in the scene, not only those selected",
    )


@with_settings(CleanUpSettings)
class HUMAN3R_OT_clean_up(SlicedOperator, bpy.types.Operator):
    """Make a clean Action for each person, with less jitter and with feet that stay planted. The raw Action is kept; an
    existing clean Action is remade, and your changes to it are lost"""

    bl_idname = "human3r.clean_up"
    bl_label = "Clean Up People"
    bl_options = {"REGISTER", "UNDO"}

    everyone: BoolProperty(
        name="All People", default=True, description="Clean up all people in the scene, not only those selected"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return selection.may_edit_people(cls, context)

    def slices(self, context: bpy.types.Context) -> Slices[set[str]]:
        people = selection.people(context, self.everyone)
        try:
            selection.refuse_unfit(people)
            settings = settings_from(self, CleanUpSettings)
            yield from _clean(self, context, people, settings)
        except UserError as error:
            return refuse(self, error)
        return {"FINISHED"}


class HUMAN3R_OT_show_version(SlicedOperator, bpy.types.Operator):
    """Play this version of the motion; the others are kept. The clean one is made for people who have none yet"""

    bl_idname = "human3r.show_version"
    bl_label = "Show Raw, Live or Clean Motion"
    bl_options = {"REGISTER", "UNDO"}

    version: EnumProperty(name="Version", description="Version of the motion to play", items=VERSIONS, default="CLEAN")
    everyone: BoolProperty(
        name="All People",
        default=True,
        description="Change all people in the scene, not only those selected",
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return selection.may_edit_people(cls, context)

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return next(text for name, _, text in VERSIONS if name == properties.version)

    def slices(self, context: bpy.types.Context) -> Slices[set[str]]:
        people = selection.people(context, self.everyone)
        wanted = [item for item in people if family.action(item, tags.CLEAN) is None] if self.version == "CLEAN" else []
        try:
            selection.refuse_unfit(people)
            yield from _clean(self, context, wanted, settings_from(context.scene.human3r_cleanup, CleanUpSettings))
        except UserError as error:
            return refuse(self, error)
        return (yield from _show(self, context, people, lambda item: self.version.lower()))


class HUMAN3R_OT_compare(SlicedOperator, bpy.types.Operator):
    """Switch between the raw and the clean motion of the selected people, or of all if none are selected"""

    bl_idname = "human3r.compare_versions"
    bl_label = "Compare Raw and Clean Motion"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return selection.may_edit_people(cls, context) and _some_are_clean(cls, context)

    def slices(self, context: bpy.types.Context) -> Slices[set[str]]:
        everyone = not any(family.action(item, tags.CLEAN) for item in selection.people(context, False))
        cleaned = [item for item in selection.people(context, everyone) if family.action(item, tags.CLEAN) is not None]
        return (
            yield from _show(
                self, context, cleaned, lambda item: tags.RAW if versions.shown(item) == tags.CLEAN else tags.CLEAN
            )
        )


class HUMAN3R_OT_show_contacts(bpy.types.Operator):
    """Show or hide the marks under planted feet, for all people. They are never rendered"""

    bl_idname = "human3r.show_contacts"
    bl_label = "Show Contact Marks"
    bl_options = {"REGISTER", "UNDO"}

    show: BoolProperty(name="Show", description="Show the marks in the viewport", default=True)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not any(family.marks(item) for item in selection.people(context, True)):
            cls.poll_message_set(tr("Clean up people first to find where their feet are planted"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        for item in selection.people(context, True):
            home = family.marks(item)
            if home is not None:
                home.hide_viewport = not self.show
        return {"FINISHED"}


def _some_are_clean(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if not any(family.action(item, tags.CLEAN) for item in selection.people(context, True)):
        operator.poll_message_set(tr("No people have been cleaned up yet"))
        return False
    return True


def _clean(
    operator: bpy.types.Operator,
    context: bpy.types.Context,
    people: list[bpy.types.Object],
    settings: CleanUpSettings,
) -> Slices[None]:
    for item in people:
        yield Sentence("Cleaning up {name}", name=item.name)
        yield from versions.clean.in_slices(item, timing.rate_for(context.scene, None), settings)
    if people:
        say(operator, "INFO", "{names}: cleaned up. The raw motion is kept.", names=selection.names(people))
    if unseen := [item for item in people if versions.lacks_camera(item)]:
        say(
            operator,
            "WARNING",
            "{names}: only smoothed, not refined in place: the camera of the take is not in the scene.",
            names=selection.names(unseen),
        )


def _show(
    operator: bpy.types.Operator,
    context: bpy.types.Context,
    people: list[bpy.types.Object],
    role: Callable[[bpy.types.Object], str],
) -> Slices[set[str]]:
    try:
        selection.refuse_unfit(people)
        for item in people:
            if role(item) == tags.LIVE:
                yield from versions.make_live.in_slices(item, timing.rate_for(context.scene, None))
            yield from versions.show.in_slices(item, role(item))
            yield GOES_ON
    except UserError as error:
        return refuse(operator, error)
    context.scene.frame_set(context.scene.frame_current, subframe=context.scene.frame_subframe)
    return {"FINISHED"}


CLASSES = (Human3RCleanUp, HUMAN3R_OT_clean_up, HUMAN3R_OT_show_version, HUMAN3R_OT_compare, HUMAN3R_OT_show_contacts)
SCENE_PROPERTIES = {"human3r_cleanup": Human3RCleanUp}
