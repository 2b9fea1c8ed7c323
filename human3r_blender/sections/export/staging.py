# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene of its own for Blender's exporters: clean copies of the people, one key a frame, from frame 0 on.

The root's place and scale are in the copies' keys and meshes, the captured shape is in the mesh's basis, and nothing of
the user's scene is touched or exported by mistake. Everything is removed at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction

import bpy
import numpy as np

from ....engine.contract.rotations import continuous_quaternions, matrix_to_quaternion, quaternion_to_matrix
from ....engine.contract.skeleton import JOINT_NAMES, PELVIS
from ...blender import coordinates, keyframes, turns
from ...blender.timing import rate_as_blender
from ...person import armature, body_mesh
from . import backdrops, camera_samples
from .motion import Clock, PersonMotion, describe_spans

HIDDEN = "human3r_hidden"
"""Custom property of a staged armature: the frames that hide the person, such as ``0-9, 30-44``."""

NEGATIVE = "_negative"
"""Ends the name of a shape key that shows another one's values below zero."""

_POSE = 'pose.bones["{}"].{}'
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)$", re.I)
_LONGEST_NAME = 80


@dataclass(frozen=True)
class Stage:
    """What the exporters see: everything in the scene is to be exported, and selected."""

    scene: bpy.types.Scene
    armatures: tuple[bpy.types.Object, ...]


