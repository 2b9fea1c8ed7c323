# SPDX-License-Identifier: GPL-3.0-or-later
"""What training goes on from: one checkpoint, or CUT3R's and Multi-HMR's put together (paper section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..contract.errors import UserError
from ..model.checkpoint import load_checkpoint
from ..model.human3r import Human3R
from ..model.released_checkpoint import infer_config, read_pickle
from ..model.weights import SMALL
from .initialisation import initialise
from .recipes import PEOPLE_LAYERS

_HEADS = "downstream_head."
_MAY_BE_NEW = (*PEOPLE_LAYERS, "mhmr_masked_img_token", "backbone.encoder.mask_token", "downstream_head.init_")
"""What neither of the two holds: the human layers, which are learnt, what is never used, and the mean body."""


def load_starting_weights(paths: Sequence[str], device: torch.device) -> Human3R:
    """A model for training out of one or several checkpoints; where two have a name, the first counts.

    ``small`` alone is the small model, whose file leaves out what only training needs: that starts new.
    Several: together they must hold everything but the human layers, which then start new. Multi-HMR keeps its
    detection heads without our ``downstream_head.``. Raises UserError (``checkpoint-mismatch``, and what reading
    raises).
    """
    if list(paths) == ["small"]:
        return _small_for_training().to(device)
    if len(paths) == 1:
        return load_checkpoint(paths[0], device, for_inference=False)
    tensors: dict[str, Tensor] = {}
    expressions = ""
    for path in map(Path, paths):
        if not path.is_file():
            raise UserError(
                "checkpoint-missing", "There is no checkpoint {path}.", "Choose an existing checkpoint file.", path=path
            )
        found, expression = read_pickle(path)
        expressions = expressions or expression
        for name, tensor in found.items():
            tensors.setdefault(name, tensor)
            tensors.setdefault(_HEADS + name, tensor)
    config = infer_config(tensors, expressions, Path(paths[-1]).name)
    model = Human3R(config)
    wanted = model.state_dict()
    fitting = {
        name: tensors[name] for name, own in wanted.items() if name in tensors and tensors[name].shape == own.shape
    }
    missing = [name for name in wanted if name not in fitting and not name.startswith(_MAY_BE_NEW)]
    if missing:
        names = ", ".join(missing[:8]) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
        raise UserError(
            "checkpoint-mismatch",
            "These weights lack {names}.",
            "Give the checkpoint of CUT3R, then that of Multi-HMR, in the sizes of the released models.",
            names=names,
        )
    _start_upright(model, fitting)
    model.load_state_dict(wanted | fitting)
    return model.to(device)


def _small_for_training() -> Human3R:
    """The shipped model with new modules where only training has any."""
    shipped = load_checkpoint(SMALL)
    model = Human3R(shipped.config)
    initialise(model)
    model.load_state_dict(model.state_dict() | shipped.state_dict())
    return model


def _start_upright(model: Human3R, fitting: dict[str, Tensor]) -> None:
    """Without a mean body the poses' errors would start at a degenerate rotation."""
    if "downstream_head.init_body_pose" not in fitting:
        identity = torch.eye(3)[:, :2].repeat(model.downstream_head.init_body_pose.shape[1] // 6, 1, 1)
        identity[0, 1, 1] = -1.0
        with torch.no_grad():
            model.downstream_head.init_body_pose.copy_(identity.reshape(1, -1))
