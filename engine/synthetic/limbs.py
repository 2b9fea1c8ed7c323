# SPDX-License-Identifier: GPL-3.0-or-later
"""Limbs that reach a point: two-bone inverse kinematics in closed form, batched, and the small rotations it needs.

Matrices turn column vectors; `...` is any batch shape; angles in radians.
"""

from __future__ import annotations

import torch

X, Y, Z = 0, 1, 2


def turn_about(axis: int, angle: torch.Tensor) -> torch.Tensor:
    """(...,) angles to (..., 3, 3) rotations about a coordinate axis (`X`, `Y` or `Z`)."""
    cosine, sine = torch.cos(angle), torch.sin(angle)
    matrix = torch.zeros(*angle.shape, 3, 3, device=angle.device)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix[..., axis, axis] = 1.0
    matrix[..., first, first] = matrix[..., second, second] = cosine
    matrix[..., first, second] = -sine
    matrix[..., second, first] = sine
    return matrix


def euler(pitch: torch.Tensor, yaw: torch.Tensor, roll: torch.Tensor) -> torch.Tensor:
    """Rotations that roll (about z), then pitch (about x), then yaw (about y): (..., 3, 3)."""
    return turn_about(Y, yaw) @ turn_about(X, pitch) @ turn_about(Z, roll)


def apply(matrix: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
    """(..., 3, 3) times (..., 3)."""
    return (matrix @ vector[..., None])[..., 0]


def reach(
    upper: torch.Tensor, lower: torch.Tensor, hinge: torch.Tensor, target: torch.Tensor, pole: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rotations of the upper and the lower bone that bring the limb's end to `target`.

    `upper` and `lower` (..., 3) are the two bones at rest, `hinge` (..., 3) the unit axis about which the lower one
    bends by positive angles; `target` (..., 3) lies relative to the limb's root, `pole` (..., 3) says where knee or
    elbow point to; all in the frame of the upper bone's parent. A target out of reach gets a straight limb in its
    direction. Returns the two local rotations, each (..., 3, 3).
    """
    upper, lower, hinge, pole = (vector.expand_as(target) for vector in (upper, lower, hinge, pole))
    # |upper + R(angle) lower|^2 = distance^2, an equation A cos + B sin = C in the bend.
    along = hinge * (lower * hinge).sum(-1, keepdim=True)
    across = lower - along
    sideways = torch.cross(hinge, lower, dim=-1)
    in_phase, quadrature = (upper * across).sum(-1), (upper * sideways).sum(-1)
    constant = (upper * along).sum(-1)
    squares = (upper * upper).sum(-1) + (lower * lower).sum(-1)
    wanted = (0.5 * ((target * target).sum(-1) - squares) - constant) / torch.hypot(in_phase, quadrature)
    bend = torch.atan2(quadrature, in_phase) + torch.acos(wanted.clamp(-1.0, 1.0))
    cosine, sine = torch.cos(bend)[..., None], torch.sin(bend)[..., None]
    end = upper + along + cosine * across + sine * sideways
    rest_frame = _frame(end, hinge)
    posed_frame = _frame(target, torch.cross(pole, target, dim=-1))
    bent = _about(hinge, bend)
    return posed_frame @ rest_frame.transpose(-1, -2), bent


def _frame(main: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """(..., 3, 3) with unit columns: along `main`, along `second` made orthogonal to it, and their cross product."""
    first = torch.nn.functional.normalize(main, dim=-1)
    second = torch.nn.functional.normalize(second - first * (first * second).sum(-1, keepdim=True), dim=-1)
    return torch.stack([first, second, torch.cross(first, second, dim=-1)], dim=-1)


def _about(axis: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
    """Rodrigues: (..., 3) unit axes and (...,) angles to (..., 3, 3)."""
    x, y, z = axis.unbind(-1)
    zero = torch.zeros_like(x)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).reshape(*x.shape, 3, 3)
    sine, cosine = torch.sin(angle)[..., None, None], torch.cos(angle)[..., None, None]
    return torch.eye(3, device=axis.device) + sine * skew + (1.0 - cosine) * (skew @ skew)
