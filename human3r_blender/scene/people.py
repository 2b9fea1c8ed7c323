# SPDX-License-Identifier: GPL-3.0-or-later
"""People in the scene: per track one collection with an armature, its mesh, and one Action named after the track."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import bpy
import numpy as np

from ...engine.contract.body_model import BodyModel
from ...engine.contract.skeleton import JOINT_NAMES
from . import armature, body_mesh, keyframes, tags
from .tracks import Track

_LOCATION = f'pose.bones["{JOINT_NAMES[0]}"].location'
_ROTATIONS = tuple(f'pose.bones["{name}"].rotation_quaternion' for name in JOINT_NAMES)
_EXPRESSIONS = tuple(body_mesh.value_path(name) for name in body_mesh.EXPRESSION_KEYS)
_VISIBILITY = ("hide_viewport", "hide_render")

_ROWS = 50
"""Rows of a track whose keys are computed in one slice of work."""

FindBlock = Callable[[], bpy.types.ID | None]


class Person:
    """A track's place in the scene, and how much of the track is written there.

    Holds names and numbers only: every slice of work finds the data-blocks anew, and finds out if they are gone.
    """

    def __init__(self, take_id: str, track: Track) -> None:
        self.track = track
        self.name = f"Person {track.id + 1:02d}"
        self.written = 0
        """Rows of the track that have keys."""
        self._take_id = take_id
        self._betas = track.betas[0]
        self._last_rotations: np.ndarray | None = None
        self._visibility_written = 0
        self._holds_written = 0
        self._hints = ("", "")

    @property
    def pending(self) -> int:
        """Rows of the track without keys."""
        return len(self.track.frames) - self.written

    @property
    def has_visibility_to_write(self) -> bool:
        """Whether the person came or went since the last `write`."""
        return self._visibility_written < len(self.track.visibility)

    def armature(self) -> bpy.types.Object | None:
        """The armature object; None before `create` and once the user deleted it."""
        return tags.find(self._take_id, tags.ARMATURE, self.track.id, self._hints[0])

    def mesh(self) -> bpy.types.Object | None:
        """The mesh object; None before `create` and once the user deleted it."""
        return tags.find(self._take_id, tags.MESH, self.track.id, self._hints[1])

    def create(
        self, root: bpy.types.Object, collection: bpy.types.Collection, base: bpy.types.Mesh, body: BodyModel
    ) -> Iterator[None]:
        """Make armature, mesh and empty F-curves in a new collection under `collection`, step by step."""
        track_id = self.track.id
        skeleton = armature.create(self.name, body.rest_joints(self._betas))
        tags.mark(skeleton, self._take_id, tags.ARMATURE, track_id)
        skeleton.parent = root
        own = bpy.data.collections.new(self.name)
        own[tags.TAKE], own[tags.TRACK] = self._take_id, track_id
        collection.children.link(own)
        own.objects.link(skeleton)
        self._hints = (skeleton.name, "")
        yield
        if (skeleton := self.armature()) is None:
            return
        mesh = body_mesh.create(f"{self.name} mesh", base, skeleton)
        tags.mark(mesh, self._take_id, tags.MESH, track_id)
        mesh.data.materials.append(body_mesh.create_material(self.name, track_id))
        body_mesh.set_shape(mesh, self._betas)
        skeleton.users_collection[0].objects.link(mesh)
        self._hints = (skeleton.name, mesh.name)
        yield
        if (skeleton := self.armature()) is None:
            return
        keyframes.animate(skeleton, self.name)
        keyframes.add_curves(skeleton, _LOCATION, 3, JOINT_NAMES[0])
        for path, joint in zip(_ROTATIONS, JOINT_NAMES, strict=True):
            keyframes.add_curves(skeleton, path, 4, joint)
        yield
        skeleton, mesh = self.armature(), self.mesh()
        if skeleton is not None and mesh is not None:
            keyframes.animate(mesh.data.shape_keys, self.name, "expression", share=skeleton)
            for path in _EXPRESSIONS:
                keyframes.add_curves(mesh.data.shape_keys, path, 1)

    def write(self, body: BodyModel) -> Iterator[None]:
        """Append keys for all rows that have none yet, in slices. A person that the user deleted is left alone."""
        first, track = self.written, self.track
        if self.armature() is None and self.mesh() is None:
            self.written, self._visibility_written = len(track.frames), len(track.visibility)
            return
        if first - 1 in track.holds[self._holds_written:]:
            for find in (self.armature, self._shape_keys):
                block = find()
                for curve in keyframes.curves(block).values() if block is not None else ():
                    keyframes.hold_last(curve)
                yield
        self._holds_written = len(track.holds)
        if self.pending:
            self.written = len(track.frames)
            location, rotation = [], []
            for rows in _batches(first, self.written):
                location.append(track.pelvis_keys(rows, body, self._betas))
                rotation.append(track.rotation_keys(rows, self._last_rotations))
                self._last_rotations = rotation[-1][-1]
                yield
            pose = {_LOCATION: np.concatenate(location)}
            pose.update(zip(_ROTATIONS, np.moveaxis(np.concatenate(rotation), 1, 0), strict=True))
            expression = np.stack(track.expressions[first:self.written])
            frames, kinds = np.array(track.frames[first:self.written]), track.interpolation(first, self.written)
            yield from self._append(self.armature, pose, frames, kinds)
            keys = dict(zip(_EXPRESSIONS, expression.T[..., None], strict=True))
            yield from self._append(self._shape_keys, keys, frames, kinds)
        self._write_visibility()
        yield

    def settle(self, body: BodyModel) -> Iterator[None]:
        """The final shape, the same in all frames, and the pelvis keys that follow from it; finished F-curves."""
        self._betas = self.track.typical_betas()
        location = []
        for rows in _batches(0, self.written):
            location.append(self.track.pelvis_keys(rows, body, self._betas))
            yield
        skeleton, mesh = self.armature(), self.mesh()
        if skeleton is not None:
            armature.set_rest_joints(skeleton, body.rest_joints(self._betas))
            curves = keyframes.curves(skeleton)
            for axis, values in enumerate(np.concatenate(location).T):
                curve = curves.get((_LOCATION, axis))
                if curve is not None and len(curve.keyframe_points) == len(values):
                    keyframes.set_values(curve, values)
        if mesh is not None:
            body_mesh.set_shape(mesh, self._betas)
        yield
        for find in (self.armature, self._shape_keys):
            yield from keyframes.settle(find)

    def _append(
        self, find: FindBlock, values: dict[str, np.ndarray], frames: np.ndarray, kinds: np.ndarray
    ) -> Iterator[None]:
        """Append (T, components) values per data path to the F-curves of the block that `find` finds, in slices."""
        names = [(path, axis) for path, columns in values.items() for axis in range(columns.shape[1])]
        for some in keyframes.slices(names, self.written):
            block = find()
            curves = {} if block is None else keyframes.curves(block)
            for path, axis in some:
                curve = curves.get((path, axis))
                if curve is not None:
                    keyframes.append(curve, frames, values[path][:, axis], kinds)
            yield

    def _write_visibility(self) -> None:
        """Keys that hide armature and mesh while the person is away."""
        changes = self.track.visibility[self._visibility_written:]
        if not changes:
            return
        self._visibility_written += len(changes)
        frames, hidden = np.array(changes, dtype=np.float64).T
        kinds = np.full(len(changes), keyframes.CONSTANT, dtype=np.uint8)
        skeleton = self.armature()
        for block in (skeleton, self.mesh()):
            if block is None or skeleton is None:
                continue
            if block.animation_data is None:
                keyframes.animate(block, self.name, "visibility", share=skeleton)
            for path in _VISIBILITY:
                curve = keyframes.curves(block).get((path, 0)) or keyframes.add_curves(block, path, 1)[0]
                keyframes.append(curve, frames, hidden, kinds)

    def _shape_keys(self) -> bpy.types.Key | None:
        mesh = self.mesh()
        return None if mesh is None else mesh.data.shape_keys


def _batches(first: int, end: int) -> Iterator[slice]:
    """Rows that take a few milliseconds to compute the keys of."""
    return (slice(start, min(start + _ROWS, end)) for start in range(first, end, _ROWS))
