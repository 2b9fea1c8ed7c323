# SPDX-License-Identifier: GPL-3.0-or-later
"""What the section View keeps with the scene."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, FloatProperty

from ...person import colors
from . import bones, name_tags


def _redraw(settings: Human3RDisplay, context: bpy.types.Context) -> None:
    name_tags.redraw()


def _match_modes(settings: Human3RDisplay, context: bpy.types.Context) -> None:
    bones.match_modes()


def _opacity(settings: Human3RDisplay) -> float:
    return colors.opacity(colors.bodies(settings.id_data))


def _set_opacity(settings: Human3RDisplay, value: float) -> None:
    colors.set_opacity(colors.bodies(settings.id_data), value)


def _has_wireframe(settings: Human3RDisplay) -> bool:
    return any(body.show_wire for body in colors.bodies(settings.id_data))


def _set_wireframe(settings: Human3RDisplay, shown: bool) -> None:
    for body in colors.bodies(settings.id_data):
        body.show_wire = body.show_all_edges = shown


class Human3RDisplay(bpy.types.PropertyGroup):
    """How this scene's people are shown."""

    show_names: BoolProperty(
        name="Names",
        default=True,
        update=_redraw,
        description="Show names over people's heads, in all 3D Viewports with overlays. Names are not rendered. "
        "To rename a person, rename the armature",
    )
    hide_points: BoolProperty(
        name="Hide Points",
        default=True,
        description="Hide the scene points and the Photographed Backdrop in the camera view, because they would cover "
        "the footage",
    )
    color_points: BoolProperty(
        name="Points in Color",
        default=True,
        update=_redraw,
        description="Show the scene points in the colors of the footage in Solid view, where Blender shows them gray. "
        "Material Preview, Rendered and renders have the colors anyway",
    )
    show_bones: BoolProperty(
        name="Bones",
        default=True,
        update=_match_modes,
        description="Draw the bones of people as limbs in front of the bodies in Pose Mode, to click on. "
        "Left is blue, right is red",
    )
    body_opacity: FloatProperty(
        name="Bodies",
        get=_opacity,
        set=_set_opacity,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        description="How opaque the bodies of all people are in Solid view, from 0 (none) to 1, to compare them with "
        "the footage. Material Preview and renders show them as they are",
    )
    wireframe: BoolProperty(
        name="Wireframe",
        get=_has_wireframe,
        set=_set_wireframe,
        description="Show the edges of the bodies of all people in the viewport, to compare them with the footage",
    )


CLASSES = (Human3RDisplay,)
SCENE_PROPERTIES = {"human3r_display": Human3RDisplay}
