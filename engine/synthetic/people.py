# SPDX-License-Identifier: GPL-3.0-or-later
"""What people look like: shape, colours of skin, hair and clothes per vertex, and the label of each vertex."""

from __future__ import annotations

import numpy as np
import torch

from ..contract.skeleton import (
    HEAD,
    JAW,
    JOINT_COUNT,
    LEFT_ANKLE,
    LEFT_COLLAR,
    LEFT_ELBOW,
    LEFT_EYE,
    LEFT_FOOT,
    LEFT_HAND,
    LEFT_HIP,
    LEFT_KNEE,
    LEFT_SHOULDER,
    LEFT_WRIST,
    NECK,
    PELVIS,
    RIGHT_EYE,
    RIGHT_HAND,
    SPINE1,
    SPINE2,
    SPINE3,
)  # fmt: skip
from .dice import Dice
from .surface import BodySurface

PART_NAMES = (
    "head", "torso", "left upper arm", "left forearm", "left hand", "right upper arm", "right forearm", "right hand",
    "left thigh", "left shank and foot", "right thigh", "right shank and foot", "hips",
)  # fmt: skip
"""Labels of the dense part map are 1 + the index here; 0 is no person."""

SKIN, HAIR, SHIRT, TROUSERS, SHOES, EYES, LIPS, NOSE = range(8)

_LEFT_TINT, _RIGHT_TINT = (0.95, 0.45, 0.15), (0.15, 0.45, 0.95)
_RED = (0.9, 0.1, 0.1)


def part_of_joint() -> np.ndarray:
    """(55,) index into `PART_NAMES` for the vertices that a joint moves."""
    parts = np.zeros(JOINT_COUNT, dtype=np.int64)
    parts[[PELVIS]] = 12
    parts[[SPINE1, SPINE2, SPINE3, LEFT_COLLAR, LEFT_COLLAR + 1]] = 1
    parts[[NECK, HEAD, JAW, LEFT_EYE, RIGHT_EYE]] = 0
    for side, hand in ((0, LEFT_HAND), (1, RIGHT_HAND)):
        parts[LEFT_SHOULDER + side] = 2 + 3 * side
        parts[LEFT_ELBOW + side] = 3 + 3 * side
        parts[LEFT_WRIST + side] = 4 + 3 * side
        parts[hand] = 4 + 3 * side
        parts[LEFT_HIP + side] = 8 + 2 * side
        parts[[LEFT_KNEE + side, LEFT_ANKLE + side, LEFT_FOOT + side]] = 9 + 2 * side
    return parts


