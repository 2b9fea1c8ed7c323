# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigs built after public documentation of the real ones: names, hierarchy, rest pose, bone axes, import orientation.

They differ from the person in proportions, too. Nothing here is read from the presets that they test.
"""

import re
from dataclasses import dataclass, field

import bpy
import numpy as np
from bl_ext.user_default.human3r_blender.engine.contract import rotations
from bl_ext.user_default.human3r_blender.engine.contract.body_model import joint_transforms
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_INDEX, JOINT_NAMES, PARENTS
from mathutils import Matrix

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
POSES = {"T": 0.0, "A": 0.75, "relaxed": 1.25}
"""Radians that the arms hang down by at rest."""


@dataclass(frozen=True)
class Bent:
    """A rest pose with bent limbs; radians."""

    hang: float
    """How far the arms hang down."""
    twist: float
    """How far they are turned about their length."""
    bend: float
    """How far elbows and knees are bent, besides what they are in the body's T-pose."""


@dataclass
class Rig:
    """An armature object, and by joint the bones that move with it."""

    item: bpy.types.Object
    bones: dict[str, str]
    """By source joint, the bone whose head is that joint and which shows the limb from there."""
    controls: dict[str, str] = field(default_factory=dict)


def figure(rest, pose, seed, arms_only=False):
    """(55, 3) joints, z up and facing -y, of a figure with proportions of its own in a rest pose."""
    random = np.random.default_rng(seed)
    factors = random.uniform(0.85, 1.25, 55)
    mirrored = [JOINT_NAMES.index(n.replace("right_", "left_")) for n in JOINT_NAMES]
    factors = factors[mirrored]
    own = rest.copy()
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            own[joint] = own[parent] + factors[joint] * (rest[joint] - rest[parent])
    turns = np.zeros((55, 3))
    hang = pose.hang if isinstance(pose, Bent) else POSES.get(pose, 0.6)
    for sign, side in ((1, "left"), (-1, "right")):
        turns[JOINT_INDEX[f"{side}_shoulder"], 2] = -sign * hang
        if pose == "random":
            turns[JOINT_INDEX[f"{side}_shoulder"]] += random.normal(0, 0.4, 3)
            for joint in ("elbow", "wrist", "hip", "knee"):
                turns[JOINT_INDEX[f"{side}_{joint}"]] = random.normal(0, 0.3, 3)
            for finger in FINGERS:
                for segment in (1, 2, 3):
                    turns[JOINT_INDEX[f"{side}_{finger}{segment}"]] = random.normal(0, 0.3, 3)
        if isinstance(pose, Bent):
            turns[JOINT_INDEX[f"{side}_elbow"], 1] = -sign * pose.bend
            for joint, share in (("hip", -0.5), ("knee", 1), ("ankle", -0.5)):
                turns[JOINT_INDEX[f"{side}_{joint}"], 0] = share * pose.bend
        if pose == "relaxed":
            turns[JOINT_INDEX[f"{side}_elbow"], 1] = -sign * 0.4
            for joint, angle in (("hip", -0.2), ("knee", 0.4), ("ankle", -0.2)):
                turns[JOINT_INDEX[f"{side}_{joint}"], 0] = angle
            for finger in FINGERS[1:]:
                turns[JOINT_INDEX[f"{side}_{finger}2"], 2] = -sign * 0.4
    matrices = rotations.axis_angle_to_matrix(turns)
    if isinstance(pose, Bent):
        shoulders = [JOINT_INDEX["left_shoulder"], JOINT_INDEX["right_shoulder"]]
        matrices[shoulders] = matrices[shoulders] @ rotations.axis_angle_to_matrix(np.array([pose.twist, 0.0, 0.0]))
    joints = joint_transforms(matrices, own)[..., :3, 3]
    joints = joints - [0, joints[:, 1].min() - 0.02, 0]
    return np.stack([joints[:, 0], -joints[:, 2], joints[:, 1]], axis=-1)


