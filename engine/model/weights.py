# SPDX-License-Identifier: GPL-3.0-or-later
"""Models by the names that people give: the embedded default, a checkpoint's path, or recipe weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..contract.errors import UserError
from .config import RELEASED, released, small
from .human3r import Human3R
from .recipe_weights import Recipe, fill_with_recipe

RECIPE_PREFIX = "recipe:"

SMALL_RECIPE = Recipe(theta=0.305, cls_gain=4.0, dec_gain=0.4)
"""Recipe numbers with which the small configuration finds zero to a few people in ordinary pictures, so that every step
of the way is walked."""


@dataclass(frozen=True)
class NamedModel:
    """A model ready to run, and what to call it."""

    model: Human3R
    name: str
    """For people, and for telling weights apart when a capture is resumed."""


def load_named_model(name: str, device: torch.device) -> NamedModel:
    """The model called `name` (see `CaptureSettings.model`), on a device, in float32, for inference.

    Raises UserError: ``unknown-model``, ``checkpoint-missing`` and what reading a checkpoint raises.
    """
    if name == "default":
        return _from_recipe("small", device)
    if name.startswith(RECIPE_PREFIX):
        return _from_recipe(name.removeprefix(RECIPE_PREFIX), device)
    raise UserError("unknown-model", f"There is no model {name!r}.",
                    f"Use default, a checkpoint's path, or recipe: and one of small, {', '.join(RELEASED)}.")


def choose_device(name: str) -> torch.device:
    """``auto`` takes CUDA, then Metal, then the CPU. Raises UserError (``device-missing``)."""
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(device for device, there in available.items() if there))
    if not available[name]:
        raise UserError("device-missing", f"This computer offers torch no device {name!r}.",
                        "Choose the device auto or cpu, or install a build of torch for this device.")
    return torch.device(name)


def _from_recipe(variant: str, device: torch.device) -> NamedModel:
    if variant != "small" and variant not in RELEASED:
        raise UserError("unknown-model", f"There are no recipe weights for {variant!r}.",
                        f"Use recipe: and one of small, {', '.join(RELEASED)}.")
    with torch.device("meta"):  # the usual random initialisation of a full-size model would take half a minute
        model = Human3R(small() if variant == "small" else released(variant), for_inference=True)
    model.to_empty(device="cpu")
    fill_with_recipe(model, SMALL_RECIPE if variant == "small" else Recipe())
    return NamedModel(model.eval().requires_grad_(False).to(device),
                      f"{variant}, recipe weights (random: they show the path, not the truth)")
