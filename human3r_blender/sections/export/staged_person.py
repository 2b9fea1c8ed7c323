# SPDX-License-Identifier: GPL-3.0-or-later
"""A clean copy of a person for an export.

The armature stands at the scene's origin, without scale, and the motion is in its bones. In the rest pose the soles are
on its floor and the pelvis is above its origin: game engines scale motions by the height of the rest pelvis. The
captured shape is the mesh's basis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import bpy
import numpy as np

from ....engine.contract.rotations import continuous_quaternions, matrix_to_quaternion, quaternion_to_matrix
from ....engine.contract.skeleton import JOINT_INDEX, JOINT_NAMES, PELVIS
from ...blender import coordinates, keyframes
from ...person import armature, body_mesh
from .character_motion import CharacterMotion
from .motion import PersonMotion, describe_spans
from .naming import MESH_END, Room, labels
from .root_bone import carried_by_root
from .staged_keys import Space, key

HIDDEN = "human3r_hidden"
"""Custom property of a staged armature: the frames that hide the person, such as ``0-9, 30-44``."""

NAME = "human3r_name"
"""Custom property of a staged armature: what the person is called in Blender, where the file has another name."""

NEGATIVE = "_negative"
"""Ends the name of a shape key that shows another one's values below zero."""

_POSE = 'pose.bones["{}"].{}'
_SOLES = ("left_foot", "right_foot")
_SOLE_SHARE = 0.055
"""Height of the balls of the feet above the soles, as a share of the shin's length, where there is no mesh to see."""

_ASIDE = 1e-4
"""How far before the place over `root` the pelvis is at rest, as a share of its height: a tenth of a millimeter.

Blender's add-on for FBX takes a bone that is exactly in the line of another for its connected end, which cannot be
moved.
"""


@dataclass(frozen=True)
class Style:
    """How people are put into a file."""

    bones: Mapping[str, str] = field(default_factory=dict)
    """Names of bones other than those of `armature.create`."""
    with_mesh: bool = True
    """Whether the body goes with the skeleton."""
    on_root: bool = False
    """Whether the bone `root` carries the way over the floor and the heading."""
    with_names: bool = False
    """Whether each bone's name begins with its person's."""
    as_identifiers: bool = False
    """Whether names are of letters, digits and ``_`` only."""

    def labels(self, people: Sequence[PersonMotion | CharacterMotion]) -> list[str]:
        """What each person is called in the file."""
        own = self.bones.values() or (armature.ROOT_BONE, *JOINT_NAMES)
        return labels([person.armature.name for person in people], own, self.as_identifiers)

    def bone_names(self, person: str) -> dict[str, str]:
        """The names that the bones of a person called so have in the file, by their joints and `armature.ROOT_BONE`."""
        names = {joint: self.bones.get(joint, joint) for joint in (armature.ROOT_BONE, *JOINT_NAMES)}
        return {joint: f"{person}_{name}" if self.with_names else name for joint, name in names.items()}


def stage_person(
    scene: bpy.types.Scene,
    room: Room,
    person: PersonMotion,
    name: str,
    clip: str,
    space: Space,
    style: Style,
    share: bpy.types.Object | None = None,
) -> bpy.types.Object:
    """Put a person into an export's scene, the armature called `name`.

    `clip` is what the animation is called. `share` is the person staged before, who has it already.
    """
    points = {} if person.mesh is None else _shaped_points(person.mesh.data, space.units * person.scale)
    rest = space.units * person.motion.rest_joints
    shift = -_on_the_floor(rest, points)
    bones = style.bone_names(name)
    skeleton = armature.create(name, rest + shift, bones)
    for block in (skeleton, skeleton.data):
        room.name(block, name)
    if space.y_up:  # as the armature's own axes are
        skeleton.rotation_quaternion = (1.0, 0.0, 0.0, 0.0)
    scene.collection.objects.link(skeleton)
    _describe(skeleton, person, room.own_name(person.armature))
    action = keyframes.animate(skeleton, clip, share=share)
    if share is None:
        room.name(action, clip)
    key(skeleton, _pose(person, space.units, rest + shift, bones, style.on_root), True)
    if person.mesh is not None and style.with_mesh:
        _body(scene, room, person, skeleton, {key: places + shift for key, places in points.items()}, bones)
    return skeleton


def _describe(skeleton: bpy.types.Object, person: PersonMotion, own_name: str) -> None:
    if own_name != skeleton.name:
        skeleton[NAME] = own_name
    if person.hidden.any():
        skeleton[HIDDEN] = describe_spans(person.hidden)


def _on_the_floor(rest: np.ndarray, points: Mapping[str, np.ndarray]) -> np.ndarray:
    """(3,) the place on the floor under the pelvis of a body with (55, 3) `rest` joints, in the body frame."""
    if points:
        height = next(iter(points.values()))[:, 1].min()
    else:
        knee, ankle = (rest[JOINT_INDEX[name]] for name in ("left_knee", "left_ankle"))
        balls = rest[[JOINT_INDEX[name] for name in _SOLES], 1]
        height = balls.min() - _SOLE_SHARE * np.linalg.norm(knee - ankle)
    return np.array([rest[PELVIS, 0], height, rest[PELVIS, 2] - _ASIDE * (rest[PELVIS, 1] - height)])


