# SPDX-License-Identifier: GPL-3.0-or-later
"""Ground, heading and scale of a take by hand. All of it moves the take's root empty; no key changes."""

from __future__ import annotations

import bpy
import numpy as np
from bpy.props import FloatProperty
from mathutils import Matrix, Vector

from ....engine.contract.errors import UserError
from ...blender import tags
from ...blender.operators import refuse, say
from ...person import family
from ...person.stature import stature_m
from ...scene import ground_alignment, scale
from ...scene.takes import has_root, root_of

LEAST_LENGTH_M = 1e-4


class _RootOperator(bpy.types.Operator):
    """What the tools share: a take to move, errors as reports."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_root(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        root = root_of(context)
        assert root is not None
        try:
            self.move(context, root)
        except UserError as error:
            return refuse(self, error)
        return {"FINISHED"}

    def move(self, context: bpy.types.Context, root: bpy.types.Object) -> None:
        """Move the root. Raises UserError."""
        raise AssertionError("each tool says how it moves the root")


class HUMAN3R_OT_floor_from_cursor(_RootOperator):
    """Raise or lower the take so that the point at the 3D cursor is on the floor, at height 0"""

    bl_idname = "human3r.floor_from_cursor"
    bl_label = "Floor at 3D Cursor"

    def move(self, context: bpy.types.Context, root: bpy.types.Object) -> None:
        _transform(root, Matrix.Translation((0.0, 0.0, -context.scene.cursor.location.z)))


class HUMAN3R_OT_floor_from_selection(_RootOperator):
    """Put the floor through the selected vertices in Edit Mode, or through the selected objects. One or two set its
    height; three or more also set its slope"""

    bl_idname = "human3r.floor_from_selection"
    bl_label = "Floor Through Selection"

    def move(self, context: bpy.types.Context, root: bpy.types.Object) -> None:
        places = selected_places(context, root)
        if not len(places):
            raise UserError(
                "nothing-selected",
                "Nothing is selected.",
                "Select scene points on the floor in Edit Mode, or objects that stand on it.",
            )
        turn = Matrix.Identity(4)
        if len(places) >= 3:
            normal = _plane_normal(places)
            turn = Vector(normal).rotation_difference(Vector((0.0, 0.0, 1.0))).to_matrix().to_4x4()
            middle = Vector(places.mean(axis=0))
            turn = Matrix.Translation(middle) @ turn @ Matrix.Translation(-middle)
        height = float(places.mean(axis=0)[2])  # turned about their middle, their mean height stays
        _transform(root, Matrix.Translation((0.0, 0.0, -height)) @ turn)


class HUMAN3R_OT_face_camera(_RootOperator):
    """Turn the take around the vertical axis so that its camera looks along Y at the current frame. The front view then
    faces the way the camera does"""

    bl_idname = "human3r.face_camera"
    bl_label = "Align Heading to Camera"

    def move(self, context: bpy.types.Context, root: bpy.types.Object) -> None:
        camera = tags.find(root[tags.TAKE], tags.CAMERA)
        if camera is None:
            raise UserError("no-camera", "This take has no camera in the scene.", "Import it again with Camera on.")
        view = -np.array(camera.matrix_world, dtype=np.float64)[:3, 2]
        if np.hypot(view[0], view[1]) < 0.05 * np.linalg.norm(view):
            raise UserError(
                "camera-vertical",
                "The camera looks straight up or down at this frame.",
                "Go to a frame where it looks ahead.",
            )
        place = camera.matrix_world.translation
        turn = Matrix.Rotation(float(np.arctan2(view[0], view[1])), 4, "Z")
        _transform(root, Matrix.Translation(place) @ turn @ Matrix.Translation(-place))


class HUMAN3R_OT_set_scale(_RootOperator):
    """Scale the take so that two selected vertices in Edit Mode, or two selected objects, are a known distance apart"""

    bl_idname = "human3r.set_scale"
    bl_label = "Scale from Known Length"

    length: FloatProperty(
        name="Length",
        description="True distance between the two selected points, in meters",
        default=1.0,
        min=0.001,
        soft_max=100.0,
        subtype="DISTANCE",
        unit="LENGTH",
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        root = root_of(context)
        assert root is not None
        places = selected_places(context, root)
        if len(places) == 2:
            self.length = float(np.linalg.norm(places[0] - places[1]))
        return context.window_manager.invoke_props_dialog(self)

    def move(self, context: bpy.types.Context, root: bpy.types.Object) -> None:
        places = selected_places(context, root)
        if len(places) != 2:
            raise UserError(
                "two-places", "Points or objects selected: {count}.", "Select exactly two.", count=len(places)
            )
        now = float(np.linalg.norm(places[0] - places[1]))
        if now < LEAST_LENGTH_M:
            raise UserError(
                "two-places", "The two selected points are in the same place.", "Select two that are apart."
            )
        scale.set_by_length(root, self.length / now)


class HUMAN3R_OT_set_height(_RootOperator):
    """Scale the take so that the active person, or else its first one, is as tall as in truth. Heights of several
    people, set one after the other, give one common scale that comes nearest to all of them"""

    bl_idname = "human3r.set_height"
    bl_label = "Set Height"

    height: FloatProperty(
        name="Height",
        description="True height of the person from sole to crown, in meters",
        default=1.7,
        min=0.3,
        max=3.0,
        subtype="DISTANCE",
        unit="LENGTH",
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        root = root_of(context)
        assert root is not None
        person = measured_person(context, root)
        known = scale.known_heights(root).get(person) if person is not None else None
        self.height = known or (stature_m(person) if person is not None else None) or self.height
        return context.window_manager.invoke_props_dialog(self)

    def move(self, context: bpy.types.Context, root: bpy.types.Object) -> None:
        person = measured_person(context, root)
        if person is None or stature_m(person) is None:
            raise UserError(
                "nobody-to-measure",
                "This take has no person whose height can be measured.",
                "Select a person who has a body mesh, or scale the take from a known length.",
            )
        factor = scale.set_height(root, person, self.height)
        say(self, "INFO", "The take was scaled by {factor}.", factor=f"{factor:.3f}")


class HUMAN3R_OT_found_ground(_RootOperator):
    """Move the take back to the floor that was found automatically"""

    bl_idname = "human3r.found_ground"
    bl_label = "Reset to Automatic Floor"

    def move(self, context: bpy.types.Context, root: bpy.types.Object) -> None:
        ground_alignment.return_to_estimate(root)
        scale.forget(root)


def _get_height(group: bpy.types.PropertyGroup) -> float:
    """Meters that the floor that was found, or else the root, lies above the scene's; 0 without a take."""
    root = root_of(bpy.context)
    if root is None:
        return 0.0
    return float((root.matrix_world @ ground_alignment.found_matrix(root).inverted()).translation.z)


