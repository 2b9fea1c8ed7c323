# SPDX-License-Identifier: GPL-3.0-or-later
"""A released checkpoint becomes a file of our own, once: what inference needs, mapped into memory at every later start.

The source is read without running anything in it (:mod:`.released_checkpoint`) and stays mapped; tensors go one by one
to the target, so that memory hardly grows with the file. Beside the target lies a manifest. It is written last and
says how the target must look, so that a target without its manifest, or of another size, does not count.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import Tensor

from ..contract.disk_space import require_space
from ..contract.errors import UserError
from ..contract.json_checks import BadJson, build, read_json
from ..contract.sentences import Sentence
from ..contract.whole_file import explained_write_errors, whole_file
from .checkpoint import FORMAT, check_fits, read_checkpoint
from .config import Human3RConfig, variant_of
from .human3r import Human3R
from .precision import bears_half

CONVERTER = "Human3R for Blender, converter 1"

HALF = "float16"
"""What manifests call half precision; norms, biases, tokens and heads are float32 even then (:mod:`.precision`)."""

_TYPE_NAMES = {torch.float32: "F32", torch.float16: "F16", torch.int64: "I64"}
_BLOCK = 1 << 22

Progress = Callable[[int, int], None]
"""Called with the bytes done and in all. What it raises (to cancel) ends the work and leaves nothing behind."""


@dataclass(frozen=True)
class Manifest:
    """What lies beside a converted checkpoint, as JSON."""

    source_name: str
    source_bytes: int
    source_sha256: str
    variant: str
    """``672S``, ``672B``, ``672L``, ``896L``, or ``custom`` for other sizes."""
    precision: str
    """``float32`` or ``float16``."""
    tensors: int
    bytes: int
    """Size of the converted file."""
    sha256: str
    """Of the converted file."""
    converter: str
    converted: str
    """Date and time, UTC, ISO 8601."""
    note: str = ""
    """What differed in the source, of all that is not used."""


def manifest_path(target: Path) -> Path:
    """Where the manifest of a converted checkpoint lies."""
    return target.with_suffix(".json")


def read_manifest(target: Path) -> Manifest | None:
    """The manifest of a converted checkpoint; None unless both are there and the file has its size."""
    try:
        manifest = build(Manifest, read_json(manifest_path(target)))
        return manifest if target.stat().st_size == manifest.bytes else None
    except (OSError, BadJson):
        return None


def convert_checkpoint(
    source: Path, target: Path, *, half: bool = False, progress: Progress | None = None, name: str = ""
) -> Manifest:
    """Convert a released checkpoint (.pth, or .safetensors) to ``target`` (.safetensors) with a manifest beside it.

    ``half`` stores in float16 what bears it (:func:`.precision.bears_half`). ``name`` is the source's released name
    where its file has another: only the name or the training arguments tell 672L and 896L apart. Both files appear
    whole or not at all. Raises UserError: what :func:`.checkpoint.load_checkpoint` raises, ``disk-full``,
    ``checkpoint-unwritable``.
    """
    if target.suffix != ".safetensors":
        raise UserError(
            "checkpoint-unwritable",
            "{name} is not a valid file name for converted weights.",
            "Use a name that ends in .safetensors.",
            name=target.name,
        )
    name = name or source.name
    content = read_checkpoint(source, name, unmarked=True)
    note = check_fits(content.config, content.tensors, name, inference_only=content.inference_only)
    with torch.device("meta"):
        needed = Human3R(content.config, for_inference=True).state_dict()
    tensors = {key: content.tensors[key] for key in needed}
    size = source.stat().st_size
    if sum(tensor.nbytes for tensor in tensors.values()) > size:  # views that repeat a few numbers for ever
        raise UserError(
            "checkpoint-unsafe",
            "{name} claims to hold more weights than there are in the file.",
            "Use a checkpoint from a source that you trust. This one was not converted.",
            name=name,
        )
    layout = _Layout.plan(tensors, content.config, half)
    meter = _Meter(size + layout.bytes, progress)
    more_space = "Free some space, choose another folder, or convert to half precision."
    require_space(target.parent, layout.bytes, Sentence("The converted {name}", name=name), more_space)
    explained = explained_write_errors(Sentence("{path} cannot be written", path=target), "checkpoint-unwritable")
    new_manifest, new_weights = whole_file(manifest_path(target), synced=True), whole_file(target, synced=True)
    with explained, new_manifest as written_manifest, new_weights as written:  # left in reverse: the weights come first
        sha256 = _write_weights(written, layout, tensors, meter)
        manifest = Manifest(
            source_name=name,
            source_bytes=size,
            source_sha256=_sha256(source, meter),
            variant=variant_of(content.config) or "custom",
            precision=HALF if half else "float32",
            tensors=len(tensors),
            bytes=layout.bytes,
            sha256=sha256,
            converter=CONVERTER,
            converted=datetime.now(UTC).isoformat(timespec="seconds"),
            note=note,
        )
        written_manifest.write_text(json.dumps(asdict(manifest), indent=2) + "\n", encoding="utf-8")
        # Until both are there no manifest is, so that a crash leaves nothing that counts.
        manifest_path(target).unlink(missing_ok=True)
    return manifest


@dataclass(frozen=True)
class _Layout:
    """A safetensors file before it is written: eight bytes of length, a header in JSON, then the tensors."""

    header: bytes
    types: dict[str, torch.dtype]
    """Type of each tensor in the file, in the order of the file."""
    bytes: int
    """Size of the whole file."""

    @classmethod
    def plan(cls, tensors: Mapping[str, Tensor], config: Human3RConfig, half: bool) -> _Layout:
        types = {key: _type_in_file(key, tensor, half) for key, tensor in tensors.items()}
        order = sorted(types, key=lambda key: (-types[key].itemsize, key))  # wide types first: all lie aligned
        entries: dict[str, object] = {
            "__metadata__": {"format": FORMAT, "config": config.to_json(), "contents": "inference"}
        }
        end = 0
        for key in order:
            begin, end = end, end + tensors[key].numel() * types[key].itemsize
            entries[key] = {
                "dtype": _TYPE_NAMES[types[key]],
                "shape": list(tensors[key].shape),
                "data_offsets": [begin, end],
            }
        text = json.dumps(entries).encode("utf-8")
        text += b" " * (-len(text) % 8)
        return cls(struct.pack("<Q", len(text)) + text, {key: types[key] for key in order}, 8 + len(text) + end)


def _type_in_file(key: str, tensor: Tensor, half: bool) -> torch.dtype:
    if not tensor.is_floating_point():
        return torch.int64
    return torch.float16 if half and bears_half(key, tensor) else torch.float32


class _Meter:
    """Counts the bytes of reading and writing together."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def add(self, count: int) -> None:
        self._done += count
        if self._progress is not None:
            self._progress(self._done, self._total)


def _write_weights(path: Path, layout: _Layout, tensors: Mapping[str, Tensor], meter: _Meter) -> str:
    """Write the file tensor by tensor and return its SHA-256 (the library's own writer wants all of them at once)."""
    digest = hashlib.sha256(layout.header)
    with open(path, "wb") as file:
        file.write(layout.header)
        meter.add(len(layout.header))
        for key, dtype in layout.types.items():
            values = tensors[key].detach().to(dtype).contiguous().numpy().reshape(-1).view("u1").data
            for first in range(0, len(values), _BLOCK):
                block = values[first : first + _BLOCK]
                file.write(block)
                digest.update(block)
                meter.add(len(block))
    return digest.hexdigest()


def _sha256(path: Path, meter: _Meter) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            meter.add(len(block))
    return digest.hexdigest()
