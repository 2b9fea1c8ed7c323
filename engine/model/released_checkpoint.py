# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the released files: pickled dictionaries whose code is never run and whose sizes come from the tensors.

A pickle can name any function to be called; :func:`read_pickle` lets torch's weights-only unpickler read it, which
builds tensors and plain containers and refuses everything else.
"""

from __future__ import annotations

import argparse
import ast
import math
import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..contract.errors import UserError
from .config import PRIORS, RELEASED, Human3RConfig, released


class _StandIn(dict):
    """Takes the place of a configuration library's class: holds what the file says, and can do nothing."""

    def __init__(self, *_: object) -> None:
        super().__init__()


_CONFIGURATION_CLASSES = (
    "omegaconf.dictconfig.DictConfig", "omegaconf.listconfig.ListConfig", "omegaconf.nodes.AnyNode",
    "omegaconf.base.ContainerMetadata", "omegaconf.base.Metadata", "typing.Any", "collections.defaultdict",
    "builtins.dict", "builtins.list", "builtins.int",
)  # fmt: skip

ALLOWED_CLASSES: list[Any] = [argparse.Namespace, *((_StandIn, name) for name in _CONFIGURATION_CLASSES)]
"""What may occur in a checkpoint beside tensors and plain containers: the training arguments, as a namespace or as an
OmegaConf object, which is neither installed nor built: a stand-in receives its fields."""

_HEAD_WIDTH = 64
"""Width of an attention head in a ViT of unusual size."""

_MAX_EXPRESSION = 20_000


def read_pickle(path: Path) -> tuple[dict[str, Tensor], str]:
    """The state dict of a pickled checkpoint and its constructor expression in text ("" where there is none).

    Tensors stay in the file until they are used (where its format allows). A ``module.`` before the names is removed.
    Raises UserError: ``checkpoint-unreadable``, ``checkpoint-unsafe``.
    """
    try:
        stored = _stored_bytes(path)
        with torch.serialization.safe_globals(ALLOWED_CLASSES):
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=stored is not None)
    except pickle.UnpicklingError as error:
        raise UserError(
            "checkpoint-unsafe",
            "{name} holds more than weights: {reason}",
            "Use a checkpoint from a source that you trust. This one was not loaded.",
            name=path.name,
            reason=_first_line(error),
        ) from error
    except Exception as error:  # a damaged pickle can end in any exception
        raise UserError(
            "checkpoint-unreadable",
            "{name} cannot be read: {reason}",
            "Download it again.",
            name=path.name,
            reason=_first_line(error),
        ) from error
    state = content.get("model", content) if isinstance(content, Mapping) else None
    if not isinstance(state, Mapping) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in state.items()
    ):
        raise UserError(
            "checkpoint-unreadable",
            "{name} does not hold named tensors.",
            "Choose a Human3R checkpoint.",
            name=path.name,
        )
    storages = {value.untyped_storage().data_ptr(): value.untyped_storage().nbytes() for value in state.values()}
    if stored is not None and sum(storages.values()) > stored:  # mapped, it would read on beyond a member's end
        raise UserError(
            "checkpoint-unreadable",
            "{name} is incomplete: it holds less than it claims.",
            "Download it again.",
            name=path.name,
        )
    return {key.removeprefix("module."): value for key, value in state.items()}, _expression(content.get("args"))


def _stored_bytes(path: Path) -> int | None:
    """Bytes of tensors in a zip; None for another file. Raises ValueError for a compressed one."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("its tensors are compressed, which no version of torch writes")
    return sum(member.file_size for member in members if "/data/" in member.filename)


def _expression(arguments: object) -> str:
    """The text of the training arguments' ``model`` field, "" where there is none."""
    if isinstance(arguments, _StandIn):
        arguments = getattr(arguments, "_content", None)
    value = arguments.get("model") if isinstance(arguments, Mapping) else getattr(arguments, "model", None)
    if isinstance(value, _StandIn):
        value = getattr(value, "_val", None)
    return value if isinstance(value, str) else ""


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    named = re.search(r"(?:Unsupported|unsupported)[^\n]*", text)
    return (named[0] if named else text.splitlines()[0] if text else type(error).__name__)[:300]


def literal_arguments(expression: str) -> dict[str, Any]:
    """Keyword arguments with literal values, anywhere in a constructor expression. Nothing is evaluated."""
    if len(expression) > _MAX_EXPRESSION:
        return {}
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg is not None:
            try:
                found[node.arg] = ast.literal_eval(node.value)
            except ValueError:
                continue  # not a literal, such as -inf
    return found