def build(name, bones, axes="random", seed=0, to_data=None):
    """An armature object. `bones` is a list of (name, parent, head, end); `axes` how bones lie between head and end.

    `to_data` (4, 4) takes z-up metres into the armature's own axes and unit; the object undoes it.
    """
    random = np.random.default_rng(seed)
    to_data = np.eye(4) if to_data is None else to_data
    data = bpy.data.armatures.new(name)
    item = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(item)
    item.matrix_world = Matrix(np.linalg.inv(to_data))
    bpy.context.view_layer.objects.active = item
    bpy.ops.object.mode_set(mode="EDIT")
    for bone_name, parent, head, end in bones:
        bone = data.edit_bones.new(bone_name)
        head, end = (to_data[:3, :3] @ point + to_data[:3, 3] for point in (np.array(head), np.array(end)))
        length = max(float(np.linalg.norm(end - head)), 1e-3)
        bone.head, bone.tail = head, head + np.array([0, length, 0])
        along = (end - head) / length
        frame = np.linalg.qr(np.stack([along, *random.normal(size=(2, 3))], axis=-1))[0]
        frame[:, 0] = along
        frame[:, 2] = np.cross(frame[:, 0], frame[:, 1])
        if axes == "y":  # as Blender draws bones
            frame = frame[:, [1, 0, 2]] * [1, 1, -1]
        elif axes == "random":
            frame = np.linalg.qr(random.normal(size=(3, 3)))[0]
            frame *= np.sign(np.linalg.det(frame))
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = frame, head
        bone.matrix = Matrix(matrix)
        bone.parent = data.edit_bones[parent] if parent else None
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.view_layer.update()
    return item


def _line(joints, first, last, count):
    """`count` points from one joint of the trunk towards another one, along the joints between."""
    path = [JOINT_INDEX[name] for name in ("spine1", "spine2", "spine3", "neck", "head")]
    names = ("spine1", "spine2", "spine3", "neck", "head")
    knots = joints[path[names.index(first) : names.index(last) + 1]]
    at = np.linspace(0, len(knots) - 1, count, endpoint=False)
    return [np.array([np.interp(x, range(len(knots)), knots[:, axis]) for axis in range(3)]) for x in at]


def humanoid(joints, names, spine, neck, extra=True):
    """(list of bones, joints' bones): a hierarchy of deforming bones, `names` by joint, `spine` and `neck` chains."""
    bones, shown = [], {}

    def head(joint):
        return joints[JOINT_INDEX[joint]]

    def add(joint, parent, end):
        bones.append((names[joint], parent, head(joint), end))
        shown[joint] = names[joint]
        return names[joint]

    trunk = add("pelvis", names.get("root", ""), head("spine1"))
    if names.get("root"):
        bones.insert(0, (names["root"], "", np.zeros(3), np.array([0, 0.2, 0])))
    spots = [*_line(joints, "spine1", "neck", len(spine)), head("neck")]
    for place, name in enumerate(spine):
        bones.append((name, trunk, spots[place], spots[place + 1]))
        trunk = name
    shown["spine1"] = spine[0]
    top = trunk
    spots = [*_line(joints, "neck", "head", len(neck)), head("head")]
    for place, name in enumerate(neck):
        bones.append((name, top, spots[place], spots[place + 1]))
        top = name
    shown["neck"] = neck[0]
    add("head", top, head("head") + np.array([0, 0, 0.15]))
    for side in ("left", "right"):
        above = trunk
        for joint, end in (("collar", "shoulder"), ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "middle1")):
            above = add(f"{side}_{joint}", above, head(f"{side}_{end}"))
            if extra and joint == "shoulder":
                bones.append((f"{above}_twist", above, head(f"{side}_shoulder"), head(f"{side}_elbow")))
        for finger in FINGERS:
            parent = above
            for segment in (1, 2, 3):
                joint = f"{side}_{finger}{segment}"
                start = head(joint)
                parent = add(
                    joint,
                    parent,
                    head(joint[:-1] + str(segment + 1))
                    if segment < 3
                    else start + 0.7 * (start - head(joint[:-1] + "2")),
                )
        above = names["pelvis"]
        for joint, end in (("hip", "knee"), ("knee", "ankle"), ("ankle", "foot")):
            above = add(f"{side}_{joint}", above, head(f"{side}_{end}"))
        add(f"{side}_foot", above, head(f"{side}_foot") + np.array([0, -0.06, 0]))
    return bones, shown


def _named(pattern, central, finger):
    """By joint a bone's name: `pattern` by joint without side, `finger(side, finger, segment)`, `central` as it is."""
    names = dict(central)
    for side in ("left", "right"):
        names |= {f"{side}_{joint}": value(side) for joint, value in pattern.items()}
        names |= {f"{side}_{name}{segment}": finger(side, name, segment) for name in FINGERS for segment in (1, 2, 3)}
    return names


def _parts(words, make):
    joints = ("collar", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "foot")
    return {joint: (lambda side, word=word: make(side, word)) for joint, word in zip(joints, words, strict=True)}


Y_UP_CM = 100 * np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 0.01]])
"""From z-up metres to the y-up centimetres that FBX files keep in the armature, its object turned and scaled."""


