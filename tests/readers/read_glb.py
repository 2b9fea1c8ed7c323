# SPDX-License-Identifier: GPL-3.0-or-later
"""GLB by `pygltflib`, which takes the file apart; what the numbers mean is done here as glTF's specification says."""

import numpy as np
import pygltflib

from .looks import Z_UP, Seen, in_order

_TYPES = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_SIZES = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Glb:
    """A file with its nodes, and their values at any time."""

    def __init__(self, path):
        self.file = pygltflib.GLTF2().load(str(path))
        self.blob = self.file.binary_blob()
        self.parents = {child: index for index, node in enumerate(self.file.nodes) for child in node.children or []}
        self.channels = {}
        for animation in self.file.animations:
            for channel in animation.channels:
                sampler = animation.samplers[channel.sampler]
                times, values = self.numbers(sampler.input)[:, 0], self.numbers(sampler.output)
                self.channels[channel.target.node, channel.target.path] = (
                    times.astype(float),
                    values.reshape(len(times), -1),
                )

    def numbers(self, index):
        """(N, size) of an accessor, sparse ones included."""
        accessor = self.file.accessors[index]
        size, dtype = _SIZES[accessor.type], np.dtype(_TYPES[accessor.componentType])
        values = np.zeros((accessor.count, size), dtype)
        if accessor.bufferView is not None:
            values = self._view(accessor.bufferView, accessor.byteOffset, dtype, accessor.count, size)
        if accessor.sparse is not None:
            sparse, values = accessor.sparse, values.copy()
            kind = np.dtype(_TYPES[sparse.indices.componentType])
            rows = self._view(sparse.indices.bufferView, sparse.indices.byteOffset, kind, sparse.count, 1)[:, 0]
            values[rows] = self._view(sparse.values.bufferView, sparse.values.byteOffset, dtype, sparse.count, size)
        return values

    def _view(self, index, offset, dtype, count, size):
        view = self.file.bufferViews[index]
        start, row = (view.byteOffset or 0) + (offset or 0), dtype.itemsize * size
        step = view.byteStride or row
        raw = np.frombuffer(self.blob, np.uint8, step * (count - 1) + row, start)
        rows = np.lib.stride_tricks.as_strided(raw, (count, row), (step, 1)).copy()
        return rows.view(dtype).reshape(count, size)

    def value(self, node, path, time_s, default):
        """A channel at a time, between two keys linearly."""
        if (node, path) not in self.channels:
            return np.array(default, dtype=float)
        times, values = self.channels[node, path]
        after = int(np.clip(np.searchsorted(times, time_s), 1, len(times) - 1)) if len(times) > 1 else 0
        before = max(after - 1, 0)
        gap = times[after] - times[before]
        share = np.clip((time_s - times[before]) / gap, 0.0, 1.0) if gap else 0.0
        first, second = values[before].astype(float), values[after].astype(float)
        if path == "rotation" and first @ second < 0:
            second = -second
        return first + share * (second - first)

    def world(self, node, time_s, cache):
        """(4, 4) of a node."""
        if node not in cache:
            own, above = self._local(node, time_s), self.parents.get(node)
            cache[node] = own if above is None else self.world(above, time_s, cache) @ own
        return cache[node]

    def _local(self, node, time_s):
        item = self.file.nodes[node]
        if item.matrix is not None and (node, "rotation") not in self.channels:
            return np.array(item.matrix, dtype=float).reshape(4, 4).T
        x, y, z, w = _unit(self.value(node, "rotation", time_s, item.rotation or [0, 0, 0, 1]))
        turn = np.array([
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ])  # fmt: skip
        matrix = np.eye(4)
        matrix[:3, :3] = turn * self.value(node, "scale", time_s, item.scale or [1, 1, 1])
        matrix[:3, 3] = self.value(node, "translation", time_s, item.translation or [0, 0, 0])
        return matrix

    def surface(self, node, time_s):
        """(V, 3) of a skinned mesh, with its shape keys."""
        item = self.file.nodes[node]
        mesh, skin = self.file.meshes[item.mesh], self.file.skins[item.skin]
        cache = {}
        inverse = self.numbers(skin.inverseBindMatrices).reshape(-1, 4, 4).transpose(0, 2, 1)
        bones = np.stack([self.world(joint, time_s, cache) for joint in skin.joints]) @ inverse
        parts = []
        for primitive in mesh.primitives:
            points = self.numbers(primitive.attributes.POSITION).astype(float)
            targets = primitive.targets or []
            weights = self.value(node, "weights", time_s, mesh.weights or [0.0] * len(targets))
            for target, weight in zip(targets, weights, strict=True):
                named = target if isinstance(target, dict) else vars(target)
                points += weight * self.numbers(named["POSITION"])
            parts.append(self._skinned(points, primitive.attributes, bones))
        return np.concatenate(parts)

    def _skinned(self, points, attributes, bones):
        shares = np.zeros((len(points), 4, 4))
        for number in range(8):
            joints, weights = (getattr(attributes, f"{kind}_{number}", None) for kind in ("JOINTS", "WEIGHTS"))
            if joints is None:
                break
            weight = self.numbers(weights)
            weight = weight / np.iinfo(weight.dtype).max if weight.dtype.kind == "u" else weight
            shares += np.einsum("vi,vijk->vjk", weight, bones[self.numbers(joints)])
        return (shares[:, :3, :3] @ points[..., None])[..., 0] + shares[:, :3, 3]


def read(path, times, rows):
    """Everybody in the file."""
    glb = Glb(path)
    joints, surfaces = [], []
    for index, node in enumerate(glb.file.nodes):
        if node.skin is None:
            continue
        caches = [{} for _ in times]
        places = {
            glb.file.nodes[joint].name: np.array(
                [glb.world(joint, time_s, cache)[:3, 3] for time_s, cache in zip(times, caches, strict=True)]
            )
            for joint in glb.file.skins[node.skin].joints
        }
        joints.append(in_order(places) @ Z_UP.T)
        surfaces.append(np.stack([glb.surface(index, times[row]) @ Z_UP.T for row in rows]))
    keys = np.unique(np.concatenate([moments for moments, _ in glb.channels.values()]))
    return Seen(keys, np.array(joints), surfaces)


def rest(path):
    """(55, 3) joints and (V, 3) vertices at rest, of everybody in the file."""
    glb = Glb(path)
    glb.channels = {}
    for index, node in enumerate(glb.file.nodes):
        if node.skin is not None:
            joints = glb.file.skins[node.skin].joints
            places = {glb.file.nodes[joint].name: glb.world(joint, 0.0, {})[None, :3, 3] for joint in joints}
            yield in_order(places)[0] @ Z_UP.T, glb.surface(index, 0.0) @ Z_UP.T


def _unit(quaternion):
    return quaternion / np.linalg.norm(quaternion)