def safe_name(name: str) -> str:
    """A name that every file system and every program takes: letters, digits, ``-`` and ``_``."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")[:_LONGEST_NAME] or "person"
    return f"{plain}_" if _RESERVED.match(plain) else plain


@contextmanager
def staged(
    name: str,
    people: Sequence[PersonMotion],
    rate: Fraction,
    centimetres: bool = False,
    camera: tuple[bpy.types.Object, bpy.types.Scene, Clock] | None = None,
    armature_name: str = "",
    scenery: tuple[Sequence[backdrops.StagedBackdrop], str] = ((), ""),
) -> Iterator[Stage]:
    """The people, or the camera alone, in a scene called `name`, which is also what exporters call the animation.

    `centimetres` makes one unit of the scene's numbers a centimetre. `camera` is put in as its scene shows it at the
    export's frames. `armature_name` replaces the people's own names. `scenery` are backdrops and the kind of their
    materials.
    """
    before = [(collection, set(collection)) for collection in _collections()]
    scene = bpy.data.scenes.new(name)
    try:
        scene.render.fps, scene.render.fps_base = rate_as_blender(float(rate))
        count = len(people[0].motion) if people or camera is None else len(camera[2].scene_frames)
        scene.frame_start, scene.frame_end = 0, count - 1
        scene.unit_settings.system = "METRIC"
        scene.unit_settings.scale_length = 0.01 if centimetres else 1.0
        units = 100.0 if centimetres else 1.0
        armatures = tuple(
            _person(scene, person, units, armature_name or safe_name(person.armature.name)) for person in people
        )
        if camera is not None:
            _camera(scene, units, *camera)
        for one in scenery[0]:
            backdrops.stage(scene, one, units, f"{safe_name(one.item.name)}_export", scenery[1])
        for item in scene.objects:
            item.select_set(True, view_layer=scene.view_layers[0])
        layer = scene.view_layers[0]
        layer.objects.active = armatures[0] if armatures else scene.camera
        override = bpy.context.temp_override(
            scene=scene,
            view_layer=layer,
            collection=scene.collection,
            active_object=layer.objects.active,
            object=layer.objects.active,
            selected_objects=list(scene.objects),
        )
        with turns.operators_allowed(), override:
            # Some exporters read the objects themselves, not what is evaluated: only the graph of a scene that is in
            # use, as asking for it makes it, writes back to them, and only what it computes from then on.
            bpy.context.evaluated_depsgraph_get()
            for item in scene.objects:
                item.update_tag()
            scene.frame_set(0)
            yield Stage(scene, armatures)
    finally:
        bpy.data.scenes.remove(scene)
        for collection, kept in before:
            for block in set(collection) - kept:
                with suppress(ReferenceError):
                    collection.remove(block)


def add_locators(stage: Stage) -> None:
    """An empty at each joint, for formats without skeletons, called like the armature and the joint."""
    for skeleton in stage.armatures:
        for joint in JOINT_NAMES:
            item = bpy.data.objects.new(f"{skeleton.name}_{joint}", None)
            item.parent, item.parent_type, item.parent_bone = skeleton, "BONE", joint
            item.location = (0.0, -skeleton.data.bones[joint].length, 0.0)  # children of bones start at their tails
            item.empty_display_size = skeleton.data.bones[joint].length / 5
            stage.scene.collection.objects.link(item)
            item.select_set(True, view_layer=stage.scene.view_layers[0])


def _collections() -> tuple[bpy.types.bpy_prop_collection, ...]:
    """Where staging and exporters make data-blocks."""
    data = bpy.data
    return data.objects, data.armatures, data.meshes, data.cameras, data.actions, data.materials, data.images


def _person(scene: bpy.types.Scene, person: PersonMotion, units: float, name: str) -> bpy.types.Object:
    rest = units * person.motion.rest_joints
    skeleton = armature.create(name, rest)
    scene.collection.objects.link(skeleton)
    if person.hidden.any():
        skeleton[HIDDEN] = describe_spans(person.hidden)
    to_body = coordinates.BODY_TO_ROOT.T
    rotations = person.motion.rotations.copy()
    rotations[:, PELVIS] = matrix_to_quaternion(to_body @ quaternion_to_matrix(rotations[:, PELVIS]))
    rotations = continuous_quaternions(rotations)
    keyframes.animate(skeleton, name)
    values = {_POSE.format(JOINT_NAMES[PELVIS], "location"): units * person.motion.pelvis @ to_body.T - rest[PELVIS]}
    values |= {
        _POSE.format(joint, "rotation_quaternion"): rotations[:, index] for index, joint in enumerate(JOINT_NAMES)
    }
    _key(skeleton, values)
    if person.mesh is not None:
        _body(scene, person, person.mesh, skeleton, units)
    return skeleton


def _body(
    scene: bpy.types.Scene, person: PersonMotion, source: bpy.types.Object, skeleton: bpy.types.Object, units: float
) -> None:
    mesh = body_mesh.create(f"{skeleton.name}_mesh", source.data, skeleton)
    scene.collection.objects.link(mesh)
    mesh.data.shape_keys.animation_data_clear()
    for key in mesh.data.shape_keys.key_blocks:
        key.mute = False
        if key.name in body_mesh.EXPRESSION_KEYS:
            key.value = 0.0
    _bake_shape(mesh.data, person.scale * units)
    if person.keys:
        keyframes.animate(mesh.data.shape_keys, skeleton.name, "expression", share=skeleton)
        values: dict[str, np.ndarray] = {}
        for name, column in person.keys.items():
            values |= _weights(mesh, name, column)
        _key(mesh.data.shape_keys, values)


def _bake_shape(mesh: bpy.types.Mesh, factor: float) -> None:
    """Make the shape that the shape keys give the mesh its basis, and scale everything.

    Programs that clamp such keys to 0..1 then show the captured body; the keys stay, at zero.
    """
    blocks = mesh.shape_keys.key_blocks
    points = {block.name: _points(block) for block in blocks}
    basis = points[blocks[0].name]
    shape = [block for block in blocks if block.name in body_mesh.SHAPE_KEYS]
    moved = sum((block.value * (points[block.name] - basis) for block in shape), np.zeros_like(basis))
    for block in blocks:
        block.data.foreach_set("co", (factor * (points[block.name] + moved)).ravel())
    for block in shape:
        block.value = 0.0
    mesh.vertices.foreach_set("co", (factor * (basis + moved)).ravel())
    mesh.update()


def _weights(mesh: bpy.types.Object, name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    """(T, 1) values by data path that stay between 0 and 1, as many programs want them, for a key's (T,) values.

    The key is made as large as its greatest value, and what is below zero goes to a second key, its mirror image.
    """
    blocks = mesh.data.shape_keys.key_blocks
    basis, full = _points(blocks[0]), max(1.0, float(np.abs(values).max()))
    offsets = full * (_points(blocks[name]) - basis)
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


def _points(block: bpy.types.ShapeKey) -> np.ndarray:
    points = np.empty(3 * len(block.data), dtype=np.float32)
    block.data.foreach_get("co", points)
    return points.reshape(-1, 3)


def _camera(
    scene: bpy.types.Scene,
    units: float,
    source: bpy.types.Object,
    shown_in: bpy.types.Scene,
    when: Clock,
) -> None:
    data = source.data.copy()
    data.animation_data_clear()
    data.background_images.clear()
    item = bpy.data.objects.new("Camera", data)
    item.name = data.name = safe_name(source.name) + "_export"
    item.rotation_mode = "QUATERNION"
    scene.collection.objects.link(item)
    scene.camera = item
    scene.render.resolution_x, scene.render.resolution_y = shown_in.render.resolution_x, shown_in.render.resolution_y
    seen = camera_samples.sample(source, shown_in, when.scene_frames, scene)
    data.clip_start, data.clip_end = units * data.clip_start, units * data.clip_end
    keyframes.animate(item, item.name)
    _key(
        item,
        {
            "location": units * seen.worlds[:, :3, 3],
            "rotation_quaternion": continuous_quaternions(matrix_to_quaternion(seen.worlds[:, :3, :3])),
        },
    )
    for name, values in seen.lens.items():
        setattr(data, name, values[0])
    moving = {name: values[:, None] for name, values in seen.lens.items() if np.ptp(values) > 0}
    if moving:
        keyframes.animate(data, item.name, "lens", share=item)
        _key(data, moving)


def _key(block: bpy.types.ID, values: dict[str, np.ndarray]) -> None:
    """Keys at frames 0, 1, 2, ... with (T, components) values per data path."""
    for path, columns in values.items():
        frames, kinds = np.arange(len(columns)), np.full(len(columns), keyframes.LINEAR, dtype=np.uint8)
        for curve, column in zip(keyframes.add_curves(block, path, columns.shape[1]), columns.T, strict=True):
            keyframes.append(curve, frames, column, kinds)
            curve.update()
