# SPDX-License-Identifier: GPL-3.0-or-later
"""Real footage: people whose joints somebody has noted by eye, in pixels or triangulated in metres."""
