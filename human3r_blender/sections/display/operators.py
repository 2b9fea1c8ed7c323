# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours, names and the camera's view, by one click each."""

import bpy
from bpy.props import BoolProperty, FloatVectorProperty

from ....engine.contract.errors import UserError
from ...blender import tags
from ...blender.operators import refuse
from ...person import colors, family, selection
from ...scene.takes import root_of
from . import camera_view, name_tags
from .view import area_of, has_view

COLORED = "MATERIAL"
"""The shading of a 3D view in which points have colours: Solid gives a point cloud one grey."""


class Human3RDisplay(bpy.types.PropertyGroup):
    """How this scene's people are shown."""

    show_names: BoolProperty(
        name="Names",
        default=True,
        update=lambda settings, context: name_tags.redraw(),
        description="Show the people's names over their heads, in all 3D views with overlays. A person is renamed by "
        "renaming the armature. Names are not rendered",
    )
    hide_points: BoolProperty(
        name="Hide Points",
        default=True,
        description="While the camera view plays, hide the points of the place, which would cover the footage",
    )


class HUMAN3R_OT_show_colors(bpy.types.Operator):
    """Show the points of the place in the footage's colours: changes this 3D view to Material Preview, and back to
    Solid, in which points are grey and people have their colours anyway"""

    bl_idname = "human3r.show_colors"
    bl_label = "Show Colours"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_view(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        area = area_of(context)
        assert area is not None
        shading = area.spaces.active.shading
        if shading.type == COLORED:
            shading.type, shading.color_type = "SOLID", "MATERIAL"
        else:
            shading.type = COLORED
        return {"FINISHED"}


class HUMAN3R_OT_show_names(bpy.types.Operator):
    """Show the people's names over their heads, or hide them"""

    bl_idname = "human3r.show_names"
    bl_label = "Show Names"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        display = context.scene.human3r_display
        display.show_names = not display.show_names
        return {"FINISHED"}


class _PeopleOperator(bpy.types.Operator):
    """What changes people's colours: some people, errors as reports."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return selection.may_edit_people(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            people = self.chosen(context)
            selection.refuse_none(people)
        except UserError as error:
            return refuse(self, error)
        people_by_number = sorted(people, key=family.order)
        self.paint(context, [mesh for item in people_by_number if (mesh := family.mesh(item)) is not None])
        self.report({"INFO"}, f"{selection.names(people)}: coloured.")
        return {"FINISHED"}

    def chosen(self, context: bpy.types.Context) -> list[bpy.types.Object]:
        """The armatures of the people to paint."""
        raise AssertionError("each operator says whom it paints")

    def paint(self, context: bpy.types.Context, meshes: list[bpy.types.Object]) -> None:
        """Paint these."""
        raise AssertionError("each operator says how it paints")


class HUMAN3R_OT_color_people(_PeopleOperator):
    """Give each person another colour, one that people with any kind of colour vision tell apart: 12 of them, and from
    then on they repeat"""

    bl_idname = "human3r.color_people"
    bl_label = "Colour People Apart"

    everyone: BoolProperty(
        name="All People", default=True, description="Colour all people of the scene anew, not the selected ones alone"
    )

    def chosen(self, context: bpy.types.Context) -> list[bpy.types.Object]:
        return selection.people(context, self.everyone)

    def paint(self, context: bpy.types.Context, meshes: list[bpy.types.Object]) -> None:
        taken = [tuple(other.color) for other in colors.bodies(context.scene) if other not in meshes]
        for mesh in meshes:
            color = colors.next_color(taken)
            colors.paint(mesh, color)
            taken.append(color)


class HUMAN3R_OT_paint_people(_PeopleOperator):
    """Give the selected people a colour of your own, in all kinds of shading and in renders"""

    bl_idname = "human3r.paint_people"
    bl_label = "Set Colour of People"

    color: FloatVectorProperty(
        name="Colour",
        description="Colour of the selected people's bodies",
        subtype="COLOR",
        size=4,
        min=0.0,
        max=1.0,
        default=colors.PALETTE[0],
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        people = selection.people(context, False)
        if not people:
            return self.execute(context)  # which says what is missing
        self.color = people[0].color
        return context.window_manager.invoke_props_dialog(self)

    def chosen(self, context: bpy.types.Context) -> list[bpy.types.Object]:
        return selection.people(context, False)

    def paint(self, context: bpy.types.Context, meshes: list[bpy.types.Object]) -> None:
        for mesh in meshes:
            colors.paint(mesh, self.color)


class HUMAN3R_OT_play_camera_view(bpy.types.Operator):
    """Look through the take's camera, with the footage behind the people, and play; once more brings your view back"""

    bl_idname = "human3r.play_camera_view"
    bl_label = "Play Camera View"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not has_view(cls, context):
            return False
        area = area_of(context)
        if root_of(context) is None and not (area is not None and camera_view.is_entered(area)):
            cls.poll_message_set("Select something of the take: its camera, a person, its points")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        area, root, scene = area_of(context), root_of(context), context.scene
        assert area is not None
        if camera_view.is_entered(area):
            camera_view.leave(context, area)
            if context.screen.is_animation_playing:
                bpy.ops.screen.animation_cancel(restore_frame=False)
            return {"FINISHED"}
        assert root is not None
        try:
            has_footage = camera_view.enter(context, area, root, scene.human3r_display.hide_points)
        except UserError as error:
            return refuse(self, error)
        if not has_footage:
            self.report({"WARNING"}, f"The footage is not there: {root.get(tags.SOURCE, 'its path is not known')}.")
        if scene.frame_current >= scene.frame_end:  # where a run that was followed leaves the playhead
            scene.frame_set(scene.frame_start)
        if not context.screen.is_animation_playing:
            bpy.ops.screen.animation_play(sync=True)  # dropping frames rather than playing slowly
        return {"FINISHED"}


CLASSES = (
    Human3RDisplay,
    HUMAN3R_OT_show_colors,
    HUMAN3R_OT_show_names,
    HUMAN3R_OT_color_people,
    HUMAN3R_OT_paint_people,
    HUMAN3R_OT_play_camera_view,
)
SCENE_PROPERTIES = {"human3r_display": Human3RDisplay}
