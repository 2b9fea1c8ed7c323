# SPDX-License-Identifier: GPL-3.0-or-later
"""A person's motion becomes motions of a character's controls, for all frames at once. Numpy only.

Rotations: each control turns in the world as its source joint does, from its calibrated rest. Place: the source's hips
are scaled about a point on the floor by the length of the legs; feet likewise, so that what stands still in the source
stands still on the character. Legs are then solved to reach their feet; with IK, arms to reach their hands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ....engine.contract.rotations import unit
from ....engine.contract.skeleton import JOINT_INDEX
from ...blender.vectors import blend, shortest_rotation, turned
from ...person.sampling import Sample
from ...rigs.slots import SIDES, source_joint, spread
from .calibration import Figure, anatomical_hinge
from .character import LIMBS, Character
from .limb_solver import bent_side, farthest, reach, sink_to_reach
from .root_motion import on_the_floor
from .settings import RetargetSettings

MOST_SINKING = 0.1
"""Share of the legs' length that the hips are lowered by at most for feet that would be out of reach."""
_LOW = 5.0
"""Percentile of the heights of the lower foot that counts as the floor's."""
VERTICAL = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Placement:
    """From the source's place in the world to the character's: scaled and turned about a point."""

    scale: float
    turn: np.ndarray
    """(3, 3) about the vertical."""
    source: np.ndarray
    """(3,) world point on the source's floor..."""
    target: np.ndarray
    """(3,) ...and where it goes."""

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) world points."""
        return self.target + self.scale * (points - self.source) @ self.turn.T


@dataclass(frozen=True)
class Transfer:
    """T frames of C controls in the armature's space."""

    motions: np.ndarray
    """(T, C, 3, 3) rotations of the controls' motions (see `control_model`)."""
    heads: np.ndarray
    """(T, C, 3) where controls are."""
    placement: Placement
    goals: dict[str, np.ndarray]
    """By slot, (T, 3) world points that the slot's head was to reach."""
    lift: float
    """Meters that the hips are higher than the source's at the character's size, for feet that are."""


def source_figure(source: Sample) -> Figure:
    """The source at rest, its joints by slots."""
    starts = {"spine": "spine1", "root": "pelvis"}
    heads = {slot: source.rest[joint] for slot, joint in JOINT_INDEX.items()}
    heads |= {slot: source.rest[JOINT_INDEX[joint]] for slot, joint in starts.items()}
    missing = {name for name, joint in JOINT_INDEX.items() if not source.present[joint]}
    return Figure({slot: head for slot, head in heads.items() if slot not in missing}, source.up)


def transfer(
    source: Sample,
    character: Character,
    calibration: np.ndarray,
    settings: RetargetSettings,
    keep_directions: bool,
) -> Transfer:
    """Put a motion on a character.

    `calibration` is (C, 3, 3), per control the world rotation that makes its rest the source's. `keep_directions` says
    whether limbs take exactly the source's directions, also under an uneven scale of the character's object.
    """
    figure = source_figure(source)
    placement = _placement(source, figure, character, settings)
    motions = _turn(source, figure, character, calibration, placement, keep_directions)
    work = _Work(source, character, placement, motions)
    lift = _foot_lift(source, character, calibration, placement.scale)
    work.place_hips(lift)
    goals: dict[str, np.ndarray] = {}
    if settings.plant_feet:
        ankles = {side: work.ankle_goal(side) for side in SIDES}
        work.sink(ankles)
        for side in SIDES:
            joint = "foot" if character.control(f"{side}_foot") is not None else "ankle"
            goals[f"{side}_{joint}"] = placement(source.joints[:, JOINT_INDEX[f"{side}_{joint}"]])
            work.solve(f"{side}_leg", ankles[side], bends_to(figure, source, f"{side}_leg"))
    if settings.controls == "IK":
        for side in SIDES:
            if all(character.control(slot) is not None for slot in LIMBS[f"{side}_arm"]):
                goal, goals[f"{side}_wrist"] = work.wrist_goal(side)
                work.solve(f"{side}_arm", goal, bends_to(figure, source, f"{side}_arm"))
    for limb in character.ik:
        work.place_ik(limb, bends_to(figure, source, limb))
    if character.root_motion is not None:  # last: all others are where they are to be
        floor = on_the_floor(character, work.motions, work.heads)
        work.motions[:, character.root_motion], work.heads[:, character.root_motion] = floor
    return Transfer(work.motions, work.heads, placement, goals, lift)


