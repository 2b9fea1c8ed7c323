# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a character, as Blender shows it, is from the person whose motion it was given. Numpy only.

What keeps its direction is compared with the person's limbs as they lie between the person's joints. A limb that
reaches for a goal has other directions where proportions differ: of it the goal counts, and that elbow or knee lies in
the plane that the person's limb is bent in. Hips, chest, neck, head, hands and feet have turned from rest as the
person's did. The trunk may bend elsewhere than a person's, and so is held to less. No two bones move apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np

from ....engine.contract.rotations import unit
from ....engine.contract.skeleton import JOINT_INDEX, PELVIS, SPINE3
from ...blender.vectors import angle_between, blend, nearest_rotation, shortest_rotation, turned
from ...person.sampling import Sample
from ...rigs.rig_map import RigMap
from ...rigs.slots import SIDES, SLOTS, parent_slot, source_joint, spread
from .calibration import SEGMENTS, anatomical_hinge
from .character import LIMBS, Character
from .observed import Observed
from .transfer import MOST_SINKING, VERTICAL, Transfer, bends_to, source_figure

MOST_ANGLE = np.radians(5.0)
MOST_DISTANCE = 0.05
"""Meters on a character with legs of `_LEGS`; in proportion to the legs on others."""
_LEGS = 0.8
"""Meters from hips to ankles."""
_MOST_TRUNK = (np.radians(10.0), 0.3)
"""Lines through hips, neck and shoulders: the second is a share of how far the back is bent, for spines of rigs bend in
other places than people's."""
_MOST_HINGE = np.radians(45.0)
"""Limbs that are turned the wrong way are off by 90 or 180 degrees; those that reach turn a little with it."""
_STRETCH = (0.1, 0.01)
"""Of the distance between two bones, and meters as above: solvers of rigs shorten limbs by up to 4 percent."""
_BENT = 0.05
"""Lengths of the limb that elbows and knees are off the line between its ends (11 degrees) to show its plane."""
_TURNING = {"pelvis", "spine", "neck", "head", *(f"{s}_{name}" for s in SIDES for name in ("collar", "wrist", "ankle"))}
_TRUNK = (("left_hip", "right_hip"), ("left_shoulder", "right_shoulder"), ("hips", "neck"))


@dataclass(frozen=True)
class Deviation:
    """One thing about the character that is not as on the person, at its worst frame."""

    kind: str
    """``limb``, ``bend`` (of a limb that reaches for a goal), ``hinge``, ``turn``, ``trunk``, ``between`` (a bone
    between two mapped ones is not on their line), ``goal``, ``hips`` or ``torn``."""
    slot: str
    bones: tuple[str, ...]
    """The bones that show it."""
    angle_rad: float = 0.0
    distance_m: float = 0.0
    share: float = field(default=0.0, compare=False)
    """Of what is allowed: more than 1 is wrong."""


