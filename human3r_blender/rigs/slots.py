# SPDX-License-Identifier: GPL-3.0-or-later
"""The places of a human figure that a character's bones can fill, and what of the source moves each.

Most slots are joints of the source skeleton by their names. A slot may hold several bones where rigs differ in their
number: `spine` and `neck` are chains from the hips up, and the source's rotation is spread over them. `root` is the
bone that carries the whole body through the scene, where that is not the pelvis's own. `root_motion` is the bone on the
floor that game engines read a character's way from.
"""

from __future__ import annotations

import numpy as np

from ...engine.contract.skeleton import HEAD, JOINT_INDEX, JOINT_NAMES, NECK, PARENTS, PELVIS, SPINE1, SPINE2, SPINE3

SIDES = ("left", "right")

FINGERS = tuple(
    f"{finger}{segment}" for finger in ("thumb", "index", "middle", "ring", "pinky") for segment in (1, 2, 3)
)

PAIRED = ("collar", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "foot", *FINGERS)
"""Slots that exist on both sides, without their side."""

ROOT_MOTION = "root_motion"

CENTRAL = (ROOT_MOTION, "root", "pelvis", "spine", "neck", "head", "jaw")

CHAINS: dict[str, tuple[int, ...]] = {"spine": (PELVIS, SPINE1, SPINE2, SPINE3), "neck": (SPINE3, NECK)}
"""Slots with several bones, each with the source joints whose rotations are spread over them; the first is the joint
that the chain stands on."""

SLOTS: tuple[str, ...] = (*CENTRAL, *(f"{side}_{name}" for side in SIDES for name in PAIRED))

REQUIRED = ("pelvis", *(f"{side}_{name}" for side in SIDES for name in ("hip", "knee", "ankle")))
"""Slots without which there is no retargeting: the root motion is scaled by the legs."""

CARRIERS = (ROOT_MOTION, "root")
"""Slots that are no part of the body: bones that carry it."""

LABELS = {
    ROOT_MOTION: "Root Motion", "root": "Root", "pelvis": "Hips", "collar": "Shoulder", "shoulder": "Upper Arm",
    "elbow": "Forearm", "wrist": "Hand", "hip": "Thigh", "knee": "Shin", "ankle": "Foot", "foot": "Toes",
}  # fmt: skip


def label(slot: str) -> str:
    """The slot as the panel calls it: the bone, where joints are what the code thinks in."""
    side, _, name = slot.rpartition("_") if slot not in CENTRAL else ("", "", slot)
    name = LABELS.get(name, name.title())
    return f"{name} {side[0].upper()}" if side else name


def source_joint(slot: str) -> int:
    """The source joint of a slot with one bone; for a chain, its last."""
    return CHAINS[slot][-1] if slot in CHAINS else PELVIS if slot in CARRIERS else JOINT_INDEX[slot]


def parent_slot(slot: str) -> str | None:
    """The slot one step nearer to the pelvis; None for the pelvis and what carries it."""
    if slot in (*CARRIERS, "pelvis"):
        return None
    joint = PARENTS[CHAINS[slot][1] if slot in CHAINS else JOINT_INDEX[slot]]
    return {SPINE3: "spine", NECK: "neck", HEAD: "head"}.get(joint, JOINT_NAMES[joint])


def spread(slot: str, count: int) -> list[tuple[int, int, float]]:
    """Per bone of a slot with `count` bones: two source joints and the share of the second in the bone's rotation.

    A chain's last bone turns as the source's last joint does, whatever the counts: so arms and head hang where they
    should; the others share the way there evenly.
    """
    joints = CHAINS.get(slot, (source_joint(slot), source_joint(slot)))
    places = (len(joints) - 1) * (np.arange(count) + 1) / count
    lower = np.minimum(np.ceil(places).astype(int) - 1, len(joints) - 2)
    return [(joints[low], joints[low + 1], float(place - low)) for low, place in zip(lower, places, strict=True)]
