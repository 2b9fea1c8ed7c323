# SPDX-License-Identifier: GPL-3.0-or-later
"""Every third frame and coarse scene points: a quick look at whether footage is worth a full capture."""

import bpy

settings = bpy.context.scene.human3r
settings.use_defaults()
settings.stride = 3
settings.voxel_size = 0.1
settings.max_points = 300_000
