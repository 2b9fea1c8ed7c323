# SPDX-License-Identifier: GPL-3.0-or-later
"""Render a .blend that a conversion made: the footage camera's view and a view from above and behind, side by side.

    python tools/render_overview.py SCENE.blend PICTURE.png [FRAME [FOOTAGE.png]]

FOOTAGE.png, the footage's picture at that frame, is put to the left of them.
"""

import sys
import tempfile
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

HEIGHT = 480
SAMPLES = 24
SHOWN_SHARE = 0.9
"""Share of the points that the outside view must hold: the farthest ones would make everything else tiny."""


def main(blend: Path, picture: Path, frame: int | None, footage: Path | None) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    scene = bpy.context.scene
    scene.frame_set(frame if frame is not None else (scene.frame_start + scene.frame_end) // 2)
    scene.render.engine = "CYCLES"
    scene.cycles.samples = SAMPLES
    scene.cycles.use_denoising = False
    scene.world = scene.world or bpy.data.worlds.new("Overview")
    scene.world.color = (0.6, 0.6, 0.62)
    sun = bpy.data.objects.new("Overview sun", bpy.data.lights.new("Overview sun", "SUN"))
    sun.data.energy = 3
    sun.rotation_euler = (0.6, 0.2, 0.4)
    scene.collection.objects.link(sun)
    footage_camera = scene.camera
    views = [footage_camera, _outside_camera(scene, footage_camera)]
    with tempfile.TemporaryDirectory() as folder:
        rendered = [_render(scene, camera, Path(folder) / f"{number}.png") for number, camera in enumerate(views)]
    if footage is not None:
        rendered.insert(0, _read(footage, rendered[0].shape[:2]))
    _save(np.concatenate(rendered, axis=1), picture)


def _outside_camera(scene: bpy.types.Scene, footage_camera: bpy.types.Object) -> bpy.types.Object:
    """A camera behind and above the footage camera that sees people, points and where the footage was taken from."""
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
    camera = bpy.data.objects.new("Overview camera", bpy.data.cameras.new("Overview camera"))
    camera.data.lens = 40
    camera.data.clip_end = 20 * size
    towards = Vector((0.55, 0.75, -0.55)).normalized()
    camera.location = middle - towards * size * 1.1
    camera.rotation_euler = towards.to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(camera)
    return camera


def _render(scene: bpy.types.Scene, camera: bpy.types.Object, path: Path) -> np.ndarray:
    """(HEIGHT, W, 4) float picture, bottom row first as Blender keeps it."""
    scene.camera = camera
    scene.render.resolution_percentage = max(1, round(100 * HEIGHT / scene.render.resolution_y))
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    return _read(path)


def _read(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """(H, W, 4) float picture, bottom row first, scaled to a (height, width) where one is given."""
    image = bpy.data.images.load(str(path.absolute()))
    if size is not None:
        image.scale(size[1], size[0])
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(height, width, 4)


def _save(pixels: np.ndarray, path: Path) -> None:
    image = bpy.data.images.new(path.stem, pixels.shape[1], pixels.shape[0])
    image.pixels.foreach_set(np.ascontiguousarray(pixels).ravel())
    image.filepath_raw = str(path.absolute())
    image.file_format = "PNG"
    image.save()


if __name__ == "__main__":
    arguments = dict(enumerate(sys.argv[1:]))
    main(Path(arguments[0]), Path(arguments[1]), int(arguments[2]) if 2 in arguments else None,
         Path(arguments[3]) if 3 in arguments else None)
