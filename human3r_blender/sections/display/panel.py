# SPDX-License-Identifier: GPL-3.0-or-later
"""The section View of the sidebar's tab Human3R."""

import bpy

from ...blender import tags
from ...blender.sidebar import Section
from ...scene import backdrop
from ...scene.takes import root_of
from . import TITLE, bones, camera_view, shot
from .operators import COLORED
from .view import area_of


class HUMAN3R_PT_display(Section, bpy.types.Panel):
    bl_label = TITLE
    bl_options = set()

    def draw(self, context: bpy.types.Context) -> None:
        layout, display, area = self.layout, context.scene.human3r_display, area_of(context)
        if area is None:
            return
        entered = camera_view.is_entered(area)
        row = layout.row()
        row.scale_y = 1.2
        row.operator(
            "human3r.play_camera_view",
            text="Back to My View" if entered else "Play Camera View",
            icon="LOOP_BACK" if entered else "PLAY",
            depress=entered,
        )
        row = layout.row()
        hiding = row.row()
        hiding.enabled = not entered
        hiding.prop(display, "hide_points")
        row.operator("human3r.frame_people", text="Frame", icon="ZOOM_SELECTED")
        row = layout.row(align=True)
        row.operator("human3r.show_colors", icon="SHADING_TEXTURE", depress=area.spaces.active.shading.type == COLORED)
        row.prop(display, "color_points", toggle=True, icon="POINTCLOUD_DATA")
        row = layout.row(align=True)
        row.prop(display, "show_names", toggle=True, icon="SORTALPHA")
        row.prop(display, "show_bones", toggle=True, icon="BONE_DATA")
        if bones.undressed(context.scene):
            layout.operator("human3r.draw_limbs", icon="BONE_DATA")
        row = layout.row(align=True)
        row.operator("human3r.color_people", icon="COLOR")
        row.operator("human3r.paint_people", text="", icon="BRUSH_DATA")
        root = root_of(context)
        _draw_alignment(layout, display, root)
        row = layout.row(align=True)
        row.operator("human3r.set_up_shot", icon="SCENE")
        if shot.of(context.scene) is not None:
            row.operator("human3r.remove_shot", text="", icon="X")
        item = tags.find(root[tags.TAKE], tags.BACKDROP, backdrop.NAME) if root is not None else None
        if item is not None:
            _draw_backdrop(layout, item)


def _draw_alignment(
    layout: bpy.types.UILayout, display: bpy.types.PropertyGroup, root: bpy.types.Object | None
) -> None:
    """What shows how well people lie on the footage: how opaque both are, and the bodies' edges."""
    column = layout.column(align=True)
    row = column.row(align=True)
    row.prop(display, "body_opacity", text="Opacity of Bodies", slider=True)
    row.prop(display, "wireframe", text="", icon="MOD_WIREFRAME")
    item = tags.find(root[tags.TAKE], tags.CAMERA) if root is not None else None
    for background in item.data.background_images if item is not None else ():
        column.prop(background, "alpha", text="Opacity of Footage", slider=True)


def _draw_backdrop(layout: bpy.types.UILayout, item: bpy.types.Object) -> None:
    """Whether it is shown, in the viewport and in renders, and where the card stands."""
    row = layout.row(align=True)
    row.label(text="Backdrop", icon="IMAGE_BACKGROUND")
    row.prop(item, "hide_viewport", text="", emboss=False)
    row.prop(item, "hide_render", text="", emboss=False)
    card = backdrop.card_distance_path(item)
    if card is not None:
        modifier, path = card
        layout.prop(modifier, path, text="Card Distance")


CLASSES = (HUMAN3R_PT_display,)
