# SPDX-License-Identifier: GPL-3.0-or-later
"""How the rest poses of two figures are brought together: per slot a rotation that makes one rest as the other does.

Limbs are compared by where their joints lie, from head to child's head; bone rolls, tails and axes never enter. First
the figures are turned to stand and face alike. Then, from the trunk outwards, each limb is turned by the shortest way
into the direction of the source's, on top of what its parent was turned; and about its own length where there is
something to see it by: the plane that elbows and knees bend in, and the line of the knuckles.

Shoulder girdle, head and hips have no direction of their own: where riggers put these joints says nothing about the
pose. They keep their rest, as does the trunk's curvature: spine and neck are turned as wholes. Feet that stand on their
soles at rest keep doing so; only their heading is matched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ....engine.contract.rotations import unit
from ...blender.vectors import angle_between, frame, shortest_rotation, transposed
from ...rigs.slots import FINGERS, SIDES, SLOTS, parent_slot

_BENT = np.radians(9.0)
"""From this angle on an elbow or a knee shows the plane that it bends in. Bodies of every shape have limbs that are
bent by 5 to 8 degrees in the T-pose, and not only about their hinges: that says where joints lie, and no more."""
_SLIGHT = np.radians(30.0)
"""How far limbs are bent for the axis that they are seen to bend about."""
_STEEPEST_FOOT = np.radians(65.0)
"""Feet that point down more than this at rest do not stand on their soles."""


def _segments() -> dict[str, str]:
    """By slot of a limb, the slot whose head is the limb's end."""
    ends = {}
    for side in SIDES:
        for start, end in (
            ("shoulder", "elbow"),
            ("elbow", "wrist"),
            ("hip", "knee"),
            ("knee", "ankle"),
            ("wrist", "middle1"),
        ):
            ends[f"{side}_{start}"] = f"{side}_{end}"
        for name in FINGERS:
            if not name.endswith("3"):
                ends[f"{side}_{name}"] = f"{side}_{name[:-1]}{int(name[-1]) + 1}"
    return ends


SEGMENTS = _segments()
"""Limbs that have a direction: by their slot, the slot that they end at. Last segments of fingers end at no joint."""


@dataclass(frozen=True)
class Figure:
    """A figure in its rest pose, in the world."""

    heads: Mapping[str, np.ndarray]
    """By slot, (3,) where its (first) bone begins."""
    up: np.ndarray
    """(3,) the figure's way up."""

    def direction(self, slot: str) -> np.ndarray | None:
        """(3,) unit vector along a limb; along the whole trunk for `spine`; None where the figure does not say."""
        heads = self.heads
        if slot == "spine":
            top = next((heads[name] for name in ("neck", "head") if name in heads), None)
            return None if top is None else unit(top - self._middle("hip"))
        if slot == "neck":
            return unit(heads["head"] - heads["neck"]) if {"neck", "head"} <= heads.keys() else None
        end = SEGMENTS.get(slot, "")
        if slot not in heads or end not in heads or np.allclose(heads[slot], heads[end]):
            return None
        return unit(heads[end] - heads[slot])

    def axes(self) -> np.ndarray:
        """(3, 3) columns: up, to the figure's right, to its front."""
        right = self.heads["right_hip"] - self.heads["left_hip"]
        return frame(self.up, right)

    def hinge(self, upper: str, lower: str) -> np.ndarray | None:
        """(3,) axis that an elbow or a knee bends about, where it is bent enough at rest to show."""
        first, second = self.direction(upper), self.direction(lower)
        if first is None or second is None or angle_between(first, second) < _BENT:
            return None
        return unit(np.cross(first, second))

    def knuckles(self, side: str) -> np.ndarray | None:
        """(3,) from the little finger's base, or the ring finger's, to the index finger's."""
        ends = [self.heads.get(f"{side}_{finger}1") for finger in ("index", "pinky", "ring")]
        first, last = ends[0], ends[1] if ends[1] is not None else ends[2]
        return None if first is None or last is None else unit(first - last)

    def heading(self, side: str) -> np.ndarray | None:
        """(3,) level direction of a foot that stands on its sole; None for a foot without toes or pointing down."""
        ankle, toes = self.heads.get(f"{side}_ankle"), self.heads.get(f"{side}_foot")
        if ankle is None or toes is None:
            return None
        way = unit(toes - ankle)
        sink = float(way @ self.up)
        return None if abs(sink) > np.sin(_STEEPEST_FOOT) else unit(way - sink * self.up)

    def _middle(self, name: str) -> np.ndarray:
        return (self.heads[f"left_{name}"] + self.heads[f"right_{name}"]) / 2


