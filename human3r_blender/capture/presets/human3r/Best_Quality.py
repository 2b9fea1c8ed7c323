# SPDX-License-Identifier: GPL-3.0-or-later
"""Every picture, a fine place, exact surfaces of the bodies: more time, memory and file."""

import bpy

settings = bpy.context.scene.human3r

settings.stride = 1
settings.reset_interval = 100
settings.camera = "auto"
settings.ttt3r = True
settings.detection_threshold = 0.3
settings.track_memory = 10_000
settings.point_confidence = 1.005
settings.voxel_size = 0.03
settings.max_points = 5_000_000
settings.point_maps = False
settings.import_people = True
settings.import_camera = True
settings.import_points = True
settings.show_footage = True
settings.set_scene_timing = True
settings.pose_correctives = True
settings.ground = "auto"
settings.clean = 0.75
settings.absence_s = 0.5
settings.follow = True
