# SPDX-License-Identifier: GPL-3.0-or-later
"""Every third picture and a coarse place: to see whether a video is worth the full run."""

import bpy

settings = bpy.context.scene.human3r
settings.use_defaults()
settings.stride = 3
settings.voxel_size = 0.1
settings.max_points = 300_000
