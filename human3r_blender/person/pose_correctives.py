# SPDX-License-Identifier: GPL-3.0-or-later
"""Exact surfaces: shape keys for what skinning alone cannot show, few enough for fluent playback.

SMPL-X adds 486 pose correctives to the rest shape; as shape keys they would take 60 MB a person and 486 evaluations a
frame. But a take uses only the part of that space which its poses reach. So the offsets of all keyed frames are put
into a basis that holds each of them to a third of a millimeter, and only that becomes shape keys, `Pose000` and on.

What is baked is the whole difference between the posed body model and the armature's skinning, taken back through the
skinning into the rest pose. That covers the correctives and the small shifts of the joints by expressions alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import bpy
import numpy as np

from ...engine.contract.body_model import BodyModel, joint_transforms
from ...engine.contract.rotations import quaternion_to_matrix
from ...engine.contract.skeleton import JOINT_NAMES, PELVIS
from ..blender import keyframes
from ..blender import turns as taking_turns
from ..blender.slices import Slices, sliceable
from . import body_mesh
from .offset_basis import OffsetBasis

TOLERANCE = 0.0003
"""Meters at the worst vertex of any keyed frame."""

KEY_PREFIX = "Pose"

_BATCH = 32
"""Frames that are computed together: 40 MB of offsets."""

FindObject = Callable[[], bpy.types.Object | None]


@sliceable
def bake(armature: bpy.types.Object, mesh: bpy.types.Object, body: BodyModel) -> Slices[int]:
    """Give a person's mesh the pose correctives of all its keyed frames, in place of those it had.

    `body` has to be the one that the person was made with. Returns the number of shape keys. Bake anew after the
    motion was edited.
    """
    yield from bake_in_steps(lambda: armature, lambda: mesh, body)
    return sum(key.name.startswith(KEY_PREFIX) for key in mesh.data.shape_keys.key_blocks)


def bake_in_steps(find_armature: FindObject, find_mesh: FindObject, body: BodyModel) -> Iterator[None]:
    """`bake` in slices of a few milliseconds, the arithmetic on a thread of its own; ends early if the person is
    deleted meanwhile.
    """
    armature, mesh = find_armature(), find_mesh()
    if armature is None or mesh is None:
        return
    remove(mesh)
    yield
    frames, quaternions = _keyed_rotations(armature)
    expressions, betas = _keyed_expressions(mesh, frames), body_mesh.shape(mesh)
    if not len(frames):
        return
    computing = taking_turns.submit("human3r-correctives", compress, body, betas, expressions, quaternions)
    vectors, values = yield from taking_turns.result_of(computing)
    kinds = np.full(len(frames), keyframes.LINEAR, dtype=np.uint8)
    for index, vector in enumerate(vectors):
        mesh = find_mesh()
        if mesh is None:
            return
        # Full scale is one: the slider shows the share of the greatest value in the take.
        scale = max(float(np.abs(values[:, index]).max()), 1e-12)
        name = f"{KEY_PREFIX}{index:03d}"
        body_mesh.add_key(name, body.template, (vector * scale).reshape(-1, 3), 1.0, mesh)
        curve = keyframes.add_curves(mesh.data.shape_keys, body_mesh.value_path(name), 1)[0]
        keyframes.append(curve, frames, values[:, index] / scale, kinds)
        yield


def compress(
    body: BodyModel, betas: np.ndarray, expressions: np.ndarray, quaternions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A basis for the rest offsets of a take's frames, within `TOLERANCE` of each: (K, 3 V) vectors and (T, K) values.

    (10,) betas, (T, 10) expressions, (T, 55, 4) quaternions wxyz. Memory grows with K, not with T.
    """
    basis = OffsetBasis(TOLERANCE)
    values = np.zeros((len(quaternions), 0), dtype=np.float32)
    # Every batch has frames from all over the take, so that the first ones already make a good basis.
    stride = -(-len(quaternions) // _BATCH)
    for start in range(stride):
        batch = slice(start, None, stride)
        offsets = rest_offsets(body, betas, expressions[batch], quaternion_to_matrix(quaternions[batch]))
        coefficients = basis.project(offsets)
        values = np.pad(values, ((0, 0), (0, coefficients.shape[1] - values.shape[1])))
        values[batch] = coefficients
    return basis.vectors, values


def remove(mesh: bpy.types.Object) -> None:
    """Take the baked pose correctives off a mesh."""
    names = [key.name for key in mesh.data.shape_keys.key_blocks if key.name.startswith(KEY_PREFIX)]
    keyframes.remove_curves(mesh.data.shape_keys, [body_mesh.value_path(name) for name in names])
    for name in names:
        mesh.shape_key_remove(mesh.data.shape_keys.key_blocks[name])


def rest_offsets(body: BodyModel, betas: np.ndarray, expressions: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """(T, V, 3) offsets of the rest vertices, meters, with which plain skinning about the joints of the neutral
    expression equals the body model; (10,) betas, (T, 10) expressions, (T, 55, 3, 3) rotations.
    """
    offsets = body.pose_corrective_offsets(rotations)
    still = body.rest_joints(betas)
    moved = body.rest_joints(betas, expressions)
    shift = moved - still
    if np.abs(shift - shift[:, PELVIS : PELVIS + 1]).max() < 1e-6 and np.abs(shift[:, PELVIS]).max() < 1e-6:
        return offsets
    # Both with the pelvis at the origin, where the armature's pelvis bone puts it.
    rest = body.rest_vertices(betas, expressions) + offsets
    exact = body.skin(rest, rotations, moved, -moved[:, PELVIS])
    plain = body.skin(rest, rotations, still, -still[PELVIS])
    turns = joint_transforms(rotations, still)[..., :3, :3].astype(np.float32)
    blended = (body.weights @ turns.reshape(len(turns), len(JOINT_NAMES), 9)).reshape(*exact.shape, 3)
    return offsets + np.linalg.solve(blended, (exact - plain)[..., None])[..., 0]


def _keyed_rotations(armature: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """(T,) frames that have pose keys, and the (T, 55, 4) bone quaternions wxyz there."""
    curves = keyframes.curves(armature)
    paths = [f'pose.bones["{name}"].rotation_quaternion' for name in JOINT_NAMES]
    keys = {name: keyframes.read(curve) for name, curve in curves.items() if name[0] in paths}
    # Curves written together share their frames: only different ones are worth merging.
    different = {at.tobytes(): at for at, _ in keys.values()}
    frames = np.unique(np.concatenate(list(different.values()))) if keys else np.empty(0)
    quaternions = np.zeros((len(frames), len(JOINT_NAMES), 4))
    quaternions[..., 0] = 1.0
    for (path, axis), (at, values) in keys.items():
        if len(at):
            same = len(at) == len(frames)
            quaternions[:, paths.index(path), axis] = values if same else np.interp(frames, at, values)
    return frames, quaternions


def _keyed_expressions(mesh: bpy.types.Object, frames: np.ndarray) -> np.ndarray:
    """(T, 10) expression at the given frames."""
    curves = keyframes.curves(mesh.data.shape_keys)
    blocks = mesh.data.shape_keys.key_blocks
    columns = []
    for name in body_mesh.EXPRESSION_KEYS:
        curve = curves.get((body_mesh.value_path(name), 0))
        at, values = keyframes.read(curve) if curve is not None else (np.empty(0), np.empty(0))
        columns.append(np.interp(frames, at, values) if len(at) else np.full(len(frames), blocks[name].value))
    return np.stack(columns, axis=-1)
