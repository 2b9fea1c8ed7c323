# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic clips with ground truth: `make_clip(seed, settings)`, or many at once with `make_clips`.

A clip follows from its seed and settings alone. Conventions: metres, radians; camera frames with OpenCV axes (x right,
y down, z forward); the world has x right, y DOWN and the floor at y = 0, so that a camera's world pose is an ordinary
OpenCV pose. Pixel centres lie at whole numbers and the principal point at (width // 2, height // 2). Arrays below are
written for one clip; `make_clips` puts the number of clips B in front of each. T frames, P people.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch

from ..contract.body_model import BodyModel, default_body_path
from ..contract.skeleton import HEAD, PELVIS
from .cameras import first_view, settle, too_near, travel
from .dice import Dice
from .motion import Cast, Motion, move
from .people import Wardrobe, draw_betas
from .places import build_place
from .render import Scene, render
from .settings import CAMERAS, ClipSettings
from .surface import BodySurface, cell_for


@dataclass(frozen=True)
class Clip:
    """Pictures and the truth about them. All tensors are on the device that made them."""

    seed: torch.Tensor
    """() int64."""
    rgb: torch.Tensor
    """(T, H, W, 3) uint8, sRGB."""
    depth: torch.Tensor
    """(T, H, W) float32, z in the camera frame of the surface at the pixel's centre; 0 for the sky."""
    instance: torch.Tensor
    """(T, H, W) uint8: 0 for no person, else 1 + the person's index."""
    time_s: torch.Tensor
    """(T,) seconds."""
    focal_px: torch.Tensor
    """() focal length, the same in x and y and in all frames."""
    principal_point_px: torch.Tensor
    """(2,) x and y."""
    world_from_camera: torch.Tensor
    """(T, 4, 4)."""
    present: torch.Tensor
    """(P,) bool: False for places of the batch that nobody takes; their other values mean nothing."""
    identity: torch.Tensor
    """(P,) int64, the person's name in this clip; -1 where nobody is."""
    betas: torch.Tensor
    """(P, 10) SMPL-X shape."""
    expression: torch.Tensor
    """(T, P, 10) SMPL-X expression."""
    rotations: torch.Tensor
    """(T, P, 55, 3, 3) relative to the parent joints; the root's is in the CAMERA frame of its frame."""
    translation: torch.Tensor
    """(T, P, 3) SMPL-X's `transl`, camera frame."""
    root_world: torch.Tensor
    """(T, P, 3, 3) the root's rotation in the world frame."""
    translation_world: torch.Tensor
    """(T, P, 3) SMPL-X's `transl`, world frame."""
    joints: torch.Tensor
    """(T, P, 55, 3) camera frame; joint 15 is the head point that Human3R predicts."""
    joints_px: torch.Tensor
    """(T, P, 55, 2) where they are seen, inside the picture or not; not a number behind the camera."""
    visible_px: torch.Tensor
    """(T, P) int64: how many pixels show the person; 0 when it is outside the picture or hidden."""
    planted: torch.Tensor
    """(T, P, 2) bool, left and right: the ball of the foot stands still on the floor."""
    part: torch.Tensor | None
    """(T, H, W) uint8 with `settings.labels`: 0 for no person, else 1 + index into `people.PART_NAMES`."""
    canonical: torch.Tensor | None
    """(T, H, W, 3) float32 with `settings.labels`: where the point is on the mean body at rest; 0 for no person."""

    @property
    def head_point(self) -> torch.Tensor:
        """(T, P, 3) head joint in the camera frame."""
        return self.joints[..., HEAD, :]

    @property
    def head_px(self) -> torch.Tensor:
        """(T, P, 2) where the head joint is seen."""
        return self.joints_px[..., HEAD, :]

    def poses_from_first(self) -> torch.Tensor:
        """(T, 4, 4) camera poses relative to the first camera: world_from_camera as Human3R tells it."""
        first = self.world_from_camera[..., :1, :, :]
        return torch.linalg.inv(first.double()).float() @ self.world_from_camera

    def one(self, index: int) -> Clip:
        """One clip of a batch."""
        return self._mapped(lambda value: value[index])

    def as_batch(self) -> Clip:
        """One clip as a batch of one."""
        return self._mapped(lambda value: value[None])

    def to(self, device: torch.device | str) -> Clip:
        """The same on another device."""
        return self._mapped(lambda value: value.to(device))

    def _mapped(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Clip:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        changed: dict[str, Any] = {name: None if value is None else change(value) for name, value in values.items()}
        return Clip(**changed)


def make_clip(
    seed: int, settings: ClipSettings, device: torch.device | str = "cpu", body: BodyModel | None = None
) -> Clip:
    """The clip of a seed. `body` is the mannequin unless given; betas mean what they mean for that body."""
    return make_clips([seed], settings, device, body).one(0)


@torch.no_grad()
def make_clips(
    seeds: Sequence[int], settings: ClipSettings, device: torch.device | str = "cpu", body: BodyModel | None = None
) -> Clip:
    """The clips of several seeds side by side, with a dimension for them in front of every array."""
    device = torch.device(device)
    dice = Dice(torch.tensor(list(seeds), dtype=torch.int64, device=device))
    body = body or _mannequin()
    skeleton = _surface(body, device, 0.0)
    clips, slots = len(dice.seeds), settings.people[1]

    view = first_view(dice.fork("view"), settings)
    home, radius, present = settle(dice.fork("homes"), view, settings)
    gap = dice.integer("gap", *settings.frame_gap)
    time = torch.arange(settings.frames, device=device) * (gap / settings.frame_rate)[:, None]
    position, turn = travel(dice.fork("camera"), view, settings, time, home, radius, present)
    present = present & ~_in_the_way(dice.fork("camera"), settings, position, home, radius)

    people = dice.fork("people", slots)
    betas = draw_betas(people, settings.shape_spread)
    sitter = people.chance("sitter", settings.sitting)
    energy = dice.uniform("energy", *settings.energy)[:, None].expand(clips, slots)
    cast = Cast(Dice(people.seeds.flatten()), betas.flatten(0, 1), home.flatten(0, 1), radius.flatten(),
                sitter.flatten(), energy.flatten())  # fmt: skip
    if slots:
        motion = move(cast, skeleton, time[:, None].expand(-1, slots, -1).flatten(0, 1), settings.walking)
    else:
        motion = _nobody(settings.frames, device)
    seat = motion.seat.reshape(clips, slots, 4) * present[..., None]
    place = build_place(dice.fork("place"), settings, position, turn[:, 0, :, 2], home, radius, present, seat)

    surface = _surface(body, device, _cell(settings))
    wardrobe = _wardrobe(body, device, _cell(settings))
    rotations, translation, expression, joints, planted = (
        value.reshape(clips, slots, *value.shape[1:]).transpose(1, 2)
        for value in (motion.rotations, motion.translation, motion.expression, motion.joints, motion.planted)
    )
    colours = wardrobe.dress(cast.dice, settings.cues).unflatten(0, (clips, slots))
    scene = Scene(settings, dice.fork("effects"), place, time, position, turn, view.focal_px, present, betas, rotations,
                  translation, expression, joints, colours)  # fmt: skip
    pictures = render(scene, surface, wardrobe)

    pose = torch.eye(4, device=device).repeat(clips, settings.frames, 1, 1)
    pose[..., :3, :3], pose[..., :3, 3] = turn, position
    camera_from_world = turn.transpose(-1, -2)[:, :, None]
    root = rotations[:, :, :, PELVIS]
    pelvis_rest = skeleton.rest_joints(betas[:, None].expand(-1, settings.frames, -1, -1).flatten(0, 2),
                                       expression.flatten(0, 2))[:, PELVIS].reshape(translation.shape)  # fmt: skip
    moved = (camera_from_world @ (pelvis_rest + translation - position[:, :, None])[..., None])[..., 0] - pelvis_rest
    in_camera = (camera_from_world[:, :, :, None] @ (joints - position[:, :, None, None])[..., None])[..., 0]
    relative = rotations.clone()
    relative[:, :, :, PELVIS] = camera_from_world @ root
    centre = torch.tensor([settings.size[0] // 2, settings.size[1] // 2], dtype=torch.float32, device=device)
    seen = view.focal_px[:, None, None, None, None] * in_camera[..., :2] / in_camera[..., 2:] + centre
    seen = torch.where(in_camera[..., 2:] > 0.01, seen, float("nan"))
    numbers = torch.arange(slots, device=device)
    return Clip(
        seed=dice.seeds, rgb=pictures.rgb, depth=pictures.depth, instance=pictures.instance, time_s=time,
        focal_px=view.focal_px, principal_point_px=centre.expand(clips, 2), world_from_camera=pose, present=present,
        identity=torch.where(present, numbers, -1), betas=betas, expression=expression, rotations=relative,
        translation=moved, root_world=root, translation_world=translation, joints=in_camera, joints_px=seen,
        visible_px=torch.stack([(pictures.instance == number + 1).sum((2, 3)) for number in range(slots)], dim=-1)
        if slots else torch.zeros(clips, settings.frames, 0, dtype=torch.int64, device=device),
        planted=planted, part=pictures.part, canonical=pictures.canonical,
    )  # fmt: skip


def _in_the_way(
    dice: Dice, settings: ClipSettings, position: torch.Tensor, home: torch.Tensor, radius: torch.Tensor
) -> torch.Tensor:
    """(B, P) bool: who has to leave because the camera jumps there. Other cameras keep clear of people themselves."""
    jumping = dice.choice("camera", settings.camera_weights) == CAMERAS.index("jumps")
    return too_near(position, home, radius) & jumping[:, None]


def _nobody(frames: int, device: torch.device) -> Motion:
    empty = torch.zeros(0, frames, device=device)
    return Motion(
        rotations=empty[..., None, None, None].expand(0, frames, 55, 3, 3),
        translation=empty[..., None].expand(0, frames, 3), expression=empty[..., None].expand(0, frames, 10),
        joints=empty[..., None, None].expand(0, frames, 55, 3),
        planted=empty[..., None].expand(0, frames, 2).bool(), seat=torch.zeros(0, 4, device=device),
    )  # fmt: skip


def _cell(settings: ClipSettings) -> float:
    width, height = settings.size
    focal = 0.5 * max(width, height) / torch.tan(torch.deg2rad(torch.tensor(0.5 * settings.field_of_view_deg[1])))
    return cell_for(float(focal) * settings.supersample, settings.distance_m[0])


@functools.cache
def _mannequin() -> BodyModel:
    return BodyModel.load(default_body_path())


@functools.lru_cache(maxsize=8)
def _surface(body: BodyModel, device: torch.device, cell: float) -> BodySurface:
    return BodySurface(body, device, cell)


@functools.lru_cache(maxsize=8)
def _wardrobe(body: BodyModel, device: torch.device, cell: float) -> Wardrobe:
    return Wardrobe(_surface(body, device, cell))
