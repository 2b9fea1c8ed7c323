# SPDX-License-Identifier: GPL-3.0-or-later
"""Models by the names that people give: the embedded default, a checkpoint's path, or recipe weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from ..contract.errors import UserError
from ..fingerprint import fingerprint
from .checkpoint import load_checkpoint
from .config import RELEASED, released, small
from .human3r import Human3R
from .recipe_weights import Recipe, fill_with_recipe

RECIPE_PREFIX = "recipe:"

EMBEDDED = Path(__file__).parents[1] / "assets" / "default.safetensors"
"""The model that we train ourselves; ``docs/model-card.md`` says what it can do."""

SMALL_RECIPE = Recipe(theta=0.75, cls_gain=4.0, dec_gain=1.0)
"""With these numbers the small configuration finds nobody to a few people in ordinary pictures, a few metres away: the
whole way is walked."""

RECIPE_MASK_SHIFT = -1.2
"""Added to the mask logits of recipe weights, of which half would be positive: a picture is mostly place."""

RECIPE_CAMERA_GAIN = 0.02
"""Factor on the camera motion of recipe weights, which would jump metres between frames: a hand-held shake is left, and
the fused place stays about as large as a room."""


@dataclass(frozen=True)
class NamedModel:
    """A model ready to run, and what to call it."""

    model: Human3R
    name: str
    """For people, and for telling weights apart when a capture is resumed."""


def load_named_model(name: str, device: torch.device) -> NamedModel:
    """The model called `name` (see `CaptureSettings.model`), on a device, in float32, for inference.

    Raises UserError: ``unknown-model``, and what :func:`.checkpoint.load_checkpoint` raises.
    """
    if name == "default":
        return _embedded(device)
    if name.startswith(RECIPE_PREFIX):
        return _from_recipe(name.removeprefix(RECIPE_PREFIX), device)
    path = Path(name).expanduser()
    model = load_checkpoint(path, device)
    return NamedModel(model.requires_grad_(False), f"{path.name} ({fingerprint(path)})")


def choose_device(name: str) -> torch.device:
    """``auto`` takes CUDA, then Metal, then the CPU. Raises UserError (``device-missing``)."""
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(device for device, there in available.items() if there))
    if not available[name]:
        raise UserError("device-missing", f"This computer offers torch no device {name!r}.",
                        "Choose the device auto or cpu, or install a build of torch for this device.")
    return torch.device(name)


def _embedded(device: torch.device) -> NamedModel:
    """The checkpoint that comes with the program; without one, random weights that show the path."""
    if not EMBEDDED.is_file():
        return _from_recipe("small", device)
    model = load_checkpoint(EMBEDDED, device)
    return NamedModel(model.requires_grad_(False), f"default, trained on synthetic clips ({fingerprint(EMBEDDED)})")


def _from_recipe(variant: str, device: torch.device) -> NamedModel:
    if variant != "small" and variant not in RELEASED:
        raise UserError("unknown-model", f"There are no recipe weights for {variant!r}.",
                        f"Use recipe: and one of small, {', '.join(RELEASED)}.")
    with torch.device("meta"):  # the usual random initialisation of a full-size model would take half a minute
        model = Human3R(small() if variant == "small" else released(variant), for_inference=True)
    model.to_empty(device="cpu")
    fill_with_recipe(model, SMALL_RECIPE if variant == "small" else Recipe())
    _tame(model)
    return NamedModel(model.eval().requires_grad_(False).to(device),
                      f"{variant}, recipe weights (random: they show the path, not the truth)")


def _tame(model: Human3R) -> None:
    """What is changed besides, so that there is a place to see and a camera that stays in it."""
    weights = model.state_dict()
    with torch.no_grad():
        weights["downstream_head.mlp_msk.mlp.layers.2.bias"] += RECIPE_MASK_SHIFT
        weights["downstream_head.pose_head.mlp.fc2.weight"] *= RECIPE_CAMERA_GAIN
        weights["downstream_head.pose_head.mlp.fc2.bias"].copy_(torch.tensor((0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)))
