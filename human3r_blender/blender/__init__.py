# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender lacks: keyframes of every version, coordinates, tags, texts, a sidebar, and what may run now."""
