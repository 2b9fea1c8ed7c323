# SPDX-License-Identifier: GPL-3.0-or-later
"""Every other picture and a coarse place that is quick to draw, followed by the playhead while it runs."""

import bpy

settings = bpy.context.scene.human3r
settings.use_defaults()
settings.stride = 2
settings.voxel_size = 0.1
settings.max_points = 200_000
