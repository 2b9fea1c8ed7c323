# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene points as a point cloud, where the scene shows them."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from .....engine.contract.errors import UserError
from .....engine.contract.ply import write_ply
from .....engine.contract.sentences import Sentence
from .....engine.contract.take_export import PLY, PRODUCTS
from .....engine.contract.whole_file import explained_write_errors
from ....blender import tags
from ....scene import point_cloud
from .scene_file import SceneFile, Scenery


def write(path: Path, scenery: Scenery) -> None:
    """Write all points of the take, z up. Raises UserError (``no-points``, ``output-unwritable``)."""
    item = _points(scenery)
    position, color, confidence = point_cloud.read(item.data)
    world = np.array(item.matrix_world, dtype=np.float64)
    placed = position @ world[:3, :3].T + world[:3, 3]
    here = np.isfinite(placed).all(axis=1)
    with explained_write_errors(Sentence("{path} cannot be written", path=path), "output-unwritable"):
        write_ply(path, placed[here], color[here], confidence[here])


def _points(scenery: Scenery) -> bpy.types.Object:
    item = tags.find(scenery.take_root()[tags.TAKE], tags.POINTS, hint=point_cloud.NAME)
    if item is None or not len(item.data.vertices):
        raise UserError(
            "no-points",
            "The take has no scene points.",
            "Import it again with Points on. The environment of a camera that does not move may be a backdrop instead.",
        )
    return item


def _check(scenery: Scenery) -> None:
    _points(scenery)


FILES = (SceneFile(PLY, 5, *PRODUCTS[PLY], ".ply", write, _check),)
