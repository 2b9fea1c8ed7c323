# SPDX-License-Identifier: GPL-3.0-or-later
"""The section Ground and Scale of the sidebar."""

import bpy

from ...blender import tags
from ...blender.sidebar import Section
from ...blender.text import tr
from ...scene import ground_alignment
from ...scene.takes import root_of
from . import TITLE


class HUMAN3R_PT_ground(Section, bpy.types.Panel):
    bl_label = TITLE

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return any(item.get(tags.ROLE) == tags.ROOT for item in context.scene.objects)

    def draw(self, context: bpy.types.Context) -> None:
        root = root_of(context)
        found = root.get(ground_alignment.SOURCE) if root is not None else None
        if found is not None:
            self.layout.label(text=tr("Floor found from the {source}", source=tr(found)), icon="CHECKMARK")
            self._draw_evidence(root)
        column = self.layout.column(align=True)
        column.operator("human3r.floor_from_cursor", icon="PIVOT_CURSOR")
        column.operator("human3r.floor_from_selection", icon="SNAP_FACE")
        column.operator("human3r.face_camera", icon="CAMERA_DATA")
        column.operator("human3r.set_scale", icon="DRIVER_DISTANCE")
        if found is not None:
            column.operator("human3r.found_ground", icon="LOOP_BACK")

    def _draw_evidence(self, root: bpy.types.Object) -> None:
        """What the floor rests on, a line each."""
        column = self.layout.column(align=True)
        for line in evidence_lines(root):
            column.label(text=line)


def evidence_lines(root: bpy.types.Object) -> list[str]:
    """What the floor of a take rests on, in words; empty where that is not known."""
    found = ground_alignment.evidence_of(root)
    if found is None:
        return []
    lines = []
    if found.soles:
        spread = f"{100 * found.sole_spread_m:.1f}"
        lines.append(tr("{count} standing feet, {spread} cm off it", count=found.soles, spread=spread))
    if found.upright:
        lean = f"{found.lean_deg:.1f}"
        lines.append(tr("{count} upright bodies, {lean} degrees off it", count=found.upright, lean=lean))
    if found.points:
        lines.append(tr("{count} scene points on it", count=found.points))
    return lines or [tr("Only the camera tells which way is up")]


CLASSES = (HUMAN3R_PT_ground,)
