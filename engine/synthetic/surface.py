# SPDX-License-Identifier: GPL-3.0-or-later
"""The body for the renderer: linear blend skinning in torch over batches, on a surface thinned to the picture's size.

Agrees with `engine.contract.body_model` (tested); see there for the conventions. N is any number of posed bodies.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from ..contract.body_model import BodyModel
from ..contract.skeleton import JOINT_COUNT, generations


class BodySurface:
    """A body's arrays on a device, with all its vertices or with one in each `cell`. Immutable."""

    def __init__(self, body: BodyModel, device: torch.device | str = "cpu", cell: float = 0.0) -> None:
        """`cell` is the edge in metres of the grid that keeps one vertex per cell and bone; 0 keeps all vertices."""
        keep, faces = _thin(body, cell)
        identity = np.broadcast_to(np.eye(3), (JOINT_COUNT, 3, 3))

        def tensor(array: np.ndarray, dtype: torch.dtype = torch.float32) -> torch.Tensor:
            return torch.as_tensor(np.ascontiguousarray(array)).to(device, dtype)

        self.device = torch.device(device)
        self.rest = tensor(body.template[keep])
        """(V, 3) rest vertices of the mean shape; y up, facing +z, left at +x, metres."""
        self.normals = tensor(_vertex_normals(body)[keep])
        """(V, 3) outward unit normals at rest."""
        self.faces = tensor(faces, torch.int64)
        """(F, 3), counter-clockwise seen from outside."""
        self.dominant_joint = tensor(body.weights[keep].argmax(-1), torch.int64)
        """(V,) the joint that moves each vertex most."""
        self.kept = tensor(keep, torch.int64)
        """(V,) the vertices of the full mesh that are left."""
        self._weights = tensor(body.weights[keep].T)
        self._shape = tensor(body.shape_directions[keep])
        self._expression = tensor(body.expression_directions[keep])
        correctives = np.asarray(body.pose_directions)[keep]
        self._correctives = tensor(correctives.reshape(-1, correctives.shape[-1])) if correctives.any() else None
        zero = np.zeros(10)
        joints = body.rest_joints(zero)
        self.joints = tensor(joints)
        """(55, 3) rest joints of the mean shape."""
        shapes = [body.rest_joints(row) - joints for row in np.eye(10)]
        self._joint_shape = tensor(np.stack(shapes, axis=-1))
        expressions = [body.rest_joints(zero, row) - joints for row in np.eye(10)]
        self._joint_expression = tensor(np.stack(expressions, axis=-1))
        soles = body.posed_joints(identity, zero)[[10, 11], 1].min()
        self._sole = tensor(np.flatnonzero(body.template[keep][:, 1] < soles), torch.int64)

    def rest_joints(self, betas: torch.Tensor, expression: torch.Tensor | None = None) -> torch.Tensor:
        """(N, 10) betas and expression to (N, 55, 3) rest joints, metres."""
        joints = self.joints + torch.einsum("jkb,nb->njk", self._joint_shape, betas)
        return (
            joints if expression is None else joints + torch.einsum("jkb,nb->njk", self._joint_expression, expression)
        )

    def rest_vertices(self, betas: torch.Tensor, expression: torch.Tensor | None = None) -> torch.Tensor:
        """(N, 10) betas and expression to (N, V, 3) rest vertices, metres."""
        vertices = self.rest + _along(self._shape, betas)
        return vertices if expression is None else vertices + _along(self._expression, expression)

    def floor_height(self, betas: torch.Tensor) -> torch.Tensor:
        """(N, 10) betas to the (N,) height of the soles in the rest frame, metres (negative: the pelvis is near 0)."""
        return self.rest_vertices(betas)[:, self._sole, 1].amin(-1)

    def pose(
        self, rotations: torch.Tensor, betas: torch.Tensor, expression: torch.Tensor, translation: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Skin: (N, V, 3) vertices, (N, V, 3) normals (unit length nearly) and (N, 55, 3) joints, metres.

        `rotations` is (N, 55, 3, 3) relative to the parents, the root first; `translation` (N, 3) SMPL-X's `transl`.
        """
        rest_joints = self.rest_joints(betas, expression)
        turn, joints = forward_kinematics(rotations, rest_joints)
        joints = joints + translation[:, None]
        offset = joints - (turn @ rest_joints[..., None])[..., 0]
        relative = torch.cat([turn, offset[..., None]], dim=-1).permute(0, 2, 3, 1).reshape(-1, JOINT_COUNT)
        # (N, 3, 4, V): vertices last, so that everything below runs over contiguous rows.
        blended = (relative @ self._weights).reshape(len(turn), 3, 4, -1)
        rest = self.rest_vertices(betas, expression)
        if self._correctives is not None:
            features = (rotations[:, 1:] - torch.eye(3, device=rotations.device)).reshape(len(rotations), -1)
            rest = rest + (features @ self._correctives.T).reshape(rest.shape)
        x, y, z = rest.unbind(-1)
        nx, ny, nz = self.normals.unbind(-1)
        rows = [blended[:, axis].unbind(1) for axis in range(3)]
        vertices = [torch.addcmul(d, a, x).addcmul_(b, y).addcmul_(c, z) for a, b, c, d in rows]
        normals = [(a * nx).addcmul_(b, ny).addcmul_(c, nz) for a, b, c, _ in rows]
        return torch.stack(vertices, dim=-1), torch.stack(normals, dim=-1), joints


def forward_kinematics(rotations: torch.Tensor, rest_joints: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(..., 55, 3, 3) local rotations and (..., 55, 3) rest joints to global rotations and joint positions.

    The root turns about the pelvis, which stays where it is at rest.
    """
    turns, positions = torch.empty_like(rotations), torch.empty_like(rest_joints)
    turns[..., 0, :, :], positions[..., 0, :] = rotations[..., 0, :, :], rest_joints[..., 0, :]
    for joints, parents in _GENERATIONS:
        turn = turns[..., parents, :, :]
        bones = rest_joints[..., joints, :] - rest_joints[..., parents, :]
        positions[..., joints, :] = positions[..., parents, :] + (turn @ bones[..., None])[..., 0]
        turns[..., joints, :, :] = turn @ rotations[..., joints, :, :]
    return turns, positions


def cell_for(focal_px: float, nearest_m: float) -> float:
    """Edge of the thinning grid, metres, at which a cell seen from `nearest_m` covers about a pixel.

    Below what the mesh itself resolves (about 8 mm) all vertices stay: 0.
    """
    cell = nearest_m / focal_px
    return 0.0 if cell < 0.008 else min(cell, 0.03)


_GENERATIONS = generations(JOINT_COUNT)


def _along(directions: torch.Tensor, coefficients: torch.Tensor) -> torch.Tensor:
    flat = directions.reshape(-1, directions.shape[-1])
    return (coefficients @ flat.T).reshape(*coefficients.shape[:-1], -1, 3)


def _vertex_normals(body: BodyModel) -> np.ndarray:
    corners = body.template[body.faces].astype(np.float64)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros((len(body.template), 3))
    for corner in range(3):
        np.add.at(normals, body.faces[:, corner], across)
    return normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)


