# SPDX-License-Identifier: GPL-3.0-or-later
"""Executes a stored network: a list of operations on maps, and their weights.

`tools/convert_landmark_networks.py` writes the list. Each operation has a ``kind``, ``inputs`` and an ``output``
(names of values); the first value is ``input``, the picture. Maps are (n, channels, height, width):

* ``conv``: ``weight``, ``bias`` (may be missing), ``stride``, ``groups``, ``activation``, and ``padding`` with zeros
  left, right, top, bottom, which need not be alike: TensorFlow puts what is odd behind the picture
* ``linear``: ``weight`` and ``bias``, on vectors
* ``add``: the sum of two maps, then ``activation``
* ``prelu``: ``weight`` is each channel's slope below zero
* ``pool``: the largest of squares of ``side``, which do not overlap
* ``double``: twice the height and width, bilinear between the pixels' centres
* ``pad_channels``: ``count`` channels of zeros behind the others; ``first_channels``: the first ``count`` channels
* ``mean``: of each channel, a vector; ``flatten``: a map of one pixel as a vector; ``sigmoid``
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from .convolution import ACTIVATIONS, Convolution

INPUT = "input"

Operation = Mapping[str, Any]


class Graph(nn.Module):
    """A network that runs on pictures (n, height, width, 3) of bytes, all of them at once.

    Outputs are float32 whatever the precision, and what makes them from the last maps is computed in float32: they are
    pixels of up to a few hundred, where bfloat16 would count in steps of one.
    """

    def __init__(self, stored: Mapping[str, Any], weights: Mapping[str, Tensor], outputs: Iterable[str] = ()) -> None:
        """`stored`: the network as the asset lists it. `outputs`: those that are wanted, all of them if empty."""
        super().__init__()
        self.scale, self.offset = float(stored["scale"]), float(stored["offset"])
        self.multiple, self.size = int(stored["multiple"]), stored["size"]
        self.outputs = {name: stored["outputs"][name] for name in outputs or stored["outputs"]}
        operations = _needed(stored["operations"], set(self.outputs.values()))
        last = {name: index for index, item in enumerate(operations) for name in item["inputs"]}
        self.routes = [
            (tuple(item["inputs"]), item["output"], tuple({name for name in item["inputs"] if last[name] == index}))
            for index, item in enumerate(operations)
        ]
        self.steps = nn.ModuleList(_STEPS[item["kind"]](item, weights) for item in operations)
        self.heads = _heads(operations, set(self.outputs.values()))
        self.dtype = torch.float32

    def prepare(self, device: torch.device, dtype: torch.dtype) -> Self:
        """Move to a device and a precision, for inference."""
        self.eval().requires_grad_(False).to(device)
        for index, step in enumerate(self.steps):
            step.to(torch.float32 if index in self.heads else dtype)
            if isinstance(step, Convolution) and device.type == "cpu":
                step.fuse()
        self.dtype = dtype
        return self

    @torch.inference_mode()
    def forward(self, rgb: Tensor) -> dict[str, Tensor]:
        """The outputs by their names: maps (n, channels, height, width), or vectors (n, channels)."""
        values = {INPUT: rgb.permute(0, 3, 1, 2).to(self.dtype).mul_(self.scale).add_(self.offset)}
        for index, (inputs, output, done) in enumerate(self.routes):
            given = [values[name] for name in inputs]
            if index in self.heads:
                given = [value.float() for value in given]
            values[output] = self.steps[index](*given)
            for name in done:
                if name not in self.outputs.values():
                    del values[name]
        return {name: values[value] for name, value in self.outputs.items()}


class _Linear(nn.Module):
    def __init__(self, item: Operation, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.weight = nn.Parameter(weights[item["weight"]].float(), requires_grad=False)
        self.bias = nn.Parameter(weights[item["bias"]].float(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight, self.bias)


class _Slopes(nn.Module):
    def __init__(self, item: Operation, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.weight = nn.Parameter(weights[item["weight"]].float(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return functional.prelu(x, self.weight)


class _Sum(nn.Module):
    def __init__(self, item: Operation, _: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.activate = ACTIVATIONS[item["activation"]]

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.activate(x + y)


class _Pool(nn.Module):
    def __init__(self, item: Operation, _: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.side = item["side"]

    def forward(self, x: Tensor) -> Tensor:
        return functional.max_pool2d(x, self.side)


class _Double(nn.Module):
    def __init__(self, *_: object) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class _PadChannels(nn.Module):
    def __init__(self, item: Operation, _: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.count = item["count"]

    def forward(self, x: Tensor) -> Tensor:
        return functional.pad(x, (0, 0, 0, 0, 0, self.count))


class _FirstChannels(nn.Module):
    def __init__(self, item: Operation, _: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.count = item["count"]

    def forward(self, x: Tensor) -> Tensor:
        return x[:, : self.count]


class _Plain(nn.Module):
    """Operations without numbers of their own."""

    def __init__(self, item: Operation, _: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.apply_to = {
            "flatten": lambda x: x.flatten(1),
            "mean": lambda x: x.mean((2, 3)),
            "sigmoid": torch.sigmoid,
        }[item["kind"]]

    def forward(self, x: Tensor) -> Tensor:
        return self.apply_to(x)


_STEPS: dict[str, type[nn.Module]] = {
    "conv": Convolution,
    "linear": _Linear,
    "prelu": _Slopes,
    "add": _Sum,
    "pool": _Pool,
    "double": _Double,
    "pad_channels": _PadChannels,
    "first_channels": _FirstChannels,
    "mean": _Plain,
    "flatten": _Plain,
    "sigmoid": _Plain,
}


def _needed(operations: Iterable[Operation], outputs: set[str]) -> list[Operation]:
    wanted, kept = set(outputs), []
    for item in reversed(list(operations)):
        if item["output"] in wanted:
            wanted |= set(item["inputs"])
            kept.append(item)
    return kept[::-1]


def _heads(operations: list[Operation], outputs: set[str]) -> set[int]:
    """Which operations make the outputs: backwards from them up to the first one with weights."""
    wanted, found = set(outputs), set()
    for index in range(len(operations) - 1, -1, -1):
        item = operations[index]
        if item["output"] in wanted:
            found.add(index)
            if "weight" not in item:
                wanted |= set(item["inputs"])
    return found
