# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of a scene: the place ray-cast, people rasterised, both put together by depth."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .dice import Dice
from .effects import develop
from .people import Wardrobe
from .places import Place
from .rasterise import Fragments, rasterise
from .settings import ClipSettings
from .surface import BodySurface

_CHUNK_PIXELS = 400_000
"""Rays that are worked on together on a CPU: few enough to stay near its caches."""
_CHUNK_PIXELS_GPU = 40_000_000


@dataclass(frozen=True)
class Scene:
    """Everything that is to be seen in B clips of T frames with up to P people; world frame of `clips`."""

    settings: ClipSettings
    dice: Dice
    place: Place
    time_s: torch.Tensor
    """(B, T)."""
    position: torch.Tensor
    """(B, T, 3) of the camera."""
    turn: torch.Tensor
    """(B, T, 3, 3) world from camera."""
    focal_px: torch.Tensor
    """(B,)."""
    present: torch.Tensor
    """(B, P) bool."""
    betas: torch.Tensor
    """(B, P, 10)."""
    rotations: torch.Tensor
    """(B, T, P, 55, 3, 3), the root's in the world."""
    translation: torch.Tensor
    """(B, T, P, 3) `transl` in the world."""
    expression: torch.Tensor
    """(B, T, P, 10)."""
    joints: torch.Tensor
    """(B, T, P, 55, 3) in the world."""
    colours: torch.Tensor
    """(B, P, V, 3)."""


@dataclass(frozen=True)
class Pictures:
    """See the fields of the same names in `clips.Clip`; B in front."""

    rgb: torch.Tensor
    depth: torch.Tensor
    instance: torch.Tensor
    part: torch.Tensor | None
    canonical: torch.Tensor | None


