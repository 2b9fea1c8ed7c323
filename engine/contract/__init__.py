# SPDX-License-Identifier: GPL-3.0-or-later
"""What the add-on and the engine share: message types, framing, takes, settings, the skeleton and body arithmetic.

Everything in here runs on the standard library and numpy, because it is imported both inside Blender's Python
(3.11 to 3.14) and inside the engine's own environment. Nothing in here may import torch, cv2 or bpy.
"""
