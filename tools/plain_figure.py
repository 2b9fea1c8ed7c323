# SPDX-License-Identifier: GPL-3.0-or-later
"""A plain body for Rigify's human meta-rig, which a character has already, so that pictures show somebody."""

import bpy
from mathutils import Vector

THICKNESS = {
    "spine": 0.2,
    "spine.001": 0.19,
    "spine.002": 0.21,
    "spine.003": 0.2,
    "spine.005": 0.1,
    "spine.006": 0.18,
    "shoulder": 0.12,
    "upper_arm": 0.095,
    "forearm": 0.08,
    "hand": 0.075,
    "thigh": 0.125,
    "shin": 0.105,
    "foot": 0.08,
    "toe": 0.07,
    "pelvis": 0.1,
}
"""Radius of the metaballs along the meta-rig's bones, metres; the body is about half as thick."""


def figure(metarig):
    """A metaball object around a human meta-rig's bones, still to be made a mesh."""
    balls = bpy.data.metaballs.new("Hero body")
    balls.resolution = 0.025
    for bone in metarig.data.bones:
        radius = THICKNESS.get(bone.name) or THICKNESS.get(bone.name.removesuffix(".L").removesuffix(".R"))
        if radius is not None:
            element = balls.elements.new(type="CAPSULE")
            element.co = (bone.head_local + bone.tail_local) / 2
            element.rotation = Vector((1.0, 0.0, 0.0)).rotation_difference(bone.tail_local - bone.head_local)
            element.size_x, element.radius = max(bone.length / 2 - radius / 3, 0.01), radius
    item = bpy.data.objects.new("Hero body", balls)
    item.matrix_world = metarig.matrix_world
    bpy.context.scene.collection.objects.link(item)
    return item
