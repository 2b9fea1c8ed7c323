# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes as their own cameras see them, and from outside: for the page about the camera.

    python tools/camera_views.py FOLDER FIRST.blend:FRAME [OTHER.blend:FRAME ...]

Writes FOLDER/FIRST-camera.png and FOLDER/FIRST-outside.png of a scene frame, with everything in them: people,
environment, and from outside the camera's path as a line and the camera itself as a small pyramid.
"""

import sys
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector
from render_overview import light

HEIGHT = 480
ASIDE, BEHIND, ABOVE = 0.7, 0.45, 0.42
"""Where the outside view stands, in distances of the people from the camera: beside, behind and above the latter."""
PATH_M = 0.03


def main(folder: Path, scenes: list[str]) -> None:
    for scene_and_frame in scenes:
        path, _, number = scene_and_frame.rpartition(":")
        blend, frame = Path(path).resolve(), int(number)
        bpy.ops.wm.open_mainfile(filepath=str(blend))
        scene = bpy.context.scene
        light(scene)
        scene.view_settings.view_transform = "Standard"
        scene.frame_set(frame)
        own = scene.camera
        render(scene, own, folder / f"{blend.stem}-camera.png")
        show_path(scene, own)
        scene.frame_set(frame)
        render(scene, outside(scene, own), folder / f"{blend.stem}-outside.png")


def outside(scene: bpy.types.Scene, own: bpy.types.Object) -> bpy.types.Object:
    """A camera that sees the people, their surroundings and the footage's camera."""
    people = [
        thing.matrix_world @ thing.pose.bones["pelvis"].head for thing in scene.objects if thing.type == "ARMATURE"
    ]
    place = own.matrix_world.translation
    ahead = -(own.matrix_world.to_3x3() @ Vector((0, 0, 1)))
    ahead.z = 0
    ahead.normalize()
    distance = float(np.median([(person - place).length for person in people])) if people else 5.0
    side = ahead.cross(Vector((0, 0, 1)))
    eye = place + distance * (ASIDE * side - BEHIND * ahead + ABOVE * Vector((0, 0, 1)))
    aim = place + 0.95 * distance * ahead
    aim.z = 0.6
    made = bpy.data.objects.new("outside", bpy.data.cameras.new("outside"))
    made.data.lens, made.data.clip_end = 27, 500
    made.matrix_world = Matrix.Translation(eye) @ (aim - eye).to_track_quat("-Z", "Y").to_matrix().to_4x4()
    scene.collection.objects.link(made)
    return made


def show_path(scene: bpy.types.Scene, own: bpy.types.Object) -> None:
    """The camera's path as a tube, and where it is now as a pyramid."""
    now = scene.frame_current
    places = []
    for frame in range(scene.frame_start, scene.frame_end + 1):
        scene.frame_set(frame)
        places.append(own.matrix_world.translation.copy())
    scene.frame_set(now)
    curve = bpy.data.curves.new("path", "CURVE")
    curve.dimensions, curve.bevel_depth = "3D", PATH_M
    line = curve.splines.new("POLY")
    line.points.add(len(places) - 1)
    for point, place in zip(line.points, places, strict=True):
        point.co = (*place, 1)
    corners = [own.matrix_world @ (0.8 * corner) for corner in own.data.view_frame(scene=scene)]
    mesh = bpy.data.meshes.new("camera")
    mesh.from_pydata([own.matrix_world.translation, *corners], [], [(0, 1, 2), (0, 2, 3), (0, 3, 4), (0, 4, 1)])
    material = bpy.data.materials.new("camera")
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    glow, out = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeOutputMaterial")
    glow.inputs["Color"].default_value = (1.0, 0.25, 0.02, 1)
    tree.links.new(glow.outputs[0], out.inputs[0])
    for data in (curve, mesh):
        data.materials.append(material)
        scene.collection.objects.link(bpy.data.objects.new(data.name, data))


def render(scene: bpy.types.Scene, camera: bpy.types.Object, path: Path) -> None:
    width, height = scene.render.resolution_x, scene.render.resolution_y
    scene.camera = camera
    scene.render.resolution_percentage = max(1, round(100 * HEIGHT / height))
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    scene.render.resolution_x, scene.render.resolution_y = width, height


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
