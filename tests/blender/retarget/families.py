# SPDX-License-Identifier: GPL-3.0-or-later
"""Skeletons of the families of characters that people bring, after what is generally known of each: names, hierarchy
and where joints lie. Nothing here is read from the presets that they test.

A tree says a bone in each line: its name, where its head is, and its slot if it has one, `-` for none. `{s}` in a name
stands for both sides, `*` for the fingers. A place is a joint of the source, or `a>b:0.5` on the way between two.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_INDEX

from . import rigs

CENTRAL = ("pelvis", "spine1", "spine2", "spine3", "neck", "head", "jaw")


@dataclass(frozen=True)
class Part:
    """A bone: its name, its parent's, the joint or the way between two where it begins, and its slot or nothing."""

    name: str
    parent: str
    start: str
    slot: str


@dataclass(frozen=True)
class Family:
    """A kind of skeleton: the preset's name, its tree, how it writes left and right, and how it calls fingers."""

    preset: str
    tree: str
    sides: tuple[str, str] = ("L", "R")
    finger: Callable[[str, str, int], str] | None = None

    def parts(self) -> list[Part]:
        """The bones, parents first."""
        found: list[Part] = []
        self._grow(_nested(self.tree), "", "", found)
        return found

    def parents(self) -> dict[str, str]:
        """Each bone's parent, empty for none."""
        return {part.name: part.parent for part in self.parts()}

    def truth(self) -> dict[str, tuple[str, ...]]:
        """By slot its bones."""
        found: dict[str, tuple[str, ...]] = {}
        for part in self.parts():
            if part.slot:
                found[part.slot] = (*found.get(part.slot, ()), part.name)
        return found

    def _grow(self, branches, parent: str, side: str, found: list[Part]) -> None:
        for (name, start, slot), below in branches:
            for own in ("left", "right") if "{s}" in name and not side else (side,):
                code = self.sides[own == "right"] if own else ""
                full = name.replace("{s}", code)
                found.append(Part(full, parent, _sided(start, own), _sided(slot, own) if slot != "-" else ""))
                if any(line[0] == "*" for line, _ in below):
                    self._grow_fingers(full, own, code, found)
                self._grow([branch for branch in below if branch[0][0] != "*"], full, own, found)

    def _grow_fingers(self, hand: str, side: str, code: str, found: list[Part]) -> None:
        for finger in rigs.FINGERS:
            parent = hand
            for segment in (1, 2, 3):
                joint, name = f"{side}_{finger}{segment}", self.finger(code, finger, segment)
                found.append(Part(name, parent, joint, joint))
                parent = name


def _nested(text: str):
    """[((name, start, slot), [branches])] of an indented tree."""
    top: list = []
    open_branches = [(-1, top)]
    for line in filter(str.strip, text.splitlines()):
        depth = len(line) - len(line.lstrip())
        while open_branches[-1][0] >= depth:
            open_branches.pop()
        words = line.split()
        entry = ("*", "", "") if words == ["*"] else (" ".join(words[:-2]).replace("~", " "), *words[-2:])
        below: list = []
        open_branches[-1][1].append((entry, below))
        open_branches.append((depth, below))
    return top


def _sided(text: str, side: str) -> str:
    """Joints of a place, or a slot, on a side; those of the trunk have none."""
    way, _, share = text.partition(":")
    names = [f"{side}_{name}" if side and name not in (*CENTRAL, "floor") else name for name in way.split(">")]
    return ">".join(names) + (f":{share}" if share else "")


def place(joints, start: str):
    """(3,) where a bone begins."""
    way, _, share = start.partition(":")
    ends = [np.zeros(3) if name == "floor" else joints[JOINT_INDEX[name]] for name in way.split(">")]
    return ends[0] if len(ends) == 1 else ends[0] + float(share) * (ends[1] - ends[0])


def build(family: Family, rest, seed: int, pose: str = "T", axes: str = "random", to_data=None) -> rigs.Rig:
    """An armature with a family's skeleton, of other proportions than the source's; `pose` and `axes` as in `rigs`."""
    joints, parts = rigs.figure(rest, pose, seed), family.parts()
    heads = {part.name: place(joints, part.start) for part in parts}
    bones = []
    for part in parts:
        # towards what hangs from it, as bones are drawn; to nowhere in particular where nothing does
        ends = [heads[other.name] for other in parts if other.parent == part.name]
        far = [end for end in ends if np.linalg.norm(end - heads[part.name]) > 0.01]
        bones.append((part.name, part.parent, heads[part.name], far[0] if far else heads[part.name] + [0, -0.05, 0.02]))
    shown = {part.slot: part.name for part in reversed(parts) if part.slot in JOINT_INDEX}
    shown |= {"spine1": family.truth()["spine"][0]}
    return rigs.Rig(rigs.build(family.preset, bones, axes, seed, to_data), shown)
