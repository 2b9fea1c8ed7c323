# SPDX-License-Identifier: GPL-3.0-or-later
"""A plain body for Rigify's human meta-rig, which a character has already, so that pictures show somebody."""

import bmesh
import bpy

RADII = {"spine": 0.115, "spine.001": 0.11, "spine.002": 0.125, "spine.003": 0.11, "spine.004": 0.055,
         "spine.005": 0.06, "spine.006": 0.085, "shoulder": 0.06, "upper_arm": 0.055, "forearm": 0.045, "hand": 0.04,
         "thigh": 0.085, "shin": 0.06, "foot": 0.045, "toe": 0.035}
"""Radius of the figure at the head of each bone of the meta-rig, metres."""


def figure(metarig):
    """A mesh object around a human meta-rig's bones; its two modifiers have to be applied."""
    mesh, points = bmesh.new(), {}
    layer = mesh.verts.layers.skin.verify()

    def vertex(place, radius):
        key = tuple(round(value, 3) for value in place)
        if key not in points:
            points[key] = mesh.verts.new(place)
            points[key][layer].radius = (radius, radius)
        return points[key]

    def edge(start, end):
        if start != end and mesh.edges.get((start, end)) is None:
            mesh.edges.new((start, end))

    for bone in metarig.data.bones:
        radius = RADII.get(bone.name) or RADII.get(bone.name.removesuffix(".L").removesuffix(".R"))
        if radius is None:
            continue
        start, end = vertex(bone.head_local, radius), vertex(bone.tail_local, 0.7 * radius)
        edge(start, end)
        if bone.parent is not None:
            above = bone.parent.head_local if bone.name.startswith("thigh") else bone.parent.tail_local
            edge(vertex(above, 0.1), start)
    root = points[tuple(round(value, 3) for value in metarig.data.bones["spine"].head_local)]
    root[layer].use_root = True
    data = bpy.data.meshes.new("Hero body")
    mesh.to_mesh(data)
    mesh.free()
    item = bpy.data.objects.new("Hero body", data)
    bpy.context.scene.collection.objects.link(item)
    item.matrix_world = metarig.matrix_world
    item.modifiers.new("Skin", "SKIN")
    item.modifiers.new("Smooth", "SUBSURF").levels = 2
    return item
