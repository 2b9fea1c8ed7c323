# SPDX-License-Identifier: GPL-3.0-or-later
"""How a take is looked at: colors, names, bones, the camera's view with its footage, a quick render."""

TITLE, ORDER = "View", 2
