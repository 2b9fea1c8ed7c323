# SPDX-License-Identifier: GPL-3.0-or-later
"""What a .blend shows, read in Blender as an animator sees it, and what is true of the clip, in the same world.

Nothing here uses the add-on: the truth comes into Blender's axes by arithmetic of its own.
"""

from dataclasses import dataclass

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from engine.contract.body_model import BodyModel, default_body_path
from engine.contract.rotations import axis_angle_to_matrix
from engine.contract.skeleton import JOINT_NAMES, PELVIS

JOINTS = 22
POINTS_READ = 3000


@dataclass
class World:
    """F frames, P people. World metres, z up; pixels from the footage's left and upper edge."""

    joints: np.ndarray
    """(F, P, 22, 3)"""
    facing: np.ndarray
    """(F, P, 3) where the pelvis' front points to, unit length."""
    shown: np.ndarray
    """(F, P) bool: seen in the viewport and in renders."""
    joints_px: np.ndarray
    """(F, P, 22, 2) through the footage camera."""
    camera: np.ndarray
    """(F, 3) positions."""
    looking: np.ndarray
    """(F, 3) viewing directions."""
    up: np.ndarray
    """(F, 3) what is upwards in the picture."""
    width_per_distance: np.ndarray
    """(F,) metres that the picture is wide for each metre of distance."""
    points: np.ndarray
    """(N, 3) of the place; a sample."""
    colors: np.ndarray
    """(N, 3) theirs in the scene, sRGB in 0..1; of the truth none."""


def read_scene(path, frames):
    """The scene of a .blend at these pictures of the footage, and the (4, 4) matrix of its root.

    Picture i is at scene frame 1 + i: that is the product's promise.
    """
    bpy.ops.wm.open_mainfile(filepath=str(path))
    scene = bpy.context.scene
    people = sorted((item for item in scene.objects if item.type == "ARMATURE"), key=lambda item: item.name)
    size = np.array([scene.render.resolution_x, scene.render.resolution_y])
    rows = []
    for frame in frames:
        scene.frame_set(1 + frame)
        graph = bpy.context.evaluated_depsgraph_get()
        camera = scene.camera.evaluated_get(graph)
        view = np.array(camera.matrix_world)
        joints, facing, shown = np.empty((len(people), JOINTS, 3)), np.empty((len(people), 3)), []
        for number, item in enumerate(people):
            person = item.evaluated_get(graph)
            bones = [person.matrix_world @ person.pose.bones[name].matrix for name in JOINT_NAMES[:JOINTS]]
            joints[number] = [bone.translation for bone in bones]
            facing[number] = bones[PELVIS].col[2][:3]
            shown.append(not person.hide_viewport and not person.hide_render)
        seen = [world_to_camera_view(scene, camera, Vector(joint)) for joint in joints.reshape(-1, 3)]
        seen = np.array(seen).reshape(*joints.shape)[..., :2]
        pixels = np.stack([seen[..., 0], 1 - seen[..., 1]], axis=-1) * size
        corners = np.array(camera.data.view_frame(scene=scene))
        width = np.ptp(corners[:, 0]) / -corners[0, 2]
        rows.append((joints, facing, np.array(shown), pixels, view[:3, 3], -view[:3, 2], view[:3, 1], width))
    points = next(item for item in scene.objects if item.name.startswith("Scene points"))
    every = max(1, len(points.data.vertices) // POINTS_READ)
    world = np.array(points.matrix_world)
    position, color = (
        _read(points.data.vertices, "co", 3)[::every],
        _read(points.data.color_attributes[0].data, "color_srgb", 4)[::every, :3],
    )
    columns = [np.stack(column) for column in zip(*rows, strict=True)]
    return World(*columns, position @ world[:3, :3].T + world[:3, 3], color), np.array(points.parent.matrix_world)


def through_camera(points, frame):
    """(N, 3) world points to (N, 2) pixels of the picture, and (N,) whether they are in front of the camera."""
    scene = bpy.context.scene
    scene.frame_set(1 + frame)
    camera = scene.camera.evaluated_get(bpy.context.evaluated_depsgraph_get())
    seen = np.array([world_to_camera_view(scene, camera, Vector(point)) for point in points])
    size = np.array([scene.render.resolution_x, scene.render.resolution_y])
    return np.stack([seen[:, 0], 1 - seen[:, 1]], axis=-1) * size, seen[:, 2] > 0


def true_world(path, frames, root):
    """What the truth file says, in the world in which the first camera stands at `root` and looks along its y."""
    with np.load(path, allow_pickle=False) as archive:
        truth = {name: archive[name] for name in archive.files}
    frames = list(frames)
    pose = np.linalg.inv(truth["world_from_camera"][0]) @ truth["world_from_camera"][frames]
    rotations = axis_angle_to_matrix(truth["people.pose_axis_angle"][frames])
    betas = np.broadcast_to(truth["people.betas"], (len(frames), *truth["people.betas"].shape))
    body = BodyModel.load(default_body_path())
    joints = body.posed_joints(
        rotations, betas, truth["people.expression"][frames], truth["people.translation"][frames]
    )[:, :, :JOINTS]
    focal, centre = truth["focal_px"][frames], truth["principal_point_px"][frames]
    pixels = joints[..., :2] / joints[..., 2:] * focal[:, None, None, None] + centre[:, None, None] + 0.5

    def to_world(vectors, rows, shift=1.0):
        turned = np.einsum("fij,f...j->f...i", pose[rows, :3, :3], vectors)
        turned += shift * pose[rows, :3, 3].reshape(-1, *[1] * (vectors.ndim - 2), 3)
        # Camera axes are right, down, forward; Blender's are right, forward, up.
        turned = np.stack([turned[..., 0], turned[..., 2], -turned[..., 1]], axis=-1)
        return turned @ root[:3, :3].T + shift * root[:3, 3]

    every = np.arange(len(frames))
    axis = np.broadcast_to(np.eye(3), (len(frames), 3, 3))
    return World(
        joints=to_world(joints, every),
        facing=to_world(rotations[:, :, PELVIS, :, 2], every, 0.0),
        shown=truth["expected"][frames],
        joints_px=pixels,
        camera=to_world(np.zeros((len(frames), 3)), every),
        looking=to_world(axis[:, 2], every, 0.0),
        up=to_world(-axis[:, 1], every, 0.0),
        width_per_distance=truth["footage_size"][0] / focal,
        points=np.concatenate(
            [
                to_world(points[None], np.array([row]))[0]
                for row, points in zip(every, _seen_points(truth, frames), strict=True)
            ]
        ),
        colors=np.empty((0, 3)),
    )


def _seen_points(truth, frames):
    """The place's points in the camera frame, per frame."""
    width, height = truth["footage_size"]
    for frame in frames:
        depth = truth["depth_m"][frame].astype(np.float64)
        step = width // depth.shape[1]
        pixel = np.stack(np.meshgrid(np.arange(step // 2, width, step), np.arange(step // 2, height, step)), axis=-1)
        rays = (pixel - truth["principal_point_px"][frame]) / truth["focal_px"][frame]
        place = (truth["person_mask"][frame] == 0) & (depth > 0)
        yield (np.concatenate([rays, np.ones((*depth.shape, 1))], axis=-1) * depth[..., None])[place]


def _read(collection, name, size):
    values = np.empty(size * len(collection), np.float32)
    collection.foreach_get(name, values)
    return values.reshape(-1, size).astype(np.float64)