def _placement(source: Sample, figure: Figure, character: Character, settings: RetargetSettings) -> Placement:
    rest, linear = character.model.rest[:, :3, 3], character.world[:3, :3]

    def leg(joints: Mapping[str, np.ndarray]) -> float:
        return sum(
            float(np.linalg.norm(joints[f"{side}_{end}"] - joints[f"{side}_{start}"]))
            for side in SIDES
            for start, end in (("hip", "knee"), ("knee", "ankle"))
        )

    own = {slot: linear @ rest[control] for control, slot in enumerate(character.slots)}
    scale = leg(own) / leg(figure.heads)
    feet = [JOINT_INDEX[f"{side}_foot"] for side in SIDES]
    floor = np.percentile(source.joints[:, feet, 2].min(axis=1), _LOW)
    pelvis = source.joints[0, JOINT_INDEX["pelvis"]]
    start = np.array([pelvis[0], pelvis[1], floor])
    if settings.placement == "SOURCE":
        return Placement(scale, np.eye(3), start, start)
    ends = [
        own[slot] + character.world[:3, 3]
        for side in SIDES
        for slot in (f"{side}_foot", f"{side}_ankle")
        if slot in own
    ]
    middle = (own["left_hip"] + own["right_hip"]) / 2 + character.world[:3, 3]
    end = np.array([middle[0], middle[1], min(head[2] for head in ends)])
    fronts = [(source.turns[0, 0] @ figure.axes()[:, 2])[:2], character.figure.axes()[:2, 2]]
    angle = np.arctan2(fronts[1][1], fronts[1][0]) - np.arctan2(fronts[0][1], fronts[0][0])
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    return Placement(scale, turn, start, end)


def _turn(
    source: Sample,
    figure: Figure,
    character: Character,
    calibration: np.ndarray,
    placement: Placement,
    keep_directions: bool,
) -> np.ndarray:
    """(T, C, 3, 3) motions by rotation alone; the identity for controls of inverse kinematics."""
    turn, to_armature = character.turn, np.linalg.inv(character.world[:3, :3])
    motions = np.tile(np.eye(3), (len(source.frames), len(character.slots), 1, 1))
    for control, slot in enumerate(character.slots):
        if not slot:
            continue
        first, second, share = spread(slot, character.slots.count(slot))[character.places[control]]
        joint_turn = source.turns[:, first]
        if first != second:
            joint_turn = blend(joint_turn, source.turns[:, second], share)
        motions[:, control] = turn.T @ placement.turn @ joint_turn @ calibration[control] @ turn
        axis, rest_direction = character.limb_axes.get(slot), figure.direction(slot)
        if keep_directions and axis is not None and rest_direction is not None:
            wanted = turned(to_armature @ placement.turn @ joint_turn, rest_direction)
            motions[:, control] = shortest_rotation(motions[:, control] @ axis, wanted) @ motions[:, control]
    return motions


def _foot_lift(source: Sample, character: Character, calibration: np.ndarray, scale: float) -> float:
    """Metres that the character's ankles are higher above the balls of its feet than the source's, at its size."""
    lifts, rest = [], character.model.rest[:, :3, 3]
    for side in SIDES:
        ankle, foot = character.control(f"{side}_ankle"), character.control(f"{side}_foot")
        if ankle is not None and foot is not None:
            own = calibration[ankle] @ character.world[:3, :3] @ (rest[ankle] - rest[foot])
            theirs = source.rest[JOINT_INDEX[f"{side}_ankle"]] - source.rest[JOINT_INDEX[f"{side}_foot"]]
            lifts.append(float((own - scale * theirs) @ source.up))
    return float(np.mean(lifts)) if lifts else 0.0


def bends_to(figure: Figure, source: Sample, limb: str) -> np.ndarray:
    """(T, 3) unit vectors that the source's elbow or knee points to by nature, in the world."""
    slots = LIMBS[limb]
    side = limb.partition("_")[0]
    hinge = anatomical_hinge(side, "elbow" if limb.endswith("arm") else "knee", figure)
    direction = figure.direction(slots[0])
    assert direction is not None
    # bending by the hinge moves the lower bone to one side; the joint itself points to the other
    pointing = -np.cross(hinge, direction)
    upper, lower = (turned(source.turns[:, source_joint(slot)], pointing) for slot in slots[:2])
    return unit(upper + lower)


