# SPDX-License-Identifier: GPL-3.0-or-later
"""Human3R's weights by the names that people give: the small ones, installed ones, a checkpoint, or recipe weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from ..contract.errors import UserError
from ..fingerprint import fingerprint
from ..installed.locations import weights_folder
from .checkpoint import build_strictly, read_checkpoint
from .config import RELEASED, released, small
from .conversion import read_manifest
from .human3r import Human3R
from .memory import require_memory
from .precision import DTYPES, let_products_be_short, product_type, require_precision, shorten, widen
from .recipe_weights import Recipe, fill_with_recipe

RECIPE_PREFIX = "recipe:"

SMALL = Path(__file__).parents[1] / "assets" / "small.safetensors"
"""The small Human3R that we train ourselves, in a checkout and not in the extension: for tests and for training."""

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


def load_named_model(name: str, device: torch.device, precision: str = "float32") -> NamedModel:
    """The model called `name` (see `CaptureSettings.model`), on a device, for inference in a precision.

    In half precision the matrices that bear it are held in it; the model runs under autocast to
    :func:`.precision.product_type` then.
    Raises UserError: ``unknown-model``, ``weights-missing``, ``precision-missing``, ``not-enough-memory``, and what
    :func:`.checkpoint.load_checkpoint` raises.
    """
    require_precision(device, precision)
    let_products_be_short(precision, device)
    if name.startswith(RECIPE_PREFIX):
        return _from_recipe(name.removeprefix(RECIPE_PREFIX), device, precision)
    if name == "small":
        path, called = SMALL, "small, trained on synthetic clips"
        if not path.is_file():
            raise UserError(
                "weights-missing",
                "The small Human3R is not part of the extension.",
                "Use the built-in model (landmarks), or a checkout of the project.",
            )
    elif name in RELEASED:
        path, called = installed_weights(name), name
    else:
        path = Path(name).expanduser()
        called = path.name
    content = read_checkpoint(path, path.name)
    require_memory(name, content.config, precision, device)
    model = build_strictly(
        content.config, content.tensors, path.name, inference_only=content.inference_only, matrices=DTYPES[precision]
    )
    return _ready(model, f"{called} ({fingerprint(path)})", device, precision)


def _ready(model: Human3R, name: str, device: torch.device, precision: str) -> NamedModel:
    """On its device, in its precision, for inference."""
    if product_type(precision, device) is None:
        widen(model)
    return NamedModel(model.eval().requires_grad_(False).to(device), name)


def installed_weights(variant: str) -> Path:
    """The converted checkpoint of a released variant. Raises UserError (``weights-missing``) when it is not whole."""
    path = weights_folder() / f"{variant}.safetensors"
    if read_manifest(path) is None:
        raise UserError(
            "weights-missing",
            "The weights {variant} are not installed in {folder}.",
            "Press Get Released Weights in the preferences of the add-on, or run 'python -m weights_downloader get "
            "{variant}' in the environment of the engine.",
            variant=variant,
            folder=path.parent,
        )
    return path


def choose_device(name: str) -> torch.device:
    """``auto`` takes CUDA, then Metal, then the CPU. Raises UserError (``device-missing``)."""
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(device for device, there in available.items() if there))
    if not available[name]:
        raise UserError(
            "device-missing",
            "PyTorch finds no device {name} on this computer.",
            "Choose the device auto or cpu, or install the engine with a PyTorch build for this device.",
            name=repr(name),
        )
    return torch.device(name)


def _from_recipe(variant: str, device: torch.device, precision: str) -> NamedModel:
    if variant != "small" and variant not in RELEASED:
        raise UserError(
            "unknown-model",
            "There are no recipe weights for {variant}.",
            "Use recipe: followed by one of small, {released}.",
            variant=repr(variant),
            released=", ".join(RELEASED),
        )
    config = small() if variant == "small" else released(variant)
    # They are made in float32 on the CPU, whatever becomes of them.
    require_memory(f"{RECIPE_PREFIX}{variant}", config, "float32", torch.device("cpu"))
    require_memory(f"{RECIPE_PREFIX}{variant}", config, precision, device)
    with torch.device("meta"):  # the usual random initialisation of a full-size model would take half a minute
        model = Human3R(config, for_inference=True)
    model.to_empty(device="cpu")
    fill_with_recipe(model, SMALL_RECIPE if variant == "small" else Recipe())
    tame_recipe(model)
    shorten(model, DTYPES[precision])
    return _ready(model, f"{variant}, recipe weights (random: they show the path, not the truth)", device, precision)


def tame_recipe(model: Human3R) -> None:
    """What is changed in recipe weights besides, so that there is a place to see and a camera that stays in it."""
    weights = model.state_dict()
    with torch.no_grad():
        weights["downstream_head.mlp_msk.mlp.layers.2.bias"] += RECIPE_MASK_SHIFT
        weights["downstream_head.pose_head.mlp.fc2.weight"] *= RECIPE_CAMERA_GAIN
        weights["downstream_head.pose_head.mlp.fc2.bias"].copy_(torch.tensor((0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)))
