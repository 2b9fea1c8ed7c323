# SPDX-License-Identifier: GPL-3.0-or-later
"""A person's raw keys as rows that can be cut and joined, and rows back into keys with the one body that follows.

A row is a picture that shows the person. The pelvis hangs from the head, which is what was predicted whatever the
body's shape: when rows come to a person of another shape, heads stay and pelves move.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import bpy
import numpy as np

from ...engine.contract.body_choice import body_file
from ...engine.contract.body_model import BodyModel
from ...engine.contract.errors import UserError
from ...engine.contract.skeleton import HEAD
from ...engine.motion.body_motion import BodyMotion
from ...engine.motion.clean_up import CleanUpSettings
from ..blender import keyframes, tags, turns
from ..blender.slices import Slices, sliceable
from . import (
    armature,
    body_mesh,
    bone_shapes,
    contacts,
    copies,
    family,
    pose_correctives,
    sampling,
    shape_record,
    versions,
    visibility,
)
from .motion import LOCATION, NAMES, motion_of_person, values_of
from .presence import presence

DEFAULT_ABSENCE_S = 0.5
"""For scenes of earlier versions, which do not say."""


@dataclass(frozen=True)
class PersonKeys:
    """T rows of a person."""

    frames: np.ndarray
    """(T,) scene frames, ascending."""
    motion: BodyMotion
    """The same T frames, in seconds from scene frame 0 and in the body frame."""
    expressions: np.ndarray
    """(T, 10)"""
    betas: np.ndarray
    """(T, 10) as predicted."""
    kinds: np.ndarray
    """(T,) uint8 interpolations."""
    edits: contacts.Edits = ()
    """What somebody said by hand of these frames."""

    def part(self, rows: np.ndarray) -> PersonKeys:
        """The rows where (T,) is true."""
        motion = replace(
            self.motion,
            time_s=self.motion.time_s[rows],
            rotations=self.motion.rotations[rows],
            pelvis=self.motion.pelvis[rows],
        )
        edits = contacts.kept(self.edits, self.frames, rows)
        return PersonKeys(self.frames[rows], motion, self.expressions[rows], self.betas[rows], self.kinds[rows], edits)

    def on(self, rest_joints: np.ndarray) -> PersonKeys:
        """The same heads on a body with (55, 3) other joints at rest."""
        other = replace(self.motion, rest_joints=np.asarray(rest_joints, dtype=np.float64))
        lower = self.motion.joints()[:, HEAD] - other.joints()[:, HEAD]
        return replace(self, motion=replace(other, pelvis=other.pelvis + lower))

    def with_rows(self, other: PersonKeys) -> PersonKeys:
        """These rows and those of another at frames that these have not, on this one's body."""
        added = other.part(~np.isin(other.frames, self.frames)).on(self.motion.rest_joints)
        order = np.argsort(np.concatenate([self.frames, added.frames]), kind="stable")

        def both(first: np.ndarray, second: np.ndarray) -> np.ndarray:
            return np.concatenate([first, second])[order]

        ours, theirs = self.motion, added.motion
        motion = BodyMotion.make(
            both(ours.time_s, theirs.time_s),
            both(ours.rotations, theirs.rotations),
            both(ours.pelvis, theirs.pelvis),
            ours.rest_joints,
        )
        return PersonKeys(
            both(self.frames, added.frames),
            motion,
            both(self.expressions, added.expressions),
            both(self.betas, added.betas),
            both(self.kinds, added.kinds),
            (*added.edits, *self.edits),
        )


@sliceable
def read(item: bpy.types.Object, rate: float) -> Slices[PersonKeys]:
    """A person's rows, of the raw Action; `rate` is the scene's frames per second.

    Raises UserError (``person-not-animated``, ``no-raw-motion``, ``no-mesh``).
    """
    raw, mesh = raw_action(item), mesh_of(item)
    yield from versions.unpacked(lambda: raw)
    keyed = yield from motion_of_person.in_slices(item, rate, raw)
    faces, nothing = sampling.key_values(mesh, keyed.frames), np.zeros(len(keyed.frames))
    expressions = np.stack([faces.get(name, nothing) for name in body_mesh.EXPRESSION_KEYS], axis=-1)
    kinds = np.full(len(keyed.frames), keyframes.LINEAR, dtype=np.uint8)
    place = keyframes.curves_in(raw, LOCATION).get((LOCATION, 0))
    if place is not None and len(place.keyframe_points) == len(kinds):
        kinds = keyframes.interpolation(place)
    betas = shape_record.read(raw, keyed.frames, body_mesh.shape(mesh))
    return PersonKeys(keyed.frames, keyed.motion, expressions, betas, kinds, contacts.read(item))


