# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the joints of a GLB file's skins are, computed from the file alone as glTF's specification says."""

import json
import struct
from dataclasses import dataclass

import numpy as np

_TYPES = {5126: "<f4", 5123: "<u2", 5121: "u1", 5125: "<u4"}
_SIZES = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


@dataclass
class Joints:
    time_s: np.ndarray
    """(T,) of the keys."""
    joints: dict[str, np.ndarray]
    """By node, (T, 3) in the file's world, y up."""


def read(path):
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, 12)
    file, binary = json.loads(data[20 : 20 + length]), data[28 + length :]

    def values(index):
        accessor = file["accessors"][index]
        view, size = file["bufferViews"][accessor["bufferView"]], _SIZES[accessor["type"]]
        start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        kind = _TYPES[accessor["componentType"]]
        return np.frombuffer(binary, kind, accessor["count"] * size, start).reshape(-1, size).astype(float)

    (animation,) = file["animations"]
    times = max((values(one["input"])[:, 0] for one in animation["samplers"]), key=len)
    moved = {}
    for channel in animation["channels"]:
        sampler = animation["samplers"][channel["sampler"]]
        at, rows = values(sampler["input"])[:, 0], values(sampler["output"])
        if channel["target"]["path"] != "weights":
            columns = [np.interp(times, at, column) for column in rows.T]
            moved[channel["target"]["node"], channel["target"]["path"]] = np.stack(columns, axis=-1)
    worlds = {}

    def follow(number, above):
        node = file["nodes"][number]

        def channel(path, rest):
            found = moved.get((number, path))
            return np.tile(node.get(path, rest), (len(times), 1)) if found is None else found

        own = np.tile(np.eye(4), (len(times), 1, 1))
        turn = channel("rotation", [0, 0, 0, 1])
        own[:, :3, :3] = _matrices(turn) * channel("scale", [1, 1, 1])[:, None, :]
        own[:, :3, 3] = channel("translation", [0, 0, 0])
        worlds[number] = above @ own
        for child in node.get("children", ()):
            follow(child, worlds[number])

    for number in file["scenes"][file.get("scene", 0)]["nodes"]:
        follow(number, np.tile(np.eye(4), (len(times), 1, 1)))
    joints = {joint for skin in file["skins"] for joint in skin["joints"]}
    return Joints(times, {file["nodes"][joint]["name"]: worlds[joint][:, :3, 3] for joint in joints})


def _matrices(turns):
    """(T, 3, 3) of (T, 4) quaternions, w last."""
    x, y, z, w = (turns / np.linalg.norm(turns, axis=-1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)
