# SPDX-License-Identifier: GPL-3.0-or-later
"""Render a retargeted character through the footage's camera at some frames, to be put beside the footage.

    python tools/render_strip.py SCENE.blend FOLDER FRAMES

FRAMES are scene frames with commas between; writes FOLDER/strip-FRAME.png, the character alone. The captured people are
hidden. Run in Blender's Python module; `tools/compose_strip.py` puts the strip together.
"""

import sys
from pathlib import Path

import bpy
from render_overview import HEIGHT, _light


def main(blend: Path, folder: Path, frames: list[int]) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    scene = bpy.context.scene
    for item in scene.objects:
        of_person = item.type == "MESH" and item.find_armature() is not None and "human3r_role" in item.find_armature()
        if of_person or (item.type == "MESH" and item.find_armature() is None):
            if item.animation_data is not None:
                item.animation_data_clear()  # when the person is there
            item.hide_render = True
    _light(scene)
    scene.render.resolution_percentage = max(1, round(100 * HEIGHT / scene.render.resolution_y))
    for frame in frames:
        scene.frame_set(frame)
        scene.render.filepath = str((folder / f"strip-{frame}.png").absolute())
        bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), list(map(int, sys.argv[3].split(","))))