@sliceable
def write(item: bpy.types.Object, keys: PersonKeys, rate: float, body: BodyModel) -> Slices[None]:
    """Give a person these rows in place of all keys of the raw Action, and what follows from them.

    That is the body (the median of the shapes predicted in the rows, the same in all frames), when the person is
    hidden, a new clean Action where there was one, and new pose correctives where there were some. Raises UserError as
    `read` does.
    """
    copies.own_blocks(item)
    raw, mesh = raw_action(item), mesh_of(item)
    yield from versions.unpacked(lambda: raw)
    betas = np.median(keys.betas, axis=0).astype(np.float32)
    if not np.array_equal(betas, body_mesh.shape(mesh)) or not np.allclose(
        armature.rest_joints(item), body.rest_joints(betas), atol=1e-6
    ):
        armature.set_rest_joints(item, body.rest_joints(betas))
        bone_shapes.follow(item, body.rest_joints(betas))
        body_mesh.set_shape(mesh, betas)
    rest = armature.rest_joints(item)
    if not np.array_equal(rest, keys.motion.rest_joints):
        keys = yield from turns.result_of(turns.submit("human3r-rows", keys.on, rest))
    told = presence(keys.frames.tolist(), pictures(item).tolist(), _absence_s(item) * rate)
    kinds = np.where(keys.kinds == keyframes.CONSTANT, keyframes.LINEAR, keys.kinds).astype(np.uint8)
    kinds[told.holds] = keyframes.CONSTANT
    columns = dict(zip(NAMES, values_of(keys.motion).T, strict=True))
    for names in keyframes.slices(NAMES, len(keys.frames)):
        curves = keyframes.curves_in(raw, LOCATION)
        for name in names:
            if name in curves:
                keyframes.replace(curves[name], keys.frames, columns[name], kinds)
        yield None
    faces = keyframes.curves(mesh.data.shape_keys)
    for path, values in zip(body_mesh.EXPRESSIONS, keys.expressions.T, strict=True):
        if (path, 0) in faces:
            keyframes.replace(faces[path, 0], keys.frames, values, kinds)
    yield None
    changes = told.visibility
    if not changes and visibility.has_keys(mesh, raw):  # without any keys whatever was shown last would stay
        changes = [(told.frames[0], False)]
    visibility.write(item.name, mesh, [raw], changes, keyframes.replace)
    shape_record.write(raw, keys.frames, keys.betas)
    contacts.write(item, keys.edits)
    yield from _write_what_follows(item, mesh, rate, body)


def raw_action(item: bpy.types.Object) -> bpy.types.Action:
    """A person's raw Action. Raises UserError (``no-raw-motion``)."""
    raw = family.action(item, tags.RAW)
    if raw is None:
        raise UserError(
            "no-raw-motion",
            "{name} no longer has a raw motion.",
            "Undo its deletion, or import the take again.",
            name=item.name,
        )
    return raw


def mesh_of(item: bpy.types.Object) -> bpy.types.Object:
    """A person's mesh. Raises UserError (``no-mesh``)."""
    mesh = family.mesh(item)
    if mesh is None or mesh.data.shape_keys is None:
        raise UserError(
            "no-mesh",
            "{name} no longer has its mesh, or the mesh has no shape keys.",
            "Undo its deletion, or import the take again.",
            name=item.name,
        )
    return mesh


def root_of(item: bpy.types.Object) -> bpy.types.Object:
    """The root of a person's take. Raises UserError (``no-root``)."""
    root = family.root(item)
    if root is None:
        raise UserError(
            "no-root",
            "The root of {name} was deleted.",
            "Undo its deletion, or import the take again.",
            name=item.name,
        )
    return root


@sliceable
def body_of(item: bpy.types.Object) -> Slices[BodyModel]:
    """The body that a person was made with. Raises UserError where its file is gone."""
    path = body_file(tags.text(root_of(item), tags.BODY))
    return (yield from turns.result_of(turns.submit("human3r-body", BodyModel.load, path)))


def pictures(item: bpy.types.Object) -> np.ndarray:
    """(N,) scene frames of the pictures of a person's take, as exactly as keys have them.

    Scenes of earlier versions do not say: there it is those with a key of the camera or of anybody.
    """
    root = root_of(item)
    frames = [tags.numbers(root, tags.PICTURES).astype(np.float32).ravel()]
    if not len(frames[0]):
        camera = tags.find(item[tags.TAKE], tags.CAMERA)
        curves = [] if camera is None else list(keyframes.curves(camera).values())
        for person in family.people_under(root):
            raw = family.action(person, tags.RAW)
            curves += [] if raw is None else list(keyframes.curves_in(raw, LOCATION).values())[:1]
        frames += [keyframes.read(curve)[0] for curve in curves]
    return np.unique(np.concatenate(frames)).astype(np.float64)


def _absence_s(item: bpy.types.Object) -> float:
    return tags.number(root_of(item), tags.ABSENCE, DEFAULT_ABSENCE_S)


def _write_what_follows(item: bpy.types.Object, mesh: bpy.types.Object, rate: float, body: BodyModel) -> Slices[None]:
    """New clean motion and pose correctives for new raw keys, where the person has some."""
    settings, shown = versions.settings_of(item), versions.shown(item)
    if (
        family.action(item, tags.LIVE) is not None
    ):  # it would be of another motion; whoever wants to compare makes it anew
        if shown == tags.LIVE:
            yield from versions.show.in_slices(item, tags.RAW)
            settings = settings or CleanUpSettings()
        versions.remove_live(item)
    if settings is not None:
        yield from versions.clean_behind.in_slices(item, rate, settings)
        if shown == tags.LIVE:
            yield from versions.show.in_slices(item, tags.CLEAN)
    if any(key.name.startswith(pose_correctives.KEY_PREFIX) for key in mesh.data.shape_keys.key_blocks):
        yield from pose_correctives.bake.in_slices(item, mesh, body)
