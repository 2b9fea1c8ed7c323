# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the character does what the person does: Blender evaluates the baked rig, and it is measured."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ....engine.contract.errors import UserError
from ....engine.contract.sentences import Sentence
from ....engine.contract.skeleton import JOINT_INDEX, PELVIS
from ...blender.vectors import angle_between
from ...person.sampling import Sample
from ...rigs.rig_map import RigMap
from ...rigs.slots import label
from . import causes
from .character import LIMBS, Character
from .comparing import Comparison, Deviation
from .observed import observe
from .transfer import Transfer

_FRAMES = 24
"""Frames that are looked at, spread over the motion; besides those where the person does most."""
_TOLD = 3
"""Problems and causes that are put into words; all others are consequences, as often as not."""


@dataclass(frozen=True)
class Report:
    """What came out, measured on the evaluated rig at some frames of the motion, against the person's limbs."""

    character: str
    """Name of the character's armature."""
    action: str
    """Name of its new Action."""
    frames: int
    """How many frames have keys."""
    scale: float
    """Length of the character's legs over that of the person's."""
    limb_angle_rad: float
    """Largest angle between a limb of the character and the person's, limbs that reach for a goal left
    out."""
    limb: str
    """The limb that it was seen on."""
    reach_m: float
    """Largest distance of a hand or a foot from where it was to be; 0 where none had a goal."""
    loose: tuple[str, ...] = ()
    """Controls that follow no other exactly, so that their keys are approximate."""
    bend_angle_rad: float = 0.0
    """Of limbs that reach for a goal: largest angle of the upper one out of the plane that the person's is bent in."""
    hinge_angle_rad: float = 0.0
    """Elbows and knees that are bent at rest: largest angle between that hinge, carried along, and the person's."""
    turn_angle_rad: float = 0.0
    """Hips, chest, neck, head, hands and feet: largest angle between how they have turned and how the person's have."""
    trunk_angle_rad: float = 0.0
    """Lines from hips to neck, through the hips and through the shoulders: largest angle to the person's."""
    hips_m: float = 0.0
    """Largest distance of the hips from where the person's are, at the character's size."""
    stretch_m: float = 0.0
    """Largest change of the distance between a bone and the one that it hangs from."""
    is_right: bool = True
    """Whether no limb is off by more than 5 degrees or 5 cm (in proportion to its size), and nothing is torn."""
    problems: tuple[str, ...] = ()
    """What is wrong, the worst first."""
    causes: tuple[str, ...] = ()
    """What else moves the character, as far as it was found."""
    remedies: tuple[str, ...] = ()
    """What to do about each cause."""
    notes: tuple[str, ...] = ()
    """What was changed on the character besides its Action."""

    def describe(self) -> Sentence:
        """One line for the panel and the command line."""
        said = self._figures() if self.is_right else self._verdict()
        for note in self.notes:
            said = Sentence("{said} {note}", said=said, note=note)
        return said

    def with_remedy(self) -> Sentence:
        """The same, and what to do about what is wrong."""
        return Sentence("{said} {remedy}", said=self.describe(), remedy=self._remedy())

    def failure(self) -> UserError | None:
        """The error (``retarget-off``) that a script should stop at; None where the character is right."""
        if self.is_right:
            return None
        why = (*self.causes, *self.problems)[0]
        message = "{action} does not move as the person does: {why}"
        return UserError("retarget-off", message, "{remedy}", action=self.action, why=why, remedy=self._remedy())

    def _figures(self) -> Sentence:
        template = "{action}: {frames} frames, limbs within {angle}°"
        if self.limb_angle_rad > np.radians(1.0):
            template += " ({limb})"
        if self.reach_m > 0:
            template += ", hands and feet within {reach} mm"
        return Sentence(
            template + ".",
            action=self.action,
            frames=self.frames,
            angle=f"{np.degrees(self.limb_angle_rad):.2f}",
            limb=self.limb,
            reach=f"{1000 * self.reach_m:.1f}",
        )

    def _remedy(self) -> str:
        return self.remedies[0] if self.remedies else Sentence("Look for what else moves the character's bones.")

    def _verdict(self) -> Sentence:
        said = Sentence("{action} does not move as the person does.", action=self.action)
        for part in (*self.problems, *self.causes):
            said = Sentence("{said} {part}", said=said, part=part)
        return said


