# SPDX-License-Identifier: GPL-3.0-or-later
"""A take for other programs: COLMAP models, point clouds, depth and masks."""
