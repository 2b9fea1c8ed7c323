# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender shows of a person and a character, and how far they are apart, without the product's own report."""

from itertools import pairwise

import bpy
import numpy as np

FINGERS = [f"{finger}{segment}" for finger in ("thumb", "index", "middle", "ring", "pinky") for segment in (1, 2)]
ARMS = {"shoulder": "elbow", "elbow": "wrist", "wrist": "middle1"}
LEGS = {"hip": "knee", "knee": "ankle"}


def limbs(legs=True, arms=True):
    """{(start, end)} of joints that have a limb between them."""
    parts = {name: f"{name[:-1]}{int(name[-1]) + 1}" for name in FINGERS} | {"wrist": "middle1"}
    parts |= (ARMS if arms else {}) | (LEGS if legs else {})
    return [(f"{side}_{start}", f"{side}_{end}") for side in ("left", "right") for start, end in parts.items()]


def heads(item, names, frames):
    """(T, N, 3) world positions of bones' heads at scene frames."""
    scene, found = bpy.context.scene, []
    for frame in frames:
        scene.frame_set(int(frame))
        shown = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
        found.append([shown.matrix_world @ shown.pose.bones[name].head for name in names])
    return np.array(found)


def positions(person, rig, frames):
    """Two dicts by joint of (T, 3) world positions: the person's, and the character's."""
    joints = list(rig.bones)
    theirs, own = heads(person, joints, frames), heads(rig.item, [rig.bones[joint] for joint in joints], frames)
    return (
        {joint: theirs[:, place] for place, joint in enumerate(joints)},
        {joint: own[:, place] for place, joint in enumerate(joints)},
    )


def angles(theirs, own, parts):
    """{limb: largest angle in degrees between the limb of one and of the other}."""
    found = {}
    for start, end in parts:
        if start in own and end in own:
            pair = [joints[end] - joints[start] for joints in (theirs, own)]
            pair = [way / np.linalg.norm(way, axis=-1, keepdims=True) for way in pair]
            cross = np.linalg.norm(np.cross(*pair), axis=-1)
            found[start] = float(np.degrees(np.arctan2(cross, (pair[0] * pair[1]).sum(axis=-1))).max())
    return found


def trunk(theirs, own):
    """Largest angle in degrees between the line from the hips to the neck, or else to the shoulders, of both."""
    top = ["neck"] if "neck" in own else ["left_shoulder", "right_shoulder"]
    lines = [
        sum(joints[name] for name in top) / len(top) - (joints["left_hip"] + joints["right_hip"]) / 2
        for joints in (theirs, own)
    ]
    return angles(
        {"hips": 0 * lines[0], "neck": lines[0]}, {"hips": 0 * lines[1], "neck": lines[1]}, [("hips", "neck")]
    )["hips"]


def length(joints, side, names):
    """Metres along a limb at the first frame."""
    return sum(float(np.linalg.norm(joints[f"{side}_{b}"][0] - joints[f"{side}_{a}"][0])) for a, b in pairwise(names))


def scale(theirs, own):
    """Length of the character's legs over that of the person's."""
    leg = ("hip", "knee", "ankle")
    return sum(length(own, side, leg) for side in ("left", "right")) / sum(
        length(theirs, side, leg) for side in ("left", "right")
    )


def hand_errors(theirs, own):
    """(T, 2) metres from where the hands are to where they should be: from the shoulder, at the size of the arm."""
    errors = []
    for side in ("left", "right"):
        arm = ("shoulder", "elbow", "wrist")
        size = length(own, side, arm) / length(theirs, side, arm)
        wanted = own[f"{side}_shoulder"] + size * (theirs[f"{side}_wrist"] - theirs[f"{side}_shoulder"])
        errors.append(np.linalg.norm(own[f"{side}_wrist"] - wanted, axis=-1))
    return np.stack(errors, axis=-1)


def foot_errors(theirs, own, joint="foot"):
    """(T, 2) metres: how far each foot's way through the scene is from the person's, at the size of the legs."""
    size = scale(theirs, own)
    errors = []
    for side in ("left", "right"):
        way, wanted = own[f"{side}_{joint}"], size * theirs[f"{side}_{joint}"]
        errors.append(np.linalg.norm((way - way[0]) - (wanted - wanted[0]), axis=-1))
    return np.stack(errors, axis=-1)


def bend(joints, side, names):
    """(T, 3) unit vectors from the line between a limb's ends to the joint between them."""
    start, middle, end = (joints[f"{side}_{name}"] for name in names)
    line = (end - start) / np.linalg.norm(end - start, axis=-1, keepdims=True)
    away = (middle - start) - np.sum((middle - start) * line, axis=-1, keepdims=True) * line
    return away / np.linalg.norm(away, axis=-1, keepdims=True)


def slide(own, standing, joint="foot"):
    """Metres that the farthest sliding foot moves while it carries the body. `standing` (T,) is 0 left, 1 right."""
    most = 0.0
    for number, side in enumerate(("left", "right")):
        place = own[f"{side}_{joint}"]
        for row in range(1, len(standing)):
            if standing[row] == standing[row - 1] == number:
                most = max(most, float(np.linalg.norm(place[row] - place[row - 1])))
    return most