def _set_height(group: bpy.types.PropertyGroup, height: float) -> None:
    root = root_of(bpy.context)
    if root is not None:
        _transform(root, Matrix.Translation((0.0, 0.0, height - _get_height(group))))


class Human3RGround(bpy.types.PropertyGroup):
    """What the section sets without a button."""

    height: FloatProperty(
        name="Take Height",
        description="How far the floor that was found lies above the floor of the scene, in meters: raises or lowers "
        "the take finely. Without a found floor it is the height of the take's root",
        get=_get_height,
        set=_set_height,
        soft_min=-0.1,  # so that a pixel of the slider is a millimeter
        soft_max=0.1,
        step=0.1,  # hundredths: a millimeter
        precision=4,
        subtype="DISTANCE",
        unit="LENGTH",
    )


def measured_person(context: bpy.types.Context, root: bpy.types.Object) -> bpy.types.Object | None:
    """The person whose height the section shows: the active one, else the first of the take; None without people."""
    people = family.people_under(root)
    active = family.person_of(context.active_object)
    return active if active in people else next(iter(people), None)


def selected_places(context: bpy.types.Context, root: bpy.types.Object) -> np.ndarray:
    """(N, 3) scene positions of what is selected: vertices in edit mode, else objects other than the root."""
    edited = context.edit_object
    if edited is not None and edited.type == "MESH":
        edited.update_from_editmode()
        chosen = [edited.matrix_world @ vertex.co for vertex in edited.data.vertices if vertex.select]
    else:
        chosen = [item.matrix_world.translation for item in context.selected_objects if item != root]
    return np.array([tuple(place) for place in chosen], dtype=np.float64).reshape(-1, 3)


def _plane_normal(places: np.ndarray) -> np.ndarray:
    """(3,) upward normal of the plane through (N, 3) places. Raises UserError when they lie on a line."""
    _, extents, axes = np.linalg.svd(places - places.mean(axis=0))
    if extents[1] < 1e-3 * max(extents[0], LEAST_LENGTH_M):
        raise UserError("places-in-line", "The selected points are all on one line.", "Select three that are not.")
    return axes[2] * (1.0 if axes[2, 2] >= 0 else -1.0)


def _transform(root: bpy.types.Object, change: Matrix) -> None:
    """Move the root by a matrix in the scene's axes."""
    root.matrix_world = change @ root.matrix_world


CLASSES = (
    Human3RGround,
    HUMAN3R_OT_floor_from_cursor,
    HUMAN3R_OT_floor_from_selection,
    HUMAN3R_OT_face_camera,
    HUMAN3R_OT_set_scale,
    HUMAN3R_OT_set_height,
    HUMAN3R_OT_found_ground,
)
SCENE_PROPERTIES = {"human3r_ground": Human3RGround}
