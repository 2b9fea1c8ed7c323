# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in Blender's Python: people are exported by the add-on's command line, and what Blender shows is written beside.

python make_exports.py FOLDER FORMATS PEOPLE RATE [PEOPLE RATE ...]

Makes FOLDER/PEOPLE-RATE/ for each pair, with the exports and `truth.npz`: `times` (T,) seconds, `joints` (P, T, 55, 3)
and, of the frames `rows` (K,), all `vertices` (P, K, V, 3), in meters, z up.
"""

import importlib
import pickle
import sys
from pathlib import Path

import bpy
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from run_in_module import import_extension  # noqa: E402

SCENE_RATE, FRAMES = 30, 19
SEEN_ROWS = 3
OPTIONS = ("--body", "mannequin", "--motion-frame-rate", str(SCENE_RATE), "--overwrite")


def motion(people):
    """People who turn and walk, with moving fingers, faces and expressions, in the layout of PromptHMR's results."""
    rng = np.random.default_rng(11)
    phase = np.linspace(0.0, 2.0, FRAMES)[:, None]

    def smooth(size, scale):
        return scale * np.sin(phase * rng.uniform(0.5, 2.0, size) + rng.uniform(0, 6, size))

    def one(number):
        poses = smooth(165, 0.3)
        poses[:, :3] = phase * [0.1, 0.9, 0.05]
        place = np.concatenate([phase + 1.5 * number, 1.2 + 0 * phase, 0.3 * phase - number], axis=1)
        return {"pose": poses, "shape": rng.normal(0, 1, 10), "trans": place, "expression": smooth(10, 1.0)}

    return {"people": {number: {"frames": np.arange(FRAMES), "smplx_world": one(number)} for number in range(people)}}


def main(folder, formats, *cases):
    """Make the exports of all cases in one Blender."""
    extension = import_extension()
    command_line = importlib.import_module(f"{extension.__name__}.human3r_blender.batch.command_line")
    skeleton = importlib.import_module(f"{extension.__name__}.engine.contract.skeleton")
    resampling = importlib.import_module(f"{extension.__name__}.engine.motion.resampling")
    for people, rate in zip(cases[::2], cases[1::2], strict=True):
        out = Path(folder) / f"{people}-{rate}"
        out.mkdir(parents=True)
        source = out / "motion.pkl"
        source.write_bytes(pickle.dumps(motion(int(people))))
        exports = ("--export", formats, "--export-frame-rate", rate)
        code = command_line.main(["import", str(source), "--output", str(out / "take.blend"), *OPTIONS, *exports])
        assert code == 0, f"the command failed with {code}"
        exact = resampling.exact_rate(float(rate))
        count = int((FRAMES - 1) / SCENE_RATE * float(exact) + 1e-6) + 1
        times = np.array([float(frame / exact) for frame in range(count)])
        np.savez(out / "truth.npz", **shown(times, skeleton.JOINT_NAMES))


def shown(times, names):
    """What Blender shows of everybody at some (T,) seconds."""
    people = sorted((item for item in bpy.context.scene.objects if item.type == "ARMATURE"), key=lambda item: item.name)
    rows = np.unique(np.linspace(0, len(times) - 1, SEEN_ROWS).astype(int))
    joints, vertices = [], []
    for row, time_s in enumerate(times.tolist()):
        frame = 1 + time_s * SCENE_RATE
        bpy.context.scene.frame_set(int(frame + 1e-9), subframe=min(max(frame - int(frame + 1e-9), 0.0), 1.0))
        graph = bpy.context.evaluated_depsgraph_get()
        joints.append([joints_of(item.evaluated_get(graph), names) for item in people])
        if row in rows:
            vertices.append([surface_of(item, graph) for item in people])
    return {
        "times": times,
        "joints": np.swapaxes(np.array(joints), 0, 1),
        "rows": rows,
        "vertices": np.swapaxes(np.array(vertices), 0, 1),
    }


def joints_of(item, names):
    return [item.matrix_world @ item.pose.bones[name].head for name in names]


def surface_of(item, graph):
    (mesh,) = [child for child in item.children if child.type == "MESH"]
    seen = mesh.evaluated_get(graph)
    data = seen.to_mesh()
    points = np.empty(3 * len(data.vertices), dtype=np.float32)
    data.vertices.foreach_get("co", points)
    world = np.array(seen.matrix_world)
    seen.to_mesh_clear()
    return points.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3]


if __name__ == "__main__":
    main(*sys.argv[1:])