class _Work:
    """Motions and heads while legs and arms are solved one after another."""

    def __init__(self, source: Sample, character: Character, placement: Placement, motions: np.ndarray) -> None:
        self.source, self.character, self.placement, self.motions = source, character, placement, motions
        self.order = character.model.order()
        self.to_armature = np.linalg.inv(character.world[:3, :3])
        self.rest = character.model.rest[:, :3, 3]
        self.root_heads = np.zeros((len(motions), 3))
        self.heads = self._heads()

    def index(self, slot: str) -> int:
        return self.character.slots.index(slot)

    def place_hips(self, lift: float) -> None:
        """Bring the point between the hip joints to where the source's is, at the character's size."""
        hips = [JOINT_INDEX[f"{side}_hip"] for side in SIDES]
        middle = self.placement(self.source.joints[:, hips].mean(axis=1)) + lift * VERTICAL
        now = self.heads[:, [self.index(f"{side}_hip") for side in SIDES]].mean(axis=1)
        self.root_heads = self.root_heads + self._inward(middle) - now
        self.heads = self._heads()

    def ankle_goal(self, side: str) -> np.ndarray:
        """(T, 3) where the ankle has to be for the ball of the foot, or else the ankle, to be where it should."""
        ankle, foot = self.index(f"{side}_ankle"), self.character.control(f"{side}_foot")
        if foot is None:
            return self._inward(self.placement(self.source.joints[:, JOINT_INDEX[f"{side}_ankle"]]))
        ball = self._inward(self.placement(self.source.joints[:, JOINT_INDEX[f"{side}_foot"]]))
        return ball - turned(self.motions[:, ankle], self.rest[foot] - self.rest[ankle])

    def wrist_goal(self, side: str) -> tuple[np.ndarray, np.ndarray]:
        """(T, 3) where the hand has to be, from the shoulder, at the size of the character's arm; and in the world."""
        joints = [JOINT_INDEX[slot] for slot in LIMBS[f"{side}_arm"]]
        controls = [self.index(slot) for slot in LIMBS[f"{side}_arm"]]
        own = self.rest[controls] @ self.character.world[:3, :3].T
        size = _length(own) / _length(self.source.rest[joints])
        way = self.source.joints[:, joints[2]] - self.source.joints[:, joints[0]]
        from_shoulder = size * way @ self.placement.turn.T @ self.to_armature.T
        goal = self.heads[:, controls[0]] + from_shoulder
        return goal, goal @ self.character.world[:3, :3].T + self.character.world[:3, 3]

    def sink(self, ankles: dict[str, np.ndarray]) -> None:
        """Lower the hips where a foot would be out of reach."""
        legs = [[self.index(slot) for slot in LIMBS[f"{side}_leg"]] for side in SIDES]
        reaches = np.stack([farthest(self._bone(*leg[:2]), self._bone(*leg[1:])) for leg in legs], axis=-1)
        most = MOST_SINKING * float(np.mean([_length(self.rest[leg]) for leg in legs]))
        hips = self.heads[:, [self.index(f"{side}_hip") for side in SIDES]]
        down = -unit(self.to_armature @ VERTICAL)
        goals = np.stack([ankles[side] for side in SIDES], axis=1)
        sunk = sink_to_reach(hips, goals, reaches, down, most)
        self.root_heads = self.root_heads + sunk[:, None] * down
        self.heads = self._heads()

    def solve(self, limb: str, goal: np.ndarray, bends_to: np.ndarray) -> None:
        """Turn a limb's two bones so that its end reaches a goal."""
        first, middle, last = (self.index(slot) for slot in LIMBS[limb])
        bones, way = (self._bone(first, middle), self._bone(middle, last)), goal - self.heads[:, first]
        solved = reach(bones[0], bones[1], way, self._inward_direction(bends_to))
        # The limb swings as a whole before it bends, so that it goes on bending about its hinge.
        swing = shortest_rotation(bones[0] + bones[1], way)
        for control, bone, new in zip((first, middle), bones, (solved.upper, solved.lower), strict=True):
            turn = shortest_rotation(turned(swing, bone), new) @ swing
            self.motions[:, control] = turn @ self.motions[:, control]
        self.heads = self._heads()

    def place_ik(self, limb: str, bends_to: np.ndarray) -> None:
        """Put the controls of inverse kinematics to where they make the same pose."""
        slots, controls = LIMBS[limb], self.character.ik[limb]
        if any(self.character.control(slot) is None for slot in slots):
            return
        first, middle, last = (self.index(slot) for slot in slots)
        self.motions[:, controls.target] = self.motions[:, last]
        self.heads[:, controls.target] = self.heads[:, last] + turned(
            self.motions[:, last], self.rest[controls.target] - self.rest[last]
        )
        if controls.toe is not None and (toe := self.character.control(slots[2].replace("ankle", "foot"))) is not None:
            self.motions[:, controls.toe] = self.motions[:, toe]
        if controls.pole is not None:
            upper, lower = self._bone(first, middle), self._bone(middle, last)
            side = bent_side(upper, lower, self._inward_direction(bends_to))
            self.heads[:, controls.pole] = self.heads[:, middle] + _length(self.rest[[first, middle, last]]) * side

    def _bone(self, start: int, end: int) -> np.ndarray:
        return turned(self.motions[:, start], self.rest[end] - self.rest[start])

    def _heads(self) -> np.ndarray:
        return self.character.model.heads(self.motions, self.order, self.character.root, self.root_heads)

    def _inward(self, points: np.ndarray) -> np.ndarray:
        """World points in the armature's space."""
        return (points - self.character.world[:3, 3]) @ self.to_armature.T

    def _inward_direction(self, directions: np.ndarray) -> np.ndarray:
        return unit(directions @ self.placement.turn.T @ self.to_armature.T)


def _length(joints: np.ndarray) -> float:
    """Length of a line through (N, 3) points."""
    return float(np.linalg.norm(np.diff(joints, axis=0), axis=-1).sum())
