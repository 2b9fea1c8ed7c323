# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of a clip that an evaluation can tell a capture."""

FOCAL, HEIGHT, CAMERA = "focal", "height", "camera"
KNOWABLE = (FOCAL, HEIGHT, CAMERA)
