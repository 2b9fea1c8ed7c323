# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the picture of docs/use/retargeting.md: one person and characters of many families at the same moments.

    python -m tests.blender.retarget.sheet SHEET.jpg

Run in Blender's Python module, at the root of the checkout. Every stick is between two bones that hang from each other,
where Blender shows them: a torn body would be seen.
"""

import sys
from pathlib import Path

import numpy as np

from tests.blender import conftest  # noqa: F401  # enables the extension; has to be first

import bpy  # isort: skip
from bl_ext.user_default.human3r_blender.engine.contract.body_model import BodyModel, default_body_path
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_INDEX, JOINT_NAMES, PARENTS
from bl_ext.user_default.human3r_blender.human3r_blender.rigs import hierarchy, presets, recognition
from bl_ext.user_default.human3r_blender.human3r_blender.sections.retarget import retargeting
from mathutils import Matrix, Vector

from . import families, rigs
from .conftest import add_person
from .family_trees import FAMILIES
from .measuring import heads
from .motions import Motion

MOMENTS = (24, 50)
"""Frames of the motion: crouching, walking."""
TURNED = 0.6
"""Radians that all figures are seen from the side."""
LEFT_OUT = {"MMD 左", "MMD in English", "SMPL", "SMPL-X", "Mixamo without separator", "MakeHuman game engine"}
"""Families that a picture says nothing new of."""
COLUMNS = 7
WIDE, HIGH = 1.75, 2.2
"""Of a tile, meters."""
PIXELS = 200
"""Of a tile's width."""
COLORS = {"left": (0.7, 0.22, 0.05, 1), "right": (0.05, 0.3, 0.28, 1), "": (0.2, 0.2, 0.23, 1)}
PERSON = {"left": (0.1, 0.2, 0.8, 1), "right": (0.25, 0.5, 0.9, 1), "": (0.12, 0.25, 0.55, 1)}
THICK = {"hip": 0.06, "knee": 0.045, "ankle": 0.035, "shoulder": 0.045, "elbow": 0.036, "spine": 0.07, "pelvis": 0.055}
"""Radius of the stick that begins at a slot's bone, meters on a person; others are thinner."""


def characters(rest):
    """Label and rig of each character; all have other proportions and rest poses."""
    poses = (("T", "y"), ("A", "random"), ("relaxed", "x"))
    made = {"Mixamo": rigs.mixamo(rest), "Unreal Mannequin": rigs.unreal(rest), "VRM": rigs.vrm(rest)}
    kinds = [kind for kind in FAMILIES if kind not in LEFT_OUT]
    for number, kind in enumerate(kinds):
        made[FAMILIES[kind].preset] = families.build(FAMILIES[kind], rest, 80 + number, *poses[number % 3])
    return made


def sticks_of(parents, slots):
    """(from, to, slot of the first) of the bones in slots: each with the one in a slot that it hangs from."""
    found = []
    for bone in slots:
        above = next((upper for upper in hierarchy.line_up(bone, parents)[1:] if upper in slots), "")
        if above:
            found.append((above, bone, slots[above]))
    return found


def place_in(tile, points, floor):
    """(N, 3) points of one figure, put into a tile: its hips in the middle, its floor at the bottom."""
    row, column = divmod(tile, COLUMNS)
    middle = points.mean(axis=0)
    cos, sin = np.cos(TURNED), np.sin(TURNED)
    seen = (points - [middle[0], middle[1], floor]) @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]).T
    return seen + np.array([column * WIDE, 0.0, -row * HIGH])


def stick(start, end, radius, material):
    """A rod with round ends between two points, in the scene."""
    way = Vector(end) - Vector(start)
    turn = Vector((0, 0, 1)).rotation_difference(way).to_matrix().to_4x4()
    for place, kind in ((start, "ball"), (end, "ball"), ((np.array(start) + end) / 2, "rod")):
        item = bpy.data.objects.new(kind, shape(kind, material))
        size = (radius, radius, way.length / 2 if kind == "rod" else radius)
        item.matrix_world = Matrix.Translation(place) @ turn @ Matrix.Diagonal((*size, 1))
        bpy.context.scene.collection.objects.link(item)


def shape(kind, material):
    """A mesh of `shapes` with a material; one for all figures."""
    name = f"{kind} {material.name}"
    if name not in bpy.data.meshes:
        mesh = bpy.data.meshes[kind].copy()
        mesh.name = name
        mesh.materials.append(material)
    return bpy.data.meshes[name]