@dataclass(frozen=True)
class Comparison:
    """All that is compared: R of the motion's T frames."""

    rig: RigMap
    character: Character
    source: Sample
    rows: np.ndarray
    """(R,) frames of the motion that were looked at."""
    transfer: Transfer
    calibration: np.ndarray
    """(C, 3, 3) as of `transfer.transfer`."""
    keep_directions: bool
    observed: Observed

    def deviations(self) -> list[Deviation]:
        """Everything that was measured, what is right too."""
        joints = (self._limbs, self._bends, self._between, self._hinges, self._turns, self._trunk)
        parts = (*joints, self._goals, self._hips, self._torn)
        return [found for part in parts for found in part()] + list(self._left_behind())

    @cached_property
    def size(self) -> float:
        """How large the character is, by its legs; 1 for one like people are."""
        legs = [self.observed.stretches(*(self.rig.shown(slot)[0] for slot in pair))[0] for pair in _LEG]
        return self._unit * sum(legs) / _LEGS

    @cached_property
    def _unit(self) -> float:
        """Meters in a unit of the armature."""
        return float(np.cbrt(np.linalg.det(self.character.world[:3, :3])))

    def _theirs(self, slot: str) -> np.ndarray:
        """(R, 3) the person's joint, turned as the whole motion was; only differences of these mean anything."""
        return self.source.joints[self.rows, source_joint(slot)] @ self.transfer.placement.turn.T

    def _own(self, slot: str) -> np.ndarray:
        return self.observed.heads(self.rig.shown(slot)[0])

    def _has(self, *slots: str) -> bool:
        return all(slot in self.rig.bones and self.source.present[source_joint(slot)] for slot in slots)

    def _wanted(self, slot: str) -> np.ndarray:
        """(R, 3) direction that a limb should have; with a pose matched by hand that of its turn from rest."""
        if self.keep_directions:
            return self._theirs(SEGMENTS[slot]) - self._theirs(slot)
        axis = self.character.turn @ self.character.limb_axes[slot]
        return turned(self._turn_wanted(slot, 0), axis)

    def _turn_wanted(self, slot: str, place: int) -> np.ndarray:
        """(R, 3, 3) how a bone of a slot should have turned from its rest, in the world."""
        first, second, share = spread(slot, len(self.rig.bones[slot]))[place]
        turns = self.source.turns[self.rows]
        turn = turns[:, first] if first == second else blend(turns[:, first], turns[:, second], share)
        control = self.character.model.names.index(self.rig.bones[slot][place])
        return self.transfer.placement.turn @ turn @ self.calibration[control]

    def _limbs(self) -> Iterator[Deviation]:
        for slot in self.character.limb_axes:
            if not self._has(slot, SEGMENTS[slot]) or reaches(slot, self.transfer):
                continue
            start, end = self._own(slot), self._own(SEGMENTS[slot])
            yield self._of_directions("limb", slot, self._bones(slot), end - start, self._wanted(slot))

    def _of_directions(
        self, kind: str, slot: str, bones: tuple[str, ...], found: np.ndarray, wanted: np.ndarray
    ) -> Deviation:
        angle = float(angle_between(found, wanted).max())
        length = np.linalg.norm(found, axis=-1, keepdims=True)
        return self._judged(kind, slot, bones, angle, np.linalg.norm(found - length * unit(wanted), axis=-1).max())

    def _bones(self, slot: str) -> tuple[str, ...]:
        return self.rig.shown(slot)[0], self.rig.shown(SEGMENTS[slot])[0]

    def _judged(self, kind: str, slot: str, bones: tuple[str, ...], angle: float, distance: float) -> Deviation:
        share = max(angle / MOST_ANGLE, distance / (MOST_DISTANCE * self.size))
        return Deviation(kind, slot, bones, float(angle), float(distance), float(share))

    def _bends(self) -> Iterator[Deviation]:
        for limb, slots in LIMBS.items():
            if not self._has(*slots) or not reaches(slots[0], self.transfer):
                continue
            own, theirs = ([place(slot) for slot in slots] for place in (self._own, self._theirs))
            front = bends_to(source_figure(self.source), self.source, limb)[self.rows]
            front = front @ self.transfer.placement.turn.T
            shows, found, wanted = _bent_as(own, theirs, front)
            if shows.any():
                yield self._of_directions("bend", slots[0], self._bones(slots[0]), found[shows], wanted[shows])

    def _hinges(self) -> Iterator[Deviation]:
        """Where a limb's rest shows what its elbow or knee bends about, that lies where the person's hinge does, or
        else where the limb really bends: solvers turn it there when the person's bends about another axis.
        """
        figure, turn = source_figure(self.source), self.character.turn
        for limb, slots in LIMBS.items() if self.keep_directions else ():
            hinge = self.character.figure.hinge(*slots[:2])
            if hinge is None or not self._has(*slots):
                continue
            motions = nearest_rotation(self.observed.motions(self.rig.shown(slots[0])[0])[:, :3, :3])
            theirs = anatomical_hinge(limb.partition("_")[0], slots[1].rpartition("_")[2], figure)
            wanted = self.source.turns[self.rows, source_joint(slots[0])] @ theirs @ self.transfer.placement.turn.T
            carried, (start, middle, end) = turned(turn @ motions @ turn.T, hinge), (self._own(slot) for slot in slots)
            seen = np.cross(middle - start, end - middle)
            angle = float(np.minimum(angle_between(carried, wanted), angle_between(carried, seen)).max())
            yield Deviation("hinge", slots[1], self._bones(slots[0]), angle, share=angle / _MOST_HINGE)

    def _turns(self) -> Iterator[Deviation]:
        turn, scales = self.character.turn, np.linalg.svd(self.character.world[:3, :3], compute_uv=False)
        # under an uneven scale what has a direction is turned further, for the direction to be right
        directed = self.character.limb_axes if self.keep_directions and np.ptp(scales) > 0.01 * scales[0] else {}
        for slot in SLOTS:
            if slot not in _TURNING or slot in directed or not self._has(slot):
                continue
            name = self.rig.shown(slot)[-1]
            found = turn @ nearest_rotation(self.observed.motions(name)[:, :3, :3]) @ turn.T
            wanted = self._turn_wanted(slot, len(self.rig.bones[slot]) - 1)
            yield self._judged("turn", slot, (name,), 2 * np.arcsin(_chord(found, wanted)), 0.0)

    def _trunk(self) -> Iterator[Deviation]:
        turns = self.source.turns[self.rows]
        bent = 2 * np.arcsin(_chord(turns[:, PELVIS], turns[:, SPINE3]))
        most = _MOST_TRUNK[0] + _MOST_TRUNK[1] * bent
        for start, end in _TRUNK if self.keep_directions else ():
            ends = ("left_hip", "right_hip") if start == "hips" else (start,)
            if self._has(*ends, end) and not (end == "right_hip" and self._hang_from_the_spine(end)):
                found, wanted = (
                    place(end) - sum(place(slot) for slot in ends) / len(ends) for place in (self._own, self._theirs)
                )
                angle = float(angle_between(found, wanted).max())
                bones = tuple(self.rig.shown(slot)[0] for slot in (*ends, end))
                yield Deviation("trunk", "spine" if start == "hips" else end, bones, angle, share=angle / most)

    def _hang_from_the_spine(self, slot: str) -> bool:
        """Whether the line through the hips goes with the spine, as in 3ds Max's Biped."""
        line = self._line(self.rig.shown(slot)[0], {name for part in ("pelvis", "spine") for name in self._parts(part)})
        return line[-1] in self._parts("spine")

    def _parts(self, slot: str) -> tuple[str, ...]:
        return self.rig.shown(slot) if slot in self.rig.bones else ()

    def _between(self) -> Iterator[Deviation]:
        """Bones that have no place, but lie between two that have: a limb that ends elsewhere bends there."""
        for slot in [slot for slot in self.character.limb_axes if slot in _LONG]:
            start, end = self._bones(slot)
            length = self.observed.stretches(start, end)[0]
            for name in self.observed.between(start, end):
                if self.observed.stretches(start, name)[0] > 0.2 * length:
                    found = self.observed.heads(name) - self._own(slot)
                    wanted = self._own(SEGMENTS[slot]) - self._own(slot)
                    yield self._of_directions("between", slot, (start, name, end), found, wanted)

    def _goals(self) -> Iterator[Deviation]:
        for slot, goal in self.transfer.goals.items():
            off = float(np.linalg.norm(self._own(slot) - goal[self.rows], axis=-1).max())
            yield self._judged("goal", slot, self.rig.shown(slot)[:1], 0.0, off)

    def _hips(self) -> Iterator[Deviation]:
        """The hips are where the person's are, but for what feet are higher, and for sinking where feet reach."""
        hips = [JOINT_INDEX[f"{side}_hip"] for side in SIDES]
        theirs = self.transfer.placement(self.source.joints[self.rows][:, hips].mean(axis=1))
        off = sum(self._own(f"{side}_hip") for side in SIDES) / 2 - theirs - self.transfer.lift * VERTICAL
        legs = self.transfer.placement.scale * sum(
            np.linalg.norm(self._theirs(a)[0] - self._theirs(b)[0]) for a, b in _LEG
        )
        may_sink = MOST_SINKING * legs if self.transfer.goals else 0.0
        off[:, 2] -= np.clip(off[:, 2], -may_sink, 0)
        distance = float(np.linalg.norm(off, axis=-1).max())
        yield self._judged("hips", "pelvis", tuple(self.rig.shown(f"{side}_hip")[0] for side in SIDES), 0.0, distance)

    def _torn(self) -> Iterator[Deviation]:
        share, least = _STRETCH
        for slot, name, other in self._pairs():
            length, more = self.observed.stretches(name, other)
            most, length = float(np.abs(more).max()) * self._unit, length * self._unit
            allowed = np.clip(share * length, least * self.size, MOST_DISTANCE * self.size)
            yield Deviation("torn", slot, (other, name), 0.0, most, most / float(allowed))

    def _left_behind(self) -> Iterator[Deviation]:
        """Bones that move the mesh and stay where they are, however far the body goes."""
        hips = self.observed.names.index(self.rig.shown("pelvis")[0])
        goes = _farthest(self.observed.poses[:, hips, :3, 3])
        for name in self.observed.others:
            if _farthest(self.observed.poses[:, self.observed.names.index(name), :3, 3]) < 0.01 * goes:
                yield self._judged("torn", "pelvis", (self.observed.names[hips], name), 0.0, goes * self._unit)

    def _pairs(self) -> Iterator[tuple[str, str, str]]:
        """(slot, bone, the bone that it should keep its distance from)."""
        slots = [slot for slot in SLOTS if slot in self.rig.bones and not slot.startswith("root")]
        parts = {name for slot in slots for name in self.rig.shown(slot)}
        for slot in slots:
            before = _last_above(slot, self.rig)
            for name in self.rig.shown(slot):
                line = self._line(name, parts)
                yield from ((slot, lower, upper) for lower, upper in pairwise(line))
                if len(line) == 1 and before:
                    yield slot, name, before
                before = name

    def _line(self, name: str, parts: set[str]) -> list[str]:
        """A bone and those above it, up to the next part of the figure; the bone alone where there is none."""
        observed, line = self.observed, [name]
        bone = observed.above[observed.names.index(name)]
        while bone >= 0:
            line.append(observed.names[bone])
            if observed.names[bone] in parts:
                return line
            bone = observed.above[bone]
        return [name]


