# SPDX-License-Identifier: GPL-3.0-or-later
"""Loading and saving weights. Loading is strict about what the model uses, and all that does not fit is one report;
what nothing uses may be missing or more, as in the authors' own loading, and is one note.

Two formats: the released one (:mod:`.released_checkpoint`) and our own, safetensors with the configuration in its
metadata. Names are those of the released checkpoints in both; :mod:`.parameter_groups` says what they mean.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..contract.errors import UserError
from ..contract.logs import log
from ..contract.sentences import Sentence
from ..contract.whole_file import explained_write_errors, whole_file
from .config import Human3RConfig
from .human3r import Human3R
from .parameter_groups import meaning
from .precision import bears_half
from .recipe_weights import canonical_key
from .released_checkpoint import infer_config, read_pickle

FORMAT = "human3r-1"
"""Marks our own files; a later format that old programs would misread gets another number."""

_NAMES_PER_REPORT = 8


@dataclass(frozen=True)
class CheckpointContent:
    """A checkpoint as it was read."""

    tensors: dict[str, Tensor]
    """By name; under all their names where they have two."""
    config: Human3RConfig
    inference_only: bool
    """Whether only what inference needs is there."""


def load_checkpoint(
    path: str | os.PathLike[str], device: torch.device | str = "cpu", for_inference: bool = True
) -> Human3R:
    """The model in a checkpoint, float32, in evaluation mode.

    ``for_inference`` leaves out what only training needs. Raises UserError: ``checkpoint-missing``,
    ``checkpoint-unreadable``, ``checkpoint-unsafe``, ``checkpoint-unknown-size``, ``bad-model-config``, and
    ``checkpoint-mismatch`` with one report of every missing, unexpected or misshapen name, where one that is used is
    missing or misshapen.
    """
    path = Path(path)
    content = read_checkpoint(path, path.name)
    if content.inference_only and not for_inference:
        raise UserError(
            "checkpoint-inference-only",
            "{name} lacks the weights that only training needs.",
            "Choose a checkpoint that was saved for training.",
            name=path.name,
        )
    return build_strictly(content.config, content.tensors, path.name, for_inference, content.inference_only).to(device)


def read_checkpoint(path: Path, name: str, unmarked: bool = False) -> CheckpointContent:
    """What a checkpoint holds, checked for nothing but its configuration; the tensors stay in the file until used.

    ``name`` is what messages call it, and may tell a released file's resolution. ``unmarked`` accepts safetensors
    without our configuration, which is then inferred as from a released file. Raises as :func:`load_checkpoint`.
    """
    if not path.is_file():
        raise UserError(
            "checkpoint-missing", "There is no checkpoint {path}.", "Choose an existing checkpoint file.", path=path
        )
    if path.suffix == ".safetensors":
        return _read_safetensors(path, name, unmarked)
    tensors, expression = read_pickle(path)
    return CheckpointContent(tensors, infer_config(tensors, expression, name), inference_only=False)


def build_strictly(
    config: Human3RConfig,
    tensors: Mapping[str, Tensor],
    source: str,
    for_inference: bool = True,
    inference_only: bool = False,
    matrices: torch.dtype = torch.float32,
) -> Human3R:
    """A model made of exactly these tensors, which it shares where they have its types already.

    Float32, but for what bears half precision (:func:`.precision.bears_half`), which becomes ``matrices``.
    Those that the model uses must be there (``for_inference`` uses a part); what else differs from the whole
    architecture, or with ``inference_only`` from that part, is logged. Raises UserError (``checkpoint-mismatch``).
    """
    note = check_fits(config, tensors, source, for_inference, inference_only)
    if note:
        log.warning(note)
    with torch.device("meta"):
        model = Human3R(config, for_inference)
    taken = {
        key: tensors[key].to(matrices if bears_half(key, tensor) else tensor.dtype)
        for key, tensor in model.state_dict().items()
    }
    model.load_state_dict(taken, strict=True, assign=True)
    return model.eval()


def check_fits(
    config: Human3RConfig,
    tensors: Mapping[str, Tensor],
    source: str,
    for_inference: bool = True,
    inference_only: bool = False,
) -> str:
    """Compare tensors with those of the architecture, or with ``inference_only`` with those of its part.

    Returns one sentence on what differs but is not used, or nothing. Raises UserError (``checkpoint-mismatch``) where
    one that is used (``for_inference``: in that part) is missing or has the wrong shape.
    """
    with torch.device("meta"):
        used = Human3R(config, for_inference).state_dict()
        whole = used if inference_only else Human3R(config).state_dict()
    report = _differences({key: tensor.shape for key, tensor in whole.items()}, tensors)
    if any(key not in tensors or tensors[key].shape != tensor.shape for key, tensor in used.items()):
        raise UserError(
            "checkpoint-mismatch",
            "{source} does not fit the model. {report}",
            "Choose a checkpoint of a Human3R model, or download this one again.",
            source=source,
            report=report,
        )
    return f"The checkpoint has all that is used, and differs in what is not. {report}" if report else ""


def _differences(expected: Mapping[str, torch.Size], tensors: Mapping[str, Tensor]) -> str:
    """What does not fit, in sentences; empty when all does."""
    misshapen = [
        f"{key} {tuple(tensors[key].shape)} instead of {tuple(shape)}"
        for key, shape in expected.items()
        if key in tensors and tensors[key].shape != shape
    ]
    kinds = (
        ("missing", [f"{key} ({meaning(key)})" for key in expected if key not in tensors]),
        ("unexpected", [key for key in tensors if key not in expected]),
        ("with the wrong shape", misshapen),
    )
    sentences = []
    for kind, names in kinds:
        if names:
            more = f" and {len(names) - _NAMES_PER_REPORT} more" if len(names) > _NAMES_PER_REPORT else ""
            sentences.append(f"{len(names)} {kind}: {', '.join(names[:_NAMES_PER_REPORT])}{more}.")
    return " ".join(sentences)


def save_checkpoint(model: Human3R, path: str | os.PathLike[str], dtype: torch.dtype = torch.float32) -> None:
    """Write the model as safetensors, its configuration in the metadata; never leaves a half-written file.

    ``dtype`` is the type of floating-point tensors in the file. Raises UserError (``checkpoint-unwritable``,
    ``disk-full``).
    """
    path = Path(path)
    tensors = {
        key: (tensor.to(dtype) if tensor.is_floating_point() else tensor).detach().cpu().contiguous()
        for key, tensor in model.state_dict().items()
        if canonical_key(key) == key
    }
    metadata = {
        "format": FORMAT,
        "config": model.config.to_json(),
        "contents": "inference" if model.for_inference else "all",
    }
    explained = explained_write_errors(
        Sentence("{path} cannot be written", path=path), "checkpoint-unwritable", errors=(OSError, SafetensorError)
    )
    with explained, whole_file(path, synced=True) as written:
        save_file(tensors, written, metadata)


def _read_safetensors(path: Path, name: str, unmarked: bool) -> CheckpointContent:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError) as error:
        raise UserError(
            "checkpoint-unreadable", "{name} cannot be read: {error}.", "Download it again.", name=name, error=error
        ) from error
    if metadata.get("format") == FORMAT and "config" in metadata:
        config, inference_only = Human3RConfig.from_json(metadata["config"]), metadata.get("contents") == "inference"
    elif unmarked and "config" not in metadata:
        config, inference_only = infer_config(tensors, "", name), False
    else:
        raise UserError(
            "checkpoint-unreadable",
            "{name} is not a Human3R checkpoint that this version can read.",
            "Choose another file, or update the add-on.",
            name=name,
        )
    with torch.device("meta"):
        names = Human3R(config, for_inference=inference_only).state_dict()
    for key in names:
        if key not in tensors and canonical_key(key) in tensors:
            tensors[key] = tensors[canonical_key(key)]
    return CheckpointContent(tensors, config, inference_only)