def mixamo(rest, seed=1, pose="T", prefix="mixamorig7:", axes="y"):
    def make(side, word):
        return f"{prefix}{side.title()}{word}"

    words = ("Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase")
    names = _named(
        _parts(words, make),
        {"pelvis": f"{prefix}Hips", "head": f"{prefix}Head"},
        lambda side, finger, segment: make(side, f"Hand{finger.title()}{segment}"),
    )
    joints = figure(rest, pose, seed)
    bones, shown = humanoid(
        joints, names, [f"{prefix}{name}" for name in ("Spine", "Spine1", "Spine2")], [f"{prefix}Neck"], extra=False
    )
    bones.append((f"{prefix}HeadTop_End", f"{prefix}Head", bones[5][3], bones[5][3] + [0, 0, 0.1]))
    return Rig(build("Mixamo", bones, axes, seed, Y_UP_CM), shown)


def unreal(rest, seed=2, pose="A", spines=5, necks=2, axes="x"):
    def make(side, word):
        return f"{word}_{side[0]}"

    words = ("clavicle", "upperarm", "lowerarm", "hand", "thigh", "calf", "foot", "ball")
    names = _named(
        _parts(words, make),
        {"root": "root", "pelvis": "pelvis", "head": "head"},
        lambda side, finger, segment: make(side, f"{finger}_0{segment}"),
    )
    joints = figure(rest, pose, seed)
    bones, shown = humanoid(
        joints,
        names,
        [f"spine_0{place + 1}" for place in range(spines)],
        [f"neck_0{place + 1}" for place in range(necks)],
    )
    bones += [
        ("ik_foot_root", "root", np.zeros(3), np.array([0, 0.1, 0])),
        ("ik_foot_l", "ik_foot_root", joints[JOINT_INDEX["left_ankle"]], joints[JOINT_INDEX["left_foot"]]),
    ]
    return Rig(build("Mannequin", bones, axes, seed, 100 * np.diag([1, 1, 1, 0.01])), shown)


def vrm(rest, seed=3, pose="T", names_of="VRoid", axes="random"):
    """`names_of`: VRoid's bones, the humanoid's in VRM 0 or 1, or those that the VRM add-on for Blender makes."""

    def snake(word):
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", word).lower()

    def make(side, word):
        if names_of == "VRoid":
            return f"J_Bip_{side[0].upper()}_{word}"
        word = word.replace("ToeBase", "Toes")
        return f"{snake(word)}.{side[0].upper()}" if names_of == "add-on" else side + word

    words = ("Shoulder", "UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot", "ToeBase")

    def finger_name(side, finger, segment):
        finger_word = "Little" if finger == "pinky" else finger.title()
        if names_of == "VRoid":
            return make(side, f"{finger_word}{segment}")
        parts = (
            ("Metacarpal", "Proximal", "Distal")
            if finger == "thumb" and names_of == "VRM 1"
            else ("Proximal", "Intermediate", "Distal")
        )
        return make(side, finger_word + parts[segment - 1])

    def middle(word):
        return {"VRoid": f"J_Bip_C_{word}", "add-on": snake(word)}.get(names_of, word[0].lower() + word[1:])

    names = _named(_parts(words, make), {"pelvis": middle("Hips"), "head": middle("Head")}, finger_name)
    joints = figure(rest, pose, seed)
    bones, shown = humanoid(
        joints, names, [middle(word) for word in ("Spine", "Chest", "UpperChest")], [middle("Neck")], extra=False
    )
    return Rig(build("VRM", bones, axes, seed), shown)


def unknown(rest, seed, pose="random"):
    """A rig that no preset knows: random rolls, a random rest pose, other numbers of bones."""

    def make(side, word):
        return f"{word}.{side[0].upper()}"

    words = ("Clavicle", "UpperArm", "LowerArm", "Hand", "Thigh", "Shin", "Foot", "Toe")
    names = _named(
        _parts(words, make),
        {"pelvis": "Hips", "head": "Head"},
        lambda side, finger, segment: make(side, f"Finger_{finger}_{segment}"),
    )
    random = np.random.default_rng(seed)
    joints = figure(rest, pose, seed)
    bones, shown = humanoid(
        joints,
        names,
        [f"Spine{place}" for place in range(random.integers(1, 6))],
        [f"Neck{place}" for place in range(random.integers(1, 3))],
    )
    return Rig(build("Unknown", bones, "random", seed), shown)