_LONG = {f"{side}_{name}" for side in SIDES for name in ("shoulder", "elbow", "hip", "knee")}
_LEG = (("left_hip", "left_knee"), ("left_knee", "left_ankle"))


def reaches(slot: str, transfer: Transfer) -> bool:
    """Whether a limb was solved for a goal instead of keeping its direction."""
    side, _, name = slot.rpartition("_")
    legs = {"hip", "knee"} if {f"{side}_foot", f"{side}_ankle"} & transfer.goals.keys() else set()
    arms = {"shoulder", "elbow"} if f"{side}_wrist" in transfer.goals else set()
    return name in legs | arms


def _last_above(slot: str, rig: RigMap) -> str:
    """The last bone of the next slot towards the pelvis that the rig has; empty for the pelvis."""
    above = parent_slot(slot)
    while above is not None and above not in rig.bones:
        above = parent_slot(above)
    return "" if above is None else rig.shown(above)[-1]


def _bent_as(
    own: list[np.ndarray], theirs: list[np.ndarray], front: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of two limbs with three joints each, (R, 3): (R,) whether there is something to compare, and the (R, 3) way from
    the first joint to the second, as it is and as it would be in the plane of the person's limb.

    Where that is nearly straight, the limb is only not to be bent away from there and from where the joint points to by
    nature, (R, 3) `front`.
    """
    line, their_line = own[2] - own[0], theirs[2] - theirs[0]
    their_side = turned(shortest_rotation(their_line, line), _aside(theirs[1] - theirs[0], their_line))
    length = _long(theirs)
    upper = own[1] - own[0]
    side = _aside(upper, line)
    aside = np.linalg.norm(side, axis=-1)
    plain = np.linalg.norm(their_side, axis=-1) > _BENT * length
    away = np.maximum(np.sum(side * front, axis=-1), np.sum(side * their_side, axis=-1)) < 0
    backward = away & (aside > _BENT * _long(own))
    their_side = np.where(plain[:, None], their_side, _aside(front, line))
    return plain | backward, upper, upper - side + aside[:, None] * unit(their_side)


def _chord(first: np.ndarray, second: np.ndarray) -> float:
    """The sine of half the largest angle between (R, 3, 3) rotations."""
    return float(min(np.linalg.norm(first - second, axis=(-2, -1)).max() / np.sqrt(8), 1.0))


def _long(joints: list[np.ndarray]) -> np.ndarray:
    """(R,) length of a limb with three joints."""
    return np.linalg.norm(joints[1] - joints[0], axis=-1) + np.linalg.norm(joints[2] - joints[1], axis=-1)


def _farthest(places: np.ndarray) -> float:
    """How far the farthest of (R, 3) places is from the first."""
    return float(np.linalg.norm(places - places[0], axis=-1).max())


def _aside(way: np.ndarray, line: np.ndarray) -> np.ndarray:
    """What of (R, 3) ways is square to (R, 3) lines."""
    return way - np.sum(way * unit(line), axis=-1, keepdims=True) * unit(line)
