# SPDX-License-Identifier: GPL-3.0-or-later
"""Backdrops whose rays, floor and picture are known."""

import numpy as np
from bl_ext.user_default.human3r_blender.engine.contract import messages, rotations

PITCH = 0.2
"""How far the camera of a backdrop looks down, radians."""
HEIGHT, CARD = 1.5, 6.0
"""Of the camera above the floor, and of the card before it, meters."""
UP = rotations.axis_angle_to_matrix(np.array([PITCH, 0.0, 0.0])) @ (0.0, -1.0, 0.0)
FORWARD = rotations.axis_angle_to_matrix(np.array([PITCH, 0.0, 0.0])) @ (0.0, 0.0, 1.0)


def picture(width, height):
    """Smooth colors that no two places share, and a checkerboard in them."""
    down, across = np.mgrid[:height, :width]
    checks = 40 * ((8 * across // width + 6 * down // height) % 2)
    colors = (
        np.stack([200 * across // width, 200 * down // height, np.full_like(down, 120)], axis=-1) + checks[..., None]
    )
    return colors.astype(np.uint8)


def of_view(take, rows=32, columns=48, size=(240, 135), is_round=False, card=CARD, floor_height=HEIGHT):
    """The backdrop of a take's first camera: its picture covers the footage from edge to edge."""
    width, height = take.size
    across, down = np.meshgrid(np.linspace(0, width, columns) - 0.5, np.linspace(0, height, rows) - 0.5)
    rays = np.stack([across, down, np.full_like(across, take.focals[0])], axis=-1)
    rays[..., :2] -= take.principal_point
    return of_rays(rays, picture(*size), is_round, card, floor_height)


def of_rays(rays, image, is_round=True, card=CARD, floor_height=HEIGHT, center=(0.0, 0.0, 0.0)):
    """A backdrop of (R, C, 3) rays of any length, world frame."""
    direction = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    return messages.Backdrop(
        center=np.array(center), direction=direction.astype(np.float32), picture=image, up=UP, forward=FORWARD,
        floor_height=floor_height, card_distance=card, is_round=is_round,
    )  # fmt: skip


def still_take(synthetic, **options):
    """A take whose camera stands still."""
    take = synthetic(**{"frames": 3, "people": 0, "points": 0} | options)
    take.world_from_camera[:] = np.eye(4)
    take.focals[:] = take.focal
    return take


def summary(motion="still", refined=True, note="", floor_known=True, up=UP, floor_height=HEIGHT):
    """What the final pass found about a camera."""
    return messages.CameraSummary(
        motion=motion, refined=refined, note=note, residual_px=0.3, ray_angle_deg=0.0, floor_known=floor_known,
        up=np.asarray(up, np.float64), floor_height=floor_height,
    )  # fmt: skip
