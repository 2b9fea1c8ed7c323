# SPDX-License-Identifier: GPL-3.0-or-later
"""The six public networks of the built-in model, out of one file. NOTICE says whose they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import torch
from torch import Tensor

from ...contract.errors import UserError
from ...contract.json_checks import parse_json
from ...fingerprint import fingerprint
from .graph import Graph

ASSET = Path(__file__).parents[2] / "assets" / "landmarks.safetensors"

NAMES = ("detector", "body", "hand_crop", "hand", "face", "iris")


@dataclass(frozen=True)
class Networks:
    """The networks on one device. Each takes pictures (n, height, width, 3) of bytes, and gives float32 by name.

    A place in a picture is given in its pixels from the left and upper *edge*, as :mod:`.crops` takes it.
    """

    detector: Graph
    """MoveNet MultiPose, for whole frames with sides of multiples of 32. Maps of a pixel for four of the picture:
    ``centre`` (logits), ``box_size`` and ``box_offset`` (y, x), ``keypoint_from_centre`` (17 x (y, x)),
    ``keypoint_heat`` (17 logits), ``keypoint_offset`` (17 x (y, x))."""
    body: Graph
    """BlazePose GHUM, 256 pixels: ``landmarks`` 39 x (x, y, z, visibility, presence), the last two logits,
    ``presence`` 0..1, ``mask`` a map of 256 x 256 (logits), ``heat`` 39 maps of 64 x 64 (logits) of where each
    landmark is, ``world`` 39 x (x, y, z) in metres."""
    hand_crop: Graph
    """Where in a rough crop of 256 pixels the hand is: ``crop`` (x, y) of its centre, (x, y) of a point below it."""
    hand: Graph
    """224 pixels: ``landmarks`` 21 x (x, y, z), ``presence`` 0..1, ``right`` 0..1, ``world`` 21 x (x, y, z) in
    metres."""
    face: Graph
    """192 pixels: ``landmarks`` 468 x (x, y, z), ``presence`` (a logit)."""
    iris: Graph
    """64 pixels, a right eye or a mirrored left one: ``lids`` 71 x (x, y, z), ``iris`` 5 x (x, y, z)."""
    device: torch.device
    fingerprint: str
    """Tells this version of the file from others."""

    @classmethod
    def load(cls, device: torch.device, dtype: torch.dtype = torch.float32, path: Path = ASSET) -> Networks:
        """The networks on a device, in the precision that suits them best. Raises UserError (``landmarks-missing``,
        ``landmarks-damaged``)."""
        stored, tensors = _read(path)
        suited = suited_precision(device, dtype)
        try:
            graphs = {name: _build(stored[name], name, tensors).prepare(device, suited) for name in NAMES}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _damaged(path, f"it lacks {error}") from error
        return cls(**graphs, device=device, fingerprint=fingerprint(path))


def suited_precision(device: torch.device, dtype: torch.dtype) -> torch.dtype:
    """What the networks compute in where a precision is asked for.

    float16 stands for bfloat16, in which world landmarks are 65 mm off (3 mm in float16; the weights were trained for
    it). On the CPU nothing is faster than float32.
    """
    return torch.float32 if dtype == torch.float32 or device.type == "cpu" else torch.float16


def _build(stored: dict[str, Any], name: str, tensors: dict[str, Tensor]) -> Graph:
    own = {key.removeprefix(f"{name}."): tensor for key, tensor in tensors.items() if key.startswith(f"{name}.")}
    return Graph(stored, own)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    if not path.is_file():
        raise UserError(
            "landmarks-missing",
            "The built-in model is missing: there is no file {path}.",
            "Install the add-on again, from its zip file.",
            path=path,
        )
    try:
        with safetensors.safe_open(path, "pt") as file:
            return parse_json(file.metadata()["networks"]), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping, it only has keys()
    except (safetensors.SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(
        "landmarks-damaged",
        "The file of the built-in model, {path}, is damaged: {reason}.",
        "Install the add-on again, from its zip file.",
        path=path,
        reason=reason,
    )
