# SPDX-License-Identifier: GPL-3.0-or-later
"""What a take looks like in a Blender scene. ``builder`` is the way in; the other files each know one kind of data."""
