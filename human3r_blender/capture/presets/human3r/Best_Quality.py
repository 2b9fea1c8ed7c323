# SPDX-License-Identifier: GPL-3.0-or-later
"""Every picture, a fine place, exact surfaces of the bodies: more time, memory and file."""

import bpy

settings = bpy.context.scene.human3r
settings.use_defaults()
settings.voxel_size = 0.03
settings.max_points = 5_000_000
settings.pose_correctives = True