def draw(tile, label, points, slots, lines, colors, scale):
    """A figure of sticks and what it is called. `points` and `slots` by bone, `lines` as of `sticks_of`."""
    floor = min(point[2] for point in points.values())
    names = list(points)
    placed = dict(zip(names, place_in(tile, np.array(list(points.values())), floor), strict=True))
    for start, end, slot in lines:
        side, _, name = slot.rpartition("_")
        is_beside = slots[end].endswith(("collar", "shoulder")) and not side
        radius = scale * (0.03 if is_beside else THICK.get(name, 0.012 if name[-1] in "123" else 0.03))
        if np.linalg.norm(placed[end] - placed[start]) > 1e-3:
            stick(placed[start], placed[end], radius, colors[side])
    head = next(bone for bone, slot in slots.items() if slot == "head")
    stick(placed[head], placed[head] + [0, 0, 0.12 * scale], 0.075 * scale, colors[""])
    text = bpy.data.objects.new("label", bpy.data.curves.new("label", "FONT"))
    text.data.body, text.data.size, text.data.align_x = label, 0.16, "CENTER"
    text.data.materials.append(colors["text"])
    row, column = divmod(tile, COLUMNS)
    text.matrix_world = Matrix.Translation((column * WIDE, -1, -row * HIGH - 0.24)) @ Matrix.Rotation(np.pi / 2, 4, "X")
    bpy.context.scene.collection.objects.link(text)


def shapes():
    """A ball and a rod of size 1, to be copied."""
    for kind, make in (
        ("ball", lambda: bpy.ops.mesh.primitive_uv_sphere_add(segments=16, ring_count=8, radius=1)),
        ("rod", lambda: bpy.ops.mesh.primitive_cylinder_add(vertices=16, radius=1, depth=2)),
    ):
        make()
        bpy.ops.object.shade_smooth()
        bpy.context.object.data.name = kind
        bpy.context.object.data.use_fake_user = True
        bpy.data.objects.remove(bpy.context.object)


def colored(colors):
    """Materials of some colors."""
    made = {}
    for side, color in colors.items():
        made[side] = bpy.data.materials.new("stick")
        made[side].use_nodes = True
        made[side].node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = color
    made["text"] = bpy.data.materials.new("text")
    made["text"].use_nodes = True
    made["text"].node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (0, 0, 0, 1)
    made["text"].node_tree.nodes["Principled BSDF"].inputs["Specular IOR Level"].default_value = 0
    return made


def render(path, rows):
    """Everything drawn, seen from the front without perspective."""
    scene = bpy.context.scene
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    width, height = COLUMNS * WIDE, rows * HIGH
    camera.data.type, camera.data.ortho_scale = "ORTHO", max(width, height)
    middle = Vector((width / 2 - WIDE / 2, -20, -height / 2 + HIGH - 0.35))
    camera.matrix_world = Matrix.Translation(middle) @ Matrix.Rotation(np.pi / 2, 4, "X")
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy, sun.rotation_euler = 1.6, (0.8, 0.3, 0.3)
    scene.world = bpy.data.worlds.new("paper")
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.85, 0.85, 0.83, 1)
    for item in (camera, sun):
        scene.collection.objects.link(item)
    scene.camera, scene.render.engine, scene.cycles.samples = camera, "CYCLES", 16
    scene.view_settings.view_transform = "Standard"
    scene.render.resolution_x, scene.render.resolution_y = PIXELS * COLUMNS, round(PIXELS * height / WIDE)
    scene.render.image_settings.file_format = "PNG" if path.suffix == ".png" else "JPEG"
    scene.render.image_settings.quality = 82
    scene.render.filepath = str(path.absolute())
    bpy.ops.render.render(write_still=True)


def main(path):
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene, rest = bpy.context.scene, BodyModel.load(default_body_path()).rest_joints(np.zeros(10))
    person, known = add_person(scene, Motion(rest)), presets.find_all()[0]
    shown = {}
    names = [name for name in JOINT_NAMES if "eye" not in name]
    slots = {name: {"spine1": "spine", "spine2": "spine", "spine3": "spine"}.get(name, name) for name in names}
    parents = {name: JOINT_NAMES[PARENTS[JOINT_INDEX[name]]] if name != "pelvis" else "" for name in names}
    shown["the person"] = (person, slots, sticks_of(parents, slots))
    for label, rig in characters(rest).items():
        parents = hierarchy.parents_of(rig.item)
        found = recognition.find(parents, known)
        slots = {bone: slot for slot, bones in found.rig.bones.items() for bone in bones if slot != "root_motion"}
        retargeting.retarget(person, rig.item, scene, found.rig)
        shown[label] = (rig.item, slots, sticks_of(parents, slots))
    seen = {label: heads(item, list(slots), MOMENTS) for label, (item, slots, _) in shown.items()}
    for item in list(scene.objects):
        bpy.data.objects.remove(item)
    shapes()
    colors, blue = colored(COLORS), colored(PERSON)
    # the person begins every row
    others = [label for label in shown if label != "the person"]
    rows = [["the person", *others[start : start + COLUMNS - 1]] for start in range(0, len(others), COLUMNS - 1)]
    tile = 0
    for moment in range(len(MOMENTS)):
        for row in rows:
            for column, label in enumerate(row):
                _, slots, lines = shown[label]
                points = dict(zip(slots, seen[label][moment], strict=True))
                draw(tile + column, label, points, slots, lines, blue if label == "the person" else colors, 1.0)
            tile += COLUMNS
    render(path, tile // COLUMNS)


main(Path(sys.argv[1]))
sys.stdout.flush()