def verify(
    item: bpy.types.Object,
    scene: bpy.types.Scene,
    rig: RigMap,
    controls: str,
    character: Character,
    source: Sample,
    transfer: Transfer,
    calibration: np.ndarray,
    keep_directions: bool,
    notes: tuple[Sentence, ...] = (),
) -> Report:
    """Measure a character that has its new Action."""
    rows = _telling_rows(source)
    observed = observe(item, scene, rig, controls, source.frames[rows])
    compared = Comparison(rig, character, source, rows, transfer, calibration, keep_directions, observed)
    deviations = compared.deviations()
    wrong = sorted((found for found in deviations if found.share > 1), key=lambda found: -found.share)
    found = causes.find(item, compared, wrong) if wrong else []
    limb = max(_of("limb", deviations), key=lambda worst: worst.angle_rad, default=Deviation("limb", "pelvis", ()))
    return Report(
        item.name,
        item.animation_data.action.name,
        len(source.frames),
        transfer.placement.scale,
        limb.angle_rad,
        label(limb.slot) if limb.bones else "",
        _most("distance_m", "goal", deviations),
        character.model.loose,
        _most("angle_rad", "bend", deviations),
        _most("angle_rad", "hinge", deviations),
        _most("angle_rad", "turn", deviations),
        _most("angle_rad", "trunk", deviations),
        _most("distance_m", "hips", deviations),
        _most("distance_m", "torn", deviations),
        not wrong,
        tuple(_in_words(problem) for problem in wrong[:_TOLD]),
        tuple(cause.text for cause in found[:_TOLD]),
        tuple(cause.remedy for cause in found[:_TOLD]),
        notes,
    )


def _telling_rows(source: Sample) -> np.ndarray:
    """Frames spread over the motion, and those with the most and least bent limbs and the hips farthest away."""
    count = len(source.frames)
    rows = {*np.linspace(0, count - 1, _FRAMES).round().astype(int).tolist()}
    for slots in LIMBS.values():
        first, middle, last = (source.joints[:, JOINT_INDEX[slot]] for slot in slots)
        bends = angle_between(middle - first, last - middle)
        rows |= {int(bends.argmax()), int(bends.argmin())}
    pelvis = source.joints[:, PELVIS]
    rows |= {int(np.linalg.norm(pelvis - pelvis[0], axis=-1).argmax()), int(pelvis[:, 2].argmin())}
    return np.array(sorted(rows))


def _of(kind: str, deviations: list[Deviation]) -> list[Deviation]:
    return [found for found in deviations if found.kind == kind]


def _most(figure: str, kind: str, deviations: list[Deviation]) -> float:
    return max((float(getattr(found, figure)) for found in _of(kind, deviations)), default=0.0)


def _in_words(problem: Deviation) -> Sentence:
    angle, distance = f"{np.degrees(problem.angle_rad):.1f}", f"{100 * problem.distance_m:.1f}"
    parts = {"part": label(problem.slot), "angle": angle, "distance": distance}
    if problem.kind == "torn":
        ends = {"first": problem.bones[0], "second": problem.bones[1]}
        return Sentence("{first} and {second} move apart by {distance} cm.", **parts, **ends)
    if problem.kind in ("goal", "hips"):
        return Sentence("{part}: {distance} cm from where the person's place is.", **parts)
    if problem.kind == "hinge":
        return Sentence("{part}: its hinge is turned {angle}° away from the person's.", **parts)
    if problem.kind in ("turn", "trunk"):
        return Sentence("{part}: turned by {angle}° away from the person's.", **parts)
    return Sentence("{part}: {angle}° and {distance} cm off the person's.", **parts)
