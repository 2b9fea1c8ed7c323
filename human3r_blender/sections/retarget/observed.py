# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a character's bones are, at rest and at some frames, as Blender shows them."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ...blender.evaluation import at_rest, bone_matrices, evaluating, world_matrix
from ...rigs.rig_map import RigMap
from .character import switch_values


@dataclass(frozen=True)
class Observed:
    """B bones at R frames: those that show where limbs are, and those between two of them."""

    names: tuple[str, ...]
    above: tuple[int, ...]
    """By bone, the next one up among them; -1 for those at the top."""
    rest: np.ndarray
    """(B, 4, 4) at rest, in the armature's space."""
    poses: np.ndarray
    """(R, B, 4, 4) in the armature's space."""
    worlds: np.ndarray
    """(R, 4, 4) the armature in the world."""
    others: tuple[str, ...] = ()
    """Those of the bones that hang from none of the figure, and yet move the character's meshes."""

    def heads(self, name: str) -> np.ndarray:
        """(R, 3) where a bone begins, in the world."""
        poses = self.poses[:, self.names.index(name), :3, 3]
        return np.einsum("rij,rj->ri", self.worlds[:, :3, :3], poses) + self.worlds[:, :3, 3]

    def motions(self, name: str) -> np.ndarray:
        """(R, 4, 4) from where a bone rests to where it is, in the armature's space."""
        bone = self.names.index(name)
        return self.poses[:, bone] @ np.linalg.inv(self.rest[bone])

    def stretches(self, name: str, other: str) -> tuple[float, np.ndarray]:
        """How far apart two bones begin at rest, and (R,) by how much more later, in the armature's unit."""
        first, second = self.names.index(name), self.names.index(other)
        resting = float(np.linalg.norm(self.rest[first, :3, 3] - self.rest[second, :3, 3]))
        return resting, np.linalg.norm(self.poses[:, first, :3, 3] - self.poses[:, second, :3, 3], axis=-1) - resting

    def between(self, upper: str, lower: str) -> tuple[str, ...]:
        """The bones between two of one line, from the upper on; none where one does not hang from the other."""
        found, bone = [], self.above[self.names.index(lower)]
        while bone >= 0 and self.names[bone] != upper:
            found.append(self.names[bone])
            bone = self.above[bone]
        return tuple(reversed(found)) if bone >= 0 else ()


def observe(item: bpy.types.Object, scene: bpy.types.Scene, rig: RigMap, controls: str, frames: np.ndarray) -> Observed:
    """Look at a character at (R,) scene frames, and at rest with its switches set to `controls`."""
    shown = {name: None for slot in rig.bones for name in rig.shown(slot)}
    parents: dict[str, str] = {}
    for name in shown:
        parents |= _line_to_the_next(item.pose.bones[name], shown)
    others = weighted_bones(item, {*shown, *(name for bones in rig.bones.values() for name in bones)})
    names = [*shown, *(name for name in parents if name not in shown)]
    names += [name for name in others if name not in names]
    with evaluating(item, scene) as evaluation:
        with at_rest(item, switch_values(item, rig, controls)):
            rest = bone_matrices(evaluation.update(), names)
        poses, worlds = np.empty((len(frames), len(names), 4, 4)), np.empty((len(frames), 4, 4))
        for row, frame in enumerate(frames.tolist()):
            evaluated = evaluation.at(frame)
            poses[row], worlds[row] = bone_matrices(evaluated, names), world_matrix(evaluated)
    above = tuple(names.index(parents[name]) if name in parents else -1 for name in names)
    return Observed(tuple(names), above, rest, poses, worlds, others)


def weighted_bones(item: bpy.types.Object, figure: set[str]) -> tuple[str, ...]:
    """The bones that meshes have weights for and that are none of the `figure` nor hang from one of it."""
    apart = {
        bone.name
        for bone in item.data.bones
        if bone.use_deform and figure.isdisjoint({bone.name, *(above.name for above in bone.parent_recursive)})
    }
    found: set[str] = set()
    for mesh in [mesh for mesh in bpy.data.objects if mesh.type == "MESH" and _is_moved_by(mesh, item)]:
        groups = {group.index: group.name for group in mesh.vertex_groups if group.name in apart - found}
        if groups:
            weighted = {part.group for vertex in mesh.data.vertices for part in vertex.groups if part.weight > 0}
            found |= {name for index, name in groups.items() if index in weighted}
    return tuple(sorted(found))


def _is_moved_by(mesh: bpy.types.Object, item: bpy.types.Object) -> bool:
    bound = any(modifier.type == "ARMATURE" and modifier.object == item for modifier in mesh.modifiers)
    return bound or (mesh.parent == item and mesh.parent_type == "ARMATURE")


def _line_to_the_next(bone: bpy.types.PoseBone, shown: dict[str, None]) -> dict[str, str]:
    """By bone its parent, from a bone up to the next one that is shown; nothing where there is none above."""
    line: dict[str, str] = {}
    while bone.parent is not None:
        line[bone.name] = bone.parent.name
        bone = bone.parent
        if bone.name in shown:
            return line
    return {}
