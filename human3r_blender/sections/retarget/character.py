# SPDX-License-Identifier: GPL-3.0-or-later
"""One character: its controls and how they hang together, and its figure at rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ....engine.contract.errors import UserError
from ...blender import evaluation
from ...blender.vectors import nearest_rotation
from ...person.sampling import nearest_axis
from ...rigs import hierarchy, trunk
from ...rigs.rig_map import RigMap
from ...rigs.slots import CARRIERS, ROOT_MOTION, SIDES
from . import control_model
from .calibration import SEGMENTS, Figure
from .control_model import ControlModel

LIMBS = {
    f"{side}_{name}": joints
    for side in SIDES
    for name, joints in (
        ("arm", (f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")),
        ("leg", (f"{side}_hip", f"{side}_knee", f"{side}_ankle")),
    )
}
"""By limb that inverse kinematics moves, the slots of its three joints."""


@dataclass(frozen=True)
class IkControls:
    """Indices of a limb's controls; None for those that the rig has not."""

    target: int
    pole: int | None
    toe: int | None


@dataclass(frozen=True)
class Character:
    """A rig as retargeting sees it. Armature space unless said otherwise."""

    model: ControlModel
    slots: tuple[str, ...]
    """(C,) slot of each control; empty for those of inverse kinematics and of root motion."""
    places: tuple[int, ...]
    """(C,) place in its slot: 0 except along chains."""
    root: int
    """The control that gets the hips' location keys."""
    root_motion: int | None
    """The control on the floor that gets the root motion, where that is asked for."""
    ik: dict[str, IkControls]
    """By limb of `LIMBS`."""
    world: np.ndarray
    """(4, 4) world from armature."""
    figure: Figure
    limb_axes: dict[str, np.ndarray]
    """By slot of a limb with a direction, (3,) that direction at rest."""

    def control(self, slot: str) -> int | None:
        """The (first) control of a slot."""
        return self.slots.index(slot) if slot in self.slots else None

    @property
    def turn(self) -> np.ndarray:
        """(3, 3) rotation of the armature in the world, without its scale."""
        return nearest_rotation(self.world[:3, :3])


def study(item: bpy.types.Object, scene: bpy.types.Scene, rig: RigMap, controls: str) -> Character:
    """Find out all there is to know about a rig whose switches are set to `controls` (``FK`` or ``IK``).

    The root of the motion is what the rig map says, the hips, or the lowest bone that both legs, spine and head hang
    from. Leaves the rig as it was. Raises UserError for rigs that cannot be retargeted to (``character-mirrored``,
    ``rig-root-unknown``).
    """
    rig.check(item.pose.bones.keys())
    parents = hierarchy.parents_of(item)
    rig = trunk.settled(rig, parents)
    with evaluation.evaluating(item, scene) as evaluated, evaluation.at_rest(item, switch_values(item, rig, controls)):
        rested = evaluated.update()
        world = evaluation.world_matrix(rested)
        if np.linalg.det(world[:3, :3]) < 1e-9:
            raise UserError(
                "character-mirrored",
                "{name} has a negative or zero scale.",
                "Apply its scale (Object > Apply > Scale), then retarget again.",
                name=item.name,
            )
        heads = {slot: evaluation.bone_matrices(rested, rig.shown(slot))[0, :3, 3] for slot in rig.bones}
        controlled, model = _learn(item, evaluated, rig, parents)
    # A character's own proportions are seen without its object's scale; where it is uneven, directions are corrected.
    turn = nearest_rotation(world[:3, :3])
    in_world = {slot: turn @ head for slot, head in heads.items()}
    spread = in_world.get("head", in_world["pelvis"]) - (in_world["left_ankle"] + in_world["right_ankle"]) / 2
    figure = Figure(in_world, nearest_axis(spread, turn))
    axes = {slot: figure.direction(slot) for slot in SEGMENTS if slot in rig.bones}
    names = model.names
    ik = {}
    for limb_name, limb in rig.ik.items():
        pole, toe = (names.index(name) if name else None for name in (limb.pole, limb.toe))
        ik[limb_name] = IkControls(names.index(limb.target), pole, toe)
    return Character(
        model,
        tuple(slot for _, slot, _ in controlled),
        tuple(place for _, _, place in controlled),
        names.index(_root_of(controlled)),
        names.index(rig.bones[ROOT_MOTION][0]) if ROOT_MOTION in rig.bones else None,
        ik,
        world,
        figure,
        {slot: turn.T @ axis for slot, axis in axes.items() if axis is not None},
    )


