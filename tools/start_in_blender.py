# SPDX-License-Identifier: GPL-3.0-or-later
"""What `build.py blender` has Blender run first: the linked checkout is switched on, with what is for developers."""

import sys

import addon_utils
import bpy

ADDON = "bl_ext.user_default.human3r_blender"

if addon_utils.enable(ADDON, default_set=True) is None:
    sys.exit("The checkout could not be switched on: see above.")
bpy.context.preferences.view.show_developer_ui = True
