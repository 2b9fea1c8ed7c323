# SPDX-License-Identifier: GPL-3.0-or-later
"""From the publisher's file to what the product loads: weights are converted once, the body is checked and stripped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from engine.contract.errors import UserError

from . import records
from .inventory import installed_path
from .registry import Item
from .reporting import Reporter
from .validate import measure

BODY_SUFFIXES = (".zip", ".npz", ".pkl")
WEIGHTS_SUFFIXES = (".pth", ".pt", ".safetensors")


def install(item: Item, source: Path, half: bool, reporter: Reporter) -> Path:
    """Install the item from its publisher's file, or from one like it; returns where it lies now.

    What was installed before is replaced as a whole or untouched. Raises UserError: what the converter and the body's
    reader raise, and ``wrong-variant``.
    """
    target = installed_path(item)
    if item.kind == "body":
        from engine.contract.body_files import install_body

        reporter.stage("install")
        install_body(source, target)
        records.remember_installed(target.name, measure(target))
        return target
    from engine.model.conversion import convert_checkpoint

    reporter.stage("convert")
    _require_variant(item, source)
    convert_checkpoint(source, target, half=half, progress=reporter.progress, name=item.file)
    return target


def _require_variant(item: Item, source: Path) -> None:
    """Raises UserError (``wrong-variant``) where the tensors are another variant's."""
    from engine.model.checkpoint import read_checkpoint
    from engine.model.config import variant_of

    found = variant_of(read_checkpoint(source, item.file, unmarked=True).config) or "custom"
    if found != item.variant:
        other = f"the weights {found}" if found != "custom" else "weights of another size than the released ones"
        raise UserError("wrong-variant", f"{source.name} holds {other}, not {item.name}.",
                        f"Import it with --name {found}." if found != "custom" else
                        "Leave it where it is, and choose the file itself as the model.")


def recognise(path: Path, name: str, items: Sequence[Item]) -> Item:
    """The item that a file on disk is to become: by ``name`` if given, else by the file's own name.

    Raises UserError: ``file-missing``, ``file-unknown``, ``name-needed``.
    """
    if not path.is_file():
        raise UserError("file-missing", f"There is no file {path}.", "Choose an existing file.")
    suffix = path.suffix.lower()
    kind = "body" if suffix in BODY_SUFFIXES else "weights" if suffix in WEIGHTS_SUFFIXES else ""
    candidates = [item for item in items if item.kind == kind]
    if not candidates:
        raise UserError("file-unknown", f"{path.name} is neither weights nor a body.",
                        f"Choose {', '.join(WEIGHTS_SUFFIXES)} for weights, {', '.join(BODY_SUFFIXES)} for the body.")
    if name:
        candidates = [item for item in candidates if item.name == name]
    elif kind == "weights":
        words = re.split(r"[^0-9A-Za-z]+", path.stem)
        candidates = [item for item in candidates if item.name in words]
    if len(candidates) != 1:
        names = ", ".join(item.name for item in items if item.kind == kind)
        raise UserError("name-needed", f"{path.name} does not say which item it is.", f"Give --name, one of {names}.")
    return candidates[0]


def refuse_other_content(item: Item, source: Path, reporter: Reporter) -> None:
    """Raises UserError (``file-changed``) where weights on disk are not those that were published under that name."""
    if item.kind == "weights" and source.suffix != ".safetensors":
        reporter.stage("verify")
        records.refuse_difference(item, measure(source, reporter.progress), str(source.parent))