def _check_movable(bone: bpy.types.PoseBone) -> None:
    """Raises UserError (``rig-root-connected``): Blender ignores the location of a bone that is connected."""
    if bone.parent is None or not bone.bone.use_connect:
        return
    free = bone.parent
    while free.parent is not None and free.bone.use_connect:
        free = free.parent
    raise UserError(
        "rig-root-connected",
        "{bone} is connected to {parent}, so Blender ignores its location and the body would not move.",
        "In Edit Mode, disconnect {bone} (Alt P > Disconnect Bone), or choose {free} as Root in the list of bones.",
        bone=bone.name,
        parent=bone.parent.name,
        free=free.name,
    )


_Controls = list[tuple[str, str, int]]
"""(bone, slot, place in its slot) of each control; the slot is empty for those of inverse kinematics and of
root motion."""


def _learn(
    item: bpy.types.Object, evaluated: evaluation.Evaluation, rig: RigMap, parents: Mapping[str, str]
) -> tuple[_Controls, ControlModel]:
    """The controls of a rig with the first of some possible roots that the trunk hangs from.

    Raises UserError (``rig-root-unknown``) where it hangs from none.
    """
    for root in trunk.roots(rig, parents):
        controlled = _controls(rig, root)
        names, slots = [name for name, _, _ in controlled], [slot for _, slot, _ in controlled]
        goals = {name for limb in rig.ik.values() for name in (limb.target, limb.pole) if name}
        placed = {root, *rig.bones.get(ROOT_MOTION, ()), *goals}
        model = control_model.learn(item, evaluated, names, sorted(placed))
        moves = model.carried_by(names.index(root), model.order())
        parts = [slots.index(slot) for slot in trunk.TRUNK if slot in slots]
        # a constraint may hold a part elsewhere: that is another thing than a body that hangs from nothing
        if all(moves[part] or hierarchy.carries(root, names[part], parents) for part in parts):
            for name in sorted(placed):
                _check_movable(item.pose.bones[name])
            return controlled, model
    raise UserError(
        "rig-root-unknown",
        "No bone of {name} carries legs, spine and head together.",
        "Parent them to one bone, or choose the bone that moves the whole body as Root in the list of bones.",
        name=item.name,
    )


def _controls(rig: RigMap, root: str) -> _Controls:
    bones: dict[str, Sequence[str]] = {slot: names for slot, names in rig.bones.items() if slot not in CARRIERS}
    if root not in bones["pelvis"]:
        bones = {"root": (root,), **bones}
    found = {name: (slot, place) for slot, names in bones.items() for place, name in enumerate(names)}
    found = {name: ("", 0) for name in rig.bones.get(ROOT_MOTION, ()) if name not in found} | found
    for limb in rig.ik.values():
        for name in (limb.target, limb.pole, limb.toe):
            if name:
                found.setdefault(name, ("", 0))
    return [(name, slot, place) for name, (slot, place) in found.items()]


def _root_of(controlled: _Controls) -> str:
    slots = [slot for _, slot, _ in controlled]
    return controlled[slots.index("root" if "root" in slots else "pelvis")][0]


def switch_values(item: bpy.types.Object, rig: RigMap, controls: str) -> list[tuple[str, str, float]]:
    """(bone, property, value) of the switches that the rig really has, and of what else would move its bones."""
    switches = [
        (switch.bone, switch.property, switch.fk if controls == "FK" else switch.ik)
        for switch in rig.switches
        if switch.bone in item.pose.bones and switch.property in item.pose.bones[switch.bone]
    ]
    escaped = bpy.utils.escape_identifier
    solvers = _solvers(item, rig)
    return switches + [(bone.name, f'constraints["{escaped(solver.name)}"].influence', 0.0) for bone, solver in solvers]


def _solvers(item: bpy.types.Object, rig: RigMap) -> list[tuple[bpy.types.PoseBone, bpy.types.Constraint]]:
    """Inverse kinematics that would hold bones with keys of their own to a control of the rig that has none."""
    keyed = {name for slot, names in rig.bones.items() for name in names if slot != ROOT_MOTION}
    return [
        (bone, solver)
        for bone in (() if rig.ik else item.pose.bones)
        for solver in bone.constraints
        if solver.type == "IK"
        and solver.target == item
        and solver.subtarget not in keyed
        and keyed & {moved.name for moved in _moved_by(bone, solver)}
    ]


def _moved_by(bone: bpy.types.PoseBone, solver: bpy.types.Constraint) -> list[bpy.types.PoseBone]:
    """The bones of a chain; a count of 0 means all."""
    chain = [bone, *bone.parent_recursive][0 if solver.use_tail else 1 :]
    return chain[: solver.chain_count or None]
