# SPDX-License-Identifier: GPL-3.0-or-later
"""From the publisher's file to what the product loads: weights are converted once, the body is checked and stripped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from engine.contract.errors import UserError
from engine.installed.inventory import installed_path
from engine.installed.registry import Item

from . import records
from .records import Figures
from .reporting import Reporter
from .validate import measure

BODY_SUFFIXES = (".zip", ".npz", ".pkl")
WEIGHTS_SUFFIXES = (".pth", ".pt", ".safetensors")
_OTHER_VARIANT = "{file} contains the weights {found}, not {wanted}.", "Import it with --name {found}."


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
        if found == "custom":
            message = "{file} contains weights of a different size than the released ones, not {wanted}."
            remedy = "Leave the file where it is, and choose it as the model."
        else:
            message, remedy = _OTHER_VARIANT
        raise UserError("wrong-variant", message, remedy, file=source.name, found=found, wanted=item.name)


def recognise(path: Path, name: str, items: Sequence[Item], reporter: Reporter) -> Item:
    """The item that a file on disk is to become: by ``name`` if given, else by the file's name, else by its content.

    Raises UserError: ``file-missing``, ``file-unknown``, ``name-needed``, and what reading weights raises.
    """
    if not path.is_file():
        raise UserError("file-missing", "The file {path} does not exist.", "Choose an existing file.", path=path)
    suffix = path.suffix.lower()
    kind = "body" if suffix in BODY_SUFFIXES else "weights" if suffix in WEIGHTS_SUFFIXES else ""
    candidates = [item for item in items if item.kind == kind]
    if not candidates:
        raise UserError(
            "file-unknown",
            "{name} is neither weights nor a body.",
            "Choose {weights_suffixes} for weights, {body_suffixes} for the body.",
            name=path.name,
            weights_suffixes=", ".join(WEIGHTS_SUFFIXES),
            body_suffixes=", ".join(BODY_SUFFIXES),
        )
    named = candidates
    if name:
        named = [item for item in candidates if item.name == name]
    elif kind == "weights":
        words = re.split(r"[^0-9A-Za-z]+", path.stem)
        named = [item for item in candidates if item.name in words] or _by_content(path, candidates, reporter)
    if len(named) != 1:
        names = ", ".join(item.name for item in candidates)
        raise UserError(
            "name-needed",
            "It is not clear from {name} which weights or body it is.",
            "Use --name with one of {names}.",
            name=path.name,
            names=names,
        )
    return named[0]


def _by_content(path: Path, items: Sequence[Item], reporter: Reporter) -> list[Item]:
    """The items whose weights these are by their tensors; where two have the same ones, by the hash that is known."""
    from engine.model.checkpoint import read_checkpoint
    from engine.model.config import variant_of

    try:
        variant = variant_of(read_checkpoint(path, path.name, unmarked=True).config) or "custom"
        return [item for item in items if item.variant == variant]
    except UserError as error:
        if error.code != "checkpoint-unknown-size":
            raise
        reporter.stage("verify")
        known = _published_as(measure(path, reporter.progress), items)
        if not known:
            raise
        return known


def _published_as(figures: Figures, items: Sequence[Item]) -> list[Item]:
    return [item for item in items if records.known(item).sha256 == figures.sha256]


def refuse_other_content(item: Item, source: Path, items: Sequence[Item], reporter: Reporter) -> None:
    """Raises UserError where weights on disk are not those that were published under that name.

    ``wrong-variant`` where they were published under another one of ``items``, else ``file-changed``.
    """
    if item.kind == "weights" and source.suffix != ".safetensors":
        reporter.stage("verify")
        measured = measure(source, reporter.progress)
        other = [found.name for found in _published_as(measured, items) if found.name != item.name]
        if other:
            raise UserError(
                "wrong-variant",
                *_OTHER_VARIANT,
                file=source.name,
                found=other[0],
                wanted=item.name,
            )
        records.refuse_difference(item, measured, str(source.parent))
