# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangles to pixels with a depth buffer, in plain torch: exact coverage of pixel centres, batched, CPU or GPU.

Pixel convention of the contract: pixel (u, v) has its centre at whole numbers, the camera-frame point (x, y, z) is seen
at (focal x / z + cx, focal y / z + cy).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

_NEAREST_M = 0.05
"""Triangles with a corner nearer than this to the camera plane are left out."""
_DEPTH_STEPS = 1 << 14
"""Depth resolution of the buffer, steps per metre."""
_EMPTY = torch.iinfo(torch.int64).max


@dataclass(frozen=True)
class Fragments:
    """The nearest surface point in each covered pixel; K pixels of all pictures together."""

    pixel: torch.Tensor
    """(K,) flat index into (pictures, height, width)."""
    mesh: torch.Tensor
    """(K,) which mesh."""
    corners: torch.Tensor
    """(K, 3) vertices of the triangle."""
    weights: torch.Tensor
    """(K, 3) perspective-correct barycentric weights."""
    depth: torch.Tensor
    """(K,) z in the camera frame, metres."""

    def interpolate(self, values: torch.Tensor) -> torch.Tensor:
        """(meshes, V, C) values at the vertices to (K, C) at the pixels."""
        picked = values[self.mesh[:, None], self.corners]
        return (picked * self.weights[..., None]).sum(1)


def rasterise(
    vertices: torch.Tensor, faces: torch.Tensor, picture: torch.Tensor, focal_px: torch.Tensor,
    centre_px: tuple[float, float], size: tuple[int, int], pictures: int,
) -> Fragments:  # fmt: skip
    """Draw M meshes of the same topology into `pictures` pictures of `size` (width, height).

    `vertices` (M, V, 3) in the camera frame of each mesh's picture; `faces` (F, 3), front side counter-clockwise;
    `picture` (M,) says where each mesh goes, `focal_px` (M,) with which focal length. Back faces are not drawn.
    """
    width, height = size
    z = vertices[..., 2]
    safe = z.clamp_min(_NEAREST_M)
    x = focal_px[:, None] * vertices[..., 0] / safe + centre_px[0]
    y = focal_px[:, None] * vertices[..., 1] / safe + centre_px[1]
    first, second, third = faces.unbind(-1)
    ax, ay = x[:, first], y[:, first]
    bx, by = x[:, second], y[:, second]
    cx, cy = x[:, third], y[:, third]
    # With y down, a front face runs clockwise on paper: its doubled area below is negative.
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    left = torch.minimum(torch.minimum(ax, bx), cx).ceil().clamp_min(0.0)
    right = torch.maximum(torch.maximum(ax, bx), cx).floor().clamp_max(width - 1.0)
    top = torch.minimum(torch.minimum(ay, by), cy).ceil().clamp_min(0.0)
    bottom = torch.maximum(torch.maximum(ay, by), cy).floor().clamp_max(height - 1.0)
    near = z < _NEAREST_M
    drawn = (area < 0) & (left <= right) & (top <= bottom)
    if bool(near.any()):
        drawn &= ~(near[:, first] | near[:, second] | near[:, third])
    mesh, face = drawn.nonzero(as_tuple=True)
    columns = (right - left + 1.0)[mesh, face].long()
    rows = (bottom - top + 1.0)[mesh, face].long()
    # Every pixel centre in each triangle's bounding box, all in one list.
    count = columns * rows
    item = torch.repeat_interleave(torch.arange(len(count), device=count.device), count)
    place = torch.arange(len(item), device=count.device) - (count.cumsum(0) - count)[item]
    column = left[mesh, face].long()[item] + place % columns[item]
    row = top[mesh, face].long()[item] + place // columns[item]

    corners = faces[face]
    corner_x, corner_y, corner_z = (value[mesh[:, None], corners] for value in (x, y, z))
    flat = _barycentric(corner_x[item], corner_y[item], column.to(x.dtype), row.to(x.dtype))
    inside = (flat >= 0).all(-1).nonzero()[:, 0]
    item, flat = item[inside], flat[inside]
    pixel = (picture[mesh][item] * height + row[inside]) * width + column[inside]
    # 1 / z is linear on the picture, z is not.
    inverse = flat / corner_z[item]
    depth = 1.0 / inverse.sum(-1)

    key = ((depth * _DEPTH_STEPS).long() << 32) | torch.arange(len(item), device=item.device)
    buffer = torch.full((pictures * height * width,), _EMPTY, dtype=torch.int64, device=item.device)
    buffer.scatter_reduce_(0, pixel, key, "amin")
    covered = (buffer != _EMPTY).nonzero()[:, 0]
    winner = buffer[covered] & 0xFFFFFFFF
    source = item[winner]
    return Fragments(covered, mesh[source], corners[source], inverse[winner] * depth[winner, None], depth[winner])


def _barycentric(x: torch.Tensor, y: torch.Tensor, u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """(n, 3) corner coordinates and (n,) points to (n, 3) weights that sum to one."""
    x, y = x - u[:, None], y - v[:, None]
    after, last = (1, 2, 0), (2, 0, 1)
    areas = x[:, after] * y[:, last] - x[:, last] * y[:, after]
    return areas / areas.sum(-1, keepdim=True)