def calibrate(source: Figure, target: Figure) -> dict[str, np.ndarray]:
    """By slot, the (3, 3) world rotation that turns the target's rest bones so that they rest as the source's."""
    upright = source.axes() @ transposed(target.axes())
    found: dict[str, np.ndarray] = {}
    for slot in SLOTS:
        found[slot] = _of_slot(slot, source, target, found, upright)
    return found


def _of_slot(
    slot: str,
    source: Figure,
    target: Figure,
    found: dict[str, np.ndarray],
    upright: np.ndarray,
) -> np.ndarray:
    side, _, name = slot.rpartition("_")
    parent = parent_slot(slot)
    # `spine` leans for the trunk's own sake; what hangs on it is compared with the upright figure again
    start = upright if parent in (None, "pelvis", "spine", "neck") else found[parent]
    if name == "ankle":
        return _of_foot(side, source, target, start)
    if name == "foot":
        return found[f"{side}_ankle"]
    wanted, is_now = source.direction(slot), target.direction(slot)
    if wanted is None or is_now is None:
        return start
    turn = shortest_rotation(start @ is_now, wanted) @ start
    second = _second_directions(side, name, source, target)
    if second is None:
        return turn
    return frame(wanted, second[0]) @ transposed(frame(wanted, turn @ second[1])) @ turn


def _second_directions(side: str, name: str, source: Figure, target: Figure) -> tuple[np.ndarray, np.ndarray] | None:
    """What shows how a limb is turned about its length, in the source and in the target."""
    first: np.ndarray | None = None
    second: np.ndarray | None = None
    if name in ("shoulder", "elbow"):
        first, second = _visible_hinge(side, "elbow", source), target.hinge(f"{side}_shoulder", f"{side}_elbow")
    elif name in ("hip", "knee"):
        first, second = _visible_hinge(side, "knee", source), target.hinge(f"{side}_hip", f"{side}_knee")
    elif name == "wrist":
        first, second = source.knuckles(side), target.knuckles(side)
    return None if first is None or second is None else (first, second)


def anatomical_hinge(side: str, joint: str, source: Figure) -> np.ndarray:
    """(3,) axis that the source's elbow or knee bends about, which its straight rest pose does not show.

    In the T-pose forearms bend to the front and shins to the back.
    """
    front = source.axes()[:, 2]
    limb = source.direction(f"{side}_{'shoulder' if joint == 'elbow' else 'hip'}")
    assert limb is not None
    return unit(np.cross(limb, front if joint == "elbow" else -front))


def _visible_hinge(side: str, joint: str, source: Figure) -> np.ndarray:
    """(3,) axis that the source's elbow or knee is seen to bend about, by where joints lie: as a target's is seen.

    As joints do not lie in one plane, it nears the anatomical axis with the bend. This is it at a slight bend, a few
    degrees from that of any other.
    """
    slots = (f"{side}_shoulder", f"{side}_elbow") if joint == "elbow" else (f"{side}_hip", f"{side}_knee")
    axis, (upper, lower) = anatomical_hinge(side, joint, source), (source.direction(slot) for slot in slots)
    if upper is None or lower is None:
        return axis
    aside = float(lower @ axis)
    bent = np.cos(_SLIGHT) * upper + np.sin(_SLIGHT) * np.cross(axis, upper)
    return unit(np.cross(upper, np.sqrt(1 - aside**2) * bent + aside * axis))


def _of_foot(side: str, source: Figure, target: Figure, shin: np.ndarray) -> np.ndarray:
    wanted, is_now = source.heading(side), target.heading(side)
    if wanted is not None and is_now is not None:
        return frame(source.up, wanted) @ transposed(frame(target.up, is_now))
    ends = [(figure.heads.get(f"{side}_ankle"), figure.heads.get(f"{side}_foot")) for figure in (source, target)]
    if any(head is None for pair in ends for head in pair):
        return source.axes() @ transposed(target.axes())
    directions = [unit(toes - ankle) for ankle, toes in ends]  # type: ignore[operator]
    return shortest_rotation(shin @ directions[1], directions[0]) @ shin
