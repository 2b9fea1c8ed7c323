# SPDX-License-Identifier: GPL-3.0-or-later
"""How well the camera and the surroundings are found on synthetic clips: moving, standing still and panning cameras."""
