"""A network as the engine stores it: operations in order, and tensors in torch's layout.

`engine/landmarks/networks/graph.py` executes these operations and says what each of them means.
"""

import json
from dataclasses import dataclass, field

import numpy as np

INPUT = "input"
"""What operations call the picture."""


@dataclass
class StoredNetwork:
    """Operations of one network, in the order in which they run."""

    scale: float
    """The picture's bytes are multiplied by this..."""
    offset: float
    """...and this is added."""
    multiple: int
    """Sides of the picture are multiples of this many pixels..."""
    size: int | None
    """...or exactly this many, where the network takes no other."""
    operations: list[dict] = field(default_factory=list)
    tensors: dict[str, np.ndarray] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    """Name of each output -> the value that it is."""

    def header(self) -> dict:
        """All but the tensors, for JSON."""
        return {
            "scale": self.scale,
            "offset": self.offset,
            "multiple": self.multiple,
            "size": self.size,
            "outputs": self.outputs,
            "operations": self.operations,
        }


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's padding SAME along one side: before and after. What is odd comes after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def tidy(network: StoredNetwork) -> StoredNetwork:
    """Fold pads into the convolutions behind them, leave out what no output needs, number the values anew."""
    network.operations = _without_pads(network)
    network.operations = _needed(network)
    names = {INPUT: INPUT} | {item["output"]: f"v{index}" for index, item in enumerate(network.operations)}
    for item in network.operations:
        item["inputs"] = [names[name] for name in item["inputs"]]
        item["output"] = names[item["output"]]
    network.outputs = {called: names[name] for called, name in network.outputs.items()}
    used = [item[key] for item in network.operations for key in ("weight", "bias") if key in item]
    network.tensors = {name: network.tensors[name] for name in used}
    return network


def pack(networks: dict[str, StoredNetwork]) -> bytes:
    """One safetensors file. All that is not a tensor is one entry of the metadata, for their order is not kept."""
    import safetensors.numpy

    tensors = {
        f"{called}.{name}": np.ascontiguousarray(tensor)
        for called, network in networks.items()
        for name, tensor in network.tensors.items()
    }
    header = {called: network.header() for called, network in networks.items()}
    return safetensors.numpy.save(tensors, {"networks": json.dumps(header, separators=(",", ":"))})


def _without_pads(network: StoredNetwork) -> list[dict]:
    pads = {item["output"]: item for item in network.operations if item["kind"] == "pad"}
    kept = []
    for item in network.operations:
        if item["kind"] == "pad":
            continue
        fed = [name for name in item["inputs"] if name in pads]
        if fed:
            assert item["kind"] == "conv" and not any(item["padding"]), "a pad that is no convolution's"
            pad = pads[fed[0]]
            item = item | {"inputs": pad["inputs"], "padding": pad["padding"]}
        kept.append(item)
    return kept


def _needed(network: StoredNetwork) -> list[dict]:
    wanted, kept = set(network.outputs.values()), []
    for item in reversed(network.operations):
        if item["output"] in wanted:
            wanted |= set(item["inputs"])
            kept.append(item)
    return kept[::-1]