def _pose(
    person: PersonMotion, units: float, rest: np.ndarray, bones: Mapping[str, str], on_root: bool
) -> dict[str, np.ndarray]:
    """(T, components) values of the bones' keys by data path; (55, 3) `rest` joints of the staged armature."""
    to_body = coordinates.BODY_TO_ROOT.T
    rotations = person.motion.rotations.copy()
    rotations[:, PELVIS] = matrix_to_quaternion(to_body @ quaternion_to_matrix(rotations[:, PELVIS]))
    place = units * person.motion.pelvis @ to_body.T
    values: dict[str, np.ndarray] = {}
    if on_root:
        root_turns, root_place, rotations[:, PELVIS], place = carried_by_root(rotations[:, PELVIS], place)
        values |= {
            _POSE.format(bones[armature.ROOT_BONE], "location"): root_place,
            _POSE.format(bones[armature.ROOT_BONE], "rotation_quaternion"): continuous_quaternions(root_turns),
        }
    rotations = continuous_quaternions(rotations)
    values[_POSE.format(bones[JOINT_NAMES[PELVIS]], "location")] = place - rest[PELVIS]
    return values | {
        _POSE.format(bones[joint], "rotation_quaternion"): rotations[:, index]
        for index, joint in enumerate(JOINT_NAMES)
    }


def _body(
    scene: bpy.types.Scene,
    room: Room,
    person: PersonMotion,
    skeleton: bpy.types.Object,
    points: Mapping[str, np.ndarray],
    bones: Mapping[str, str],
) -> None:
    """The mesh of a person, with (V, 3) `points` for each shape key, moved by bones of these names."""
    name = skeleton.name + MESH_END
    assert person.mesh is not None, "a person with a body"
    mesh = body_mesh.create(name, person.mesh.data, skeleton)
    for block in (mesh, mesh.data):
        room.name(block, name)
    scene.collection.objects.link(mesh)
    mesh.data.shape_keys.animation_data_clear()
    _set_shape(mesh.data, points)
    for joint in JOINT_NAMES:
        mesh.vertex_groups[joint].name = bones[joint]
    if person.keys:
        keyframes.animate(mesh.data.shape_keys, skeleton.name, "expression", share=skeleton)
        values: dict[str, np.ndarray] = {}
        for key_name, column in person.keys.items():
            values |= _weights(mesh, key_name, column)
        key(mesh.data.shape_keys, values, True)


def _shaped_points(mesh: bpy.types.Mesh, factor: float) -> dict[str, np.ndarray]:
    """(V, 3) by shape key, the basis first: the shape that the keys give a person's mesh is in all of them, and they
    are so many times as large.

    Programs that clamp such keys to 0..1 then show the captured body; the keys for shape stay, at zero.
    """
    blocks = mesh.shape_keys.key_blocks
    points = {block.name: shape_points(block) for block in blocks}
    basis = points[blocks[0].name]
    shape = [block for block in blocks if block.name in body_mesh.SHAPE_KEYS]
    moved = sum((block.value * (points[block.name] - basis) for block in shape), np.zeros_like(basis))
    return {name: factor * (places + moved) for name, places in points.items()}


def _set_shape(mesh: bpy.types.Mesh, points: Mapping[str, np.ndarray]) -> None:
    at_zero = (*body_mesh.SHAPE_KEYS, *body_mesh.EXPRESSION_KEYS)
    for block in mesh.shape_keys.key_blocks:
        block.mute = False
        if block.name in at_zero:
            block.value = 0.0
        block.data.foreach_set("co", points[block.name].astype(np.float32).ravel())
    mesh.vertices.foreach_set("co", next(iter(points.values())).astype(np.float32).ravel())
    mesh.update()


def _weights(mesh: bpy.types.Object, name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    """(T, 1) values by data path that stay between 0 and 1, as many programs want them, for a key's (T,) values.

    The key is made as large as its greatest value, and what is below zero goes to a second key, its mirror image.
    """
    blocks = mesh.data.shape_keys.key_blocks
    basis, full = shape_points(blocks[0]), max(1.0, float(np.abs(values).max()))
    offsets = full * (shape_points(blocks[name]) - basis)
    weights = {}
    for end, sign in (("", 1.0), (NEGATIVE, -1.0)):
        part = np.maximum(sign * values / full, 0.0)
        if end and not part.any():
            continue
        block = mesh.shape_key_add(name=name + end, from_mix=False) if end else blocks[name]
        block.slider_min, block.slider_max = 0.0, 1.0
        block.data.foreach_set("co", (basis + sign * offsets).ravel())
        weights[body_mesh.value_path(block.name)] = part[:, None]
    return weights


def shape_points(block: bpy.types.ShapeKey) -> np.ndarray:
    """(V, 3) where a shape key has the vertices."""
    points = np.empty(3 * len(block.data), dtype=np.float32)
    block.data.foreach_get("co", points)
    return points.reshape(-1, 3)