def auto_rig_pro(rest, seed=4, pose="relaxed"):
    """Its controls, and simple mechanics in their place: bones that follow FK or IK by a switch."""
    central = {"root": "c_root_master.x", "pelvis": "c_root.x", "head": "c_head.x"}
    words = ("c_shoulder", "c_arm_fk", "c_forearm_fk", "c_hand_fk", "c_thigh_fk", "c_leg_fk", "c_foot_fk", "c_toes_fk")
    names = _named(
        _parts(words, lambda side, word: f"{word}.{side[0]}"),
        central,
        lambda side, finger, segment: f"c_{finger}{segment}.{side[0]}",
    )
    joints = figure(rest, pose, seed)
    bones, shown = humanoid(joints, names, [f"c_spine_0{place}.x" for place in (1, 2, 3)], ["c_neck.x"], extra=False)
    master = joints[JOINT_INDEX["pelvis"]]
    bones[0] = ("c_root_master.x", "", master, master + np.array([0, 0.2, 0]))
    limbs = {
        "arm": (
            ("shoulder", "elbow", "wrist", "middle1"),
            ("arm", "forearm", "hand"),
            "c_hand_ik",
            "c_arms_pole",
            "c_shoulder",
        ),
        "leg": (("hip", "knee", "ankle", "foot"), ("thigh", "leg", "foot"), "c_foot_ik", "c_leg_pole", "c_root"),
    }
    for side in ("left", "right"):
        code = side[0]
        for places, chain, target, pole, base in limbs.values():
            spots = [joints[JOINT_INDEX[f"{side}_{place}"]] for place in places]
            line = spots[2] - spots[0]
            aside = spots[1] - spots[0] - line * ((spots[1] - spots[0]) @ line) / (line @ line)
            aside *= 0.6 / np.linalg.norm(aside)  # in the plane that the limb bends in, as riggers place it
            above = base + (".x" if base == "c_root" else f".{code}")
            for kind in ("", "_ik"):
                parent = above
                for place, name in enumerate(chain if not kind else chain[:2]):
                    bones.append((f"{name}{kind}.{code}", parent, spots[place], spots[place + 1]))
                    parent = f"{name}{kind}.{code}"
            bones.append((f"{target}.{code}", "", spots[2], spots[3]))
            bones.append((f"{pole}.{code}", "", spots[1] + aside, spots[1] + aside + [0, 0, 0.1]))
            for place, name in zip(places[:3], chain, strict=False):
                shown[f"{side}_{place}"] = f"{name}.{code}"
        bones.append(
            (
                f"toes_01.{code}",
                f"foot.{code}",
                joints[JOINT_INDEX[f"{side}_foot"]],
                joints[JOINT_INDEX[f"{side}_foot"]] + [0, -0.06, 0],
            )
        )
        shown[f"{side}_foot"] = f"toes_01.{code}"
    item = build("ARP", bones, "y", seed)
    pose_bones = item.pose.bones
    for bone in pose_bones:
        if bone.name.startswith("c_"):
            bone.rotation_mode = "XYZ"
    for side in ("l", "r"):
        for _, chain, target, pole, _ in limbs.values():
            switch = pose_bones[f"{target}.{side}"]
            switch["ik_fk_switch"], switch["auto_stretch"] = 0.0, 1.0
            solver = pose_bones[f"{chain[1]}_ik.{side}"].constraints.new("IK")
            solver.target = solver.pole_target = item
            solver.subtarget, solver.pole_subtarget, solver.chain_count = switch.name, f"{pole}.{side}", 2
            solver.iterations = 500
            for place, name in enumerate(chain):
                bone = pose_bones[f"{name}.{side}"]
                fk = {
                    "arm": "c_arm_fk",
                    "forearm": "c_forearm_fk",
                    "hand": "c_hand_fk",
                    "thigh": "c_thigh_fk",
                    "leg": "c_leg_fk",
                    "foot": "c_foot_fk",
                }[name]
                for source, expression in ((f"{name}_ik" if place < 2 else target, ""), (fk, "switch")):
                    copy = bone.constraints.new("COPY_ROTATION")
                    copy.target, copy.subtarget = item, f"{source}.{side}"
                    if expression:
                        driver = copy.driver_add("influence").driver
                        driver.type = "SUM"
                        variable = driver.variables.new()
                        variable.targets[0].id = item
                        variable.targets[0].data_path = f'pose.bones["{switch.name}"]["ik_fk_switch"]'
            _set_pole_angle(item, f"{chain[0]}_ik.{side}", solver)
    return Rig(item, shown)


def _set_pole_angle(item, upper, solver):
    """The angle with which the pole leaves the limb as it rests: found by trying, ever more finely."""
    rest, middle = np.array(item.data.bones[upper].matrix_local), 0.0
    for width in (np.pi, 0.2, 0.01):
        errors = []
        for angle in middle + np.linspace(-width, width, 33):
            solver.pole_angle = angle
            bpy.context.view_layer.update()
            errors.append((np.abs(np.array(item.pose.bones[upper].matrix) - rest).max(), angle))
        middle = solver.pole_angle = min(errors)[1]
    bpy.context.view_layer.update()
