# SPDX-License-Identifier: GPL-3.0-or-later
"""People in the scene: per track one collection with an armature, its mesh, and one Action named after the track."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import bpy
import numpy as np

from ...engine.contract.body_model import BodyModel
from ...engine.contract.person_names import numbered_name
from ...engine.contract.sentences import Sentence
from ...engine.contract.skeleton import JOINT_NAMES
from ...engine.motion.clean_up import CleanUpSettings
from ..blender import key_seal, keyframes, tags, turns
from ..person import armature, body_mesh, bone_shapes, colors, family, shape_record, versions, visibility
from ..person.motion import LOCATION, NAMES, ROTATIONS
from .tracks import Track

_ROWS = 50
"""Rows of a track whose keys are computed in one slice of work."""

FindCurves = Callable[[], keyframes.Curves]


class Person:
    """A track's place in the scene, and how much of the track is written there.

    Holds names and numbers only: every slice of work finds the data-blocks anew, and finds out if they are gone.
    """

    def __init__(
        self,
        take_id: str,
        track: Track,
        name: str = "",
        live: versions.LiveSmoothing | None = None,
        is_whole: bool = False,
    ) -> None:
        """With `live` a smoothed Action is written while the take arrives, and the raw one once, at the end. The track
        of one who `is_whole` has all rows that it will have: what is written first is final.
        """
        self.track = track
        self.name = name or numbered_name(track.id)
        self.written = 0
        """Rows of the track that have keys."""
        self.note = ""
        """What the user should know of how the motion ended; empty where there is nothing to say."""
        self._take_id = take_id
        self._live = live
        self._seal = key_seal.Seal()
        """Of the keys of the pose that arrive."""
        self._is_whole = is_whole
        self._betas = track.typical_betas() if is_whole else track.betas[0]
        self._rotations: list[np.ndarray] = []
        """(T, 55, 4) of the rows that have keys, in batches; without `live` of the last batch alone."""
        self._visibility_written = 0
        self._holds_written = 0
        self._hint = self._root = ""

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
        hinted = bpy.data.objects.get(self._hint)
        if family.is_person(hinted) and family.order(hinted) == (self._take_id, self.track.id):
            return hinted
        root = tags.find(self._take_id, tags.ROOT, self._root) if self._root else None
        people = family.people_under(root) if root is not None else []
        found = next((item for item in people if item[tags.TRACK] == self.track.id), None)
        self._hint = found.name if found is not None else self._hint
        return found

    def mesh(self) -> bpy.types.Object | None:
        """The mesh object; None before `create` and once the user deleted it."""
        item = self.armature()
        return None if item is None else family.mesh(item)

    def create(
        self, root: bpy.types.Object, collection: bpy.types.Collection, base: bpy.types.Mesh, body: BodyModel
    ) -> Iterator[None]:
        """Make armature, mesh and empty F-curves in a new collection under `collection`, step by step."""
        yield from turns.wait()
        track_id = self.track.id
        skeleton = armature.create(self.name, body.rest_joints(self._betas))
        tags.mark(skeleton, self._take_id, tags.ARMATURE, track_id)
        skeleton.parent = root
        family.new_collection(skeleton, collection)
        self._hint, self._root = skeleton.name, root.name
        yield
        if (skeleton := self.armature()) is None:
            return
        bone_shapes.dress(skeleton, body.rest_joints(self._betas))
        yield
        if (skeleton := self.armature()) is None:
            return
        mesh = body_mesh.create(f"{self.name} mesh", base, skeleton)
        tags.mark(mesh, self._take_id, tags.MESH, track_id)
        skeleton.users_collection[0].objects.link(mesh)
        colors.color_new(skeleton, mesh)
        body_mesh.set_shape(mesh, self._betas)
        yield
        if (skeleton := self.armature()) is None:
            return
        family.give(skeleton, keyframes.animate(skeleton, self.name), tags.RAW)
        keyframes.add_curves(skeleton, LOCATION, 3, JOINT_NAMES[0])
        for path, joint in zip(ROTATIONS, JOINT_NAMES, strict=True):
            keyframes.add_curves(skeleton, path, 4, joint)
        yield
        skeleton, mesh = self.armature(), self.mesh()
        if skeleton is not None and mesh is not None:
            keyframes.animate(mesh.data.shape_keys, self.name, "expression", share=self._action(tags.RAW))
            for path in body_mesh.EXPRESSIONS:
                keyframes.add_curves(mesh.data.shape_keys, path, 1)
        if skeleton is not None and self._live is not None:
            versions.begin_live(skeleton)

    def write(self, body: BodyModel) -> Iterator[None]:
        """Append keys for all rows that have none yet, in slices. A person that the user deleted is left alone."""
        first, track = self.written, self.track
        if self.armature() is None:
            self.written, self._visibility_written = len(track.frames), len(track.visibility)
            return
        if first - 1 in track.holds[self._holds_written :]:
            for find in (self._arriving_curves, self._expression_curves):
                for curve in find().values():
                    keyframes.hold_last(curve)
                yield
        self._holds_written = len(track.holds)
        if self.pending:
            self.written = len(track.frames)
            poses = []
            for rows in _batches(first, self.written):
                location = track.pelvis_keys(rows, body, self._betas)
                rotations = track.rotation_keys(rows, self._rotations[-1][-1] if self._rotations else None)
                yield
                if self._live is None:
                    self._rotations.clear()
                    poses.append(_pose(location, rotations))
                else:
                    yield from self._live.add(track.frames[rows], rotations, location)
                self._rotations.append(rotations)
            pose = np.concatenate(poses) if self._live is None else self._live.take()
            expression = np.stack(track.expressions[first : self.written])
            frames, kinds = np.array(track.frames[first : self.written]), track.interpolation(first, self.written)
            for name, column in zip(NAMES, pose.T, strict=True):
                self._seal.add(name, frames, column)
            yield from self._append(self._arriving_curves, NAMES, pose, frames, kinds)
            names = tuple((path, 0) for path in body_mesh.EXPRESSIONS)
            yield from self._append(self._expression_curves, names, expression, frames, kinds)
        self._write_visibility()
        yield

    def settle(self, body: BodyModel) -> Iterator[None]:
        """The final shape, the same in all frames, and the raw keys that follow from it; finished F-curves."""
        if not self._is_whole:
            yield from self._reshape(body)
        raw = self._action(tags.RAW)
        if raw is not None:
            shape_record.write(raw, np.array(self.track.frames), np.stack(self.track.betas))
        yield
        for find in (self._raw_curves, self._expression_curves):
            yield from keyframes.settle_curves(find)

    def _reshape(self, body: BodyModel) -> Iterator[None]:
        """The shape of the whole track, and the raw keys for it."""
        self._betas = self.track.typical_betas()
        location: list[np.ndarray] = []
        rotations: list[np.ndarray] = []
        for rows in _batches(0, self.written):
            location.append(self.track.pelvis_keys(rows, body, self._betas))
            if self.track.is_final:
                rotations.append(self.track.rotation_keys(rows, rotations[-1][-1] if rotations else None))
            yield
        yield from turns.wait()
        skeleton, mesh = self.armature(), self.mesh()
        if skeleton is not None:
            armature.set_rest_joints(skeleton, body.rest_joints(self._betas))
            bone_shapes.follow(skeleton, body.rest_joints(self._betas))
        if mesh is not None:
            body_mesh.set_shape(mesh, self._betas)
        yield
        if rotations and self._rotations and self._live is not None:
            self._rotations = rotations
        if self._live is None and self._seal.is_broken(self._raw_curves()):
            if rotations:
                self._set_aside(_pose(np.concatenate(location), np.concatenate(rotations)))
                yield
        elif self._live is None:
            self._place(np.concatenate(location), np.concatenate(rotations) if rotations else None)
            yield
        elif sum(map(len, self._rotations)) == self.written:  # fewer when the user deleted the person
            pose = _pose(np.concatenate(location), np.concatenate(self._rotations))
            yield from self._append(
                self._raw_curves, NAMES, pose, np.array(self.track.frames), self.track.interpolation(0, self.written)
            )

    def clean_up(self, settings: CleanUpSettings, rate: float) -> Iterator[object]:
        """The final clean Action beside the raw one, in place of the live one; `rate` in frames per second.

        Where the user has changed the live one, or plays another Action, that stays and plays on.
        """
        if not self.written or not self._raw_curves():
            return
        own = self._users_own() if self._live is not None else None
        yield from versions.clean_in_steps(
            self.armature, rate, settings, takes_live=self._live is not None and own is None
        )
        item, clean = self.armature(), self._action(tags.CLEAN)
        if own is not None and item is not None and clean is not None:
            versions.play_own(item, own)
            self._tell_where(item, clean)

    def _users_own(self) -> str | None:
        """Name of the Action that the user has changed or chosen while the take arrived, empty for none that plays;
        None where one of ours plays as it was written.
        """
        item = self.armature()
        if item is None or self._action(tags.LIVE) is None:
            return None
        shown = versions.shown(item)
        if shown and (shown != tags.LIVE or not self._seal.is_broken(self._arriving_curves())):
            return None
        action = item.animation_data.action if item.animation_data is not None else None
        return "" if action is None else action.name

    def _set_aside(self, pose: np.ndarray) -> None:
        """Keep the final motion, (T, 223), beside the raw Action that the user has changed."""
        raw, item = self._action(tags.RAW), self.armature()
        if raw is None or item is None:
            return
        refined = versions.copy_of(raw, "refined")
        refined.use_fake_user = True
        frames, kinds = np.array(self.track.frames), self.track.interpolation(0, self.written)
        for name, column in zip(NAMES, pose.T, strict=True):
            keyframes.replace(keyframes.curve_in(refined, LOCATION, *name), frames, column, kinds)
        self._tell_where(item, refined)

    def _tell_where(self, item: bpy.types.Object, action: bpy.types.Action) -> None:
        self.note = Sentence(
            "{name} was changed while the footage ran, and keeps that motion. The final one is in the Action {action}.",
            name=item.name,
            action=action.name,
        )

    def _place(self, location: np.ndarray, rotations: np.ndarray | None) -> None:
        """Give the raw keys of the pelvis other values, (T, 3), and of the joints, (T, 55, 4), where all are there."""
        curves = self._raw_curves()
        names: Sequence[keyframes.CurveName] = [(LOCATION, axis) for axis in range(3)]
        values = location
        if rotations is not None:
            names, values = NAMES, _pose(location, rotations)
        for name, column in zip(names, values.T, strict=True):
            curve = curves.get(name)
            if curve is not None and len(curve.keyframe_points) == len(column):
                keyframes.set_values(curve, column)

    def _append(
        self,
        find: FindCurves,
        names: Sequence[keyframes.CurveName],
        values: np.ndarray,
        frames: np.ndarray,
        kinds: np.ndarray,
    ) -> Iterator[None]:
        """Append (T, N) values to the N curves called `names`, of those that `find` finds, in slices."""
        columns = dict(zip(names, values.T, strict=True))
        for some in keyframes.slices(names, self.written):
            curves = find()
            for name in some:
                curve = curves.get(name)
                if curve is not None:
                    keyframes.append(curve, frames, columns[name], kinds)
            yield

    def _write_visibility(self) -> None:
        """Keys that hide armature and mesh while the person is away."""
        changes = self.track.visibility[self._visibility_written :]
        item = self.armature()
        if not changes or item is None:
            return
        self._visibility_written += len(changes)
        versions_there = [action for role, action in family.actions(item).items() if role != tags.CLEAN]
        visibility.write(self.name, family.mesh(item), versions_there, changes, keyframes.append)

    def _action(self, role: str) -> bpy.types.Action | None:
        item = self.armature()
        return None if item is None else family.action(item, role)

    def _raw_curves(self) -> keyframes.Curves:
        action = self._action(tags.RAW)
        return {} if action is None else keyframes.curves_in(action, LOCATION)

    def _arriving_curves(self) -> keyframes.Curves:
        """Those that get keys while the take arrives."""
        if self._live is None:
            return self._raw_curves()
        action = self._action(tags.LIVE)
        return {} if action is None else keyframes.curves_in(action, LOCATION)

    def _expression_curves(self) -> keyframes.Curves:
        mesh = self.mesh()
        return {} if mesh is None else keyframes.curves(mesh.data.shape_keys)


def _pose(location: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """(T, 223) values of the curves of `NAMES` for (T, 3) places of the pelvis and (T, 55, 4) rotations."""
    return np.concatenate([location, rotations.reshape(-1, 4 * len(ROTATIONS))], axis=1)


def _batches(first: int, end: int) -> Iterator[slice]:
    """Rows that take a few milliseconds to compute the keys of."""
    return (slice(start, min(start + _ROWS, end)) for start in range(first, end, _ROWS))
