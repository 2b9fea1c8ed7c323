# SPDX-License-Identifier: GPL-3.0-or-later
"""Small images in the sidebar: pixels in memory become icons, and Blender opens no file for them."""

from __future__ import annotations

import bpy
import bpy.utils.previews
import numpy as np

_collection: bpy.utils.previews.ImagePreviewCollection | None = None
_shown: dict[str, np.ndarray] = {}


def icon(name: str, rgb: np.ndarray) -> int:
    """The icon of an image, (H, W, 3) uint8 in sRGB, row 0 on top; one icon for a name, drawn anew for another image.

    0, which is no icon, while the add-on is being switched off.
    """
    if _collection is None:
        return 0
    preview = _collection.get(name) or _collection.new(name)
    if _shown.get(name) is not rgb:
        _shown[name] = rgb
        preview.image_size = rgb.shape[1], rgb.shape[0]
        preview.image_pixels_float.foreach_set(_pixels(rgb))
    return int(preview.icon_id)


def _pixels(rgb: np.ndarray) -> np.ndarray:
    """As Blender holds them: RGBA, row 0 at the bottom."""
    pixels = np.ones((*rgb.shape[:2], 4), np.float32)
    pixels[..., :3] = rgb[::-1] / np.float32(255)
    return pixels.ravel()


def switch_on() -> None:
    global _collection
    _collection = bpy.utils.previews.new()


def switch_off() -> None:
    global _collection
    if _collection is not None:
        bpy.utils.previews.remove(_collection)
    _collection = None
    _shown.clear()
