# SPDX-License-Identifier: GPL-3.0-or-later
"""Every other frame, and coarse scene points that are quick to draw while the capture runs."""

import bpy

settings = bpy.context.scene.human3r
settings.use_defaults()
settings.stride = 2
settings.voxel_size = 0.1
settings.max_points = 200_000
