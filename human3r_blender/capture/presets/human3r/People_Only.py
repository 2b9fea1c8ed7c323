# SPDX-License-Identifier: GPL-3.0-or-later
"""People and camera, without scene points or a backdrop."""

import bpy

settings = bpy.context.scene.human3r
settings.use_defaults()
settings.voxel_size = 0.0
settings.import_points = False
settings.backdrop = False
settings.import_backdrop = False
