# SPDX-License-Identifier: GPL-3.0-or-later
"""What the section View keeps with the scene."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty

from . import bones, name_tags


def _redraw(settings: Human3RDisplay, context: bpy.types.Context) -> None:
    name_tags.redraw()


def _match_modes(settings: Human3RDisplay, context: bpy.types.Context) -> None:
    bones.match_modes()


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


CLASSES = (Human3RDisplay,)
SCENE_PROPERTIES = {"human3r_display": Human3RDisplay}
