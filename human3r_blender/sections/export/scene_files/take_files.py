# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine makes of a take and its footage, in the world that the scene shows it in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import bpy
import numpy as np

from .....engine.contract.errors import UserError
from .....engine.contract.take_export import COLMAP, DEPTH, FRAME_PLY, MASKS, PRODUCTS, TakeExportSettings, product_path
from ....blender import coordinates, tags
from ....scene import take_places
from .scene_file import SceneFile, Scenery


def take_of(root: bpy.types.Object) -> Path:
    """The take that a root was made from: where it was, or beside the .blend file. Raises UserError (``no-take``)."""
    recorded = tags.text(root, tags.TAKE_FILE)
    if not recorded:
        raise UserError(
            "no-take",
            "{name} does not say which take it was made from.",
            "Import the take (.h3r) again, and export it from there.",
            name=root.name,
        )
    found = take_places.take_file(root, os.path.exists)
    if found is not None and found.is_file():
        return found
    raise UserError(
        "no-take",
        "The take {path} is not there any more.",
        "Put it beside the .blend file. Takes of convert are kept with --take.",
        path=recorded,
    )


def arguments(
    root: bpy.types.Object,
    products: Sequence[str],
    folder: Path,
    stem: str,
    settings: TakeExportSettings,
    overwrite: bool,
) -> list[str]:
    """Those of ``engine export``. Raises UserError (``no-take``)."""
    world = np.array(root.matrix_world, dtype=np.float64)
    world[:3, :3] = world[:3, :3] @ coordinates.TAKE_TO_ROOT
    given = {item.name: str(getattr(settings, item.name)) for item in fields(settings)}
    footage = take_places.footage(root, os.path.exists)
    if not given["footage"] and footage is not None and not take_places.is_missing(footage, os.path.exists):
        given["footage"] = str(footage)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in given.items() if value]
    return [
        str(take_of(root)),
        f"--output={folder}",
        f"--name={stem}",
        f"--world-matrix={' '.join(map(repr, world.ravel().tolist()))}",
        *(f"--{product}" for product in products),
        *options,
        *(["--overwrite"] if overwrite else []),
    ]


def _check(scenery: Scenery) -> None:
    take_of(scenery.take_root())


def _take_file(product: str, number: int) -> SceneFile:
    ending = product_path(Path(), "", product).name
    return SceneFile(product, number, *PRODUCTS[product], ending, None, _check)


FILES = (_take_file(COLMAP, 6), _take_file(FRAME_PLY, 7), _take_file(DEPTH, 8), _take_file(MASKS, 9))
