# SPDX-License-Identifier: GPL-3.0-or-later
"""Colors, names and the camera's view, by one click each."""

import bpy
from bpy.props import BoolProperty, FloatVectorProperty

from ....engine.contract.errors import UserError
from ...blender import tags, views
from ...blender.operators import refuse, say
from ...blender.text import tr
from ...person import colors, family, selection
from ...scene import framing
from ...scene.takes import has_root, root_of
from . import camera_view
from .view import area_of, has_view, joints

COLORED = "MATERIAL"
"""The shading of a 3D view that shows materials, and so the photograph of a backdrop."""

AROUND_JOINTS_M = 0.15
"""From the outermost joints to the body's surface."""


class HUMAN3R_OT_show_colors(bpy.types.Operator):
    """Show the Photographed Backdrop and the scene points as they are rendered: switches this 3D Viewport to Material
    Preview, or back to Solid, which is faster"""

    bl_idname = "human3r.show_colors"
    bl_label = "Show Colors"
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
    """Show or hide names over people's heads"""

    bl_idname = "human3r.show_names"
    bl_label = "Show Names"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        display = context.scene.human3r_display
        display.show_names = not display.show_names
        return {"FINISHED"}


class _PeopleOperator(bpy.types.Operator):
    """What changes people's colors: some people, errors as reports."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return selection.may_edit_people(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            people = self.chosen(context)
            selection.refuse_unfit(people)
        except UserError as error:
            return refuse(self, error)
        people_by_number = sorted(people, key=family.order)
        self.paint(context, [mesh for item in people_by_number if (mesh := family.mesh(item)) is not None])
        say(self, "INFO", "{names}: colored.", names=selection.names(people))
        return {"FINISHED"}

    def chosen(self, context: bpy.types.Context) -> list[bpy.types.Object]:
        """The armatures of the people to paint."""
        raise AssertionError("each operator says whom it paints")

    def paint(self, context: bpy.types.Context, meshes: list[bpy.types.Object]) -> None:
        """Paint these."""
        raise AssertionError("each operator says how it paints")


class HUMAN3R_OT_color_people(_PeopleOperator):
    """Give each person a different color. The 12 colors are distinct in all kinds of color vision, and repeat with more
    than 12 people"""

    bl_idname = "human3r.color_people"
    bl_label = "Distinct Colors"

    everyone: BoolProperty(
        name="All People", default=True, description="Color all people in the scene again, not only those selected"
    )

    def chosen(self, context: bpy.types.Context) -> list[bpy.types.Object]:
        return selection.people(context, self.everyone)

    def paint(self, context: bpy.types.Context, meshes: list[bpy.types.Object]) -> None:
        taken = [tuple(other.color) for other in colors.bodies(context.scene) if other not in meshes]
        for mesh in meshes:
            color = colors.next_color(taken)
            colors.paint(mesh, (*color[:3], mesh.color[3]))
            taken.append(color)


class HUMAN3R_OT_paint_people(_PeopleOperator):
    """Give the selected people a color of your choice, for every shading mode and for renders"""

    bl_idname = "human3r.paint_people"
    bl_label = "Set Color of People"

    color: FloatVectorProperty(
        name="Color",
        description="Color of the selected people's bodies",
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
    """Look through the take's camera with the footage behind the people, and play. Press again for your own view"""

    bl_idname = "human3r.play_camera_view"
    bl_label = "Play Camera View"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not has_view(cls, context):
            return False
        area = area_of(context)
        return (area is not None and camera_view.is_entered(area)) or has_root(cls, context)

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
            path = tags.text(root, tags.SOURCE)
            text = "The footage is missing: {path}." if path else "The footage is missing, and its path is not known."
            say(self, "WARNING", text, path=path)
        if scene.frame_current >= scene.frame_end:  # where a run that was followed leaves the playhead
            scene.frame_set(scene.frame_start)
        if not context.screen.is_animation_playing:
            bpy.ops.screen.animation_play(sync=True)  # dropping frames rather than playing slowly
        return {"FINISHED"}


class HUMAN3R_OT_frame_people(bpy.types.Operator):
    """Show the selected people in this 3D Viewport as large as they fit; without a selection, all people who are there
    at the current frame"""

    bl_idname = "human3r.frame_people"
    bl_label = "Frame People"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not has_view(cls, context):
            return False
        if not any(map(family.is_person, context.scene.objects)):
            cls.poll_message_set(tr("There are no people in this scene: capture footage or import a take first"))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        area = area_of(context)
        assert area is not None
        places = joints(context, selection.people(context, False)) or joints(context, selection.people(context, True))
        if not places:
            say(self, "WARNING", "Nobody is there at the current frame.")
            return {"CANCELLED"}
        region = area.spaces.active.region_3d
        if region.view_perspective == "CAMERA":
            region.view_perspective = "PERSP"
        views.look_at(area, *framing.ball(places, AROUND_JOINTS_M))
        return {"FINISHED"}


CLASSES = (
    HUMAN3R_OT_show_colors,
    HUMAN3R_OT_show_names,
    HUMAN3R_OT_color_people,
    HUMAN3R_OT_paint_people,
    HUMAN3R_OT_play_camera_view,
    HUMAN3R_OT_frame_people,
)