def render(scene: Scene, body: BodySurface, wardrobe: Wardrobe) -> Pictures:
    """Render all frames of a scene, some at a time."""
    settings = scene.settings
    width, height = settings.size
    pixels = len(scene.focal_px) * width * height * settings.supersample**2
    budget = _CHUNK_PIXELS if scene.position.device.type == "cpu" else _CHUNK_PIXELS_GPU
    step = max(1, budget // pixels)
    chunks = [
        _render_frames(scene, body, wardrobe, slice(first, min(first + step, settings.frames)))
        for first in range(0, settings.frames, step)
    ]
    rgb, depth, instance, part, canonical = zip(*chunks, strict=True)
    labels = settings.labels
    return Pictures(
        torch.cat(rgb, 1), torch.cat(depth, 1), torch.cat(instance, 1),
        torch.cat(part, 1) if labels else None, torch.cat(canonical, 1) if labels else None,
    )  # fmt: skip


def _render_frames(scene: Scene, body: BodySurface, wardrobe: Wardrobe, frames: slice) -> tuple:
    settings = scene.settings
    fine = settings.supersample
    width, height = settings.size[0] * fine, settings.size[1] * fine
    # The middle one of the fine pixels of a pixel has the same centre as the pixel.
    centre = tuple(float(fine * (side // 2) + fine // 2) for side in settings.size)
    focal = scene.focal_px * fine
    position, turn = scene.position[:, frames], scene.turn[:, frames]
    clips, count = position.shape[:2]

    y, x = torch.meshgrid(
        torch.arange(height, device=focal.device) - centre[1],
        torch.arange(width, device=focal.device) - centre[0],
        indexing="ij",
    )
    rays = torch.stack([x, y], dim=-1).reshape(1, -1, 2) / focal[:, None, None]
    rays = torch.cat([rays, torch.ones_like(rays[..., :1])], dim=-1)
    direction = rays[:, None] @ turn.transpose(-1, -2)
    depth, colour, point, floor = scene.place.see(position, direction, 1.0 / focal)
    colour = colour * _shadows(scene, frames, point, floor)[..., None]

    depth, colour = depth.flatten(), colour.reshape(-1, 3)
    instance = torch.zeros(depth.shape, dtype=torch.uint8, device=depth.device)
    part = torch.zeros_like(instance) if settings.labels else None
    canonical = torch.zeros_like(colour) if settings.labels else None
    clip, person = scene.present.nonzero(as_tuple=True)
    if len(clip):
        fragments, shaded = _draw_people(scene, body, frames, clip, person, focal, centre, (width, height))
        behind = depth[fragments.pixel]
        front = ((fragments.depth < behind) | (behind == 0)).nonzero()[:, 0]
        pixel = fragments.pixel[front]
        depth[pixel] = fragments.depth[front]
        colour[pixel] = fragments.interpolate(shaded)[front]
        instance[pixel] = (person[fragments.mesh[front] // count] + 1).to(torch.uint8)
        if part is not None and canonical is not None:
            corner = fragments.corners[front].gather(1, fragments.weights[front].argmax(-1, keepdim=True))[:, 0]
            part[pixel] = (wardrobe.parts[corner] + 1).to(torch.uint8)
            canonical[pixel] = (body.rest[fragments.corners[front]] * fragments.weights[front, :, None]).sum(1)

    def shaped(values: torch.Tensor) -> torch.Tensor:
        return values.reshape(clips, count, height, width, *values.shape[1:])

    def centres(values: torch.Tensor | None) -> torch.Tensor | None:
        return None if values is None else shaped(values)[:, :, fine // 2 :: fine, fine // 2 :: fine].contiguous()

    picture = shaped(colour)
    if fine > 1:
        picture = picture.reshape(clips, count, settings.size[1], fine, settings.size[0], fine, 3).mean((3, 5))
    rgb = develop(scene.dice, settings, picture, _flow(scene), scene.time_s, frames)
    return rgb, centres(depth), centres(instance), centres(part), centres(canonical)


def _draw_people(
    scene: Scene, body: BodySurface, frames: slice, clip: torch.Tensor, person: torch.Tensor, focal: torch.Tensor,
    centre: tuple[float, ...], size: tuple[int, int],
) -> tuple[Fragments, torch.Tensor]:  # fmt: skip
    """Rasterise the people who are there; meshes are ordered by person, then frame. Also their shaded colours."""
    position, turn = scene.position[clip, frames], scene.turn[clip, frames]
    count = position.shape[1]
    rotations, translation, expression = (
        values[:, frames].transpose(1, 2)[clip, person].flatten(0, 1)
        for values in (scene.rotations, scene.translation, scene.expression)
    )
    betas = scene.betas[clip, person].repeat_interleave(count, 0)
    vertices, normals, _ = body.pose(rotations, betas, expression, translation)
    owner = clip.repeat_interleave(count)
    ambient = scene.place.ambient[owner, None]
    facing = (normals @ scene.place.light[owner, :, None])[..., 0].clamp_min(0.0)
    shade = ambient + (1.0 - ambient) * facing
    shaded = scene.colours[clip, person].repeat_interleave(count, 0) * shade[..., None]
    in_camera = (vertices - position.flatten(0, 1)[:, None]) @ turn.flatten(0, 1)
    picture = (clip[:, None] * count + torch.arange(count, device=clip.device)).flatten()
    fragments = rasterise(
        in_camera, body.faces, picture, focal[owner], (centre[0], centre[1]), size,
        len(scene.focal_px) * count,
    )  # fmt: skip
    return fragments, shaded


def _shadows(scene: Scene, frames: slice, point: torch.Tensor, floor: torch.Tensor) -> torch.Tensor:
    """(B, t, Q) darkening of the floor under people: soft spots below the pelvis and at each foot."""
    factor = torch.ones_like(point[..., 0])
    spots = ((0, 0.30, 0.35), (10, 0.11, 0.45), (11, 0.11, 0.45))
    for person in range(scene.present.shape[1]):
        for joint, radius, strength in spots:
            spot = scene.joints[:, frames, person, joint]
            distance = (point[..., 0] - spot[..., None, 0]) ** 2 + (point[..., 2] - spot[..., None, 2]) ** 2
            # A lifted foot loses its shadow.
            near = torch.exp(-((spot[..., 1].abs() / 0.12).clamp_max(9.0) if joint else torch.zeros_like(spot[..., 1])))
            depth = strength * near[..., None] * scene.present[:, person, None, None]
            factor = factor * (1.0 - depth * (1.0 - distance / (2.1 * radius) ** 2).clamp_min(0.0) ** 2)
    return torch.where(floor, factor, 1.0)


def _flow(scene: Scene) -> torch.Tensor:
    """(B, T, 2) pixels that a point 4 m ahead moves per frame of the footage (the last frame's as the one before)."""
    ahead = scene.position + 4.0 * scene.turn[..., 2]
    if ahead.shape[1] < 2:
        return torch.zeros(*ahead.shape[:2], 2, device=ahead.device)
    offset = ahead[:, :-1] - scene.position[:, 1:]
    seen = (offset[..., None, :] @ scene.turn[:, 1:])[..., 0, :]
    flow = scene.focal_px[:, None, None] * seen[..., :2] / seen[..., 2:].clamp_min(0.5)
    gap = (scene.time_s[:, 1:] - scene.time_s[:, :-1]) * scene.settings.frame_rate
    flow = flow / gap[..., None]
    return torch.cat([flow, flow[:, -1:]], dim=1)
