# SPDX-License-Identifier: GPL-3.0-or-later
"""Render scenes that conversions made, each through its own camera and from outside.

    python tools/render_overview.py FOLDER FRAME FIRST.blend [OTHER.blend ...]

Writes FOLDER/FIRST-camera.png, FOLDER/FIRST-outside.png and so on. All are seen from one and the same place outside,
behind and above the first one's camera. FRAME may be several with commas between: their number then ends the names. In
place of the camera's view there is, as FOLDER/FIRST-people.png, one of the people alone, to be put over the footage.
"""

import sys
from math import radians
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

HEIGHT = 384
SAMPLES = 16
SHOWN_SHARE = 0.9
"""Share of the points that the outside view must hold: the farthest ones would make everything else tiny."""

PERSON_M = 1.0
"""Metres round the pelvis that a person fills."""
BESIDE = radians(28)
"""How far the people are seen from the side, against how the footage shows them."""


def main(folder: Path, frames: list[int], blends: list[Path]) -> None:
    if len(frames) == 1:
        compare(folder, frames[0], blends)
    else:
        for blend in blends:
            show_people(folder, frames, blend)


def show_people(folder: Path, frames: list[int], blend: Path) -> None:
    """People alone through the scene's camera, and everything from outside, at some frames of one scene."""
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    scene = bpy.context.scene
    light(scene)
    own = scene.camera
    beside = _camera(scene, *_beside(scene, own, frames))
    others = [thing for thing in scene.objects if thing.type == "MESH" and thing.find_armature() is None]
    shown = [thing for thing in others if not thing.hide_render]
    for frame in frames:
        scene.frame_set(frame)
        for thing in shown:
            thing.hide_render = True
        _render(scene, own, folder / f"{blend.stem}-people-{frame}.png")
        for thing in shown:
            thing.hide_render = False
        _render(scene, beside, folder / f"{blend.stem}-outside-{frame}.png")


def compare(folder: Path, frame: int, blends: list[Path]) -> None:
    """The same frame of several scenes of the same people."""
    place: tuple[Matrix, float] | None = None
    for blend in blends:
        bpy.ops.wm.open_mainfile(filepath=str(blend))
        scene = bpy.context.scene
        scene.frame_set(frame)
        light(scene)
        own = scene.camera
        _color_from_left_to_right(scene, own)
        place = place or _outside(scene, own)
        for name, camera in (("camera", own), ("outside", _camera(scene, *place))):
            _render(scene, camera, folder / f"{blend.stem}-{name}.png")


def _color_from_left_to_right(scene: bpy.types.Scene, camera: bpy.types.Object) -> None:
    """Exchange the people's colours, so that the same person has the same one in every scene."""
    to_camera = camera.matrix_world.inverted()
    meshes = sorted((item for item in scene.objects if item.find_armature() is not None), key=lambda item: item.name)
    materials = [mesh.data.materials[0] for mesh in meshes]

    def side(mesh: bpy.types.Object) -> float:
        skeleton = mesh.find_armature()
        place = to_camera @ skeleton.matrix_world @ skeleton.pose.bones["pelvis"].head
        return place.x / -place.z

    for mesh, material in zip(sorted(meshes, key=side), materials, strict=True):
        mesh.data.materials[0] = material


def light(scene: bpy.types.Scene) -> None:
    scene.render.engine = "CYCLES"
    scene.cycles.samples = SAMPLES
    scene.cycles.use_denoising = False
    scene.render.film_transparent = True
    scene.world = scene.world or bpy.data.worlds.new("Overview")
    scene.world.color = (0.6, 0.6, 0.62)
    sun = bpy.data.objects.new("Overview sun", bpy.data.lights.new("Overview sun", "SUN"))
    sun.data.energy = 3
    sun.rotation_euler = (0.6, 0.2, 0.4)
    scene.collection.objects.link(sun)


def _outside(scene: bpy.types.Scene, footage_camera: bpy.types.Object) -> tuple[Matrix, float]:
    """Where a camera has to stand behind and above the footage camera to see people, points and where the footage was
    taken from; and how far it has to see, in metres.
    """
    depsgraph = bpy.context.evaluated_depsgraph_get()
    corners = [footage_camera.matrix_world.translation]
    for thing in scene.objects:
        if thing.type == "MESH" and not thing.hide_render:
            evaluated = thing.evaluated_get(depsgraph)
            points = np.empty(3 * len(thing.data.vertices), np.float32)
            thing.data.vertices.foreach_get("co", points)
            if thing.find_armature() is None and len(points):
                low, high = np.quantile(points.reshape(-1, 3), [(1 - SHOWN_SHARE) / 2, (1 + SHOWN_SHARE) / 2], axis=0)
                corners += [evaluated.matrix_world @ Vector(corner) for corner in (low, high)]
            else:
                corners += [evaluated.matrix_world @ Vector(corner) for corner in evaluated.bound_box]
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    middle, size = Vector((low + high) / 2), float(np.linalg.norm(high - low))
    towards = Vector((0.55, 0.75, -0.55)).normalized()
    turn = towards.to_track_quat("-Z", "Y").to_matrix().to_4x4()
    return Matrix.Translation(middle - towards * size * 0.9) @ turn, 20 * size


def _beside(scene: bpy.types.Scene, footage_camera: bpy.types.Object, frames: list[int]) -> tuple[Matrix, float]:
    """Where a camera has to stand to see the people of all these frames from the side, somewhat from above; and how far
    it has to see, in metres.
    """
    corners = []
    for frame in frames:
        scene.frame_set(frame)
        corners += [
            person.matrix_world @ person.pose.bones["pelvis"].head
            for person in scene.objects
            if person.type == "ARMATURE" and not person.hide_render
        ]
    low, high = np.min(corners, axis=0) - PERSON_M, np.max(corners, axis=0) + PERSON_M
    middle, size = Vector((low + high) / 2), float(np.linalg.norm(high - low))
    ahead = middle - footage_camera.matrix_world.translation
    turn = Matrix.Rotation(BESIDE, 3, "Z") @ Vector((ahead.x, ahead.y, 0)).normalized()
    towards = (turn - Vector((0, 0, 0.3))).normalized()
    view = towards.to_track_quat("-Z", "Y").to_matrix().to_4x4()
    return Matrix.Translation(middle - towards * size * 1.3) @ view, 20 * size


def _camera(scene: bpy.types.Scene, place: Matrix, reach: float) -> bpy.types.Object:
    camera = bpy.data.objects.new("Overview camera", bpy.data.cameras.new("Overview camera"))
    camera.data.lens, camera.data.clip_end = 40, reach
    camera.matrix_world = place
    scene.collection.objects.link(camera)
    return camera


def _render(scene: bpy.types.Scene, camera: bpy.types.Object, path: Path) -> None:
    scene.camera = camera
    scene.render.resolution_percentage = max(1, round(100 * HEIGHT / scene.render.resolution_y))
    scene.render.filepath = str(path.absolute())
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), list(map(int, sys.argv[2].split(","))), list(map(Path, sys.argv[3:])))