class Wardrobe:
    """Which vertex is skin, hair or cloth, for one surface. Immutable."""

    def __init__(self, body: BodySurface) -> None:
        joint = body.dominant_joint
        joints, rest = body.joints, body.rest
        self.parts = torch.as_tensor(part_of_joint()).to(body.device)[joint]
        """(V,) index into `PART_NAMES`."""
        self._rest = rest
        self._front = body.normals[:, 2]
        self._limb_side = torch.where(self.parts < 2, 0, torch.where(self.parts < 5, 1, 2))
        self._limb_side = torch.where((self.parts == 8) | (self.parts == 9), 1, self._limb_side)
        self._limb_side = torch.where(self.parts == 12, 0, self._limb_side)
        base = self._regions(body, joint, joints, rest)
        # Four cuts: long or short sleeves, long or short trousers.
        elbow, wrist = joints[LEFT_ELBOW, 0], joints[LEFT_WRIST, 0]
        knee, ankle = joints[LEFT_KNEE, 1], joints[LEFT_ANKLE, 1]
        cuts = []
        for sleeve in (wrist - 0.02, 0.75 * elbow):
            for hem in (ankle + 0.02, knee + 0.06):
                bare = ((base == SHIRT) & (rest[:, 0].abs() > sleeve)) | ((base == TROUSERS) & (rest[:, 1] < hem))
                cuts.append(torch.where(bare, SKIN, base))
        self._regions_by_cut = torch.stack(cuts)

    @staticmethod
    def _regions(body: BodySurface, joint: torch.Tensor, joints: torch.Tensor, rest: torch.Tensor) -> torch.Tensor:
        """(V,) region with the longest sleeves and trousers."""
        parts = torch.as_tensor(part_of_joint()).to(rest.device)[joint]
        region = torch.full_like(joint, SHIRT)
        region[(parts == 4) | (parts == 7) | (parts == 0)] = SKIN
        region[(parts >= 8) | (joint == SPINE1) & (rest[:, 1] < joints[SPINE1, 1])] = TROUSERS
        feet = joint >= LEFT_ANKLE
        feet &= joint <= LEFT_FOOT + 1
        region[feet & (joint != SPINE3)] = SHOES
        head = (joint == HEAD) | (joint == LEFT_EYE) | (joint == RIGHT_EYE) | (joint == JAW)
        eyes = joints[[LEFT_EYE, RIGHT_EYE]]
        middle = eyes.mean(0)
        top = rest[head, 1].max() if bool(head.any()) else middle[1]
        forehead = middle[1] + 0.55 * (top - middle[1])
        skull = head & (rest[:, 1] > middle[1] - 0.09) & (rest[:, 2] < joints[HEAD, 2] + 0.02)
        region[skull | (head & (rest[:, 1] > forehead))] = HAIR
        face = head & (body.normals[:, 2] > 0.1)
        for eye in eyes:
            region[
                face & (((rest - eye)[:, :2] / torch.tensor([0.016, 0.009], device=rest.device)).norm(dim=-1) < 1.0)
            ] = EYES
        between = face & (rest[:, 0].abs() < 0.02) & (rest[:, 1] < middle[1]) & (rest[:, 1] > middle[1] - 0.075)
        if bool(between.any()):
            candidates = between.nonzero()[:, 0]
            tip = rest[candidates[rest[candidates, 2].argmax()]]
            mouth = tip - torch.tensor([0.0, 0.041, 0.0], device=rest.device)
            across = (rest - mouth)[:, :2] / torch.tensor([0.026, 0.01], device=rest.device)
            region[face & (across.norm(dim=-1) < 1.0)] = LIPS
            region[head & ((rest - tip).norm(dim=-1) < 0.024)] = NOSE
        return region

    def dress(self, dice: Dice, cues: bool) -> torch.Tensor:
        """Colours (N, V, 3), sRGB in 0..1, of N people (`dice` of shape (N,)).

        With `cues` left limbs tend to orange and right ones to blue, fronts are light, backs dark, and the nose is red.
        """
        people = dice.seeds.shape[0]
        device = self._rest.device
        tone = dice.uniform("skin tone", 0.0, 1.0)[:, None]
        light, dark = torch.tensor([0.93, 0.76, 0.65], device=device), torch.tensor([0.36, 0.23, 0.16], device=device)
        skin = torch.lerp(light, dark, tone) * dice.uniform("skin hue", 0.94, 1.06, 3)
        hair_tone = dice.uniform("hair tone", 0.0, 1.0)[:, None] ** 2
        hair = torch.lerp(
            torch.tensor([0.1, 0.07, 0.06], device=device), torch.tensor([0.8, 0.66, 0.42], device=device), hair_tone
        )
        hair = torch.where(dice.chance("grey", 0.15)[:, None], dice.uniform("grey tone", 0.4, 0.85)[:, None], hair)
        bald = dice.chance("bald", 0.08)[:, None]
        shirt, trousers = _cloth(dice.fork("shirt")), 0.8 * _cloth(dice.fork("trousers"))
        shoes = 0.7 * _cloth(dice.fork("shoes"))
        eyes = torch.tensor([0.08, 0.06, 0.05], device=device).expand(people, 3)
        lips = skin * torch.tensor([0.95, 0.62, 0.6], device=device)
        nose = torch.tensor(_RED, device=device).expand(people, 3) if cues else skin * 1.04
        palette = torch.stack([skin, torch.where(bald, skin, hair), shirt, trousers, shoes, eyes, lips, nose], dim=1)
        region = self._regions_by_cut[dice.integer("cut", 0, 3)]
        colours = palette.gather(1, region[..., None].expand(-1, -1, 3))
        colours = colours * self._pattern(dice, region)[..., None]
        if cues:
            tints = torch.tensor([(0.0, 0.0, 0.0), _LEFT_TINT, _RIGHT_TINT], device=device)[self._limb_side]
            strength = 0.5 * (self._limb_side > 0)[:, None]
            colours = torch.lerp(colours, tints.expand_as(colours), strength.expand_as(colours))
            featured = (region == EYES) | (region == LIPS) | (region == NOSE)
            shade = torch.where(featured, 1.0, 1.0 + 0.4 * self._front)
            colours = colours * shade[..., None]
        return colours.clamp(0.0, 1.0)

    def _pattern(self, dice: Dice, region: torch.Tensor) -> torch.Tensor:
        """(N, V) brightness of the cloth: plain, striped across or along, or blotched."""
        kind = dice.choice("pattern", (0.5, 0.2, 0.1, 0.2))[:, None]
        frequency = dice.uniform("pattern frequency", 40.0, 110.0)[:, None]
        x, y, z = self._rest.unbind(-1)
        waves = torch.stack([
            torch.zeros_like(frequency * y), torch.sin(frequency * y), torch.sin(frequency * x),
            torch.sin(0.5 * frequency * x + 2.0) * torch.sin(0.5 * frequency * y) * torch.cos(30.0 * z),
        ])  # fmt: skip
        wave = waves.gather(0, kind[None].expand(1, -1, waves.shape[-1]))[0]
        return torch.where(region == SHIRT, 1.0 + 0.22 * torch.tanh(3.0 * wave), 1.0)


def draw_betas(dice: Dice, spread: float) -> torch.Tensor:
    """(N, 10) shape coefficients: normal with standard deviation `spread`, cut at 2.2 times that."""
    return spread * dice.normal("betas", 10).clamp(-2.2, 2.2)


def _cloth(dice: Dice) -> torch.Tensor:
    """(N, 3) a colour of any hue, not too dark."""
    value, saturation = dice.uniform("value", 0.3, 0.95)[:, None], dice.uniform("saturation", 0.0, 0.85)[:, None]
    hue = dice.uniform("hue", 0.0, 6.0)[:, None] + torch.tensor([0.0, 4.0, 2.0], device=dice.seeds.device)
    ramp = ((hue % 6.0 - 3.0).abs() - 1.0).clamp(0.0, 1.0)
    return value * (1.0 - saturation * (1.0 - ramp))