def infer_config(tensors: Mapping[str, Tensor], expression: str, file_name: str) -> Human3RConfig:
    """The configuration of a checkpoint: sizes from its tensors' shapes, the rest from its constructor expression.

    Head counts and resolutions do not show in shapes (the prior's position embedding has 37 x 37 patches at every
    resolution, and is resized in use); where the expression does not tell, head counts are the released
    ones, and the prior resolution is read off the file's name (``human3r_672S.pth``) or is that of the only released
    variant with this prior encoder: ViT-S and ViT-B come in one resolution, ViT-L in two. A size whose tensor is
    missing becomes the released one, so that the loader can report what is missing. Raises UserError
    (``checkpoint-unknown-size``, ``bad-model-config``).
    """
    told, default = literal_arguments(expression), Human3RConfig()

    def size(key: str, axis: int, otherwise: int) -> int:
        return tensors[key].shape[axis] if key in tensors and tensors[key].dim() > axis else otherwise

    def depth(prefix: str, otherwise: int) -> int:
        numbers = {
            int(key[len(prefix) :].split(".")[0])
            for key in tensors
            if key.startswith(prefix) and key[len(prefix) :].split(".")[0].isdigit()
        }
        return len(numbers) or otherwise

    prior_width = size("backbone.encoder.cls_token", 2, default.prior_width)
    known_heads = {width: heads for width, _, heads in PRIORS.values()}
    dense = "downstream_head.dpt_self"
    decoder_heads = told.get("dec_num_heads", default.decoder_heads)
    image_size = told.get("img_size", default.image_size)
    if isinstance(image_size, tuple | list) and image_size and all(type(side) is int for side in image_size):
        image_size = max(image_size)
    return Human3RConfig(
        image_size=image_size,
        encoder_width=size("patch_embed.proj.weight", 0, default.encoder_width),
        encoder_depth=depth("enc_blocks.", default.encoder_depth),
        encoder_heads=told.get("enc_num_heads", default.encoder_heads),
        decoder_width=size("decoder_embed.weight", 0, default.decoder_width),
        decoder_depth=depth("dec_blocks.", default.decoder_depth),
        decoder_heads=decoder_heads,
        state_heads=told.get("state_dec_num_heads", default.state_heads),
        state_tokens=size("register_tokens.weight", 0, default.state_tokens),
        memory_slots=size("pose_retriever.mem", 1, default.memory_slots),
        memory_heads=decoder_heads,
        prior_width=prior_width,
        prior_depth=depth("backbone.encoder.blocks.", default.prior_depth),
        prior_heads=known_heads.get(prior_width, max(1, prior_width // _HEAD_WIDTH)),
        prior_resolution=_prior_resolution(told, file_name, prior_width),
        prior_grid=math.isqrt(max(1, size("backbone.encoder.pos_embed", 1, 1 + default.prior_grid**2) - 1)),
        dense_width=size(f"{dense}.scratch.layer1_rn.weight", 0, default.dense_width),
        dense_level_widths=tuple(
            size(f"{dense}.act_postprocess.{level}.0.weight", 0, width)
            for level, width in enumerate(default.dense_level_widths)
        ),  # type: ignore[arg-type]
        ray_map_depth=depth("enc_blocks_ray_map.", default.ray_map_depth),
    )


def _prior_resolution(told: Mapping[str, Any], file_name: str, prior_width: int) -> int:
    if "mhmr_img_res" in told:
        return told["mhmr_img_res"]
    named = re.search(r"(?<!\d)(\d{3,4})[SBL](?![A-Za-z])", file_name)
    if named is not None:
        return int(named[1])
    possible = [variant for variant in RELEASED if PRIORS[variant[-1]][0] == prior_width]
    if len(possible) == 1:
        return released(possible[0]).prior_resolution
    said = "{name} does not say at which resolution its human-prior encoder works."
    if possible:
        said = (
            "{name} does not say whether it is {variants}. Their tensors have the same shapes; they differ only in the "
            "resolution of the human prior, which neither the file's name nor any training arguments in it tell."
        )
    raise UserError(
        "checkpoint-unknown-size",
        said,
        "Give the file its released name, such as human3r_896L.pth.",
        name=file_name,
        variants=" or ".join(possible),
    )
