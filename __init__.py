# SPDX-License-Identifier: GPL-3.0-or-later
"""Human3R for Blender: the root of the extension. The add-on is in human3r_blender/, the engine in engine/."""

from .human3r_blender import register, unregister

__all__ = ["register", "unregister"]
