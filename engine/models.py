# SPDX-License-Identifier: GPL-3.0-or-later
"""Every model by the name that a capture's settings give."""

from __future__ import annotations

from pathlib import Path

import torch

from .contract.sentences import Sentence
from .contract.settings import BUILT_IN
from .estimate import Model
from .human3r_estimator import Human3RModel
from .installed import inventory, registry
from .landmarks.estimator import LandmarksModel
from .model.precision import DTYPES, chosen_precision, let_products_be_short, require_precision
from .model.weights import load_named_model


def load_model(name: str, device: torch.device, precision: str = "float32") -> Model:
    """The model called `name`, on a device, in a precision. `name` is not ``default``: see :func:`resolved_name`.

    Raises UserError as :func:`.model.weights.load_named_model` and :meth:`.landmarks.networks.Networks.load` do.
    """
    if name == BUILT_IN:
        require_precision(device, precision)
        let_products_be_short(precision, device)
        return LandmarksModel.load(device, DTYPES[precision])
    return Human3RModel(load_named_model(name, device, precision))


def resolved_precision(precision: str, name: str, device: torch.device) -> str:
    """What ``auto`` comes to for a model: the built-in one is small, and gains nothing from half precision."""
    return "float32" if precision == "auto" and name == BUILT_IN else chosen_precision(precision, device)


def spoken_name(name: str) -> str:
    """What people call a model: ``Human3R 896L``, ``the built-in model``, ``my.safetensors``."""
    if name == BUILT_IN:
        return Sentence("the built-in model")
    item = registry.find(name) or registry.find(Path(name).stem)
    return f"Human3R {item.name}" if item is not None else Path(name).name


def resolved_name(name: str, device: torch.device) -> str:
    """What ``default`` comes to here: the released weights that suit the device, else the built-in model."""
    return inventory.default_model(device.type == "cpu") if name == "default" else name
