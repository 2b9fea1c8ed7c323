# SPDX-License-Identifier: GPL-3.0-or-later
"""Rooms and streets: boxes with patterned faces, seen by casting a ray through every pixel.

World frame: x right, y DOWN, z forward, floor at y = 0. A room is the inside of one box; the street has only its floor
and the sky. B clips, K boxes, T frames, H x W pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from . import textures
from .dice import Dice
from .settings import ClipSettings

_ROOM_FACES = 6
_FLOOR = 3  # face 2 * axis + (1 on the side of larger coordinates): y grows downwards
_HORIZON_M = 60.0
_STAINS_PER_M = 0.21
"""Repetitions per metre of the blotches that all surfaces have on top of their pattern."""
_SKY = 0.0
"""Depth where there is no surface."""


@dataclass(frozen=True)
class Place:
    """The static surroundings of B clips."""

    low: torch.Tensor
    """(B, 3) corner of the room with the smallest coordinates (y: the ceiling)."""
    high: torch.Tensor
    """(B, 3) opposite corner; y is 0, the floor."""
    roofless: bool
    """Whether walls and ceiling are the sky."""
    centre: torch.Tensor
    """(B, K, 3) middles of the boxes."""
    half: torch.Tensor
    """(B, K, 3) half their sizes; 0 for a box that is left out."""
    heading: torch.Tensor
    """(B, K) turn about the upright axis."""
    pattern: torch.Tensor
    """(B, 6 + K) textures: the room's faces, then the boxes."""
    tile_m: torch.Tensor
    """(B, 6 + K) size of one tile."""
    colours: torch.Tensor
    """(B, 6 + K, 2, 3) dark and light colour of the pattern."""
    light: torch.Tensor
    """(B, 3) unit direction towards the light."""
    ambient: torch.Tensor
    """(B,) brightness of what faces away from the light; what faces it has 1."""
    sky: torch.Tensor
    """(B, 2, 3) colour at the horizon and above."""

    def see(
        self, origin: torch.Tensor, direction: torch.Tensor, pixel_angle: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Cast rays: `origin` (B, T, 3), `direction` (B, T, Q, 3) of camera depth 1, `pixel_angle` (B,) 1 / focal.

        Returns depth (B, T, Q) in metres (0: sky), colour (B, T, Q, 3), the world point (B, T, Q, 3) and whether it is
        the floor (B, T, Q).
        """
        start = origin[:, :, None]
        direction = torch.where(direction.abs() < 1e-6, 1e-6, direction)
        inverse = 1.0 / direction
        low, high = self.low[:, None, None], self.high[:, None, None]
        out, axis = (torch.where(direction > 0, high - start, low - start) * inverse).min(dim=-1)
        positive = direction.gather(-1, axis[..., None])[..., 0] > 0
        face = 2 * axis + positive
        best, surface = out, face
        for box in (self.half[..., 0] > 0).any(0).nonzero()[:, 0].tolist():
            best, surface, axis = self._meet(box, start, direction, best, surface, axis)
        point = start + best[..., None] * direction
        colour = self._paint(point, direction, surface, axis, best, pixel_angle)
        floor = surface == _FLOOR
        if self.roofless:
            sky = (surface < _ROOM_FACES) & (~floor | (best > _HORIZON_M))
            height = (-direction[..., 1] / direction.norm(dim=-1)).clamp(0.0, 1.0)[..., None]
            above = torch.lerp(self.sky[:, None, None, 0], self.sky[:, None, None, 1], height.sqrt())
            colour = torch.where(sky[..., None], above, colour)
            best = torch.where(sky, _SKY, best)
            floor = floor & ~sky
        return best, colour, point, floor

    def _meet(
        self, box: int, start: torch.Tensor, direction: torch.Tensor, best: torch.Tensor, surface: torch.Tensor,
        axis: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
        """Slab test of one box of every clip."""
        shape = (-1, 1, 1)
        cosine, sine = (f(self.heading[:, box]).reshape(shape) for f in (torch.cos, torch.sin))
        enter = torch.full_like(best, -math.inf)
        leave = torch.full_like(best, math.inf)
        side = torch.zeros_like(axis)
        x, y, z = (start - self.centre[:, None, None, box]).unbind(-1)
        dx, dy, dz = direction.unbind(-1)
        slabs = (
            (cosine * x - sine * z, cosine * dx - sine * dz),
            (y, dy),
            (sine * x + cosine * z, sine * dx + cosine * dz),
        )
        for number, (offset, slope) in enumerate(slabs):
            inverse = 1.0 / torch.where(slope.abs() < 1e-6, 1e-6, slope)
            half = self.half[:, box, number].reshape(shape) * inverse.abs()
            middle = -offset * inverse
            first = middle - half
            side = torch.where(first > enter, number, side)
            enter = torch.maximum(enter, first)
            leave = torch.minimum(leave, middle + half)
        exists = (self.half[:, box, 0] > 0).reshape(shape)
        hit = (enter < torch.minimum(leave, best)) & (enter > 0.02) & exists
        return torch.where(hit, enter, best), torch.where(hit, _ROOM_FACES + box, surface), torch.where(hit, side, axis)

    def _paint(
        self, point: torch.Tensor, direction: torch.Tensor, surface: torch.Tensor, axis: torch.Tensor,
        depth: torch.Tensor, pixel_angle: torch.Tensor,
    ) -> torch.Tensor:  # fmt: skip
        count = _ROOM_FACES + self.half.shape[1]
        index = (surface + count * torch.arange(len(point), device=point.device)[:, None, None]).flatten()

        def of_surface(values: torch.Tensor) -> torch.Tensor:
            """(B, 6 + K) values to (B, T, Q). Flat columns: on a CPU several times as fast as indexing with tuples."""
            return values.flatten().index_select(0, index).reshape(surface.shape)

        faces = torch.zeros(len(point), _ROOM_FACES, device=point.device)
        cosine, sine = (of_surface(f(torch.cat([faces, self.heading], dim=1))) for f in (torch.cos, torch.sin))
        x, z = (point[..., k] - of_surface(torch.cat([faces, self.centre[..., k]], dim=1)) for k in (0, 2))
        x, z = cosine * x - sine * z, sine * x + cosine * z
        on_side, on_top = axis == 0, axis == 1
        across = torch.where(on_side, z, x)
        along = torch.where(on_top, z, point[..., 1])

        def normal_part(vectors: torch.Tensor) -> torch.Tensor:
            """The component of world vectors (..., 3) along the axis that the face looks along."""
            east, down, north = vectors.unbind(-1)
            flat = torch.where(on_side, cosine * east - sine * north, sine * east + cosine * north)
            return torch.where(on_top, down, flat)

        slope = normal_part(direction)
        # A slanted face shrinks by its slope in one direction; half way between the two is sharp enough.
        footprint = depth * pixel_angle[:, None, None] * textures.TILE / slope.abs().clamp_min(0.05).sqrt()
        per_tile = of_surface(1.0 / self.tile_m)
        pattern = of_surface(self.pattern)
        grey = textures.look_up(pattern, across * per_tile, along * per_tile, footprint * per_tile)
        wide = _STAINS_PER_M
        stain = textures.look_up(torch.zeros_like(pattern), wide * across, wide * along, footprint * wide)
        # The face looks against the ray.
        light = normal_part(self.light[:, None, None])
        facing = (-torch.sign(slope) * light).clamp_min(0.0)
        ambient = self.ambient[:, None, None]
        shade = (ambient + (1.0 - ambient) * facing) * (0.6 + 0.7 * stain)
        colour = [
            torch.lerp(of_surface(dark), of_surface(bright), grey) * shade
            for dark, bright in (tones.unbind(-1) for tones in self.colours.unbind(-1))
        ]
        return torch.stack(colour, dim=-1)


def build_place(
    dice: Dice, settings: ClipSettings, camera: torch.Tensor, gaze: torch.Tensor, home: torch.Tensor,
    radius: torch.Tensor, present: torch.Tensor, seat: torch.Tensor,
) -> Place:  # fmt: skip
    """A place around the camera's path (B, T, 3) and the people's discs (B, P, 2), (B, P); `seat` as in Motion.

    The room holds all of them with space to spare, and no box stands in anybody's way. `gaze` (B, 3) is where the
    camera looks at first: where nobody is, the room reaches as far that way as people would.
    """
    clips = len(camera)
    device = camera.device
    reach = (radius + 0.5)[..., None]
    inside = present[..., None]
    discs_low = torch.where(inside, home - reach, math.inf)
    discs_high = torch.where(inside, home + reach, -math.inf)
    flat = camera[..., [0, 2]]
    farthest = dice.uniform("depth", 0.4, 1.0)[:, None] * settings.distance_m[1]
    alone = ~present.any(-1)[:, None]
    flat = torch.cat([flat, flat[:, :1] + (alone * farthest * gaze[:, [0, 2]])[:, None]], dim=1)
    low = torch.cat([flat - 0.5, discs_low], dim=1).amin(1) - dice.uniform("before", 0.3, 2.5, 2)
    high = torch.cat([flat + 0.5, discs_high], dim=1).amax(1) + dice.uniform("behind", 0.3, 2.5, 2)
    ceiling = -dice.uniform("ceiling", 2.5, 3.4)
    roofless = settings.place == "street"
    wide = 200.0 if roofless else 0.0
    corner = torch.stack([low[:, 0] - wide, ceiling - wide, low[:, 1] - wide], dim=-1)
    opposite = torch.stack([high[:, 0] + wide, torch.zeros_like(ceiling), high[:, 1] + wide], dim=-1)

    parts = [_seats(seat), _furniture(dice.fork("furniture"), settings, low, high, camera, home, radius, present)]
    if settings.place != "studio":
        parts.append(_on_the_walls(dice.fork("walls"), low, high, ceiling, roofless))
    centre, half, heading = (torch.cat(piece, dim=1) for piece in zip(*parts, strict=True))
    surfaces = _ROOM_FACES + half.shape[1]
    vivid = 0.5 if settings.place == "studio" else 0.9
    base = dice.uniform("grey", 0.3, 0.8, surfaces, 1) + vivid * dice.uniform("tint", -0.25, 0.25, surfaces, 3)
    contrast = (0.65 if settings.place == "studio" else 1.0) * dice.uniform("contrast", 0.15, 0.4, surfaces, 1)
    contrast = contrast * torch.where(dice.chance("dim", 0.5, surfaces, 1), 1.0, -1.0)
    contrast = contrast * (1.0 + vivid * dice.uniform("second tint", -0.6, 0.6, surfaces, 3))
    colours = torch.stack([base - contrast, base + contrast], dim=2).clamp(0.04, 1.0)
    azimuth, height = dice.uniform("light azimuth", -math.pi, math.pi), dice.uniform("light height", 0.6, 1.3)
    flatness = torch.cos(height)
    light = torch.stack([flatness * torch.sin(azimuth), -torch.sin(height), flatness * torch.cos(azimuth)], dim=-1)
    horizon, zenith = dice.uniform("horizon", 0.7, 1.0, 3), dice.uniform("zenith", 0.35, 0.6, 1)
    zenith = torch.cat([zenith, zenith + 0.12, (zenith + 0.35).clamp_max(1.0)], dim=-1)
    tile = dice.uniform("tile", 0.5, 2.0, surfaces)
    tile[:, :_ROOM_FACES] *= 1.6 if not roofless else 3.0
    return Place(
        corner.to(device), opposite, roofless, centre, half, heading,
        pattern=dice.integer("pattern", 0, textures.PATTERNS - 1, surfaces), tile_m=tile, colours=colours, light=light,
        ambient=dice.uniform("ambient", 0.5 if settings.place == "studio" else 0.35, 0.72),
        sky=torch.stack([horizon, zenith], dim=1).reshape(clips, 2, 3),
    )  # fmt: skip


_Boxes = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def _seats(seat: torch.Tensor) -> _Boxes:
    """Stools as high as the sitters need them."""
    x, z, heading, height = seat.unbind(-1)
    half = 0.5 * height
    wide = torch.where(height > 0, 0.2, 0.0)
    centre = torch.stack([x, -half, z], dim=-1)
    return centre, torch.stack([wide, half, wide * 0.9], dim=-1), -heading


def _furniture(
    dice: Dice, settings: ClipSettings, low: torch.Tensor, high: torch.Tensor, camera: torch.Tensor, home: torch.Tensor,
    radius: torch.Tensor, present: torch.Tensor,
) -> _Boxes:  # fmt: skip
    """Boxes on the floor that touch neither discs nor the camera; low ones where they stand before somebody."""
    count = settings.furniture
    spread = 1.5 if settings.place == "street" else 0.0
    place = dice.uniform("place", (low - spread)[:, None], (high + spread)[:, None], count, 2)
    half = torch.stack([dice.uniform("width", 0.15, 0.6, count), dice.uniform("height", 0.2, 1.0, count),
                        dice.uniform("breadth", 0.15, 0.6, count)], dim=-1)  # fmt: skip
    girth = half[..., [0, 2]].norm(dim=-1)
    flat = camera[..., [0, 2]]
    ok = torch.cdist(place, flat).amin(-1) > girth + 0.7
    if home.shape[1]:
        gap = torch.cdist(place, home) - radius[:, None] - girth[..., None] - 0.45
        ok &= (gap > 0).logical_or(~present[:, None]).all(-1)
        # Seen from the first camera: a box between it and a disc may hide legs, not a whole person.
        start = flat[:, :1]
        to_box, to_home = place - start, home - start
        box_far, home_far = to_box.norm(dim=-1)[..., None], to_home.norm(dim=-1)[:, None]
        cosine = (to_box[:, :, None] * to_home[:, None]).sum(-1) / (box_far * home_far)
        width = (girth[..., None] + radius[:, None] + 0.5) / box_far.clamp_min(0.1)
        before = (cosine > torch.cos(width.clamp_max(1.5))) & (box_far < home_far) & present[:, None]
        limit = torch.where(before.any(-1), 0.35, 2.0)
        half = torch.stack([half[..., 0], torch.minimum(half[..., 1], limit), half[..., 2]], dim=-1)
    half = half * ok[..., None]
    centre = torch.stack([place[..., 0], -half[..., 1], place[..., 1]], dim=-1)
    return centre, half, dice.uniform("heading", -math.pi, math.pi, count)


def _on_the_walls(dice: Dice, low: torch.Tensor, high: torch.Tensor, ceiling: torch.Tensor, roofless: bool) -> _Boxes:
    """One box at each wall: a picture in a room, a house front beside the street."""
    share = dice.uniform("where", 0.25, 0.75, 4)
    middle = low[:, None] + share[..., None] * (high - low)[:, None]
    if roofless:
        tall, deep = dice.uniform("storeys", 1.5, 4.5, 4), 2.0
        wide = dice.uniform("front", 2.0, 6.0, 4)
        away = dice.uniform("away", 2.0, 8.0, 4) + deep
        up = -tall
    else:
        tall, deep = dice.uniform("frame height", 0.25, 0.55, 4), 0.02
        wide = dice.uniform("frame width", 0.25, 0.8, 4)
        away = torch.zeros_like(wide)
        up = torch.maximum(-dice.uniform("hung", 1.4, 1.7, 4), ceiling[:, None] + tall)
    walls_x = torch.stack([low[:, 0] - away[:, 0], high[:, 0] + away[:, 1], middle[:, 2, 0], middle[:, 3, 0]], dim=-1)
    walls_z = torch.stack([middle[:, 0, 1], middle[:, 1, 1], low[:, 1] - away[:, 2], high[:, 1] + away[:, 3]], dim=-1)
    thick = torch.full_like(wide[:, :2], deep)
    half_x, half_z = torch.cat([thick, wide[:, 2:]], dim=1), torch.cat([wide[:, :2], thick], dim=1)
    return (
        torch.stack([walls_x, up, walls_z], dim=-1),
        torch.stack([half_x, tall, half_z], dim=-1),
        torch.zeros_like(tall),
    )