def _thin(body: BodyModel, cell: float) -> tuple[np.ndarray, np.ndarray]:
    """Merge the vertices of each grid cell that hang on the same bone into the one nearest to their mean.

    Connectivity is kept, so the thinned surface has no cracks, and its vertices stay on the body.
    """
    if cell <= 0 or not math.isfinite(cell):
        return np.arange(len(body.template)), body.faces
    place = np.floor(body.template / cell).astype(np.int64)
    labels = np.column_stack([place, body.weights.argmax(-1)])
    _, cluster = np.unique(labels, axis=0, return_inverse=True)
    cluster = cluster.reshape(-1)
    count = cluster.max() + 1
    total = np.stack([np.bincount(cluster, body.template[:, axis], count) for axis in range(3)], axis=-1)
    mean = total / np.bincount(cluster, minlength=count)[:, None]
    distance = np.linalg.norm(body.template - mean[cluster], axis=-1)
    order = np.lexsort((distance, cluster))
    keep = order[np.unique(cluster[order], return_index=True)[1]]
    faces = cluster[body.faces]
    whole = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    faces = faces[whole]
    turned = np.take_along_axis(faces, (faces.argmin(-1)[:, None] + np.arange(3)) % 3, axis=-1)
    return keep, np.unique(turned, axis=0)
