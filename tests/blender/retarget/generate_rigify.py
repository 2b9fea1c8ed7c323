# SPDX-License-Identifier: GPL-3.0-or-later
"""Saves a .blend with a rig that Rigify generated from its human meta-rig: ``python generate_rigify.py FILE.blend``.

In a process of its own, which ends without tidying up: what Rigify leaves registered makes Blender 4.2 crash and 4.5
hang when Python ends.
"""

import os
import sys
import tempfile

os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp(prefix="human3r-blender-")

import bpy

import addon_utils  # isort: skip

bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
assert addon_utils.enable("rigify", default_set=True) is not None
bpy.ops.object.armature_human_metarig_add()
metarig = bpy.context.object
bpy.ops.pose.rigify_generate()
rig = next(item for item in bpy.data.objects if item.type == "ARMATURE" and item is not metarig)
bpy.data.objects.remove(metarig)
rig.name = "Hero"
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1], copy=True)
sys.stdout.flush()
os._exit(0)
