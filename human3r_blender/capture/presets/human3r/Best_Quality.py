# SPDX-License-Identifier: GPL-3.0-or-later
"""Every frame, fine scene points and exact body surfaces: takes more time, memory and disk space."""

import bpy

settings = bpy.context.scene.human3r
settings.use_defaults()
settings.voxel_size = 0.03
settings.max_points = 5_000_000
settings.pose_correctives = True
