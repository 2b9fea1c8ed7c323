# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on starts with."""

import bpy

settings = bpy.context.scene.human3r
settings.use_defaults()
