"""MoveNet MultiPose as a graph model of TensorFlow.js: nodes in JSON, weights in one binary file, channels last.

Only the network is taken: the maps that its six heads make. What follows in the graph, which turns the maps into six
people, is written anew in `engine/landmarks/networks/detector.py`, without a limit of six.
"""

from __future__ import annotations

import base64
import json

import numpy as np

from .stored import INPUT, StoredNetwork, same_padding

HEADS = {
    "centre": "center_0",
    "box_size": "box_scale_0",
    "box_offset": "box_offset_0",
    "keypoint_from_centre": "kpt_regress_0",
    "keypoint_heat": "kpt_heatmap_0",
    "keypoint_offset": "kpt_offset_0",
}
"""What the engine calls each head -> what the graph calls it."""

_PICTURE = "StatefulPartitionedCall/sub_1"
"""The node that holds the picture scaled to -1..1."""
_SCALE = "StatefulPartitionedCall/truediv"
_MULTIPLE = 32
"""The coarsest maps have a pixel for so many of the picture."""
_SAME = "SAME"
_CONVOLUTIONS = ("_FusedConv2D", "FusedDepthwiseConv2dNative", "DepthwiseConv2dNative")
_ACTIVATIONS = {"Relu": "relu", "Relu6": "relu6"}


def read(topology: bytes, weights: bytes) -> StoredNetwork:
    """The network in a graph model's two files."""
    model = json.loads(topology)
    constants = _constants(model["weightsManifest"], weights)
    scale = float(np.unique(constants[_SCALE]).item())
    made = StoredNetwork(scale=scale, offset=-1.0, multiple=_MULTIPLE, size=None)
    names, sides = {_PICTURE: INPUT}, {INPUT: 8 * _MULTIPLE}
    for node in model["modelTopology"]["node"]:
        inputs = [names[name] for name in node.get("input", []) if name in names]
        operation = _operation(node, inputs, constants, made, sides)
        if operation is not None:
            names[node["name"]] = node["name"]
            made.operations.append(operation)
    for called, head in HEADS.items():
        made.outputs[called] = [name for name in names if f"/{head}/" in name and name.endswith("BiasAdd")][-1]
    return made


def _constants(manifest: list, content: bytes) -> dict[str, np.ndarray]:
    constants, place = {}, 0
    for weight in (weight for group in manifest for weight in group["weights"]):
        dtype = np.dtype(weight.get("quantization", weight)["dtype"])
        count = int(np.prod(weight["shape"], dtype=int))
        constants[weight["name"]] = np.frombuffer(content, dtype, count, place).reshape(weight["shape"])
        place += count * dtype.itemsize
    assert place == len(content), "weights that the list does not name"
    return constants


def _operation(node: dict, inputs: list[str], constants: dict, made: StoredNetwork, sides: dict) -> dict | None:
    """The operation of one node, or nothing where it is none of the network. `sides` is each value's side, kept up."""
    kind, name, attributes = node["op"], node["name"], node.get("attr", {})
    if not inputs:
        return None
    side = sides[inputs[0]]
    common = {"inputs": inputs, "output": name}
    if kind in _CONVOLUTIONS:
        found = _convolution(node, attributes, constants, made, side)
        sides[name] = side // found["stride"]
        return {"kind": "conv", **common, **found}
    if kind == "AddV2" and len(inputs) == 2:
        sides[name] = side
        return {"kind": "add", **common, "activation": ""}
    if kind == "ResizeBilinear":
        assert attributes["half_pixel_centers"]["b"] and not attributes["align_corners"]["b"]
        sides[name] = 2 * side
        return {"kind": "double", **common}
    return None


def _convolution(node: dict, attributes: dict, constants: dict, made: StoredNetwork, side: int) -> dict:
    depthwise = "epthwise" in node["op"]
    kernel = constants[node["input"][1]].transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
    assert not depthwise or kernel.shape[1] == 1, "a depthwise convolution that makes channels"
    _, stride, across, _ = (int(step) for step in attributes["strides"]["list"]["i"])
    assert stride == across and set(attributes["dilations"]["list"]["i"]) == {"1"}
    same = _text(attributes["padding"]["s"]) == _SAME
    padding = same_padding(side, kernel.shape[-1], stride) if same else (0, 0)
    fused = [_text(name) for name in attributes.get("fused_ops", {}).get("list", {}).get("s", [])]
    (activation,) = [_ACTIVATIONS[name] for name in fused if name != "BiasAdd"] or [""]
    number = len(made.operations)
    made.tensors[f"{number}.weight"] = kernel
    found = {"weight": f"{number}.weight"}
    if "BiasAdd" in fused:
        made.tensors[f"{number}.bias"] = constants[node["input"][2]]
        found["bias"] = f"{number}.bias"
    groups = len(kernel) if depthwise else 1
    return found | {"stride": stride, "padding": [*padding, *padding], "groups": groups, "activation": activation}


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()
