# SPDX-License-Identifier: GPL-3.0-or-later
"""Exported files, read again: by Blender's own importers into an empty file, and by readers that know nothing of it."""

import json
import struct

import bpy
import bvhio
import numpy as np
from bl_ext.user_default.human3r_blender.engine.contract.skeleton import JOINT_NAMES

from .conftest import go_to, shown_joints

HAS_SECOND_FBX_IMPORTER = "fbx_import" in dir(bpy.ops.wm)
"""Blender 4.5 and newer: written in C++ about another library than the add-on's importer."""


def import_fbx(path):
    """Returns the scene frame of the file's first moment, as the other importers here do."""
    bpy.ops.import_scene.fbx(filepath=str(path), anim_offset=0.0)
    # This importer gives the scene the file's rate, and then puts keys where they would be without the rate's base.
    bpy.context.scene.render.fps_base = 1.0
    return 0


def import_fbx_again(path):
    bpy.ops.wm.fbx_import(filepath=str(path), anim_offset=0.0)
    return 0


def import_glb(path):
    # This importer multiplies by the base of the scene's rate where it should divide: without a base it is right.
    bpy.context.scene.render.fps_base = 1.0
    bpy.ops.import_scene.gltf(filepath=str(path))
    return 0


def import_bvh(path):
    bpy.ops.import_anim.bvh(filepath=str(path), global_scale=0.01, update_scene_fps=True)
    return 1


def import_usd(path):
    bpy.ops.wm.usd_import(filepath=str(path))
    return 0


def import_abc(path):
    bpy.ops.wm.alembic_import(filepath=str(path), as_background_job=False)
    return 0


def empty_file(rate):
    """A new file whose scene has a frame rate, as Blender says it, and whose pictures have the shape of the take's."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    render = bpy.context.scene.render
    render.fps, render.fps_base = rate
    render.resolution_x, render.resolution_y = 640, 360


def skeletons():
    """The armatures of the scene."""
    return [item for item in bpy.context.scene.objects if item.type == "ARMATURE"]


def joints_of_skeletons(first, times, bones=lambda armature: JOINT_NAMES):
    """{armature: (T, 55, 3)} at (T,) seconds; `bones` has the names of the joints' bones by the armature's."""
    looks = {item.name: lambda item=item: shown_joints(item, bones(item.name)) for item in skeletons()}
    return _over(first, times, looks)


def joints_of_locators(first, times):
    """As :func:`joints_of_skeletons`, for formats that have no skeletons."""
    items = [item for item in bpy.context.scene.objects if item.name.endswith("_" + JOINT_NAMES[0])]
    prefixes = [item.name.removesuffix(JOINT_NAMES[0]) for item in items]

    def places(prefix):
        graph = bpy.context.evaluated_depsgraph_get()
        objects = bpy.context.scene.objects
        return np.array(
            [objects[prefix + joint].evaluated_get(graph).matrix_world.translation for joint in JOINT_NAMES]
        )

    return _over(first, times, {prefix.rstrip("_"): lambda prefix=prefix: places(prefix) for prefix in prefixes})


def surfaces(first, times):
    """{mesh: (T, V, 3)} where Blender shows the vertices."""

    def vertices(item):
        graph = bpy.context.evaluated_depsgraph_get()
        seen = item.evaluated_get(graph)
        mesh = seen.to_mesh()
        points = np.empty(3 * len(mesh.vertices), dtype=np.float32)
        mesh.vertices.foreach_get("co", points)
        world = np.array(seen.matrix_world)
        seen.to_mesh_clear()
        return points.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3]

    meshes = [item for item in bpy.context.scene.objects if item.type == "MESH"]
    return _over(first, times, {item.name: lambda item=item: vertices(item) for item in meshes})


def _over(first, times, looks):
    render = bpy.context.scene.render
    rows = {name: [] for name in looks}
    for time_s in times:
        go_to(first + time_s * render.fps / render.fps_base)
        for name, look in looks.items():
            rows[name].append(look())
    return {name: np.array(values) for name, values in rows.items()}


def bvh_joints(path):
    """(frame time in seconds, (T, 55, 3) metres with y up) of a BVH file, as `bvhio` reads it."""
    file = bvhio.readAsBvh(str(path))
    found = {}

    def follow(joint, above):
        """`above`: the parent's turn and place in each frame."""
        here = []
        for pose, (turn, place) in zip(joint.Keyframes, above, strict=True):
            here.append((turn * pose.Rotation, place + turn * pose.Position))
        found[joint.Name] = np.array([place for _, place in here])
        for child in joint.Children:
            follow(child, here)

    follow(file.Root, [(bvhio.Transform().Rotation, bvhio.Transform().Position)] * file.FrameCount)
    return file.FrameTime, np.stack([found[name] for name in JOINT_NAMES], axis=1) / 100


def glb_file(path):
    """(JSON part, key times of each sampler's own in seconds) of a GLB file, read as its specification says."""
    data = path.read_bytes()
    magic, version, size, length, kind = struct.unpack_from("<4sII I4s", data)
    assert (magic, version, size, kind) == (b"glTF", 2, len(data), b"JSON") and length % 4 == 0
    file, binary = json.loads(data[20 : 20 + length]), data[20 + length :]
    assert struct.unpack_from("<I4s", binary) == (len(binary) - 8, b"BIN\0")
    times = []
    for animation in file["animations"]:
        for sampler in animation["samplers"]:
            accessor = file["accessors"][sampler["input"]]
            assert (accessor["componentType"], accessor["type"]) == (5126, "SCALAR")  # 32-bit floating point
            view = file["bufferViews"][accessor["bufferView"]]
            start = 8 + view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
            times.append(np.frombuffer(binary, "<f4", accessor["count"], start))
            assert np.float32(accessor["min"] + accessor["max"]).tolist() == [times[-1].min(), times[-1].max()]
    return file, times


def camera_views(first, times):
    """The only camera at (T,) seconds: (T, 3) places, (T, 3, 3) axes, and (T, 4) the edges of what it sees one metre
    before it, in metres: left, right, bottom, top.
    """
    scene = bpy.context.scene
    (camera,) = [item for item in scene.objects if item.type == "CAMERA"]

    def look():
        seen = camera.evaluated_get(bpy.context.evaluated_depsgraph_get())
        frame = np.array(seen.data.view_frame(scene=scene))
        corners = frame[:, :2] / -frame[:, 2:]
        return np.concatenate([np.array(seen.matrix_world).ravel(), corners.min(axis=0), corners.max(axis=0)])

    rows = _over(first, times, {"camera": look})["camera"]
    worlds = rows[:, :16].reshape(-1, 4, 4)
    axes = worlds[:, :3, :3] / np.linalg.norm(worlds[:, :3, :3], axis=1, keepdims=True)
    return worlds[:, :3, 3], axes, rows[:, [16, 18, 17, 19]]
