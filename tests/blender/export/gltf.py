# SPDX-License-Identifier: GPL-3.0-or-later
"""GLB files as their specification says, in numpy: key times, nodes' places, skinned and morphed surfaces."""

import json
import struct

import numpy as np

_KINDS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_SIZES = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Glb:
    """A file with one animation whose keys are all at the same times."""

    def __init__(self, path):
        data = path.read_bytes()
        magic, version, size, length, kind = struct.unpack_from("<4sII I4s", data)
        assert (magic, version, size, kind) == (b"glTF", 2, len(data), b"JSON")
        self.file, self.binary = json.loads(data[20 : 20 + length]), data[28 + length :]
        self.nodes = self.file["nodes"]
        self.parents = {child: node for node, item in enumerate(self.nodes) for child in item.get("children", ())}
        (animation,) = self.file["animations"]
        times = [self.values(sampler["input"])[:, 0] for sampler in animation["samplers"]]
        self.times = times[0]
        assert all(np.array_equal(self.times, other) for other in times)
        self.channels = {}
        for channel in animation["channels"]:
            sampler, target = animation["samplers"][channel["sampler"]], channel["target"]
            values = self.values(sampler["output"]).reshape(len(self.times), -1)
            self.channels[target["node"], target["path"]] = values

    def values(self, index):
        """(N, components) of an accessor."""
        accessor = self.file["accessors"][index]
        kind, width = np.dtype(_KINDS[accessor["componentType"]]), _SIZES[accessor["type"]]
        found = np.zeros((accessor["count"], width), dtype=kind)
        if "bufferView" in accessor:
            found[:] = self._view(accessor, kind, accessor["count"] * width).reshape(-1, width)
        if "sparse" in accessor:
            part = accessor["sparse"]
            rows = self._view(part["indices"], np.dtype(_KINDS[part["indices"]["componentType"]]), part["count"])
            found[rows] = self._view(part["values"], kind, part["count"] * width).reshape(-1, width)
        return found

    def _view(self, owner, kind, count):
        view = self.file["bufferViews"][owner["bufferView"]]
        start = view.get("byteOffset", 0) + owner.get("byteOffset", 0)
        assert "byteStride" not in view
        return np.frombuffer(self.binary, kind, count, start)

    def _part(self, node, path, default, key):
        if key is not None and (node, path) in self.channels:
            return self.channels[node, path][key].astype(np.float64)
        return np.array(self.nodes[node].get(path, default), dtype=np.float64)

    def world(self, node, key):
        """(4, 4) of a node at a key; at rest without one."""
        x, y, z, w = self._part(node, "rotation", (0, 0, 0, 1), key)
        turn = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )
        own = np.eye(4)
        own[:3, :3] = turn * self._part(node, "scale", (1, 1, 1), key)
        own[:3, 3] = self._part(node, "translation", (0, 0, 0), key)
        return self.world(self.parents[node], key) @ own if node in self.parents else own

    def below(self, name):
        """Nodes under the one that is called so, by their names."""
        (top,) = [node for node, item in enumerate(self.nodes) if item["name"] == name]
        found, waiting = {}, [top]
        while waiting:
            node = waiting.pop()
            found[self.nodes[node]["name"]] = node
            waiting += self.nodes[node].get("children", ())
        return found

    def joints(self, person, names, key):
        """(N, 3) places of nodes under a person's, z up."""
        nodes = self.below(person)
        return z_up(np.array([self.world(nodes[name], key)[:3, 3] for name in names]))

    def surface(self, person, key, every=1):
        """(V, 3) vertices of a person's mesh, z up."""
        node = self.nodes[self.below(person)[f"{person}_mesh"]]
        mesh, skin = self.file["meshes"][node["mesh"]], self.file["skins"][node["skin"]]
        (part,) = mesh["primitives"]
        points = self.values(part["attributes"]["POSITION"])[::every].astype(np.float64)
        weights = self._part(self.below(person)[f"{person}_mesh"], "weights", mesh.get("weights", ()), key)
        for weight, target in zip(weights, part["targets"], strict=True):
            points = points + weight * self.values(target["POSITION"])[::every]
        binds = self.values(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
        moves = np.array([self.world(joint, key) for joint in skin["joints"]]) @ binds
        shares, bones = (self.values(part["attributes"][name])[::every] for name in ("WEIGHTS_0", "JOINTS_0"))
        blended = np.einsum("vk,vkij->vij", shares.astype(np.float64), moves[bones])
        return z_up(np.einsum("vij,vj->vi", blended[:, :3, :3], points) + blended[:, :3, 3])


def z_up(points):
    """(..., 3) points with y up as Blender has them."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1)
