# SPDX-License-Identifier: GPL-3.0-or-later
"""FBX by `ufbx`, which evaluates the scene at any time, skin and shape keys included.

In a process of its own without garbage collection, which ends without tidying up: version 0.0.5 of the Python module
crashes when it frees scenes, or when the collector looks at them.
"""

import gc
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import ufbx

from .looks import Seen, in_order

_SCENES = []
"""Everything that was made, so that nothing is freed."""


def read(path, times, rows):
    """Everybody in the file."""
    found = _apart("read", path=str(path), times=times, rows=rows)
    return Seen(found["key_times"], found["joints"], _listed(found, "surface"))


def rest(path):
    """(55, 3) joints and (V, 3) vertices at rest, of everybody in the file."""
    found = _apart("rest", path=str(path))
    return list(zip(_listed(found, "joints"), _listed(found, "vertices"), strict=True))


def _apart(work, **given):
    """Arrays by name that the work makes of others; they go forth and back as files without pickles."""
    with tempfile.TemporaryDirectory() as folder:
        told, found = Path(folder) / "given.npz", Path(folder) / "found.npz"
        np.savez(told, **given)
        command = [sys.executable, "-m", __name__, work, told, found]
        subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
        with np.load(found) as arrays:
            return dict(arrays)


def _numbered(name, arrays):
    return {f"{name}{number}": array for number, array in enumerate(arrays)}


def _listed(arrays, name):
    return [arrays[f"{name}{number}"] for number in range(sum(key.startswith(name) for key in arrays))]


def _rest(path):
    scene = _load(path)
    _SCENES.append(scene)
    return [
        (
            in_order({one.bone_node.name: _vector(one.bind_to_world.c3)[None] for one in skin.clusters})[0],
            _moved(mesh.vertex_position.values, next(iter(mesh.instances))),
        )
        for mesh in scene.meshes
        for skin in mesh.skin_deformers
    ]


def _load(path):
    return ufbx.load_file(path, target_axes=ufbx.axes_right_handed_z_up, target_unit_meters=1.0)


def _read(path, times, rows):
    scene = _load(path)
    (stack,) = list(scene.anim_stacks)
    looks = [_look(scene, stack.anim, time_s, row in rows) for row, time_s in enumerate(times.tolist())]
    people = range(len(looks[0][0]))
    joints = np.array([
        in_order({name: np.array([look[0][who][name] for look in looks]) for name in looks[0][0][who]})
        for who in people
    ])  # fmt: skip
    surfaces = [np.stack([look[1][who] for look in looks if look[1]]) for who in people]
    keys = {key.time for curve in scene.anim_curves for key in curve.keyframes}
    return Seen(np.array(sorted(keys)), joints, surfaces)


def _look(scene, anim, time_s, with_surfaces):
    """For each skinned mesh the places of its bones by their names, and its vertices."""
    shown = ufbx.evaluate_scene(scene, anim, time_s, evaluate_skinning=with_surfaces)
    _SCENES.append((scene, shown))
    return _people(shown, with_surfaces)


def _people(shown, with_surfaces):
    people, surfaces = [], []
    for mesh in shown.meshes:
        for skin in mesh.skin_deformers:
            nodes = [cluster.bone_node for cluster in skin.clusters]
            people.append({node.name: _vector(node.node_to_world.c3) for node in nodes})
            if with_surfaces:
                (node,) = list(mesh.instances)
                surfaces.append(_surface(mesh, node))
    return people, surfaces


def _surface(mesh, node):
    if mesh.skinned_is_local:
        return _moved(mesh.skinned_position.values, node)
    return np.array([_vector(point) for point in mesh.skinned_position.values])


def _moved(points, node):
    """(V, 3) of a mesh's points in the world."""
    columns = [_vector(getattr(node.geometry_to_world, name)) for name in ("c0", "c1", "c2", "c3")]
    return np.array([_vector(point) for point in points]) @ np.array(columns[:3]) + columns[3]


def _vector(value):
    return np.array([value.x, value.y, value.z])


def _answer(work, given):
    if work == "rest":
        joints, vertices = zip(*_rest(str(given["path"])), strict=True)
        return _numbered("joints", joints) | _numbered("vertices", vertices)
    seen = _read(str(given["path"]), given["times"], set(given["rows"].tolist()))
    return {"key_times": seen.key_times, "joints": seen.joints} | _numbered("surface", seen.surfaces)


if __name__ == "__main__":
    gc.disable()
    with np.load(sys.argv[2]) as given:
        arrays = _answer(sys.argv[1], given)
    np.savez(sys.argv[3], **arrays)
    sys.stdout.flush()
    os._exit(0)
