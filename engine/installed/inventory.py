# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies on this machine, seen from names, sizes and manifests alone: fast enough to be drawn, and no hashing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..contract.json_checks import BadJson, read_json
from ..contract.settings import BUILT_IN
from .locations import body_path, downloads_folder, weights_folder
from .registry import ITEMS, Item


@dataclass(frozen=True)
class Status:
    """One item, here and now."""

    item: Item
    installed: bool
    """Whether the product can use it."""
    path: Path
    """Where it lies, or would."""
    bytes: int
    """Of what is installed."""
    precision: str
    """``float32`` or ``float16`` of installed weights, "" otherwise."""
    original_bytes: int
    """Of the publisher's file in the downloads folder; 0 where it is not (any more)."""
    unfinished_bytes: int
    """What an interrupted download has so far."""


def status(item: Item) -> Status:
    """The item's state on this machine."""
    path, manifest = installed_path(item), {}
    size = _size(path)
    installed = size > 0
    if item.kind == "weights":
        manifest = read_manifest(path)
        installed = installed and manifest.get("bytes") == size
    return Status(
        item,
        installed,
        path,
        size if installed else 0,
        str(manifest.get("precision", "")),
        _size(original_path(item)),
        _size(part_path(original_path(item))),
    )


def statuses(items: Sequence[Item] = ITEMS) -> list[Status]:
    """All items' states, in the registry's order."""
    return [status(item) for item in items]


def installed_weights() -> list[Status]:
    """The released weights that are installed, the largest first."""
    return [here for item in ITEMS if item.kind == "weights" and (here := status(item)).installed]


def default_model(on_cpu: bool) -> str:
    """What the model ``default`` comes to here: the released weights that suit the device, else the built-in model."""
    installed = installed_weights()
    return installed[-1 if on_cpu else 0].item.name if installed else BUILT_IN


def installed_path(item: Item) -> Path:
    """Where the item lies when installed: converted weights, or the body file."""
    return body_path() if item.kind == "body" else weights_folder() / f"{item.name}.safetensors"


def manifest_path(path: Path) -> Path:
    """The manifest beside converted weights."""
    return path.with_suffix(".json")


def original_path(item: Item) -> Path:
    """Where the publisher's file lies after its download."""
    return downloads_folder() / item.file


def part_path(target: Path) -> Path:
    """The unfinished form of a download."""
    return target.with_name(target.name + ".part")


def origin_path(target: Path) -> Path:
    """The note beside an unfinished download that says what it is a part of."""
    return target.with_name(target.name + ".part.json")


def read_manifest(weights: Path) -> dict[str, object]:
    """The converter's manifest of installed weights; empty where there is none or it is damaged."""
    try:
        content = read_json(manifest_path(weights))
    except (OSError, BadJson):
        return {}
    return content if isinstance(content, dict) else {}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
